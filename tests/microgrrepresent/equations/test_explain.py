"""Explanations: an independent reader evaluates the equations; the LaTeX compiles; they fold."""

import re
import sys

import numpy as np
import pytest

import microgrrepresent as m
from microgrrepresent import GradientError, Tensor, cross_entropy, explain, grad, scope, step, steps
from microgrrepresent.equations import Notation, Writer
from microgrrepresent.equations.scripts import LaTeX, Plain
from microgrrepresent.equations.terms import (
    Adjoint,
    Apply,
    Chain,
    Given,
    Growing,
    Negative,
    Number,
    Shift,
    Slice,
    Sum,
    SumOver,
    SumOverSteps,
    Value,
    Variable,
)
from rnn import (
    GRU,
    LSTM,
    RNN,
    Embedding,
    GRUCell,
    LanguageModel,
    Linear,
    LinearRecurrentCell,
    LSTMCell,
    ResidualRNNCell,
    RNNCell,
    mse_loss,
    sequence_loss,
    unroll,
)

# --- a reader of equations that knows NumPy, the names of operations, and no engine ---------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


FORWARD = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "pow": np.power,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, 0),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "abs": np.abs,
    "where": np.where,
    "linear": lambda x, w: x @ w.T,
    "matmul": np.matmul,
    "sum": lambda x, axis, keepdims: x.sum(axis=axis, keepdims=keepdims),
    "mean": lambda x, axis, keepdims: x.mean(axis=axis, keepdims=keepdims),
    "softmax": softmax,
    "log_softmax": lambda x, axis: np.log(softmax(x, axis)),
    "cross_entropy": lambda x, t: -np.log(np.take_along_axis(softmax(x), t[..., None], -1))[..., 0],
    "reshape": lambda x, shape: x.reshape(shape),
    "squeeze": lambda x, axis: np.squeeze(x, axis),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape),
    "transpose": lambda x, axes: x.transpose(axes),
    "getitem": lambda x, index: x[index],
    "take": lambda table, indices: table[indices],
    "stack": lambda *xs, axis: np.stack(xs, axis),
    "concatenate": lambda *xs, axis: np.concatenate(xs, axis),
    "greater": np.greater,
    "stop_gradient": lambda x: x,
}

TEXTS = {"np": np, "softmax": softmax}
"""What the texts of the declarations may speak of, beside the inputs."""


def _row(a):
    return a[None] if a.ndim == 1 else a


class Reader:
    """Evaluates an explanation's equations from its leaves, whatever their order."""

    def __init__(self, explanation):
        self.given = explanation.derivation.given
        self.equations = {}
        for equation in explanation.equations:
            for t in equation.steps or (None,):
                key = (type(equation.left), equation.left.variable, t)
                assert key not in self.equations, "a variable has two equations for one step"
                self.equations[key] = equation.right
        self.known = {}

    def at(self, side, variable, t):
        key = (side, variable, t)
        if key not in self.known:
            if side is Value and Value(variable, t) in self.given:
                self.known[key] = self.given[Value(variable, t)]
            else:
                self.known[key] = np.asarray(self.read(self.equations[key], t))
        return self.known[key]

    def read(self, term, now):
        match term:
            case Value(variable, when) | Adjoint(variable, when):
                t = now + when.by if isinstance(when, Shift) else when
                return self.at(type(term), variable, t)
            case Number(value):
                return np.asarray(value)
            case Apply(op, inputs, params, shape, _):
                result = FORWARD[op.name](
                    *(self.read(x, now) for x in inputs), **params_at(params, now)
                )
                assert np.shape(result) == shape
                return result
            case Negative(inner):
                return -self.read(inner, now)
            case Sum(terms):
                return sum(self.read(one, now) for one in terms)
            case SumOver(inner, shape):
                return summed(self.read(inner, now), shape)
            case SumOverSteps(inner, times):
                return sum(self.read(inner, t) for t in times)
            case Chain():
                return self.sent(term, now)
        raise AssertionError(term)

    def sent(self, term, now):
        g, params = self.read(term.g, now), params_at(term.params, now)
        position = number_at(term.position, now)
        if term.meets == "moved":
            inputs = [self.read(x, now) for x in term.inputs]
            params = {**params, "lengths": term.lengths}
            return moved(term.op.name, g, position, params, inputs, term.shape)
        y, inputs = self.read(term.y, now), [self.read(x, now) for x in term.inputs]
        names = dict(zip(term.op.inputs, inputs, strict=True)) | params
        if term.meets == "rows":
            rows = (x.reshape(-1, x.shape[-1]) for x in (g, y, *inputs))
            sent = [
                g_row @ self.local(term, dict(zip(term.op.inputs, xs, strict=True)) | {"y": y_row})
                for g_row, y_row, *xs in zip(*rows, strict=True)
            ]
            return np.reshape(sent, term.shape)
        n = inputs[0].size // max(np.size(y), 1)
        D = self.local(term, names | {"y": y, "n": n})
        if term.meets == "elementwise":
            return g * D
        if term.meets == "spread":
            if "axis" in params and not params.get("keepdims"):
                g = np.expand_dims(g, params["axis"])
            elif term.op.name == "cross_entropy":
                g = g[..., None]
            return g * D * np.ones(term.shape)
        column = term.op.name == "matmul" and inputs[1].ndim == 1
        if term.meets == "right":
            D = D[None] if column else D
            return ((g[..., None] if column else _row(g)) @ D).reshape(term.shape)
        if term.meets == "left":
            D = D if D.ndim > 1 else D[:, None]
            return (D @ (g[..., None] if column else _row(g))).reshape(term.shape)
        assert term.meets == "outer"
        return g.reshape(-1, g.shape[-1]).T @ D.reshape(-1, D.shape[-1])

    def local(self, term, names):
        """The declaration's text of the local derivative is Python: it says what it means."""
        return eval(term.derivative, TEXTS, {k: v for k, v in names.items() if k != "axis"})


def number_at(n, now):
    return n.slope * now + n.start if isinstance(n, Growing) else n


def params_at(params, now):
    def real(value):
        if isinstance(value, Given):
            return value.array
        if isinstance(value, Slice):
            return slice(*(number_at(end, now) for end in value))
        if isinstance(value, Growing):
            return number_at(value, now)
        return tuple(map(real, value)) if isinstance(value, tuple) else value

    return {name: real(value) for name, value in params}


def summed(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 != g.shape[i])
    return g.sum(axis=axes, keepdims=True) if axes else g


def moved(op, g, position, params, inputs, shape):
    if op in ("reshape", "squeeze"):
        return g.reshape(shape)
    if op == "broadcast_to":
        return summed(g, shape)
    if op == "transpose":
        return g.transpose(np.argsort(params["axes"]))
    if op == "getitem":
        back = np.zeros(shape)
        np.add.at(back, params["index"], g)
        return back
    if op == "take":
        back = np.zeros(shape)
        np.add.at(back, inputs[1], g)
        return back
    if op == "stack":
        return np.take(g, position, params["axis"])
    assert op == "concatenate"
    start = sum(params["lengths"][:position])
    return np.take(g, range(start, start + params["lengths"][position]), params["axis"])


def assert_explained(loss, W, **how):
    explanation = explain(loss, W, **how)
    reader = Reader(explanation)
    target = explanation.derivation.target
    found, expected = reader.at(Adjoint, target.variable, target.when), grad(loss, W)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-10 * max(np.abs(expected).max(), 1e-30)
    for key, value in explanation.derivation.values.items():
        np.testing.assert_allclose(
            reader.at(type(key), key.variable, key.when), value, rtol=1e-9, atol=1e-12
        )
    return explanation


# --- the equations evaluate to the gradient -------------------------------------------------------

CELLS = {
    "rnn": RNNCell(2, 3, rng=0),
    "relu": RNNCell(2, 3, nonlinearity="relu", rng=0),
    "residual": ResidualRNNCell(2, 3, rng=0),
    "linear": LinearRecurrentCell(2, 3, nonlinearity="tanh", rng=0),
    "lstm": LSTMCell(2, 3, rng=0),
    "lstm per gate": LSTMCell(2, 3, composition="per_gate", rng=0),
    "lstm coupled": LSTMCell(2, 3, coupled=True, rng=0),
    "lstm peephole": LSTMCell(2, 3, peephole="diagonal", composition="per_gate", rng=0),
    "lstm projected": LSTMCell(2, 4, proj_size=3, rng=0),
    "lstm without bias": LSTMCell(2, 3, bias=False, rng=0),
    "gru": GRUCell(2, 3, rng=0),
    "gru per gate": GRUCell(2, 3, composition="per_gate", rng=0),
    "gru of Cho": GRUCell(2, 3, reset_after=False, composition="per_gate", rng=0),
    "gru writing": GRUCell(2, 3, update_gate="write", reset_gate=False, rng=0),
}


def run(cell, T=6, batch=(4,), every=True):
    rng = np.random.default_rng(1)
    xs, targets = rng.normal(size=(T, *batch, 2)), rng.normal(size=(T, *batch, 3))
    run = unroll(cell, xs)
    if every:
        return sequence_loss(mse_loss, run.outputs, targets)
    return mse_loss(run.outputs[-1], targets[-1])


@pytest.mark.parametrize("T", [1, 2])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_a_step_or_two(name, T):
    explanation = assert_explained(run(CELLS[name], T), CELLS[name].weight_hh)
    made = {equation.left.variable.name for equation in explanation.derivation.forward}
    assert "h" in made  # it is no initial value


def test_a_product_over_the_steps_is_no_sum():
    W = Tensor(0.5, requires_grad=True, name="W")
    h, p = Tensor(0.1, name="h_0"), Tensor(1.0, name="p_0")
    for _, x in steps(Tensor([0.3, -0.2, 0.7, 0.4], name="X")):
        h = m.tanh(h * W + x).named("h")
        p = p * (h + h)
    explanation = assert_explained(p, W)
    assert "Σ" not in str(explanation).partition("Backward")[0]


def test_a_part_that_nobody_reads_has_no_gradient():
    W, h, L = Tensor(np.eye(6, 2), requires_grad=True, name="W"), Tensor(np.zeros(2), name="h_0"), 0
    for _, x in steps(np.ones((4, 2))):
        keep, write, _ = m.split(m.linear(x + h, W), 3, axis=-1)
        h = (m.sigmoid(keep) * h + m.tanh(write)).named("h")
        L = L + (h * h).sum()
    assert_explained(L, W)


def test_an_inner_product_of_vectors_is_a_number_and_not_a_sum_of_one():
    w, x = Tensor([1.0, 2.0, 3.0], True, "w"), Tensor([0.5, 0.25, 1.0], name="x")
    explanation = assert_explained(m.tanh(w @ x).named("L"), w)
    assert "∂L/∂w = ∂L/∂a_L x\n" in str(explanation)
    h, L = Tensor(np.zeros(3), name="h_0"), 0
    for _, row in steps(np.ones((4, 3))):
        h = m.tanh(h * w + row).named("h")
        L = L + h @ x
    explanation = assert_explained(L, w)
    assert "∂L/∂h_4 = x " in str(explanation)


@pytest.mark.parametrize("every", [True, False], ids=["loss at every step", "loss at the end"])
@pytest.mark.parametrize("batch", [(), (4,)], ids=["one sequence", "a batch"])
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_an_independent_reader_gets_the_gradient_of_every_parameter(cell, batch, every):
    loss = run(cell, T=4, batch=batch, every=every)
    for parameter in cell.parameters():
        assert_explained(loss, parameter)


def test_the_number_of_equations_does_not_grow_with_the_steps():
    for cell in CELLS.values():
        short, long = (explain(run(cell, T=T), cell.parameters()[0]).equations for T in (5, 40))
        assert len(short) == len(long)


@pytest.mark.parametrize(
    "layer",
    [
        RNN(2, 3, num_layers=2, rng=0),
        LSTM(2, 3, bidirectional=True, rng=0),
        GRU(2, 3, num_layers=2, bidirectional=True, batch_first=True, rng=0),
        LSTM(2, 3, learn_initial_state=True, rng=0),
    ],
    ids=["two layers", "bidirectional", "both", "learned start"],
)
def test_layers(layer):
    x = np.random.default_rng(2).normal(size=(4, 5, 2))
    output, _ = layer(x)
    loss = (output * output).sum()
    for parameter in layer.parameters():
        assert_explained(loss, parameter)


def test_padded_batches():
    cell = GRUCell(2, 3, rng=0)
    x = np.random.default_rng(2).normal(size=(5, 3, 2))
    outputs = unroll(cell, x, lengths=[5, 2, 3]).stacked()
    for parameter in cell.parameters():
        assert_explained((outputs * outputs).sum(), parameter)


@pytest.mark.parametrize("by_step", [True, False])
def test_a_language_model_from_table_to_cross_entropy(by_step):
    model = LanguageModel(5, 3, 4, rng=0)
    rng = np.random.default_rng(3)
    x, y = rng.integers(5, size=(6, 2)), rng.integers(5, size=(6, 2))
    loss = (model.loss_by_step if by_step else model.loss)(x, y)[0]
    for parameter in model.parameters():
        explanation = assert_explained(loss, parameter)
    text = str(explanation)
    assert ("CE(y_t, target_t)" if by_step else "CE(y, target)") in text
    assert "softmax(" in text


def test_the_graph_of_a_feed_forward_net_has_no_steps():
    rng = np.random.default_rng(4)
    x, first, second = rng.normal(size=(5, 2)), Linear(2, 3, rng=0), Linear(3, 4, rng=1)
    logits = second(m.relu(first(x)))
    loss = cross_entropy(logits, [0, 1, 2, 3, 0])
    explanation = assert_explained(loss, first.weight)
    assert "[a > 0]" in str(explanation) or "[a>0]" in str(explanation)
    assert "each step" not in str(explanation)
    probabilities = m.softmax(second(m.tanh(first(x))))
    assert_explained((probabilities * probabilities).sum(), first.weight)
    assert_explained(m.log_softmax(logits).sum(), first.bias)


def test_a_node_in_the_middle_can_be_asked_for():
    cell = LSTMCell(2, 3, rng=0)
    states = unroll(cell, np.random.default_rng(0).normal(size=(5, 4, 2)))
    loss = (states.outputs[-1] ** 2).sum()
    explanation = assert_explained(loss, states.states[2].c)
    assert "with respect to c_2" in str(explanation)


def test_a_graph_whose_steps_differ_is_written_step_by_step():
    W, h = Tensor([[0.5, 0.1], [0.2, 0.3]], requires_grad=True, name="W"), Tensor([1.0, 2.0])
    for t, x in steps(np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])):
        h = (m.tanh(W @ h + x) if t != 2 else m.sigmoid(W @ h - x)).named("h")
    loss = (h * h).sum()
    explanation = assert_explained(loss, W)
    assert "at each step t = 3..1:" in str(explanation)
    assert "h_2 = σ(a_2)" in str(explanation) and "h_3 = tanh(a_3)" in str(explanation)
    assert "∂L/∂h_1 = Wᵀ ∂L/∂a_2" in str(explanation)
    only = str(explain(loss, W, steps=[3]))
    assert "h_3 = tanh(" in only and "h_2 = " not in only


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_a_truncated_graph_is_one_recursion_with_the_cut_named(name):
    cell = CELLS[name]
    xs = np.random.default_rng(0).normal(size=(9, 4, 2))
    outputs = unroll(cell, xs, truncate=3).outputs
    loss = sequence_loss(mse_loss, outputs, np.zeros((9, 4, 3)))
    text = str(assert_explained(loss, cell.weight_hh))
    assert text.count(" h_t = ") == 1 and "cut(" not in text
    assert "every 3 steps (t = 4, 7) the path is cut: no gradient passes back to h_{t-1}" in text
    assert "(t = 9, 6, 3)" in text and "(t = 8, 7, 5, 4, 2, 1)" in text
    whole = explain(run(cell, T=9), cell.weight_hh)
    assert "cut" not in str(whole)
    last = (outputs[-1] ** 2).sum()  # reaches the last window only
    assert "at each step t = 9..7:" in str(assert_explained(last, cell.weight_hh))


def test_a_loop_that_detaches_its_state_is_one_recursion_too():
    cell, h, total = CELLS["gru"], None, 0
    for t, x in steps(np.random.default_rng(0).normal(size=(9, 2))):
        h = cell(x, h.detach() if t in (4, 7) else h)
        total = total + (h * h).sum()
    text = str(assert_explained(total, cell.weight_hh))
    assert text.count(" h_t = ") == 1 and text.count("h_{t-1}") > 3 and "h_4" not in text
    assert "every 3 steps (t = 4, 7) the path is cut: no gradient passes back to h_{t-1}" in text


def test_terms_that_are_summed_after_the_loop_are_one_sigma():
    cell, target = CELLS["rnn"], np.ones(3)
    for T in (5, 8):
        outputs = unroll(cell, np.random.default_rng(0).normal(size=(T, 2))).outputs
        loss = sum(((y - target) ** 2).sum() for y in outputs)
        text = str(assert_explained(loss, cell.weight_hh))
        assert f"L = Σ(t=1..{T}) Σ (h_t - target_t)²" in text
        assert "∂L/∂h_t = ∂L/∂a_{t+1} W_hh + 2 (h_t - target_t)" in text
    lines = [line for line in text.splitlines() if "∂L/∂h" in line.partition("=")[0]]
    assert len(lines) == 2  # at the last step, and at the others


def test_a_running_sum_that_is_asked_for_stays_a_variable():
    w, h, sums = Tensor(0.5, requires_grad=True, name="w"), Tensor(1.0, name="h"), []
    for _, x in steps(np.array([0.1, 0.2, 0.3, 0.4])):
        h = m.tanh(w * h + x).named("h")
        sums.append(h * h if not sums else sums[-1] + h * h)
    assert "L = Σ(t=1..4) h_t²" in str(assert_explained(sums[-1], w))
    assert_explained(sums[-1], sums[1])


def test_a_fraction_on_one_line_is_read_as_it_is_meant():
    a, b = (Tensor(n, requires_grad=True, name=name) for n, name in ((2.0, "a"), (3.0, "b")))
    assert "L = (a + b)/(a b)" in str(assert_explained((a + b) / (a * b), a))
    assert "L = a/(b/a)" in str(assert_explained(a / (b / a), a))
    assert "L = a^(a + b)" in str(assert_explained(a ** (a + b), b))
    assert "L = (Σ(t=1..6) L_t)/72" in str(explain(run(CELLS["rnn"]), CELLS["rnn"].weight_hh))


def test_what_has_no_name_has_a_number_of_its_own():
    cell = CELLS["gru of Cho"]
    explanation = explain(run(cell), cell.weight_hh)
    nameless = [
        e.left.variable for e in explanation.derivation.forward if e.left.variable.name == "u"
    ]
    assert len({variable.mark for variable in nameless}) == len(set(nameless)) > 1


def test_a_number_stands_before_what_it_multiplies():
    a = Tensor(0.5, requires_grad=True, name="a")
    h = Tensor([1.0, 2.0], requires_grad=True, name="h")
    for t in range(1, 5):
        with step(t):
            h = (h + a * m.tanh(h)).named("h")
    text = str(assert_explained(h.sum(), a))
    assert "∂L/∂h_t = (a ∂L/∂h_{t+1}) ⊙ (1 - tanh(h_t)²) + ∂L/∂h_{t+1}" in text
    assert "∂L/∂a = Σ(t=1..4) Σ ∂L/∂h_t ⊙ tanh(h_{t-1})" in text


def test_a_sum_over_some_steps_names_them():
    variable = Variable("g", "", False, (), (2, 3, 5), 0)
    for steps_of, plain, latex in (
        ((2, 3, 4), "Σ(t=2..4) g_t", r"\sum_{t=2}^{4} g_{t}"),
        ((5, 2), "Σ(t=2, 5) g_t", r"\sum_{t \in \{2, 5\}} g_{t}"),
    ):
        term = SumOverSteps(Value(variable, Shift(0)), steps_of)
        assert Writer(Notation(), Plain()).term(term) == plain
        assert Writer(Notation(), LaTeX()).term(term) == latex


def test_products_are_as_simple_as_on_a_blackboard():
    gru = str(explain(run(CELLS["gru"], every=False), CELLS["gru"].weight_hh))
    assert "∂L/∂z_t = ∂L/∂h_t ⊙ (h_{t-1} - n_t)" in gru
    for name in ("rnn", "lstm", "gru"):
        for notation in NOTATIONS:
            text = str(explain(run(CELLS[name]), CELLS[name].weight_hh, notation))
            assert not set(re.sub(r"_\{[\w,+-]+\}|\^\(\d\)", "", text)) & set("{}\\^")
            assert "∂L/∂L " not in text
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    assert "∂L/∂x = 3 x²" in str(explain((x**3).sum(), x))
    assert "∂L/∂x = 0.5 x^-0.5" in str(explain((x**0.5).sum(), x))


def test_exponents_quotients_and_roots():
    a = Tensor([1.5, 2.5], requires_grad=True, name="a")
    loss = m.sqrt((a**3 / (1 + a)).sum() + m.exp(-a).mean() + m.log(a).sum() + (2**a).sum())
    assert_explained(loss, a)


# --- the letters ----------------------------------------------------------------------------------


def formulas(markdown):
    return re.findall(r"\$\$(.+?)\$\$|\$([^$]+)\$", markdown)


NOTATIONS = ["pytorch", "nndl", "ng", "nankai", "task05", "d2l"]
FEW = [("rnn", "nankai"), ("lstm", "pytorch"), ("gru per gate", "nndl"), ("lstm per gate", "ng")]
ALL = [(c, n) for c in CELLS for n in NOTATIONS if (c, n) not in FEW]


@pytest.mark.parametrize(
    ("name", "notation"), FEW + [pytest.param(*pair, marks=pytest.mark.slow) for pair in ALL]
)
def test_the_latex_compiles(name, notation):
    cell = CELLS[name]
    mathtext = pytest.importorskip("matplotlib.mathtext", reason="renders with matplotlib")
    parser = mathtext.MathTextParser("path")
    markdown = explain(run(cell), cell.parameters()[-1], notation=notation).markdown()
    found = [display or inline for display, inline in formulas(markdown)]
    assert len(found) > 20
    for formula in found:
        parser.parse(f"${formula}$")


def test_every_course_has_its_letters():
    cell = RNNCell(2, 3, rng=0)
    loss = run(cell)
    texts = {n: str(explain(loss, cell.weight_hh, n)) for n in NOTATIONS}
    assert "a_t = x_t W_ihᵀ + h_{t-1} W_hhᵀ + b" in texts["pytorch"]
    assert "z_t = W x_t + U h_{t-1} + b" in texts["nndl"]
    assert "z<t> = W_ax x<t> + W_aa a<t-1> + b" in texts["ng"]
    assert "a_t = U x_t + W h_{t-1} + b" in texts["nankai"]
    assert "a_t = U x_t + W s_{t-1} + b" in texts["task05"]
    assert "A_t = X_t W_xh + H_{t-1} W_hh + b" in texts["d2l"]
    assert "∂L/∂W_hh = Σ(t=1..6) (∂L/∂a_t)ᵀ h_{t-1}" in texts["pytorch"]
    assert "∂ℒ/∂U = Σ(t=1..6) δ_t h_{t-1}ᵀ" in texts["nndl"]  # NNDL's (6.39), summed
    assert "δ_t = ∂ℒ/∂h_t ⊙ (1 - h_t²)" in texts["nndl"]
    assert "dW_aa = Σ(t=1..6) dz<t> a<t-1>ᵀ" in texts["ng"]
    assert "∂L/∂W = Σ(t=1..6) ∂L/∂a_t h_{t-1}ᵀ" in texts["nankai"]
    assert "∂L/∂W = Σ(t=1..6) ∂L/∂a_t s_{t-1}ᵀ" in texts["task05"]
    assert "∂L/∂W_hh = Σ(t=1..6) H_{t-1}ᵀ ∂L/∂A_t" in texts["d2l"]
    assert "∂L/∂H_t = ∂L/∂A_{t+1} W_hhᵀ + " in texts["d2l"]
    markdown = explain(loss, cell.weight_hh, "nndl").markdown()
    assert (
        r"\frac{\partial \mathcal{L}}{\partial U} = \sum_{t=1}^{6} \delta_{t}\, h_{t-1}^{\top}"
        in markdown
    )
    markdown = explain(loss, cell.weight_hh, "ng").markdown()
    assert r"a^{\langle t-1 \rangle}" in markdown


def test_an_output_layers_w_makes_room_for_the_cells():
    cell, head = RNNCell(2, 3, rng=0), Linear(3, 1, rng=1)
    xs = np.random.default_rng(0).normal(size=(4, 2, 2))
    loss = (head(unroll(cell, xs).outputs[-1]) ** 2).sum()
    assert "V h_4" in str(explain(loss, cell.weight_hh, "nndl"))
    own = Tensor([[0.5]], requires_grad=True, name="W")
    assert "W x" in str(explain(m.linear(Tensor([2.0], name="x"), own).sum(), own, "nndl"))


def test_the_recursion_of_an_lstm_reads_like_the_textbook():
    cell = LSTMCell(2, 3, composition="per_gate", rng=0)
    text = str(explain(run(cell, every=False), cell.weight_hh))
    for line in (
        "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t",
        "h_t = o_t ⊙ tanh(c_t)",
        "∂L/∂c_t = ∂L/∂h_t ⊙ o_t ⊙ (1 - tanh(c_t)²) + ∂L/∂c_{t+1} ⊙ f_{t+1}",
        "∂L/∂f_t = ∂L/∂c_t ⊙ c_{t-1}",
        "∂L/∂a_{f,t} = ∂L/∂f_t ⊙ f_t ⊙ (1 - f_t)",
        "∂L/∂W_hf = Σ(t=1..6) (∂L/∂a_{f,t})ᵀ h_{t-1}",
        "∂L/∂W_hh = [∂L/∂W_hi; ∂L/∂W_hf; ∂L/∂W_hg; ∂L/∂W_ho]",
        "y = σ(x):  ∂y/∂x = y ⊙ (1 - y)",
        "y = tanh(x):  ∂y/∂x = 1 - y²",
    ):
        assert line in text


def test_two_layers_and_two_directions_are_told_apart():
    layer = RNN(2, 3, num_layers=2, rng=0)
    output, _ = layer(np.ones((4, 5, 2)))
    text = str(explain(output.sum(), layer.weight_hh_l0))
    assert "h^(1)_t" in text and "h^(2)_t" in text
    both = RNN(2, 3, bidirectional=True, rng=0)
    output, _ = both(np.ones((4, 5, 2)))
    text = str(explain(output.sum(), both.weight_hh_l0_reverse))
    assert "+ h←_{t+1} W_hh_l0_reverseᵀ" in text
    assert "∂L/∂h←_t = ∂L/∂a←_{t-1} W_hh_l0_reverse + ∂L/∂y_t[3:6]    (t = 2..4)" in text


def test_numbers_stand_beside_the_letters():
    cell = RNNCell(2, 3, rng=0)
    loss = run(cell, batch=())
    explanation = explain(loss, cell.weight_hh, numbers=True, steps=[2, 6])
    lines = str(explanation).splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip().startswith("h_t = tanh"))
    shown = [line.split() for line in lines[at + 1 : at + 3]]
    assert [row[0] for row in shown] == ["t=2", "t=6"]
    h = next(
        v
        for k, v in explanation.derivation.values.items()
        if k
        == Value(
            next(
                e.left.variable
                for e in explanation.equations
                if isinstance(e.left, Value) and e.left.variable.name == "h"
            ),
            2,
        )
    )
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d+", lines[at + 1])]
    np.testing.assert_allclose(numbers, h, atol=1e-4)
    gradient = re.findall(r"-?\d+\.\d+", "\n".join(lines[-3:]))
    np.testing.assert_allclose(
        np.array(gradient, float).reshape(3, 3), grad(loss, cell.weight_hh), atol=1e-4
    )
    assert "```" in explanation.markdown() and "t=2" in explanation.markdown()
    big = RNNCell(2, 30, rng=0)
    states = unroll(big, np.ones((3, 4, 2)))
    assert "30×30 numbers from" in str(
        explain(states.outputs[-1].sum(), big.weight_hh, numbers=True)
    )


@pytest.mark.parametrize("reduced", [True, False], ids=["a mean over a stack", "a sum of terms"])
def test_the_work_grows_with_the_steps_and_no_faster(reduced):
    def terms_made(T):
        cell, calls = RNNCell(2, 3, rng=0), 0

        def count(frame, event, arg):
            nonlocal calls
            calls += event == "call" and "equations" in frame.f_code.co_filename

        outputs = unroll(cell, np.ones((T, 2))).outputs
        loss = (
            sequence_loss(mse_loss, outputs, np.zeros((T, 3)))
            if reduced
            else sum((y * y).sum() for y in outputs)
        )
        sys.setprofile(count)
        try:
            explain(loss, cell.weight_hh)
        finally:
            sys.setprofile(None)
        return calls

    assert terms_made(80) < 2.2 * terms_made(40)


def test_a_step_that_there_is_not_is_said():
    loss = run(CELLS["rnn"])
    with pytest.raises(ValueError, match=r"steps are among t = 1..6, got 99"):
        explain(loss, CELLS["rnn"].weight_hh, numbers=True, steps=[2, 99])


def test_mistakes_are_said():
    cell = RNNCell(2, 3, rng=0)
    loss = run(cell)
    with pytest.raises(ValueError, match=r"notation must be one of 'pytorch', .*, got 'tex'"):
        explain(loss, cell.weight_hh, notation="tex")
    with pytest.raises(GradientError, match=r"does not depend on V \(\)"):
        explain(loss, Tensor(1.0, requires_grad=True, name="V"))


def test_a_scope_is_no_letter():
    with scope("somewhere"):
        E = Embedding(4, 3, rng=0)
        loss = (E([1, 2, 1]) ** 2).sum()
    explanation = assert_explained(loss, E.weight)
    assert "somewhere" not in str(explanation)
    assert "onehot" in str(explanation)
