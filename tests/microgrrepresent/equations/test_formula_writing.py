"""How declarations are written as formulas: levels, static arguments, conditions, indices."""

import numpy as np
import pytest

import microgrrepresent as m
from microgrrepresent import Tensor, explain, primitive, steps
from microgrrepresent.primitive import registry


@pytest.fixture
def declare():
    """Declare an operation that is known until the end of the test."""
    before = set(registry)
    yield primitive
    for name in registry.keys() - before:
        del registry[name]


@pytest.fixture
def x():
    return Tensor(np.random.default_rng(0).normal(size=(3, 2)), requires_grad=True, name="x")


def elementwise(declare, source, derivative, inputs="x", **params):
    """Somebody's operation with these static arguments, differentiated by its first input."""
    arguments = ", ".join([inputs, *params])
    scope = {"np": np}
    forward = eval(f"lambda {arguments}: {source}", scope)
    rule = eval(f"lambda g, y, {arguments}: g * ({derivative})", scope)
    others = len(inputs.split(",")) - 1
    op = declare(
        "theirs",
        forward,
        (rule, *[None] * others),
        source=source,
        derivative=(derivative, *["0"] * others),
        meets="elementwise",
    )
    return lambda *xs: op(*xs, **params)


def value_and_gradient(y, x, script=str):
    """The right sides of L = Σ y and of its derivative."""
    lines = script(explain(y.sum().named("L"), x)).splitlines()
    found = [line.partition(" = ")[2] for line in lines if line.startswith(("  L =", "  ∂L/∂x"))]
    return found[0].removeprefix("Σ "), found[1]


def test_a_power_of_a_power_has_parentheses(declare, x):
    assert value_and_gradient((x**3) ** 2, x) == ("(x^3)²", "(2 x^3) ⊙ 3 x²")
    assert value_and_gradient((x**2) ** 2, x) == ("(x²)²", "(2 x²) ⊙ 2 x")
    op = elementwise(declare, "(x ** (k - 1)) ** k", "x * 0", k=4)
    assert value_and_gradient(op(x), x)[0] == "(x^3)^4"
    latex = explain(((x**3) ** 2).sum().named("L"), x).markdown()
    assert r"\sum \left(x^{3}\right)^{2}" in latex
    mean = (Tensor(x.value, True, "x").named("x^(2)") ** 2).sum()  # a letter that has a number
    assert "²" in str(explain(mean, mean.parents[0].parents[0]))


STATIC = [
    ("np.where(x > 0, x, a * x)", "np.where(x > 0, 1, a)", {"a": 0.1},
     "where([x > 0], x, 0.1 x)", "where([x > 0], 1, 0.1)"),
    ("np.maximum(x, at)", "x > at", {"at": 0.5}, "maximum(x, 0.5)", "[x > 0.5]"),
    ("np.log(k) * x", "np.log(k)", {"k": 3}, "log(3) x", "log(3) 𝟏"),
    ("np.power(x, k)", "k * np.power(x, k - 1)", {"k": 3}, "power(x, 3)", "3 power(x, 2)"),
    ("x ** k", "k * x ** (k - 1)", {"k": 3}, "x^3", "3 x²"),
    ("x ** k", "k * x ** (k - 1)", {"k": 1}, "x", "𝟏"),
    ("np.clip(x, a_min=-1, a_max=b)", "(x > -1) & (x < b)", {"b": 2},
     "clip(x, a_min=-1, a_max=2)", "[x > -1 ∧ x < 2]"),
    ("m * x", "m", {"m": np.array([0.5, 2.0])}, "m ⊙ x", "m"),
    ("m * x", "m", {"m": np.array(0.5)}, "0.5 x", "0.5 𝟏"),
    ("c - -2 * x", "2", {"c": -1.5}, "(-1.5 - (-2 x))", "2 𝟏"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "derivative", "params", "value", "gradient"), STATIC)
def test_static_arguments_are_written(declare, x, source, derivative, params, value, gradient):
    op = elementwise(declare, source, derivative, **params)
    assert value_and_gradient(op(x), x) == (value, gradient)


def test_an_array_among_static_arguments_is_given(declare, x):
    op = elementwise(declare, "m * x", "m", m=np.array([0.5, 2.0]))
    text = str(explain((op(x) ** 2).sum(), x))
    assert "given: x (3, 2), m (2,)\n" in text and "∂L/∂x = 2 m ⊙ x ⊙ m\n" in text


def test_how_a_function_goes_over_an_array_is_not_written(x):
    assert value_and_gradient(x.sum(axis=1, keepdims=True), x)[0] == "sum(x)"
    assert value_and_gradient(m.softmax(x, 0), x)[0] == "softmax(x)"
    assert value_and_gradient(m.clip(x, -1, None), x)[0] == "clip(x, -1, None)"


PYTHON = [
    ("+x", "1", "x", "𝟏"),
    ("x % 2", "1", "(x mod 2)", "𝟏"),
    ("x // 2 + x", "1", "(⌊x/2⌋ + x)", "𝟏"),
    ("np.where((x > 1) & (x < 2) | (x == 0), x, 0)", "1.0 * (x > 1)",
     "[(x > 1 ∧ x < 2) ∨ x = 0] ⊙ x", "[x > 1]"),
    ("np.where(~(x > 1), x, 0)", "~(x > 1)", "[¬(x > 1)] ⊙ x", "[¬(x > 1)]"),
    ("-x / 2", "-1 / 2", "(-x/2)", "-1/2 𝟏"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "derivative", "value", "gradient"), PYTHON)
def test_signs_of_python_are_written_as_mathematics(
    declare, x, source, derivative, value, gradient
):
    op = elementwise(declare, source, derivative)
    assert value_and_gradient(op(x), x)[0] == value
    assert explain(op(x).sum(), x).markdown()


def test_an_index_is_written_as_it_stands(declare, x):
    op = declare(
        "turned",
        lambda x: x[..., ::-1],
        (lambda g, y, x: g[..., ::-1],),
        kind="moves",
        source="x[..., ::-1]",
        vjp_formula="g[..., ::-1]",
    )
    assert value_and_gradient(op(x), x) == ("x[::-1]", "𝟏[::-1]")
    assert value_and_gradient(x[0:3:2], x)[0] == "x[0:3:2]"


def test_three_inputs_have_their_own_letters(declare, x):
    op = elementwise(declare, "x * a + b", "a", inputs="x, a, b")
    text = str(explain(op(x, x.detach(), np.ones(2)).sum().named("L"), x))
    assert "y = x ⊙ a + b:  ∂y/∂x = a\n" in text


def test_a_reduced_axis_stands_in_the_derivative(declare, x):
    assert value_and_gradient(x.max(1), x) == ("max(x)", "[x = max(x)]/sum([x = max(x)])")
    norm = declare(
        "row_norm",
        lambda x, axis: np.sqrt((x * x).sum(axis)),
        (lambda g, y, x, axis: m.expand_dims(g / y, axis) * x,),
        source="np.sqrt(np.sum(x * x, axis))",
        derivative="x / y",
        meets="spread",
    )
    assert value_and_gradient(norm(x, axis=1), x)[1] == "x/sqrt(sum(x²))"


def test_ones_are_told_from_the_number_one(x):
    W = Tensor(np.ones((4, 2)), requires_grad=True, name="W")
    explanation = explain(m.linear(x, W).sum().named("L"), x)
    assert "∂L/∂x = 𝟏 W\n" in str(explanation)
    assert "𝟏 is an array of ones" in " ".join(str(explanation).split())
    assert r"$\mathbf{1}$ is an array of ones" in explanation.markdown()
    assert "is an array of ones" not in str(explain((m.linear(x, W) ** 2).sum(), x))
    scaled = explain(((W**2).sum() * m.linear(x, W)).sum().named("L"), x)
    assert "∂L/∂x = (Σ W²) 𝟏 W\n" in str(scaled)  # once it was (Σ W²) W
    assert value_and_gradient(-2 * x, x) == ("(-2 x)", "-2 𝟏")


def test_an_exponent_that_is_called_index_selects_nothing():
    W = Tensor([[0.5]], requires_grad=True, name="W")
    power = registry.get("to_the_index") or primitive(
        "to_the_index",
        lambda x, index: x**index,
        (lambda g, y, x, index: g * index * x ** (index - 1),),
        source="x**index",
        derivative="index * x**(index - 1)",
        meets="elementwise",
    )
    h = Tensor([[0.3]], name="h")
    for t, _ in steps(range(3)):
        h = power(m.tanh(h @ W), index=t).named("h")
    text = str(explain(h.sum(), W))
    assert "h_3 = tanh(a_3)^3" in text and "Growing" not in text
    del registry["to_the_index"]


def test_an_index_may_have_any_name(declare):
    def loss(pick):
        X = Tensor(np.arange(8.0).reshape(4, 2), name="X")
        W, h = Tensor(np.eye(2), requires_grad=True, name="W"), Tensor(np.zeros(2), name="h")
        for t, _ in steps(range(4)):
            h = m.tanh(m.linear(h, W) + pick(X, t - 1)).named("h")
        return h.sum(), W

    pick = declare(
        "pick",
        lambda x, at: x[at],
        (lambda g, y, x, at: registry["scatter_add"](g, index=at, shape=x.shape),),
        symbol="[·]",
        kind="moves",
        source="x[at]",
        vjp_source="dx[at] += g",
        vjp_formula="place(g, at)",
        vjp_words="goes back",
    )
    ours, theirs = loss(lambda X, i: X[i]), loss(lambda X, i: pick(X, at=i))
    assert str(explain(*theirs)) == str(explain(*ours))
    assert len(m.fold(theirs[0]).delays) == 1
    assert "X[t - 1]" in str(m.program(*theirs))
