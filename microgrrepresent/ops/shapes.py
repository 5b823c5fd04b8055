r"""Operations that move elements without changing them; their derivatives move adjoints back.

Every operation here is linear, and its rule is its *adjoint* map: reshape back, transpose back,
and for a selection, `scatter_add`, which puts each adjoint where its element came from and adds
up those that came from the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import index as as_int
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.errors import DTypeError, ShapeError, operand
from microgrrepresent.node import Array, N, Node
from microgrrepresent.operands import arrayed, operation, unmasked
from microgrrepresent.place import running
from microgrrepresent.primitive import Primitive, Rule, each, primitive

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


def _order(axes: Sequence[int]) -> str:
    """``.T`` for the axes in reverse order."""
    is_reversed = list(axes) == list(range(len(axes)))[::-1]
    return ".T" if is_reversed else f".transpose({tuple(axes)})"


_transpose: Primitive = primitive(
    "transpose",
    lambda x, axes: x.transpose(axes),
    (lambda g, y, x, axes: _transpose(g, axes=tuple(np.argsort(axes).tolist())),),
    symbol="ᵀ",
    kind="moves",
    source=lambda x, axes: f"x{_order(axes)}",
    formula="x.T",
    vjp_source=lambda x, axes: f"g{_order(np.argsort(axes).tolist())}",
    vjp_formula="g.T",
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


def _getitem_source(x: tuple[int, ...], index: Any) -> str:
    """Of a selection in which an element can be twice, the additions must not run into another."""
    return "dx[index] += g" if _is_basic(index) else "np.add.at(dx, index, g)"


_getitem = primitive(
    "getitem",
    lambda x, index: x[index],
    (lambda g, y, x, index: _scatter_add(g, index=index, shape=x.shape),),
    symbol="[·]",
    kind="moves",
    source="x[index]",
    vjp_source=_getitem_source,
    vjp_formula="place(g, index)",
    vjp_words="goes back to where the elements were selected",
    scatter=lambda out, g, x, index: _add_at(out, index, g),
)


_BASIC = (slice, int, type(None), type(Ellipsis))


def _add_at(out: Any, index: Any, g: Any) -> None:
    if not _is_basic(index):
        np.add.at(out, index, g)
        return
    selected = out[index]  # slices and integers select each element once
    if isinstance(selected, np.ndarray):
        selected += g  # a view; `out[index] += g` would copy it onto itself afterwards
    else:
        out[index] = selected + g


def _scatter(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, g.dtype)
    _add_at(out, index, g)
    return out


def place(x: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros, with the elements of x added where the index says."""
    out = np.zeros(shape, x.dtype)
    np.add.at(out, index, x)
    return out


_scatter_add: Primitive = primitive(
    "scatter_add",
    _scatter,
    (lambda g, y, x, index, shape: _getitem(g, index=index),),
    symbol="+[·]",
    kind="moves",
    source="place(x, index, shape)",
    helpers=(place,),
    formula="place(x, index)",
    vjp_source="g[index]",
    vjp_formula="g[index]",
    vjp_words="is selected again",
)
_take: Primitive = primitive(
    "take",
    lambda table, indices: table[indices],
    (lambda g, y, table, indices: _put(g, indices, shape=table.shape), None),
    symbol="[·]",
    kind="moves",
    source="table[indices]",
    vjp_source=("np.add.at(dtable, indices, g)", "0"),
    vjp_formula=("onehot(indices).T @ g", "0"),
    vjp_words="is added to the rows that were looked up",
    scatter=lambda out, g, table, indices: np.add.at(out, indices, g),
)
_put: Primitive = primitive(
    "put",
    lambda g, indices, shape: _scatter(g, indices, shape),
    (lambda g, y, x, indices, shape: _take(g, indices), None),
    symbol="+[·]",
    kind="moves",
    source="place(x, indices, shape)",
    helpers=(place,),
    formula="place(x, indices)",
    vjp_source=("g[indices]", "0"),
    vjp_formula=("g[indices]", "0"),
    vjp_words="is looked up again",
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


def _unjoin(xs: Sequence[Any], axis: int) -> Rule:
    """The rule of concatenate: each array gets back the part that it became."""
    ends = accumulate((x.shape[axis] for x in xs), initial=0)
    parts = _between(tuple(ends), axis)
    return lambda i, g, y: _getitem(g, index=parts[i])


_concatenate = primitive(
    "concatenate",
    lambda *xs, axis: np.concatenate(xs, axis),
    each(_unjoin),
    symbol="⧺",
    kind="moves",
    source="np.concatenate(xs, axis)",
    formula="[*xs]",
    vjp_source=lambda *shapes, axis: f"g[{':, ' * axis}start:stop]",
    vjp_formula="g[start:stop]",
    vjp_words="its own part of what was joined",
)
_stack = primitive(
    "stack",
    lambda *xs, axis: np.stack(xs, axis),
    each(lambda xs, axis: lambda i, g, y: _getitem(g, index=(slice(None),) * axis + (i,))),
    symbol="⧺",
    kind="moves",
    source="np.stack(xs, axis)",
    formula="[*xs]",
    vjp_source=lambda *shapes, axis: f"g[{':, ' * axis}i]",
    vjp_formula="g[i]",
    vjp_words="its own part of the stack",
)


def _is_basic(index: Any) -> bool:
    """Whether an index is made of integers, slices, None and ... only, so that none repeats."""
    for part in index if isinstance(index, tuple) else (index,):
        if type(part) not in _BASIC and not isinstance(part, np.integer):
            return False
    return True


def from_front(axis: int, x: Any, op: str, new: int = 0) -> int:
    """Count an axis of x from the front, so that no rule sees -1; with `new` axes to be added.

    Raises
    ------
    ShapeError
        If x has no such axis.
    """
    ndim: int = x.ndim + new
    if not hasattr(axis, "__index__"):
        raise TypeError(f"{running(op)}: an axis is an integer, got {axis!r}")
    axis = as_int(axis)
    if -ndim <= axis < ndim:
        return axis % ndim
    have = f"its axes are 0..{ndim - 1}, or -{ndim}..-1 from the last" if ndim else "it has none"
    whole = operand(getattr(x, "name", None), x)
    raise ShapeError(f"{running(op)}: {whole} {'takes' if new else 'has'} no axis {axis}: {have}")


def _frozen_index(part: Any) -> Array:
    """An array of indices of our own: the one given could change before the rule reads it."""
    index = np.array(part.value if isinstance(part, Node) else unmasked(part))
    if isinstance(part, list) and not index.size:
        index = index.astype(int)  # NumPy makes floats of an empty list
    index.setflags(write=False)
    return index


@operation
def getitem(x: Any, index: Any) -> Any:
    """``x[index]``: integers, slices, None, ..., integer arrays (repeats add up), boolean masks.

    A Tensor as the only index is recorded as a parent (see `take`); inside a tuple it stands for
    its values.
    """
    if isinstance(index, Node) and index.dtype.kind in "iub":
        return _take(x, index)
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(_plain(part) for part in parts)
    return _getitem(x, index=plain if isinstance(index, tuple) else plain[0])


def _plain(part: Any) -> Any:
    """A part of an index that nobody can change afterwards."""
    if isinstance(part, slice):
        ends = (part.start, part.stop, part.step)
        return slice(*[None if end is None else as_int(end) for end in ends])
    return _frozen_index(part) if isinstance(part, (list, np.ndarray, Node)) else part


@operation
def take(table: Any, indices: Any) -> Any:
    """Rows of a table, the embedding look-up: ``table[indices]``, with the indices as a node.

    Where a row is taken several times, its adjoints add up.

    Examples
    --------
    >>> from microgrrepresent import Tensor, grad, take
    >>> table = Tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> grad(take(table, [1, 1, 1]).sum(), table).tolist()
    [[0.0, 0.0], [3.0, 3.0]]
    """
    table = arrayed(table)
    return _take(table, indices if isinstance(indices, Node) else _frozen_index(indices))


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
    return _reshape(x, shape=_lengths(shape))


@operation
def broadcast_to(x: Any, *shape: int | Sequence[int]) -> Any:
    """Repeat x along new and length-1 axes until it has the given shape."""
    x = arrayed(x)
    return _broadcast_to(x, shape=_lengths(shape))


@operation
def transpose(x: Any, *axes: int | Sequence[int]) -> Any:
    """Permute the axes; reverse them where no order is given."""
    x = arrayed(x)
    order = _lengths(axes) or tuple(range(x.ndim))[::-1]
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


@operation
def flip(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Reverse the order of the elements along the given axes, or along all."""
    x = arrayed(x)
    return _flip(x, axis=axis)


@overload
def concatenate(xs: Sequence[N], axis: int = 0) -> N: ...
@overload
def concatenate(xs: Sequence[Any], axis: int = 0) -> Any: ...
def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays along an axis that they have.

    Examples
    --------
    >>> from microgrrepresent import Tensor, concatenate
    >>> concatenate([Tensor([1.0]), Tensor([2.0, 3.0])]).numpy().tolist()
    [1.0, 2.0, 3.0]
    """
    xs = _several(xs, "concatenate")
    return _concatenate(*xs, axis=from_front(axis, xs[0], "concatenate"))


@overload
def stack(xs: Sequence[N], axis: int = 0) -> N: ...
@overload
def stack(xs: Sequence[Any], axis: int = 0) -> Any: ...
def stack(xs: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis."""
    xs = _several(xs, "stack")
    return _stack(*xs, axis=from_front(axis, xs[0], "stack", new=1))


@overload
def split(x: N, sections: int | Sequence[int], axis: int = 0) -> list[N]: ...
@overload
def split(x: ArrayLike, sections: int | Sequence[int], axis: int = 0) -> list[Array]: ...
def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Cut x along an axis: into `sections` equal parts, or before each of the given positions.

    Parts are nodes of their own; one that is never used gets an adjoint of 0.

    Raises
    ------
    ShapeError
        If the axis cannot be cut into that many equal parts.

    Examples
    --------
    >>> from microgrrepresent import Tensor, split
    >>> [part.shape for part in split(Tensor([1.0, 2.0, 3.0, 4.0]), 2)]
    [(2,), (2,)]
    """
    x = arrayed(x)
    axis = from_front(axis, x, "split")
    length = x.shape[axis]
    if isinstance(sections, int) or np.ndim(sections) == 0:
        n = as_int(sections)  # type: ignore[arg-type]
        if n < 1 or length % n:
            raise ShapeError(
                f"{running('split')}: axis {axis} of {operand(getattr(x, 'name', None), x)} "
                f"has length {length}, which cannot be cut into {n} equal parts"
            )
        cuts = tuple(range(0, length + 1, length // n)) if length else (0,) * (n + 1)
    else:
        cuts = (0, *map(as_int, sections), length)
    return [_getitem(x, index=index) for index in _between(cuts, axis)]


@lru_cache(maxsize=256)  # a cell splits in the same way at every step
def _between(cuts: tuple[int, ...], axis: int) -> tuple[tuple[slice, ...], ...]:
    """The indices of the parts between cuts along an axis."""
    before = (slice(None),) * axis
    return tuple((*before, slice(a, b)) for a, b in pairwise(cuts))


@operation
def one_hot(indices: Any, classes: int, dtype: Any = np.float64) -> Any:
    """Vectors of length `classes` that are 1 at the index and 0 elsewhere, on a new last axis.

    Raises
    ------
    ValueError, DTypeError
        If an index is not in 0..classes-1, or no integer.

    Examples
    --------
    >>> from microgrrepresent import one_hot
    >>> one_hot([2, 0], 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    node = indices if isinstance(indices, Node) else _frozen_index(indices)
    given: Array = node.value if isinstance(node, Node) else node
    if given.dtype.kind not in "iu":
        raise DTypeError(
            f"{running('one_hot')}: an index is an integer, the place of the 1, got {given.dtype}"
        )
    if given.size and not 0 <= given.min() <= given.max() < classes:
        raise ValueError(
            f"{running('one_hot')}: index {given.min() if given.min() < 0 else given.max()} "
            f"is not among the {classes} classes 0..{classes - 1}"
        )
    return _one_hot(node, classes=classes, dtype=np.dtype(dtype).name)


def _ones_at(indices: Array, classes: int, dtype: str) -> Array:
    out = np.zeros((*indices.shape, classes), dtype)
    np.put_along_axis(out, indices[..., None], 1, -1)
    return out


_one_hot = primitive(
    "one_hot",
    _ones_at,
    (None,),
    symbol="1[·]",
    source="np.eye(classes, dtype=dtype)[indices]",
    formula="onehot(indices)",
    derivative="0",
    meets="spread",
    analytic=False,
)


def _lengths(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """``(2, 3)`` from ``f(x, 2, 3)`` and ``f(x, (2, 3))`` alike."""
    flat = shape[0] if len(shape) == 1 and not hasattr(shape[0], "__index__") else shape
    return tuple(map(as_int, flat))


def _several(xs: Sequence[Any], name: str) -> list[Any]:
    made = [arrayed(x) for x in xs]
    if not made:
        raise ShapeError(f"{running(name)}: there is nothing to join; give at least one array")
    return made
