"""One call for all gates: activations of parts that stand side by side become one.

    i[t] = sigmoid(a[t][:, 0:4])                      gates[t] = 0.5 * tanh(s * a[t]) + 0.5, ...
    f[t] = sigmoid(a[t][:, 4:8])         becomes      i[t] is gates[t][:, 0:4]
    g[t] = tanh(a[t][:, 8:12])                        f[t] is gates[t][:, 4:8]

The sigmoid is a tanh, sigmoid(x) = (1 + tanh(x / 2)) / 2, so that gates and candidates are computed
together, with constants that differ from part to part.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import Expr, at, key, name, replaced, text
from microgrrepresent.programs.lines import Line, Loop
from microgrrepresent.programs.schedule import line_owner


@dataclass(frozen=True)
class Part:
    """A variable that is a part of another one, along the last axis."""

    variable: str
    whole: str
    start: int
    stop: int


def place(part: Part, index: Expr) -> Expr:
    """Where a part is at a step: ``gates[t][:, 4:8]``."""
    cut = ast.Slice(ast.Constant(part.start), ast.Constant(part.stop))
    axes = ast.Tuple([ast.Slice(), cut], ast.Load())
    return ast.Subscript(at(part.whole, index), axes, ast.Load())


def as_parts(line: Line, parts: dict[str, Part]) -> Line:
    """A line that reads, or sets, parts where it did so with variables of their own."""

    def change(node: Expr) -> Expr | None:
        match node:
            case ast.Subscript(ast.Name(n), index) if n in parts:
                return place(parts[n], index)
        return None

    statement = None if line.statement is None else replaced(line.statement, change)
    target, value = replaced(line.target, change), replaced(line.value, change)
    return Line(target, value, line.add, line.only, statement)


@dataclass(frozen=True)
class Constants:
    """A number for each element along the last axis, told by the parts: ``0.5`` for 0 to 8, ..."""

    variable: str
    values: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class _Activation:
    line: Line
    argument: Expr
    form: str
    """The argument, without from where to where it is cut."""
    start: int
    stop: int
    scale: float
    """Of the argument; the value is ``scale * tanh(scale * argument) + 1 - scale``."""


def merged(
    loop: Loop, timed: set[str], fresh: Callable[[str], str]
) -> tuple[Loop, list[Part], list[Constants]]:
    """Compute activations of adjacent parts of the same arrays by one call.

    Parameters
    ----------
    loop : Loop
    timed : set of str
        The variables that have a value at every step; the new ones are added.
    fresh : callable
        A name that no variable has, from a stem.
    """
    found = [a for a in map(_activation, loop.lines) if a is not None]
    groups: dict[str, list[_Activation]] = {}
    for one in found:
        groups.setdefault(one.form, []).append(one)
    parts: list[Part] = []
    constants: list[Constants] = []
    lines = list(loop.lines)
    for group in groups.values():
        for run in _adjacent(group):
            members = {line_owner(one.line) for one in run}
            if len(run) < 2 or any(n in members for n, _ in reads(run[0].argument, timed)):
                continue
            whole = fresh("gates")
            timed.add(whole)
            value, made = _together(run, fresh)
            constants += made
            at_first = min(lines.index(one.line) for one in run)
            lines = [line for line in lines if not any(line is one.line for one in run)]
            lines.insert(at_first, Line(at(whole, name("t")), value))
            begin = run[0].start
            parts += [
                Part(line_owner(one.line), whole, one.start - begin, one.stop - begin)
                for one in run
            ]
    return Loop(loop.first, loop.last, loop.down, lines), parts, constants


def _activation(line: Line) -> _Activation | None:
    """A line that is the tanh or the sigmoid of parts; None if it is no such thing."""
    if line.add or line.only is not None or line.statement is not None:
        return None
    match line.value:
        case ast.Call(function, [argument], []) if text(function) == "np.tanh":
            scale = 1.0
        case ast.BinOp(
            ast.Constant(1),
            ast.Div(),
            ast.BinOp(
                ast.Constant(1), ast.Add(), ast.Call(exp, [ast.UnaryOp(ast.USub(), argument)], [])
            ),
        ) if text(exp) == "np.exp":
            scale = 0.5
        case _:
            return None
    cuts: set[tuple[int, int]] = set()

    def without_cut(node: Expr) -> Expr | None:
        found = _cut(node)
        if found is None:
            return None
        cuts.add(found[1:])
        return ast.Subscript(found[0], ast.Name("part", ast.Load()), ast.Load())

    form = replaced(argument, without_cut)
    whole = any(isinstance(n, ast.Subscript) and _cut(n) is None for n in _tops(argument))
    if len(cuts) != 1 or whole:
        return None
    start, stop = cuts.pop()
    return _Activation(line, argument, key(form), start, stop, scale)


def _tops(expression: Expr) -> list[Expr]:
    """The operands of elementwise operators."""
    match expression:
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult(), right):
            return [*_tops(left), *_tops(right)]
    return [expression]


def _cut(node: ast.AST) -> tuple[Expr, int, int] | None:
    """The array, from, and to, of ``a[t][:, 4:8]``."""
    match node:
        case ast.Subscript(
            ast.Subscript() as inner,
            ast.Tuple(
                [ast.Slice(None, None, None), ast.Slice(ast.Constant(int(a)), ast.Constant(int(b)))]
            ),
        ):
            return inner, a, b
    return None


def _adjacent(group: list[_Activation]) -> list[list[_Activation]]:
    """Runs of parts, each beginning where the one before it ends."""
    runs: list[list[_Activation]] = []
    for one in sorted(group, key=lambda a: a.start):
        if runs and runs[-1][-1].stop == one.start:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _together(run: list[_Activation], fresh: Callable[[str], str]) -> tuple[Expr, list[Constants]]:
    """One activation for a run of parts, and the constants that it needs."""
    start, stop = run[0].start, run[-1].stop

    def wider(node: Expr) -> Expr | None:
        found = _cut(node)
        if found is None:
            return None
        whole = ast.Slice(ast.Constant(start), ast.Constant(stop))
        return ast.Subscript(found[0], ast.Tuple([ast.Slice(), whole], ast.Load()), ast.Load())

    argument = replaced(run[0].argument, wider)
    scales = {one.scale for one in run}
    made: list[Constants] = []
    if scales == {1.0}:
        return ast.Call(ast.parse("np.tanh", mode="eval").body, [argument], []), made
    if scales == {0.5}:
        scale: Expr = ast.Constant(0.5)
        shift: Expr = ast.Constant(0.5)
    else:
        widths = [(one.scale, one.stop - one.start) for one in run]
        made = [
            Constants(fresh("scale"), tuple(widths)),
            Constants(fresh("shift"), tuple((1 - s, n) for s, n in widths)),
        ]
        scale, shift = name(made[0].variable), name(made[1].variable)
    inner = ast.BinOp(argument, ast.Mult(), scale)
    tanh = ast.Call(ast.parse("np.tanh", mode="eval").body, [inner], [])
    return ast.BinOp(ast.BinOp(tanh, ast.Mult(), scale), ast.Add(), shift), made
