"""Cells: the notes' hand-computed vectors, every variant by its equations, names and places."""

import itertools

import numpy as np
import pytest

from microgrrepresent import (
    DTypeError,
    GradientError,
    Graph,
    Tensor,
    draw,
    grad,
    gradcheck,
    scope,
    step,
)
from microgrrepresent import sum as total
from microgrrepresent.drawing.marks.labels import plain
from rnn import (
    CTRNNCell,
    GRUCell,
    LinearRecurrentCell,
    LSTMCell,
    ResidualRNNCell,
    RNNCell,
    unroll,
)

rng = np.random.default_rng(0)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def with_large_weights(cell, seed=1):
    """Parameters large enough for every gate to matter."""
    draw = np.random.default_rng(seed)
    for p in cell.parameters():
        p.assign(draw.standard_normal(p.shape))
    return cell


ALL = {
    "rnn": lambda **k: RNNCell(3, 4, **k),
    "rnn-relu": lambda **k: RNNCell(3, 4, nonlinearity="relu", **k),
    "rnn-sigmoid": lambda **k: RNNCell(3, 4, nonlinearity="sigmoid", **k),
    "linear": lambda **k: LinearRecurrentCell(3, 4, **k),
    "residual": lambda **k: ResidualRNNCell(3, 4, **k),
    "gru": lambda **k: GRUCell(3, 4, **k),
    "gru-before": lambda **k: GRUCell(3, 4, reset_after=False, **k),
    "gru-write": lambda **k: GRUCell(3, 4, update_gate="write", **k),
    "gru-no-reset": lambda **k: GRUCell(3, 4, reset_gate=False, **k),
    "lstm": lambda **k: LSTMCell(3, 4, **k),
    "lstm-1997": lambda **k: LSTMCell(3, 4, forget_gate=False, **k),
    "lstm-coupled": lambda **k: LSTMCell(3, 4, coupled=True, **k),
    "lstm-peephole": lambda **k: LSTMCell(3, 4, peephole="diagonal", **k),
    "lstm-peephole-previous": lambda **k: LSTMCell(3, 4, peephole="diagonal_previous", **k),
    "lstm-projected": lambda **k: LSTMCell(3, 4, proj_size=2, **k),
    "ctrnn": lambda **k: CTRNNCell(3, 4, tau=2.0, dt=0.5, **k),
}
every_cell = pytest.mark.parametrize("name", ALL)


# --- against numbers and formulas that are not ours ----------------------------------------------

# The notes' example (nndl): weights in row form, x W + h U + b
X = np.array([[1.0, 0.0], [0.0, 2.0]])
W = np.array([[0.1, 0.2], [0.1, 0.2]])
U = np.array([[0.0, 0.1], [0.1, 0.0]])
BIAS = np.full(2, 0.1)


def test_srn_of_the_notes():
    cell = RNNCell(2, 2)
    cell.load_state_dict(
        {"weight_ih": W.T, "weight_hh": U.T, "bias_ih": BIAS, "bias_hh": np.zeros(2)}
    )
    h = unroll(cell, X[:, None]).state
    np.testing.assert_allclose(h.numpy()[0], [0.31773996, 0.47749741], atol=5e-9)


def test_lstm_of_the_notes():
    cell = LSTMCell(2, 2)
    four = {"weight_ih": W.T, "weight_hh": U.T, "bias_ih": BIAS, "bias_hh": np.zeros(2)}
    cell.load_state_dict({name: np.concatenate([block] * 4) for name, block in four.items()})
    h, c = cell(X[:1])
    np.testing.assert_allclose(h.numpy()[0], [0.05943684, 0.09524119], atol=5e-9)
    np.testing.assert_allclose(c.numpy()[0], [0.10852366, 0.16734235], atol=5e-9)


def blocks(cell, *letters):
    """W, U and the two biases of each gate, in the order of the cell's rows."""
    H, state = cell.hidden_size, cell.state_dict()
    for k in range(len(letters)):
        rows = slice(k * H, (k + 1) * H)
        yield tuple(state[n][rows] for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))


@pytest.mark.parametrize("made", [RNNCell, ResidualRNNCell])
@pytest.mark.parametrize("bias", [True, False])
def test_srn_by_its_equation(made, bias):
    cell = with_large_weights(made(3, 4, bias, rng=0))
    ((W_, U_, b, c),) = blocks(cell, "h") if bias else ((*cell.state_dict().values(), 0, 0),)
    x, h = rng.standard_normal((2, 3)), rng.standard_normal((2, 4))
    g = np.tanh(x @ W_.T + b + h @ U_.T + c)
    np.testing.assert_allclose(cell(x, h).numpy(), g if made is RNNCell else h + g, rtol=1e-12)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("update_gate", ["keep", "write"])
@pytest.mark.parametrize("composition", ["fused", "per_gate"])
def test_gru_by_its_equations(reset_after, update_gate, composition):
    cell = with_large_weights(
        GRUCell(
            3, 4, reset_after=reset_after, update_gate=update_gate, composition=composition, rng=0
        )
    )
    x, h = rng.standard_normal((2, 3)), rng.standard_normal((2, 4))
    (Wr, Ur, br, cr), (Wz, Uz, bz, cz), (Wn, Un, bn, cn) = blocks(cell, *"rzn")
    r = sigmoid(x @ Wr.T + br + h @ Ur.T + cr)
    z = sigmoid(x @ Wz.T + bz + h @ Uz.T + cz)
    inner = r * (h @ Un.T + cn) if reset_after else (r * h) @ Un.T + cn
    n = np.tanh(x @ Wn.T + bn + inner)
    expected = z * h + (1 - z) * n if update_gate == "keep" else z * n + (1 - z) * h
    np.testing.assert_allclose(cell(x, h).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("update_gate", ["keep", "write"])
@pytest.mark.parametrize("composition", ["fused", "per_gate"])
def test_simplified_gru_by_its_equations(update_gate, composition):
    cell = with_large_weights(
        GRUCell(3, 4, reset_gate=False, update_gate=update_gate, composition=composition, rng=0)
    )
    x, h = rng.standard_normal((2, 3)), rng.standard_normal((2, 4))
    (Wz, Uz, bz, cz), (Wn, Un, bn, cn) = blocks(cell, *"zn")
    z = sigmoid(x @ Wz.T + bz + h @ Uz.T + cz)
    n = np.tanh(x @ Wn.T + bn + h @ Un.T + cn)
    expected = z * h + (1 - z) * n if update_gate == "keep" else z * n + (1 - z) * h
    np.testing.assert_allclose(cell(x, h).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("composition", ["fused", "per_gate"])
@pytest.mark.parametrize("peephole", [False, "diagonal", "diagonal_previous"])
@pytest.mark.parametrize("gates", ["own", "coupled", "1997"])
@pytest.mark.parametrize("proj_size", [0, 2])
def test_lstm_by_its_equations(composition, peephole, gates, proj_size):
    cell = with_large_weights(
        LSTMCell(
            3,
            4,
            forget_gate=gates != "1997",
            coupled=gates == "coupled",
            peephole=peephole,
            proj_size=proj_size,
            composition=composition,
            rng=0,
        )
    )
    state = cell.state_dict()
    V = {gate: state.get(f"weight_c{gate}", np.zeros(4)) for gate in "ifo"}
    x = rng.standard_normal((2, 3))
    h, c = rng.standard_normal((2, proj_size or 4)), rng.standard_normal((2, 4))
    own = gates == "own"
    sums = {
        letter: x @ W_.T + h @ U_.T + b1 + b2
        for letter, (W_, U_, b1, b2) in zip(
            "ifgo" if own else "igo", blocks(cell, *("ifgo" if own else "igo")), strict=True
        )
    }
    i = sigmoid(sums["i"] + V["i"] * c)
    f = sigmoid(sums["f"] + V["f"] * c) if own else 1 - i if gates == "coupled" else 1.0
    c_new = f * c + i * np.tanh(sums["g"])
    o = sigmoid(sums["o"] + V["o"] * (c if peephole == "diagonal_previous" else c_new))
    h_new = o * np.tanh(c_new)
    if proj_size:
        h_new = h_new @ state["weight_hr"].T
    made = cell(x, (h, c))
    np.testing.assert_allclose(made.c.numpy(), c_new, rtol=1e-12)
    np.testing.assert_allclose(made.h.numpy(), h_new, rtol=1e-12)


def test_peepholes_at_the_memory_before_differ():
    a, b = (
        with_large_weights(LSTMCell(3, 4, peephole=p)) for p in ("diagonal", "diagonal_previous")
    )
    state = (rng.standard_normal(4), rng.standard_normal(4))
    difference = a(np.ones(3), state).h.numpy() - b(np.ones(3), state).h.numpy()
    assert np.abs(difference).max() > 1e-3


def test_linear_and_residual_recurrence_by_their_equations():
    x, h = rng.standard_normal((2, 3)), rng.standard_normal((2, 4))
    linear, residual = LinearRecurrentCell(3, 4, rng=0), ResidualRNNCell(3, 4, rng=0)
    s = linear.state_dict()
    np.testing.assert_allclose(
        linear(x, h).numpy(), h + x @ s["weight_ih"].T + s["bias"], rtol=1e-13
    )
    s = residual.state_dict()
    a = x @ s["weight_ih"].T + h @ s["weight_hh"].T + s["bias_ih"] + s["bias_hh"]
    np.testing.assert_allclose(residual(x, h).numpy(), h + np.tanh(a), rtol=1e-13)


def test_ctrnn_by_its_equation():
    tau = np.array([1.0, 2.0, 0.5, 4.0])
    cell = with_large_weights(CTRNNCell(3, 4, tau=tau, dt=0.1, rng=0))
    s = cell.state_dict()
    x, y = rng.standard_normal((2, 3)), rng.standard_normal((2, 4))
    slope = (-y + sigmoid(y + s["bias"]) @ s["weight_hh"].T + x @ s["weight_ih"].T) / tau
    np.testing.assert_allclose(cell(x, y).numpy(), y + 0.1 * slope, rtol=1e-13)


def test_time_constants_are_learned_if_they_require_a_gradient():
    tau = Tensor([1.0, 2.0], requires_grad=True)
    cell = CTRNNCell(1, 2, tau=tau, rng=0)
    assert cell.tau is tau and any(p is tau for p in cell.parameters())
    gradcheck(lambda _: cell(np.ones(1), [0.5, -0.5]), [tau])
    unroll(cell, np.ones((3, 1))).stacked().sum().backward()
    assert tau.grad is not None and tau.grad.all()


def test_a_time_constant_that_would_lose_its_derivative_is_refused():
    tau = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GradientError, match=r"requires a gradient, which would be lost"):
        CTRNNCell(1, 2, tau=2 * tau)
    with pytest.raises(DTypeError, match=r"expected tau of float32, got float64"):
        CTRNNCell(1, 2, tau=tau, dtype="float32")
    assert not CTRNNCell(1, 2, tau=tau.detach()).tau.requires_grad


def test_the_share_that_a_ctrnn_takes_of_its_way_has_a_name():
    graph = Graph(CTRNNCell(1, 2, rng=0)(np.zeros(1)))
    assert [node.op.name for node in graph.find(name="dt/τ")] == ["div"]


def test_ctrnn_without_weights_decays_as_euler_says():
    cell = CTRNNCell(1, 2, tau=[1.0, 2.0], dt=0.25)
    for p in cell.parameters():
        p.assign(np.zeros(p.shape))
    y = unroll(cell, np.zeros((20, 1)), np.array([1.0, -3.0])).state.numpy()
    np.testing.assert_allclose(y, [0.75**20, -3 * 0.875**20], rtol=1e-12)


def test_ctrnn_of_two_neurons_oscillates():
    cell = CTRNNCell(1, 2, tau=1.0, dt=0.1)
    cell.load_state_dict(
        {
            "weight_ih": np.zeros((2, 1)),
            "weight_hh": [[4.5, 1.0], [-1.0, 4.5]],
            "bias": [-2.75, -1.75],
            "tau": 1.0,
        }
    )
    run = unroll(cell, np.zeros((2000, 1)), np.array([0.5, 0.5]))
    y = np.array([s.numpy() for s in run.states.values()])[1000:]
    assert y[:, 0].max() - y[:, 0].min() > 1  # still swings after 100 time constants
    middle = y[:, 0] - y[:, 0].mean()
    assert np.count_nonzero(np.diff(np.sign(middle))) >= 6


def test_activations_of_the_lstm():
    cell = with_large_weights(LSTMCell(3, 4, gate_activation="relu", activation="sigmoid"))
    graph = Graph(cell(10 * np.ones((8, 3)), (np.ones((8, 4)), np.ones((8, 4)))))
    assert graph.find(name="i")[0].value.max() > 1  # a ReLU is no gate
    assert {graph.find(name=g)[0].op.name for g in "ifo"} == {"relu"}
    assert graph.find(name="g")[0].op.name == "sigmoid"


# --- what holds for every cell -------------------------------------------------------------------


@every_cell
def test_gradients(name):
    cell = ALL[name](rng=0)
    x = Tensor(rng.standard_normal((2, 3)), requires_grad=True)
    state = tuple(
        Tensor(rng.standard_normal((2, n)), requires_grad=True) for n in cell.state_sizes().values()
    )

    def run(*_):
        made = cell(x, cell.state_of(*state))
        parts = cell.parts_of(made)
        return sum(total(p * (k + 1.5)) for k, p in enumerate(parts))

    gradcheck(run, [x, *state, *cell.parameters()])


@every_cell
def test_one_sequence_equals_a_batch_of_one(name):
    cell = ALL[name](rng=0)
    xs = rng.standard_normal((5, 2, 3))
    batch, single = unroll(cell, xs), unroll(cell, xs[:, 1])
    np.testing.assert_allclose(
        single.stacked().numpy(), batch.stacked().numpy()[:, 1], rtol=1e-12, atol=1e-15
    )


@every_cell
def test_a_second_run_goes_on_where_the_first_ended(name):
    cell = ALL[name](rng=0)
    xs = rng.standard_normal((7, 2, 3))
    whole, first = unroll(cell, xs), unroll(cell, xs[:3])
    second = unroll(cell, xs[3:], first.state)
    np.testing.assert_array_equal(second.stacked().numpy(), whole.stacked().numpy()[3:])


@every_cell
def test_the_initial_state_is_zero_and_matters(name):
    cell = with_large_weights(ALL[name](rng=0))
    x = rng.standard_normal((2, 3))
    zeros = cell.state_of(*[np.zeros((2, n)) for n in cell.state_sizes().values()])
    random = cell.state_of(*[rng.standard_normal((2, n)) for n in cell.state_sizes().values()])
    of = lambda state: cell.output(cell(x, state)).numpy()  # noqa: E731
    np.testing.assert_array_equal(of(None), of(zeros))
    assert np.abs(of(None) - of(random)).max() > 1e-3


@every_cell
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_data_types_are_kept(name, dtype):
    cell = ALL[name](dtype=dtype, rng=0)
    run = unroll(cell, rng.standard_normal((3, 2, 3)).astype(dtype))
    loss = total(run.stacked())
    assert all(node.dtype == dtype for node in Graph(loss))
    assert all(g.dtype == dtype for g in grad(loss, cell.parameters(), unconnected="zeros"))


@every_cell
def test_any_length(name):
    cell = ALL[name](rng=0)
    assert all(len(unroll(cell, np.ones((T, 2, 3))).outputs) == T for T in (1, 5, 50))


LETTERS = {"rnn": "ah", "linear": "gh", "residual": "gh", "ctrnn": "φy"}
GATED = {"gru": "rznh", "gru-no-reset": "znh", "lstm": "ifgoch", "lstm-1997": "igoch"}


@every_cell
def test_nodes_are_named_and_placed(name):
    cell = ALL[name](rng=0)
    family = name.split("-")[0]
    letters = GATED.get(name) or GATED.get(family) or LETTERS[family]
    run = unroll(cell, np.ones((3, 2, 3)))
    graph = Graph(cell.output(run.state))
    for letter in letters:
        made = [node for node in graph.find(name=letter) if node.op is not None]
        assert [node.step for node in made] == [1, 2, 3], letter
        assert {node.scope for node in made} == {cell.scope}
    assert [node.step for node in graph.find(name="x")] == [1, 2, 3]
    for letter in cell.state_sizes():
        (initial,) = [node for node in graph.find(name=letter) if node.op is None]
        assert (initial.step, initial.scope) == (0, cell.scope)
    assert {p.name for p in graph.parameters} == {p.name for p in cell.parameters()}
    for node in graph:  # nothing but what all steps share stands outside of time
        if node.step is None:
            assert all(p.step is None for p in node.parents)


def test_a_cell_by_hand_in_scopes_and_steps():
    cell = RNNCell(3, 4)
    with scope("encoder"), step(1):
        h = cell(np.ones(3))
    assert (h.scope, h.step) == ("encoder/rnn", 1)
    initial = next(node for node in Graph(h).find(name="h") if node.op is None)
    assert (initial.scope, initial.step) == ("encoder/rnn", 0)


@pytest.mark.parametrize("name", [n for n in ALL if n.startswith(("gru", "lstm"))])
@pytest.mark.parametrize("bias", [True, False])
def test_both_compositions_give_the_same_numbers(name, bias):
    fused, apart = (
        with_large_weights(ALL[name](composition=c, bias=bias, rng=0))
        for c in ("fused", "per_gate")
    )
    xs = rng.standard_normal((6, 2, 3))
    runs = [unroll(cell, xs).stacked() for cell in (fused, apart)]
    np.testing.assert_allclose(runs[0].numpy(), runs[1].numpy(), rtol=1e-12, atol=1e-14)
    gs = [
        grad(total(run * run), cell.parameters())
        for run, cell in zip(runs, (fused, apart), strict=True)
    ]
    for a, b in zip(*gs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


def test_per_gate_shows_the_equations():
    cell = LSTMCell(3, 4, composition="per_gate")
    graph = Graph(unroll(cell, np.ones((2, 3))).state.h)
    for gate in "ifgo":
        for node in graph.find(name=gate):
            a, b = node.op and node.parents[0].parents
            assert b.name == f"b_{gate}"
            assert [p.parents[1].name for p in a.parents] == [f"W_{gate}", f"U_{gate}"]
    assert len(graph.find(op="linear")) == 2 * 2 * 4
    fused = Graph(unroll(LSTMCell(3, 4), np.ones((2, 3))).state.h)
    assert len(fused.find(op="linear")) == 2 * 2


def test_the_forget_gate_of_coupled_gates_has_its_letter():
    run = unroll(LSTMCell(1, 2, coupled=True, rng=0), np.ones((2, 1)))
    arrows = draw(run.state.h, view="gates").picture.arrows
    named = [plain(arrow.label) for arrow in arrows if plain(arrow.tail.label) == "1 −"]
    assert named == ["f_1", "f_2"]


def test_number_of_parameters():
    count = lambda cell: sum(p.size for p in cell.parameters())  # noqa: E731
    size, H = 5, 7
    for cell, gates in ((RNNCell, 1), (GRUCell, 3), (LSTMCell, 4)):
        assert count(cell(size, H)) == gates * (H * size + H * H + 2 * H)
        assert count(cell(size, H, bias=False)) == gates * (H * size + H * H)


def test_forget_bias():
    cell = LSTMCell(3, 4, forget_bias=5.0, rng=0)
    total_bias = (cell.bias_ih.data + cell.bias_hh.data).reshape(4, 4)
    np.testing.assert_array_equal(total_bias[1], 5.0)
    assert np.abs(total_bias[[0, 2, 3]]).max() <= 1.0
    np.testing.assert_array_equal(
        LSTMCell(3, 4, rng=0).weight_ih.data, LSTMCell(3, 4, forget_bias=1.0, rng=0).weight_ih.data
    )


def test_a_learned_initial_state():
    cell = LSTMCell(3, 4, rng=0)
    cell.learn_initial_state()
    assert list(cell.state_dict())[-2:] == ["initial.h", "initial.c"]
    cell.initial["h"].assign(np.arange(4.0))
    run = unroll(cell, np.ones((2, 5, 3)))
    np.testing.assert_array_equal(run.states[0].h.numpy(), np.tile(np.arange(4.0), (5, 1)))
    given = unroll(cell, np.ones((2, 5, 3)), run.states[0])
    np.testing.assert_array_equal(given.stacked().numpy(), run.stacked().numpy())
    g = grad(total(run.stacked()), [cell.initial["h"], cell.initial["c"]])
    assert all(np.abs(part).max() > 0 for part in g)
    assert unroll(cell, np.ones((2, 3))).states[0].h.shape == (4,)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: RNNCell(3, 4)(np.zeros((2, 5))),
            "RNNCell(3, 4) in rnn: expected x of shape (batch, 3) or (3,), got (2, 5); "
            "the last axis is input_size: change x, or make the cell with another input_size",
        ),
        (
            lambda: RNNCell(3, 4)(np.zeros((1, 2, 3))),
            "RNNCell(3, 4) in rnn: expected x of shape (batch, 3) or (3,), got (1, 2, 3); "
            "the last axis is input_size: change x, or make the cell with another input_size",
        ),
        (
            lambda: RNNCell(3, 4)(np.zeros((2, 3)), np.zeros((2, 5))),
            "RNNCell(3, 4) in rnn: expected h of shape (2, 4) beside x (2, 3), got (2, 5); "
            "give such an array, or None for zeros",
        ),
        (
            lambda: GRUCell(3, 4)(np.zeros((2, 3)), np.zeros((7, 4))),
            "GRUCell(3, 4) in gru: expected h of shape (2, 4) beside x (2, 3), got (7, 4); "
            "the state is of a batch of 7, x of one of 2: begin a new batch with state=None",
        ),
        (
            lambda: LSTMCell(3, 4)(np.zeros((2, 3)), np.zeros((2, 4))),
            "LSTMCell(3, 4) in lstm: its state is the pair (h, c), got one array (2, 4); give "
            "the pair (h, c), or None for zeros",
        ),
        (
            lambda: LSTMCell(3, 4, proj_size=2)(np.zeros(3), (np.zeros(4), np.zeros(4))),
            "LSTMCell(3, 4, proj_size=2) in lstm: expected h of shape (2,) beside x (3,), got "
            "(4,); "
            "give such an array, or None for zeros",
        ),
        (
            lambda: unroll(RNNCell(3, 4), [np.zeros(3), np.zeros(5)]),
            "RNNCell(3, 4) in rnn at t=2: expected x of shape (batch, 3) or (3,), got (5,); "
            "the last axis is input_size: change x, or make the cell with another input_size",
        ),
        (
            lambda: RNNCell(3, 4, nonlinearity="swish"),
            "RNN: unknown nonlinearity 'swish'; choose one of 'tanh', 'relu', 'sigmoid', "
            "'identity'",
        ),
        (
            lambda: LSTMCell(3, 4, proj_size=4),
            "LSTM: proj_size must be smaller than hidden_size 4, because it shortens h, or 0 "
            "for no projection, got 4",
        ),
        (
            lambda: LSTMCell(3, 4, coupled=True, forget_gate=False),
            "LSTM: coupled=True makes the forget gate 1 - i, forget_gate=False makes it 1; "
            "choose one",
        ),
        (
            lambda: LSTMCell(3, 4, coupled=True, forget_bias=1.0),
            "LSTM: forget_bias=1.0 needs a forget gate with a bias of its own (bias=True, "
            "forget_gate=True, coupled=False)",
        ),
        (
            lambda: LSTMCell(3, 4, peephole="full"),
            "LSTM: peephole is False, 'diagonal' (o sees the new c) or 'diagonal_previous' "
            "(o sees the c before), got 'full'",
        ),
        (
            lambda: GRUCell(3, 4, update_gate="forget"),
            "GRU: update_gate is 'keep' (z near 1 keeps the state) or 'write' (z near 1 "
            "writes the candidate), got 'forget'",
        ),
        (
            lambda: GRUCell(3, 4, composition="single"),
            "GRU: composition must be 'fused' (one product for all gates) or 'per_gate' (one "
            "for each), got 'single'",
        ),
        (
            lambda: CTRNNCell(3, 4, tau=0),
            "CTRNN: dt must be a positive number, and tau one or 4 (hidden_size) of "
            "them, got dt=0.1, tau=0",
        ),
        (
            lambda: CTRNNCell(3, 4, dt=None),
            "CTRNN: dt must be a positive number, and tau one or 4 (hidden_size) of "
            "them, got dt=None, tau=1.0",
        ),
        (
            lambda: CTRNNCell(3, 4, tau="a"),
            "CTRNN: dt must be a positive number, and tau one or 4 (hidden_size) of "
            "them, got dt=0.1, tau='a'",
        ),
        (
            lambda: LSTMCell(3, 4, coupled="no"),
            "LSTM: coupled is True or False, got 'no'",
        ),
        (lambda: GRUCell(3, 4, reset_after=1), "GRU: reset_after is True or False, got 1"),
        (lambda: RNNCell(3, 4, bias="False"), "RNN: bias is True or False, got 'False'"),
        (
            lambda: LSTMCell(3, 4, forget_bias=np.nan),
            "LSTM: forget_bias is a finite number, got nan",
        ),
        (lambda: RNNCell(-1, 4), "RNN: input_size must be an integer >= 0, got -1"),
        (lambda: RNNCell(3, 2.5), "RNN: hidden_size must be an integer >= 1, got 2.5"),
    ],
)
def test_errors(call, sentence):
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == sentence


def test_data_types_must_agree():
    with pytest.raises(TypeError, match="expected x of float32, got float64; convert it with"):
        RNNCell(3, 4, dtype=np.float32)(np.zeros(3))
    with pytest.raises(TypeError, match="expected x of float32, got float64; convert it with"):
        RNNCell(3, 4, dtype=np.float32)(Tensor(np.zeros(3)))
    with pytest.raises(TypeError, match="expected h of float64, got float32"):
        RNNCell(3, 4)(np.zeros(3), np.zeros(4, np.float32))


def test_the_same_cell_with_another_batch_is_checked_again():
    run = RNNCell(3, 4).bound()
    h = run(np.zeros((2, 3)), None)
    with pytest.raises(ValueError, match="the state is of a batch of 2, x of one of 5"):
        run(np.zeros((5, 3)), h)


assert set(itertools.chain(LETTERS, GATED)) <= set(ALL) | {"gru", "lstm"}


def test_a_step_of_numpy_s_own_type_does_not_widen_the_state():
    cell = CTRNNCell(1, 2, tau=np.array([1.0, 2.0]), dt=np.float64(0.1), dtype=np.float32)
    assert unroll(cell, np.zeros((3, 1), np.float32)).state.dtype == np.float32
