"""What may be taken for what in a program: variables of one shape, and the columns of the gates."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from microgrrepresent.programs.code import Code
from microgrrepresent.programs.expressions import (
    Expr,
    at,
    name,
    parsed,
    replaced,
    shifted,
    text,
    time_shift,
)
from microgrrepresent.programs.lines import Item, Loop, lines_of
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.shapes import equal
from microgrrepresent.programs.texts import Shape

_NOW_AND_BEFORE = (name("t"), shifted("t", -1))

NEAR = 6
"""One adjoint is taken for another that is at most so many lines away."""


def gate_columns(items: Sequence[Item]) -> list[Expr]:
    """The columns of the gates: ``:, 0:4``."""
    found: dict[str, Expr] = {}
    for line in lines_of(list(items)):
        for node in ast.walk(line.value):
            match node:
                case ast.Subscript(_, ast.Tuple([ast.Slice(), ast.Slice()]) as index):
                    found[text(index)] = index
    return list(found.values())


def similar(code: Code) -> dict[str, list[Expr]]:
    """For each variable, those of its shape: forward for forward, adjoints for adjoints."""
    forward = [line_owner(line) for line in lines_of(list(code.forward))]
    stored = [n for n in dict.fromkeys(forward) if n in code.timed]
    loops = [item for item in code.backward if isinstance(item, Loop)]
    inner = [line_owner(line) for loop in loops for line in loop.lines if not line.add]
    adjoints = [n for n in dict.fromkeys(inner) if n not in code.timed]
    found: dict[str, list[Expr]] = {}
    for n in stored:
        now: list[Expr] = [at(m, name("t")) for m in stored if _alike(code, n, m)]
        before: list[Expr] = [at(m, shifted("t", -1)) for m in code.given if _alike(code, n, m)]
        found[n] = now + before
    for line in lines_of(list(code.forward)):
        match line.target, line.value:
            case ast.Name(n), ast.Call(_, [ast.ListComp()]) if text(line.value).startswith(
                "np.stack"
            ):
                found[n] = [_a_step_earlier(line.value)]
    for x, index in _read_by_step(code).items():
        found[x] = [at(m, i) for m in stored if _alike(code, m, x) for i in _NOW_AND_BEFORE]
        for m in stored:
            if _alike(code, m, x):
                found[m].append(at(x, index))
    for block, width in _widths(code).items():
        same = [m for m in stored if (code.shapes.get(m) or [None])[-1] == width]
        found[block] = [at(m, name("t")) for m in same]
        for m in same:
            found[m].append(parsed(block))
    for n in adjoints:
        k = adjoints.index(n)
        near = adjoints[max(0, k - NEAR) : k + NEAR + 1]
        found[n] = [name(m) for m in near if _alike(code, n, m)]
    return found


def _read_by_step(code: Code) -> dict[str, Expr]:
    """The inputs that are read step by step, and at which index: ``X``, ``t - 1``."""
    found = {}
    for line in lines_of(list(code.forward)):
        for e in ast.walk(line.value):
            match e:
                case ast.Subscript(ast.Name(n), index) if n in code.inputs:
                    if time_shift(index) is not None:
                        found[n] = index
    return found


def operands(code: Code) -> dict[str, list[Expr]]:
    """For each operand of the products of the forward pass, what it is multiplied by."""
    found: dict[str, list[Expr]] = {}
    for line in lines_of(list(code.forward)):
        for e in ast.walk(line.value):
            match e:
                case ast.BinOp(
                    ast.Name() | ast.Subscript(ast.Name()) as a,
                    ast.Mult() | ast.MatMult(),
                    ast.Name() | ast.Subscript(ast.Name()) as b,
                ) if text(a) != text(b):
                    found.setdefault(text(a), []).extend(_now_too(b))
                    found.setdefault(text(b), []).extend(_now_too(a))
    return found


def _now_too(operand: Expr) -> list[Expr]:
    """An operand; where it is a state of the step before, that of this step, too."""
    match operand:
        case ast.Subscript(ast.Name(n), index) if time_shift(index) == -1:
            return [operand, at(n, name("t"))]
    return [operand]


def _widths(code: Code) -> dict[str, int]:
    """The gates' columns that the backward pass reads, and how many: ``u[t][:, 8:12]``, 4."""
    found = {}
    for line in lines_of(list(code.backward)):
        for e in ast.walk(line.value):
            match e:
                case ast.Subscript(
                    ast.Subscript(),
                    ast.Tuple([_, ast.Slice(ast.Constant(int(a)), ast.Constant(int(b)))]),
                ):
                    found[text(e)] = b - a
    return found


def _a_step_earlier(stacked: Expr) -> Expr:
    """The states h_0, ..., h_{T-1} for h_1, ..., h_T: ``np.stack([h[k - 1] for k in ...])``."""

    def replace(node: Expr) -> Expr | None:
        match node:
            case ast.Subscript(ast.Name(n), ast.Name("k")):
                return at(n, shifted("k", -1))
        return None

    return replaced(stacked, replace)


def _alike(code: Code, n: str, m: str) -> bool:
    a, b = (_shape(code, v.removesuffix("_next")) for v in (n, m))
    return n != m and equal(a, b)


def _shape(code: Code, n: str) -> Shape | None:
    """That of a variable, or of a step of an input."""
    return code.inputs[n][0][1:] if n in code.inputs else code.shapes.get(n)
