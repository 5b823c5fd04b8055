"""Whose array may be written over: a value goes into that of what it is the last to read.

z = y_ - top                   y_ = y_ - top
e = np.exp(z)         is       y_ = np.exp(y_)
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import Expr, name, text
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of
from microgrrepresent.programs.passes import Split
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.shapes import REDUCTIONS, SIGNS, UFUNCS, Shape, equal


def reusing(items: Sequence[Item], own: Callable[[str], Shape | None]) -> list[Item]:
    """Lines outside of loops that compute into the array of what nobody reads any more.

    Parameters
    ----------
    items : sequence of Line or Loop
    own : callable
        The shape of a variable that has an array of its own, which may be written over; else None.
    """
    last: dict[str, int] = {}
    seen_through: set[str] = set()
    for i, item in enumerate(items):
        for n in _names(item):
            last[n] = i
        if isinstance(item, Line) and not is_new(item.value):
            seen_through |= set(_names(item))
    into: dict[str, Expr] = {}

    def change(node: Expr) -> Expr | None:
        return into.get(node.id) if isinstance(node, ast.Name) else None

    found: list[Item] = []
    for i, item in enumerate(items):
        if isinstance(item, Loop):
            lines = [line.rewritten(change) for line in item.lines]
            found.append(Loop(item.first, item.last, item.down, lines))
            continue
        line = item.rewritten(change)
        owner = line_owner(line)
        for n in _operands(line):
            free = last.get(n) == i and n not in seen_through
            if free and equal(own(n), own(owner)):
                into[owner] = name(n)
                last[n] = last.get(owner, i)
                seen_through |= {n} if owner in seen_through else set()
                line = Line(name(n), line.value)
                break
        found.append(line)
    return found


def in_place_of(
    loops: Sequence[Split], items: Sequence[Line | Split], timed: set[str]
) -> dict[str, str]:
    """Variables over time whose values may stand where those of another one stood.

    The other one is made ahead of the loop, and all that reads it are lines of the loop, at their
    own step, ahead of the line that gives the new value.
    """
    uses: Counter[str] = Counter()
    for item in items:
        for line in item.lines if isinstance(item, Split) else [item]:
            uses.update(n for e in line.expressions() for n, _ in reads(e, timed))
    found: dict[str, str] = {}
    for item in loops:
        made_here = Counter(line_owner(line) for line in item.loop.lines)
        seen: Counter[str] = Counter()
        early = {line_owner(line) for line in item.before}
        for line in item.loop.lines:
            owner = line_owner(line)
            whole = isinstance(line.target, ast.Subscript) and isinstance(
                line.target.value, ast.Name
            )
            if (
                whole
                and not line.add
                and line.only is None
                and made_here[owner] == 1
                and owner not in early
            ):
                for n, times in seen.items():
                    if uses[n] == times and n not in {*made_here, *found.values()}:
                        found.setdefault(owner, n)
            seen.update(
                n for e in line.expressions() for n, k in reads(e, timed) if n in timed and k == 0
            )
    return found


def _names(item: Item) -> Iterator[str]:
    for line in lines_of([item]):
        for expression in line.expressions():
            for node in ast.walk(expression):
                if isinstance(node, ast.Name):
                    yield node.id


def is_new(value: Expr) -> bool:
    """Whether a value is a new array, and not a view of another one."""
    match value:
        case ast.Call(ast.Attribute(_, "sum"), _, _):
            return True
        case ast.Call(function, _, _):
            return text(function) in {*UFUNCS, *REDUCTIONS, "np.where", "np.zeros_like", "np.mean"}
    return isinstance(value, (ast.BinOp, ast.UnaryOp, ast.Compare))


def _operands(line: Line) -> list[str]:
    """What a line reads element by element, if it does one thing only."""
    parts: list[Expr] = []
    match line.value:
        case ast.BinOp(left, sign, right) if type(sign) in SIGNS:
            parts = [left, right]
        case ast.UnaryOp(ast.USub(), inner):
            parts = [inner]
        case ast.Call(function, arguments, []) if text(function) in UFUNCS:
            parts = arguments
    plain = isinstance(line.target, ast.Name) and not line.add and line.only is None
    if not plain or not all(isinstance(p, (ast.Name, ast.Constant)) for p in parts):
        return []
    return [part.id for part in parts if isinstance(part, ast.Name)]
