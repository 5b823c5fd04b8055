"""Which values of a step need no array: each of their elements is read once, right there."""

from __future__ import annotations

import ast
from itertools import pairwise

from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import text
from microgrrepresent.programs.lines import Loop
from microgrrepresent.programs.schedule import line_owner


def read_in_parts(loop: Loop, local: set[str], timed: set[str]) -> set[str]:
    """Values that need no array: each element of theirs is read once, at the same step."""
    parts: dict[str, list[tuple[int, int] | None]] = {}

    def look(node: ast.AST) -> None:
        match node:
            case ast.Subscript(
                ast.Subscript(ast.Name(n), ast.Name("t")),
                ast.Tuple([*others, ast.Slice(ast.Constant(int(a)), ast.Constant(int(b)))]),
            ) if n in local and all(text(o) == ":" for o in others):
                parts.setdefault(n, []).append((a, b))
                return
            case ast.Subscript(ast.Name(n)) if n in local:
                parts.setdefault(n, []).append(None)
        for child in ast.iter_child_nodes(node):
            look(child)

    for line in loop.lines:
        for e in line.expressions():
            look(e)
    found = set()
    for line in loop.lines:
        n = line_owner(line)
        cheap = not any(isinstance(x, ast.Call) for x in ast.walk(line.value))
        cheap = cheap and not any(v.endswith("_next") for v, _ in reads(line.value, timed))
        plain = line.statement is None and line.only is None and not line.add
        if n not in local or not cheap or not plain:
            continue
        if sum(line_owner(x) == n for x in loop.lines) != 1:
            continue
        read = parts.get(n, [])
        ends = sorted(p for p in read if p is not None)
        apart = all(a[1] <= b[0] for a, b in pairwise(ends))
        if len(read) == 1 or (None not in read and apart):
            found.add(n)
    return found
