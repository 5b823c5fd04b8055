"""Axes and lengths as the callers of an operation write them, counted from the front.

No rule sees an axis -1: `from_front` counts it once, where it is given.
"""

from __future__ import annotations

from operator import index as as_int
from typing import Any

from microgrrepresent.errors import ShapeError, operand
from microgrrepresent.place import running


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


def lengths(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """``(2, 3)`` from ``f(x, 2, 3)`` and ``f(x, (2, 3))`` alike."""
    flat = shape[0] if len(shape) == 1 and not hasattr(shape[0], "__index__") else shape
    return tuple(map(as_int, flat))
