"""Programs: what is printed runs alone, for any lengths, and gives what the ordinary run gives."""

from __future__ import annotations

import re
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import (
    GraphError,
    Tensor,
    expand_dims,
    linear,
    scope,
    sigmoid,
    stack,
    step,
    steps,
    stop_gradient,
    tanh,
)
from microgrrepresent.programs import program
from rnn import (
    GRU,
    LSTM,
    RNN,
    Cell,
    CTRNNCell,
    Decoder,
    Embedding,
    Encoder,
    GRUCell,
    Linear,
    LinearRecurrentCell,
    LSTMCell,
    ResidualRNNCell,
    RNNCell,
    TimeDelayCell,
    unroll,
)

I, H, O = 2, 4, 3  # noqa: E741
T, B = 6, 3


def tagger(layer, width=H):
    """A layer with a readout and a loss at every step."""
    out = Linear(width, O, rng=1)
    return lambda X, y: mg.cross_entropy(out(layer(X)[0]), y), [
        *layer.parameters(),
        *out.parameters(),
    ]


def classifier():
    layer, out = GRU(I, H, rng=0), Linear(H, O, rng=1)
    return lambda X, y: mg.cross_entropy(out(layer(X)[1][0]), y), [
        *layer.parameters(),
        *out.parameters(),
    ]


def summed():
    cell, out = LSTMCell(I, H, rng=0), Linear(H, O, rng=1)

    def f(X, y):
        outputs = unroll(cell, X).outputs
        return sum(mg.cross_entropy(out(h), y[t]) for t, h in enumerate(outputs))

    return f, [*cell.parameters(), *out.parameters()]


def words():
    E, layer, out = Embedding(7, I, rng=0), GRU(I, H, rng=0), Linear(H, O, rng=1)
    return lambda X, y: mg.cross_entropy(out(layer(E(X))[0]), y), [
        *E.parameters(),
        *layer.parameters(),
        *out.parameters(),
    ]


def translator(attention, cell=GRUCell):
    encoder = Encoder(GRU(I, H, rng=0))
    decoder = Decoder(O, H, H, attention=attention, cell=cell, rng=1)
    return lambda X, y: mg.cross_entropy(decoder(encoder(X), y), y), [
        *encoder.parameters(),
        *decoder.parameters(),
    ]


def delays():
    cell, out = TimeDelayCell(I, H, 3, rng=0), Linear(H, O, rng=1)
    return lambda X, y: mg.cross_entropy(out(stack(unroll(cell, X).outputs)), y), [
        *cell.parameters(),
        *out.parameters(),
    ]


def padded():
    layer, out = LSTM(I, H, rng=0), Linear(H, O, rng=1)
    return lambda X, y, n: mg.cross_entropy(out(layer(X, lengths=n)[0]), y), [
        *layer.parameters(),
        *out.parameters(),
    ]


def by_hand():
    """A loop of its own, with a weight that is used twice and a penalty."""
    rng = np.random.default_rng(0)
    W = Tensor(rng.normal(size=(H, H)) * 0.3, requires_grad=True, name="W")
    U = Tensor(rng.normal(size=(H, I)), requires_grad=True, name="U")

    def f(X, y):
        h, L = Tensor(np.zeros((X.shape[1], H)), name="h_0"), 0
        for _, x in steps(X):
            h = tanh(x @ U.T + h @ W).named("h")
            L = L + ((h @ W) ** 2).sum()
        return L + (W * W).sum() + 0.0 * y.sum()

    return f, [W, U]


def ahead():
    """A loop that reads another one a step ahead of itself."""
    rng = np.random.default_rng(0)
    U, V = (Tensor(rng.normal(size=(I, I)) * 0.5, requires_grad=True, name=n) for n in "UV")

    def f(X, y):
        zeros = np.zeros((X.shape[1], I))
        h, s = Tensor(zeros, name="h_0"), Tensor(zeros, name="s_0")
        hs, total = [], 0
        for _, x in steps(X):
            h = tanh(x + h).named("h")
            hs.append(h)
        for t, later in enumerate([*hs[1:], Tensor(zeros, name="h_end")], start=1):
            with scope("ahead"), step(t):
                s = tanh(linear(later, V) + linear(s, U)).named("s")
                total = total + (s * s).sum()
        return total + 0.0 * y.sum()

    return f, [U, V]


def unread():
    """A third of a product that nobody reads, and a row that is spread over the batch."""
    rng = np.random.default_rng(0)
    W = Tensor(rng.normal(size=(3 * H, I)), requires_grad=True, name="W")
    row = Tensor(rng.normal(size=(1, H)), requires_grad=True, name="r")

    def f(X, y):
        h, total = Tensor(np.zeros((X.shape[1], H)), name="h_0"), 0
        for _, x in steps(X):
            keep, write, _ = mg.split(linear(x, W), 3, axis=-1)
            h = (sigmoid(keep) * h + tanh(write)).named("h")
            total = total + ((mg.expand_dims(h, 0) * row) ** 2).sum()
        return total + 0.0 * y.sum()

    return f, [W, row]


def all_but_the_last():
    """A penalty that no gradient passes, at all steps but the last."""
    cell = RNNCell(I, H, rng=0)

    def f(X, y):
        h, total = cell.initial_state(X.shape[1]), 0
        for t, x in steps(X):
            h = cell(x, h)
            if t < len(X):
                k = stop_gradient(h)
                total = total + (k * k).mean()
        return total + (h * h).sum() + 0.0 * y.sum()

    return f, cell.parameters()


class MinimalGatedCell(Cell):
    """A user's own cell: z = σ(U x + W h' + b), h = (1 - z) ∘ h' + z ∘ tanh(V x)."""

    scope = "mgu"

    def __init__(self, input_size, hidden_size, *, dtype=np.float64, rng=None):
        super().__init__(input_size, hidden_size, dtype=dtype, rng=rng)
        self.U = self.parameter("U", hidden_size, input_size)
        self.V = self.parameter("V", hidden_size, input_size)
        self.W = self.parameter("W", hidden_size, hidden_size)
        self.b = self.parameter("b", hidden_size)

    def forward(self, x, state):
        z = sigmoid(linear(x, self.U) + linear(state, self.W) + self.b).named("z")
        return ((1 - z) * state + z * tanh(linear(x, self.V))).named("h")


def decayed(layer):
    """A layer with a penalty of its parameters, which are used outside of the loop, too."""
    wrt = layer.parameters()

    def f(X, y):
        penalty = sum((p * p).sum() for p in wrt)
        return (layer(X)[0] ** 2).mean() + 1e-3 * penalty + 0.0 * y.sum()

    return f, wrt


def begun():
    """An initial state that is made by a parameter of the loop."""
    cell = RNNCell(I, H, bias=False, rng=0)

    def f(X, y):
        h = tanh(linear(X.mean(axis=0), cell.weight_ih)).named("h_0")
        return (stack(unroll(cell, X, h).outputs) ** 2).mean() + 0.0 * y.sum()

    return f, cell.parameters()


def gated_by_the_batch():
    """All states times one array for all steps."""
    cell = RNNCell(I, H, rng=0)

    def f(X, y):
        outputs = stack(unroll(cell, X).outputs)
        return (outputs * expand_dims(X.mean(axis=0).sum(axis=-1), -1)).sum() + 0.0 * y.sum()

    return f, cell.parameters()


NETS = {
    "rnn": lambda: tagger(RNN(I, H, rng=0)),
    "relu": lambda: tagger(RNN(I, H, nonlinearity="relu", rng=0)),
    "gru": lambda: tagger(GRU(I, H, rng=0)),
    "gru, reset before": lambda: tagger(GRU(I, H, reset_after=False, rng=0)),
    "gru, gates that write": lambda: tagger(GRU(I, H, update_gate="write", rng=0)),
    "lstm": lambda: tagger(LSTM(I, H, rng=0)),
    "lstm, peephole": lambda: tagger(LSTM(I, H, peephole="diagonal", rng=0)),
    "lstm, coupled": lambda: tagger(LSTM(I, H, coupled=True, rng=0)),
    "lstm, 1997": lambda: tagger(LSTM(I, H, forget_gate=False, rng=0)),
    "lstm, projected": lambda: tagger(LSTM(I, H, proj_size=3, rng=0), 3),
    "lstm, per gate": lambda: tagger(LSTM(I, H, composition="per_gate", rng=0)),
    "lstm, learned state": lambda: tagger(LSTM(I, H, learn_initial_state=True, rng=0)),
    "no bias": lambda: tagger(RNN(I, H, bias=False, rng=0)),
    "stacked": lambda: tagger(LSTM(I, H, num_layers=2, rng=0)),
    "two directions": lambda: tagger(GRU(I, H, bidirectional=True, rng=0), 2 * H),
    "both": lambda: tagger(LSTM(I, H, num_layers=2, bidirectional=True, rng=0), 2 * H),
    "batch first": lambda: tagger(LSTM(I, H, batch_first=True, rng=0)),
    "residual": lambda: tagger(RNN(I, H, cell=ResidualRNNCell, rng=0)),
    "linear": lambda: tagger(RNN(I, H, cell=LinearRecurrentCell, rng=0)),
    "ctrnn": lambda: tagger(RNN(I, H, cell=CTRNNCell, rng=0)),
    "own cell": lambda: tagger(RNN(I, H, cell=MinimalGatedCell, rng=0)),
    "last state": classifier,
    "sum of losses": summed,
    "words": words,
    "encoder-decoder": lambda: translator(None),
    "attention, additive": lambda: translator("additive"),
    "attention, dot": lambda: translator("dot"),
    "attention, lstm": lambda: translator("general", LSTMCell),
    "delay line": delays,
    "lengths": padded,
    "by hand": by_hand,
    "a step ahead": ahead,
    "a part unread": unread,
    "all but the last": all_but_the_last,
    "weight decay, rnn": lambda: decayed(RNN(I, H, rng=0)),
    "weight decay, lstm": lambda: decayed(LSTM(I, H, rng=0)),
    "initial state by a weight": begun,
    "one array for all steps": gated_by_the_batch,
}


def example(name, T=T, B=B, seed=0):
    """Inputs of a net: {name: array}."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(T, B, I)), rng.integers(0, O, (T, B))
    if name == "batch first":
        return {"X": X.swapaxes(0, 1).copy(), "y": y.T.copy()}
    if name == "words":
        return {"X": rng.integers(0, 7, (T, B)), "y": y}
    if name == "last state":
        return {"X": X, "y": y[0]}
    if name.startswith(("encoder", "attention")):
        return {"X": X, "y": rng.integers(0, O, (T - 1, B))}
    if name == "lengths":
        return {"X": X, "y": y, "n": np.r_[T, rng.integers(1, T + 1, B - 1)]}
    return {"X": X, "y": y}


def ordinary(f, wrt, inputs):
    loss = f(**{key: Tensor(value, name=key) for key, value in inputs.items()})
    return loss.item(), mg.grad(loss, wrt)


def close(found, expected, tolerance=1e-12):
    assert found[0] == pytest.approx(expected[0], rel=tolerance, abs=tolerance)
    assert len(found[1]) == len(expected[1])
    for a, b in zip(found[1], expected[1], strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert np.linalg.norm(a - b) <= tolerance * (np.linalg.norm(b) + 1e-30)


@pytest.mark.parametrize("name", NETS)
def test_a_program_gives_what_the_ordinary_run_gives_for_any_lengths(name):
    f, wrt = NETS[name]()
    step = program(f, wrt, **example(name))
    assert not step.plain
    for T, B in ((9, 2), (4, 5), (6, 3)):
        inputs = example(name, T, B, seed=T)
        close(step(**inputs), ordinary(f, wrt, inputs))


@pytest.mark.parametrize(
    "read",
    [
        lambda h: h.max(axis=1).sum(),
        lambda h: mg.logsumexp(h, axis=0).sum(),
        lambda h: (h.max(axis=0, keepdims=True) * h).sum(),
        lambda h: (h[:, [0, 2, 0]] * h[1:, [1]]).sum(),
        lambda h: mg.clip(h, -np.inf, 0.5).sum(),
    ],
)
@pytest.mark.parametrize("several", [False, True])
def test_what_loses_axes_or_selects_with_lists(read, several):
    W = Tensor(np.random.default_rng(0).normal(size=(I, H)), requires_grad=True, name="W")

    def f(X):
        h, total = np.zeros((2, H)), 0.0
        for _, x in steps(X):
            h = tanh(x @ W + h).named("h")
            total = total + read(h) + (h * h).sum() if several else total + read(h)
        return total

    X = np.random.default_rng(1).normal(size=(T, 2, I))
    close(program(f, [W], X=X)(X=X), ordinary(f, [W], {"X": X}))


@pytest.mark.parametrize("name", NETS)
def test_the_printed_file_runs_alone_with_numpy(name, tmp_path):
    f, wrt = NETS[name]()
    step = program(f, wrt, **example(name))
    inputs = example(name, 8, 4, seed=1)
    arrays = {**inputs, **{key: node.numpy() for key, node in step.code.leaves.items()}}
    np.savez(tmp_path / "given.npz", **arrays)
    code = (
        f"{step.source()}\n\n"
        "import sys\n"
        "assert not any(m.startswith(('microgrrepresent', 'rnn')) for m in sys.modules)\n"
        "loss, gradients = loss_and_gradients(**np.load('given.npz'))\n"
        "np.savez('found.npz', loss, *gradients)\n"
    )
    (tmp_path / "alone.py").write_text(code, "utf-8")
    subprocess.run([sys.executable, "alone.py"], cwd=tmp_path, check=True, env={})
    with np.load(tmp_path / "found.npz") as file:
        loss, *gradients = (file[key] for key in file.files)
    close((float(loss), gradients), ordinary(f, wrt, inputs))


def test_the_length_of_a_program_does_not_depend_on_the_steps():
    f, wrt = NETS["lstm"]()
    short, long = (program(f, wrt, **example("lstm", T, 2)) for T in (4, 50))
    assert short.source() == long.source()


@pytest.mark.parametrize(("name", "most"), [("rnn", 30), ("lstm", 55), ("gru", 55)])
def test_a_lecture_fits_on_a_page(name, most):
    f, wrt = NETS[name]()
    body = program(f, wrt, **example(name)).source().partition("def loss_and_gradients")[2]
    assert len([line for line in body.splitlines()[1:] if line.strip()]) <= most
    assert "if t ==" not in body and "place(" not in body and "[..., None]" not in body


def test_parameters_are_read_at_each_call():
    f, wrt = NETS["gru"]()
    step = program(f, wrt, **example("gru"))
    inputs = example("gru", seed=3)
    wrt[1].assign(wrt[1].numpy() * 0.5)
    close(step(**inputs), ordinary(f, wrt, inputs))


def test_an_initial_state_may_have_any_name():
    W = mg.Tensor([[0.5]], requires_grad=True, name="W")

    def f(X, start):
        h = start
        for _, x in mg.steps(X):
            h = mg.tanh(x + h @ W.T).named("h")
        return h.sum()

    step = mg.program(f, W, X=np.ones((4, 2, 1)), start=np.ones((2, 1)))
    assert "h = {0: start}" in step.source() and step.code.made == ()
    loss, _ = step(X=np.zeros((1, 1, 1)), start=np.array([[3.0]]))
    assert loss == pytest.approx(np.tanh(1.5))


def test_gradients_come_in_the_form_of_wrt():
    layer = RNN(I, H, rng=0)

    def f(X):
        return (layer(X)[0] ** 2).sum()

    X = example("rnn")["X"]
    named = dict(layer.named_parameters())
    loss, by_name = program(f, named, X=X)(X=X)
    assert list(by_name) == list(named) and loss > 0
    _, listed = program(f, list(named.values()), X=X)(X=X)
    _, alone = program(f, layer.weight_hh_l0, X=X)(X=X)
    np.testing.assert_array_equal(alone, by_name["weight_hh_l0"])
    np.testing.assert_array_equal(listed[1], alone)


def test_float32_stays_float32():
    layer = LSTM(I, H, dtype=np.float32, rng=0)
    out = Linear(H, O, dtype=np.float32, rng=1)
    wrt = [*layer.parameters(), *out.parameters()]

    def f(X, y):
        return mg.cross_entropy(out(layer(X)[0]), y)

    inputs = example("lstm")
    inputs["X"] = inputs["X"].astype(np.float32)
    step = program(f, wrt, **inputs)
    close(step(**inputs), ordinary(f, wrt, inputs), 1e-5)


# --- what cannot be a loop ------------------------------------------------------------------------


def refused(f, wrt, **inputs):
    with pytest.raises(GraphError) as error:
        program(f, wrt, **inputs)
    return str(error.value)


def test_a_mask_that_is_drawn_anew_is_refused_by_name():
    f, wrt = tagger(LSTM(I, H, num_layers=2, dropout=0.5, rng=0))
    assert "mask" in refused(f, wrt, **example("lstm"))


def test_a_value_that_is_read_on_the_way_is_refused():
    W = Tensor(0.5, requires_grad=True, name="W")

    def f(X):
        h = Tensor(0.0, name="h_0")
        for _, x in steps(X):
            h = tanh(h * W + x * float(X.numpy().sum())).named("h")
        return h

    message = refused(f, [W], X=np.linspace(0.1, 1, 6))
    assert "does not follow from the lengths" in message and "float(X.numpy().sum())" in message


def test_steps_that_differ_are_refused_with_the_step():
    W = Tensor(0.5, requires_grad=True, name="W")

    def f(X):
        h = Tensor(0.0, name="h_0")
        for t, x in steps(X):
            h = (tanh(h * W + x) if t != 3 else sigmoid(h * W + x)).named("h")
        return h

    assert "step 3" in refused(f, [W], X=np.linspace(0.1, 1, 6))


def test_axes_of_one_length_cannot_be_told_apart():
    f, wrt = NETS["rnn"]()
    assert "told apart" in refused(f, wrt, **example("rnn", 4, 4))


def test_a_gradient_that_is_cut_every_few_steps_is_no_loop():
    cell = GRUCell(I, H, rng=0)

    def f(X):
        return (stack(unroll(cell, X, truncate=3).outputs) ** 2).sum()

    said = refused(f, cell.parameters(), X=example("gru")["X"])
    assert "is made in one way at the steps [" in said and "a gradient is cut every few" in said


def from_step(first):
    """A loss that leaves out the steps before one, and the same by weights."""
    cell = RNNCell(I, H, rng=0)

    def f(X):
        h, total = cell.initial_state(X.shape[1]), 0
        for t, x in steps(X):
            h = cell(x, h)
            if t >= first:
                total = total + (h * h).mean()
        return total

    def weighed(X, m):
        h, total = cell.initial_state(X.shape[1]), 0
        for t, x in steps(X):
            h = cell(x, h)
            total = total + (h * h * m[t - 1]).mean()
        return total

    return f, weighed, cell.parameters()


@pytest.mark.parametrize("first", [2, 3])
def test_a_loss_that_begins_late_is_refused_with_the_node_and_a_way_out(first):
    f, weighed, wrt = from_step(first)
    X = example("rnn")["X"]
    assert f"dh at step {first - 1} is made in another way" in refused(f, wrt, X=X)
    m = np.ones((T, B, 1))
    m[: first - 1] = 0
    close(program(weighed, wrt, X=X, m=m)(X=X, m=m), ordinary(f, wrt, {"X": X}))


def test_a_context_that_is_the_initial_state_is_refused_with_the_node():
    W = Tensor(0.3 * np.eye(H), requires_grad=True, name="W")
    U = Tensor(np.ones((H, I)), requires_grad=True, name="U")

    def f(X, start, context):
        h = start
        for _, x in steps(X):
            h = tanh(linear(x, U) + linear(h, W) + context).named("h")
        return (h * h).sum()

    X, c = example("rnn")["X"], np.random.default_rng(0).normal(size=(B, H))
    assert "program: a has an equation of its own at each step" in refused(
        lambda X, c: f(X, c, c), [W, U], X=X, c=c
    )
    inputs = {"X": X, "start": np.zeros((B, H)), "context": c}
    close(program(f, [W, U], **inputs)(**inputs), ordinary(f, [W, U], inputs))


def test_a_decoder_that_sees_its_initial_state_at_every_step_is_refused_with_the_node():
    encoder = Encoder(GRU(I, H, rng=0))
    both, alone = (
        Decoder(O, H, H, cell=GRUCell, rng=1, context_every_step=True, context_init=init)
        for init in (True, False)
    )

    def loss(decoder):
        return lambda X, y: mg.cross_entropy(decoder(encoder(X), y), y)

    inputs = example("encoder-decoder")
    wrt = [*encoder.parameters(), *both.parameters()]
    assert "program: u_3 has an equation of its own at each step" in refused(
        loss(both), wrt, **inputs
    )
    wrt = [*encoder.parameters(), *alone.parameters()]
    close(program(loss(alone), wrt, **inputs)(**inputs), ordinary(loss(alone), wrt, inputs))


def test_what_returns_no_loss_is_told_so():
    with pytest.raises(TypeError, match="must return the loss"):
        program(lambda X: 1.0, [Tensor(1.0, requires_grad=True)], X=np.ones(3))


def test_other_inputs_are_refused():
    f, wrt = NETS["rnn"]()
    step = program(f, wrt, **example("rnn"))
    with pytest.raises(TypeError, match="it takes X, y"):
        step(X=np.zeros((3, 2, I)))


# --- the fast form --------------------------------------------------------------------------------


def test_gradients_belong_to_the_caller():
    f, wrt = NETS["lstm"]()
    step = program(f, wrt, **example("lstm"))
    inputs = example("lstm", seed=1)
    loss, gradients = step(**inputs)
    copies = [g.copy() for g in gradients]
    step(**example("lstm", seed=2))  # the buffers are used again
    for g, copy in zip(gradients, copies, strict=True):
        np.testing.assert_array_equal(g, copy)
    close((loss, gradients), ordinary(f, wrt, inputs))


def test_buffers_of_lengths_that_are_not_used_any_more_make_room(monkeypatch):
    monkeypatch.setattr("microgrrepresent.programs.loss_program.MOST", 1)
    f, wrt = NETS["rnn"]()
    run, long = program(f, wrt, **example("rnn")), example("rnn", T=2000, B=20)
    tracemalloc.start()
    run(**long)
    before, _ = tracemalloc.get_traced_memory()
    run(**example("rnn"))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert before > 2000 * 20 * H * 8 and after < before / 4


def test_threads_have_buffers_of_their_own():
    f, wrt = NETS["gru"]()
    step = program(f, wrt, **example("gru"))
    several = [example("gru", 30, 4, seed=i) for i in range(8)]
    expected = [ordinary(f, wrt, inputs) for inputs in several]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            for found, right in zip(pool.map(lambda i: step(**i), several), expected, strict=True):
                close(found, right)


def test_what_does_not_fit_is_told_with_the_lengths():
    f, wrt = NETS["rnn"]()
    step = program(f, wrt, **example("rnn"))
    with pytest.raises(mg.ShapeError, match=r"y must have the shape \(T, B\), got \(5, 3\)"):
        step(X=np.zeros((6, 3, I)), y=np.zeros((5, 3), int))
    with pytest.raises(mg.ShapeError, match=r"X must have the shape \(T, B, 2\)"):
        step(X=np.zeros((6, 3, I + 1)), y=np.zeros((6, 3), int))
    with pytest.raises(mg.DTypeError, match="y must be of int64, got float64"):
        step(X=np.zeros((6, 3, I)), y=np.zeros((6, 3)))
    with pytest.raises(ValueError, match="style must be"):
        step.source("slow")


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_nothing_is_made_anew_at_a_step(name):
    f, wrt = NETS[name]()
    source = program(f, wrt, **example(name)).source("fast")
    loops = re.findall(r"^( +)for .*:\n((?:\1    .*\n)+)", source, re.MULTILINE)
    assert len(loops) == 3  # forward, what is known ahead of the way back, and back
    for _, lines in loops:
        for line in lines.splitlines():
            assert re.match(
                r" +(np\.)?(dot|copyto|add|subtract|multiply|true_divide|negative|tanh|exp)\(", line
            )
