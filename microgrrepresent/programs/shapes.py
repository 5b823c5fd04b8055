"""The shape of an expression, from the shapes of what it reads."""

from __future__ import annotations

import ast
from collections.abc import Callable

from microgrrepresent.programs.expressions import Expr, text
from microgrrepresent.programs.sizes import Dimension, dimension, same

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


REDUCTIONS = {"np.sum": "np.add", "np.max": "np.maximum", "np.min": "np.minimum"}
"""Functions that take an axis away, and what they do along it."""


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
        case ast.Call(function, [inner, *axis], keywords) if text(function) in REDUCTIONS:
            given = dict(zip(["axis"], axis, strict=False))
            given |= {k.arg: k.value for k in keywords if k.arg}
            return _kept(shape_of(inner, known), **{k: text(e) for k, e in given.items()})
        case ast.Call(ast.Attribute(inner, "reshape"), axes, []):
            axes = axes[0].elts if isinstance(axes[0], ast.Tuple) else axes
            if shape_of(inner, known) is None or any(isinstance(n, ast.UnaryOp) for n in axes):
                return None
            return tuple(map(dimension, axes))
        case ast.Call(function, [ast.Constant(int(n))], _) if text(function) == "np.eye":
            return (n, n)
        case ast.Subscript(inner, ast.Name(_) as index):  # rows of a table
            table, rows = shape_of(inner, known), shape_of(index, known)
            return None if not table or rows is None else (*rows, *table[1:])
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


def _kept(shape: Shape | None, axis: str = "", keepdims: str = "", **others: str) -> Shape | None:
    """What is left when the last axis is taken away, and its place kept."""
    if shape and axis == "-1" and keepdims == "True":
        return (*shape[:-1], 1)
    return None


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
