"""Writing a derivation down: from terms to LaTeX or plain text, in the letters of a course.

A program computes with rows: x_t Wᵀ. Many courses write columns: W x_t. The one is the transpose
of the other, so a term is written with a flag, `flip`: whether its transpose is wanted. The flag is
handed down to the letters, where it meets the course's habit; there, and nowhere else, a ᵀ appears.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from microgrrepresent.equations.indices import index_text, joined_text, part_text, side_by_side
from microgrrepresent.equations.notations import Notation
from microgrrepresent.equations.reading import (
    has_sum,
    is_row,
    number_text,
    placeholders,
    scalar_behind,
    shape_of,
    size_of,
    successive_steps,
    summed_axes,
)
from microgrrepresent.equations.scripts import Script
from microgrrepresent.equations.terms import (
    Adjoint,
    Apply,
    Chain,
    Equation,
    Growing,
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

SUM, HADAMARD, MATRIX, ATOM = range(4)
"""How tightly a piece of text holds together."""

UNSEEN = frozenset({"reshape", "squeeze", "broadcast_to", "cast"})
"""Operations that change a shape and no number: they are not written."""

Written = tuple[str, int]


class Writer:
    """Writes the terms of one equation after another."""

    def __init__(self, notation: Notation, script: Script) -> None:
        self.notation, self.script = notation, script
        self._now: int | None = None

    def equation(self, equation: Equation) -> str:
        """Left side, equals sign, right side. With one step only, times are written as numbers."""
        self._now = equation.steps[0] if len(equation.steps) == 1 else None
        flip = self.turned(equation.left)
        left, right = self.write(equation.left, flip)[0], self.write(equation.right, flip)[0]
        return f"{left} = {right}"

    def turned(self, term: Term) -> bool:
        """Whether the transpose of a term is what the course writes without a ᵀ."""
        if isinstance(term, (Value, Adjoint)) and self._name(term.variable).endswith("ᵀ"):
            return True
        return self.notation.columns and is_row(term)

    def _name(self, variable: Variable) -> str:
        """What the course calls a variable."""
        return self.notation.letters.get(variable.name, variable.name)

    def term(self, term: Term) -> str:
        """One term, as it stands on the right of an equation."""
        self._now = None
        return self.write(term, self.turned(term))[0]

    def local(self, chain: Chain) -> str:
        """The local derivative alone, that one use of the chain rule multiplies with."""
        if chain.product in ("right", "left", "outer"):
            factor, transposed = self._factor(chain)
            return self.write(factor, transposed)[0]
        return self._derivative(chain, False)

    # --- terms -----------------------------------------------------------------------------------

    def write(self, term: Term, flip: bool) -> Written:
        """A term, or its transpose if `flip`, and how tightly its text holds together."""
        match term:
            case Value() | Adjoint():
                return self._letter(term, flip)
            case Number(value):
                return number_text(value), ATOM
            case Apply():
                return self._applied(term, flip)
            case Chain():
                return self._sent(term, flip)
            case Negative(inner):
                return f"-{self._inside(inner, flip, MATRIX, HADAMARD)}", SUM
            case SumOver(inner, shape):
                what = summed_axes(shape_of(inner), shape)
                flip = flip if shape else self.notation.columns
                return self.script.over(what, self._inside(inner, flip, HADAMARD, MATRIX)), MATRIX
            case Sum(terms):
                return self._sum(terms, flip)
            case SumOverSteps(inner, steps):
                if len(steps) == 1:
                    before, self._now = self._now, steps[0]
                    written = self.write(inner, flip)
                    self._now = before
                    return written
                text = self._inside(inner, flip, HADAMARD, MATRIX)
                return self.script.over_steps(sorted(steps), text), MATRIX
        raise TypeError(f"not a term: {term!r}")

    def _inside(self, term: Term, flip: bool, *levels: int) -> str:
        """A term as a part of something that takes texts of these levels without parentheses."""
        text, level = self.write(term, flip)
        return text if level == ATOM or level in levels else self.script.parenthesised(text)

    def _letter(self, term: Value | Adjoint, flip: bool) -> Written:
        variable, notation, script = term.variable, self.notation, self.script
        name, mark = self._name(variable), variable.mark
        if name != variable.name:
            name, _, number = name.removesuffix("ᵀ").partition("^")
            mark = number + mark
        if variable.name == "L" or name == "L":
            name = notation.loss
        time, angle = self._time(term.when), notation.time == "angle"
        if isinstance(term, Value):
            text = script.symbol(name, mark, time, angle)
        elif variable.name in notation.deltas:
            delta = "_".join(["delta", *name.split("_")[1:]])
            text = script.symbol(delta, mark, time, angle)
        elif notation.adjoint == "d":
            text = script.differential(script.symbol(name, mark, time, angle))
        elif notation.adjoint == "bar" and not variable.parameter:
            text = script.bar(name, mark, time, angle)
        else:
            loss = script.symbol(notation.loss, "", None)
            text = script.partial(loss, script.symbol(name, mark, time, angle))
        upright = flip == self.turned(term) or not variable.shape
        level = HADAMARD if "/" in name and isinstance(term, Value) else ATOM  # such as dt/τ
        return (text if upright else script.transposed(text)), level

    def _time(self, when: When) -> str | None:
        if isinstance(when, Shift):
            if self._now is not None:
                return str(self._now + when.by)
            return f"t{when.by:+d}" if when.by else "t"
        return None if when is None else str(when)

    def _sum(self, terms: Sequence[Term], flip: bool) -> Written:
        """A sum; what the same adjoint is multiplied with is added up first."""
        if not terms:
            return "0", ATOM
        parts = side_by_side(terms)
        if parts:
            below = flip if is_row(terms[0]) else True
            return self.script.list([self.write(g, flip)[0] for g in parts], below), ATOM
        groups: dict[Term | int, list[Term]] = {}
        for i, term in enumerate(terms):
            chain = term.term if isinstance(term, Negative) else term
            shared = isinstance(chain, Chain) and chain.product == "times" and chain.shape
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
        factor = slopes if level == ATOM else self.script.parenthesised(slopes)
        return f"{self._inside(chain.g, flip, HADAMARD)}{self.script.times}{factor}", HADAMARD

    def _slope(self, term: Term, flip: bool) -> Written:
        """What a use of the chain rule multiplies with, with its sign."""
        if isinstance(term, Negative):
            text, level = self._slope(term.term, flip)
            return f"-{self.script.parenthesised(text) if level == SUM else text}", SUM
        assert isinstance(term, Chain)
        text = self._derivative(term, flip)
        return text, SUM if has_sum(text) else HADAMARD

    def _added(self, parts: Sequence[Written]) -> Written:
        """A sum; the same product twice, as of u in u ⊙ u, is written once with a 2."""
        plain, text = Counter(parts), ""
        for (written, level), times in plain.items():
            if times > 1 and written == "1":
                written = str(times)
            elif times > 1:
                one = self.script.parenthesised(written) if level == SUM else written
                written = self._beside(str(times), one)
            minus = written.startswith("-") and bool(text)
            text += f" - {written[1:]}" if minus else f" + {written}" if text else written
        if len(plain) == 1 and max(plain.values()) == 1:
            return parts[0]
        return text, SUM if len(plain) > 1 else HADAMARD

    def _beside(self, first: str, *others: str) -> str:
        """Factors side by side, with a dot before a number: 0.1 · 2 W."""
        script, text = self.script, first
        for factor in others:
            text += (script.dot if factor[:1].isdigit() else script.juxtaposed) + factor
        return text

    # --- operations ------------------------------------------------------------------------------

    def _applied(self, term: Apply, flip: bool) -> Written:
        script, op, xs = self.script, term.op, term.inputs
        if not term.shape:
            flip = self.notation.columns  # a number: its operands are written as usual
        if op in UNSEEN:
            return self.write(xs[0], flip)
        if op == "transpose":
            return self.write(xs[0], not flip)
        if op == "neg":
            return self.write(Negative(xs[0]), flip)
        if op in ("add", "sub"):
            a = self.write(xs[0], flip)[0]
            levels = (SUM, HADAMARD, MATRIX) if op == "add" else (HADAMARD, MATRIX)
            b = self._inside(xs[1], flip, *levels)
            return f"{a} + {b}" if op == "add" else f"{a} - {b}", SUM
        if op == "mul":
            return self._product(xs[0], xs[1], flip)
        if op == "div":
            text = script.fraction(self.write(xs[0], flip)[0], self.write(xs[1], flip)[0])
            return text, ATOM if script.bars else HADAMARD
        if op == "pow":
            base = self._inside(xs[0], flip)
            return script.power(base, self.write(xs[1], flip)[0]), ATOM
        if op == "linear":
            return self._matrix((xs[0], flip), (xs[1], not flip), flip)
        if op == "matmul":
            if len(shape_of(xs[1])) == 1:  # a matrix and a column: no question of rows
                return self._matrix((xs[0], False), (xs[1], self.notation.columns), False)
            return self._matrix((xs[0], flip), (xs[1], flip), flip)
        if op in ("sum", "mean") and len(dict(term.params)["axis"]) == len(shape_of(xs[0])):
            return self._total(term, flip)
        if op == "getitem":
            index = index_text(dict(term.params)["index"], self._now)
            return script.element(self._inside(xs[0], flip), index), ATOM
        if op == "take":
            row = self.write(xs[1], self.notation.columns)[0]
            rows = script.element(self._inside(xs[0], False), row)
            return script.transposed(rows) if flip else rows, ATOM
        if op in ("stack", "concatenate"):
            return self._several(xs, flip), ATOM
        return script.call(op, [self.write(x, flip)[0] for x in xs]), ATOM

    def _product(self, a: Term, b: Term, flip: bool) -> Written:
        """Write a ⊙ b: a power if they are equal, no sign between a number and an array."""
        if a == b:
            return self.script.power(self._inside(a, flip), "2"), ATOM
        if shape_of(b) == () != shape_of(a):
            a, b = b, a
        if shape_of(a) == ():
            left, right = self._inside(a, flip, MATRIX), self._inside(b, flip, MATRIX, HADAMARD)
            return self._beside(left, right), MATRIX
        return (
            self.script.times.join(self._inside(x, flip, HADAMARD) for x in (a, b)),
            HADAMARD,
        )

    def _matrix(self, a: tuple[Term, bool], b: tuple[Term, bool], flip: bool) -> Written:
        """Write a b, or bᵀ aᵀ; the flags are already those of the written factors."""
        factors = (b, a) if flip else (a, b)
        texts = [self._inside(term, flag, MATRIX) for term, flag in factors]
        return self._beside(*texts), MATRIX

    def _total(self, term: Apply, flip: bool) -> Written:
        """A sum over everything; of a stack of L_1, ..., L_T it is a sum over t."""
        inner = term.inputs[0]
        if term.op == "mean":
            return self.script.call("mean", [self.write(inner, flip)[0]]), ATOM
        steps = successive_steps(inner.inputs) if isinstance(inner, Apply) else []
        if steps and inner.op == "stack":  # type: ignore[union-attr]
            variable = inner.inputs[0].variable  # type: ignore[union-attr]
            one = self.write(Value(variable, Shift(0)), flip)[0]
            each = self.script.over("", one) if variable.shape else one
            return self.script.over_steps(steps, each), MATRIX
        return self.script.over("", self._inside(inner, flip, HADAMARD, MATRIX)), MATRIX

    def _several(self, xs: Sequence[Term], flip: bool) -> str:
        steps = successive_steps(xs)
        if len(steps) > 3:
            first, last = self.write(xs[0], flip)[0], self.write(xs[-1], flip)[0]
            return self.script.list([first, self.script.dots, last], False)
        return self.script.list([self.write(x, flip)[0] for x in xs], flip)

    # --- the chain rule --------------------------------------------------------------------------

    def _sent(self, term: Chain, flip: bool) -> Written:
        """What an operation sends to one of its inputs: g times the local derivative."""
        script, g = self.script, term.g
        if term.product == "moved":
            return self._moved(term, flip)
        if term.product in ("right", "left", "outer"):
            return self._through_matrix(term, flip)
        if g == Number(1) and term.op == "mul":
            return self.write(self._factor(term)[0], flip)
        derivative = self._derivative(term, flip)
        if g == Number(1) and term.product in ("times", "spread"):
            if derivative == "1":
                return (script.ones if term.shape else "1"), ATOM
            return derivative, SUM if has_sum(derivative) else HADAMARD
        if term.product == "rows":
            factor_text = script.parenthesised(derivative)
            inside = self._inside(g, flip, MATRIX)
            if flip:
                return self._beside(script.transposed(factor_text), inside), MATRIX
            return self._beside(inside, factor_text), MATRIX
        if term.product == "spread" and derivative == "1":
            if not term.shape:
                return self.write(g, flip)
            inside = self._inside(g, flip if shape_of(g) else False, MATRIX)
            return self._beside(inside, script.ones), MATRIX
        return self._times(term, derivative, flip)

    def _times(self, term: Chain, derivative: str, flip: bool) -> Written:
        """Write g ⊙ D; a number stands beside the other factor without a sign."""
        script, g, scalar = self.script, term.g, scalar_behind(term.g)
        unclear = not script.bars and re.search(r"/(?!\d+$)", derivative)
        if has_sum(derivative) or (unclear and (scalar is not None or not term.shape)):
            bare, derivative = derivative, script.parenthesised(derivative)
        else:
            bare = derivative
        if scalar is not None:
            inside = self._inside(scalar, self.notation.columns, MATRIX, HADAMARD)
            if inside == "1":  # also a mean of one number
                return bare, SUM if has_sum(bare) else HADAMARD
            if derivative.startswith("1/"):
                return self._beside(derivative, inside), MATRIX
            return self._beside(inside, derivative), MATRIX
        inside = self._inside(g, flip, HADAMARD)
        if term.op == "mul" and not shape_of(factor := self._factor(term)[0]):
            number = self._inside(factor, self.notation.columns, MATRIX)
            return self._beside(number, inside), MATRIX
        return f"{inside}{script.times}{derivative}", HADAMARD

    def _through_matrix(self, term: Chain, flip: bool) -> Written:
        """Write g D, D g or gᵀ D."""
        g, (factor, transposed) = term.g, self._factor(term)
        if term.op == "matmul" and len(shape_of(term.inputs[1])) == 1:
            upright = self.notation.columns
            if term.product == "right":
                return self._matrix((g, upright), (factor, not upright), False)
            return self._matrix((factor, True), (g, upright), False)
        if term.product == "right":
            return self._matrix((g, flip), (factor, flip != transposed), flip)
        if term.product == "left":
            return self._matrix((factor, flip != transposed), (g, flip), flip)
        return self._matrix((g, not flip), (factor, flip != transposed), flip)

    def _derivative(self, term: Chain, flip: bool) -> str:
        """The primitive's own words, with this graph's letters."""
        if term.product == "rows" or not term.shape:
            flip = self.notation.columns
        values = dict(zip(placeholders(len(term.inputs)), term.inputs, strict=True))
        values["y"] = term.y
        if len(term.inputs) == 2:
            values |= {"x": values["a"], "w": values["b"], "t": values["b"]}
        text = term.derivative
        if text == "1/n":
            n = size_of(term.shape) // max(size_of(shape_of(term.g)), 1)
            return self.script.fraction("1", str(n)) if n > 1 else "1"
        if term.op == "pow" and isinstance(term.inputs[1], Number):
            return self._slope_of_power(term.inputs[0], term.inputs[1].value, flip)
        bindings = {}
        for letter, value in values.items():
            if f"{{{letter}}}" in text:
                levels: tuple[int, ...] = ()
                if f"({{{letter}}})" in text:
                    levels = (SUM, HADAMARD, MATRIX)
                if text == f"{{{letter}}}":
                    levels = (HADAMARD,)
                written = self._inside(value, flip, *levels)
                if f"{{{letter}}}^" in text and re.search(r"\^|<sup>", written):
                    written = self.script.parenthesised(written)
                bindings[letter] = written
        return self.script.template(text, bindings)

    def _slope_of_power(self, base: Term, exponent: Any, flip: bool) -> str:
        """The derivative of a power whose exponent is a number: 2 h, 3 h²."""
        if exponent == 1:
            return "1"
        text = self._inside(base, flip)
        if exponent != 2:
            text = self.script.power(text, number_text(exponent - 1))
        return self._beside(number_text(exponent), text)

    def _factor(self, term: Chain) -> tuple[Term, bool]:
        r"""The matrix that a derivative such as ``{b}^\top`` names, and whether transposed."""
        match = re.fullmatch(r"\{(\w)\}(\^\\top)?", term.derivative)
        assert match is not None, term.derivative
        position = {"x": 0, "a": 0}.get(match[1], 1)
        return term.inputs[position], match[2] is not None

    def _moved(self, term: Chain, flip: bool) -> Written:
        script, g = self.script, term.g
        if term.op in UNSEEN:
            return self.write(g, flip)
        if term.op == "transpose":
            return self.write(g, not flip)
        inside = self._inside(g, flip)
        if term.op == "stack":
            index = part_text(term.position, self._now)
            if isinstance(term.position, Growing):  # elements of a stack are counted by their step
                index = self._time(Shift(0)) or index
            return script.element(inside, index), ATOM
        if term.op == "concatenate":
            lengths = dict(term.params)["lengths"]
            return script.element(inside, joined_text(term.position, lengths, self._now)), ATOM
        if term.op == "take":
            row = self.write(term.inputs[1], self.notation.columns)[0]
            hot = script.call("onehot", [row])
            g_text = self._inside(g, False, MATRIX)
            return self._beside(script.transposed(hot), g_text), MATRIX
        if term.op == "getitem":
            index = index_text(dict(term.params)["index"], self._now)
            return script.call("place", [self.write(g, flip)[0], index]), ATOM
        return script.call(f"back_{term.op}", [self.write(g, flip)[0]]), ATOM
