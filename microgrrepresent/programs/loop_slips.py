"""The slips that people make in a loop as a whole, or between its lines.

other_steps     for t in range(T, 0, -1):     for t in range(T, -1, -1):
overwritten     dU += ...                     dU = ...
dW += ...                     dW = ...
too_early       dw += dh * h[t - 1]           dh = dh * w
dh_next = dh * w              dw += dh * h[t - 1]
dh_next = dh
another_later   do = dh * np.tanh(c[t])       do = dc * np.tanh(c[t]), after dc
own_terms       what the loss itself adds at each step, which is easily added twice
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from microgrrepresent.programs.code import Code
from microgrrepresent.programs.expressions import (
    Expr,
    at,
    key,
    name,
    plus,
    replaced,
    shifted,
    substituted,
    text,
    total,
)
from microgrrepresent.programs.lines import Line, Loop
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.sizes import Dimension

LoopSlip = tuple[str, Loop]
"""What is wrong, in a sentence without its end, and the wrong loop."""

LoopSlips = Callable[[Loop], Iterator[LoopSlip]]


def other_steps(by_step: Mapping[str, Expr]) -> LoopSlips:
    """A turn too few or too many, or the other way round.

    Parameters
    ----------
    by_step : dict from str to ast.expr
        See `by_step`. Beyond the last step there is none of what is computed for all at once.
    """

    def slips(loop: Loop) -> Iterator[LoopSlip]:
        by = -1 if loop.down else 1
        before, after = plus(loop.first, by), plus(loop.last, -by)
        if loop.down:
            turned = replace(loop, first=loop.last, last=loop.first, down=False)
            yield "the loop runs forwards in time, not backwards", turned
        yield "the first turn of the loop is left out", replace(loop, first=before)
        yield "the last turn of the loop is left out", replace(loop, last=after)
        if loop.down:
            beyond = plus(loop.last, by)
            lines = [_by_step(line, by_step) for line in loop.lines]
            far = replace(loop, last=beyond, lines=lines)
            early = replace(far, first=before)
            yield "the loop goes one step too far", far
            yield "the loop begins and ends one step too early in time", early
            turned = replace(early, first=beyond, last=before, down=False)
            yield "the loop runs forwards in time, and from one step before the first", turned

    return slips


def _by_step(line: Line, known: Mapping[str, Expr]) -> Line:
    found = line.rewritten(lambda e: known.get(text(e)))
    return line if str(found) == str(line) else found


def overwritten(loop: Loop) -> Iterator[LoopSlip]:
    """Several sums over the steps are overwritten, from one of them on to the last."""
    sums = [k for k, line in enumerate(loop.lines) if line.add]
    for first in range(len(sums) - 1):
        lines = list(loop.lines)
        for k in sums[first:]:
            lines[k] = replace(lines[k], add=False)
        which = "these" if first else "all"
        says = f"each step overwrites {which} sums, with = instead of +="
        yield says, replace(loop, lines=lines)


def too_early(loop: Loop) -> Iterator[LoopSlip]:
    """An adjoint is that of the step before already, where it is still read for this step."""
    for k, state, readers in _handed_on(loop):
        yield _moved(loop, k, state, readers[0])


def too_early_for_some(loop: Loop) -> Iterator[LoopSlip]:
    """The same, where some of the lines still read that of this step."""
    for k, state, readers in _handed_on(loop):
        for j in readers[1:]:
            yield _moved(loop, k, state, j)
        for j in readers[:-1]:
            line, handed = loop.lines[j], loop.lines[k].value
            value = substituted(line.value, {state: handed})
            new = [*loop.lines[:j], replace(line, value=value), *loop.lines[j + 1 :]]
            yield _says_early(state), replace(loop, lines=new)


def _handed_on(loop: Loop) -> Iterator[tuple[int, str, list[int]]]:
    """The lines that may stand too early, the state they hand on, and the lines that read that."""
    lines = loop.lines
    for k, line in enumerate(lines):
        carried = line_owner(line)
        state = carried.removesuffix("_next")
        begins = [d for d, other in enumerate(lines[:k]) if line_owner(other) == state]
        if state == carried or not begins or line.statement:
            continue
        between = range(begins[-1] + 1, k)
        readers = [j for j in between if reads(lines[j].value, state)]
        if readers and not reads(line.value, *(line_owner(lines[j]) for j in between)):
            yield k, state, readers


def _moved(loop: Loop, k: int, state: str, to: int) -> LoopSlip:
    lines, line = loop.lines, loop.lines[k]
    first, last = Line(name(state), line.value), replace(line, value=name(state))
    new = [*lines[:to], first, *lines[to:k], last, *lines[k + 1 :]]
    return _says_early(state), replace(loop, lines=new)


def _says_early(state: str) -> str:
    return f"{state} is that of the step before already, where it is read"


def another_later(similar: Mapping[str, Sequence[Expr]]) -> LoopSlips:
    """An adjoint is taken for another that is computed later: ``dc`` for ``dh``."""

    def slips(loop: Loop) -> Iterator[LoopSlip]:
        lines = loop.lines
        made = [line_owner(line) for line in lines]
        for k, line in enumerate(lines):
            for right in {e.id for e in ast.walk(line.value) if isinstance(e, ast.Name)}:
                for wrong in similar.get(right, ()):
                    later = [j for j in range(k + 1, len(lines)) if made[j] == text(wrong)]
                    if later and not any(
                        reads(other.value, made[k]) for other in lines[k + 1 : later[0] + 1]
                    ):
                        moved = replace(line, value=substituted(line.value, {right: wrong}))
                        end = later[0] + 1
                        new = [*lines[:k], *lines[k + 1 : end], moved, *lines[end:]]
                        yield f"{text(wrong)} instead of {right}", replace(loop, lines=new)

    return slips


def reads(expression: Expr, *variables: str) -> bool:
    """Whether an expression reads one of some variables."""
    return any(isinstance(e, ast.Name) and e.id in variables for e in ast.walk(expression))


def own_terms(code: Code) -> dict[str, Expr]:
    """What the loss itself adds to the adjoint of a state at t, by what carries that adjoint on.

    ``{"dh_next": dH[t - 1]}`` for ``dh = dH[t - 1] + dh_next``. A loss of the last state alone
    begins with it, ``dh_next = h[T] + h[T]``: here it is ``h[t] + h[t]``.
    """
    found: dict[str, Expr] = {}
    starts = {line_owner(i): i.value for i in code.backward if isinstance(i, Line)}
    for loop in (item for item in code.backward if isinstance(item, Loop)):
        for line in loop.lines:
            for carried in (n for n in starts if n.endswith("_next") and reads(line.value, n)):
                terms = _terms(line.value)
                rest = [e for e in terms if key(e) != key(name(carried))]
                if rest and len(rest) < len(terms):
                    found[carried] = total(rest)
                elif not rest and not reads(starts[carried], "np"):
                    found[carried] = _at_each(starts[carried], loop.first)
    return found


def by_step(code: Code) -> dict[str, Expr]:
    """What is computed for all steps at once, and is elementwise, as it is at one step.

    ``{"dH[t - 1]": 2 * h[t]}`` for ``H = np.stack([h[k] for k in range(1, T + 1)])`` and
    ``dH = 2 * H``.
    """
    each: dict[str, Expr] = {}
    for line in code.forward:
        match line:
            case Line(
                ast.Name(n),
                ast.Call(_, [ast.ListComp(ast.Subscript(ast.Name(h), ast.Name("k")), [over])]),
            ) if text(over.iter) == "range(1, T + 1)":
                each[n] = at(h, name("t"))
    given = {n: shape[0] for n, (shape, _) in code.inputs.items() if shape}
    read = {n: at(n, shifted("t", -1)) for n, size in given.items() if _is_count(size)}
    found: dict[str, Expr] = {}
    for line in code.backward:
        match line:
            case Line(ast.Name(n), value) if reads(value, *each):
                if _is_elementwise(value, {*each, *read}):
                    found[f"{n}[t - 1]"] = substituted(value, each | read)
    return found


def _is_count(size: Dimension) -> bool:
    return not isinstance(size, int) and text(size) == "T"


def _is_elementwise(expression: Expr, variables: Collection[str]) -> bool:
    """Whether it is made of numbers and these variables, element by element."""
    match expression:
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow(), right):
            return _is_elementwise(left, variables) and _is_elementwise(right, variables)
        case ast.Name(n):
            return n in variables
    return isinstance(expression, ast.Constant)


def _terms(expression: Expr) -> list[Expr]:
    match expression:
        case ast.BinOp(left, ast.Add(), right):
            return [*_terms(left), *_terms(right)]
    return [expression]


def _at_each(expression: Expr, last: Expr) -> Expr:
    """What is said of the last step, said of t."""

    def value_of(node: Expr) -> Expr | None:
        match node:
            case ast.Subscript(ast.Name(n), index) if key(index) == key(last):
                return at(n, name("t"))
        return None

    return replaced(expression, value_of)
