r"""Joining arrays, and cutting one into parts: what was joined gets its own part of the adjoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.arrays import arrayed
from microgrrepresent.errors import ShapeError, operand, shortened
from microgrrepresent.node import Array, N, Node
from microgrrepresent.ops.axes import from_front, integer
from microgrrepresent.ops.selection import selected
from microgrrepresent.place import running
from microgrrepresent.primitive import Rule, each, primitive


def _unjoin(xs: Sequence[Any], axis: int) -> Rule:
    """The rule of concatenate: each array gets back the part that it became."""
    ends = accumulate((x.shape[axis] for x in xs), initial=0)
    parts = _between(tuple(ends), axis)
    return lambda i, g, y: g[parts[i]]


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
    each(lambda xs, axis: lambda i, g, y: g[(slice(None),) * axis + (i,)]),
    symbol="⧺",
    kind="moves",
    source="np.stack(xs, axis)",
    formula="[*xs]",
    vjp_source=lambda *shapes, axis: f"g[{':, ' * axis}i]",
    vjp_formula="g[i]",
    vjp_words="its own part of the stack",
)


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
    x = x if isinstance(x, Node) else arrayed(x)
    axis = from_front(axis, x, "split")
    length = x.shape[axis]
    if isinstance(sections, int) or np.ndim(sections) == 0:
        n = integer(sections, "split", "the number of parts")
        if n < 1 or length % n:
            raise ShapeError(
                f"{running('split')}: axis {axis} of {operand(getattr(x, 'name', None), x)} "
                f"has length {length}, which cannot be cut into {n} equal parts"
            )
        cuts = tuple(range(0, length + 1, length // n)) if length else (0,) * (n + 1)
    else:
        cuts = (0, *(integer(cut, "split", "a cut") for cut in sections), length)
    parts = _between(cuts, axis)
    if isinstance(x, Node):
        return selected.each_with(x, "index", parts)
    return [x[part] for part in parts]


@lru_cache(maxsize=256)  # a cell splits in the same way at every step
def _between(cuts: tuple[int, ...], axis: int) -> tuple[tuple[slice, ...], ...]:
    """The indices of the parts between cuts along an axis."""
    before = (slice(None),) * axis
    return tuple((*before, slice(a, b)) for a, b in pairwise(cuts))


def _several(xs: Sequence[Any], name: str) -> list[Any]:
    if not isinstance(xs, Iterable):
        raise TypeError(f"{running(name)}: the arrays must be a list, got {shortened(xs)}")
    made = [x if isinstance(x, Node) else arrayed(x) for x in xs]
    if not made:
        raise ShapeError(f"{running(name)}: there is nothing to join; give at least one array")
    return made
