"""Reductions: operations that take many elements to one, and their rules that spread one adjoint.

`cumsum` is beside them, a sum that keeps all its steps.

Axes are normalized once, in the public functions, so that a rule sees a tuple of axes that are
not negative. Rules keep the reduced axes as axes of length 1 (`_spread`); broadcasting does the
rest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from microgrrepresent.arrays import arrayed
from microgrrepresent.node import Array, Node
from microgrrepresent.ops.axes import from_front
from microgrrepresent.ops.elementwise import abs, floats, sqrt, where
from microgrrepresent.ops.joining import concatenate
from microgrrepresent.ops.shapes import broadcast_to, flip, reshape, transpose
from microgrrepresent.polymorphic import operation
from microgrrepresent.primitive import Primitive, primitive

Axis = int | tuple[int, ...] | None


def _spread(r: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """Reshape a reduced array so that it broadcasts against the array that it came from."""
    return reshape(r, tuple(1 if i in axis else n for i, n in enumerate(x.shape)))


def _count(x: Any, axis: tuple[int, ...]) -> int:
    return int(np.prod([x.shape[i] for i in axis], dtype=int))


def _share_of_ties(g: Any, y: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Split g evenly among the elements that are equal to the maximum (or minimum) y."""
    ties = (x == _spread(y, x, axis)) | (x != x)  # where there is NaN, it is the maximum
    share = _spread(g, x, axis) / sum(ties, axis, keepdims=True)
    return where(ties, share, 0)


def _reduced(function: str) -> Callable[..., str]:
    """``np.sum(x)``; ``np.sum(x, 0)``, ``np.sum(x, (0, 1), keepdims=True)`` where it is said."""

    def source(x: tuple[int, ...], axis: tuple[int, ...], keepdims: bool) -> str:
        axes = "" if len(axis) == len(x) else f", {axis[0] if len(axis) == 1 else axis}"
        return f"np.{function}(x{axes}{', keepdims=True' if keepdims else ''})"

    return source


def _sum_formula(x: tuple[int, ...], axis: tuple[int, ...], keepdims: bool) -> str:
    return "Σ(x)" if len(axis) == len(x) else "sum(x)"


_sum = primitive(
    "sum",
    np.add.reduce,
    (lambda g, y, x, axis, keepdims: broadcast_to(_spread(g, x, axis), x.shape),),
    symbol="Σ",
    source=_reduced("sum"),
    formula=_sum_formula,
    derivative="1",
    meets="spread",
)
_mean = primitive(
    "mean",
    lambda x, axis, keepdims: np.mean(x, axis=axis, keepdims=keepdims),
    (lambda g, y, x, axis, keepdims: broadcast_to(_spread(g, x, axis) / _count(x, axis), x.shape),),
    source=_reduced("mean"),
    formula="mean(x)",
    derivative="1 / n",
    meets="spread",
)
_max = primitive(
    "max",
    lambda x, axis, keepdims: np.max(x, axis=axis, keepdims=keepdims),
    (_share_of_ties,),
    source=_reduced("max"),
    formula="max(x)",
    derivative="(x == y) / np.sum(x == y, axis, keepdims=True)",
    meets="spread",
    analytic=False,
)
_min = primitive(
    "min",
    lambda x, axis, keepdims: np.min(x, axis=axis, keepdims=keepdims),
    (_share_of_ties,),
    source=_reduced("min"),
    formula="min(x)",
    derivative="(x == y) / np.sum(x == y, axis, keepdims=True)",
    meets="spread",
    analytic=False,
)


def product_of_others(x: Array, axis: tuple[int, ...]) -> Array:
    """For each element, the product of all others along the axes; also where some are 0."""
    is_zero = x == 0
    other_zeros = np.sum(is_zero, axis, keepdims=True) - is_zero
    without_zeros = np.where(is_zero, 1, x)
    product = np.prod(without_zeros, axis, keepdims=True)
    others: Array = np.where(other_zeros == 0, product / without_zeros, 0)
    return others


def _others(x: Any, axis: tuple[int, ...]) -> Any:
    """The same of operations that can be differentiated again, and are right at 0 then, too."""
    order = (*axis, *(i for i in range(x.ndim) if i not in axis))
    there = transpose(x, order) if order else x
    rows = reshape(there, (_count(x, axis), *there.shape[len(axis) :]))
    back = reshape(_other_rows(rows), there.shape)
    return transpose(back, tuple(np.argsort(order).tolist())) if order else back


def _other_rows(rows: Any) -> Any:
    """The product of the other rows: of a pair, that of the other pairs times one's partner."""
    if len(rows) < 2:
        return np.ones(rows.shape, rows.dtype)
    half = len(rows) // 2
    a, b, rest = rows[:half], rows[half : 2 * half], rows[2 * half :]
    others = _other_rows(concatenate([a * b, rest]))
    return concatenate([others[:half] * b, others[:half] * a, others[half:]])


_prod = primitive(
    "prod",
    np.multiply.reduce,
    (lambda g, y, x, axis, keepdims: _spread(g, x, axis) * _others(x, axis),),
    symbol="Π",
    source="np.prod(x, axis, keepdims=keepdims)",
    helpers=(product_of_others,),
    formula="prod(x)",
    derivative="product_of_others(x, axis)",
    meets="spread",
)
_cumsum: Primitive = primitive(
    "cumsum",
    lambda x, axis: np.cumsum(x, axis),
    (lambda g, y, x, axis: flip(_cumsum(flip(g, axis), axis=axis), axis),),
    symbol="Σ…",
    kind="linear",
    source="np.cumsum(x, axis)",
    formula="cumsum(x)",
    derivative="np.tri(x.size)",
    meets="rows",
    vjp_source="np.flip(np.cumsum(np.flip(g, axis), axis), axis)",
)


def _axes(x: Any, axis: Axis, op: str) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(from_front(a, x, op) for a in (axis if isinstance(axis, tuple) else (axis,)))


@operation
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over the given axes, or over all.

    Examples
    --------
    >>> from microgrrepresent import Tensor, sum
    >>> sum(Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).numpy().tolist()
    [4.0, 6.0]
    """
    x = arrayed(x)
    return _sum(x, axis=_axes(x, axis, "sum"), keepdims=keepdims)


@operation
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Arithmetic mean over the given axes, or over all."""
    x = arrayed(x)
    return _mean(x, axis=_axes(x, axis, "mean"), keepdims=keepdims)


@operation
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest element along the given axes, or of all; elements that tie share the adjoint."""
    x = arrayed(x)
    return _max(x, axis=_axes(x, axis, "max"), keepdims=keepdims)


@operation
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest element along the given axes, or of all; elements that tie share the adjoint."""
    x = arrayed(x)
    return _min(x, axis=_axes(x, axis, "min"), keepdims=keepdims)


@operation
def norm(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Euclidean norm over the given axes, or over all; its derivative at 0 is taken to be 0.

    Integers are made floats first, and complex numbers count by their absolute values.

    Examples
    --------
    >>> from microgrrepresent import Tensor, norm
    >>> float(norm(Tensor([3.0, 4.0])))
    5.0
    """
    return sqrt(sum(squares(x), axis, keepdims))


def squares(x: Any) -> Any:
    """|x|², elementwise, in floating point: int8 would overflow at 12²."""
    x = floats(x)
    x = abs(x) if x.dtype.kind == "c" else x
    return x * x


@operation
def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Product over the given axes, or over all; its derivatives are right also where some are 0.

    Examples
    --------
    >>> from microgrrepresent import Tensor, grad, prod
    >>> x = Tensor([2.0, 0.0, 3.0])
    >>> grad(prod(x), x).tolist()
    [0.0, 6.0, 0.0]
    """
    x = arrayed(x)
    return _prod(x, axis=_axes(x, axis, "prod"), keepdims=keepdims)


@operation
def cumsum(x: Any, axis: int | None = None) -> Any:
    """Sums of the elements up to each, along an axis, or of all in one row.

    Examples
    --------
    >>> from microgrrepresent import Tensor, cumsum
    >>> cumsum(Tensor([1.0, 2.0, 3.0])).numpy().tolist()
    [1.0, 3.0, 6.0]
    """
    x = arrayed(x)
    if axis is None:
        x, axis = reshape(x, -1), 0
    return _cumsum(x, axis=from_front(axis, x, "cumsum"))


@operation
def var(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """Variance: the mean squared distance from the mean, over the given axes, or over all.

    Parameters
    ----------
    x : array or Tensor
    axis : int, tuple of int or None
    ddof : float
        The sum is divided by the number of elements minus this: 0 as in NumPy; 1, PyTorch's
        default, for a sample.
    keepdims : bool
        Keep the reduced axes, with length 1.

    Examples
    --------
    >>> from microgrrepresent import Tensor, var
    >>> float(var(Tensor([1.0, 2.0, 3.0]), ddof=1))
    1.0
    """
    x = floats(x)
    axes = _axes(x, axis, "var")
    n = _count(x, axes) - ddof
    return sum(squares(x - mean(x, axes, keepdims=True)), axes, keepdims) / (n if n > 0 else 0)


@operation
def std(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """Standard deviation: the root of `var`; its derivative at 0 is taken to be 0.

    Examples
    --------
    >>> from microgrrepresent import Tensor, std
    >>> float(std(Tensor([[1.0, 3.0], [5.0, 7.0]]), axis=1).sum())
    2.0
    """
    return sqrt(var(x, axis, ddof, keepdims))


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum g over the axes along which an array of this shape was broadcast to g's.

    Broadcasting copies an element to many places, so its adjoint is the sum over those places.
    """
    axes = _copied(g.shape, shape)
    # Every bias passes here at every step, so arrays take the short way to NumPy.
    recorded = isinstance(g, Node)
    total = _sum(g, axis=axes, keepdims=False) if recorded else np.add.reduce(g, axis=axes)
    return total if total.shape == shape else reshape(total, shape)


@cache
def _copied(large: tuple[int, ...], small: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of the large shape along which an array of the small one was copied."""
    new = len(large) - len(small)
    return (*range(new), *(new + i for i, n in enumerate(small) if n == 1 != large[new + i]))
