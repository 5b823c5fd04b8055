"""The ways in which a line or a loop of one program can be wrong, put together from the slips."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from microgrrepresent.programs import brackets, gate_slips, operand_slips, slips
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.expressions import (
    Expr,
    at_step,
    binary,
    call,
    name,
    negative,
    replaced,
    substituted,
    text,
)
from microgrrepresent.programs.lines import Line, Loop, lines_of
from microgrrepresent.programs.loop_slips import (
    LoopSlip,
    LoopSlips,
    another_later,
    by_step,
    other_steps,
    overwritten,
    own_terms,
    reads,
    too_early,
    too_early_for_some,
)
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.similar import gate_columns, operands, similar

Wrong = tuple[str, Line | None]
"""What is wrong, and the line as it is; None for a line that is left out."""


@dataclass(frozen=True)
class Ways:
    """What can be wrong in one program.

    Attributes
    ----------
    first : Line or None
        The derivative of the loss itself.
    last : ast.expr or None
        The last step, at which the way back begins.
    parts : dict from str to ast.expr
        The variables that are put together from those of the gates.
    sizes : list of str
    within : tuple of callable
        The slips within an expression.
    similar : dict from str to list of ast.expr
        The variables that one may be taken for.
    another : callable
        That of taking another variable; it is one of them.
    step : callable
        That of taking another step; so is it.
    gradients : dict from str to str
        What is given back, and the parameter that it belongs to.
    own : dict from str to ast.expr
        What the loss itself adds at each step, by what carries the rest on.
    by_step : dict from str to ast.expr
        What is computed for all steps at once, such as dH[t - 1], as it is at one.
    sums : dict from str to list of ast.expr
        The variables that are sums.
    """

    first: Line | None
    last: Expr | None
    parts: dict[str, Expr]
    sizes: list[str]
    within: tuple[slips.Slips, ...]
    similar: dict[str, list[Expr]]
    another: slips.Slips
    step: slips.Slips
    gradients: dict[str, str]
    own: dict[str, Expr]
    by_step: dict[str, Expr]
    sums: dict[str, list[Expr]]

    @classmethod
    def of(cls, code: Code) -> Ways:
        """Those of a program."""
        blocks = gate_columns([*code.forward, *code.backward])
        loops = [item for item in code.backward if isinstance(item, Loop)]
        last = loops[0].first if loops and loops[0].down else None
        step = operand_slips.wrong_step(code.timed, last)
        alike = similar(code)
        another = operand_slips.wrong_variable(alike)
        within = (
            brackets.left_out,
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
            operand_slips.other_operand(operands(code)),
            brackets.too_wide,
        )
        sizes = [n for n, _ in code.sizes]
        names = (text(g) for g in code.gradients)
        gradients = {n: n.removeprefix("d") for n in names}
        return cls(
            _loss_gradient(code),
            last,
            parts(code),
            sizes,
            within,
            alike,
            another,
            step,
            gradients,
            own_terms(code),
            by_step(code),
            brackets.sums(code),
        )

    @property
    def of_loop(self) -> tuple[LoopSlips, ...]:
        """Wrong forms of a loop."""
        return other_steps(self.by_step), self.throughout, overwritten, too_early

    @property
    def seldom(self) -> tuple[LoopSlips, ...]:
        """More of them, which are named after those of its lines."""
        return too_early_for_some, another_later(self.similar)

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
                if line is not self.first:
                    yield from self._once_more(line)
            elif not line.add and text(line.target) in self.gradients and not _is_zeros(line):
                zero = call("np.zeros_like", line.value)
                yield f"{text(line.target)} is left at 0", replace(line, value=zero)
            if not _is_zeros(line):
                for form in (line.value, *slips.written_otherwise(line.value)):
                    for way in self.within:
                        for says, value in slips.everywhere(form, way):
                            yield says, replace(line, value=value)
                yield from self._without_a_part(line)
            if text(line.target) in self.gradients and not _is_zeros(line):
                parameter = self.gradients[text(line.target)]
                for says, value in operand_slips.of_parameter(parameter)(line.value):
                    yield says, replace(line, value=value)
            if line.add or (text(line.target) in self.gradients and _is_sum(line.value)):
                for says, value in slips.mean_for_sum(self.sizes)(line.value):
                    yield says, replace(line, value=value)
            if line is self.first:
                says = "the loss's own gradient has the wrong sign"
                yield says, replace(line, value=negative(line.value))
                ones = call("np.ones_like", line.value)
                yield "the loss's own gradient is taken for 1", replace(line, value=ones)
                lengths = slips.other_length(self.sizes)
                for says, value in lengths(line.value):
                    yield f"the loss's own gradient: {says}", replace(line, value=value)
        if not _is_zeros(line):
            yield "the line is left out", None

    def without_brackets(self, line: Line) -> Iterator[tuple[str, Line, Line]]:
        """What is wrong, the line with a sum in the place of its name, and without its brackets."""
        if not (line.statement or _is_zeros(line)):
            for form, way in brackets.inlined(line.value, self.sums):
                for says, value in slips.everywhere(form, way):
                    yield says, replace(line, value=form), replace(line, value=value)

    def throughout(self, loop: Loop) -> Iterator[LoopSlip]:
        """An operand that is wrong in all the lines of a loop that read it."""
        found: dict[tuple[str, str], Expr] = {}
        for line in loop.lines:
            for e in ast.walk(line.value):
                if isinstance(e, (ast.Call, ast.Subscript)):
                    for way in (slips.dropped_factor, self.step, self.another):
                        found |= {(text(e), text(new)): new for _, new in way(e)}
        texts = [
            "" if _is_zeros(line) or line.statement else text(line.value) for line in loop.lines
        ]
        for (right, wrong), new in found.items():
            read = [k for k, value in enumerate(texts) if right in value]
            lines = list(loop.lines)
            for k in read:
                lines[k] = replace(lines[k], value=_exchanged(lines[k].value, right, new))
            changed = [k for k in read if text(lines[k].value) != texts[k]]
            if sum(texts[k].count(right) for k in changed) > 1:
                says = f"{wrong} instead of {right}, wherever it is read"
                yield says, replace(loop, lines=lines)

    def _starts(self, line: Line) -> Iterator[Wrong]:
        """What comes from beyond the last step is not 0."""
        assert isinstance(line.value, ast.Call)
        ones = call("np.ones_like", *line.value.args)
        yield "what comes from beyond the last step is 1, not 0", replace(line, value=ones)
        own = self.own.get(line_owner(line))
        if own is not None and self.last is not None:
            says = f"what the loss adds at t = {text(self.last)} is counted twice"
            yield says, replace(line, value=at_step(own, self.last))

    def _once_more(self, line: Line) -> Iterator[Wrong]:
        """What the loss itself adds is handed on, too."""
        own = self.own.get(line_owner(line))
        if own is None:
            return
        for by in (0, -1):
            term = at_step(own, name("t"), by)
            says = f"{text(term)}, which is the loss's own, is added at each step here, too"
            yield says, replace(line, value=binary(line.value, ast.Add(), term))

    def _without_a_part(self, line: Line) -> Iterator[Wrong]:
        """A product that reads all gates, without one of them."""
        match line.value:
            case ast.Call(function, [ast.List()], _) if text(function) == "np.concatenate":
                return
        for owner, whole in self.parts.items():
            if not reads(line.value, owner):
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
