"""Operations that move elements do what NumPy does, and send each adjoint back where it came from.

A gradient through an operation that only moves elements can be found without any rule: number the
elements, move the numbers, and see which element ended where.
"""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import microgrrepresent as mg
from microgrrepresent import Tensor, grad

M = np.arange(12.0).reshape(3, 4)


def check_moves(f, array):
    """F of a Tensor gives what f of the array gives; its gradient counts where elements went."""
    x = Tensor(array)
    moved = f(np.arange(array.size).reshape(array.shape))
    y = f(x)
    np.testing.assert_array_equal(y.numpy(), f(array))
    weights = np.random.default_rng(0).uniform(1, 2, y.shape)
    expected = np.bincount(moved.ravel(), weights.ravel(), array.size).reshape(array.shape)
    np.testing.assert_allclose(grad(y, x, weights), expected)


INDICES = {
    "integer": 1,
    "negative integer": -1,
    "NumPy integer": np.int64(1),
    "slice": slice(1, None),
    "reversed": slice(None, None, -1),
    "steps": (slice(None), slice(0, 4, 2)),
    "element": (2, 3),
    "ellipsis": (..., 0),
    "new axis": (None, 1),
    "list": [0, 2],
    "empty list": [],
    "repeats": [1, 1, 1, 0],
    "array": np.array([[0, 2], [2, 2]]),
    "unsigned": np.array([2, 2], np.uint8),
    "pairs with repeats": ([0, 0, 2], [1, 1, -1]),
    "array and slice": (slice(None), [3, 3]),
    "arrays apart": ([0, 0], None, [1, 1]),
    "mask": M > 4,
    "mask of rows": np.array([True, False, True]),
    "empty mask": M > 99,
    "True": True,
    "mask and integer": (np.array([True, False, True]), 1),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_getitem(index):
    check_moves(lambda x: x[index], M)


@given(data=st.data())
def test_getitem_of_any_shape(data):
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=4))
    index = data.draw(
        hnp.basic_indices(shape, allow_newaxis=True)
        | hnp.integer_array_indices(shape)
        | hnp.arrays(bool, shape)
    )
    check_moves(lambda x: x[index], np.arange(np.prod(shape, dtype=float)).reshape(shape))


@pytest.mark.parametrize(
    "index",
    [Tensor([1, 1]), Tensor(2), (Tensor([0, 0]), Tensor([1, 2])), Tensor(M > 4), [Tensor(1), 0]],
    ids=["row", "scalar", "pair", "mask", "list"],
)
def test_tensors_as_indices(index):
    def plain(part):
        return part.numpy() if isinstance(part, Tensor) else part

    same = tuple(map(plain, index)) if isinstance(index, tuple) else plain(index)
    if isinstance(index, list):
        same = [1, 0]
    x = Tensor(M)
    y = x[index]
    np.testing.assert_array_equal(y.numpy(), M[same])
    expected = np.zeros_like(M)
    np.add.at(expected, same, 1.0)
    np.testing.assert_array_equal(grad(y.sum(), x), expected)


def test_integers_of_a_tensor_are_a_parent():
    i = Tensor([1, 1], name="i")
    assert Tensor(M)[i].parents[1] is i


MOVES = {
    "reshape": lambda m, x: m.reshape(x, (2, 6)),
    "reshape -1": lambda m, x: m.reshape(x, -1),
    "transpose": lambda m, x: m.transpose(x),
    "transpose by axes": lambda m, x: m.transpose(x, (1, 0)),
    "swapaxes": lambda m, x: m.swapaxes(x, 0, -1),
    "broadcast_to": lambda m, x: m.broadcast_to(x, (2, 3, 4)),
    "expand_dims": lambda m, x: m.expand_dims(x, 1),
    "expand_dims at the end": lambda m, x: m.expand_dims(x, -1),
    "squeeze": lambda m, x: m.squeeze(m.expand_dims(x, 1), 1),
    "squeeze all": lambda m, x: m.squeeze(m.reshape(x, (1, 12, 1))),
    "squeeze some": lambda m, x: m.squeeze(m.reshape(x, (1, 12, 1, 1)), (0, -1)),
    "flip": lambda m, x: m.flip(x),
    "flip rows": lambda m, x: m.flip(x, 0),
    "flip both": lambda m, x: m.flip(x, (0, 1)),
    "concatenate": lambda m, x: m.concatenate([x, x[:1], x], 0),
    "concatenate columns": lambda m, x: m.concatenate([x, x[:, 2:]], -1),
    "concatenate one": lambda m, x: m.concatenate([x]),
    "stack": lambda m, x: m.stack([x, x]),
    "stack last": lambda m, x: m.stack([x, x], -1),
    "split": lambda m, x: m.split(x, 3)[1],
    "split columns": lambda m, x: m.stack(m.split(x, 2, axis=-1)),
    "split at": lambda m, x: m.split(x, [1, 2])[2],
    "split by array": lambda m, x: m.split(x, np.array([1]))[1],
}


@pytest.mark.parametrize("f", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("by", [mg, np], ids=["own", "NumPy"])
def test_moves(f, by):
    check_moves(lambda x: f(by if isinstance(x, Tensor) else np, x), M)


METHODS = {
    "reshape": lambda x: x.reshape(2, -1),
    "reshape by tuple": lambda x: x.reshape((4, 3)),
    "reshape by NumPy integers": lambda x: x.reshape(np.int64(4), np.int64(3)),
    "transpose": lambda x: x.transpose(),
    "transpose by axes": lambda x: x.transpose(1, 0),
    "T": lambda x: x.T,
    "swapaxes": lambda x: x.swapaxes(1, 0),
    "squeeze": lambda x: x[:, None].squeeze(1),
}


@pytest.mark.parametrize("f", METHODS.values(), ids=METHODS)
def test_methods(f):
    check_moves(f, M)


def test_a_dropped_part_of_a_split_gets_zeros():
    x = Tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    first, _ = mg.split(x, 2)
    (first * first).sum().backward()
    assert x.grad.tolist() == [2, 4, 0, 0]


def test_the_parts_of_a_split_are_selections():
    x = Tensor(M, requires_grad=True)
    with mg.scope("cell"), mg.step(2):
        parts = mg.split(x, 2, axis=1)
        written = [x[:, 0:2], x[:, 2:4]]
    for part, same in zip(parts, written, strict=True):
        assert (part.op, part.params, part.place) == (same.op, same.params, same.place)
        assert part.parents == (x,) and part.requires_grad
    with mg.no_grad():
        assert all(part.is_leaf and not part.requires_grad for part in mg.split(x, 2, axis=1))


def test_an_embedding_adds_up_repeated_rows():
    table = Tensor(M, requires_grad=True)
    rows = mg.take(table, [[0, 2], [2, 2]])
    assert rows.shape == (2, 2, 4)
    rows.sum().backward()
    assert table.grad.tolist() == [[1] * 4, [0] * 4, [3] * 4]


def test_one_hot():
    assert mg.one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert mg.one_hot(np.array([[1]]), 2, np.float32).dtype == np.float32
    y = mg.one_hot(Tensor([[1], [0]]), 2)
    assert isinstance(y, Tensor)
    assert y.numpy().tolist() == [[[0, 1]], [[1, 0]]]
    assert mg.one_hot([], 2).shape == (0, 2)


def test_empty_products_have_empty_gradients():
    a, b = Tensor(np.zeros((2, 3, 0))), Tensor(np.zeros((0, 4)))
    assert [g.shape for g in grad((a @ b).sum(), [a, b])] == [(2, 3, 0), (0, 4)]
    w = Tensor(np.zeros((4, 0)))
    assert [g.shape for g in grad(mg.linear(a, w).sum(), [a, w])] == [(2, 3, 0), (4, 0)]


@pytest.mark.parametrize("axis", [0, -1, (0, 1), (-1, 0), (), None])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
def test_reductions_are_those_of_numpy(name, axis, keepdims):
    expected = getattr(np, name)(M, axis=axis, keepdims=keepdims)
    for y in (
        getattr(mg, name)(Tensor(M), axis, keepdims),
        getattr(Tensor(M), name)(axis=axis, keepdims=keepdims),
        getattr(np, name)(Tensor(M), axis=axis, keepdims=keepdims),
    ):
        np.testing.assert_array_equal(y.numpy(), expected)
        assert y.shape == expected.shape
