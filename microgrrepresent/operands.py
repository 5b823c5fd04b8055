"""Operands: what an operation is applied to, made a node, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from microgrrepresent.arrays import new_array
from microgrrepresent.errors import (
    DTypeError,
    ShapeError,
    listed,
    operand,
    shortened,
)
from microgrrepresent.node import Node, dtype_name, leaf, make
from microgrrepresent.place import running

if TYPE_CHECKING:
    from microgrrepresent.primitive import Primitive


def as_nodes(
    op: Primitive, operands: tuple[Any, ...], params: dict[str, Any], constant: Primitive
) -> list[Node] | None:
    """Make nodes of all operands, if one is a node: of a number a `constant`, of an array a leaf.

    A number takes the data type of the operands beside it, as in NumPy: ``2.0 * x`` is float32
    where x is. One that is too large for the integers beside it is what NumPy takes it for: it can
    be compared with them or divide them, but not be added to them.
    """
    for x in operands:
        if isinstance(x, Node):
            kind = x.result_class
            break
    else:
        return None

    try:
        return [_lifted(x, kind, operands, constant) for x in operands]
    except OverflowError:
        try:
            op.forward(*[x.value if isinstance(x, Node) else x for x in operands], **params)
        except OverflowError as error:
            raise misuse(op, operands, params, error) from None
        return [_lifted(x, kind, operands, constant, widen=True) for x in operands]


def _lifted(
    x: Any, kind: type[Node], operands: tuple[Any, ...], constant: Primitive, widen: bool = False
) -> Node:
    """An operand as a node; widened, if it is a number too large for the integers beside it."""
    if isinstance(x, Node):
        return x
    if not isinstance(x, (bool, int, float, complex)) or isinstance(x, np.generic):
        return leaf(kind, new_array(x))
    dtype = _result_type(x, *[y.dtype for y in operands if y is not x and hasattr(y, "dtype")])
    if widen:
        own = np.min_scalar_type(x)
        dtype = np.result_type(dtype, own if own.kind in "iu" else np.float64)
    written = {"value": x, "dtype": dtype_name(dtype)}
    return make(kind, constant, (), written, np.array(x, dtype=dtype), False)


# Code has few numbers in it, such as the 1 of ``1 - z``, but uses them again at every step.
_result_type = lru_cache(maxsize=256, typed=True)(np.result_type)


def misuse(
    op: Primitive, parents: Sequence[Any], params: dict[str, Any], error: Exception
) -> Exception:
    """Say what was applied to what, and where, when `forward` refused its operands."""
    names = [
        operand(getattr(p, "name", None), p) if hasattr(p, "shape") else shortened(p)
        for p in parents
    ]
    if isinstance(error, OverflowError):
        given = listed(names)
        return DTypeError(
            f"{running(op.name)}: {op.name}({given}): {error}; give the operands more room first, "
            "as in t.astype(int) or t.astype(float)"
        )
    if op.many is None and len(parents) != len(op.vjp):
        return TypeError(
            f"{running(op.name)}: {op.name} has {len(op.vjp)} operand{'s' * (len(op.vjp) > 1)}, "
            f"got {len(parents)}: {listed(names)}"
        )
    infix = len(names) == 2 and len(op.symbol) == 1
    text = f" {op.symbol} ".join(names) if infix else f"{op.name}({listed(names)})"
    if params:
        text += " with " + ", ".join(f"{key}={value!r}" for key, value in params.items())
    shapes = [p.shape for p in parents if hasattr(p, "shape")]
    broken = op.mismatch(shapes) if op.mismatch and len(shapes) == len(parents) else None
    message = f"{running(op.name)}: {text}: {broken or error}"
    if isinstance(error, ValueError) and isinstance(op.forward, np.ufunc) and not broken:
        # the shapes fit, so that it is the numbers that do not: a negative power of an integer
        return DTypeError(f"{message} Floats may do, as in t.astype(float)")
    if isinstance(error, ValueError):
        return ShapeError(message)
    return IndexError(message) if isinstance(error, IndexError) else TypeError(message)
