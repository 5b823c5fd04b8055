"""Identities between networks: one is a special case of another, exactly (to 1e-12)."""

import numpy as np
import pytest

from microgrrepresent import Tensor, grad, jacobian, sigmoid, stop_gradient, tanh
from microgrrepresent import sum as total
from rnn import (
    GRU,
    CTRNNCell,
    GraphRecurrentCell,
    GRUCell,
    Linear,
    LinearRecurrentCell,
    LSTMCell,
    RecursiveCell,
    ResidualRNNCell,
    RNNCell,
    unroll,
)

T, B, SIZE, H = 6, 2, 3, 4
rng = np.random.default_rng(0)
XS = rng.standard_normal((T, B, SIZE))
H0 = rng.standard_normal((B, H))


def same(a, b):
    a, b = (x.numpy() if isinstance(x, Tensor) else x for x in (a, b))
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def random(cell, seed=1):
    draw = np.random.default_rng(seed)
    for p in cell.parameters():
        p.assign(0.7 * draw.standard_normal(p.shape))
    return cell


def with_gate(cell, gate, bias, weights=0.0):
    """Set the bias of a gate, and its weights to 0: the gate is then constant."""
    state = cell.state_dict()
    rows = slice(cell.gates.index(gate) * H, (cell.gates.index(gate) + 1) * H)
    state["weight_ih"][rows] = state["weight_hh"][rows] = weights
    state["bias_ih"][rows], state["bias_hh"][rows] = bias, 0
    cell.load_state_dict(state)
    return cell


def without_rows(cell, smaller, gate):
    """Copy the parameters of a cell into one that does not have this gate."""
    rows = np.arange(len(cell.gates) * H)
    keep = rows[rows // H != cell.gates.index(gate)]
    smaller.load_state_dict({name: value[keep] for name, value in cell.state_dict().items()})
    return smaller


# --- the GRU -------------------------------------------------------------------------------------


@pytest.mark.parametrize("reset_after", [True, False])
def test_the_two_update_gates_are_one_model_with_the_gate_negated(reset_after):
    keeps = random(GRUCell(SIZE, H, reset_after=reset_after))
    writes = GRUCell(SIZE, H, reset_after=reset_after, update_gate="write")
    state = keeps.state_dict()
    for value in state.values():
        value[H : 2 * H] *= -1  # the rows of z
    writes.load_state_dict(state)
    same(unroll(keeps, XS, H0).stacked(), unroll(writes, XS, H0).stacked())


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("update_gate", ["keep", "write"])
def test_reset_gate_forced_to_1_is_the_simplified_gru(reset_after, update_gate):
    arguments = {"reset_after": reset_after, "update_gate": update_gate}
    full = with_gate(random(GRUCell(SIZE, H, **arguments)), "r", 40.0)
    simple = without_rows(full, GRUCell(SIZE, H, reset_gate=False, **arguments), "r")
    same(unroll(full, XS, H0).stacked(), unroll(simple, XS, H0).stacked())


def test_limits_of_the_gru_s_gates():
    cell = random(GRUCell(SIZE, H, reset_after=False))
    x = XS[0]
    # z -> 1: the state stays
    kept = with_gate(random(GRUCell(SIZE, H, reset_after=False)), "z", 40.0)
    same(kept(x, H0), H0)
    # r -> 0 and z -> 0: the state before is forgotten
    fresh = with_gate(with_gate(cell, "z", -800.0), "r", -800.0)
    same(fresh(x, H0), fresh(x, 2 * H0 + 1))
    # r -> 1 and z -> 0: the simple recurrent network
    srn = with_gate(with_gate(cell, "z", -800.0), "r", 40.0)
    simple = RNNCell(SIZE, H)
    simple.load_state_dict({name: v[2 * H :] for name, v in srn.state_dict().items()})
    same(srn(x, H0), simple(x, H0))


def test_an_update_gate_of_1_carries_the_state_and_its_gradient():
    cell = with_gate(random(GRUCell(SIZE, H)), "z", 40.0)
    h0 = Tensor(H0[0])
    run = unroll(cell, XS[:, 0], h0)
    same(run.state, h0)
    np.testing.assert_allclose(jacobian(run.state, h0), np.eye(H), rtol=0, atol=1e-9)


# --- the LSTM ------------------------------------------------------------------------------------


def test_forget_gate_forced_to_1_is_the_lstm_of_1997():
    modern = with_gate(random(LSTMCell(SIZE, H)), "f", 40.0)
    original = without_rows(modern, LSTMCell(SIZE, H, forget_gate=False), "f")
    a, b = unroll(modern, XS), unroll(original, XS)
    same(a.stacked(), b.stacked())
    same(a.state.c, b.state.c)


def test_limits_of_the_lstm_s_gates():
    x, c = XS[0], rng.standard_normal((B, H))
    keeps = with_gate(with_gate(random(LSTMCell(SIZE, H)), "f", 40.0), "i", -800.0)
    same(keeps(x, (H0, c)).c, c)
    hidden = with_gate(random(LSTMCell(SIZE, H)), "o", -800.0)
    assert not hidden(x, (H0, c)).h.numpy().any()
    shown = with_gate(random(LSTMCell(SIZE, H)), "o", 40.0)(x, (H0, c))
    same(shown.h, np.tanh(shown.c.numpy()))


def test_the_constant_error_carousel():
    """With the gates held fixed, dc/dc' = diag(f): the direct path of the memory."""
    cell = random(LSTMCell(SIZE, H))
    x, h, c = Tensor(XS[0, 0]), Tensor(H0[0]), Tensor(rng.standard_normal(H))
    state = cell.state_dict()
    sums = (
        x.data @ state["weight_ih"].T + h.data @ state["weight_hh"].T
        + state["bias_ih"] + state["bias_hh"]
    ).reshape(4, H)  # fmt: skip
    f = 1 / (1 + np.exp(-sums[1]))
    # without peepholes the gates see h, not c, so that they stay as they are when c changes
    same(jacobian(cell(x, (h, c)).c, c), np.diag(f))
    # with peepholes they do change, and holding them leaves the direct path
    V = Tensor(rng.standard_normal(H))
    gate = sigmoid(stop_gradient(sums[1] + V * c))
    new = gate * c + sigmoid(stop_gradient(sums[0] + V * c)) * tanh(Tensor(sums[2]))
    same(jacobian(new, c), np.diag(gate.numpy()))


def test_the_gradient_along_the_carousel_is_the_product_of_the_forget_gates():
    cell = with_gate(random(LSTMCell(SIZE, H)), "f", 1.0)  # f is sigmoid(1) at every step
    state = cell.state_dict()
    state["weight_hh"][:] = 0  # no path through h
    cell.load_state_dict(state)
    c0 = Tensor(rng.standard_normal(H))
    run = unroll(cell, XS[:, 0], (np.zeros(H), c0))
    same(jacobian(run.state.c, c0), np.eye(H) * (1 / (1 + np.exp(-1.0))) ** T)


# --- other recurrences ---------------------------------------------------------------------------


def test_dt_equal_to_tau_turns_the_ctrnn_into_an_srn():
    ctrnn = random(CTRNNCell(SIZE, H, tau=0.3, dt=0.3))
    state = ctrnn.state_dict()
    srn = RNNCell(SIZE, H, nonlinearity="sigmoid")
    srn.load_state_dict(
        {
            "weight_ih": state["weight_ih"],
            "weight_hh": state["weight_hh"],
            "bias_ih": state["bias"],
            "bias_hh": np.zeros(H),
        }
    )
    rate = lambda y: 1 / (1 + np.exp(-(y + state["bias"])))  # noqa: E731
    y0 = rng.standard_normal((B, H))
    same(rate(unroll(ctrnn, XS, y0).stacked()), unroll(srn, XS, rate(y0)).stacked())


def test_a_linear_recurrence_carries_gradients_unchanged():
    cell = LinearRecurrentCell(SIZE, H, nonlinearity="tanh", rng=0)
    h0 = Tensor(H0[0])
    for steps in (1, 3, 100):
        run = unroll(cell, rng.standard_normal((steps, SIZE)), h0)
        np.testing.assert_array_equal(jacobian(run.state, h0), np.eye(H))


def test_the_jacobian_of_a_residual_recurrence_is_identity_plus_that_of_g():
    residual, plain = ResidualRNNCell(SIZE, H, rng=0), RNNCell(SIZE, H)
    plain.load_state_dict(residual.state_dict())
    x, h = Tensor(XS[0, 0]), Tensor(H0[0])
    same(jacobian(residual(x, h), h), np.eye(H) + jacobian(plain(x, h), h))


def test_a_residual_recurrence_with_untied_weights_is_a_residual_network():
    cells = [ResidualRNNCell(1, H, rng=seed) for seed in range(4)]
    h = Tensor(H0[0])
    expected = H0[0]
    for cell in cells:
        h = cell(np.zeros(1), h)
        s = cell.state_dict()
        expected = expected + np.tanh(s["weight_hh"] @ expected + s["bias_ih"] + s["bias_hh"])
    same(h, expected)


def test_gradients_at_lag_100():
    """A residual recurrence keeps what a simple one loses."""
    norms = {}
    for kind in (RNNCell, ResidualRNNCell):
        cell = kind(1, H, rng=0)
        cell.weight_hh.assign(0.2 * np.eye(H))
        h0 = Tensor(np.zeros(H))
        norms[kind] = np.linalg.norm(jacobian(unroll(cell, np.zeros((100, 1)), h0).state, h0))
    assert norms[RNNCell] < 1e-60
    assert norms[ResidualRNNCell] > 1e-3


def test_a_residual_recurrence_saturates():
    """With g > 0 the state grows with t, and the derivative of tanh at its end goes to 0."""
    cell = ResidualRNNCell(1, H, nonlinearity="sigmoid", rng=0)
    run = unroll(cell, np.zeros((50, 1)), np.zeros(H))
    norms = [np.linalg.norm(s.numpy()) for s in run.states.values()]
    assert (np.diff(norms) > 0).all()
    slope = 1 - np.tanh(run.state.numpy()) ** 2
    assert slope.max() < 1e-6


# --- trees and graphs ----------------------------------------------------------------------------


def test_a_tree_that_branches_to_the_left_is_an_srn():
    tree_cell = random(RecursiveCell(H))
    W = tree_cell.weight.data
    srn = RNNCell(H, H)
    srn.load_state_dict(
        {
            "weight_hh": W[:, :H],
            "weight_ih": W[:, H:],
            "bias_ih": tree_cell.bias,
            "bias_hh": np.zeros(H),
        }
    )
    xs = rng.standard_normal((T, B, H))
    h0 = rng.standard_normal((B, H))
    tree = h0
    for x in xs:
        tree = (tree, x)
    same(tree_cell(tree), unroll(srn, xs, h0).state)


def test_a_directed_path_is_an_rnn():
    """After T rounds the vertices of a path of T vertices hold the states of an RNN over them."""
    rnn = RNNCell(SIZE, H, rng=0)
    s = rnn.state_dict()
    cell = GraphRecurrentCell(SIZE, H, message=lambda h_v, h_u, e: h_u)  # u tells v its state
    cell.g.load_state_dict(
        {
            "weight_ih": np.hstack([s["weight_ih"], s["weight_hh"]]),  # of [x(v); m(v)]
            "weight_hh": np.zeros((H, H)),  # v itself remembers nothing
            "bias_ih": s["bias_ih"],
            "bias_hh": s["bias_hh"],
        }
    )
    xs = rng.standard_normal((T, SIZE))
    path = cell.on([(t, t + 1) for t in range(T - 1)], vertices=T)
    states = unroll(path, [xs] * T).state
    same(states, unroll(rnn, xs).stacked())


# --- directions ----------------------------------------------------------------------------------


def test_sum_form_and_concatenated_form_of_two_directions():
    """V_f h_f + V_b h_b + b = V [h_f; h_b] + b with V = [V_f, V_b]."""
    layer = GRU(SIZE, H, bidirectional=True, rng=0)
    head = Linear(2 * H, 5, rng=0)
    output, _ = layer(XS)
    V, b = head.weight.data, head.bias.data
    forward, backward = output.data[..., :H], output.data[..., H:]
    same(head(output), forward @ V[:, :H].T + backward @ V[:, H:].T + b)
    x = Tensor(XS)
    g = grad(total(layer(x)[0][0]), x)
    assert np.abs(g[-1]).max() > 0  # the first output sees the last input


def test_the_same_increment_wherever_in_time():
    """Shared weights: from the zero state a feature makes the same state at every position."""
    cell = RNNCell(SIZE, H, bias=False, rng=0)
    x = rng.standard_normal(SIZE)
    made = []
    for position in range(4):
        xs = np.zeros((5, SIZE))
        xs[position] = x
        made.append(unroll(cell, xs).states[position + 1].numpy())
    for h in made[1:]:
        same(h, made[0])


def test_memory():
    """A function with memory: the same input gives other outputs in other states."""
    cell = RNNCell(SIZE, H, rng=0)
    run = unroll(cell, np.ones((2, SIZE)))
    assert np.abs(run.outputs[0].numpy() - run.outputs[1].numpy()).max() > 1e-3


def test_a_hand_set_srn_is_a_finite_automaton():
    """Parity of a bit string: two units that count its ones modulo 2, for all strings of length 10.

    With h = (some bit is set, both are set) of (parity before, x), parity = h_1 - h_2: an
    exclusive or. Steep sigmoids make the units exact.
    """
    cell = RNNCell(1, 2, nonlinearity="sigmoid")
    steep = 100.0
    cell.load_state_dict(
        {
            "weight_ih": [[steep], [steep]],
            "weight_hh": steep * np.array([[1.0, -1.0], [1.0, -1.0]]),
            "bias_ih": steep * np.array([-0.5, -1.5]),
            "bias_hh": np.zeros(2),
        }
    )
    strings = (np.arange(2**10)[:, None] >> np.arange(10)) & 1
    run = unroll(cell, strings.T[:, :, None].astype(float), np.zeros((2**10, 2)))
    h = run.state.numpy()
    np.testing.assert_array_equal((h[:, 0] - h[:, 1]).round().astype(int), strings.sum(1) % 2)
