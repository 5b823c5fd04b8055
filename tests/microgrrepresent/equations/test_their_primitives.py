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


def adding(name, forward, **said):
    """An operation whose derivatives are those of a sum, whatever it computes."""
    rules = (lambda g, y, a, b: g, lambda g, y, a, b: g)
    return primitive(name, forward, rules, **said)


SUMS = [
    adding(
        "their_sum",
        lambda a, b: a + b,
        symbol="plus",
        source="a + b",
        derivative=("1.0", "1.0"),
        meets="elementwise",
    ),
    adding(
        "their_turned_sum",
        lambda a, b: b + a,
        source="b + a",
        derivative=("1", "1"),
        meets="elementwise",
    ),
    adding("their_add", np.add, derivative=("1", "1.0")),
]
OFF_BY_ONE = adding(
    "their_sum_and_one",
    lambda a, b: a + b + 1,
    symbol="+",
    source="a + b + 1",
    derivative=("1", "1"),
    meets="elementwise",
)


def added_up(plus):
    """A loss that is added up step by step with somebody's plus."""
    W = Tensor([[0.5, -0.3], [0.2, 0.4]], requires_grad=True, name="W")
    h, loss = Tensor([0.0, 0.0], name="h"), Tensor(0.0)
    for _, x in steps(np.ones((4, 2))):
        h = m.tanh(m.linear(h, W) + x).named("h")
        loss = plus(loss, (h * h).sum())
    return loss.named("L"), W


@pytest.mark.parametrize("plus", SUMS, ids=lambda op: op.name)
def test_a_sum_is_what_its_source_says(plus):
    m.check_primitive(plus, [0.5, 2.0], [1.5, -3.0])
    assert str(explain(*added_up(plus))) == str(explain(*added_up(m.add)))
    assert "L = Σ(t=1..4) Σ h_t²" in str(explain(*added_up(plus)))


def test_what_only_has_the_derivative_of_a_sum_is_none():
    m.check_primitive(OFF_BY_ONE, [0.5, 2.0], [1.5, -3.0])
    text = str(explain(*added_up(OFF_BY_ONE)))
    assert "L_t = L_{t-1} + Σ h_t² + 1" in text and "L = Σ" not in text


def missed(minus):
    """A loss on what somebody's minus says that a prediction missed."""
    W = Tensor([[0.5, -0.3]], requires_grad=True, name="W")
    wrong = minus(m.linear(Tensor([1.0, 2.0], name="x"), W), Tensor([3.0]))
    return (wrong * wrong).sum().named("L"), W


def taking_away(name, forward, **said):
    """An operation whose derivatives are those of a difference, whatever it computes."""
    rules = (lambda g, y, a, b: g, lambda g, y, a, b: -g)
    return primitive(name, forward, rules, meets="elementwise", **said)


def test_a_target_is_what_is_taken_away_by_the_source():
    rest = taking_away("their_rest", lambda a, b: a - b, source="a - b", derivative=("1.0", "-1.0"))
    shifted = taking_away(
        "their_shifted_rest", lambda a, b: a - b - 2, source="a - b - 2", derivative=("1", "-1")
    )
    for op in (rest, shifted):
        m.check_primitive(op, [0.5, 2.0], [1.5, -3.0])
    assert str(explain(*missed(rest))) == str(explain(*missed(m.sub)))
    assert "target" in str(explain(*missed(rest)))
    assert "target" not in str(explain(*missed(shifted)))


def reducing(name, forward, source, derivative, formula=None):
    """Somebody's operation that takes all elements to one number."""

    def rule(g, y, x):
        return g * np.ones(x.shape) * eval(derivative, {"n": x.size})

    op = primitive(
        name,
        forward,
        (rule,),
        source=source,
        formula=formula,
        derivative=derivative,
        meets="spread",
    )
    m.check_primitive(op, [0.5, 2.0])
    return op


def squared(reduce):
    """Somebody's reduction of squares, as a loss."""
    W = Tensor([[0.5, -0.3], [0.2, 0.4]], requires_grad=True, name="W")
    h = m.tanh(m.linear(Tensor([1.0, 2.0], name="x"), W)).named("h")
    return reduce(h * h).named("L"), W


def test_the_derivative_of_a_mean_is_read_as_a_formula():
    mean = reducing("their_mean", np.mean, "np.mean(x)", "1/n", "mean(x)")
    assert str(explain(*squared(mean))) == str(explain(*squared(m.mean)))


def test_a_sum_of_elements_is_what_its_source_says():
    x = Tensor([1.0, 2.0])
    sources = {
        "their_total": "np.sum(x)",
        "their_method": "x.sum(axis=0)",
        "their_reduction": "np.add.reduce(x)",
    }
    for name, source in sources.items():
        op = reducing(name, lambda x: np.sum(x), source, "1.0", "Σ(x)")
        assert op.is_sum_of_elements(op(x))
        assert str(explain(*squared(op))) == str(explain(*squared(m.sum)))
    for name, source in (("their_more", "np.sum(x) + 1"), ("their_few", "np.sum(x, where=x > 0)")):
        op = reducing(name, eval(f"lambda x: {source}", {"np": np}), source, "1")
        assert not op.is_sum_of_elements(op(x))


def of_rows(name, forward, rule, derivative, **said):
    """Somebody's operation on rows, with its Jacobian."""
    return primitive(
        name, forward, (rule,), kind="score", derivative=derivative, meets="rows", **said
    )


NORMED = {
    "forward": lambda x: x / np.sqrt(np.mean(x * x, -1, keepdims=True)),
    "rule": lambda g, y, x: (
        (g - y * np.mean(g * y, -1, keepdims=True)) / np.sqrt(np.mean(x * x, -1, keepdims=True))
    ),
}


def explained(op, shape=(2, 3)):
    """An explanation of somebody's operation on rows of three."""
    W = Tensor(np.arange(9.0).reshape(3, 3) / 9, requires_grad=True, name="W")
    y = op(m.linear(Tensor(np.ones(shape), name="x"), W)).named("y")
    return explain((y * y * y).sum().named("L"), W)


@pytest.mark.parametrize("shape", [(3,), (2, 3)], ids=["row", "rows"])
@pytest.mark.parametrize("length", ["x.size", "len(x)", "x.shape[-1]"])
def test_a_length_is_written_as_a_number(shape, length):
    op = of_rows(
        f"their_rms_{length}_{len(shape)}",
        NORMED["forward"],
        NORMED["rule"],
        f"(np.eye({length}) - np.outer(y, y) / {length}) / np.sqrt(np.mean(x * x))",
        formula="rms(x)",
    )
    m.check_primitive(op, np.arange(1.0, 1 + np.prod(shape)).reshape(shape))
    found = explained(op, shape)
    for text in (str(found), found.markdown()):
        assert not re.search(r"\b(size|len|shape)\b", text)
    assert "∂y/∂x = (I - (y yᵀ)/n)/sqrt(mean(x²))" in str(found)
    assert "n is the number of elements of x" in " ".join(str(found).split())
    assert "∂L/∂y = ∂L/∂y' ((I - (y' y'ᵀ)/3)/sqrt(mean(y²)))" in str(found)


def test_a_matrix_of_ones_and_methods_are_written_as_mathematics():
    op = of_rows(
        "their_centered",
        lambda x: x - x.mean(-1, keepdims=True),
        lambda g, y, x: g - g.mean(-1, keepdims=True),
        "np.eye(x.size) - np.ones((x.size, x.size)) / x.size + 0 * x.sum()",
        formula="center(x)",
    )
    m.check_primitive(op, [[0.5, 2.0, 4.0]])
    assert "∂y/∂x = I - (𝟏 𝟏ᵀ)/n + 0 sum(x)" in str(explained(op))


def test_python_that_is_no_mathematics_is_refused_by_its_field():
    op = of_rows(
        "their_flagged",
        lambda x: x,
        lambda g, y, x: g,
        "np.eye(x.size) if x.flags.owndata else np.eye(x.size)",
        formula="same(x)",
    )
    with pytest.raises(DescriptionError, match=r"their_flagged: its 'derivative', `np.*`.*Python"):
        str(explained(op))


def test_a_length_is_written_as_the_argument_of_a_function():
    text = str(explained(lambda x: m.cumsum(x, axis=1)))
    assert "∂y/∂x = tri(n)" in text and "tri(3)" in text


def test_what_is_read_by_rows_has_a_letter():
    op = primitive(
        "their_plain_rows",
        NORMED["forward"],
        (NORMED["rule"],),
        derivative="(np.eye(x.size) - np.outer(y, y) / x.size) / np.sqrt(np.mean(x * x))",
        formula="rms(x)",
        meets="rows",
    )
    x = Tensor(np.arange(1.0, 7.0).reshape(2, 3), requires_grad=True, name="x")
    text = str(explain((op(2 * m.tanh(x)) ** 3).sum(), x))
    assert "  u^(1) = 2 tanh(x)\n" in text
    assert "/sqrt(mean((u^(1))²)))\n" in text
