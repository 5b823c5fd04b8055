"""Nests of loops as text: rows of the arrays are taken before the innermost loop."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Sequence

from microgrrepresent.programs.expressions import Expr, name, replaced, text
from microgrrepresent.programs.native.elements import Shape
from microgrrepresent.programs.native.nests import Call, Nest, Statement, Total, Turns
from microgrrepresent.programs.sizes import length


def written(
    statements: Sequence[Statement], axes: Sequence[str], fresh: Callable[[str], str]
) -> str:
    """Statements as text."""
    return "\n".join(_written(s, axes, fresh) for s in statements)


def _written(statement: Statement, axes: Sequence[str], fresh: Callable[[str], str]) -> str:
    match statement:
        case Call(line=line):
            return line
        case Turns(header, body, otherwise):
            found = f"{header}\n{_indented(written(body, axes, fresh) or 'pass')}"
            if otherwise:
                found += f"\nelse:\n{_indented(written(otherwise, axes, fresh))}"
            return found
        case Nest(shape, lines):
            inner = axes[len(shape) - 1] if shape else ""
            rows: dict[str, tuple[str, str]] = {}
            each = "\n".join(
                f"{text(_in_rows(line.target, inner, rows, fresh))} {'+' if line.add else ''}= "
                f"{text(_in_rows(line.value, inner, rows, fresh))}"
                for line in lines
            )
            return _looped(shape, axes, 0, _rows(rows), each)
        case Total(shape, inside, start, update, target, end):
            total = fresh("total")
            inner = axes[len(shape) + len(inside) - 1]
            rows = {}
            each = f"{total} = {text(_in_rows(update(name(total)), inner, rows, fresh))}"
            loops = _looped(inside, axes, len(shape), _rows(rows), each)
            whole = f"{total} = {text(start)}\n{loops}\n{text(target)} = {text(end(name(total)))}"
            return _looped(shape, axes, 0, "", whole)


def _looped(shape: Shape, axes: Sequence[str], first: int, rows: str, body: str) -> str:
    """A body in loops; the rows of the arrays are taken before the innermost one."""
    for k in range(len(shape) - 1, -1, -1):
        body = f"for {axes[first + k]} in range({text(length(shape[k]))}):\n{_indented(body)}"
        if k == len(shape) - 1 and rows:
            body = f"{rows}\n{body}"
    return body


def _in_rows(
    expression: Expr, inner: str, rows: dict[str, tuple[str, str]], fresh: Callable[[str], str]
) -> Expr:
    """Elements of rows that are taken before the innermost loop."""

    def change(node: Expr) -> Expr | None:
        match node:
            case ast.Subscript(ast.Name(array), ast.Tuple([*first, last])):
                if any(_reads(i, inner) for i in first) or not _reads(last, inner):
                    return None
                row = text(ast.Subscript(name(array), _index(first), ast.Load()))
                if row not in rows:
                    rows[row] = fresh(array), row
                last = _in_rows(last, inner, rows, fresh)
                return ast.Subscript(name(rows[row][0]), last, ast.Load())
        return None

    return replaced(expression, change) if inner else expression


def _index(parts: Sequence[Expr]) -> Expr:
    return parts[0] if len(parts) == 1 else ast.Tuple(list(parts), ast.Load())


def _reads(index: Expr, axis: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == axis for n in ast.walk(index))


def _rows(rows: dict[str, tuple[str, str]]) -> str:
    return "\n".join(f"{n} = {row}" for n, row in rows.values())


def _indented(lines: str) -> str:
    return textwrap.indent(lines, "    ")
