"""What an explanation says, read back from its text and computed, is the gradient."""

import numpy as np
import pytest

import microgrrepresent as m
from microgrrepresent import Tensor, check_primitive, explain, grad, primitive
from microgrrepresent.primitive import registry
from tests.microgrrepresent.equations.reader import computed


@pytest.fixture
def declare():
    """Declare an operation that is known until the end of the test."""
    before = set(registry)
    yield primitive
    for name in registry.keys() - before:
        del registry[name]


def drawn(rng, depth):
    """An expression of x and of the numbers a, b and k, and its derivative by x."""
    if depth == 0:
        return [("x", "1"), ("x", "1"), ("a * x", "a"), ("x + b", "1")][rng.integers(4)]
    u, du = drawn(rng, depth - 1)
    v, dv = drawn(rng, rng.integers(depth))
    rows = [
        (f"-({u})", f"-({du})"),
        (f"+({u})", f"+({du})"),
        (f"({u}) + ({v})", f"({du}) + ({dv})"),
        (f"({u}) - ({v})", f"({du}) - ({dv})"),
        (f"({u}) * ({v})", f"({du}) * ({v}) + ({u}) * ({dv})"),
        (f"({u}) / (3 + ({v})**2)", f"({du} - ({u}) * 2 * ({v}) * ({dv}) / (3 + ({v})**2))"
         f" / (3 + ({v})**2)"),
        (f"({u}) ** k", f"k * ({u}) ** (k - 1) * ({du})"),
        (f"(({u}) ** 2) ** k", f"2 * k * ({u}) ** (2 * k - 1) * ({du})"),
        (f"np.tanh({u})", f"(1 - np.tanh({u})**2) * ({du})"),
        (f"b * np.sin({u})", f"b * np.cos({u}) * ({du})"),
        (f"np.maximum({u}, b)", f"(({u}) > b) * ({du})"),
        (f"np.where({u} > a, {v}, b * ({u}))", f"np.where({u} > a, {dv}, b * ({du}))"),
        (f"np.where(({u} > a) & ~({v} >= b), {u}, 0)", f"((({u}) > a) & ~({v} >= b)) * ({du})"),
    ]  # fmt: skip
    return rows[rng.integers(len(rows))]


def operation(declare, seed):
    """Somebody's elementwise operation, with three static arguments."""
    rng = np.random.default_rng(seed)
    source, slope = drawn(rng, int(rng.integers(1, 4)))
    forward, derivative = (
        eval(f"lambda x, a, b, k: ({text}) + 0 * x", {"np": np}) for text in (source, slope)
    )
    op = declare(
        f"drawn_{seed}",
        forward,
        (lambda g, y, x, a, b, k: g * derivative(x, a, b, k),),
        source=source,
        derivative=slope,
        meets="elementwise",
    )
    a, b = (round(float(v), 2) for v in rng.normal(size=2))
    params = {"a": a, "b": b, "k": int(rng.integers(2, 5))}
    check_primitive(op, rng.normal(size=4), **params)
    return lambda x: op(x, **params)


def ours(rng, x, W, depth):
    """A random expression of the package's operations, of the shape of x."""
    if depth == 0:
        return x
    u = ours(rng, x, W, depth - 1)
    v = ours(rng, x, W, int(rng.integers(depth)))
    rows = [
        lambda: u + v, lambda: u - v, lambda: u * v, lambda: u / (3 + v * v), lambda: -u,
        lambda: u * -2.0, lambda: 0.5 - u, lambda: u**3, lambda: (u * u) ** 2,
        lambda: m.tanh(u), lambda: m.sigmoid(u), lambda: m.relu(u), lambda: m.clip(u, -1, 0.5),
        lambda: m.maximum(u, v), lambda: m.where(u > v, u, 0), lambda: u.mean() * v,
        lambda: u.sum() * v, lambda: (u - v).T @ W, lambda: m.var(u) - v, lambda: u.max() * v,
        lambda: (1 + u * u) ** (0.3 * v), lambda: m.sqrt(1 + u * u), lambda: m.log(2 + u * u),
        lambda: m.minimum(u, v), lambda: m.stop_gradient(u) * v, lambda: u - (-v) @ u,
        lambda: u @ W, lambda: m.linear(u, W), lambda: m.exp(-(u * u)),
    ]  # fmt: skip
    return rows[rng.integers(len(rows))]()


def assert_read_back(loss, given):
    for leaf in given:
        if leaf.requires_grad:
            known = computed(
                str(explain(loss.named("L"), leaf)), {one.name: one.value for one in given}
            )
            said = known[f"∂L/∂{leaf.name}"]
            expected = grad(loss, leaf)
            np.testing.assert_allclose(np.broadcast_to(said, expected.shape), expected, rtol=1e-6)


@pytest.mark.parametrize("seed", range(60))
def test_a_drawn_operation_reads_back(declare, seed):
    op, rng = operation(declare, seed), np.random.default_rng(seed)
    x = Tensor(rng.normal(size=(2, 2)), requires_grad=True, name="x")
    assert_read_back(op(x).sum(), [x])
    assert_read_back((op(op(x)) * x).sum(), [x])


@pytest.mark.parametrize("seed", range(100))
def test_our_operations_read_back(seed):
    rng = np.random.default_rng(seed)
    x = Tensor(rng.normal(size=(2, 2)), requires_grad=True, name="x")
    W = Tensor(rng.normal(size=(2, 2)), requires_grad=True, name="W")
    y = ours(rng, x, W, int(rng.integers(1, 5)))
    assert_read_back((y * (W @ W).sum()).sum(), [x, W])
