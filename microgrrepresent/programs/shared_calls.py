"""A function that is called twice with the same argument is called once, and its value kept."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from microgrrepresent.programs.expressions import Expr, at, key, name, replaced, text
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of
from microgrrepresent.programs.shapes import UFUNCS


def with_shared_calls(
    items: Sequence[Item], timed: set[str], fresh: Callable[[str], str]
) -> list[Item]:
    """Give a value that several lines compute from one variable of a step a name of its own.

    Only calls such as ``np.tanh(c[t])`` are looked at: they cost most, and are met again in the
    derivative. The new variable stands behind the line that computes the argument.
    """
    counts: Counter[str] = Counter()
    calls: dict[str, tuple[str, Expr]] = {}
    for line in lines_of(list(items)):
        for expression in line.expressions():
            for variable, call in _calls(expression, timed):
                counts[key(call)] += 1
                calls[key(call)] = variable, call
    shared = {k: fresh("f") for k, n in counts.items() if n > 1}
    if not shared:
        return list(items)
    timed |= set(shared.values())

    def change(node: Expr) -> Expr | None:
        match node:
            case ast.Call(function, [ast.Subscript(ast.Name(n), index)], []) if n in timed:
                here = ast.Call(function, [at(n, name("t"))], [])
                if text(function) in UFUNCS and key(here) in shared:
                    return at(shared[key(here)], index)
        return None

    found: list[Item] = []
    for item in items:
        if not isinstance(item, Loop):
            found.append(_changed(item, change))
            continue
        lines: list[Line] = []
        for line in item.lines:
            lines.append(_changed(line, change))
            for k, (variable, call) in calls.items():
                if k in shared and key(line.target) == key(at(variable, name("t"))):
                    lines.append(Line(at(shared[k], name("t")), call))
        found.append(Loop(item.first, item.last, item.down, lines))
    return found


def _calls(expression: ast.AST, timed: set[str]) -> Iterator[tuple[str, Expr]]:
    """Calls of a function with one variable at a step, as they read at the step t."""
    for node in ast.walk(expression):
        match node:
            case ast.Call(function, [ast.Subscript(ast.Name(n), _)], []) if (
                n in timed and text(function) in UFUNCS
            ):
                yield n, ast.Call(function, [at(n, name("t"))], [])


def _changed(line: Line, change: Callable[[Expr], Expr | None]) -> Line:
    statement = None if line.statement is None else replaced(line.statement, change)
    return Line(line.target, replaced(line.value, change), line.add, line.only, statement)
