"""Parts that fill an array side by side are written as one: ``np.concatenate``.

da[:, 0:4] += da_i
da[:, 4:8] += da_f      is      da = np.concatenate([da_i, da_f], axis=-1)
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from microgrrepresent.programs.expressions import Expr, call
from microgrrepresent.programs.operations import INTO, Piece


def concatenated(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces; those that fill an array side by side, and nothing else, as one."""
    additions = [s for p in pieces for s in p.additions]
    rest = [p for p in pieces if not p.additions]
    parts: list[tuple[int, int, int, Expr]] = []
    for statement in additions:
        match statement:
            case ast.AugAssign(ast.Subscript(ast.Name(into), index), ast.Add(), value) if (
                into == INTO
            ):
                found = _part(index)
                if found is None:
                    return list(pieces)
                parts.append((*found, value))
            case _:
                return list(pieces)
    shape = pieces[0].shape
    parts.sort(key=lambda part: part[1])
    if rest or len(parts) < 2 or {axis for axis, *_ in parts} != {len(shape) - 1}:
        return list(pieces)
    ends = [0, *(stop for _, _, stop, _ in parts)]
    if [start for _, start, _, _ in parts] != ends[:-1] or shape[-1] != ends[-1]:
        return list(pieces)
    values = ast.List([value for *_, value in parts], ast.Load())
    return [Piece(call("np.concatenate", values, axis=ast.Constant(-1)), shape)]


def _part(index: Expr) -> tuple[int, int, int] | None:
    """Axis, start and stop of an index such as ``:, 4:8``."""
    axes = index.elts if isinstance(index, ast.Tuple) else [index]
    for axis in axes[:-1]:
        if not (isinstance(axis, ast.Slice) and axis.lower is axis.upper is axis.step is None):
            return None
    match axes[-1]:
        case ast.Slice(ast.Constant(int(start)), ast.Constant(int(stop)), None):
            return len(axes) - 1, start, stop
    return None
