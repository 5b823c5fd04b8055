"""Brackets that are left out, or that hold too much.

left_out    da = (dH[t - 1] + dh_next) * (1 - h[t] ** 2)    da = dH[t - 1] + dh_next * (1 - ...)
too_wide    dc = dh * slope + dc_next                       dc = (dh + dc_next) * slope

A printed program has few brackets, because it gives each sum a name: `inlined` puts the sum in the
place of its name, as most people write it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from microgrrepresent.programs.code import Code
from microgrrepresent.programs.expressions import Expr, binary, key, substituted, text
from microgrrepresent.programs.factors import factors, product
from microgrrepresent.programs.lines import Line, lines_of
from microgrrepresent.programs.slips import Slip, Slips, written_otherwise


def left_out(expression: Expr) -> Iterator[Slip]:
    """A factor that is a sum loses its brackets."""
    parts = factors(expression)
    for k, part in enumerate(parts) if len(parts) > 1 else ():
        match part:
            case ast.BinOp(left, ast.Add() | ast.Sub() as sign, right):
                turned = [(right, left)] if isinstance(sign, ast.Add) else []
                for a, b in ((left, right), *turned):
                    first, last = product([*parts[:k], a]), product([b, *parts[k + 1 :]])
                    says = f"the brackets around {text(part)} are left out"
                    yield says, binary(first, sign, last)


def too_wide(expression: Expr) -> Iterator[Slip]:
    """A factor of one term multiplies the whole sum."""
    match expression:
        case ast.BinOp(ast.BinOp(of, ast.Mult(), factor), ast.Add() | ast.Sub() as sign, other):
            wrong = binary(of, sign, other)
        case ast.BinOp(other, ast.Add() | ast.Sub() as sign, ast.BinOp(of, ast.Mult(), factor)):
            wrong = binary(other, sign, of)
        case _:
            return
    if key(of) == key(other):  # a - a * b
        return
    yield f"{text(factor)} multiplies {text(other)}, too", binary(wrong, ast.Mult(), factor)


def sums(code: Code) -> dict[str, list[Expr]]:
    """The variables that are sums, or products with one, as they may be written."""
    found: dict[str, list[Expr]] = {}
    lines = [item for item in code.forward if isinstance(item, Line)]
    for line in (*lines, *lines_of(list(code.backward))):
        if isinstance(line.target, ast.Name) and not line.add and line.statement is None:
            forms = (line.value, *written_otherwise(line.value))
            whole = [form for form in forms if any(_is_sum(part) for part in factors(form))]
            if whole:
                found[line.target.id] = whole
    return found


def inlined(expression: Expr, known: Mapping[str, Sequence[Expr]]) -> Iterator[tuple[Expr, Slips]]:
    """An expression with a sum in the place of its name, and that sum without its brackets."""
    for form in (expression, *written_otherwise(expression)):
        for part in factors(form):
            if isinstance(part, ast.Name):
                for value in known.get(part.id, ()):
                    yield substituted(form, {part.id: value}), _only(value)


def _only(value: Expr) -> Slips:
    """The slip of `left_out`, of the sums within one value."""
    mine = {f"the brackets around {text(p)} are left out" for p in factors(value) if _is_sum(p)}

    def slips(expression: Expr) -> Iterator[Slip]:
        return (slip for slip in left_out(expression) if slip[0] in mine)

    return slips


def _is_sum(expression: Expr) -> bool:
    return isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add | ast.Sub)
