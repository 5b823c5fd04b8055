"""Connectivity: the matrix against finite differences, the table, the figure and the page."""

import json
import re

import numpy as np
import pytest

from microgrrepresent import DrawingError, GradientError, ShapeError, Tensor, step, steps
from rnn import LSTMCell, RNNCell, unroll
from rnn.diagnosis import connectivity

T = 6


def run(cell=None, xs=None, batch=(2,), length=T):
    """Losses L_t = Σ h_t², and the inputs they depend on."""
    cell = cell or RNNCell(3, 4, rng=0)
    if xs is None:
        xs = np.random.default_rng(0).normal(size=(length, *batch, 3))
    xs = Tensor(xs, requires_grad=True, name="x")
    losses = []
    for t, h in enumerate(unroll(cell, xs).outputs, start=1):
        with step(t):
            losses.append((h * h).sum())
    return losses, xs


def test_every_entry_is_the_norm_of_a_derivative():
    losses, xs = run(LSTMCell(3, 4, rng=0))
    heard = connectivity(losses, xs)
    assert heard.losses == heard.inputs == tuple(range(1, T + 1))
    for t in (1, 4, 6):
        for k in (1, 3, 6):
            slope = np.zeros(xs.shape[1:])
            for place in np.ndindex(*slope.shape):
                ends = []
                for sign in (1, -1):
                    moved = xs.numpy().copy()
                    moved[(k - 1, *place)] += sign * 1e-6
                    ends.append(float(run(LSTMCell(3, 4, rng=0), moved)[0][t - 1]))
                slope[place] = (ends[0] - ends[1]) / 2e-6
            assert heard.norms[t - 1, k - 1] == pytest.approx(
                np.linalg.norm(slope), rel=1e-5, abs=1e-8
            )
    assert not np.triu(heard.norms, 1).any()


def test_inputs_may_be_given_one_by_one_and_losses_by_step():
    losses, xs = run()
    whole = connectivity(losses, xs)
    cell, vectors = RNNCell(3, 4, rng=0), []
    for _, x in steps(xs.numpy()):
        vectors.append(Tensor(x, requires_grad=True, name="x"))
    run_of_vectors = unroll(cell, vectors)
    some = {t: (run_of_vectors.outputs[t - 1] ** 2).sum() for t in (6, 2)}
    heard = connectivity(some, vectors)
    assert heard.losses == (2, 6)
    np.testing.assert_allclose(heard.norms, whole.norms[[1, 5]])


def test_the_inputs_of_a_layer_that_runs_backward_are_heard_from_the_future():
    xs = Tensor(np.random.default_rng(0).normal(size=(4, 3)), requires_grad=True)
    outputs = unroll(RNNCell(3, 4, rng=0), xs, reverse=True).outputs
    heard = connectivity({t: outputs[t - 1].sum() for t in range(1, 5)}, xs)
    assert not np.tril(heard.norms, -1).any() and heard.norms[0].all()


def test_shares_lags_and_the_table():
    w, xs, s, losses = 0.5, Tensor([1.0, 1.0, 1.0], requires_grad=True), Tensor(0.0), []
    for _, x in steps(xs):
        s = w * s + x
        losses.append(s)
    heard = connectivity(losses, xs, read=["a", "b", "c"], said=["b", "c", "d"])
    np.testing.assert_allclose(heard.shares()[1], [1 / 3, 2 / 3, 0])
    assert heard.by_lag() == {0: 1.0, 1: 0.5, 2: 0.25}
    assert str(heard).splitlines()[2] == "   2  'c'  x_2 'b' 67%, x_1 'a' 33%"
    assert repr(heard) == "<Connectivity of 3 losses and 3 inputs; print() shows them>"


def test_what_cannot_be_done_is_said():
    losses, xs = run()
    with pytest.raises(GradientError, match="none of the losses depends on the inputs"):
        connectivity(losses, Tensor(np.ones((T, 3)), requires_grad=True))
    with pytest.raises(ShapeError, match="there are 6 inputs, and 2 words"):
        connectivity(losses, xs, read="ab")
    with pytest.raises(ShapeError, match="time as their first axis, got a number"):
        connectivity(losses, Tensor(1.0))
    with pytest.raises(GradientError, match="connectivity: two losses were made at t=1"):
        connectivity([losses[0], losses[0]], xs)
    with pytest.raises(TypeError, match=r"connectivity: every input must be a Tensor.*got float"):
        connectivity(losses, [1.0])


# --- figure and page ------------------------------------------------------------------------------


def test_the_figure_has_the_matrix_its_scale_and_the_lags(tmp_path):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    losses, xs = run(batch=())
    heard = connectivity(losses, xs, read="reads.", said="eads. ")
    figure = heard.figure("A title")
    matrix, lags, bar = figure.axes
    assert figure.get_suptitle() == "A title"
    shown = matrix.images[0].get_array()
    np.testing.assert_array_equal(np.tril(shown.filled(0)), heard.norms)
    assert [label.get_text() for label in matrix.get_yticklabels()][-1] == "·"
    assert matrix.get_xlabel() == "input at step k: what is read"
    assert matrix.get_ylabel() == "loss at step t: what is predicted"
    assert "partial L_t" in bar.get_ylabel() and "lag" in lags.get_xlabel()
    assert dict(lags.lines[0].get_xydata()) == pytest.approx(heard.by_lag())
    np.testing.assert_allclose(figure.get_size_inches() * 120, (1600, 900))
    for ending, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        heard.save(tmp_path / f"heard{ending}")
        assert (tmp_path / f"heard{ending}").read_bytes().startswith(start)


def page_of(heard, tmp_path, title=None):
    heard.save(tmp_path / "heard.html", title)
    return (tmp_path / "heard.html").read_text("utf-8")


def test_the_page_has_every_number_and_asks_for_nothing(tmp_path):
    losses, xs = run()
    strange = ["</script><script>", "<img src=x>", "a", "b", "\ud800", "&"]
    heard = connectivity(losses, xs, read=strange, said=strange)
    text = page_of(heard, tmp_path, "A <title>")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    np.testing.assert_allclose(json.loads(data)["norms"], heard.norms, rtol=5e-3)
    assert "<h1>A &lt;title&gt;</h1>" in text and "<img" not in text
    assert not re.search(r'(src|href)\s*=\s*"|https?://', text)
    assert text.count("<script") == text.count("</script>") == 2


def test_a_matrix_that_is_too_large_for_a_page_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("rnn.diagnosis.connectivity_page.LARGEST", 8)
    losses, xs = run()
    with pytest.raises(DrawingError, match=r"this matrix has 6 x 6; save it as \.png"):
        connectivity(losses, xs).save(tmp_path / "heard.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.browser
def test_letters_are_colored_by_what_they_owe(open_page, tmp_path):
    losses, xs = run()
    heard = connectivity(losses, xs, read="reads<", said="eads< ")
    heard.save(tmp_path / "heard.html")
    page = open_page(tmp_path / "heard.html", 1600, 900)

    def colors(line):
        return page.evaluate(
            f"[...document.querySelectorAll('#{line} button')].map((b) => "
            "+(getComputedStyle(b).backgroundColor.match(/[0-9.]+/g)[3] ?? 1))"
        )

    page.hover("#read button:nth-child(2)")
    owed = np.array(colors("said"))
    shares = heard.shares()[:, 1]
    np.testing.assert_allclose(owed, 0.85 * np.sqrt(shares / shares.max()), atol=0.01)
    assert not any(colors("read")) and "owe most" in page.inner_text("#said-of")
    page.hover("#said button:nth-child(5)")
    assert colors("read")[5] == 0 and colors("read")[4] > 0
    assert "L5 “<” listens to" in page.inner_text("#said-of")
    page.focus("#matrix")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert "L6 “␣” and x2 “e”: norm" in page.inner_text("#said-of")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1600
