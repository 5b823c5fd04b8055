"""State gradients, Jacobians and their products, and what is certain about gamma (T2, T3, T4)."""

import numpy as np
import pytest

from microgrrepresent import (
    GradientError,
    Graph,
    ShapeError,
    Tensor,
    linear,
    maximum,
    no_grad,
    relu,
    sigmoid,
    stack,
    steps,
    tanh,
    where,
)
from rnn import RNN, LSTMCell, RNNCell, unroll
from rnn.diagnosis import gamma, state_gradients, state_jacobian

H = 5


def orthogonal(n=H, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


def run(U, T, f=lambda z: z, batch=(), seed=1):
    """h_t = f(U h_{t-1} + x_t) for random x_t and h_0."""
    rng = np.random.default_rng(seed)
    U = Tensor(U, requires_grad=True, name="U")
    states = [Tensor(rng.normal(size=(*batch, U.shape[0])), name="h")]
    for _, x in steps(rng.normal(size=(T, *batch, U.shape[0]))):
        states.append(f(linear(states[-1], U) + x).named("h"))
    return states


@pytest.mark.parametrize("size", [0.9, 1.0, 1.1])
def test_a_linear_orthogonal_recurrence_scales_gradients_by_gamma_to_the_lag(size):
    T = 100
    states = run(size * orthogonal(), T)
    gradients = state_gradients((states[-1] * np.eye(H)[0]).sum(), states).norms()
    for k in range(T + 1):
        assert gradients[k] == pytest.approx(size ** (T - k), rel=1e-12)
    for k in (0, 37, 99, 100):
        values = state_jacobian(states, T, k).singular_values
        np.testing.assert_allclose(values, size ** (T - k), rtol=1e-12)
    found = gamma(states)
    assert found.rate == pytest.approx(size, rel=1e-12)
    assert found.activation == "identity"
    assert found.spectral_radius == pytest.approx(size, rel=1e-12)
    np.testing.assert_allclose(found.U, size * orthogonal(), atol=1e-13)
    lags = np.array(list(found.growth))
    slope = np.polyfit(lags, np.log(list(found.growth.values())), 1)[0]
    assert slope == pytest.approx(np.log(size), abs=1e-12)  # the line on the log plot (T3)


@pytest.mark.parametrize(
    ("size", "must_vanish", "can_explode"), [(0.9, True, False), (1.1, False, True)]
)
def test_the_conditions_of_a_linear_recurrence_are_those_of_the_spectral_radius(
    size, must_vanish, can_explode
):
    found = gamma(run(size * orthogonal(), 3))
    assert (found.must_vanish, found.can_explode) == (must_vanish, can_explode)


@pytest.mark.parametrize(("f", "name", "steepest"), [(tanh, "tanh", 1), (sigmoid, "sigmoid", 0.25)])
def test_the_conditions_of_a_nonlinear_recurrence_are_those_of_the_singular_value(
    f, name, steepest
):
    below, above = (gamma(run(s / steepest * orthogonal(), 60, f)) for s in (0.95, 1.05))
    assert below.activation == above.activation == name
    assert (below.must_vanish, below.can_explode) == (True, False)
    assert (above.must_vanish, above.can_explode) == (False, True)
    assert max(below.norms.values()) < 0.95 + 1e-12
    assert below.growth[60] < 0.95**60
    assert gamma(run(orthogonal(), 4, relu)).activation == "relu"


def test_a_matrix_that_is_not_normal_grows_first_and_vanishes_later():
    """ρ = 0.8 < 1 < λ₁: the gradient grows by 8 before it vanishes (T4)."""
    U = np.array([[0.8, 6.0], [0.0, 0.8]])
    states = run(U, 100)
    found = gamma(states)
    assert found.spectral_radius == pytest.approx(0.8)
    assert found.largest_singular_value > 6
    assert found.must_vanish and not found.can_explode
    peak = max(found.growth, key=lambda lag: found.growth[lag])
    assert 1 <= peak <= 6 and found.growth[peak] > 8
    assert found.growth[100] < 1e-6
    for lag in (1, peak, 40, 100):
        exact = np.linalg.norm(np.linalg.matrix_power(U, lag), 2)
        assert found.growth[lag] == pytest.approx(exact, rel=1e-12)
    assert "on the way it grows to" in str(found)
    # the same matrix inside a tanh: its singular value allows an explosion, its eigenvalue is mute
    assert gamma(run(U, 5, tanh)).can_explode


@pytest.mark.parametrize("batch", [(), (3,)])
def test_the_jacobian_is_the_product_of_its_steps(batch):
    """δ_{t,k}: the product of diag(f'(z)) U from k+1 to t."""
    U = np.random.default_rng(2).normal(size=(H, H)) * 0.5
    states = run(U, 12, tanh, batch)
    J = state_jacobian(states, 12, 4)
    assert J.matrix.shape == (*batch, H, H)
    np.testing.assert_allclose(J.product, J.matrix, rtol=0, atol=1e-12 * np.abs(J.matrix).max())
    expected = np.broadcast_to(np.eye(H), J.matrix.shape)
    for h in states[5:13]:
        slope = 1 - h.numpy()[..., None] ** 2
        expected = (slope * U) @ expected
    np.testing.assert_allclose(J.matrix, expected, rtol=1e-11, atol=1e-14)
    assert len(J.factors) == 8
    np.testing.assert_allclose(J.factors[-1], (1 - states[5].numpy()[..., None] ** 2) * U)
    for lag, growth in gamma(states).growth.items():
        assert growth == pytest.approx(state_jacobian(states, 12, 12 - lag).norm, rel=1e-11)


@pytest.mark.parametrize("composition", ["fused", "per_gate"])
def test_of_an_lstm_the_product_holds_for_h_and_c_together(composition):
    rng = np.random.default_rng(3)
    cell = LSTMCell(2, 4, composition=composition, rng=rng)
    unrolled = unroll(cell, rng.normal(size=(9, 3, 2)))
    J = state_jacobian(unrolled, 9, 2)
    assert J.sizes == {"h": 4, "c": 4} and J.matrix.shape == (3, 8, 8)
    np.testing.assert_allclose(J.product, J.matrix, rtol=0, atol=1e-13 * np.abs(J.matrix).max())
    one = state_jacobian(unrolled, 5, 4)
    gates = _gates(unrolled, 5)
    # c_5 = f c_4 + ..., with h_4 held fixed: the direct path is the forget gate and nothing else
    np.testing.assert_allclose(one["c", "c"], _diagonal(gates["f"]), rtol=0, atol=1e-15)
    slope = gates["o"] * (1 - np.tanh(unrolled.states[5].c.numpy()) ** 2)
    np.testing.assert_allclose(one["h", "c"], _diagonal(slope * gates["f"]), rtol=0, atol=1e-15)
    np.testing.assert_allclose(
        one["h", "h"], slope[..., None] * one["c", "h"] + _output(cell, gates, unrolled), atol=1e-14
    )


def _gates(unrolled, t):
    graph = Graph(list(unrolled.states[t]))
    return {name: graph.find(name=name, step=t)[0].numpy() for name in "ifgo"}


def _diagonal(v):
    return v[..., None] * np.eye(v.shape[-1])


def _output(cell, gates, unrolled):
    """The path h_4 -> o_5 -> h_5: diag(tanh c) diag(o (1-o)) U_o."""
    U_o = cell.weight_hh.numpy()[12:]
    o, c = gates["o"], unrolled.states[5].c.numpy()
    return (np.tanh(c) * o * (1 - o))[..., None] * U_o


def test_state_gradients_of_an_lstm_are_those_of_pytorch():
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    rng = np.random.default_rng(4)
    cell, xs = LSTMCell(2, 4, rng=rng), rng.normal(size=(6, 3, 2))
    weights = rng.normal(size=(6, 3, 4))
    unrolled = unroll(cell, xs)
    found = state_gradients((stack(unrolled.outputs) * weights).sum(), unrolled)

    theirs = torch.nn.LSTMCell(2, 4, dtype=torch.float64)
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in cell.state_dict().items()})
    state = tuple(torch.zeros(3, 4, dtype=torch.float64, requires_grad=True) for _ in "hc")
    states, loss = [state], 0
    for x, w in zip(xs, weights, strict=True):
        state = theirs(torch.from_numpy(x), state)
        states.append(state)
        loss = loss + (state[0] * torch.from_numpy(w)).sum()
    parts = [part for state in states for part in state]
    gradients = torch.autograd.grad(loss, parts)
    for t in range(7):
        for name, expected in zip("hc", gradients[2 * t : 2 * t + 2], strict=True):
            np.testing.assert_allclose(found[name][t], expected.numpy(), rtol=1e-10, atol=1e-13)
    assert found.norms("c")[0] == pytest.approx(np.linalg.norm(gradients[1].numpy()))
    assert str(found).splitlines()[0].split() == ["t", "|dL/dh_t|", "|dL/dc_t|"]


def test_the_jacobian_of_a_state_to_itself_is_the_identity():
    cell = LSTMCell(2, 3, rng=0)
    J = state_jacobian(unroll(cell, np.ones((4, 2))), 3, 3)
    np.testing.assert_array_equal(J.matrix, np.eye(6))
    assert J.factors == [] and J.norm == 1


def test_a_truncated_run_passes_no_gradient_over_its_cuts():
    cell, xs = LSTMCell(2, 3, rng=0), np.ones((6, 2))
    cut = unroll(cell, xs, truncate=3)
    assert not state_jacobian(cut, 4, 3).matrix.any()
    _, _, *rows = str(state_jacobian(cut, 6, 2)).splitlines()
    assert ["cut" in row for row in rows] == [False, False, True, False, False]
    assert state_jacobian(cut, 6, 4).matrix.any()
    gradients = state_gradients(cut.state.h.sum(), cut).norms()
    assert [t for t, norm in gradients.items() if norm == 0] == [0, 1, 2, 3]


def test_a_run_backward_in_time_has_its_states_in_that_order():
    run = unroll(LSTMCell(2, 3, rng=0), np.ones((4, 2)), reverse=True)
    assert list(state_gradients(run.state.h.sum(), run).norms()) == [5, 4, 3, 2, 1]
    assert state_jacobian(run, 1, 3).matrix.any()
    with pytest.raises(GradientError, match="the state at t=3 came before that at t=1"):
        state_jacobian(run, 3, 1)


def test_states_that_do_not_exist_or_have_another_form_are_said():
    states = run(np.eye(2), 3)
    with pytest.raises(GradientError, match="no state at t=7; states go from t=0 to t=3"):
        state_jacobian(states, 7, 0)
    with pytest.raises(ShapeError, match=r"shape \(H,\) or \(B, H\); h has \(1, 2, 3\)"):
        state_jacobian([Tensor(np.ones((1, 2, 3)), name="h")] * 2, 1, 0)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_jacobian_prints_what_every_step_lets_through(reverse):
    xs = np.random.default_rng(0).normal(size=(4, 2, 3))
    run = unroll(LSTMCell(3, 5, rng=0), xs, reverse=reverse)
    J = state_jacobian(run, *((1, 4) if reverse else (4, 1)))
    head, _, *rows = str(J).splitlines()
    assert head.endswith(": 10 × 10, for each of 2 sequences") and "(h, c)_4" in head
    assert len(rows) == 4 and rows[-1].split()[:3] == (
        ["1", "->", "4"] if reverse else ["4", "->", "1"]
    )
    for row, matrix in zip(rows, [*J.factors, J.matrix], strict=True):
        largest = np.linalg.svd(matrix, compute_uv=False).max()
        assert float(row.split()[-1]) == pytest.approx(largest, rel=1e-3)


def plain(T=12, **options):
    cell = RNNCell(3, 4, rng=0)
    return unroll(cell, np.ones((T, 3)), **options)


def test_what_was_not_recorded_is_an_error_and_no_zero():
    with no_grad():
        silent = plain()
    with pytest.raises(GradientError, match="state at t=2 was not computed from that at t=1"):
        state_jacobian(silent, 4, 1)
    with pytest.raises(
        GradientError, match="was not computed from that at t=0, as far as the graph"
    ):
        gamma(silent)
    loss = plain().state.sum()
    for others in (silent, plain()):
        with pytest.raises(GradientError, match="does not depend on any of these states"):
            state_gradients(loss, others)


@pytest.mark.parametrize("reverse", [False, True])
def test_states_that_know_their_step_stand_at_it(reverse):
    run = plain(reverse=reverse)
    whole = state_gradients(run.state.sum(), run).norms()
    made = list(run.states.values())
    for states in (made, [made[0].detach(), *made[1:]], made[1:]):
        found = state_gradients(run.state.sum(), states).norms()
        assert list(found) == list(run.states)[len(run.states) - len(states) :]
        assert all(found[t] == whole[t] for t in list(found)[1:])
    first, last = list(run.states)[1], list(run.states)[-1]
    J = state_jacobian(made[1:], last, first)
    np.testing.assert_array_equal(J.matrix, state_jacobian(run, last, first).matrix)
    assert list(gamma(made[1:]).norms) == list(run.states)[2:]


def test_states_may_have_any_name_and_the_first_none():
    h, states = Tensor(np.ones(2)), []
    states.append(h)
    for _ in steps(range(3)):
        states.append((h := 0.5 * h).named("s"))
    found = state_gradients(h.sum(), states)
    assert list(found.parts) == ["s"] and found.norms()[0] == pytest.approx(np.sqrt(2) / 8)


def test_what_is_no_sequence_of_states_is_said():
    run, layer = plain(), RNN(3, 4, rng=0)
    with pytest.raises(ShapeError, match="A layer's result is no sequence of states"):
        gamma(layer(np.ones((5, 2, 3))))
    with pytest.raises(GradientError, match=r"a step of its own.*t=1, t=2, t=2: give {t: state}"):
        gamma([run.states[1], run.states[2], run.states[2]])
    with pytest.raises(GradientError, match="made at t=1, t=2, no step"):
        gamma([run.states[1], run.states[2], run.states[2] * 1])
    for wrong, given in ((None, "NoneType"), (run.state, "Tensor")):
        with pytest.raises(TypeError, match=rf"states of a recurrence are wanted.* a {given}"):
            gamma(wrong)
    with pytest.raises(TypeError, match=r"a state is a Tensor .* a float64"):
        gamma([np.ones(2), np.ones(2)])
    with pytest.raises(GradientError, match="at least two states"):
        gamma([run.state])
    with pytest.raises(KeyError, match="no part 'c'; its parts are h"):
        state_jacobian(run, 3, 1)["c", "h"]


@pytest.mark.parametrize("size", [0.1, 10.0])
def test_norms_do_not_vanish_or_overflow_before_the_gradient_does(size):
    gradients = state_gradients(*linear_run(size))
    for t, norm in gradients.norms().items():
        assert norm == pytest.approx(np.abs(gradients["h"][t]).max() * np.sqrt(2), rel=1e-12)
        assert 0 < norm < np.inf


def linear_run(size):
    h = Tensor(np.ones(2), name="h")
    states = [h]
    for _ in steps(range(200)):
        states.append(h := (size * h).named("h"))
    return h.sum(), states


@pytest.mark.parametrize("seed", range(6))
def test_at_the_border_rounding_decides_nothing(seed):
    for U in (orthogonal(seed=seed), np.eye(H)):
        found = gamma(run(U, 4))
        assert (found.must_vanish, found.can_explode) == (False, False)
        assert "on the border, up to rounding" in str(found)
    beside = gamma(run((1 + 1e-6) * orthogonal(seed=seed), 4))
    assert beside.can_explode


def test_whether_a_recurrence_is_linear_is_seen_in_its_operations():
    """All units are active: the Jacobian is U at every step, as if f were not there."""
    U, x = Tensor(0.3 * np.eye(3) + 0.4, name="U"), np.ones(3)

    def states(f):
        made = [Tensor(np.ones(3), name="h")]
        for _ in steps(range(5)):
            made.append(f(U @ made[-1] + x).named("h"))
        return gamma(made)

    named, larger = states(relu), states(lambda z: maximum(z, 0.0))
    assert (named.activation, larger.activation) == ("relu", "maximum")
    assert larger.can_explode == named.can_explode
    leaky = states(lambda z: maximum(z, 0.1 * z))
    assert leaky.activation is None and leaky.must_vanish is None
    assert states(lambda z: 2 * z / 2).activation == "identity"
    assert states(lambda z: where(z > 0, z, 0.0)).activation is None
