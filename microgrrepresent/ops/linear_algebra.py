"""Matrix products, the linear algebra that recurrent networks are made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from microgrrepresent.errors import ShapeError, operand
from microgrrepresent.node import running
from microgrrepresent.ops.shapes import expand_dims, reshape, squeeze, swapaxes
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


matmul = primitive(
    "matmul",
    _product,
    (_left, _right),
    symbol="@",
    derivative=(r"{b}^\top", r"{a}^\top"),
    doc="a @ b for vectors, matrices and batches of matrices, by NumPy's rules.",
)


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
    return a * b if 0 in (np.ndim(a), np.ndim(b)) else matmul(a, b)


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


linear = primitive(
    "linear",
    _linear,
    (lambda g, y, x, w: _product(g, w), _weight),
    symbol="W·",
    derivative=("{w}", "{x}"),
    doc="linear(x, w): the matrix w (out, in) applied to each row of x (..., in): x @ w.T.",
)
