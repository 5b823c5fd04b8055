"""Parts that are joined are computed where they are joined, without a copy.

    r[t] = u[t] * k[t]                                  w[t][:, 0:4] = u[t] * k[t]
    w[t] = np.concatenate([r[t], u[t] * z[t]])  is      w[t][:, 4:8] = u[t] * z[t]

What reads r reads a part of w, as with the gates of `activations`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence

from microgrrepresent.programs.activations import Part, place
from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import Expr, name, text
from microgrrepresent.programs.lines import Line, Loop
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.shapes import Shape


def in_their_places(
    loop: Loop, timed: set[str], kept: Collection[str], shape: Callable[[Expr], Shape | None]
) -> tuple[Loop, list[Part]]:
    """Let the parts of what a loop joins, and needs itself, be written into the whole.

    Parameters
    ----------
    loop : Loop
    timed : set of str
        The variables that have a value at every step.
    kept : collection of str
        Variables that are asked for by their names, and become no parts.
    shape : callable
        The shape of an expression, if it is known.
    """
    lines = list(loop.lines)
    parts: dict[str, Part] = {}
    needed = {
        n for line in lines if not line.add for e in line.expressions() for n, _ in reads(e, timed)
    }
    for line in loop.lines:
        values, whole = joined(line), line_owner(line)
        widths = [_width(shape(value)) for value in values]
        before = lines[: lines.index(line)]
        movable = [
            n if n and n not in {*kept, *parts} and _is_plain(n, before) else None
            for n in map(_variable, values)
        ]
        if whole not in needed or not any(movable) or not all(widths):
            continue
        pieces = []
        start = 0
        for value, variable, width in zip(values, movable, widths, strict=True):
            part = Part(variable or "", whole, start, start + width)
            start += width
            if variable:
                parts[variable] = part
            else:
                pieces.append(Line(place(part, name("t")), value))
        lines[len(before) : len(before) + 1] = pieces
    return Loop(loop.first, loop.last, loop.down, lines), list(parts.values())


def joined(line: Line) -> list[Expr]:
    """What a line joins along the last axis; nothing if it does something else."""
    match line:
        case Line(
            value=ast.Call(function, [ast.List(values)], [ast.keyword("axis", axis)]),
            add=False,
            only=None,
            statement=None,
        ) if text(function) == "np.concatenate" and text(axis) == "-1":
            return values
    return []


def _variable(value: Expr) -> str | None:
    match value:
        case ast.Subscript(ast.Name(n), ast.Name("t")):
            return n
    return None


def _is_plain(variable: str, lines: Sequence[Line]) -> bool:
    """Whether a variable is set by one of the lines, in one go."""
    found = [line for line in lines if line_owner(line) == variable]
    return len(found) == 1 and not (found[0].add or found[0].only or found[0].statement)


def _width(shape: Shape | None) -> int:
    """How many columns a matrix has; 0 if it is none, or that is not known."""
    return shape[1] if shape and len(shape) == 2 and isinstance(shape[1], int) else 0
