"""The lines of an explanation: the parts of a `Document` as plain text, or as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

import numpy as np

from microgrrepresent.equations.document import Document
from microgrrepresent.equations.terms import Equation
from microgrrepresent.node import Array

SMALL = 12
"""Arrays of more elements are shown by their smallest, mean and largest."""


class Text(Document):
    """An explanation in plain text."""

    def lines(self) -> Iterable[str]:
        """All lines."""
        yield f"The gradient of {self.loss()} with respect to {self.wanted()}"
        yield from wrap(self.conventions(), 96, break_on_hyphens=False)
        yield ""
        yield "given: " + ", ".join(f"{name} {shape}" for name, shape in self.given())
        yield ""
        yield "Forward"
        for title, group in self.forward():
            yield from self._group(title, group)
        yield from (f"  {words}" for words in self.cuts())
        yield ""
        if derivatives := self.local_derivatives():
            yield "Local derivatives"
            yield from (f"  {y}:  {slope}" for y, slope in derivatives)
            yield ""
        if groups := list(self.backward()):
            yield "Backward"
            for title, group in groups:
                yield from self._group(title, group)
            yield ""
        yield "The gradient"
        for equation in self.target():
            yield from self._equation(equation, "  ", bool(equation.steps))

    def _group(self, title: str, group: list[Equation]) -> Iterable[str]:
        indent = "  "
        if not group:
            yield f"  {title}"
            return
        if title:
            yield f"  at each step {title}:"
            indent = "    "
        for equation in group:
            yield from self._equation(equation, indent, not _at_all_steps(equation, group))

    def _equation(self, equation: Equation, indent: str, timed: bool) -> Iterable[str]:
        remark = f"    ({self.script.range(equation.steps)})" if timed and equation.steps else ""
        yield f"{indent}{self.write.equation(equation)}{remark}"
        for time, array in self.values(equation):
            yield from (f"{indent}    {line}" for line in _array_lines(time, array))


class Markdown(Document):
    """An explanation in Markdown with LaTeX between dollar signs."""

    def lines(self) -> Iterable[str]:
        """All lines."""
        loss = self.script.inline(self.loss())
        yield f"### The gradient of {loss} with respect to {self.wanted()}"
        yield ""
        yield self.conventions()
        yield ""
        given = (
            f"{self.script.inline(name)} {_shape(shape)}".rstrip() for name, shape in self.given()
        )
        yield f"Given: {', '.join(given)}."
        yield ""
        yield "#### Forward"
        for title, group in self.forward():
            yield from self._group(title, group)
        for words in self.cuts():
            yield ""
            yield f"{words[0].upper()}{words[1:]}."
        if derivatives := self.local_derivatives():
            yield ""
            yield "#### Local derivatives"
            for y, slope in derivatives:
                yield ""
                yield rf"$${y} \qquad {slope}$$"
        if groups := list(self.backward()):
            yield ""
            yield "#### Backward"
            for title, group in groups:
                yield from self._group(title, group)
        yield ""
        yield "#### The gradient"
        for equation in self.target():
            yield from self._equation(equation, bool(equation.steps))

    def _group(self, title: str, group: list[Equation]) -> Iterable[str]:
        yield ""
        if not group:
            yield f"{title}."
            return
        yield f"At each step ${title}$:" if title else "Once:"
        for equation in group:
            yield from self._equation(equation, not _at_all_steps(equation, group))

    def _equation(self, equation: Equation, timed: bool) -> Iterable[str]:
        remark = ""
        if timed and equation.steps:
            remark = rf" \qquad ({self.script.range(equation.steps)})"
        yield ""
        yield f"$${self.write.equation(equation)}{remark}$$"
        arrays = self.values(equation)
        if arrays:
            yield ""
            yield "```"
            for time, array in arrays:
                yield from _array_lines(time, array)
            yield "```"


def _at_all_steps(equation: Equation, group: list[Equation]) -> bool:
    """Whether an equation holds at each step that the group's title names."""
    return set(equation.steps) == {t for other in group for t in other.steps}


def _array_lines(time: str, array: Array) -> list[str]:
    """An array in full if it is small, else what it is like."""
    lead = f"{time}  " if time else ""
    if array.size > SMALL:
        shape = "×".join(map(str, array.shape))
        return [
            f"{lead}{shape} numbers from {array.min():.4g} to {array.max():.4g}, "
            f"mean {array.mean():.4g}, norm {np.linalg.norm(array):.4g}"
        ]
    text = np.array2string(array, precision=4, suppress_small=False, floatmode="maxprec")
    first, *rest = text.splitlines()
    return [lead + first, *(" " * len(lead) + line for line in rest)]


def _shape(shape: tuple[int, ...]) -> str:
    return f"({' × '.join(map(str, shape))})" if shape else ""
