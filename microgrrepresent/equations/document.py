"""A derivation in the order of a text: given, forward, local derivatives, backward, gradient."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from microgrrepresent.description import names_in, number_in, parsed
from microgrrepresent.equations.derivation import Derivation
from microgrrepresent.equations.formulas import static_letters
from microgrrepresent.equations.notations import Notation
from microgrrepresent.equations.scripts import Script
from microgrrepresent.equations.terms import (
    Adjoint,
    Apply,
    Chain,
    Equation,
    Shift,
    Value,
    Variable,
    inside,
)
from microgrrepresent.equations.writing import FEW, Writer
from microgrrepresent.node import Array
from microgrrepresent.primitive import Primitive
from microgrrepresent.recurrence.folded_listing import cut_text

MOST = 400
"""Of so many equations of one pass that do not repeat, only the first and the last are shown."""


class Document:
    """What an explanation says, part by part, in one script.

    Attributes
    ----------
    derivation : Derivation
        The equations, and what the graph holds for each.
    notation : Notation
        In whose letters they are written.
    numbers : bool
        Whether arrays stand beside the equations.
    steps : tuple of int or None
        The steps whose numbers are shown; of a graph that does not fold, whose equations.
    script : LaTeX or Plain
    """

    def __init__(
        self,
        derivation: Derivation,
        notation: Notation,
        numbers: bool,
        steps: tuple[int, ...] | None,
        script: Script,
    ) -> None:
        self.derivation, self.notation = derivation, notation
        self.numbers, self.steps = numbers, steps
        self.script = script
        self.write = Writer(notation, script)

    def loss(self) -> str:
        """The loss; by the name L, too, if it has another."""
        letter = self.script.symbol(self.notation.loss, "", None)
        name = self.write.term(self.derivation.loss)
        return name if name == letter else f"{letter} = {name}"

    def wanted(self) -> str:
        """The target; by its name in the program, too, if the course has another letter for it."""
        name, letters = self.derivation.target.variable.name, self.notation.letters
        letter = self.script.inline(self.write.term(self.derivation.target))
        return letter if letters.get(name, name) == name else f"{letter}, in the program {name}"

    def conventions(self) -> str:
        """How the equations are to be read, as far as these ones need it."""
        notation, script = self.notation, self.script
        v, loss = script.symbol("v", "", None), script.symbol(notation.loss, "", None)
        short = {"bar": script.bar("v", "", None), "d": script.differential(v), "partial": ""}
        full, said = script.partial(loss, v), []
        if short[notation.adjoint] not in ("", full):
            said.append(f"{script.inline(short[notation.adjoint])} is {script.inline(full)}")
        if notation.deltas:
            delta, of = script.symbol("δ", "", None), script.inline(loss)
            said.append(
                f"{script.inline(delta)} is the derivative of {of} by what goes into an activation"
            )
        said.append(f"{script.inline(script.times.strip())} multiplies element by element")
        form = "columns" if notation.columns else "rows"
        said.append(f"states are {form}, one for each sequence of a batch")
        terms = [term for e in self.derivation.equations for term in inside(e.right)]
        uses = [term for term in terms if isinstance(term, (Apply, Chain))]
        if any(_shows_part(term) for term in uses):
            part = script.inline(script.element("v", "i:j"))
            said.append(f"{part} are the elements i to j-1 of v, counted from 0")
        if any(_shows_one_hot(term) for term in uses):
            hot = script.inline(script.unit("k"))
            said.append(f"{hot} is the one-hot vector of class {script.inline('k')}")
        if any(script.ones in text for text in self._written_back()):
            said.append(f"{script.inline(script.ones)} is an array of ones")
        if any(re.search(r"\bn\b", slope) for _, slope in self.local_derivatives()):
            said.append(f"{script.inline('n')} is the number of elements of {script.inline('x')}")
        return f"In the letters of {notation.name}: {'; '.join(said)}."

    def _written_back(self) -> Iterable[str]:
        """The texts of the backward pass, or of so much of it as may be shown."""
        yield from (self.write.equation(equation) for equation in self.derivation.backward[:MOST])
        yield from (slope for _, slope in self.local_derivatives())

    def as_written(self, value: Value | Adjoint, array: Array) -> Array:
        """An array as the notation has it: with a column for each sequence, or a row."""
        numbers = array.dtype.kind == "f" and array.ndim > 1
        return array.swapaxes(-1, -2) if numbers and self.write.turned(value) else array

    def forward(self) -> Iterable[tuple[str, list[Equation]]]:
        """Groups of equations, each with its title."""
        return self._grouped(self.derivation.forward)

    def backward(self) -> Iterable[tuple[str, list[Equation]]]:
        """Groups of adjoints; the target's own stands apart."""
        return self._grouped(self.derivation.backward)

    @cached_property
    def _ways(self) -> dict[tuple[type, Variable], int]:
        """1 for a variable that is computed forward in time, -1 for one backward."""
        return {
            (type(equation.left), equation.left.variable): way
            for equation in self.derivation.equations
            if (way := _direction(equation))
        }

    def _way(self, equation: Equation) -> int:
        """Which way time runs in an equation, also one for a single step."""
        return self._ways.get((type(equation.left), equation.left.variable), 0)

    def _grouped(self, equations: Iterable[Equation]) -> Iterable[tuple[str, list[Equation]]]:
        shown = [e for e in equations if self._shown(e) and not self._is_target(e)]
        if len(shown) <= MOST:
            yield from self._loops(shown)
            return
        yield from self._loops(shown[: MOST // 4])
        yield self._left_out(len(shown) - MOST // 2), []
        yield from self._loops(shown[-MOST // 4 :])

    def _left_out(self, count: int) -> str:
        """Say that not all is shown, and how to see it."""
        known = {t for e in self.derivation.forward for t in e.steps}
        how = "choose steps=[...]" if known else "all are in .equations"
        return f"… {count} more equations; {how}"

    def _loops(self, equations: Iterable[Equation]) -> Iterable[tuple[str, list[Equation]]]:
        """Equations that belong to one loop over time, with its title."""
        group: list[Equation] = []
        for equation in equations:
            if group and not self._together(group, equation):
                yield self._title(group), group
                group = []
            group.append(equation)
        if group:
            yield self._title(group), group

    def _is_target(self, equation: Equation) -> bool:
        left, target = equation.left, self.derivation.target
        if not isinstance(left, Adjoint) or left.variable != target.variable:
            return False
        return not equation.steps or target.when in equation.steps

    def _shown(self, equation: Equation) -> bool:
        """Of a graph that does not fold, the equations of the wanted steps."""
        wanted = self.steps
        one = len(equation.left.variable.steps) == 1
        return wanted is None or not equation.steps or not one or equation.steps[0] in wanted

    def _together(self, group: list[Equation], equation: Equation) -> bool:
        """Whether an equation belongs to the same loop over time."""
        if bool(equation.steps) != bool(group[0].steps):
            return False
        return not {1, -1} <= {self._way(e) for e in (*group, equation)}

    def _title(self, group: list[Equation]) -> str:
        times = sorted({t for equation in group for t in equation.steps})
        down = any(self._way(equation) == -1 for equation in group)
        if times and all(len(equation.steps) == 1 for equation in group):
            down = group[0].steps[0] > group[-1].steps[0]
        return self.script.range(times[::-1] if down else times) if times else ""

    def cuts(self) -> Iterable[str]:
        """Where the path of the gradient is cut, in words."""
        for value, times in self.derivation.cuts.items():
            name = self.script.inline(self.write.term(value))
            when = cut_text(times, self.script.inline)
            yield f"{when} the path is cut: no gradient passes back to {name}"

    def target(self) -> list[Equation]:
        """The equation of the gradient that was asked for."""
        return [e for e in self.derivation.backward if self._is_target(e)]

    def given(self) -> list[tuple[str, tuple[int, ...]]]:
        """The leaves: their letters and shapes. A leaf of every step is told once, with t."""
        found: dict[str, tuple[int, ...]] = {}
        made = {e.left.variable for e in self.derivation.forward}
        for value, array in self.derivation.given.items():
            variable = value.variable
            once = value if variable in made else _at_any_step(value)
            found.setdefault(self.write.term(once), self.as_written(value, array).shape)
        for letter in self._static_letters():
            found.setdefault(self.write.term(letter), letter.variable.shape)
        leaves = list(found.items())
        return leaves if len(leaves) <= FEW else [*leaves[: FEW // 2], ("…", ()), leaves[-1]]

    def _static_letters(self) -> Iterable[Value]:
        """The arrays among static arguments, which have a letter, too."""
        for equation in self.derivation.equations:
            for term in inside(equation.right):
                if isinstance(term, (Apply, Chain)):
                    text = term.formula if isinstance(term, Apply) else term.derivative
                    letters = static_letters(term)
                    yield from (letters[name] for name in letters.keys() & names_in(text))

    def local_derivatives(self) -> list[tuple[str, str]]:
        """The operations on the way whose derivatives are worth a line: y = f(x), ∂y/∂x."""
        formulas = {
            term.op: term.formula
            for equation in self.derivation.forward
            for term in inside(equation.right)
            if isinstance(term, Apply)
        }
        plain = Writer(Notation(), self.script, length="n")
        found: dict[Primitive, tuple[str, str]] = {}
        for equation in self.derivation.backward:
            for term in inside(equation.right):
                if not isinstance(term, Chain) or term.op not in formulas:
                    continue
                if term.meets in ("moved", "outer", "right", "left") or term.op in found:
                    continue
                if number_in(term.derivative) in (1, -1) or any(term.op.vjp[1:]):
                    continue
                if names_in(term.derivative) == {"n"}:  # a mean
                    continue
                letters = ("x",) if len(term.inputs) == 1 else term.op.inputs
                xs = tuple(map(_letter, letters))
                made = Apply(term.op, xs, term.params, (2,), formulas[term.op])
                slope = replace(term, y=_letter("y"), inputs=xs)
                left = f"y = {plain.term(made)}"
                partial = self.script.partial("y", plain.term(xs[0]))
                found[term.op] = left, f"{partial} = {plain.local(slope)}"
        return list(found.values())

    def values(self, equation: Equation) -> list[tuple[str, Array]]:
        """What the left side is, at the steps whose numbers are wanted."""
        if not self.numbers:
            return []
        left, values = equation.left, self.derivation.values
        if not equation.steps:
            return [("", self.as_written(left, values[left]))]
        wanted = self.steps
        if wanted is None:
            every = sorted({t for v in values if isinstance(t := v.when, int)})
            inner = [t for t in every if t in self._computed_steps()]
            wanted = tuple(inner if len(inner) <= 4 else [*inner[:2], inner[-1]])
        return [
            (f"t={t}", self.as_written(left, values[type(left)(left.variable, t)]))
            for t in equation.steps
            if t in wanted
        ]

    def _computed_steps(self) -> set[int]:
        return {t for equation in self.derivation.forward for t in equation.steps}


def _letter(name: str) -> Value:
    """A letter that stands for anything."""
    return Value(Variable(name, "", False, (2,), (), 0), None)


def _shows_part(term: Apply | Chain) -> bool:
    """Whether brackets behind a letter select from it."""
    return bool(term.op.index) or (isinstance(term, Chain) and bool(term.lengths))


def _shows_one_hot(term: Apply | Chain) -> bool:
    """Whether what is written contains a row of the unit matrix, ``np.eye(n)[k]``."""
    if not isinstance(term, Chain):
        return False
    for part in ast.walk(parsed(term.derivative)):
        match part:
            case ast.Subscript(ast.Call(ast.Attribute(_, "eye"))):
                return True
    return False


def _direction(equation: Equation) -> int:
    """1 if it runs forward in time, -1 if backward, 0 if it is for one step or none."""
    steps = equation.steps
    return 0 if len(steps) < 2 else 1 if steps[1] > steps[0] else -1


def _at_any_step(value: Value) -> Value:
    one = value.when is None or len(value.variable.steps) == 1
    return value if one else Value(value.variable, Shift(0))
