"""Matrix products, the linear algebra that recurrent networks are made of."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.errors import ShapeError, operand
from microgrrepresent.node import Array, N
from microgrrepresent.ops.elementwise import mul
from microgrrepresent.ops.shapes import expand_dims, reshape, squeeze, swapaxes
from microgrrepresent.parts import Outer
from microgrrepresent.place import running
from microgrrepresent.primitive import primitive


def _product(a: Any, b: Any) -> Any:
    """The product a @ b; of two matrices by way of dot, which gets to BLAS in half the time."""
    return a.dot(b) if a.ndim == b.ndim == 2 else a @ b


def _left(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == b.ndim == 2:
        return g.dot(b.T)
    g, a, b = _as_matrices(g, a, b)
    return g @ swapaxes(b, -1, -2)


def _right(g: Any, y: Any, a: Any, b: Any) -> Any:
    if a.ndim == b.ndim == 2:
        return a.T.dot(g)
    vector = b.ndim == 1
    g, a, b = _as_matrices(g, a, b)
    if b.ndim == 2:  # one matrix for the whole batch: sum over the batch inside the product
        a, g = _rows(a), _rows(g)
    db = swapaxes(a, -1, -2) @ g
    return squeeze(db, -1) if vector else db


def _outer(g: Any, y: Any, a: Any, b: Any) -> Any:
    """`_right` of two matrices, for the sums over the steps to take."""
    return Outer((a, g)) if a.ndim == b.ndim == 2 else _right(g, y, a, b)


def _as_matrices(g: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Give vectors the axis of length 1 that the product had left out."""
    if b.ndim == 1:
        g, b = expand_dims(g, -1), expand_dims(b, -1)
    if a.ndim == 1:
        g, a = expand_dims(g, -2), expand_dims(a, 0)
    return g, a, b


def _rows(x: Any) -> Any:
    """A vector or a batch of matrices as one matrix; -1 could not be worked out for 0 elements."""
    return reshape(x, math.prod(x.shape[:-1]), x.shape[-1])


# Of two matrices, a product is said in one way; vectors and batches want what follows.


def _transposed(letter: str) -> Callable[..., str]:
    """``b.T``; of a batch of matrices ``b.mT``, and beside a vector the vector itself."""
    position = "ab".index(letter)

    def text(*shapes: tuple[int, ...]) -> str:
        if len(shapes[0]) == len(shapes[1]) == 1:
            return letter
        return f"{letter}.{'mT' if len(shapes[position]) > 2 else 'T'}"

    return text


def _meets(product: str) -> Callable[..., str]:
    """Of two vectors the product is a number, and its derivative by one the other vector."""
    return lambda a, b: "elementwise" if len(a) == len(b) == 1 else product


def _left_source(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    if len(a) == 1 and len(b) > 2:
        return "(g[..., None, :] @ b.mT)[..., 0, :]"
    if len(b) > 1:
        return f"g @ {_transposed('b')(a, b)}"
    return {1: "g * b", 2: "np.outer(g, b)"}.get(len(a), "g[..., None] * b")


def _right_source(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    if len(a) == 1:
        return {1: "g * a", 2: "np.outer(a, g)"}.get(len(b), "a[:, None] * g[..., None, :]")
    if len(a) > 2 and len(b) < 3:  # one vector or matrix for the whole batch
        columns = ", b.shape[-1]" if len(b) == 2 else ""
        return f"a.reshape(-1, a.shape[-1]).T @ g.reshape(-1{columns})"
    return f"{_transposed('a')(a, b)} @ g"


def _matmul_mismatch(shapes: Sequence[tuple[int, ...]]) -> str:
    """Say which two axes of a matrix product disagree: ``16 != 8``."""
    if not all(shapes):
        return "a matrix product takes vectors and matrices, not scalars; use * for those"
    (*_, k), right = shapes[0], shapes[1]
    m = right[-2] if len(right) > 1 else right[0]
    if k != m:
        return f"{k} != {m}; the last axis of the left must be the second to last of the right"
    return "the leading (batch) axes do not broadcast"


matmul = primitive(
    "matmul",
    _product,
    (_left, _right),
    outer=_outer,
    symbol="@",
    kind="product",
    source="a @ b",
    derivative=(_transposed("b"), _transposed("a")),
    meets=(_meets("right"), _meets("left")),
    vjp_source=(_left_source, _right_source),
    mismatch=_matmul_mismatch,
    doc="a @ b for vectors, matrices and batches of matrices, by NumPy's rules.",
)


@overload
def dot(a: N, b: Any) -> N: ...
@overload
def dot(a: Any, b: N) -> N: ...
@overload
def dot(a: ArrayLike, b: ArrayLike) -> Array: ...
def dot(a: Any, b: Any) -> Any:
    """The product of vectors and matrices, as ``np.dot`` has it; numbers multiply all elements.

    Raises
    ------
    ShapeError
        If an operand has more than two axes: there, ``np.dot`` and ``@`` differ.
    """
    if max(np.ndim(a), np.ndim(b)) > 2:
        raise ShapeError(
            f"{running('dot')}: {operand(getattr(a, 'name', None), a)} with "
            f"{operand(getattr(b, 'name', None), b)}: of more than two axes, np.dot makes all "
            "pairs of rows and columns; use @ for batches of matrices"
        )
    return (mul if 0 in (np.ndim(a), np.ndim(b)) else matmul)(a, b)


def _linear(x: Any, w: Any) -> Any:
    if w.ndim != 2:
        raise ValueError("the second operand is no matrix")
    if x.ndim > 2:  # one product of two matrices instead of one for each matrix in x
        return _rows(x).dot(w.T).reshape(*x.shape[:-1], w.shape[0])
    return x.dot(w.T)


def _weight(g: Any, y: Any, x: Any, w: Any) -> Any:
    """The outer products of the rows of g and x, summed over the batch: one matrix product."""
    if x.ndim != 2:
        g, x = _rows(g), _rows(x)
    return g.T.dot(x)


def _weight_outer(g: Any, y: Any, x: Any, w: Any) -> Outer:
    """The same, for the sums over the steps to take."""
    return Outer((g, x) if x.ndim == 2 else (_rows(g), _rows(x)))


def _linear_mismatch(shapes: Sequence[tuple[int, ...]]) -> str:
    """Say why a matrix cannot be applied to the rows of an array: ``3 != 5``."""
    x, w = shapes
    if len(w) != 2 or not x:
        return "linear applies a matrix (out, in) to vectors (..., in)"
    return f"{x[-1]} != {w[1]}; the last axis of x must be the second of the matrix (out, in)"


linear = primitive(
    "linear",
    _linear,
    (lambda g, y, x, w: _product(g, w), _weight),
    outer=_weight_outer,
    symbol="W·",
    kind="product",
    source="x @ w.T",
    derivative=("w", "x"),
    meets=("right", "outer"),
    mismatch=_linear_mismatch,
    doc="linear(x, w): the matrix w (out, in) applied to each row of x (..., in): x @ w.T.",
)
