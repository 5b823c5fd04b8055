"""Gradient flow: the curves, the direct path (C33), the table, the figure, and the notes' facts."""

import builtins

import numpy as np
import pytest

from microgrrepresent import GradientError, Tensor
from rnn import GRUCell, LinearRecurrentCell, LSTMCell, ResidualRNNCell, RNNCell, unroll
from rnn.diagnose import gradient_flow, state_gradients, state_jacobian

T = 12


def inputs(length=T, batch=3, size=2, seed=0):
    return np.random.default_rng(seed).normal(size=(length, batch, size))


def sigma(b):
    return 1 / (1 + np.exp(-b))


def test_the_curves_are_the_norms_of_the_state_gradients():
    cell, xs = LSTMCell(2, 4, rng=0), inputs()
    trace = gradient_flow(cell, xs)["LSTMCell"]
    run = unroll(cell, xs)
    expected = state_gradients(run.outputs[-1].sum() / np.sqrt(12), run)
    assert trace.gradients == {name: pytest.approx(expected.norms(name)) for name in "hc"}
    assert trace.gradients["h"][T] == pytest.approx(1)
    assert trace.rate == pytest.approx(trace.gradients["h"][0] ** (1 / T))


def test_the_direct_path_of_an_lstm_is_the_product_of_its_forget_gates():
    cell, xs = LSTMCell(2, 4, rng=0), inputs()
    trace = gradient_flow({"lstm": cell}, xs, loss=lambda ys: (ys * ys).sum())["lstm"]
    assert list(trace.gates) == ["i", "f", "o"] and trace.gates["f"].shape == (4, T)
    single = gradient_flow({"lstm": cell}, xs[:, :1])["lstm"]
    products = np.cumprod(single.gates["f"][:, ::-1], axis=1)[:, ::-1]  # Π_{τ>=t} f_τ
    for t in range(T):
        assert single.direct["c"][t] == pytest.approx(np.sqrt(np.mean(products[:, t] ** 2)))
    assert single.direct["c"][T] == 1


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (LSTMCell(2, 4, forget_gate=False, rng=0), 1),
        (LinearRecurrentCell(2, 4, rng=0), 1),
        (ResidualRNNCell(2, 4, rng=0), 1),
        (RNNCell(2, 4, rng=0), 0),
    ],
    ids=["lstm of 1997", "linear", "residual", "plain"],
)
def test_the_direct_path_of_other_cells(cell, expected):
    (path,) = gradient_flow({"": cell}, inputs())[""].direct.values()
    assert set(path.values()) == ({1} if expected else {0, 1})
    assert path[0] == expected


@pytest.mark.parametrize("update_gate", ["keep", "write"])
def test_the_direct_path_of_a_gru_is_what_its_update_gate_keeps(update_gate):
    cell = GRUCell(2, 4, update_gate=update_gate, rng=0)
    trace = gradient_flow({"": cell}, inputs(batch=1))[""]
    z = trace.gates["z"] if update_gate == "keep" else 1 - trace.gates["z"]
    assert trace.direct["h"][0] == pytest.approx(np.sqrt(np.mean(np.prod(z, axis=1) ** 2)))


def test_a_linear_recurrence_carries_the_identity():
    """dh_T/dh_0 = I, exactly, at any T (C14)."""
    run = unroll(LinearRecurrentCell(2, 5, nonlinearity="tanh", rng=0), inputs(100))
    J = state_jacobian(run, 100, 0)
    np.testing.assert_array_equal(J.matrix, np.broadcast_to(np.eye(5), (3, 5, 5)))
    np.testing.assert_array_equal(J.product, J.matrix)


@pytest.mark.parametrize("seed", range(3))
def test_the_forget_bias_keeps_the_gradient_by_the_factor_that_it_predicts(seed):
    """At T = 100, forget bias 5 against 1: (σ(5)/σ(1))^99 = 1.5e13, within a factor of 10.

    The prediction is about the gates' biases, so the weights are small: with larger ones, other
    paths than the direct one add to the smaller of the two gradients.
    """
    xs = inputs(100, 4, 4, seed)
    cells = {
        "RNN": RNNCell(4, 16, rng=seed),
        "1": LSTMCell(4, 16, rng=seed, forget_bias=1.0),
        "5": LSTMCell(4, 16, rng=seed, forget_bias=5.0),
    }
    for cell in cells.values():
        cell.weight_ih.assign(0.1 * cell.weight_ih.numpy())
        cell.weight_hh.assign(0.1 * cell.weight_hh.numpy())
    flow = gradient_flow(cells, xs)
    first = {label: flow[label].gradients["h"][1] for label in cells}
    assert first["5"] > first["1"] > first["RNN"]
    predicted = (sigma(5) / sigma(1)) ** 99
    assert predicted == pytest.approx(1.5e13, rel=0.1)
    assert predicted / 10 < first["5"] / first["1"] < predicted * 10
    for label, b in (("1", 1), ("5", 5)):
        assert 0.1 < flow[label].direct["c"][1] / sigma(b) ** 99 < 10


def test_with_pytorchs_initialisation_the_order_is_the_same():
    cells = {"RNN": RNNCell(4, 16, rng=0)} | {
        b: LSTMCell(4, 16, rng=0, forget_bias=float(b)) for b in "15"
    }
    flow = gradient_flow(cells, inputs(100, 4, 4))
    first = {label: flow[label].gradients["h"][1] for label in cells}
    assert first["5"] > 1e6 * first["1"] and first["1"] > 1e3 * first["RNN"]


def test_the_table_has_the_numbers():
    flow = gradient_flow({"A": RNNCell(2, 4, rng=0), "B": LSTMCell(2, 4, rng=0)}, inputs())
    head, *rows = str(flow).splitlines()
    assert head.split() == ["t", "A", "B", "h", "B", "c"]
    for row in rows[:-1]:
        t, *values = row.split()
        assert float(values[0]) == pytest.approx(flow["A"].gradients["h"][int(t)], rel=1e-3)
        assert float(values[2]) == pytest.approx(flow["B"].gradients["c"][int(t)], rel=1e-3)
    assert rows[0].split()[0] == "0" and rows[-2].split()[0] == str(T)
    assert float(rows[-1].split()[2]) == pytest.approx(flow["A"].rate, rel=1e-4)
    assert str(flow) in flow._repr_markdown_()


def test_a_model_may_be_anything_that_records_its_states():
    cell, xs = RNNCell(2, 4, rng=0), inputs()

    def layer(batch):
        run = unroll(cell, batch)
        return run.stacked(), run.state

    def loss(batch):
        return unroll(cell, batch).outputs[-1].sum() / np.sqrt(12)

    flow = gradient_flow({"cell": cell, "layer": layer, "loss": loss}, xs)
    assert flow["layer"].gradients == flow["loss"].gradients == flow["cell"].gradients
    with pytest.raises(GradientError, match=r"silent records no states; name them with h.named"):
        gradient_flow({"silent": lambda batch: Tensor(batch, requires_grad=True).sum()}, xs)


def test_two_layers_have_a_curve_each():
    lower, upper = LSTMCell(2, 3, rng=0), LSTMCell(3, 3, rng=1)
    upper.scope = "upper"

    def stacked(batch):
        return unroll(upper, unroll(lower, batch).outputs).stacked()

    trace = gradient_flow({"two": stacked}, inputs())["two"]
    assert sorted(trace.gradients) == ["lstm/c", "lstm/h", "upper/c", "upper/h"]
    assert sorted(trace.direct) == ["lstm/c", "upper/c"]


def test_the_figure_shows_every_curve_and_every_gate(tmp_path):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    flow = gradient_flow({"SRN": RNNCell(2, 4, rng=0), "LSTM": LSTMCell(2, 4, rng=0)}, inputs())
    figure = flow.figure("A title")
    curves, gates = figure.axes[0], figure.axes[1]
    assert curves.get_yscale() == "log" and curves.get_title() == "A title"
    labels = {line.get_label(): line for line in curves.lines}
    name = r"LSTM: $|\partial L/\partial c_t|$"
    assert dict(labels[name].get_xydata()) == pytest.approx(flow["LSTM"].gradients["c"])
    assert [label.get_text() for label in gates.get_yticklabels()] == ["$i_t$", "$f_t$", "$o_t$"]
    shown = gates.images[0].get_array()
    np.testing.assert_array_equal(shown[:4], flow["LSTM"].gates["i"])
    np.testing.assert_array_equal(shown[10:], flow["LSTM"].gates["o"])

    for ending, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        flow.save(tmp_path / f"flow{ending}")
        assert (tmp_path / f"flow{ending}").read_bytes().startswith(start)
    once = (tmp_path / "flow.svg").read_bytes()
    flow.save(tmp_path / "flow.svg")
    assert (tmp_path / "flow.svg").read_bytes() == once
    assert sorted(p.name for p in tmp_path.iterdir()) == ["flow.pdf", "flow.png", "flow.svg"]


def test_without_matplotlib_one_sentence_says_how_to_get_it(monkeypatch, tmp_path):
    flow = gradient_flow({"SRN": RNNCell(2, 4, rng=0)}, inputs())
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'microgrrepresent\[plot\]'"):
        flow.save(tmp_path / "flow.svg")
    assert "SRN" in str(flow)
