"""A backward pass with one mistake in it, for each way in which people make one.

A mistake is a whole program again: what is wrong in a sentence, the line as it should be, the line
as it is, and the code to run. `slips` has the mistakes within an expression; here are those of
lines and of loops, and where each is looked for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from microgrrepresent.programs import gate_slips, slips
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.expressions import (
    Expr,
    call,
    name,
    negative,
    plus,
    replaced,
    substituted,
    text,
)
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.similar import gate_columns, similar


@dataclass(frozen=True, eq=False)
class Mistake:
    """A way to write a backward pass wrongly.

    Attributes
    ----------
    says : str
        What is wrong, such as "the factor 1 - h[t] ** 2 is left out".
    right, wrong : str
        The line as it should be, and as it is; empty if it is not there.
    place : (int, int)
        Which line or loop of the backward pass it is in, and which line of the loop; -1 for what
        is no line of a loop.
    new : Line, Loop or None
        What stands there; None for a line that is left out.
    """

    says: str
    right: str
    wrong: str
    place: tuple[int, int]
    new: Item | None

    def __repr__(self) -> str:
        return f"<Mistake: {self.says[:200]}>"


def mistakes(code: Code) -> Iterator[Mistake]:
    """All the mistakes that are looked for, in the order of the backward pass.

    Parameters
    ----------
    code : Code
        A right program, as it is printed.
    """
    ways = _Ways.of(code)
    for i, item in enumerate(code.backward):
        if isinstance(item, Loop):
            for says, loop in _of_loop(item):
                yield Mistake(says, item.header, loop.header, (i, -1), loop)
            yield from ways.throughout(item, i)
            yield from _sums_overwritten(item, i)
        for k, line in enumerate(item.lines) if isinstance(item, Loop) else [(-1, item)]:
            for says, wrong in ways.of_line(line):
                yield Mistake(says, str(line), "" if wrong is None else str(wrong), (i, k), wrong)


def with_mistakes(code: Code, *wrong: Mistake) -> Code:
    """The program with one or more mistakes, each at another place."""
    new = {m.place: m.new for m in wrong}
    items: list[Item] = []
    for i, item in enumerate(code.backward):
        found = new.get((i, -1), item)
        if isinstance(found, Loop):
            lines = [new.get((i, k), line) for k, line in enumerate(found.lines)]
            found = replace(found, lines=[line for line in lines if isinstance(line, Line)])
        if found is not None:
            items.append(found)
    return replace(code, backward=tuple(items))


def _of_loop(loop: Loop) -> Iterator[tuple[str, Loop]]:
    """The steps of a loop."""
    if loop.down:
        yield (
            "the loop runs forwards in time, not backwards",
            replace(loop, first=loop.last, last=loop.first, down=False),
        )
    by = -1 if loop.down else 1
    yield "the first turn of the loop is left out", replace(loop, first=plus(loop.first, by))
    yield "the last turn of the loop is left out", replace(loop, last=plus(loop.last, -by))


def _sums_overwritten(loop: Loop, place: int) -> Iterator[Mistake]:
    """Several sums over the steps that are overwritten, from one of them on to the last."""
    sums = [k for k, line in enumerate(loop.lines) if line.add]
    for first in range(len(sums) - 1):
        lines = list(loop.lines)
        for k in sums[first:]:
            lines[k] = replace(lines[k], add=False)
        yield Mistake(
            f"each step overwrites {'all' if not first else 'these'} sums, with = instead of +=",
            "\n".join(str(loop.lines[k]) for k in sums[first:]),
            "\n".join(str(lines[k]) for k in sums[first:]),
            (place, -1),
            replace(loop, lines=lines),
        )


Wrong = tuple[str, Line | None]
"""What is wrong, and the line as it is; None for a line that is left out."""


@dataclass(frozen=True)
class _Ways:
    """What can be wrong in a line of one program.

    Attributes
    ----------
    first : Line or None
        The derivative of the loss itself.
    parts : dict from str to ast.expr
        The variables that are put together from those of the gates.
    sizes : list of str
    within : tuple of callable
        The slips within an expression.
    another : callable
        That of taking another variable; it is one of them.
    step : callable
        That of taking another step; so is it.
    gradients : set of str
        What is given back.
    """

    first: Line | None
    parts: dict[str, Expr]
    sizes: list[str]
    within: tuple[slips.Slips, ...]
    another: slips.Slips
    step: slips.Slips
    gradients: set[str]

    @classmethod
    def of(cls, code: Code) -> _Ways:
        blocks = gate_columns([*code.forward, *code.backward])
        loops = [item for item in code.backward if isinstance(item, Loop)]
        last = loops[0].first if loops and loops[0].down else None
        step = slips.wrong_step(code.timed, last)
        another = slips.wrong_variable(similar(code))
        within = (
            slips.dropped_term,
            slips.wrong_sign,
            slips.dropped_factor,
            step,
            gate_slips.swapped_blocks,
            slips.wrong_derivative,
            slips.wrong_sum,
            slips.transposed,
            gate_slips.transposed_blocks(blocks),
            gate_slips.wrong_block(blocks),
            another,
        )
        sizes = [n for n, _ in code.sizes]
        gradients = {text(g) for g in code.gradients}
        return cls(_loss_gradient(code), parts(code), sizes, within, another, step, gradients)

    def of_line(self, line: Line) -> Iterator[Wrong]:
        """Wrong forms of a line."""
        if line.statement is None:
            if line.add:
                yield "each step overwrites the sum, with = instead of +=", replace(line, add=False)
            elif _carries(line) and not _is_zeros(line):
                yield "it is added to what was there, with += instead of =", replace(line, add=True)
            if _carries(line) and _is_zeros(line):
                yield from self._starts(line)
            elif _carries(line):
                same = name(line_owner(line).removesuffix("_next"))
                says = f"{text(same)} goes on to the step before as it is"
                yield says, replace(line, value=same)
                nothing = call("np.zeros_like", same)
                yield "nothing goes on to the step before", replace(line, value=nothing)
            elif not line.add and text(line.target) in self.gradients and not _is_zeros(line):
                zero = call("np.zeros_like", line.value)
                yield f"{text(line.target)} is left at 0", replace(line, value=zero)
            if not _is_zeros(line):
                for form in (line.value, *slips.written_otherwise(line.value)):
                    for way in self.within:
                        for says, value in slips.everywhere(form, way):
                            yield says, replace(line, value=value)
                yield from self._without_a_part(line)
            if line.add or (text(line.target) in self.gradients and _is_sum(line.value)):
                for says, value in slips.mean_for_sum(self.sizes)(line.value):
                    yield says, replace(line, value=value)
            if line is self.first:
                says = "the loss's own gradient has the wrong sign"
                yield says, replace(line, value=negative(line.value))
                lengths = slips.other_length(self.sizes)
                for says, value in lengths(line.value):
                    yield f"the loss's own gradient: {says}", replace(line, value=value)
        if not _is_zeros(line):
            yield "the line is left out", None

    def throughout(self, loop: Loop, place: int) -> Iterator[Mistake]:
        """An operand that is wrong in all the lines of a loop that read it."""
        found: dict[tuple[str, str], Expr] = {}
        for line in loop.lines:
            for e in ast.walk(line.value):
                if isinstance(e, (ast.Call, ast.Subscript)):
                    for way in (slips.dropped_factor, self.step, self.another):
                        found |= {(text(e), text(new)): new for _, new in way(e)}
        texts = [str(line) for line in loop.lines]
        reads = [
            "" if _is_zeros(line) or line.statement else text(line.value) for line in loop.lines
        ]
        for (right, wrong), new in found.items():
            lines, before, after = list(loop.lines), [], []
            for k, line in enumerate(loop.lines):
                if right not in reads[k]:
                    continue
                lines[k] = replace(line, value=_exchanged(line.value, right, new))
                if str(lines[k]) != texts[k]:
                    before.append(texts[k])
                    after.append(str(lines[k]))
            if len(before) > 1:
                yield Mistake(
                    f"{wrong} instead of {right}, wherever it is read",
                    "\n".join(before),
                    "\n".join(after),
                    (place, -1),
                    replace(loop, lines=lines),
                )

    def _starts(self, line: Line) -> Iterator[Wrong]:
        """What comes from beyond the last step is not 0."""
        assert isinstance(line.value, ast.Call)
        ones = call("np.ones_like", *line.value.args)
        yield "what comes from beyond the last step is 1, not 0", replace(line, value=ones)

    def _without_a_part(self, line: Line) -> Iterator[Wrong]:
        """A product that reads all gates, without one of them."""
        match line.value:
            case ast.Call(function, [ast.List()], _) if text(function) == "np.concatenate":
                return
        for owner, whole in self.parts.items():
            if not _reads(line.value, owner):
                continue
            for way in (gate_slips.swapped_blocks, slips.dropped_factor, self.another):
                for says, wrong in slips.everywhere(whole, way):
                    value = _in_place(line.value, owner, wrong)
                    yield f"in this line, {says}", replace(line, value=value)


def _exchanged(expression: Expr, right: str, wrong: Expr) -> Expr:
    """A copy with an operand exchanged wherever it stands."""

    def value_of(node: Expr) -> Expr | None:
        operand = isinstance(node, (ast.Call, ast.Subscript)) and text(node) == right
        return wrong if operand else None

    return replaced(expression, value_of)


def _in_place(expression: Expr, owner: str, wrong: Expr) -> Expr:
    def value_of(node: Expr) -> Expr | None:
        match node:
            case ast.Subscript(ast.Name(n), ast.Name("t")) if n == owner:
                return wrong
        return None

    return substituted(replaced(expression, value_of), {owner: wrong})


def _reads(expression: Expr, variable: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == variable for n in ast.walk(expression))


def _carries(line: Line) -> bool:
    """Whether the line hands something on to the next turn of the loop."""
    return line_owner(line).endswith("_next")


def _is_zeros(line: Line) -> bool:
    return isinstance(line.value, ast.Call) and text(line.value.func) == "np.zeros_like"


def _is_sum(value: Expr) -> bool:
    """Whether a value is summed, by a product or by name."""
    match value:
        case ast.BinOp(_, ast.MatMult(), _) | ast.Call(ast.Attribute(_, "sum")):
            return True
    return False


def _loss_gradient(code: Code) -> Line | None:
    """The first line of the backward pass: the derivative of the loss itself."""
    lines = lines_of(list(code.backward))
    return next((line for line in lines if not _is_zeros(line) and not line.statement), None)


def parts(code: Code) -> dict[str, Expr]:
    """The variables of the backward pass that are put together from those of the gates."""
    found: dict[str, Expr] = {}
    for line in lines_of(list(code.backward)):
        match line.value:
            case ast.Call(function, [ast.List()], _) if text(function) == "np.concatenate":
                found[line_owner(line)] = line.value
    return found
