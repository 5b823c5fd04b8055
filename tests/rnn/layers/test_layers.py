"""Layers: directions, stacks, padding, states, names; all without torch (see parity for that)."""

import warnings
from functools import partial

import numpy as np
import pytest

from microgrrepresent import Graph, ShapeError, Tensor, backward, draw, grad
from microgrrepresent import sum as total
from microgrrepresent.drawing.marks.labels import plain
from rnn import (
    GRU,
    LSTM,
    NARX,
    RNN,
    CTRNNCell,
    GRUCell,
    LinearRecurrentCell,
    LSTMCell,
    LSTMState,
    ResidualRNNCell,
    RNNCell,
    StateDictError,
    unroll,
)

rng = np.random.default_rng(0)
T, B, SIZE, H = 5, 3, 4, 6

LAYERS = {
    "rnn": lambda **k: RNN(SIZE, H, rng=0, **k),
    "gru": lambda **k: GRU(SIZE, H, rng=0, **k),
    "lstm": lambda **k: LSTM(SIZE, H, rng=0, **k),
    "lstm-projected": lambda **k: LSTM(SIZE, H, proj_size=2, rng=0, **k),
    "gru-before-write": lambda **k: GRU(
        SIZE, H, reset_after=False, update_gate="write", rng=0, **k
    ),
    "lstm-peephole": lambda **k: LSTM(SIZE, H, peephole="diagonal", rng=0, **k),
    "lstm-coupled-per-gate": lambda **k: LSTM(
        SIZE, H, coupled=True, composition="per_gate", rng=0, **k
    ),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def inputs():
    return rng.standard_normal((T, B, SIZE))


def parts(state):
    return list(state) if isinstance(state, tuple) else [state]


def states_for(layer, batch=B):
    """A random initial state."""
    rows = len(layer.cells)
    made = [rng.standard_normal((rows, batch, n)) for n in layer.cells[0].state_sizes().values()]
    return tuple(made) if len(made) > 1 else made[0]


def same(a, b):
    a, b = (x.numpy() if isinstance(x, Tensor) else x for x in (a, b))
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


# --- the notes' calls ----------------------------------------------------------------------------


def test_the_sizes_that_every_course_shows():
    x, h0 = np.zeros((5, 3, 10)), np.zeros((2, 3, 20))
    for layer in (RNN(10, 20, 2), GRU(10, 20, 2)):
        output, hn = layer(x, h0)
        assert output.shape == (5, 3, 20) and hn.shape == (2, 3, 20)
    output, (hn, cn) = LSTM(10, 20, 2)(x, (h0, h0))
    assert output.shape == (5, 3, 20) and hn.shape == cn.shape == (2, 3, 20)
    assert isinstance(LSTM(10, 20, 2)(x)[1], LSTMState)


def test_the_output_is_the_state_of_the_last_layer():
    output, hn = RNN(SIZE, H, 2, rng=0)(inputs())
    np.testing.assert_array_equal(output.numpy()[-1], hn.numpy()[-1])


def test_arguments_stand_in_torch_s_order():
    layer = RNN(SIZE, H, 2, "relu", False, True, 0.5, True)
    assert (layer.num_layers, layer.nonlinearity, layer.bias) == (2, "relu", False)
    assert (layer.batch_first, layer.dropout.p, layer.bidirectional) == (True, 0.5, True)
    layer = LSTM(SIZE, H, 2, False, True, 0.5, True, 3)
    assert (layer.num_layers, layer.bias, layer.batch_first) == (2, False, True)
    assert (layer.dropout.p, layer.bidirectional, layer.proj_size) == (0.5, True, 3)
    layer = GRU(SIZE, H, 2, False, True, 0.5, True)
    assert (layer.num_layers, layer.bias, layer.batch_first) == (2, False, True)
    assert (layer.dropout.p, layer.bidirectional) == (0.5, True)


# --- structure -----------------------------------------------------------------------------------


@every_layer
def test_a_layer_is_its_cell_over_time(name):
    layer = LAYERS[name]()
    x = inputs()
    output, state = layer(x)
    run = unroll(layer.cells[0], x)
    same(output, run.stacked())
    for part, end in zip(parts(state), layer.cells[0].parts_of(run.state), strict=True):
        same(part.numpy()[0], end)


@every_layer
def test_a_stack_is_a_chain_of_layers(name):
    layer = LAYERS[name](num_layers=3)
    x = inputs()
    below, ends = x, []
    for cell in layer.cells:
        run = unroll(cell, below)
        below = [Tensor(y.numpy()) for y in run.outputs]
        ends.append(layer.cells[0].parts_of(run.state))
    output, state = layer(x)
    same(output, np.stack([y.numpy() for y in below]))
    for p, rows in zip(parts(state), zip(*ends, strict=True), strict=True):
        same(p, np.stack([row.numpy() for row in rows]))


@every_layer
def test_two_directions_are_one_forward_and_one_flipped(name):
    layer = LAYERS[name](bidirectional=True)
    x = inputs()
    output, state = layer(x)
    forward, flipped = unroll(layer.cells[0], x), unroll(layer.cells[1], x[::-1])
    expected = np.concatenate([forward.stacked().numpy(), flipped.stacked().numpy()[::-1]], -1)
    same(output, expected)
    ends = zip(*(layer.cells[0].parts_of(run.state) for run in (forward, flipped)), strict=True)
    for p, rows in zip(parts(state), ends, strict=True):
        same(p, np.stack([row.numpy() for row in rows]))


@every_layer
@pytest.mark.parametrize("bidirectional", [False, True])
def test_batch_first_is_a_transposition(name, bidirectional):
    a = LAYERS[name](num_layers=2, bidirectional=bidirectional)
    b = LAYERS[name](num_layers=2, bidirectional=bidirectional, batch_first=True)
    b.load_state_dict(a.state_dict())
    x, state = inputs(), states_for(a)
    out_a, end_a = a(x, state, lengths=[2, 5, 3])
    for form in (x.swapaxes(0, 1), Tensor(x.swapaxes(0, 1))):
        out_b, end_b = b(form, state, lengths=[2, 5, 3])
        same(out_a.numpy().swapaxes(0, 1), out_b)
        for p, q in zip(parts(end_a), parts(end_b), strict=True):
            same(p, q)


@every_layer
def test_one_sequence_is_a_batch_of_one(name):
    for batch_first in (False, True):
        layer = LAYERS[name](num_layers=2, bidirectional=True, batch_first=batch_first)
        x = inputs()
        one = x[:, :1].swapaxes(0, 1) if batch_first else x[:, :1]
        state = states_for(layer, 1)
        output, end = layer(one, state)
        lone_state = tuple(s[:, 0] for s in state) if isinstance(state, tuple) else state[:, 0]
        lone, lone_end = layer(x[:, 0], lone_state)
        same(lone, output.numpy()[0] if batch_first else output.numpy()[:, 0])
        for p, q in zip(parts(end), parts(lone_end), strict=True):
            same(p.numpy()[:, 0], q)


@every_layer
def test_no_state_is_a_state_of_zeros(name):
    layer = LAYERS[name](num_layers=2, bidirectional=True)
    x, state = inputs(), states_for(layer)
    zeros = tuple(s * 0 for s in state) if isinstance(state, tuple) else state * 0
    same(layer(x)[0], layer(x, zeros)[0])
    assert np.abs(layer(x)[0].numpy() - layer(x, state)[0].numpy()).max() > 1e-3


@every_layer
def test_a_carried_state_makes_one_long_call_of_two(name):
    layer = LAYERS[name](num_layers=2)
    x = inputs()
    whole, end = layer(x)
    first, state = layer(x[:2])
    second, state = layer(x[2:], state)
    same(whole, np.concatenate([first.numpy(), second.numpy()]))
    for p, q in zip(parts(state), parts(end), strict=True):
        same(p, q)


@every_layer
def test_a_padded_batch_equals_its_sequences_one_by_one(name):
    layer = LAYERS[name](num_layers=2, bidirectional=True)
    x, state = inputs(), states_for(layer)
    lengths = [2, 5, 1]
    output, end = layer(x, state, lengths=lengths)
    for b, n in enumerate(lengths):
        own = tuple(s[:, b] for s in state) if isinstance(state, tuple) else state[:, b]
        alone, lone_end = layer(x[:n, b], own)
        same(output.numpy()[:n, b], alone)
        assert not output.numpy()[n:, b].any()
        for p, q in zip(parts(end), parts(lone_end), strict=True):
            same(p.numpy()[:, b], q)


@every_layer
@pytest.mark.parametrize("filler", [np.nan, np.inf, -1e300])
def test_what_padding_holds_has_no_influence(name, filler):
    layer = LAYERS[name](num_layers=2, bidirectional=True)
    lengths, x = [2, 5, 1], inputs()
    x[2:, 0] = x[1:, 2] = 0
    clean = Tensor(x, requires_grad=True)
    x[2:, 0] = x[1:, 2] = filler
    filled = Tensor(x, requires_grad=True)
    runs = []
    for given in (clean, filled):
        output, end = layer(given, lengths=lengths)
        loss = total(output * output) + sum(total(part) for part in parts(end))
        runs.append([output.numpy(), *grad(loss, [given, *layer.parameters()])])
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not runs[1][1][2:, 0].any()
    same(layer(x, lengths=lengths)[0], runs[0][0])  # an array, too


@every_layer
def test_a_batch_that_is_padded_before_its_sequences_is_flipped_twice(name):
    layer = LAYERS[name](num_layers=2, bidirectional=True)
    x = inputs()
    lengths = [2, len(x)] + [1] * (x.shape[1] - 2)
    padded = np.full_like(x, np.nan)
    for b, n in enumerate(lengths):
        padded[len(x) - n :, b] = x[:n, b]
    behind, state = layer(x, lengths=lengths)
    before, state_before = layer(padded, lengths=lengths, side="left")
    for b, n in enumerate(lengths):
        np.testing.assert_array_equal(before.numpy()[len(x) - n :, b], behind.numpy()[:n, b])
        assert not before.numpy()[: len(x) - n, b].any()
    for a, b in zip(parts(state), parts(state_before), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@every_layer
def test_of_an_empty_sequence_the_initial_state_comes_back(name):
    layer = LAYERS[name](num_layers=2, bidirectional=True)
    x = inputs()
    h0 = states_for(layer)
    lengths = [0, len(x)] + [2] * (x.shape[1] - 2)
    output, state = layer(x, h0, lengths)
    assert not output.numpy()[:, 0].any() and output.numpy()[:, 1].any()
    for part, given in zip(parts(state), parts(h0), strict=True):
        np.testing.assert_array_equal(part.numpy()[:, 0], given[:, 0])
    output, state = layer(x[:0], h0)
    assert output.shape == (0, x.shape[1], layer.output_size) and output.dtype == x.dtype
    for part, given in zip(parts(state), parts(h0), strict=True):
        np.testing.assert_array_equal(part.numpy(), given)
    output, state = layer(x[:0, 0])
    assert output.shape == (0, layer.output_size)
    for part, zeros in zip(parts(state), parts(layer.initial_state()), strict=True):
        np.testing.assert_array_equal(part.numpy(), zeros.numpy())


def test_nothing_with_the_batch_first():
    layer = GRU(4, 6, batch_first=True, bidirectional=True)
    assert layer(np.zeros((3, 0, 4)))[0].shape == (3, 0, 12)


def test_gradients_reach_inputs_states_and_parameters_of_every_layer():
    layer = LSTM(SIZE, H, 2, bidirectional=True, learn_initial_state=True, rng=0)
    x = Tensor(inputs(), requires_grad=True)
    total(layer(x)[0]).backward()
    assert all(np.abs(p.grad).max() > 0 for p in [x, *layer.parameters()])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_data_types_are_kept(dtype):
    layer = LSTM(SIZE, H, 2, bidirectional=True, dtype=dtype)
    output, state = layer(inputs().astype(dtype), lengths=[2, 5, 3])
    loss = total(output) + total(state.c)
    assert all(node.dtype in (dtype, bool) for node in Graph(loss))
    assert all(g.dtype == dtype for g in grad(loss, layer.parameters()))


# --- the gradient by step ------------------------------------------------------------------------


def test_by_step_takes_the_gradient_of_every_layer_apart():
    layer = LSTM(SIZE, H, 2, bidirectional=True, rng=0)
    adjoints = backward(total(layer(inputs())[0]))
    for p in layer.parameters():
        terms = adjoints.by_step(p)
        assert list(terms) == [1, 2, 3, 4, 5]
        np.testing.assert_allclose(sum(terms.values()), adjoints[p], rtol=1e-11, atol=1e-13)


# --- dropout -------------------------------------------------------------------------------------


def test_dropout_acts_between_layers_and_not_after_the_last():
    layer = RNN(SIZE, H, num_layers=3, dropout=0.5, rng=0)
    graph = Graph(layer(inputs())[0])
    masks = graph.find(name="mask")
    assert len(masks) == 2 * T  # two gaps, each step a mask of its own
    assert {node.step for node in masks} == {1, 2, 3, 4, 5}
    assert not Graph(layer.eval()(inputs())[0]).find(name="mask")
    plain = RNN(SIZE, H, num_layers=3)
    plain.load_state_dict(layer.state_dict())
    x = inputs()
    same(layer(x)[0], plain(x)[0])


def test_dropout_of_a_single_layer_is_warned_of():
    with pytest.warns(UserWarning, match="acts between layers, after all but the last"):
        RNN(SIZE, H, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RNN(SIZE, H, num_layers=2, dropout=0.5)


# --- parameters ----------------------------------------------------------------------------------


def test_keys_are_those_of_torch():
    assert list(LSTM(SIZE, H, 2, bidirectional=True, proj_size=3).state_dict()) == [
        f"{name}_l{layer}{direction}"
        for layer in (0, 1)
        for direction in ("", "_reverse")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    ]
    shapes = {k: v.shape for k, v in GRU(SIZE, H, 2, bidirectional=True).state_dict().items()}
    assert shapes["weight_ih_l0"] == (3 * H, SIZE)
    assert shapes["weight_ih_l1_reverse"] == (3 * H, 2 * H)
    assert shapes["weight_hh_l1"] == (3 * H, H)
    assert list(RNN(SIZE, H, bias=False).state_dict()) == ["weight_ih_l0", "weight_hh_l0"]


def test_parameters_by_attribute():
    layer = LSTM(SIZE, H, 2, bidirectional=True)
    assert layer.weight_hh_l1_reverse is layer.cells[3].weight_hh
    assert [p.name for p in layer.parameters()][:5] == [
        "W_ih_l0", "W_hh_l0", "b_ih_l0", "b_hh_l0", "W_ih_l0_reverse",
    ]  # fmt: skip
    assert [p.name for p in RNN(SIZE, H).parameters()] == ["W_ih", "W_hh", "b_ih", "b_hh"]
    with pytest.raises(AttributeError, match="LSTM has no attribute 'weight_ih_l2'"):
        _ = layer.weight_ih_l2
    with pytest.raises(AttributeError, match="LSTM has no attribute 'color'"):
        _ = layer.color
    assert "weight_hh_l1_reverse" in dir(layer)


@every_layer
def test_a_parameter_that_is_set_is_used_and_saved(name):
    layer, other = LAYERS[name](), LAYERS[name]()
    x, names = inputs(), list(layer.state_dict())
    half = {key: array / 2 for key, array in layer.state_dict().items()}
    other.load_state_dict(half)
    for key, array in half.items():
        parameter = Tensor(array, requires_grad=True)
        setattr(layer, key, parameter)
        assert getattr(layer, key) is parameter
    np.testing.assert_array_equal(layer(x)[0].numpy(), other(x)[0].numpy())
    assert list(layer.state_dict()) == names and len(layer.parameters()) == len(names)
    assert [p.name for p in layer.parameters()] == [p.name for p in other.parameters()]


def test_a_parameter_is_set_to_a_tensor_of_its_form():
    layer = RNN(4, 6, bias=False)
    with pytest.raises(ShapeError) as error:
        layer.weight_ih_l0 = Tensor(np.zeros((4, 6)), requires_grad=True)
    assert str(error.value) == (
        "RNN.weight_ih_l0 is a parameter (6, 4) of float64, got a Tensor (4, 6) of float64"
    )
    own = layer.weight_ih_l0
    layer.weight_ih_l0 = np.ones((6, 4))
    assert layer.weight_ih_l0 is own and own.requires_grad and (own.numpy() == 1).all()
    with pytest.raises(AttributeError, match="was made without bias_ih_l0, and does not use one"):
        layer.bias_ih_l0 = Tensor(np.zeros(6))


@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_a_composition_is_that_of_the_cells(kind):
    letters = {GRU: "rzn", LSTM: "ifgo"}[kind]
    for composition, expected in (("fused", set()), ("per_gate", {f"U_{g}" for g in letters})):
        layer = kind(SIZE, H, composition=composition)
        names = {node.name for node in Graph(layer(inputs())[0])}
        assert {name for name in names if name and name.startswith("U_")} == expected


def test_the_forget_gates_bias_begins_as_said():
    layer = LSTM(SIZE, H, 2, bidirectional=True, forget_bias=1.5)
    for cell in layer.cells:
        b = cell.bias_ih.numpy() + cell.bias_hh.numpy()
        np.testing.assert_array_equal(b[H : 2 * H], np.full(H, 1.5))
        assert not (b[:H] == 1.5).any()


def test_first_values_are_those_of_torch():
    layer = LSTM(SIZE, 100, rng=0)
    for p in layer.parameters():
        assert 0.09 < np.abs(p.data).max() <= 0.1  # 1/sqrt(100)


def test_a_state_dict_that_does_not_fit():
    layer = GRU(SIZE, H)
    state = layer.state_dict()
    state["weight_ih_l1"] = state.pop("weight_ih_l0")
    with pytest.raises(StateDictError) as error:
        layer.load_state_dict(state)
    assert str(error.value) == (
        "load_state_dict: the state does not fit GRU(4, 6), and nothing was loaded; "
        "missing: weight_ih_l0 (18, 4); unexpected: weight_ih_l1 (18, 4); "
        "was it saved from a module made with other arguments?"
    )


def test_a_learned_initial_state():
    layer = GRU(SIZE, H, 2, bidirectional=True, learn_initial_state=True, rng=0)
    names = [name for name in layer.state_dict() if name.startswith("initial")]
    assert names == [f"initial.h{s}" for s in ("_l0", "_l0_reverse", "_l1", "_l1_reverse")]
    x = inputs()
    plain = GRU(SIZE, H, 2, bidirectional=True, rng=0)
    same(layer(x)[0], plain(x)[0])  # it begins as zeros
    rows = rng.standard_normal((4, H))
    for cell, row in zip(layer.cells, rows, strict=True):
        cell.initial["h"].assign(row)
    same(layer(x)[0], plain(x, np.repeat(rows[:, None], B, axis=1))[0])


def test_a_learned_initial_state_is_a_state_for_torch():
    layer = LSTM(SIZE, H, 2, bidirectional=True, proj_size=2, learn_initial_state=True, rng=0)
    for cell in layer.cells:
        for letter in "hc":
            cell.initial[letter].assign(rng.standard_normal(cell.initial[letter].shape))
    state = {k: v for k, v in layer.state_dict().items() if not k.startswith("initial.")}
    plain = LSTM(SIZE, H, 2, bidirectional=True, proj_size=2)
    plain.load_state_dict(state)
    x = inputs()
    same(plain(x, layer.initial_state(B))[0], layer(x)[0])
    same(plain(x[:, 0], layer.initial_state())[0], layer(x[:, 0])[0])
    # the other way: what PyTorch does not have stays as it is
    again = LSTM(SIZE, H, 2, bidirectional=True, proj_size=2, learn_initial_state=True)
    again.load_state_dict(again.state_dict() | state)
    same(again(x)[0], plain(x)[0])


def test_the_summary_is_the_end_of_each_direction():
    layer = LSTM(SIZE, H, 2, bidirectional=True, rng=0)
    output, state = layer(inputs(), lengths=[2, 5, 1])
    summary = layer.top_state(state).numpy()
    assert summary.shape == (B, layer.output_size)
    same(summary[:, H:], output.numpy()[0, :, H:])
    same(summary[0, :H], output.numpy()[1, 0, :H])
    same(summary[1, :H], output.numpy()[4, 1, :H])


# --- other cells, and the other way --------------------------------------------------------------

CELLS = {
    "residual": ResidualRNNCell,
    "linear": partial(LinearRecurrentCell, nonlinearity="tanh"),
    "ctrnn": partial(CTRNNCell, tau=2.0, dt=0.5),
    "narx": partial(NARX, input_delays=2, output_delays=2),
    "lstm": LSTMCell,
}


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_makes_a_layer(name):
    layer = RNN(SIZE, H, bidirectional=True, cell=CELLS[name], rng=0)
    x, lengths = inputs(), [2, 5, 1]
    output, end = layer(x, lengths=lengths)
    for cell, own in zip(layer.cells, (slice(0, H), slice(H, None)), strict=True):
        run = unroll(cell, x, reverse=own.start == H, lengths=lengths)
        same(output.numpy()[:, :, own], run.stacked())
    same(layer.top_state(end)[:, :H], output.numpy()[[1, 4, 0], [0, 1, 2], :H])
    whole, end = layer(x)
    again, _ = layer(x, end)
    assert np.abs(again.numpy() - whole.numpy()).max() > 1e-6
    assert {node.scope for node in Graph(whole).find(op="linear")} == {
        f"{layer.cells[0].scope.split('/')[0]}/l0{s}" for s in ("", "_reverse")
    }


def test_a_cell_gets_what_is_said_to_its_layer():
    layer = RNN(SIZE, H, 2, "relu", bias=False, cell=ResidualRNNCell)
    assert (layer.nonlinearity, layer.bias) == ("relu", False)
    assert list(layer.state_dict())[:2] == ["weight_ih_l0", "weight_hh_l0"]
    assert all(cell.nonlinearity == "relu" and cell.bias_ih is None for cell in layer.cells)
    layer = RNN(SIZE, H, cell=LinearRecurrentCell)
    assert layer.nonlinearity == "identity" and layer.cells[0].bias is not None
    assert RNN(SIZE, H).nonlinearity == "tanh"


@every_layer
def test_a_reversed_layer_is_the_second_half_of_a_pair(name):
    layer, both = LAYERS[name](reverse=True), LAYERS[name](bidirectional=True)
    both.load_state_dict(
        {k + s: v for k, v in layer.state_dict().items() for s in ("", "_reverse")}
    )
    x, state, lengths = inputs(), states_for(layer), [2, 5, 1]
    twice = tuple(np.concatenate([s, s]) for s in state) if isinstance(state, tuple) else None
    output, end = layer(x, state, lengths)
    pair, ends = both(x, twice or np.concatenate([state, state]), lengths)
    same(output, pair.numpy()[:, :, layer.output_size :])
    for p, q in zip(parts(end), parts(ends), strict=True):
        same(p.numpy()[0], q.numpy()[1])
    same(layer.top_state(end), output.numpy()[0])
    assert layer.final_states() == ["layer 0, backward: after the first step"]
    assert "_{t+1}" in layer.equations()


def test_a_list_is_an_array_where_the_state_is_one():
    layer, x = RNN(1, 2, dtype=np.float32), [[[1]], [[2]]]
    same(layer(x, [[[1, 2]]])[0], layer(x, np.array([[[1, 2]]], np.float32))[0])
    cell = GRUCell(1, 2, rng=0)
    same(cell([1], [1, 2]), cell(np.ones(1), np.array([1.0, 2.0])))
    layer = LSTM(1, 2, rng=0)
    h, c = [[[1, 2]]], [[[3, 4]]]
    same(layer([[[1]]], (h, c))[0], layer([[[1]]], [np.array(h, float), np.array(c, float)])[0])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: RNN(4, 6, bias=False, cell=CTRNNCell),
            r"RNN: cell= makes a cell from \(input_size, hidden_size, bias=, dtype=, rng=\), as a "
            r"cell's class .* does; CTRNNCell does not: .*'bias'",
        ),
        (lambda: RNN(4, 6, cell=RNNCell(4, 6)), r"RNN: cell= .*; RNNCell\(4, 6\) does not: "),
        (lambda: RNN(4, 6, cell=lambda x, h: h), r"RNN: cell= .*; <lambda> does not: "),
        (lambda: RNN(4, 6, cell=RNN), r"RNN made RNN\(4, 6\), which is none"),
    ],
)
def test_what_makes_no_cell_is_refused(make, sentence):
    with pytest.raises(TypeError, match=sentence):
        make()


def test_a_layer_says_how_it_was_made():
    assert repr(LSTM(4, 6, peephole="diagonal", proj_size=2)) == (
        "LSTM(4, 6, peephole='diagonal', proj_size=2)"
    )
    assert repr(GRUCell(4, 6, reset_after=False)) == "GRUCell(4, 6, reset_after=False)"
    assert repr(LSTM(4, 6, 2, bidirectional=True)) == "LSTM(4, 6, num_layers=2, bidirectional=True)"
    assert (
        repr(RNN(4, 6, reverse=True, cell=CTRNNCell)) == "RNN(4, 6, reverse=True, cell=CTRNNCell)"
    )


def test_final_states_are_said():
    assert RNN(SIZE, H).final_states() == ["layer 0, forward: after the last valid step"]
    assert len(LSTM(SIZE, H, 3, bidirectional=True).final_states()) == 6


# --- the graph -----------------------------------------------------------------------------------


def test_scopes_and_steps():
    graph = Graph(LSTM(SIZE, H, rng=0)(inputs())[0])
    assert {node.scope for node in graph if node.op is not None} == {"lstm"}
    whole = Tensor(inputs(), name="X")  # its cuts are inputs, and not made by the layer
    xs = Graph(LSTM(SIZE, H, rng=0)(whole)[0]).find(name="x")
    assert [(x.scope, x.step) for x in xs] == [("", t) for t in (1, 2, 3, 4, 5)]
    layer = LSTM(SIZE, H, 2, bidirectional=True, rng=0)
    graph = Graph(layer(inputs())[0])
    assert {node.scope for node in graph.find(name="c")} == {
        "lstm/l0", "lstm/l0_reverse", "lstm/l1", "lstm/l1_reverse",
    }  # fmt: skip
    backward_h = [
        n for n in graph.find(name="h") if n.scope == "lstm/l1_reverse" and n.op is not None
    ]
    assert [node.step for node in backward_h] == [5, 4, 3, 2, 1]  # in the order of their making
    first = [n for n in graph.find(name="c") if n.scope == "lstm/l0_reverse" and n.op is None]
    assert [node.step for node in first] == [T + 1]
    assert [node.step for node in graph.find(name="x")] == [1, 2, 3, 4, 5]


def test_padding_is_held_back_inside_of_the_cell():
    layer = GRU(SIZE, H, bidirectional=True, rng=0)
    output, _ = layer(inputs(), lengths=[T] + [T - 1] * (B - 1))
    scopes = {node.scope for node in Graph(output).find(op="where")}
    assert scopes == {"gru/l0", "gru/l0_reverse"}
    boxes = draw(total(output).named("L"), view="cells").picture.boxes
    cells = [plain(box.label) for box in boxes if box.kind == "cell"]
    assert [cells.count(name) for name in ("gru^→", "gru^←")] == [T, T]


def test_rows_of_a_given_state_are_named_and_placed():
    layer = LSTM(SIZE, H, bidirectional=True, rng=0)
    h0 = Tensor(np.zeros((2, B, H)), requires_grad=True)
    graph = Graph(layer(inputs(), (h0, np.zeros((2, B, H))))[0])
    rows = [node for node in graph.find(name="h") if node.op is None or node.parents[0] is h0]
    assert [(node.scope, node.step) for node in rows] == [
        ("lstm/l0", 0),
        ("lstm/l0_reverse", T + 1),
    ]


# --- errors --------------------------------------------------------------------------------------

X = np.zeros((5, 3, 4))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: LSTM(4, 6)(np.zeros((5, 3, 7))),
            "LSTM(4, 6): expected x of shape (T, B, 4), or (T, 4) for one sequence, got "
            "(5, 3, 7); the last axis is input_size: change x, or make the layer with "
            "another input_size",
        ),
        (
            lambda: LSTM(4, 6, batch_first=True)(np.zeros((5, 3, 7))),
            "LSTM(4, 6): expected x of shape (B, T, 4), or (T, 4) for one sequence, got "
            "(5, 3, 7); the last axis is input_size: change x, or make the layer with "
            "another input_size",
        ),
        (
            lambda: RNN(4, 6)(np.zeros(4)),
            "RNN(4, 6): expected x of shape (T, B, 4), or (T, 4) for one sequence, got (4,); "
            "the last axis is input_size: change x, or make the layer with "
            "another input_size",
        ),
        (
            lambda: LSTM(4, 6)(X, np.zeros((1, 3, 6))),
            "LSTM(4, 6): its state is the pair (h, c), got one array (1, 3, 6); "
            "give the pair (h, c), or None for zeros",
        ),
        (
            lambda: LSTM(4, 6)(X, Tensor(np.zeros((2, 3, 6)))),
            "LSTM(4, 6): its state is the pair (h, c), got one array (2, 3, 6); "
            "give the pair (h, c), or None for zeros",
        ),
        (
            lambda: LSTM(4, 6)(X, [np.zeros((1, 3, 6))]),
            "LSTM(4, 6): its state is the pair (h, c), got a list of 1; "
            "give the pair (h, c), or None for zeros",
        ),
        (
            lambda: GRU(4, 6)(X, (np.zeros((1, 3, 6)), np.zeros((1, 3, 6)))),
            "GRU(4, 6): its state is h itself, got a tuple of 2; give h itself, or None for zeros",
        ),
        (
            lambda: GRU(4, 6)(X, np.zeros((3, 6))),
            "GRU(4, 6): expected h of shape (1, 3, 6), got (3, 6); its axes are "
            "(num_layers * directions, B, size); give such an array, or None for zeros",
        ),
        (
            lambda: GRU(4, 6, num_layers=2, bidirectional=True)(X, np.zeros((2, 3, 6))),
            "GRU(4, 6, num_layers=2, bidirectional=True): expected h of shape (4, 3, 6), got "
            "(2, 3, 6); its axes are (num_layers * directions, B, size); give such an array, or "
            "None for zeros",
        ),
        (
            lambda: GRU(4, 6)(np.zeros((5, 4)), np.zeros((1, 1, 6))),
            "GRU(4, 6): expected h of shape (1, 6), got (1, 1, 6); its axes are "
            "(num_layers * directions, size), because x has no batch axis; give such "
            "an array, or None for zeros",
        ),
        (
            lambda: RNN(4, 6)(X, RNN(4, 6)(np.zeros((5, 7, 4)))[1]),
            "RNN(4, 6): expected h of shape (1, 3, 6), got (1, 7, 6); the state is of a batch "
            "of 7, x of one of 3; begin a new batch with state=None",
        ),
        (
            lambda: LSTM(4, 6, proj_size=2)(X, (np.zeros((1, 3, 6)), np.zeros((1, 3, 6)))),
            "LSTM(4, 6, proj_size=2): expected h of shape (1, 3, 2), got (1, 3, 6); its axes are "
            "(num_layers * directions, B, size); give such an array, or None for zeros",
        ),
        (
            lambda: RNN(4, 6)(X, lengths=[5, 6, 1]),
            "lengths: a sequence has between 0 and T = 5 valid steps, got 1..6; pad x to the "
            "longest",
        ),
        (
            lambda: RNN(4, 6)(X, lengths=[5, -1, 1]),
            "lengths: a sequence has between 0 and T = 5 valid steps, got -1..5; pad x to the "
            "longest",
        ),
        (
            lambda: LSTM(4, 6, proj_size=6),
            "LSTM: proj_size must be smaller than hidden_size 6, because it shortens h, or 0 "
            "for no projection, got 6",
        ),
        (
            lambda: RNN(4, 6, nonlinearity="elu"),
            "RNN: unknown nonlinearity 'elu'; choose one of 'tanh', 'relu', 'sigmoid', 'identity'",
        ),
        (
            lambda: RNN(4, 6, num_layers=1.5),
            "RNN: num_layers must be an integer >= 1, got 1.5",
        ),
        (
            lambda: LSTM(3, 0),
            "LSTM: hidden_size must be an integer >= 1, got 0",
        ),
        (
            lambda: GRU(4, 6, proj_size=2),
            "GRU: proj_size is for LSTM, whose h and c may differ in length, got 2; make an "
            "LSTM, or put a Linear after the layer",
        ),
        (
            lambda: RNN(4, 6, bidirectional=True, reverse=True),
            "RNN: bidirectional=True runs both ways, reverse=True only from the last step to the "
            "first; choose one",
        ),
        (
            lambda: LSTM(4, 6, proj_size=1.5),
            "LSTM: proj_size must be an integer >= 0, got 1.5",
        ),
        (
            lambda: RNN(4, 6, 2, cell=partial(NARX, input_delays=1)),
            "RNN: the state of NARX(4, 6, input_delays=1) is of other sizes in the layer above, "
            "and the two "
            "cannot stand in one array; use num_layers=1",
        ),
        (
            lambda: RNN(4, 6)([np.zeros((3, 4)), np.zeros((2, 4))]),
            "RNN(4, 6): x is no array of numbers; if its parts differ in length, rnn.pad makes one "
            "array of them, and says their lengths",
        ),
        (
            lambda: RNN(4, 6)([Tensor(np.zeros((3, 4)))] * 2),
            "RNN(4, 6): x is a list of Tensors; make one of them, as stack(x) does",
        ),
        (
            lambda: RNN(4, 6)(None),
            "RNN(4, 6): x is None, or holds it; give an array",
        ),
        (
            lambda: LSTM(4, 6)(X, (np.zeros((1, 3, 6)), None)),
            "LSTM(4, 6): c is None, or holds it; give an array",
        ),
        (
            lambda: RNN(4, 6)(X, lengths=[[1], [2, 3], [4]]),
            "lengths: expected 3 integers, one for each sequence of the batch, got shape (3,) "
            "of object",
        ),
        (
            lambda: LSTM(4, True),
            "LSTM: hidden_size must be an integer >= 1, got True",
        ),
        (
            lambda: LSTM(4, 6, proj_size=True),
            "LSTM: proj_size must be an integer >= 0, got True",
        ),
        (
            lambda: LSTM(4, 6, 2, dropout="a"),
            "Dropout: p is a probability, between 0 and 1, got 'a'",
        ),
        (
            lambda: RNN(4, 6, nonlinearity=["tanh"]),
            "RNN: unknown nonlinearity ['tanh']; choose one of 'tanh', 'relu', 'sigmoid', "
            "'identity'",
        ),
        (
            lambda: GRU(4, 6).cells[0].initial_state(-1),
            "GRUCell(4, 6): the batch must be an integer >= 0, got -1",
        ),
        (
            lambda: RNN(4, 6, bias="False"),
            "RNN: bias is True or False, got 'False'",
        ),
        (
            lambda: GRU(4, 6, bidirectional="no"),
            "GRU: bidirectional is True or False, got 'no'",
        ),
        (
            lambda: RNN(4, 6, num_layers=0),
            "RNN: num_layers must be an integer >= 1, got 0",
        ),
    ],
)
def test_errors(call, sentence):
    with pytest.raises(ValueError) as error:
        call()
    assert str(error.value) == sentence


def test_data_types_must_agree():
    with pytest.raises(TypeError) as error:
        LSTM(4, 6, dtype=np.float32)(X)
    assert str(error.value) == (
        "LSTM(4, 6): expected x of float32, got float64; convert it with .astype('float32'), or "
        "make the module with dtype='float64'"
    )
    with pytest.raises(TypeError, match="expected h of float64, got float32"):
        GRU(4, 6)(X, np.zeros((1, 3, 6), np.float32))
    with pytest.raises(TypeError, match="got complex128; modules are of real numbers"):
        GRU(4, 6)(np.zeros((5, 3, 4), complex))
    with pytest.raises(TypeError, match=r"got int64; .*symbols are embedded with Embedding or"):
        GRU(4, 6)(np.zeros((5, 3, 4), int))


def test_lists_of_numbers_take_the_layer_s_data_type():
    with pytest.raises(TypeError, match="expected x of float64, got float32"):
        RNN(1, 2)([np.zeros((2, 1), np.float32)] * 3)
    output, _ = RNN(1, 2, dtype=np.float32)([[[1]], [[2]]])
    assert output.dtype == np.float32


assert {RNNCell, GRUCell, LSTMCell} == {type(LAYERS[n]().cells[0]) for n in ("rnn", "gru", "lstm")}


def test_no_steps_have_lengths_and_a_side_too():
    layer, nothing = GRU(2, 3, rng=0), np.zeros((0, 2, 2))
    with pytest.raises(ValueError, match=r"between 0 and T = 0 valid steps, got 0\.\.5"):
        layer(nothing, lengths=[5, 0])
    with pytest.raises(ValueError, match=r"side must be 'right' or 'left'.* got 'x'"):
        layer(nothing, lengths=[0, 0], side="x")
    assert layer(nothing, lengths=[0, 0])[0].shape == (0, 2, 3)


def test_lengths_of_small_integers():
    layer, x = GRU(2, 3, rng=0), np.random.default_rng(0).normal(size=(200, 2, 2))
    expected = layer(x, lengths=[150, 7], side="left")[0]
    for dtype in ("u1", "u2"):
        given = layer(x, lengths=np.array([150, 7], dtype), side="left")[0]
        np.testing.assert_array_equal(given.numpy(), expected.numpy())


def test_device_and_dtype_stand_where_they_stand_in_torch():
    for layer in (
        RNN(3, 4, 1, "tanh", True, True, 0.0, True, "cpu", "float32"),
        GRU(3, 4, 1, True, True, 0.0, True, "cpu", "float32"),
        LSTM(3, 4, 1, True, True, 0.0, True, 0, "cpu", "float32"),
    ):
        assert layer.dtype == np.float32 and layer.bidirectional and layer.batch_first
