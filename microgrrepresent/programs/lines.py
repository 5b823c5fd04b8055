"""A program as data: lines, and loops over the steps.

Line   h[t] = np.tanh(a)          dW += da.T @ x
Loop   for t in range(1, T + 1):  and its lines
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from microgrrepresent.programs.expressions import Expr, plus, replaced, text


@dataclass
class Line:
    """``target = value``, or ``target += value``; or a statement of another form.

    Attributes
    ----------
    target : ast.expr
        A variable, or one at a time: ``h[t]``.
    value : ast.expr
    add : bool
        Whether the value is added.
    only : ast.expr or None
        The condition under which it is done at all.
    statement : ast.stmt or None
        In place of all this: ``np.add.at(dE, y[t - 1], g)``.
    """

    target: Expr
    value: Expr
    add: bool = False
    only: Expr | None = None
    statement: ast.stmt | None = None

    def expressions(self) -> Iterator[ast.AST]:
        """What is read."""
        yield self.value if self.statement is None else self.statement
        if isinstance(self.target, ast.Subscript):
            yield self.target.slice
        if self.only is not None:
            yield self.only

    def rewritten(self, change: Callable[[Expr], Expr | None]) -> Line:
        """A copy that reads what `change` gives in the place of what it is given."""
        only = None if self.only is None else replaced(self.only, change)
        statement = None if self.statement is None else replaced(self.statement, change)
        return Line(self.target, replaced(self.value, change), self.add, only, statement)

    def __str__(self) -> str:
        if self.statement is not None:
            line = ast.unparse(ast.fix_missing_locations(self.statement))
        else:
            line = f"{text(self.target)} {'+' if self.add else ''}= {text(self.value)}"
        return line if self.only is None else f"if {text(self.only)}:\n    {line}"


@dataclass
class Loop:
    """Lines that are run at every step from `first` to `last`."""

    first: Expr
    last: Expr
    down: bool
    lines: list[Line] = field(default_factory=list)

    @property
    def header(self) -> str:
        """``for t in range(T, 0, -1):``."""
        if self.down:
            return f"for t in range({text(self.first)}, {text(plus(self.last, -1))}, -1):"
        return f"for t in range({text(self.first)}, {text(plus(self.last, 1))}):"


Item = Line | Loop


def lines_of(items: list[Item]) -> Iterator[Line]:
    """All lines, those of loops too."""
    for item in items:
        if isinstance(item, Loop):
            yield from item.lines
        else:
            yield item
