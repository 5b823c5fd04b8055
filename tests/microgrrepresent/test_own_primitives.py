"""A user's operations are drawn, explained, folded, stepped through and checked like ours.

The same cell is made twice: of the package's operations, and of copies that are declared here, in
other names, as a user would. Every reader gives the same of both, names of operations aside.
"""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import microgrrepresent as mg
import rnn
from microgrrepresent import (
    DescriptionError,
    Graph,
    Tensor,
    backward,
    check_primitive,
    draw,
    fold,
    grad,
    gradcheck,
    gradgradcheck,
    isomorphic,
    primitive,
    stepper,
    steps,
    unfold,
)
from microgrrepresent.equations import NOTATIONS
from microgrrepresent.ops.selection import getitem
from microgrrepresent.primitive import each, registry
from microgrrepresent.programs.description_check import contribution_code, value_code
from rnn import explain
from rnn.diagnosis import find_nonfinite, gamma

OWN = "own_"


def own_operations():
    """Copies of five operations of every kind, declared outside of the package."""

    def weight(g, y, x, w):
        return g.T @ x

    linear = primitive(
        "own_linear",
        lambda x, w: x @ w.T,
        (lambda g, y, x, w: g @ w, weight),
        symbol="W·",
        kind="product",
        source="x @ w.T",
        derivative=("w", "x"),
        meets=("right", "outer"),
    )
    tanh = primitive(
        "own_tanh",
        np.tanh,
        (lambda g, y, x: g * (1 - y * y),),
        symbol="tanh",
        kind="activation",
        derivative="1 - y**2",
        steepest=1.0,
    )
    softmax = primitive(
        "own_softmax",
        lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
        (lambda g, y, x: y * (g - (g * y).sum(-1, keepdims=True)),),
        symbol="softmax",
        kind="score",
        source="np.exp(x) / np.sum(np.exp(x), -1, keepdims=True)",
        formula="softmax(x)",
        derivative="np.diag(y) - np.outer(y, y)",
        meets="rows",
        vjp_source="y * (g - np.sum(g * y, -1, keepdims=True))",
    )

    def put_back(g, y, x, at):
        if isinstance(g, Tensor):
            return registry["scatter_add"](g, index=at, shape=x.shape)
        adjoint = np.zeros(x.shape)
        adjoint[at] += g
        return adjoint

    getitem = primitive(
        "own_getitem",
        lambda x, at: x[at],
        (put_back,),
        symbol="[·]",
        kind="moves",
        source="x[at]",
        vjp_source="dx[at] += g",
        vjp_formula="place(g, at)",
        vjp_words="goes back to where the elements were selected",
    )

    def part(xs, axis):
        ends = np.cumsum([0, *(x.shape[axis] for x in xs)]).tolist()
        before = (slice(None),) * axis
        return lambda i, g, y: g[(*before, slice(ends[i], ends[i + 1]))]

    concatenate = primitive(
        "own_concatenate",
        lambda *xs, axis: np.concatenate(xs, axis),
        each(part),
        symbol="⧺",
        kind="moves",
        source="np.concatenate(xs, axis)",
        formula="[*xs]",
        vjp_source=lambda *shapes, axis: f"g[{':, ' * axis}start:stop]",
        vjp_formula="g[start:stop]",
        vjp_words="its own part of what was joined",
    )
    return SimpleNamespace(
        linear=linear,
        tanh=tanh,
        softmax=softmax,
        getitem=lambda x, index: getitem(x, at=index),
        concatenate=lambda xs, axis: concatenate(*xs, axis=axis),
    )


OURS = SimpleNamespace(
    linear=mg.linear,
    tanh=mg.tanh,
    softmax=lambda x: mg.softmax(x, -1),
    getitem=getitem,
    concatenate=mg.concatenate,
)


@pytest.fixture(scope="module")
def own():
    before = set(registry)
    yield own_operations()
    for name in registry.keys() - before:
        del registry[name]


class Cell:
    """h_t = h_{t-1} + g_t ⊙ tanh(a_t), with a_t and the logits of g_t parts of W [h, x] + b."""

    def __init__(self, ops):
        rng = np.random.default_rng(0)
        self.ops = ops
        self.W = Tensor(rng.normal(size=(6, 5)), requires_grad=True, name="W")
        self.b = Tensor(rng.normal(size=6), requires_grad=True, name="b")
        self.V = Tensor(rng.normal(size=(2, 3)), requires_grad=True, name="V")

    def __call__(self, x, h):
        ops = self.ops
        z = ops.linear(ops.concatenate([h, x], 1), self.W) + self.b
        g = ops.softmax(ops.getitem(z, (slice(None), slice(0, 3)))).named("g")
        return (h + g * ops.tanh(ops.getitem(z, (slice(None), slice(3, 6))))).named("h")

    def loss(self, T=4):
        """The mean square of the read-outs."""
        X = Tensor(np.random.default_rng(1).normal(size=(T, 2, 2)), name="X")
        h, total = Tensor(np.zeros((2, 3)), name="h"), Tensor(0.0)
        for t, _ in steps(range(T)):
            h = self(self.ops.getitem(X, t - 1).named("x"), h)
            o = self.ops.linear(h, self.V).named("o")
            total = total + (o * o).mean().named("L")
        return total


@pytest.fixture
def both(own):
    """The losses of the cell of our operations, and of that of a user's."""
    return Cell(OURS), Cell(own)


def aside(text):
    """A text without what is different about the names of operations, and their lengths."""
    text = text.replace(OWN, "").replace("softmax[axis=1]", "softmax")
    return re.sub(" +# ", "  # ", text)


VIEWS = ["operations", "variables", "gates", "cells", "layers"]


@pytest.mark.parametrize(
    ("view", "time"),
    [(view, t) for view in VIEWS for t in ("unrolled", "folded", "both") if view != "layers"]
    + [("layers", "unrolled")],
)
def test_drawn_alike(both, view, time):
    ours, theirs = (draw(cell.loss(), view=view, time=time).source for cell in both)
    assert aside(theirs) == ours


@pytest.mark.parametrize("view", VIEWS)
def test_drawn_alike_with_gradients(both, view):
    sources = []
    for cell in both:
        loss = cell.loss()
        sources.append(draw(loss, view=view, gradients=backward(loss)).source)
    assert aside(sources[1]) == sources[0]


@pytest.mark.parametrize("parameter", ["W", "b", "V"])
@pytest.mark.parametrize("notation", NOTATIONS)
def test_explained_alike(both, parameter, notation):
    ours, theirs = (explain(cell.loss(), getattr(cell, parameter), notation) for cell in both)
    assert aside(str(theirs)) == str(ours)
    assert aside(theirs.markdown()) == ours.markdown()


def test_explained_rightly(both):
    """As a product of matrices, which a copy once was not, because it has another name."""
    assert "∂L/∂V = Σ(t=1..4) (∂L/∂o_t)ᵀ h_t" in str(explain(both[1].loss(), both[1].V))


class Gated(rnn.Cell):
    """A cell of CONTRIBUTING's kind, made of these operations."""

    scope = "gated"

    def __init__(self, ops):
        super().__init__(3, 4, dtype=np.float64, rng=0)
        self.ops = ops
        self.W = self.parameter("W", 8, 7)
        self.b = self.parameter("b", 8)

    def forward(self, x, state):
        ops, h = self.ops, state
        a = ops.linear(ops.concatenate([h, x], x.ndim - 1), self.W) + self.b
        g = ops.softmax(ops.getitem(a, (..., slice(0, 4)))).named("g")
        return (h + g * ops.tanh(ops.getitem(a, (..., slice(4, 8))))).named("h")


@pytest.mark.parametrize("notation", NOTATIONS)
def test_equations_alike(own, notation):
    ours, theirs = (Gated(ops).equations(notation) for ops in (OURS, own))
    assert str(theirs) == str(ours)
    assert theirs.markdown() == ours.markdown()


def test_folded_alike(both):
    ours, theirs = (fold(Graph(cell.loss())) for cell in both)
    assert aside(str(theirs)) == aside(str(ours))
    assert isomorphic(unfold(theirs, 4), Graph(both[1].loss()))


def test_listed_alike(both):
    ours, theirs = (str(Graph(cell.loss())) for cell in both)
    assert aside(theirs) == aside(ours)


def test_stepped_through_alike(both, tmp_path):
    pages = []
    for i, cell in enumerate(both):
        loss = cell.loss()
        path = tmp_path / f"{i}.html"
        stepper(loss, path)
        pages.append(path.read_text())
    assert aside(pages[1]) == pages[0]


def test_written_as_code_alike(both):
    for ours, theirs in zip(*(Graph(cell.loss()) for cell in both), strict=True):
        if not ours.parents or ours.op.name == "softmax":  # whose source is a function's
            continue
        names = [f"x{i}" for i in range(len(ours.parents))]
        assert value_code(theirs, names) == value_code(ours, names)
        for i, rule in enumerate(ours.op.vjp if ours.op.many is None else [True] * len(names)):
            if rule is not None:
                assert contribution_code(theirs, i, names) == contribution_code(ours, i, names)


def test_diagnosed_alike(own):
    found = []
    for ops in (OURS, own):
        U = Tensor(np.random.default_rng(3).normal(size=(3, 3)), name="U")
        states = [Tensor(np.ones((1, 3)), name="h")]
        for _ in steps(range(5)):
            states.append(ops.tanh(ops.linear(states[-1], U)).named("h"))
        found.append(gamma(states))
    assert found[1].U is not None and found[1].activation == "own_tanh"
    assert aside(str(found[1])) == str(found[0])


def test_checked(own, both):
    loss = both[1].loss()
    for node in Graph(loss):
        if node.parents:
            check_primitive(node.op, *node.parents, **node.params)
    x, h = np.ones((2, 2)), np.full((2, 3), 0.5)
    gradcheck(both[1], [x, h])
    gradgradcheck(both[1], [x, h])
    assert find_nonfinite(loss) is None
    for name in ("W", "b", "V"):
        ours, theirs = (grad(cell.loss(), getattr(cell, name)) for cell in both)
        np.testing.assert_allclose(theirs, ours, rtol=1e-12)


@pytest.fixture
def declare():
    """Declare an operation that is known until the end of the test."""
    before = set(registry)
    yield primitive
    for name in registry.keys() - before:
        del registry[name]


@pytest.mark.parametrize("with_itself", [False, True])
def test_a_selection_has_rules_for_its_other_inputs(declare, with_itself):
    def put_back(g, y, x, s, b, index):
        return registry["scatter_add"](g * s, index=index, shape=x.shape)

    def weight(g, y, x, s, b, index):
        return g * mg.stop_gradient(x)[index] if isinstance(x, Tensor) else g * x[index]

    op = declare(
        "scaled_get",
        lambda x, s, b, index: s * x[index] + b,
        (put_back, weight, lambda g, y, x, s, b, index: g),
        scatter=lambda out, g, x, s, b, index: np.add.at(out, index, g * s),
    )
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True, name="x")
    s = x if with_itself else Tensor([4.0, 5.0, 6.0], requires_grad=True, name="s")
    b = Tensor(7.0, requires_grad=True, name="b")
    index = np.array([2, 0, 2])
    gradcheck(lambda x, s, b: op(x, s, b, index=index), [x, s, b])
    loss = op(x, s, b, index=index).sum()
    found = backward(loss)
    for leaf in (x, s, b):
        np.testing.assert_array_equal(grad(loss, leaf), found[leaf])
    assert found[b] == 3
    loss.backward()
    np.testing.assert_array_equal(s.grad, found[s])


def test_without_inputs_it_is_a_constant(declare):
    golden = declare("golden", lambda: (1 + 5**0.5) / 2, (), source="(1 + 5**0.5) / 2")
    x = Tensor([1.0, 2.0], requires_grad=True)
    loss = (golden() * x).sum()
    np.testing.assert_array_equal(grad(loss, x), [golden(), golden()])
    total = declare("total", lambda *xs: sum(xs), each(lambda xs: lambda i, g, y: g))
    assert total() == 0 and total(x, x).tolist() == [2, 4]


@pytest.mark.parametrize("meets", ["elementwise", ("elementwise", "elementwise")])
def test_operands_that_do_not_fit_are_told_as_ours(declare, meets):
    rules = (lambda g, y, a, b: g, lambda g, y, a, b: -g)
    op = declare("minus", lambda a, b: a - b, rules, derivative=("1", "-1"), meets=meets)
    with pytest.raises(mg.ShapeError, match=r"minus: .*: 2 != 3 in axis -1; axes must be equal"):
        op(Tensor(np.ones(2), name="a"), np.ones(3))


# --- what is left out is not guessed -------------------------------------------------------------


def of_a_product(declare, **said):
    """A loss of a product with a matrix, of which these things are said."""
    rules = (lambda g, y, x, w: g @ w, lambda g, y, x, w: g.T @ x)
    product = declare("own_product", lambda x, w: x @ w.T, rules, **said)
    w = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="W")
    return (product(Tensor([[5.0, 6.0]], name="x"), w) ** 2).sum(), w


LEFT_OUT = [
    ({"derivative": ("w", "x")}, "'meets'"),
    ({"meets": ("right", "outer")}, "'derivative'"),
    ({"kind": "moves"}, "'vjp_formula'"),
]


@pytest.mark.parametrize(("said", "field"), LEFT_OUT)
def test_an_explanation_names_the_field_that_it_needs(declare, said, field):
    loss, w = of_a_product(declare, **said)
    with pytest.raises(DescriptionError, match=rf"explain: own_product: .*{field}; add "):
        explain(loss, w)


@pytest.mark.parametrize(("said", "field"), LEFT_OUT)
def test_a_page_names_the_field_that_it_needs(declare, said, field, tmp_path):
    loss, _ = of_a_product(declare, **said)
    with pytest.raises(DescriptionError, match=rf"own_product: .*{field}; add "):
        stepper(loss, tmp_path / "page.html")


def test_what_is_only_drawn_needs_no_more_than_a_symbol(declare):
    loss, _ = of_a_product(declare, symbol="⊗")
    for view in VIEWS:
        assert "⊗" in draw(loss, view=view).source or view == "layers"


def test_a_copy_once_was_explained_as_an_elementwise_product(declare):
    loss, w = of_a_product(
        declare, source="x @ w.T", derivative=("w", "x"), meets=("right", "outer")
    )
    assert "∂L/∂W = 2 W xᵀ x" in str(explain(loss, w))
