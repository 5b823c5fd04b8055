"""Adjoints are added up in place where the sweep owns the array, and nowhere else.

The sweep that keeps every contribution (`backward`) never adds in place to what it was given, so
it is the reference for the one that does (`grad`, ``.backward()``).
"""

import numpy as np
import pytest

from microgrrepresent import Tensor, backward, concatenate, grad, linear, split, stack
from microgrrepresent import sum as total

rng = np.random.default_rng(0)


def both_ways(loss, leaves):
    adjoints = backward(loss)
    for leaf, g in zip(leaves, grad(loss, leaves), strict=True):
        np.testing.assert_array_equal(g, adjoints[leaf])
        assert g.dtype == leaf.dtype
    return grad(loss, leaves)


def leaf(*shape, dtype=float):
    return Tensor(rng.standard_normal(shape).astype(dtype), requires_grad=True)


def test_parts_and_the_whole_are_used():
    x = leaf(3, 4)
    a, b, c, d = split(x, 4, axis=1)
    (g,) = both_ways(total(a * b) + total(x * 3) + total(b * d) + total(c), [x])
    np.testing.assert_allclose(g[:, 0], x.data[:, 1] + 3)
    np.testing.assert_allclose(g[:, 1], x.data[:, 0] + x.data[:, 3] + 3)


def test_a_second_sweep_adds_to_the_gradient_and_not_into_it():
    x = leaf(3)
    total(x * x).backward()
    first = x.grad
    total(x * 3).backward()
    np.testing.assert_allclose(x.grad, 2 * x.data + 3)
    np.testing.assert_allclose(first, 2 * x.data)


def test_an_adjoint_that_two_nodes_share_is_not_written_to():
    # the rule of + hands one and the same array to both operands; each then gets more
    x, y = leaf(4), leaf(4)
    s = x + y
    loss = total(s * s) + total(x[1:3]) + total(y * y) + total(x * 2)
    gx, gy = both_ways(loss, [x, y])
    np.testing.assert_allclose(gx, 2 * s.data + [0, 1, 1, 0] + 2)
    np.testing.assert_allclose(gy, 2 * s.data + 2 * y.data)


def test_the_seed_is_not_written_to():
    x = leaf(5)
    seed = np.ones(5)
    y = x * 1
    g = grad([y], [x], seed=[seed])
    np.testing.assert_array_equal(g[0], np.ones(5))
    grad([x + 0, x[2:], x + 0], [x], seed=[seed, np.ones(3), seed])
    np.testing.assert_array_equal(seed, np.ones(5))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_indices_that_repeat_and_overlap(dtype):
    x = leaf(6, 2, dtype=dtype)
    loss = total(x[[0, 0, 5]] * 2) + total(x[1:4]) + total(x[::2]) + total(x[3]) + total(x[:, 0])
    (g,) = both_ways(loss, [x])
    expected = np.zeros((6, 2))
    expected[[0, 5]] += [[4], [2]]
    expected[1:4] += 1
    expected[::2] += 1
    expected[3] += 1
    expected[:, 0] += 1
    np.testing.assert_array_equal(g, expected)


def test_look_ups_in_one_table():
    table = leaf(5, 3)
    loss = sum(total(table[Tensor(ids)]) for ids in ([0, 1], [1, 1], [4, 0]))
    (g,) = both_ways(loss, [table])
    np.testing.assert_array_equal(g[:, 0], [2, 3, 0, 0, 1])


def test_elements_without_axes():
    x = leaf(3)
    (g,) = both_ways(x[0] * x[1] + x[0] + x[0], [x])
    np.testing.assert_allclose(g, [x.data[1] + 2, x.data[0], 0])


def test_adjoints_of_nodes_in_between_are_their_own():
    x = leaf(2, 3)
    y = x * 2
    z = y + x
    loss = total(y[0]) + total(z * z) + total(y[:, 1])
    gy, gz, gx = grad(loss, [y, z, x])
    np.testing.assert_allclose(gz, 2 * z.data)
    np.testing.assert_allclose(gy, gz + np.array([[1, 2, 1], [0, 1, 0]]))
    np.testing.assert_allclose(gx, 2 * gy + gz)


def test_many_inputs_take_time_linear_in_them():
    parts = [leaf(1) for _ in range(20_000)]  # quadratic: minutes
    gradients = grad(total(stack(parts) * 2), parts)
    assert all(g == 2 for g in gradients)


def test_concatenation_gives_each_its_part():
    parts = [leaf(n, 2) for n in (1, 3, 2)]
    weights = rng.standard_normal((6, 2))
    gradients = grad(total(concatenate(parts) * weights), parts)
    np.testing.assert_array_equal(np.concatenate(gradients), weights)


@pytest.mark.parametrize("uses", [1, 3, 300])  # of which 256 rows wait for each other
@pytest.mark.parametrize("shape", [(5,), (1, 5), (7, 5), (2, 3, 5)])
def test_products_with_one_matrix_are_taken_at_once(shape, uses):
    W, V = leaf(4, 5), leaf(5, 4)
    xs = [leaf(*shape) for _ in range(uses)]
    loss = total(W * 3)
    for t, x in enumerate(xs):
        loss = loss + total(linear(x, W) * (t + 1)) + total((x @ V) ** 2)
    adjoints = backward(loss)
    for node, g in zip([W, V, xs[-1]], grad(loss, [W, V, xs[-1]]), strict=True):
        np.testing.assert_allclose(g, adjoints[node], rtol=1e-12)


def test_products_of_several_types_and_heights():
    W = leaf(4, 5, dtype=np.float32)
    few, many = leaf(2, 5), leaf(9, 5, dtype=np.float32)
    loss = total(linear(few, W)) + total(linear(many, W) ** 2)
    (g,) = grad(loss, [W])
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, backward(loss)[W], rtol=1e-5)
