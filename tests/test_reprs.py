"""What Python's prompt and a notebook show of each result: short, and it says where more is."""

import numpy as np
import pytest

from microgrrepresent import (
    Graph,
    Tensor,
    backward,
    compiled,
    draw,
    explain,
    fold,
    frames,
    program,
)
from microgrrepresent.recurrence import recurrence
from rnn import (
    GRU,
    LSTM,
    RNN,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Decoder,
    Embedding,
    Encoder,
    GrowthWatch,
    LambdaLR,
    LanguageModel,
    Linear,
    LSTMCell,
    Module,
    RMSprop,
    SequenceClassifier,
    SequenceTagger,
    StepLR,
    Vocabulary,
    bundled_text,
    fit,
    mse_loss,
    pad,
    tbptt,
    unroll,
)
from rnn.diagnosis import (
    gamma,
    gradient_by_lag,
    gradient_flow,
    state_gradients,
    state_jacobian,
)
from rnn.systems import find

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
    yield "by_step", backward(end).by_step(cell.weight_hh)
    yield "summary", LSTM(3, 4, num_layers=3, bidirectional=True).summary()
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
    yield "Delay", fold(Graph(end)).delays[0]
    yield "Recurrence", recurrence(Graph(end))
    yield "frames", frames(end)
    yield "System", find("peephole")[0]
    yield from parts_of_models()
    yield from parts_of_trainings(cell, x)


def parts_of_models():
    """What a model is made of, and what it gives."""

    class Own(Module):
        def __init__(self):
            self.layers = [LSTM(5, 6) for _ in range(40)]

    encoder, decoder = Encoder(GRU(8, 16)), Decoder(10, 16, context_size=16, attention="dot")
    encoded = encoder(np.zeros((3, 2, 8)))
    yield "Module", Own()
    yield "Encoded", encoded
    yield "DecoderState", decoder.step(np.array([0, 1]), decoder.start(encoded))[1]
    for model in (
        encoder,
        decoder,
        SequenceTagger(LSTM(3, 4), 2),
        SequenceClassifier(GRU(3, 4), 2),
    ):
        yield type(model).__name__, model
    yield "LanguageModel", LanguageModel(10, 4)
    yield "Vocabulary", Vocabulary.of(bundled_text())


def parts_of_trainings(cell, x):
    """What a loop of one's own is made of."""

    def loss(X):
        return (unroll(cell, X).state[0] ** 2).sum()

    optimizers = [kind(cell.parameters()) for kind in (SGD, Adam, AdamW, Adagrad, RMSprop)]
    yield from ((type(optimizer).__name__, optimizer) for optimizer in optimizers)
    for schedule in (StepLR(optimizers[0], 10), LambdaLR(optimizers[0], lambda k: 1 / (k + 1))):
        yield type(schedule).__name__, schedule
    run = compiled(loss, cell.parameters())
    yield "Compiled", run
    run(X=x)
    yield "Compiled, called", run
    yield "GrowthWatch", GrowthWatch()
    yield "Window", next(iter(tbptt(cell, zip(x, x, strict=True), 3, 5, loss=lambda h, y: h.sum())))


@pytest.fixture(scope="module")
def made():
    return list(results())


def test_the_prompt_shows_at_most_400_characters(made):
    assert {name: len(repr(x)) for name, x in made if not 5 < len(repr(x)) <= MOST} == {}


def test_no_prompt_shows_an_address_or_an_escape(made):
    assert [name for name, x in made if " at 0x" in repr(x) or "\\n" in repr(x)] == []


def test_what_has_more_to_say_names_print(made):
    longer = (
        "by_step",
        "summary",
        "explain",
        "equations",
        "gamma",
        "flow",
        "state_gradients",
        "state_jacobian",
    )
    assert all("print()" in repr(x) for name, x in made if name in longer)
    assert all(len(str(x)) > len(repr(x)) for name, x in made if name in longer)


def test_a_model_says_what_it_is_made_of():
    model = SequenceTagger(LSTM(3, 4), 2, Embedding(10, 3))
    assert repr(model) == "SequenceTagger(Embedding(10, 3), LSTM(3, 4), Linear(4, 2))"
    adam = Adam(model.parameters(), lr=0.01)
    assert repr(adam).startswith("Adam(7 parameters, lr=0.01, betas=(0.9, 0.999)")
    assert repr(StepLR(adam, 10)) == "StepLR(Adam, step_size=10, gamma=0.1)"


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


def test_plot_takes_a_history(made):
    plt = pytest.importorskip("matplotlib.pyplot", reason="draws with matplotlib")
    history = dict(made)["history"]
    figure, axes = plt.subplots()
    (line,) = axes.plot(history)
    assert line.get_ydata().tolist() == history.losses
    plt.close(figure)


def test_a_notebook_shows_curves(made):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    for name in ("history", "flow"):
        shown = dict(made)[name]._repr_mimebundle_()
        assert shown["image/svg+xml"].startswith('<svg style="max-width: 100%; height: auto"')
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
