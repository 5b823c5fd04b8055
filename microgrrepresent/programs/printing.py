"""A program as text: a function that needs NumPy only, with what it calls printed before it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from microgrrepresent.programs.code import Code
from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import A, name, replaced, text
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of


def printed(code: Code) -> str:
    """The text of a program."""
    return written(_with_own_gradients(as_printed(code)))


def _with_own_gradients(code: Code) -> Code:
    """Each gradient is an array of its own: of two names for one, the second becomes a copy."""
    backward, gradients = list(code.backward), list(code.gradients)
    lines = {
        line.target.id: (i, line)
        for i, line in enumerate(backward)
        if isinstance(line, Line) and isinstance(line.target, ast.Name)
    }
    seen: set[str] = set()
    for k, gradient in enumerate(gradients):
        root = gradient
        while isinstance(root, ast.Name) and root.id in lines:
            line = lines[root.id][1]
            if line.statement is not None or not isinstance(line.value, ast.Name):
                break
            root = line.value
        if not isinstance(root, ast.Name) or not isinstance(gradient, ast.Name):
            continue
        if root.id not in seen:
            seen.add(root.id)
            continue
        copy = ast.Call(ast.Attribute(root, "copy", ast.Load()), [], [])
        if gradient.id != root.id:
            i, line = lines[gradient.id]
            backward[i] = Line(line.target, copy)
        else:
            gradients[k] = copy
    return replace(code, backward=tuple(backward), gradients=tuple(gradients))


def written(code: Code) -> str:
    """The text of a program whose lines are as they are printed."""
    forward, backward = sections(code)
    gradients = ", ".join(text(g) for g in code.gradients)
    comma = "," if len(code.gradients) == 1 else ""
    body = [*forward, "", *backward, "", f"return {code.loss}, ({gradients}{comma})"]
    return "\n\n".join(
        [
            "import numpy as np\n",
            *[helper_source(h) for h in code.helpers],
            f"def {code.name}({', '.join([*code.inputs, *code.leaves])}):\n"
            f"{textwrap.indent(chr(10).join(body), '    ')}\n",
        ]
    )


def sections(code: Code) -> tuple[list[str], list[str]]:
    """The lines of the forward pass and of the way back, each under its comment."""
    lines = [str(line) for line in lines_of([*code.forward, *code.backward])]
    words = list(dict.fromkeys(re.findall(r"\w+", "\n".join(lines))))
    stored = [n for n in words if n in code.timed]
    forward = [*_sizes(code), *[str(line) for line in code.made], "", "# forward"]
    begun = _owners(code.forward) | set(code.given)
    forward += _dictionaries([n for n in stored if n in begun], code) + _section(code.forward)
    backward = ["# back through time"]
    backward += _dictionaries([n for n in stored if n in _owners(code.backward)], code)
    return forward, backward + _section(code.backward)


def as_printed(code: Code) -> Code:
    """The lines as they are printed: what no other turn of a loop reads needs no step."""
    local = _local(code)

    def localized(line: Line) -> Line:
        return Line(
            _localized(line.target, local),
            _localized(line.value, local),
            line.add,
            None if line.only is None else _localized(line.only, local),
            None if line.statement is None else _localized(line.statement, local),
        )

    def section(items: Sequence[Item]) -> tuple[Item, ...]:
        return tuple(
            Loop(item.first, item.last, item.down, [localized(line) for line in item.lines])
            if isinstance(item, Loop)
            else localized(item)
            for item in items
        )

    return replace(
        code,
        forward=section(code.forward),
        backward=section(code.backward),
        gradients=tuple(_localized(g, local) for g in code.gradients),
        timed=code.timed - local,
    )


def _dictionaries(names: Sequence[str], code: Code) -> list[str]:
    """A dictionary over the steps for each variable that is read at another step than its own."""
    found = []
    for n in names:
        if n in code.given:
            start = ", ".join(f"{text(step)}: {letter}" for step, letter in code.given[n])
            found.append(f"{n} = {{{start}}}")
    empty = [n for n in names if n not in code.given]
    if empty:
        found.append(f"{', '.join(empty)} = {', '.join(['{}'] * len(empty))}")
    return found


def _sizes(code: Code) -> list[str]:
    """``T, B = X.shape[:2]``, or a line for each."""
    owners = {where.partition(".")[0] for _, where in code.sizes}
    if len(code.sizes) == 2 and len(owners) == 1:
        names = ", ".join(n for n, _ in sorted(code.sizes, key=lambda size: size[1]))
        return [f"{names} = {owners.pop()}.shape[:2]"]
    return [f"{n} = {where}" for n, where in code.sizes]


def _owners(items: Sequence[Item]) -> set[str]:
    return {
        line.target.value.id
        for line in lines_of(list(items))
        if isinstance(line.target, ast.Subscript) and isinstance(line.target.value, ast.Name)
    }


def _local(code: Code) -> set[str]:
    """Variables that are read only at the turn of the loop that computes them."""
    home: dict[str, int] = {}
    for i, item in enumerate([*code.forward, *code.backward]):
        if isinstance(item, Loop):
            for line in item.lines:
                match line.target:
                    case ast.Subscript(ast.Name(n), ast.Name("t")) if n in code.timed:
                        home.setdefault(n, i)
    local = {n for n in home if n not in code.given}
    for i, item in enumerate([*code.forward, *code.backward]):
        lines = item.lines if isinstance(item, Loop) else [item]
        for line in lines:
            for e in (line.target, *line.expressions()):
                for n, shift in reads(e, set(code.timed)):
                    if n in local and (home[n] != i or shift != 0):
                        local.discard(n)
    for e in code.gradients:
        for n, _ in reads(e, set(code.timed)):
            local.discard(n)
    return local


def _localized(expression: A, local: set[str]) -> A:
    def replace(node: ast.expr) -> ast.expr | None:
        match node:
            case ast.Subscript(ast.Name(n), ast.Name("t")) if n in local:
                return name(n)
        return None

    return replaced(expression, replace)


def _section(items: Sequence[Item]) -> list[str]:
    found: list[str] = []
    for item in items:
        if isinstance(item, Loop):
            found.append(item.header)
            found += [textwrap.indent(str(line), "    ") for line in item.lines]
        else:
            found.append(str(item))
    return found


def helper_source(function: Callable[..., Any]) -> str:
    """The source of a function, without annotations of types."""
    source = textwrap.dedent(inspect.getsource(function))
    tree = ast.parse(source)
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    for argument in (*definition.args.args, *definition.args.kwonlyargs):
        argument.annotation = None
    definition.returns = None
    for i, statement in enumerate(definition.body):
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            definition.body[i] = ast.Assign([statement.target], statement.value)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"
