"""Expressions that are put together have the value that they should have."""

from itertools import product

import numpy as np
import pytest

from microgrrepresent.programs.expressions import (
    at_step,
    literal,
    negative,
    parsed,
    plus,
    text,
    times,
    total,
)

VALUES = {"a": 3.0, "b": -7.0, "n": 5.0, "T": 11, "t": 2, "np": np}
FACTORS = ["a", "2", "1 / n", "a / n", "a * b", "a + b", "-a", "1 - a", "a * (1 / n)", "b ** 2"]


def value(expression):
    """Of what is printed, where brackets count."""
    return eval(text(expression), dict(VALUES))


@pytest.mark.parametrize(("left", "right"), [*product(FACTORS, FACTORS)])
def test_a_product_a_sum_and_a_difference(left, right):
    a, b = eval(left, dict(VALUES)), eval(right, dict(VALUES))
    assert value(times(parsed(left), parsed(right))) == pytest.approx(a * b, rel=1e-14)
    assert value(total([parsed(left), negative(parsed(right))])) == pytest.approx(a - b, rel=1e-14)


def test_an_average_is_a_division():
    assert text(times(parsed("1 / n"), parsed("a"))) == "a / n"
    assert text(times(parsed("a"), parsed("1 / n"))) == "a / n"
    assert text(total([])) == "0"


@pytest.mark.parametrize("index", ["t", "T", "4", "T + 1", "T - 1", "t + 3 - 1"])
@pytest.mark.parametrize("by", [-4, -1, 1, 2])
def test_an_index_plus_a_number(index, by):
    made = plus(parsed(index), by)
    assert value(made) == eval(index, dict(VALUES)) + by
    assert text(made).count("+") + text(made).count("-") <= 1


def test_an_expression_at_another_step():
    made = at_step(parsed("h[t] + h[t - 1] + X[t + 2]"), parsed("T"), -1)
    assert text(made) == "h[T - 1] + h[T - 2] + X[T + 1]"


@pytest.mark.parametrize(
    "given", [-3, 2.5, True, (1, -2), [1.0, -np.inf], np.float64(0.5), np.array([1, 2], np.int8)]
)
def test_a_value_as_it_is_written(given):
    made = value(literal(given))
    assert np.array_equal(made, given)
    assert type(made) is type(given) or isinstance(given, np.generic)
    assert getattr(made, "dtype", None) == getattr(given, "dtype", None) or np.ndim(given) == 0
