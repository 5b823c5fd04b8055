r"""Selections: some elements of an array, by index; their adjoints are put where these came from.

``x[index]`` is linear in x, and its adjoint map is `scatter_add`: zeros, with each adjoint added at
the place of its element. Elements that were selected twice get the sum.
"""

from __future__ import annotations

from operator import index as as_int
from typing import Any

import numpy as np

from microgrrepresent.arrays import arrayed, data_type, plain_array
from microgrrepresent.errors import DTypeError
from microgrrepresent.node import Array, Node, dtype_name
from microgrrepresent.ops.axes import integer
from microgrrepresent.place import running
from microgrrepresent.polymorphic import operation
from microgrrepresent.primitive import Primitive, primitive


def _getitem_source(x: tuple[int, ...], index: Any) -> str:
    """Of a selection in which an element can be twice, the additions must not run into another."""
    return "dx[index] += g" if _is_basic(index) else "np.add.at(dx, index, g)"


selected = primitive(
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


def place(x: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros, with the elements of x added where the index says."""
    out = np.zeros(shape, x.dtype)
    np.add.at(out, index, x)
    return out


_scatter_add: Primitive = primitive(
    "scatter_add",
    lambda x, index, shape: _scatter(x, index, shape),
    (lambda g, y, x, index, shape: selected(g, index=index),),
    symbol="+[·]",
    kind="moves",
    index="index",
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


def _ones_at(indices: Array, classes: int, dtype: str) -> Array:
    rows = np.zeros((indices.size, classes), dtype)
    rows[np.arange(indices.size), indices.reshape(-1)] = 1
    return rows.reshape(*indices.shape, classes)


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

_BASIC = (slice, int, type(None), type(Ellipsis))


def _is_basic(index: Any) -> bool:
    """Whether an index is made of integers, slices, None and ... only, so that none repeats."""
    for part in index if isinstance(index, tuple) else (index,):
        if type(part) not in _BASIC and not isinstance(part, np.integer):
            return False
    return True


def _add_at(out: Any, index: Any, g: Any) -> None:
    elements = out[index]
    if isinstance(elements, np.ndarray) and elements.base is out:
        elements += g  # a view, of elements that are selected once
    elif _is_basic(index):
        out[index] = elements + g
    else:
        np.add.at(out, index, g)


def _scatter(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, g.dtype)
    _add_at(out, index, g)
    return out


def _frozen_index(part: Any) -> Array:
    """An array of indices of our own: the one given could change before the rule reads it."""
    index = plain_array(part).copy()
    if isinstance(part, list) and not index.size:
        index = index.astype(int)  # NumPy makes floats of an empty list
    index.setflags(write=False)
    return index


def _plain(part: Any) -> Any:
    """A part of an index that nobody can change afterward."""
    if isinstance(part, slice):
        ends = (part.start, part.stop, part.step)
        return slice(*[None if end is None else as_int(end) for end in ends])
    return _frozen_index(part) if isinstance(part, (list, np.ndarray, Node)) else part


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
    return selected(x, index=plain if isinstance(index, tuple) else plain[0])


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
    classes = integer(classes, "one_hot", "the number of classes")
    if given.size and not 0 <= given.min() <= given.max() < classes:
        raise ValueError(
            f"{running('one_hot')}: index {given.min() if given.min() < 0 else given.max()} "
            f"is not among the {classes} classes 0..{classes - 1}"
        )
    return _one_hot(node, classes=classes, dtype=dtype_name(data_type(dtype)))
