"""The slips that people make where the gates of a cell are put together or taken apart.

swapped_blocks      concatenate([da_i, da_f])         concatenate([da_f, da_i])
wrong_block         u[t][:, 0:4]                      u[t][:, 4:8]
transposed_blocks   da @ W                            da @ concatenate([W[0:4].T, W[4:8]])
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import combinations

from microgrrepresent.programs.expressions import (
    Expr,
    binary,
    call,
    key,
    negative,
    parsed,
    text,
)
from microgrrepresent.programs.slips import Slip, Slips


def swapped_blocks(expression: Expr) -> Iterator[Slip]:
    """Two gates in the wrong order, or one of them left out."""
    match expression:
        case ast.Call(function, [ast.List(parts)], keywords) if text(function) == "np.concatenate":
            for order in _orders(parts):
                wrong = ast.Call(function, [ast.List(order, ast.Load())], keywords)
                moved = [text(a) for a, b in zip(parts, order, strict=True) if a is not b]
                if len(moved) == 2:
                    yield f"{' and '.join(moved)} are swapped", wrong
                else:
                    yield f"the order is {', '.join(map(text, order))}", wrong
            for i, part in enumerate(parts):
                turned = [*parts[:i], negative(part), *parts[i + 1 :]]
                wrong = ast.Call(function, [ast.List(turned, ast.Load())], keywords)
                yield f"the sign of the part of {text(part)} is wrong", wrong
            for n in range(1, len(parts)):
                for out in combinations(range(len(parts)), n):
                    kept = [
                        call("np.zeros_like", p) if i in out else p for i, p in enumerate(parts)
                    ]
                    wrong = ast.Call(function, [ast.List(kept, ast.Load())], keywords)
                    left = " and ".join(text(parts[i]) for i in out)
                    yield f"the part of {left} is left out", wrong


def _orders(parts: Sequence[Expr]) -> Iterator[list[Expr]]:
    """Two of the parts exchanged, or all of them turned round."""
    for i, j in combinations(range(len(parts)), 2):
        order = list(parts)
        order[i], order[j] = order[j], order[i]
        yield order
    if len(parts) > 2:
        for i in range(1, len(parts)):
            yield [*parts[i:], *parts[:i]]


def wrong_block(blocks: Sequence[Expr]) -> Slips:
    """The columns of another gate."""

    def slips(expression: Expr) -> Iterator[Slip]:
        match expression:
            case ast.Subscript(inner, index) if any(key(index) == key(b) for b in blocks):
                for other in blocks:
                    if key(other) != key(index):
                        wrong = ast.Subscript(inner, other, ast.Load())
                        yield f"{text(wrong)} instead of {text(expression)}", wrong

    return slips


def transposed_blocks(blocks: Sequence[Expr]) -> Slips:
    """The square matrix of a gate is transposed where all gates share one product."""
    rows = [index.elts[1] for index in blocks if isinstance(index, ast.Tuple)]

    def slips(expression: Expr) -> Iterator[Slip]:
        match expression:
            case ast.BinOp(left, ast.MatMult(), ast.Name(n)) if len(rows) > 1:
                parts = [parsed(f"{n}[{text(row)}]") for row in rows]
                turned: list[Expr] = [ast.Attribute(part, "T", ast.Load()) for part in parts]
                for k in range(len(rows)):
                    mixed = [*parts[:k], turned[k], *parts[k + 1 :]]
                    yield f"{text(parts[k])} is transposed", _stacked(left, mixed)
                yield f"the matrix of each gate in {n} is transposed", _stacked(left, turned)

    return slips


def _stacked(left: Expr, parts: Sequence[Expr]) -> Expr:
    whole = call("np.concatenate", ast.List([*parts], ast.Load()))
    return binary(left, ast.MatMult(), whole)
