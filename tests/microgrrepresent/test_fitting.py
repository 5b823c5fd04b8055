"""An adjoint is fitted to its node's shape and type when it is complete.

Until then its parts are added up as the rules gave them. `backward`, which keeps what flows along
every edge, fits each part; central differences know of neither.
"""

import itertools

import numpy as np
import pytest

from microgrrepresent import GradientError, Tensor, backward, grad, primitive, step
from microgrrepresent import sum as total

rng = np.random.default_rng(0)
X = rng.normal(size=(3, 4))

# uses of a leaf b of shape (1, 4): as it is, broadcast in two ways, cut, and given other axes
USES = {
    "itself": lambda b: total(b * b * b),
    "rows": lambda b: total((X + b) ** 2),
    "rows again": lambda b: total(X * b * b),
    "more axes": lambda b: total(np.ones((2, 1, 1)) * b * X * b),
    "elements": lambda b: total(b[0, 1:3] * b[:, :2] ** 2),
    "indices": lambda b: total(b[[0, 0], [1, 1]] ** 2),
    "vector": lambda b: total(b.reshape(4) ** 3),
}


def differences(f, value):
    """Central differences of a scalar function."""
    g = np.zeros_like(value)
    for i in np.ndindex(value.shape):
        nudge = np.zeros_like(value)
        nudge[i] = 1e-6
        g[i] = (f(value + nudge) - f(value - nudge)) / 2e-6
    return g


@pytest.mark.parametrize("names", list(itertools.permutations(USES, 3)), ids="-".join)
def test_parts_of_different_shapes_add_up_in_any_order(names):
    def loss(b):
        return sum(USES[name](b) for name in names)

    b = Tensor(rng.normal(size=(1, 4)), requires_grad=True)
    g = grad(loss(b), b)
    assert g.shape == b.shape
    np.testing.assert_allclose(g, backward(loss(b))[b], rtol=1e-12)
    np.testing.assert_allclose(
        g, differences(lambda v: float(loss(Tensor(v))), b.value), rtol=1e-6, atol=1e-6
    )


ORDERS = [order for n in (1, 2, 3) for order in itertools.permutations(range(5), n)]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_parts_of_different_types_add_up_in_any_order(order):
    b = Tensor(rng.normal(size=4), requires_grad=True, dtype=np.float32)
    double, narrow = Tensor(X), Tensor(X, dtype=np.float32)
    uses = [lambda: b * narrow, lambda: b * b, lambda: b * double, lambda: double + b]
    uses.append(lambda: b * Tensor(X[0]))
    g = grad(sum(total(uses[i]()) for i in order), b)
    assert g.dtype == np.float32
    expected = [X.sum(axis=0), 2 * b.value, X.sum(axis=0), np.full(4, 3), X[0]]
    # what is lost is relative to the parts: their sum may be near 0
    largest = 3 + np.abs(X).sum(axis=0) + 2 * np.abs(b.value)
    lost = np.abs(g - sum(expected[i] for i in order)) / largest
    assert lost.max() < 1e-6


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (0, 2, 1)])
def test_what_a_complex_operand_gives_to_a_real_one_is_refused(order):
    x, z = Tensor([1.0, 2.0], requires_grad=True), Tensor([1 + 2j, 3j])
    uses = [lambda: total(x * x), lambda: total(x * z), lambda: total(x * 3)]
    a, b, c = (uses[i]() for i in order)
    with pytest.raises(GradientError, match=r"adjoint of complex128 reached"):
        grad(a + b + c, x)


def test_elements_are_added_to_an_array_of_the_sweep_s_own():
    x, y = (Tensor(rng.normal(size=4), requires_grad=True) for _ in "xy")
    part = x[1:3]  # older than the sum, whose rule hands one array to x and y: it is written later
    loss = total(x + y) + total(part)
    np.testing.assert_array_equal(grad(loss, y), np.ones(4))
    np.testing.assert_array_equal(grad(loss, x), [1, 2, 2, 1])
    scalar = Tensor(2.0, requires_grad=True)
    part = scalar[()]
    assert grad(scalar * 3 + scalar * scalar + part, scalar) == 3 + 4 + 1


def test_the_adjoint_of_a_result_is_fitted_before_its_rule_sees_it():
    b = Tensor(rng.normal(size=4), requires_grad=True)
    square = b * b  # broadcast twice below, so that a (3, 4) adds up for this (4,)
    loss = total(square * X) + total(square + X)
    np.testing.assert_allclose(grad(loss, b), 2 * b.value * (X.sum(axis=0) + 3))


def test_a_part_that_does_not_fit_is_laid_at_the_right_door():
    wrong = primitive("wrong_by_test_fitting", lambda x: x * 2, (lambda g, y, x: np.ones(5),))
    for uses in (("wrong",), ("wrong", "right"), ("right", "wrong"), ("wrong", "wrong")):
        b = Tensor(np.ones(2), requires_grad=True, name="b")
        loss = Tensor(0.0)
        for t, use in enumerate(uses, 1):
            with step(t):
                loss = loss + total(wrong(b) if use == "wrong" else b * 3)
        where = "|".join(str(t) for t, use in enumerate(uses, 1) if use == "wrong")
        door = rf"wrong_by_test_fitting at t=({where}): the rule for input 0, b \(2,"
        with pytest.raises(GradientError, match=door):
            grad(loss, b)
