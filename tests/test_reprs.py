"""What Python's prompt and a notebook show of each result: short, and it says where more is."""

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, backward, draw, explain, fold, program
from rnn import LSTM, RNN, Adam, Linear, LSTMCell, fit, mse_loss, pad, unroll
from rnn.diagnosis import (
    gamma,
    gradient_by_lag,
    gradient_flow,
    state_gradients,
    state_jacobian,
)

MOST = 400  # characters


def results():
    """A result of each kind, by what makes it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 8, 5))
    lstm = LSTM(5, 6, num_layers=2, bidirectional=True, rng=0)
    loss = (lstm(x)[0] ** 2).sum().named("L")
    rows = RNN(5, 6, rng=0)
    cell = LSTMCell(5, 6, rng=0)
    run = unroll(cell, x)
    end = (run.state[0] ** 2).sum().named("L")
    losses = [(h**2).sum() for h in run.outputs]
    model = Linear(1, 1, rng=rng)
    history = fit(
        model,
        [np.ones((1, 1))] * 7,
        lambda batch: mse_loss(model(batch), batch),
        Adam(model.parameters()),
        rng,
        epochs=300,
        report=None,
    )
    W = lstm.weight_hh_l0
    yield "Tensor", Tensor(rng.normal(size=(100, 100)), requires_grad=True, name="W")
    yield "Tensor", Tensor(rng.normal(size=(2, 3, 4, 5, 6, 7)))
    yield "Tensor", loss
    yield "layer", lstm
    yield "Graph", Graph(loss)
    yield "backward", backward(loss)
    yield "explain", explain(loss, W)
    yield "equations", lstm.equations()
    yield "fold", fold(Graph(end))
    yield "draw", draw(end)
    yield "program", program(lambda X: (rows(X)[0] ** 2).sum(), rows.parameters(), X=x)
    yield "unroll", run
    yield "gamma", gamma(run)
    yield "flow", gradient_flow(LSTMCell(5, 6, rng=0), x)
    yield "trace", gradient_flow(LSTMCell(5, 6, rng=0), x)["LSTMCell"]
    yield "state_gradients", state_gradients(end, run)
    yield "state_jacobian", state_jacobian(run, 5, 2)
    yield "gradient_by_lag", gradient_by_lag(dict(enumerate(losses, 1)), cell.weight_hh)
    yield "history", history
    yield "pad", pad([rng.normal(size=(n, 3)) for n in range(1, 20)])


@pytest.fixture(scope="module")
def made():
    return list(results())


def test_the_prompt_shows_at_most_400_characters(made):
    assert {name: len(repr(x)) for name, x in made if not 5 < len(repr(x)) <= MOST} == {}


def test_no_prompt_shows_an_address_or_an_escape(made):
    assert [name for name, x in made if " at 0x" in repr(x) or "\\n" in repr(x)] == []


def test_what_has_more_to_say_names_print(made):
    longer = ("explain", "equations", "gamma", "flow", "state_gradients", "state_jacobian")
    assert all("print()" in repr(x) for name, x in made if name in longer)
    assert all(len(str(x)) > len(repr(x)) for name, x in made if name in longer)


def test_equations_are_shown_as_they_are_printed():
    equations = RNN(2, 3, bias=False).equations("nankai")
    assert repr(equations) == str(equations)
    first, *_, last = repr(LSTM(5, 6).equations()).split("\n")
    assert first == str(LSTM(5, 6).equations()).split("\n")[0]
    assert last == "... 9 more lines; print() shows all"


def test_a_history_says_how_the_training_went(made):
    history = dict(made)["history"]
    first, last = history.losses[0], history.losses[-1]
    assert repr(history) == (f"<History: 2100 steps, loss {first:.4g} -> {last:.4g}>")


def test_a_notebook_shows_curves(made):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    for name in ("history", "flow"):
        shown = dict(made)[name]._repr_mimebundle_()
        assert shown["image/svg+xml"].startswith("<svg")
        assert shown == dict(made)[name]._repr_mimebundle_()  # the same bytes


def test_a_notebook_without_matplotlib_shows_text(made, monkeypatch):
    import sys

    for name in [n for n in sys.modules if n.startswith(("matplotlib", "rnn.figures"))]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "rnn.figures", raising=False)
    for name in [n for n in sys.modules if n.endswith(("training.curve", "diagnosis.flow_figure"))]:
        monkeypatch.delitem(sys.modules, name)
    assert list(dict(made)["history"]._repr_mimebundle_()) == ["text/plain"]
    assert "per step" in dict(made)["flow"]._repr_mimebundle_()["text/plain"]
