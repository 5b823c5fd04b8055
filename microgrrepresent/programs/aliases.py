"""Other names for a part of an input are not kept: ``X[t - 1]`` is written where it is read."""

from __future__ import annotations

import ast

from microgrrepresent.programs.expressions import Expr, at_step, replaced
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of


def without_aliases(
    sections: list[list[Item]], timed: set[str], kept: set[str]
) -> list[list[Item]]:
    """Sections without the lines that only name a part of an array that is there at once.

    Parameters
    ----------
    sections : list of lists of Line or Loop
        What one of them names, the others may read.
    timed : set of str
        The variables that have a value at every step.
    kept : set of str
        What is asked for by its name.
    """
    known: dict[str, Expr] = {}
    for line in (line for items in sections for line in lines_of(items)):
        match line.target, line.value:
            case ast.Subscript(ast.Name(n), ast.Name("t")), ast.Subscript(ast.Name(whole), index):
                alone = not line.add and line.only is None and line.statement is None
                if alone and whole not in timed and n not in kept and _is_of_t(index):
                    known[n] = line.value

    def replace(node: Expr) -> Expr | None:
        match node:
            case ast.Subscript(ast.Name(n), step) if n in known:
                return at_step(known[n], step)
        return None

    def written(line: Line) -> Line:
        statement = line.statement
        if statement is not None:
            statement = replaced(statement, replace)
        value = replaced(line.value, replace)
        return Line(line.target, value, line.add, line.only, statement)

    def rewritten(items: list[Item]) -> list[Item]:
        found: list[Item] = []
        for item in items:
            if isinstance(item, Loop):
                lines = [written(line) for line in item.lines if not _defines(line, known)]
                if lines:
                    found.append(Loop(item.first, item.last, item.down, lines))
            else:
                found.append(written(item))
        return found

    return [rewritten(items) for items in sections]


def _is_of_t(index: Expr) -> bool:
    return isinstance(index, (ast.Name, ast.BinOp))


def _defines(line: Line, known: dict[str, Expr]) -> bool:
    match line.target:
        case ast.Subscript(ast.Name(n)):
            return n in known and line.statement is None
    return False
