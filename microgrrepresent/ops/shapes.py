r"""Operations that move elements without changing them; their derivatives move adjoints back.

Every operation here is linear, and its rule is its *adjoint* map: reshape back, transpose back,
and for a selection, `scatter_add`, which puts each adjoint where its element came from and adds
up those that came from the same place.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from microgrrepresent.node import Node
from microgrrepresent.primitive import Primitive, each, primitive

_reshape = primitive(
    "reshape",
    lambda x, shape: x.reshape(shape),
    (lambda g, y, x, shape: reshape(g, x.shape),),
)
_transpose = primitive(
    "transpose",
    lambda x, axes: x.transpose(axes),
    (lambda g, y, x, axes: transpose(g, tuple(np.argsort(axes).tolist())),),
    symbol="ᵀ",
)
_broadcast_to = primitive(
    "broadcast_to",
    lambda x, shape: np.broadcast_to(x, shape),
    (lambda g, y, x, shape: g,),  # the sweep sums over what was broadcast, on the edge
)
_getitem = primitive(
    "getitem",
    lambda x, index: x[index],
    (lambda g, y, x, index: _scatter_add(g, index=index, shape=x.shape),),
    symbol="[·]",
)


def _scatter(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, g.dtype)
    if _is_basic(index):
        out[index] = g  # slices and integers select each element once
    else:
        np.add.at(out, index, g)
    return out


_scatter_add: Primitive = primitive(
    "scatter_add",
    _scatter,
    (lambda g, y, x, index, shape: _getitem(g, index=index),),
    symbol="+[·]",
)
take = primitive(
    "take",
    lambda table, indices: table[indices],
    (lambda g, y, table, indices: _put(g, indices, rows=table.shape[0]), None),
    symbol="[·]",
    doc="take(table, indices): rows of a table, the embedding look-up; repeated rows add up.",
)
_put: Primitive = primitive(
    "put",
    lambda g, indices, rows: _scatter(g, indices, (rows, *g.shape[indices.ndim :])),
    (lambda g, y, x, indices, rows: take(g, indices), None),
    symbol="+[·]",
)
_flip: Primitive = primitive(
    "flip",
    lambda x, axis: np.flip(x, axis),
    (lambda g, y, x, axis: _flip(g, axis=axis),),
    symbol="⇄",
)
_concatenate = primitive(
    "concatenate",
    lambda *xs, axis: np.concatenate(xs, axis),
    each(lambda i, g, y, *xs, axis: _getitem(g, index=_part(i, xs, axis))),
    symbol="⧺",
)
_stack = primitive(
    "stack",
    lambda *xs, axis: np.stack(xs, axis),
    each(lambda i, g, y, *xs, axis: _getitem(g, index=(slice(None),) * axis + (i,))),
    symbol="⧺",
)


def _part(i: int, xs: tuple[Any, ...], axis: int) -> tuple[slice, ...]:
    """Index of what the i-th of several concatenated arrays became."""
    start = builtins.sum(x.shape[axis] for x in xs[:i])
    return (slice(None),) * axis + (slice(start, start + xs[i].shape[axis]),)


def _is_basic(index: Any) -> bool:
    """Whether an index is made of integers, slices, None and ... only, so that none repeats."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None or part is Ellipsis or isinstance(part, slice) or type(part) is int
        for part in parts
    )


def getitem(x: Any, index: Any) -> Any:
    """``x[index]``: integers, slices, None, ..., integer arrays (repeats add up), boolean masks.

    A Tensor of integers as the only index is recorded as a parent (see `take`); inside a tuple
    and as a mask it stands for its values.
    """
    if isinstance(index, Node) and index.dtype.kind in "iu":
        return take(x, index)
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(
        np.asarray(part.value if isinstance(part, Node) else part)
        if isinstance(part, (list, Node))
        else part
        for part in parts
    )
    return _getitem(x, index=plain if isinstance(index, tuple) else plain[0])


def reshape(x: Any, *shape: int | Sequence[int]) -> Any:
    """The same elements in another shape; one length may be -1 and is worked out.

    Examples
    --------
    >>> from microgrrepresent import Tensor, reshape
    >>> reshape(Tensor([[1.0, 2.0], [3.0, 4.0]]), -1).shape
    (4,)
    """
    return _reshape(x, shape=_lengths(shape))


def broadcast_to(x: Any, *shape: int | Sequence[int]) -> Any:
    """Repeat x along new and length-1 axes until it has the given shape."""
    return _broadcast_to(x, shape=_lengths(shape))


def transpose(x: Any, *axes: int | Sequence[int]) -> Any:
    """Permute the axes; reverse them where no order is given."""
    order = _lengths(axes) or tuple(range(x.ndim))[::-1]
    return _transpose(x, axes=tuple(axis % x.ndim for axis in order))


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes."""
    axes = list(range(x.ndim))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return _transpose(x, axes=tuple(axes))


def expand_dims(x: Any, axis: int) -> Any:
    """Insert an axis of length 1 at position `axis` of the result."""
    at = axis % (x.ndim + 1)
    return _reshape(x, shape=(*x.shape[:at], 1, *x.shape[at:]))


def squeeze(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Drop axes of length 1: those given, or all of them.

    Raises
    ------
    ShapeError
        If a given axis is not of length 1.
    """
    if axis is None:
        return _reshape(x, shape=tuple(n for n in x.shape if n != 1))
    drop = {a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    return _squeeze(x, axis=tuple(sorted(drop)))


_squeeze = primitive(
    "squeeze",
    lambda x, axis: np.squeeze(x, axis),
    (lambda g, y, x, axis: reshape(g, x.shape),),
)


def flip(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Reverse the order of the elements along the given axes, or along all."""
    return _flip(x, axis=axis)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays along an axis that they have.

    Examples
    --------
    >>> from microgrrepresent import Tensor, concatenate
    >>> concatenate([Tensor([1.0]), Tensor([2.0, 3.0])]).numpy().tolist()
    [1.0, 2.0, 3.0]
    """
    xs = _several(xs, "concatenate")
    return _concatenate(*xs, axis=axis % max(xs[0].ndim, 1))


def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis."""
    xs = _several(xs, "stack")
    return _stack(*xs, axis=axis % (xs[0].ndim + 1))


def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Cut x along an axis: into `sections` equal parts, or before each of the given positions.

    Parts are nodes of their own; one that is never used gets an adjoint of 0.

    Raises
    ------
    ValueError
        If the axis cannot be cut into that many equal parts.

    Examples
    --------
    >>> from microgrrepresent import Tensor, split
    >>> [part.shape for part in split(Tensor([1.0, 2.0, 3.0, 4.0]), 2)]
    [(2,), (2,)]
    """
    axis, length = axis % x.ndim, x.shape[axis]
    if isinstance(sections, int):
        if sections < 1 or length % sections:
            raise ValueError(f"split: axis {axis} of length {length} has no {sections} equal parts")
        cuts = list(range(0, length + 1, length // sections)) if length else [0] * (sections + 1)
    else:
        cuts = [0, *sections, length]
    before = (slice(None),) * axis
    return [_getitem(x, index=(*before, slice(a, b))) for a, b in zip(cuts, cuts[1:], strict=False)]


def one_hot(indices: Any, classes: int, dtype: Any = np.float64) -> Any:
    """Vectors of length `classes` that are 1 at the index and 0 elsewhere, on a new last axis.

    Raises
    ------
    ValueError
        If an index is not in 0..classes-1.

    Examples
    --------
    >>> from microgrrepresent import one_hot
    >>> one_hot([2, 0], 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    given = indices.value if isinstance(indices, Node) else np.asarray(indices)
    if given.size and not 0 <= given.min() <= given.max() < classes:
        raise ValueError(
            f"one_hot: index {given.min() if given.min() < 0 else given.max()} "
            f"is not among the {classes} classes 0..{classes - 1}"
        )
    return take(np.eye(classes, dtype=dtype), indices if isinstance(indices, Node) else given)


def _lengths(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """``(2, 3)`` from ``f(x, 2, 3)`` and ``f(x, (2, 3))`` alike."""
    flat = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    return tuple(int(n) for n in flat)


def _several(xs: Sequence[Any], name: str) -> list[Any]:
    made = [x if isinstance(x, Node) else np.asarray(x) for x in xs]
    if not made:
        raise ValueError(f"{name}: needs at least one array")
    return made
