r"""The same elements in another shape or order; the derivatives move adjoints back.

Every operation here is linear, and its rule is its *adjoint* map: reshape back, transpose back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from microgrrepresent.arrays import arrayed
from microgrrepresent.ops.axes import from_front, lengths
from microgrrepresent.polymorphic import operation
from microgrrepresent.primitive import Primitive, primitive


def _order(axes: Sequence[int]) -> str:
    """``.T`` for the axes in reverse order."""
    is_reversed = list(axes) == list(range(len(axes)))[::-1]
    return ".T" if is_reversed else f".transpose({tuple(axes)})"


def _transposed(letter: str, axes: Sequence[int]) -> str:
    """``x.T``, ``x.mT`` of a batch of matrices; of any other order of axes the order, too."""
    n = len(axes)
    if list(axes) == list(range(n))[::-1]:
        return f"{letter}.T"
    is_batch = list(axes) == [*range(n - 2), n - 1, n - 2]
    return f"{letter}.mT" if is_batch else f"transpose({letter}, {tuple(axes)})"


_reshape: Primitive = primitive(
    "reshape",
    lambda x, shape: x.reshape(shape),
    (lambda g, y, x, shape: _reshape(g, shape=x.shape),),
    kind="moves",
    source="x.reshape(shape)",
    formula="x",
    vjp_source="g.reshape(x.shape)",
    vjp_formula="g",
    vjp_words="the same numbers in the old shape",
)

_transpose: Primitive = primitive(
    "transpose",
    lambda x, axes: x.transpose(axes),
    (lambda g, y, x, axes: _transpose(g, axes=tuple(np.argsort(axes).tolist())),),
    symbol="ᵀ",
    kind="moves",
    source=lambda x, axes: f"x{_order(axes)}",
    formula=lambda x, axes: _transposed("x", axes),
    vjp_source=lambda x, axes: f"g{_order(np.argsort(axes).tolist())}",
    vjp_formula=lambda x, axes: _transposed("g", np.argsort(axes).tolist()),
    vjp_words="transposed back",
)

_broadcast_to = primitive(
    "broadcast_to",
    lambda x, shape: np.broadcast_to(x, shape),
    (lambda g, y, x, shape: g,),  # the sweep sums over what was broadcast, on the edge
    kind="moves",
    source="np.broadcast_to(x, shape)",
    formula="x",
    vjp_source="g",
    vjp_formula="g",
    vjp_words="summed over the copies",
)

_squeeze = primitive(
    "squeeze",
    lambda x, axis: np.squeeze(x, axis),
    (lambda g, y, x, axis: _reshape(g, shape=x.shape),),
    kind="moves",
    source="np.squeeze(x, axis)",
    formula="x",
    vjp_source="g.reshape(x.shape)",
    vjp_formula="g",
    vjp_words="the same numbers in the old shape",
)

_flip: Primitive = primitive(
    "flip",
    lambda x, axis: np.flip(x, axis),
    (lambda g, y, x, axis: _flip(g, axis=axis),),
    symbol="⇄",
    kind="moves",
    source="np.flip(x, axis)",
    formula="flip(x)",
    vjp_source="np.flip(g, axis)",
    vjp_formula="flip(g)",
    vjp_words="in reverse order again",
)


@operation
def reshape(x: Any, *shape: int | Sequence[int]) -> Any:
    """The same elements in another shape; one length may be -1 and is worked out.

    Examples
    --------
    >>> from microgrrepresent import Tensor, reshape
    >>> reshape(Tensor([[1.0, 2.0], [3.0, 4.0]]), -1).shape
    (4,)
    """
    x = arrayed(x)
    return _reshape(x, shape=lengths(shape, "reshape"))


@operation
def broadcast_to(x: Any, *shape: int | Sequence[int]) -> Any:
    """Repeat x along new and length-1 axes until it has the given shape."""
    x = arrayed(x)
    return _broadcast_to(x, shape=lengths(shape, "broadcast_to"))


@operation
def transpose(x: Any, *axes: int | Sequence[int]) -> Any:
    """Permute the axes; reverse them where no order is given."""
    x = arrayed(x)
    order = lengths(axes, "transpose") or tuple(range(x.ndim))[::-1]
    return _transpose(x, axes=tuple(from_front(axis, x, "transpose") for axis in order))


@operation
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes."""
    x = arrayed(x)
    axes = list(range(x.ndim))
    a, b = from_front(axis1, x, "swapaxes"), from_front(axis2, x, "swapaxes")
    axes[a], axes[b] = b, a
    return _transpose(x, axes=tuple(axes))


@operation
def expand_dims(x: Any, axis: int) -> Any:
    """Insert an axis of length 1 at position `axis` of the result."""
    x = arrayed(x)
    at = from_front(axis, x, "expand_dims", new=1)
    return _reshape(x, shape=(*x.shape[:at], 1, *x.shape[at:]))


@operation
def squeeze(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Drop axes of length 1: those given, or all of them.

    Raises
    ------
    ShapeError
        If a given axis is not of length 1.
    """
    x = arrayed(x)
    if axis is None:
        return _reshape(x, shape=tuple(n for n in x.shape if n != 1))
    drop = axis if isinstance(axis, tuple) else (axis,)
    return _squeeze(x, axis=tuple(sorted({from_front(a, x, "squeeze") for a in drop})))


@operation
def flip(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Reverse the order of the elements along the given axes, or along all."""
    x = arrayed(x)
    return _flip(x, axis=axis)
