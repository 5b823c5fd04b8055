"""Writing a derivation down: from terms to LaTeX or plain text, in the letters of a course."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from microgrrepresent.description import names_in
from microgrrepresent.equations.formula_writing import (
    ATOM,
    HADAMARD,
    MATRIX,
    MINUS,
    POWER,
    SUM,
    SUMMANDS,
    TOTAL,
    FormulaWriter,
    Written,
)
from microgrrepresent.equations.formulas import (
    definition,
    local_derivative,
    moved_back,
)
from microgrrepresent.equations.indices import side_by_side
from microgrrepresent.equations.reading import (
    is_row,
    scalar_behind,
    shape_of,
    summed_axes,
)
from microgrrepresent.equations.terms import (
    Adjoint,
    Apply,
    Chain,
    Equation,
    Formula,
    Negative,
    Number,
    Shift,
    Sum,
    SumOver,
    SumOverSteps,
    Term,
    Value,
    Variable,
    When,
)

FEW = 30
"""Of more terms of a sum, only the first and the last are shown."""


class Writer(FormulaWriter):
    """Writes the terms of one equation after another."""

    def equation(self, equation: Equation) -> str:
        """Left side, equals sign, right side. With one step only, times are written as numbers."""
        now = equation.steps[0] if len(equation.steps) == 1 else None
        return self.assigned(equation.left, equation.right, now)

    def assigned(self, left: Value | Adjoint, right: Term, now: int | None = None) -> str:
        """An equation for the step now, or for any."""
        self._now = now
        flip = self.turned(left)
        return f"{self.write(left, flip)[0]} = {self.write(right, flip)[0]}"

    def turned(self, term: Term) -> bool:
        """Whether the transpose of a term is what the course writes without a ᵀ."""
        if isinstance(term, (Value, Adjoint)) and self.is_transposed(term.variable):
            return True
        return self.notation.columns and is_row(term)

    def is_transposed(self, variable: Variable) -> bool:
        """Whether the course's matrix is the transpose of the program's."""
        return self._name(variable).endswith("ᵀ")

    def _name(self, variable: Variable) -> str:
        """What the course calls a variable."""
        return self.notation.letters.get(variable.name, variable.name)

    def term(self, term: Term) -> str:
        """One term, as it stands on the right of an equation."""
        self._now = None
        return self.write(term, self.turned(term))[0]

    def local(self, chain: Chain) -> str:
        """The local derivative alone, that one use of the chain rule multiplies with."""
        return self.write(local_derivative(chain, self.length), False)[0]

    # --- terms -----------------------------------------------------------------------------------

    def write(self, term: Term, flip: bool) -> Written:
        """A term, or its transpose if `flip`, and how tightly its text holds together."""
        match term:
            case Value() | Adjoint():
                return self._letter(term, flip)
            case Number(value):
                return self.number(value)
            case Apply():
                return self._formula(definition(term, self.length), flip)
            case Formula():
                return self._formula(term, flip)
            case Chain():
                return self._sent(term, flip)
            case Negative(inner):
                return f"-{self._inside(inner, flip, *SUMMANDS)}", MINUS
            case SumOver(inner, shape):
                what = summed_axes(shape_of(inner), shape)
                flip = flip if shape else self.notation.columns
                return self.script.over(what, self._inside(inner, flip, *SUMMANDS)), TOTAL
            case Sum(terms):
                return self._sum(terms, flip)
            case SumOverSteps(inner, steps):
                if len(steps) == 1:
                    before, self._now = self._now, steps[0]
                    written = self.write(inner, flip)
                    self._now = before
                    return written
                text = self._inside(inner, flip, *SUMMANDS)
                return self.script.over_steps(sorted(steps), text), TOTAL
        raise TypeError(f"not a term: {term!r}")

    def _letter(self, term: Value | Adjoint, flip: bool) -> Written:
        variable, notation, script = term.variable, self.notation, self.script
        name, mark = self._name(variable), variable.mark
        if name != variable.name:
            name, _, number = name.removesuffix("ᵀ").partition("^")
            mark = number + mark
        if variable.name == "L" or name == "L":
            name = notation.loss
        time, angle = self.time(term.when), notation.time == "angle"
        level = POWER if script.is_raised(name, mark, time, angle) else ATOM
        if isinstance(term, Value):
            text = script.symbol(name, mark, time, angle)
            level = HADAMARD if "/" in name else level  # such as dt/τ
        elif variable.name in notation.deltas:
            delta = "_".join(["delta", *name.split("_")[1:]])
            text = script.symbol(delta, mark, time, angle)
        elif notation.adjoint == "d":
            text = script.differential(script.symbol(name, mark, time, angle))
        elif notation.adjoint == "bar" and not variable.parameter and script.accents:
            text = script.bar(name, mark, time, angle)
        else:
            loss = script.symbol("L" if notation.adjoint == "bar" else notation.loss, "", None)
            text, level = script.partial(loss, script.symbol(name, mark, time, angle)), POWER
        upright = flip == self.turned(term) or not variable.shape
        return (text, level) if upright else self.transposed((text, level))

    def time(self, when: When) -> str | None:
        """What is written for a time: a number, or t and how far from it."""
        if isinstance(when, Shift):
            if self._now is not None:
                return str(self._now + when.by)
            return f"t{when.by:+d}" if when.by else "t"
        return None if when is None else str(when)

    def _sum(self, terms: Sequence[Term], flip: bool) -> Written:
        """A sum; what the same adjoint is multiplied with is added up first."""
        if not terms:
            return "0", ATOM
        if len(terms) > FEW:
            first = self._sum(terms[:3], flip)[0]
            last = self._inside(terms[-1], flip, *SUMMANDS)
            return f"{first} + {self.script.dots} + {last}", SUM
        parts = side_by_side(terms)
        if parts:
            below = flip if is_row(terms[0]) else True
            return self.script.list([self.write(g, flip)[0] for g in parts], below), ATOM
        groups: dict[Term | int, list[Term]] = {}
        for i, term in enumerate(terms):
            chain = term.term if isinstance(term, Negative) else term
            shared = isinstance(chain, Chain) and chain.meets == "elementwise" and chain.shape
            alone = not shared or scalar_behind(chain.g) is not None  # type: ignore[union-attr]
            groups.setdefault(i if alone else chain.g, []).append(term)  # type: ignore[union-attr]
        return self._added(
            [
                self.write(group[0], flip) if len(group) == 1 else self._factored(group, flip)
                for group in groups.values()
            ]
        )

    def _factored(self, terms: Sequence[Term], flip: bool) -> Written:
        """Write g ⊙ (D - E) for g ⊙ D - g ⊙ E."""
        chain = terms[0].term if isinstance(terms[0], Negative) else terms[0]
        assert isinstance(chain, Chain)
        slopes, level = self._added([self._slope(term, flip) for term in terms])
        factor = slopes if level >= POWER else self.script.parenthesized(slopes)
        return f"{self._inside(chain.g, flip, HADAMARD)}{self.script.times}{factor}", HADAMARD

    def _slope(self, term: Term, flip: bool) -> Written:
        """What a use of the chain rule multiplies with, with its sign."""
        if isinstance(term, Negative):
            text, level = self._slope(term.term, flip)
            return f"-{self._held((text, level), *SUMMANDS)}", MINUS
        assert isinstance(term, Chain)
        return self.write(
            local_derivative(term, self.length), flip if term.shape else self.notation.columns
        )

    def _added(self, parts: Sequence[Written]) -> Written:
        """A sum; the same product twice, as of u in u ⊙ u, is written once with a 2."""
        plain, text = Counter(parts), ""
        for (written, level), times in plain.items():
            if times > 1 and written == "1":
                written = str(times)
            elif times > 1:
                one = self.script.parenthesized(written) if level <= TOTAL else written
                written = self._beside(str(times), one)
            minus = written.startswith("-") and bool(text)
            text += f" - {written[1:]}" if minus else f" + {written}" if text else written
        if len(plain) == 1 and max(plain.values()) == 1:
            return parts[0]
        return text, SUM if len(plain) > 1 else HADAMARD

    # --- the chain rule --------------------------------------------------------------------------

    def _sent(self, term: Chain, flip: bool) -> Written:
        """What an operation sends to one of its inputs: g times the local derivative."""
        if term.meets == "moved":
            return self._formula(moved_back(term, self._now), flip)
        D = local_derivative(term, self.length)
        is_one = isinstance(D, Number) and D.value == 1
        if term.meets in ("right", "left", "outer"):
            return self._through_matrix(term, D, flip)
        if term.g == Number(1):
            if is_one:
                return (self.script.ones if term.shape else "1"), ATOM
            written = self.write(D, flip if term.shape else self.notation.columns)
            return written if shape_of(D) or not term.shape else self._everywhere(written)
        if term.meets == "rows":
            inside = self._inside(term.g, flip, MATRIX)
            jacobian = self.write(D, self.notation.columns)
            if flip:
                return self._beside(self.transposed(jacobian)[0], inside), MATRIX
            return self._beside(inside, self._inside(D, self.notation.columns)), MATRIX
        if term.meets == "spread" and is_one:
            if not term.shape:
                return self.write(term.g, flip)
            return self._everywhere(self.write(term.g, flip if shape_of(term.g) else False))
        if term.meets == "elementwise" and is_one:
            return self.write(term.g, flip)
        written = self._times(term, D, flip)
        spread = scalar_behind(term.g) is not None or term.meets == "spread"
        return self._everywhere(written) if term.shape and spread and not shape_of(D) else written

    def _everywhere(self, number: Written) -> Written:
        """An array that has the same number everywhere, or everywhere along some axes."""
        text, level = number
        if level == MINUS:
            return f"-{self._beside(text[1:], self.script.ones)}", MINUS
        return self._beside(self._held(number, HADAMARD, MATRIX), self.script.ones), MATRIX

    def _times(self, term: Chain, D: Term, flip: bool) -> Written:
        """Write g ⊙ D; a number stands beside the other factor without a sign."""
        script, scalar = self.script, scalar_behind(term.g)
        if isinstance(scalar, Negative):
            positive = self._times(replace(term, g=scalar.term), D, flip)
            return f"-{self._held(positive, *SUMMANDS)}", MINUS
        text, level = self.write(D, flip if term.shape else self.notation.columns)
        unclear = not script.bars and re.search(r"/(?!\d+$)", text)
        factor = text
        if level <= TOTAL or (unclear and (scalar is not None or not term.shape)):
            factor = script.parenthesized(text)
        if scalar is not None:
            repeated = isinstance(scalar, Chain) and scalar is term.g and bool(scalar.shape)
            if repeated:  # a mean's share, without the array of ones
                assert isinstance(scalar, Chain)
                share = local_derivative(scalar, self.length)
                inside = self._held(self._times(scalar, share, flip), MATRIX, HADAMARD)
            else:
                inside = self._inside(scalar, self.notation.columns, MATRIX, HADAMARD)
            if inside == "1":  # also a mean of one number
                return text, level
            if factor.startswith(("1/", r"\frac{1}")):
                return self._beside(factor, inside), MATRIX
            return self._scaled(inside, (factor, level if factor == text else ATOM))
        g = self.write(term.g, flip)
        inside = self._held(g, HADAMARD)
        held = HADAMARD if g[1] == HADAMARD else ATOM
        if not shape_of(D):
            is_share = names_in(term.derivative) == {"n"}  # 1/n, of a mean
            number = self._inside(D, self.notation.columns, HADAMARD if is_share else MATRIX)
            if isinstance(D, Number) and level == MINUS:
                return f"-{self._scaled(text[1:], (inside, held))[0]}", MINUS
            return self._scaled(number, (inside, held))
        return f"{inside}{script.times}{factor}", HADAMARD

    def _through_matrix(self, term: Chain, D: Term, flip: bool) -> Written:
        """Write g D, D g or gᵀ D."""
        g = term.g
        if len(shape_of(term.inputs[-1])) == 1 < len(shape_of(term.inputs[0])):  # matrix and column
            upright = self.notation.columns
            if term.meets == "right":
                return self._matrix((g, upright), (D, upright), False)
            return self._matrix((D, False), (g, upright), False)
        if term.meets == "right":
            return self._matrix((g, flip), (D, flip), flip)
        if term.meets == "left":
            return self._matrix((D, flip), (g, flip), flip)
        return self._matrix((g, not flip), (D, flip), flip)
