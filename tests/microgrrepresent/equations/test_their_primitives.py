"""A user's own operations are explained as those of the package: their declarations say it all."""

import re

import numpy as np
import pytest

import microgrrepresent as m
from microgrrepresent import Tensor, explain, primitive, step, steps
from microgrrepresent.equations import step_equations
from microgrrepresent.errors import DescriptionError
from microgrrepresent.primitive import each


def own_softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


own_linear = primitive(
    "their_linear",
    lambda v, M: v @ M.T,
    (lambda g, y, v, M: g @ M, lambda g, y, v, M: g.T @ v),
    kind="product",
    source="v @ M.T",
    derivative=("M", "v"),
    meets=("right", "outer"),
)
own_tanh = primitive(
    "their_tanh",
    np.tanh,
    (lambda g, y, u: g * (1 - y * y),),
    kind="activation",
    derivative="1 - y**2",
    formula="tanh(u)",
)
own_scores = primitive(
    "their_scores",
    own_softmax,
    (lambda g, y, u: y * (g - (g * y).sum(-1, keepdims=True)),),
    kind="score",
    source="own_softmax(u)",
    helpers=(own_softmax,),
    formula="softmax(u)",
    derivative="np.diag(y) - np.outer(y, y)",
    meets="rows",
)
own_joined = primitive(
    "their_joined",
    lambda *xs, axis: np.concatenate(xs, axis),
    each(
        lambda xs, axis: (
            lambda i, g, y: m.split(g, np.cumsum([x.shape[axis] for x in xs])[:-1].tolist(), axis)[
                i
            ]
        )
    ),
    kind="moves",
    source="np.concatenate(xs, axis)",
    formula="[*xs]",
    vjp_formula="g[start:stop]",
    vjp_source="g[..., start:stop]",
    vjp_words="its own part",
)
secretive = primitive("secretive", lambda x: 2 * x, (lambda g, y, x: 2 * g,))

OURS = {
    "linear": m.linear,
    "tanh": m.tanh,
    "scores": m.softmax,
    "joined": lambda *xs: m.concatenate(xs, axis=-1),
}
THEIRS = {
    "linear": own_linear,
    "tanh": own_tanh,
    "scores": own_scores,
    "joined": lambda *xs: own_joined(*xs, axis=1),
}


def recorded(ops):
    """A loss on the scores of a small recurrent network over a batch."""
    draw = np.random.default_rng(0)
    W = Tensor(draw.normal(size=(3, 5)), requires_grad=True, name="W_a")
    V = Tensor(draw.normal(size=(2, 3)), requires_grad=True, name="V")
    h = Tensor(np.zeros((4, 3)), name="h")
    for _, x in steps(draw.normal(size=(4, 4, 2))):
        both = ops["joined"](h, Tensor(x, name="x")).named("v")
        h = ops["tanh"](ops["linear"](both, W).named("a")).named("h")
    p = ops["scores"](ops["linear"](h, V).named("y")).named("p")
    return (p * p).sum().named("L"), W, V


@pytest.mark.parametrize("notation", ["pytorch", "nndl", "ng", "d2l"])
@pytest.mark.parametrize("parameter", [1, 2], ids=["W", "V"])
def test_explanations_are_the_same(notation, parameter):
    ours, theirs = recorded(OURS), recorded(THEIRS)
    expected, found = (
        explain(ours[0], ours[parameter], notation),
        explain(theirs[0], theirs[parameter], notation),
    )
    assert str(found) == str(expected)
    assert found.markdown() == expected.markdown()
    assert re.search(r"Σ\(t=1..4\)|=", str(found)) and "their_" not in str(found)


def test_equations_of_a_step_are_the_same():
    def one_step(ops):
        W, U = (Tensor(np.ones((2, 2)), requires_grad=True, name=n) for n in ("W_ih", "W_hh"))
        with step(0):
            h = Tensor([0.0, 0.0], name="h")
        with step(1):
            x = Tensor([1.0, 2.0], name="x")
            return ops["tanh"](ops["linear"](x, W) + ops["linear"](h, U)).named("h")

    for notation in ("pytorch", "nndl", "ng", "nankai", "task05", "d2l"):
        theirs = step_equations(one_step(THEIRS), notation)
        assert theirs == step_equations(one_step(OURS), notation)
    assert "a<t> = tanh(W_a [a<t-1>, x<t>])" in step_equations(one_step(THEIRS), "ng")


def test_what_a_declaration_does_not_say_is_asked_for_by_name():
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    with pytest.raises(DescriptionError, match=r"explain: secretive.*'meets'"):
        explain(secretive(x).sum(), x)
