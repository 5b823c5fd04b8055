"""Python expressions as data: built from the texts of the operations, put together, and printed.

The code of a program is kept as Python's own syntax trees, so that passes can look into it, and
``ast.unparse`` prints it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

Expr = ast.expr
A = TypeVar("A", bound=ast.AST)


def parsed(text: str) -> Expr:
    """An expression from its text."""
    return ast.parse(text, mode="eval").body


def name(identifier: str) -> ast.Name:
    """A variable."""
    return ast.Name(identifier, ast.Load())


def at(identifier: str, index: Expr) -> ast.Subscript:
    """A variable at a time: ``h[t - 1]``."""
    return ast.Subscript(name(identifier), index, ast.Load())


def shifted(time: str, by: int) -> Expr:
    """``t``, ``t - 1``, ``t + 2``."""
    if not by:
        return name(time)
    sign: ast.operator = ast.Add() if by > 0 else ast.Sub()
    return ast.BinOp(name(time), sign, ast.Constant(abs(by)))


def plus(index: Expr, by: int) -> Expr:
    """An index plus a whole number, summed up: ``T + 1``, and not ``T - 1 + 2``."""
    match index:
        case _ if not by:
            return index
        case ast.Constant(int(value)):
            return ast.Constant(value + by)
        case ast.BinOp(left, ast.Add(), ast.Constant(int(value))):
            return plus(left, value + by)
        case ast.BinOp(left, ast.Sub(), ast.Constant(int(value))):
            return plus(left, by - value)
    sign: ast.operator = ast.Add() if by > 0 else ast.Sub()
    return ast.BinOp(index, sign, ast.Constant(abs(by)))


def binary(left: Expr, sign: ast.operator, right: Expr) -> Expr:
    """Two operands and what is between them."""
    return ast.BinOp(left, sign, right)


def negative(inner: Expr) -> Expr:
    """Minus an expression; minus minus is nothing."""
    if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.USub):
        return inner.operand
    return ast.UnaryOp(ast.USub(), inner)


def total(terms: Iterable[Expr]) -> Expr:
    """A sum; 0 of none. What is negative is subtracted."""
    found: Expr | None = None
    for term in terms:
        if found is None:
            found = term
        elif isinstance(term, ast.UnaryOp) and isinstance(term.op, ast.USub):
            found = ast.BinOp(found, ast.Sub(), term.operand)
        else:
            found = ast.BinOp(found, ast.Add(), term)
    return ast.Constant(0) if found is None else found


def times(left: Expr, right: Expr) -> Expr:
    """A product, without brackets that it does not need: ``1 / n`` divides the other factor."""
    match left, right:
        case ast.BinOp(ast.Constant(1), ast.Div(), below), _:
            return ast.BinOp(right, ast.Div(), below)
        case _, ast.BinOp(ast.Constant(1), ast.Div(), below):
            return ast.BinOp(left, ast.Div(), below)
        case _, ast.BinOp(a, ast.Mult(), b):
            return ast.BinOp(times(left, a), ast.Mult(), b)
    return ast.BinOp(left, ast.Mult(), right)


def is_zero(expression: Expr) -> bool:
    """Whether it is the number 0."""
    return isinstance(expression, ast.Constant) and expression.value == 0


def call(function: str, *arguments: Expr, **keywords: Expr) -> Expr:
    """A call, such as ``np.zeros_like(W)``."""
    given = [ast.keyword(key, value) for key, value in keywords.items()]
    return ast.Call(parsed(function), list(arguments), given)


def literal(value: Any) -> Expr:
    """A constant, an array, a slice, or a tuple or list of them, as it is written."""
    match value:
        case ast.expr():
            return value
        case np.ndarray():
            usual = value.size and value.dtype in (np.int64, np.float64, np.bool_)
            dtype = {} if usual else {"dtype": literal(value.dtype.name)}
            return call("np.array", literal(value.tolist()), **dtype)
        case np.generic():
            return literal(value.item())
        case float() if not np.isfinite(value):
            return parsed({"inf": "np.inf", "-inf": "-np.inf"}.get(str(value), "np.nan"))
        case slice():
            start, stop, step = (
                None if end is None else literal(end)
                for end in (value.start, value.stop, value.step)
            )
            return ast.Slice(start, stop, step)
        case tuple():
            return ast.Tuple([literal(part) for part in value], ast.Load())
        case list():
            return ast.List([literal(part) for part in value], ast.Load())
        case int() | float() if not isinstance(value, bool) and value < 0:
            return ast.UnaryOp(ast.USub(), ast.Constant(-value))
        case type():
            return ast.Constant(value.__name__)
    return ast.Constant(value)


def subscript(index: Expr) -> Expr:
    """What may be an index; one with slices is ``np.s_[:, 2:5]`` where it is no subscript."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    if any(isinstance(part, ast.Slice) for part in parts):
        return ast.Subscript(parsed("np.s_"), index, ast.Load())
    return index


def replaced(expression: A, replace: Callable[[Expr], Expr | None]) -> A:
    """A copy, with what `replace` gives something for in the place of what it was given."""

    def copied(value: Any) -> Any:
        if isinstance(value, list):
            return [copied(part) for part in value]
        if isinstance(value, ast.expr) and (found := replace(value)) is not None:
            return found
        if isinstance(value, ast.AST) and value._fields:
            made = type(value)(**{field: copied(part) for field, part in ast.iter_fields(value)})
            return ast.copy_location(made, value) if isinstance(value, ast.stmt) else made
        return value  # a name, a number, a sign

    return copied(expression)  # type: ignore[no-any-return]


def substituted(expression: Expr, values: Mapping[str, Expr]) -> Expr:
    """A copy, with expressions in the place of names."""

    def value_of(node: Expr) -> Expr | None:
        return values.get(node.id) if isinstance(node, ast.Name) else None

    return replaced(expression, value_of)


def key(expression: Expr) -> str:
    """Equal for expressions that are written alike."""
    return ast.dump(expression)


def text(expression: Expr) -> str:
    """An expression as it is printed."""
    return ast.unparse(expression)


def at_step(expression: A, step: Expr, by: int = 0) -> A:
    """A copy for another step: ``h[t - 1]`` for the step ``T`` is ``h[T - 1]``."""

    def replace(node: Expr) -> Expr | None:
        match node:
            case ast.BinOp(ast.Name("t"), ast.Add(), ast.Constant(int(k))):
                return plus(step, k + by)
            case ast.BinOp(ast.Name("t"), ast.Sub(), ast.Constant(int(k))):
                return plus(step, by - k)
            case ast.BinOp(ast.Name("t"), ast.Sub(), other) if key(other) == key(step):
                return ast.Constant(by)
            case ast.Name("t"):
                return plus(step, by)
        return None

    return replaced(expression, replace)


def time_shift(index: Expr) -> int | None:
    """K of ``t + k``; None for an index that is no such thing."""
    match index:
        case ast.Name("t"):
            return 0
        case ast.BinOp(ast.Name("t"), ast.Add(), ast.Constant(int(k))):
            return k
        case ast.BinOp(ast.Name("t"), ast.Sub(), ast.Constant(int(k))):
            return -k
    return None
