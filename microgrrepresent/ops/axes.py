"""Axes and lengths as the callers of an operation write them, counted from the front.

No rule sees an axis -1: `from_front` counts it once, where it is given.
"""

from __future__ import annotations

from operator import index as as_int
from typing import Any

import numpy as np

from microgrrepresent.errors import ShapeError, operand, shortened
from microgrrepresent.place import running


def integer(value: Any, op: str, what: str) -> int:
    """The value as an int; what it is for and of which operation is for the message.

    Raises
    ------
    TypeError
        If it is none.
    """
    try:
        return as_int(value)
    except TypeError:
        raise TypeError(
            f"{running(op)}: {what} must be an integer, got {shortened(value)}"
        ) from None


def from_front(axis: int, x: Any, op: str, new: int = 0) -> int:
    """Count an axis of x from the front, so that no rule sees -1; with `new` axes to be added.

    Raises
    ------
    ShapeError
        If x has no such axis.
    """
    ndim: int = x.ndim + new
    axis = integer(axis, op, "an axis")
    if -ndim <= axis < ndim:
        return axis % ndim
    have = f"its axes are 0..{ndim - 1}, or -{ndim}..-1 from the last" if ndim else "it has none"
    whole = operand(getattr(x, "name", None), x)
    raise ShapeError(f"{running(op)}: {whole} {'takes' if new else 'has'} no axis {axis}: {have}")


def lengths(shape: tuple[Any, ...], op: str) -> tuple[int, ...]:
    """``(2, 3)`` from ``f(x, 2, 3)`` and ``f(x, (2, 3))`` alike."""
    flat = shape[0] if len(shape) == 1 and not hasattr(shape[0], "__index__") else shape
    if not isinstance(flat, (tuple, list, np.ndarray)):
        raise TypeError(f"{running(op)}: a shape must be integers, got {shortened(flat)}")
    return tuple(integer(n, op, "an axis of a shape") for n in flat)
