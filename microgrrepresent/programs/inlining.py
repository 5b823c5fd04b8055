"""Functions that a program calls are written out, and what they compute alike is computed once.

    L = np.mean(cross_entropy(y_, y))        top = np.max(y_, -1, keepdims=True)
    dy_ = softmax(y_) - np.eye(8)[y]    is   z = y_ - top
                                             e = np.exp(z)         for both of them
                                             ...

Each line then has one operation.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from microgrrepresent.programs.expressions import Expr, key, name, substituted, text
from microgrrepresent.programs.lines import Item, Line
from microgrrepresent.programs.printing import helper_source


@dataclass(frozen=True)
class _Function:
    """A function that is nothing but values with names."""

    arguments: tuple[str, ...]
    defaults: dict[str, Expr]
    values: tuple[tuple[str, Expr], ...]
    result: Expr


def _straight(function: Callable[..., Any]) -> _Function | None:
    """A function as data; None if it has branches, loops or contexts."""
    definition = ast.parse(helper_source(function)).body[0]
    assert isinstance(definition, ast.FunctionDef)
    names = [a.arg for a in definition.args.args]
    given = definition.args.defaults
    defaults = dict(zip(names[len(names) - len(given) :], given, strict=True))
    values = []
    for statement in definition.body:
        match statement:
            case ast.Expr(ast.Constant(str())):
                pass
            case ast.Assign([ast.Name(n)], value):
                values.append((n, value))
            case ast.Return(ast.expr() as value):
                return _Function(tuple(names), defaults, tuple(values), value)
            case _:
                break
    return None


class Inlining:
    """Write out the functions that lines call.

    Parameters
    ----------
    functions : sequence of callable
        What is printed with the program.
    fresh : callable
        A name that no variable has, from a stem.
    attribute : callable
        What an attribute such as ``x.shape`` is, if that is known without x.
    """

    def __init__(
        self,
        functions: Sequence[Callable[..., Any]],
        fresh: Callable[[str], str],
        attribute: Callable[[ast.Attribute], Expr | None],
    ) -> None:
        found = {function.__name__: _straight(function) for function in functions}
        self.functions = {n: f for n, f in found.items() if f is not None}
        self.fresh = fresh
        self.attribute = attribute
        self._known: dict[str, ast.Name] = {}

    @property
    def made(self) -> set[str]:
        """The names of what the functions compute."""
        return {known.id for known in self._known.values()}

    def lines(self, items: Sequence[Item]) -> list[Item]:
        """Items whose lines outside of loops call no such function."""
        found: list[Item] = []
        for item in items:
            if isinstance(item, Line) and item.statement is None and self._calls(item.value):
                written: list[Item] = []
                value = self._split_up(item.value, written, {})
                found += [*written, Line(item.target, value, item.add, item.only)]
            else:
                found.append(item)
        return found

    def _calls(self, value: Expr) -> bool:
        return any(
            isinstance(node, ast.Call) and text(node.func) in self.functions
            for node in ast.walk(value)
        )

    def _split_up(self, value: Expr, lines: list[Item], letters: Mapping[str, Expr]) -> Expr:
        """The last operation of a value, after lines for those before it."""

        def atom(e: Expr) -> Expr:
            return self._named(self._split_up(e, lines, letters), lines)

        match value:
            case ast.Name(n):
                return letters.get(n, value)
            case ast.Call(ast.Name(n), arguments, keywords) if n in self.functions:
                f = self.functions[n]
                inner: dict[str, Expr] = dict(f.defaults)
                inner |= dict(zip(f.arguments, map(atom, arguments), strict=False))
                inner |= {k.arg: atom(k.value) for k in keywords if k.arg}
                for letter, e in f.values:
                    inner[letter] = self._named(self._split_up(e, lines, inner), lines, letter)
                return self._split_up(f.result, lines, inner)
            case ast.Attribute(of, which):
                found = ast.Attribute(atom(of), which, ast.Load())
                return self.attribute(found) or found
            case ast.Subscript(of, index):
                return _element(atom(of), _over(index, atom))
            case ast.Call(function, arguments, keywords):
                if isinstance(function, ast.Attribute):
                    function = ast.Attribute(atom(function.value), function.attr, ast.Load())
                return ast.Call(
                    function,
                    [_over(a, atom) for a in arguments],
                    [ast.keyword(k.arg, atom(k.value)) for k in keywords],
                )
            case ast.BinOp(left, sign, right):
                return ast.BinOp(atom(left), sign, atom(right))
            case ast.UnaryOp(sign, of):
                return ast.UnaryOp(sign, atom(of))
            case ast.Compare(left, signs, others):
                return ast.Compare(atom(left), signs, [atom(e) for e in others])
        return substituted(value, letters)

    def _named(self, value: Expr, lines: list[Item], stem: str = "v") -> Expr:
        """A value by its name: that of a line which computes it, here or before."""
        if isinstance(value, (ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List)):
            return value
        if isinstance(value, ast.UnaryOp) and isinstance(value.operand, ast.Constant):
            return value
        k = key(value)
        if k not in self._known:
            self._known[k] = name(self.fresh(stem))
            lines.append(Line(self._known[k], value))
        return self._known[k]


def _over(index: Expr, f: Callable[[Expr], Expr]) -> Expr:
    """A function over the parts of an index, or of a list."""
    match index:
        case ast.Tuple(parts):
            return ast.Tuple([_over(part, f) for part in parts], ast.Load())
        case ast.List(parts):
            return ast.List([_over(part, f) for part in parts], ast.Load())
        case ast.Slice(start, stop, step):
            return ast.Slice(*(None if end is None else f(end) for end in (start, stop, step)))
    return f(index)


def _element(of: Expr, index: Expr) -> Expr:
    """An element of a tuple that is known, or else of an array."""
    if isinstance(of, ast.Tuple) and isinstance(index, (ast.Constant, ast.UnaryOp)):
        i: int = ast.literal_eval(index)
        return of.elts[i]
    return ast.Subscript(of, index, ast.Load())
