"""Sums with fewer products: what two terms share is factored out.

    u * a - u * b          is  u * (a - b)
    z * a + (1 - z) * b    is  b + z * (a - b)

The second is how much of the way from b to a is gone.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from microgrrepresent.programs.expressions import Expr, key, replaced
from microgrrepresent.programs.lines import Item, Line, Loop


def factored(items: Sequence[Item]) -> list[Item]:
    """Lines whose sums and differences of two products share the factors that are the same."""
    return [
        Loop(item.first, item.last, item.down, [_factored_line(line) for line in item.lines])
        if isinstance(item, Loop)
        else _factored_line(item)
        for item in items
    ]


def _factored_line(line: Line) -> Line:
    return Line(line.target, factored_sum(line.value), line.add, line.only, line.statement)


def factored_sum(expression: Expr) -> Expr:
    """An expression whose sums and differences of two products share factors."""

    def change(node: Expr) -> Expr | None:
        match node:
            case ast.BinOp(left, (ast.Add() | ast.Sub()) as sign, right):
                a, b = factored_sum(left), factored_sum(right)
                found = _shared(a, sign, b) or _between(a, sign, b)
                return found or ast.BinOp(a, sign, b)
        return None

    return replaced(expression, change)


def _shared(a: Expr, sign: ast.operator, b: Expr) -> Expr | None:
    """``u * (a - b)`` for ``u * a`` and ``u * b``."""
    mine, others, common = factors(a), factors(b), []
    for factor in factors(a):
        mine_left, others_left = _without(mine, factor), _without(others, factor)
        if mine_left and others_left:
            mine, others = mine_left, others_left
            common.append(factor)
    if not common:
        return None
    return product([*common, ast.BinOp(product(mine), sign, product(others))])


def _between(a: Expr, sign: ast.operator, b: Expr) -> Expr | None:
    """``b + z * (a - b)`` for ``z * a`` and ``(1 - z) * b``, in either order."""
    if not isinstance(sign, ast.Add):
        return None
    for mine, others in ((factors(a), factors(b)), (factors(b), factors(a))):
        for share, base in (others, others[::-1]) if len(others) == 2 else ():
            match share, base:
                case ast.BinOp(ast.Constant(1), ast.Sub(), z), ast.Name() | ast.Subscript():
                    left = _without(mine, z)
                    if left:
                        change = ast.BinOp(product(left), ast.Sub(), base)
                        return ast.BinOp(base, ast.Add(), product([z, change]))
    return None


def _without(parts: Sequence[Expr], factor: Expr) -> list[Expr] | None:
    """Factors without one of them; None if it is not there."""
    for i, part in enumerate(parts):
        if key(part) == key(factor):
            return [*parts[:i], *parts[i + 1 :]]
    return None


def factors(expression: Expr) -> list[Expr]:
    """What a product consists of."""
    match expression:
        case ast.BinOp(left, ast.Mult(), right):
            return [*factors(left), *factors(right)]
    return [expression]


def product(parts: Sequence[Expr]) -> Expr:
    """The product of some factors."""
    found = parts[0]
    for factor in parts[1:]:
        found = ast.BinOp(found, ast.Mult(), factor)
    return found
