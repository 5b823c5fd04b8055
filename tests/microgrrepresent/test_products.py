"""Products of vectors, matrices and batches: each pair of shapes, to the second order."""

import tracemalloc

import numpy as np
import pytest

import microgrrepresent as mg
from microgrrepresent import ShapeError, Tensor, gradcheck, gradgradcheck, linear, matmul

rng = np.random.default_rng(0)

SHAPES = [
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((4, 3), (3,)),
    ((4, 3), (3, 2)),
    ((2, 4, 3), (3,)),
    ((2, 4, 3), (3, 2)),
    ((2, 4, 3), (2, 3, 2)),
    ((4, 3), (2, 3, 2)),
    ((5, 1, 4, 3), (2, 3, 2)),
]


def tensors(*shapes):
    return [Tensor(rng.normal(size=shape), requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_matmul(shapes):
    a, b = tensors(*shapes)
    expected = np.matmul(a.value, b.value)
    for product in (a @ b, matmul(a, b), np.matmul(a, b), a.value @ b, a @ b.value):
        np.testing.assert_allclose(product.value, expected, rtol=1e-14)
        assert product.op is matmul
    gradcheck(matmul, [a, b])
    gradgradcheck(matmul, [a, b])


@pytest.mark.parametrize("lead", [(), (4,), (2, 4), (2, 0), (5, 2, 4)], ids=str)
def test_linear(lead):
    x, w = tensors((*lead, 3), (2, 3))
    np.testing.assert_allclose(linear(x, w).value, x.value @ w.value.T, rtol=1e-14)
    if x.size:
        gradcheck(linear, [x, w])
        gradgradcheck(linear, [x, w])
    else:
        for leaf, gradient in zip((x, w), mg.grad(linear(x, w).sum(), [x, w]), strict=True):
            np.testing.assert_array_equal(gradient, np.zeros(leaf.shape))


def test_the_gradient_of_a_batchs_one_matrix_needs_no_matrix_for_each_of_the_batch():
    x, w = tensors((256, 1, 64), (64, 64))
    y = x @ w
    tracemalloc.start()
    mg.grad(y.sum(), w)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * w.value.nbytes  # 256 matrices would be 4 times as much


@pytest.mark.parametrize("kind", ["int64", "float32", "complex128", "bool"])
def test_types_are_numpys(kind):
    a, b = np.arange(6).reshape(2, 3).astype(kind), np.arange(6).reshape(3, 2).astype(kind)
    product = Tensor(a) @ Tensor(b)
    assert product.dtype == (a @ b).dtype
    np.testing.assert_array_equal(product.value, a @ b)


@pytest.mark.parametrize("product", [matmul, mg.dot, linear])
def test_lists_are_taken_for_arrays(product):
    matrix, vector = [[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0]
    for pair in ((vector, matrix), (matrix, matrix), (np.array(vector), matrix)):
        expected = product(*map(np.array, pair))
        np.testing.assert_array_equal(product(*pair), expected)
        np.testing.assert_array_equal(product(pair[0], np.array(pair[1])), expected)
        np.testing.assert_array_equal(product(pair[0], Tensor(pair[1])).value, expected)
    assert mg.dot(vector, vector) == 61 and mg.dot(vector, 2.0).tolist() == [10, 12]


def test_dot_is_for_vectors_and_matrices():
    a, b = tensors((4, 3), (3, 2))
    np.testing.assert_array_equal(a.dot(b).value, a.value.dot(b.value))
    assert a.dot(b.value).op is matmul
    with pytest.raises(ShapeError, match=r"dot: \(2, 4, 3\) with \(3, 2\): .* use @"):
        tensors((2, 4, 3))[0].dot(b)
