"""Gradient flow: the curves, the direct path (C33), the table, the figure, and the notes' facts."""

import builtins
import sys

import numpy as np
import pytest

from microgrrepresent import GradientError, Graph, Tensor, linear, steps, tanh, where
from rnn import GRU, GRUCell, LinearRecurrentCell, LSTMCell, ResidualRNNCell, RNNCell, unroll
from rnn.diagnosis import gradient_flow, state_gradients, state_jacobian
from rnn.diagnosis.flow import elementwise_derivative

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


def forget_biases(seed, recurrent):
    """Networks as PyTorch initializes them, but for the recurrent weights, which are scaled."""
    cells = {"RNN": RNNCell(4, 16, rng=seed)} | {
        b: LSTMCell(4, 16, rng=seed, forget_bias=float(b)) for b in (1, 5)
    }
    for cell in cells.values():
        cell.weight_hh.assign(recurrent * cell.weight_hh.numpy())
    return cells, inputs(100, 4, 4, seed)


def along_the_carousel(cell, xs):
    """dL/dh_1 by hand, on the one path Uᵀ -> a_2 -> c_2 -> ... -> c_T, and the gates on it."""
    run = unroll(cell, xs)
    graph, T = Graph(run.state.h), len(xs)
    i, f, g, o, c = ({node.step: node.value for node in graph.find(name=name)} for name in "ifgoc")
    passed = np.prod([f[t] for t in range(3, T + 1)], axis=0)
    dc = passed * o[T] * (1 - np.tanh(c[T]) ** 2) / np.sqrt(c[T].size)
    di, df = dc * g[2] * i[2] * (1 - i[2]), dc * c[1] * f[2] * (1 - f[2])
    dg, do = dc * i[2] * (1 - g[2] ** 2), np.zeros_like(dc)
    return np.concatenate([di, df, dg, do], axis=-1) @ cell.weight_hh.numpy(), passed


@pytest.mark.parametrize("seed", range(4))
def test_by_the_carousel_alone_the_forget_bias_acts_as_it_predicts(seed):
    """T = 100, forget bias 5 against 1: |dL/dh_1| grows by (σ(5)/σ(1))^98 within a factor of 10.

    h_1 enters c_2, and 98 forget gates stand between c_2 and c_100. With weak recurrent weights
    U this is the only path that counts, so dL/dh_1 is known in closed form up to O(|U|); a product
    of the gates actually taken stands where σ(b)^98 stands in the prediction.
    """
    cells, xs = forget_biases(seed, recurrent=1e-6)
    flow = gradient_flow(cells, xs)
    first = {label: flow[label].gradients["h"][1] for label in cells}
    taken = {}
    for b in (1, 5):
        expected, passed = along_the_carousel(cells[b], xs)
        assert first[b] == pytest.approx(np.linalg.norm(expected), rel=1e-4)
        taken[b] = np.sqrt(np.mean(passed**2))
        assert 0.5 < taken[b] / sigma(b) ** 98 < 1.1  # the inputs move the gates a little
    predicted = (sigma(5) / sigma(1)) ** 98
    assert predicted == pytest.approx(1.1e13, rel=0.1)
    assert predicted / 10 < first[5] / first[1] < predicted * 10
    assert first[5] / first[1] == pytest.approx(taken[5] / taken[1], rel=0.9)
    assert first[1] > 1e30 * first["RNN"]


@pytest.mark.parametrize("seed", range(4))
def test_with_full_recurrent_weights_other_paths_add_to_the_smaller_gradient(seed):
    """As PyTorch initializes them, the order is the same, and the factor is a smaller one.

    The direct path is still what the bias predicts; with bias 1 it is so weak that the paths
    through the gates, h_t -> a_{t+1} -> c_{t+1}, carry ten thousand times as much.
    """
    cells, xs = forget_biases(seed, recurrent=1.0)
    flow = gradient_flow(cells, xs)
    first = {label: flow[label].gradients["h"][1] for label in cells}
    assert first[5] > 1e6 * first[1] and first[1] > 1e3 * first["RNN"]
    assert first[5] / first[1] < 1e-3 * (sigma(5) / sigma(1)) ** 98
    assert flow[5].direct["c"][1] == pytest.approx(sigma(5) ** 99, rel=0.1)
    assert 1 < flow[1].direct["c"][1] / sigma(1) ** 99 < 30
    carousel = {b: np.linalg.norm(along_the_carousel(cells[b], xs)[0]) for b in (1, 5)}
    assert first[1] > 1e4 * carousel[1] and first[5] < 1e3 * carousel[5]


def test_the_rate_goes_the_way_of_the_gradient():
    cell, xs = RNNCell(2, 4, rng=0), inputs(30)
    there = gradient_flow({"": cell}, xs)[""]
    back = gradient_flow(
        {"": lambda batch: unroll(cell, batch, reverse=True).outputs[0].sum()}, xs[::-1]
    )[""]
    assert back.gradients["h"][1] > back.gradients["h"][31]  # it flows from t = 1 to T
    assert back.rate == pytest.approx(there.rate)
    gated = LSTMCell(2, 4, rng=0)
    run = gradient_flow(
        {"": lambda batch: unroll(gated, batch, reverse=True).outputs[0].sum()}, xs
    )[""]
    states = unroll(gated, xs, reverse=True)
    last = Graph(states.state.h).find(name="f", step=1)[0]
    np.testing.assert_allclose(run.gates["f"][:, 0], last.value.mean(axis=0))


def test_the_rate_is_of_the_steps_that_a_gradient_reaches():
    cell, xs = RNNCell(2, 4, rng=0), inputs(12)
    whole = gradient_flow({"": cell}, xs)[""].gradients["h"]
    cut = gradient_flow({"": lambda b: unroll(cell, b, truncate=5).outputs[-1].sum()}, xs)[""]
    reached = [t for t, norm in cut.gradients["h"].items() if norm]
    assert reached == [11, 12]
    assert cut.rate == pytest.approx(whole[11] / whole[12])
    early = gradient_flow({"": lambda b: unroll(cell, b).outputs[5].sum()}, xs)[""]
    shorter = gradient_flow({"": cell}, xs[:6])[""]
    assert early.rate == pytest.approx(shorter.rate)
    own = gradient_flow({"": lambda b: unroll(cell, b, truncate=1).outputs[-1].sum()}, xs)[""]
    assert own.rate == 0


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
    assert str(flow) == flow._repr_mimebundle_()["text/plain"]


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
    monkeypatch.delitem(sys.modules, "rnn.figures", raising=False)
    monkeypatch.delitem(sys.modules, "rnn.diagnosis.flow_figure", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'microgrrepresent\[plot\]'"):
        flow.save(tmp_path / "flow.svg")
    assert "SRN" in str(flow)


def test_the_colors_span_what_the_gates_take():
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    flow = gradient_flow({"LSTM": LSTMCell(2, 4, rng=0)}, inputs())
    low, high = flow.figure().axes[1].images[0].get_clim()
    values = np.concatenate([gate.ravel() for gate in flow["LSTM"].gates.values()])
    assert np.mean((low <= values) & (values <= high)) > 0.95
    assert np.quantile(values, 0.02) < low + 0.06 and np.quantile(values, 0.98) > high - 0.06


def test_all_networks_are_on_one_slide_and_their_names_stand_below():
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    cells = {f"{i}": LSTMCell(2, 4, rng=i) for i in range(6)} | {"n": RNNCell(2, 4, rng=0)}
    figure = gradient_flow(cells, inputs()).figure()
    np.testing.assert_allclose(figure.get_size_inches() * 120, (1600, 900))
    figure.draw_without_rendering()
    curves, *gates, bar = figure.axes
    assert curves.get_position().width > 0.45 and len(gates) == 6
    legend = curves.get_legend()
    within = figure.transFigure.inverted().transform_bbox
    names = within(legend.get_window_extent())
    assert names.x0 >= 0 and names.x1 < gates[0].get_position().x0
    assert names.y0 >= 0 and names.y1 <= curves.get_position().y0
    assert [text.get_text() for text in legend.get_texts()] == [
        *cells, r"$|\partial L/\partial c_t|$", r"$|\partial L/\partial h_t|$", "direct path"
    ]  # fmt: skip
    frames = [within(axes.get_tightbbox()) for axes in (*gates, bar)]
    for i, one in enumerate(frames):
        assert one.x1 <= 1.001 and one.y0 >= 0
        for other in frames[i + 1 :]:
            apart = one.x1 <= other.x0 or other.x1 <= one.x0
            assert apart or one.y1 <= other.y0 or other.y1 <= one.y0


def test_letters_on_the_slide_have_at_least_18_pixels():
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    from matplotlib.text import Text

    cells = {"LSTM": LSTMCell(2, 4, rng=0), "GRU": GRUCell(2, 4, rng=0)}
    flow = gradient_flow(cells, inputs())
    for figure in (flow.figure(), flow["LSTM"].figure()):
        figure.draw_without_rendering()
        shown = [t for t in figure.findobj(Text) if t.get_text() and t.get_visible()]
        assert not [t.get_text() for t in shown if t.get_fontsize() * 120 / 72 < 18]


def test_units_are_shown_for_every_layer_and_direction():
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    layer = GRU(2, 4, 2, bidirectional=True, rng=0)
    loss = lambda ys: (ys * ys).sum()  # noqa: E731
    trace = gradient_flow({"gru": layer}, inputs(), loss)["gru"]
    assert {name: units.shape for name, units in trace.units.items()} == {
        f"gru/l{n}{way}/h": (4, T + 1) for n in (0, 1) for way in ("", "_reverse")
    }
    for name, units in trace.units.items():
        norms = trace.gradients[name]
        assert np.sqrt((units**2).sum(axis=0)).tolist() == pytest.approx(
            [norms[t] for t in sorted(norms)]
        )
    figure = trace.figure("A title")
    maps = [axes for axes in figure.axes if axes.images and axes.get_title() + axes.get_ylabel()]
    assert [axes.get_ylabel().split("\n")[0] for axes in maps if axes.get_ylabel()] == [
        f"gru/l{n}{way}" for n in (1, 0) for way in ("_reverse", "")
    ]
    assert [axes.get_title() for axes in maps[:3]] == [
        r"$|\partial L/\partial h_t|$", "$r_t$", "$z_t$"
    ]  # fmt: skip
    reverse = maps[0].images[0]
    assert reverse.get_extent()[:2] == [0.5, T + 1.5]  # from step 1 to what came before step T
    np.testing.assert_allclose(reverse.get_array().filled(0), trace.units["gru/l1_reverse/h"])
    assert str(trace).split()[:2] == ["t", "gru/l0/h"]


def test_a_unit_s_gradient_is_followed_to_where_its_square_is_nothing():
    trace = gradient_flow({"": lambda batch: shrinking(batch)}, np.ones((200, 1)))[""]
    assert trace.units["h"][0, 1] == pytest.approx(1e-199, rel=1e-9)


def test_what_is_exactly_zero_is_named_and_what_has_no_forget_gate_is_not_its_product():
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    dead = RNNCell(2, 4, nonlinearity="relu", rng=0)
    dead.bias_ih.assign(np.full(4, -100.0))
    flow = gradient_flow({"dead": dead, "1997": LSTMCell(2, 4, forget_gate=False, rng=0)}, inputs())
    lines = flow.figure().axes[0].lines
    labels = [line.get_label() for line in lines]
    assert any(label.endswith(f", 0 at {T} of {T + 1} steps") for label in labels)
    assert [T] in [list(line.get_xdata()) for line in lines]  # the one point that is left
    assert "1997: direct path" in labels


def test_a_gradient_is_followed_to_where_its_square_is_nothing():
    flow = gradient_flow({"": lambda batch: shrinking(batch)}, np.ones((200, 1)))
    norms = flow[""].gradients["h"]
    assert norms[1] == pytest.approx(1e-199, rel=1e-9)
    assert flow[""].direct["h"][1] == pytest.approx(1e-199, rel=1e-9)


def shrinking(batch):
    h = Tensor(np.ones(1), requires_grad=True, name="h")
    for _ in steps(batch):
        h = (0.1 * h).named("h")
    return h.sum()


def test_what_is_no_network_is_said():
    xs = inputs()
    for wrong, given in ((None, "NoneType"), ([1], "list"), ({"a": 3}, "int"), ({}, "none")):
        with pytest.raises(TypeError, match=rf"gradient_flow: wants a cell.* got {given}"):
            gradient_flow(wrong, xs)
    with pytest.raises(TypeError, match=r"what a gives must be a Tensor.* got float"):
        gradient_flow({"a": lambda batch: 3.0}, xs)
    cell = RNNCell(2, 4, rng=0)
    with pytest.raises(GradientError, match=r"loss= gives one number.* shape \(3, 4\)"):
        gradient_flow(cell, xs, loss=lambda outputs: outputs[-1])
    with pytest.raises(KeyError, match="no network 'nope'; there are RNNCell"):
        gradient_flow(cell, xs)["nope"]
    broken = gradient_flow(cell, np.full_like(xs, np.nan))
    assert "find_nonfinite(loss) names where" in str(broken)


def test_the_direct_path_is_made_of_sums_and_elementwise_products_only():
    c = Tensor(np.array([[0.5, -0.25], [0.75, 1.0]]), name="c")
    f = Tensor(np.array([[0.5, 0.25], [2.0, 4.0]]), name="f")
    U = Tensor(np.array([[3.0, 5.0], [7.0, 11.0]]), name="U")
    around = f * c - c + linear(c, U) + tanh(f * c) + where(f.value > 1, c, 0)
    expected = f.value - 1 + (f.value > 1)  # nothing through the matrix or the activation
    np.testing.assert_array_equal(elementwise_derivative(around, c), expected)


def test_of_a_single_state_nothing_changes_and_the_rate_is_one():
    def once(xs):
        for _, x in steps(xs[:1]):
            h = tanh(Tensor(x, requires_grad=True)).named("h")
        return h.sum()

    assert gradient_flow(once, inputs())["function"].rate == 1
