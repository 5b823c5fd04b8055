"""The shape of an expression, from the shapes of what it reads."""

from __future__ import annotations

import ast
from collections.abc import Callable

from microgrrepresent.programs.expressions import Expr, text
from microgrrepresent.programs.sizes import Dimension, same

Shape = tuple[Dimension, ...]

UFUNCS = frozenset({"np.tanh", "np.exp", "np.log", "np.maximum", "np.minimum", "np.sqrt", "np.abs"})
"""Functions of NumPy that work element by element and can write into an array."""

SIGNS = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "true_divide",
    ast.Pow: "power",
}
"""The same for operators."""


def shape_of(expression: Expr, known: Callable[[Expr], Shape | None]) -> Shape | None:
    """The shape of an expression; None if that is not found out here.

    Parameters
    ----------
    expression : ast.expr
    known : callable
        The shapes of variables, at a step or once.
    """
    found = known(expression)
    if found is not None:
        return found
    match expression:
        case ast.Constant(int() | float()):
            return ()
        case ast.UnaryOp(ast.USub(), inner):
            return shape_of(inner, known)
        case ast.BinOp(left, ast.MatMult(), right):
            a, b = shape_of(left, known), shape_of(right, known)
            if a is None or b is None or len(b) != 2 or not a:
                return None
            return (*a[:-1], b[-1])
        case ast.BinOp(left, sign, right) if type(sign) in SIGNS:
            return broadcast(shape_of(left, known), shape_of(right, known))
        case ast.Attribute(inner, "T"):
            found = shape_of(inner, known)
            return None if found is None else found[::-1]
        case ast.Call(function, arguments, []) if text(function) in UFUNCS:
            found = ()
            for argument in arguments:
                found = broadcast(found, shape_of(argument, known))
            return found
        case ast.Subscript(inner, index):
            return _sliced(shape_of(inner, known), index)
    return None


def broadcast(a: Shape | None, b: Shape | None) -> Shape | None:
    """The shape that two shapes broadcast to."""
    if a is None or b is None:
        return None
    if len(a) < len(b):
        a, b = b, a
    new = len(a) - len(b)
    found: list[Dimension] = list(a[:new])
    for m, n in zip(a[new:], b, strict=True):
        if same(m, n) or same(n, 1):
            found.append(m)
        elif same(m, 1):
            found.append(n)
        else:
            return None
    return tuple(found)


def _sliced(shape: Shape | None, index: Expr) -> Shape | None:
    """Of ``a[:, 4:8]``: slices with constant ends only."""
    if shape is None:
        return None
    axes = index.elts if isinstance(index, ast.Tuple) else [index]
    if len(axes) > len(shape):
        return None
    found = list(shape)
    for i, axis in enumerate(axes):
        match axis:
            case ast.Slice(None, None, None):
                pass
            case ast.Slice(ast.Constant(int(start)), ast.Constant(int(stop)), None):
                found[i] = stop - start
            case _:
                return None
    return tuple(found)


def equal(a: Shape | None, b: Shape | None) -> bool:
    """Whether two shapes are known and alike."""
    return a is not None and b is not None and len(a) == len(b) and all(map(same, a, b))
