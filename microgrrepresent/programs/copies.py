"""Lines that change an array in place, each done on a copy: what it was they changed, then shows.

dh = h[-1]                              dh = h[-1]
for t in range(len(X), 0, -1):          for t in range(len(X), 0, -1):
dh *= w      # changes h[-1]            dh = dh.copy()
dh *= w
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef
Statement = ast.Assign | ast.AugAssign


@dataclass(frozen=True)
class Change:
    """A line that changes an array in place.

    Attributes
    ----------
    line : str
        Such as ``dh *= w``.
    variable : str
        ``dh``.
    begins : str
        The line that made the variable another name of an array, ``dh = h[-1]``; empty if none did.
    of : str
        The variable that has this array, ``h``; it may be the same.
    """

    line: str
    variable: str
    begins: str = ""
    of: str = ""

    @property
    def says(self) -> str:
        """What it does."""
        return f"`{self.line}` changes {self.of or self.variable} in place"

    @property
    def why(self) -> str:
        """How it comes to do that."""
        if not self.begins:
            return f"Let {self.variable} be a copy before that line."
        array = self.begins.partition(" = ")[2]
        return f"After `{self.begins}`, {self.variable} is {array} itself, and no copy of it."


def on_copies(function: Callable[..., Any]) -> Iterator[tuple[Change | None, Callable[..., Any]]]:
    """A function with all that it changes in place done on copies, then with one line each.

    What it prints is not printed again. There is nothing where its source is not known.
    """
    inner = inspect.unwrap(function)
    try:
        source = textwrap.dedent(inspect.getsource(inner))
        known = {**inner.__globals__, **inspect.getclosurevars(inner).nonlocals}
        found = list(sources_on_copies(source))
    except (OSError, TypeError, ValueError, SyntaxError, AttributeError):
        return
    for change, text in found:
        names = dict(known)
        with contextlib.suppress(Exception):  # such as a default that is known elsewhere only
            exec(compile(text, "<on a copy>", "exec"), names)
        if callable(names.get(inner.__name__)):
            yield change, _silent(names[inner.__name__])


def _silent(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with contextlib.redirect_stdout(io.StringIO()):
            return function(*args, **kwargs)

    return called


def sources_on_copies(source: str | bytes) -> Iterator[tuple[Change | None, str]]:
    """Source with a copy before each line that changes an array in place, then before one each."""
    tree = ast.parse(source)
    places: list[tuple[list[ast.stmt], Statement, ast.stmt, Change]] = []
    for function in (f for f in ast.walk(tree) if isinstance(f, Function)):
        names = {*_variables(function)}
        if tree.body == [function]:
            _strip(function)
        for body, statement in _statements(function):
            variable = _changed(statement)
            if variable in names:
                copy = ast.parse(_COPY.format(variable)).body[0]
                places.append((body, statement, copy, _change(statement, variable, function)))
    for body, statement, copy, _ in places:
        body.insert(body.index(statement), copy)
    if places:
        yield None, ast.unparse(tree)
    for body, _, copy, _ in places:
        body.remove(copy)
    for body, statement, copy, change in places:
        body.insert(body.index(statement), copy)
        yield change, ast.unparse(tree)
        body.remove(copy)


def _strip(function: Function) -> None:
    """Without what needs names from elsewhere, and does nothing to its numbers."""
    function.decorator_list, function.returns = [], None
    for given in ast.walk(function.args):
        if isinstance(given, ast.arg):
            given.annotation = None


_COPY = "{0} = getattr({0}, 'copy', lambda: {0})()"


def _variables(function: Function) -> Iterator[str]:
    for node in ast.walk(function):
        match node:
            case ast.Name(n, ast.Store()) | ast.arg(n):
                yield n


def _statements(tree: ast.AST) -> Iterator[tuple[list[ast.stmt], Statement]]:
    """Assignments, each with the block that it stands in."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                yield from ((body, s) for s in body if isinstance(s, Statement))


def _changed(statement: Statement) -> str:
    """The variable whose array may be changed in place; empty if none is."""
    match statement:
        case ast.AugAssign(ast.Name(n)):
            return n
        case ast.AugAssign(ast.Subscript() as target) | ast.Assign([ast.Subscript() as target]):
            return _root(target)
    return ""


def _root(expression: ast.expr) -> str:
    """The variable that has an array: ``h`` of ``h[-1].T``; empty if it may be a new one."""
    match expression:
        case ast.Name(n):
            return n
        case ast.Subscript(of) | ast.Attribute(of, "T"):
            return _root(of)
        case ast.Call(ast.Attribute(of, "reshape" | "view" | "transpose" | "squeeze")):
            return _root(of)
    return ""


def _change(statement: Statement, variable: str, function: Function) -> Change:
    line = ast.unparse(statement)
    found = Change(line, variable)
    for _, other in _statements(function):
        if isinstance(other, ast.Assign) and _place(other) < _place(statement):
            for target, value in _assigned(other):
                if isinstance(target, ast.Name) and target.id == variable:
                    of = _root(value)
                    begins = f"{variable} = {ast.unparse(value)}"
                    found = Change(line, variable, begins, of) if of else found
    return found


def _place(statement: Statement) -> tuple[int, int]:
    return statement.lineno, statement.col_offset


def _assigned(statement: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Targets with their values, those of ``a, b = x, y`` one by one."""
    for target in statement.targets:
        match target, statement.value:
            case ast.Tuple(targets), ast.Tuple(values) if len(targets) == len(values):
                yield from zip(targets, values, strict=True)
            case _:
                yield target, statement.value
