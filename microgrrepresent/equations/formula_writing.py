"""Writing formulas down: sums, products, powers, functions, in rows or in columns.

A program computes with rows: x_t Wᵀ. Many courses write columns: W x_t. The one is the transpose
of the other, so all is written with a flag, `flip`: whether its transpose is wanted. The flag is
handed down to the letters, where it meets the course's habit; there, and nowhere else, a ᵀ appears.
"""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any

from microgrrepresent.equations.formulas import (
    LENGTH,
    computed,
    definition,
    formula,
    index_of,
    part_of,
)
from microgrrepresent.equations.indices import index_text, part_of_part
from microgrrepresent.equations.notations import Notation
from microgrrepresent.equations.reading import number_text, shape_of, successive_steps
from microgrrepresent.equations.scripts import Script
from microgrrepresent.equations.terms import (
    Adjoint,
    Apply,
    Formula,
    Number,
    Shift,
    Term,
    Value,
)
from microgrrepresent.errors import DescriptionError

SUM, MINUS, TOTAL, HADAMARD, MATRIX, POWER, ATOM = range(7)
"""How tightly a piece of text holds together: a + b, -a, Σ a, a ⊙ b, a b, a², a.

A Σ holds all that stands to its right. What has an exponent, a ᵀ or a fraction's bar holds
together beside anything, but cannot be given an exponent without parentheses.
"""

SUMMANDS = TOTAL, HADAMARD, MATRIX
_OPERATORS = {
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult,
}  # fmt: skip

Written = tuple[str, int]

_RELATIONS = {
    ast.Eq: "=", ast.NotEq: "≠", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥",
}  # fmt: skip
_SIGNS = {ast.BitAnd: "∧", ast.BitOr: "∨"}
_UNWRITTEN = frozenset({"axis", "axes", "dtype", "keepdims", "shape"})
"""Arguments that say how a function goes over an array; of which elements, mathematics has none."""


class FormulaWriter:
    """Writes formulas whose letters stand for terms; `Writer` adds the terms themselves."""

    def __init__(self, notation: Notation, script: Script, length: str | None = None) -> None:
        self.notation, self.script, self.length = notation, script, length
        self._now: int | None = None

    @abstractmethod
    def write(self, term: Term, flip: bool) -> Written:
        """A term, or its transpose if `flip`, and how tightly its text holds together."""

    def _inside(self, term: Term, flip: bool, *levels: int) -> str:
        """A term as a part of something that takes texts of these levels without parentheses."""
        return self._held(self.write(term, flip), *levels)

    def _held(self, written: Written, *levels: int) -> str:
        """A text, in parentheses unless it holds together or is of one of these levels."""
        text, level = written
        return text if level >= POWER or level in levels else self.script.parenthesized(text)

    def _base(self, written: Written) -> str:
        """What an exponent, a ᵀ or an index is put behind."""
        return written[0] if written[1] == ATOM else self.script.parenthesized(written[0])

    def transposed(self, written: Written) -> Written:
        """What is written, with a ᵀ behind it."""
        return self.script.transposed(self._base(written)), POWER

    def number(self, value: Any) -> Written:
        """A number; one below 0 is held together like any other thing with a minus sign."""
        text = number_text(value)
        return text, MINUS if text.startswith("-") else ATOM

    def _formula(self, formula: Formula, flip: bool) -> Written:
        """A formula by its outermost sign."""
        script, part = self.script, partial(part_of, formula)
        if not formula.shape:
            flip = self.notation.columns  # a number: its operands are written as usual
        match formula.tree:
            case ast.Name(name):
                return self._name_in(formula, name, flip)
            case ast.Attribute(inner, "T" | "mT"):
                return self.write(part(inner), not flip)
            case ast.UnaryOp(ast.USub(), inner):
                return f"-{self._inside(part(inner), flip, *SUMMANDS)}", MINUS
            case ast.UnaryOp(ast.UAdd(), inner):
                return self.write(part(inner), flip)
            case (
                ast.UnaryOp(ast.Invert())
                | ast.Compare(_, [_])
                | ast.BinOp(_, ast.BitAnd() | ast.BitOr())
            ):
                return script.bracketed(self._claim(formula, flip)[0]), ATOM
            case ast.BinOp(a, sign, b) if type(sign) in _OPERATORS:
                known = computed(part(a), sign, part(b))
                if known is not None:
                    return self.write(known, flip)
                return self._operator(part(a), sign, part(b), flip)
            case ast.Subscript(ast.Call(ast.Attribute(_, "eye")), inner):
                return script.unit(self.write(part(inner), flip)[0]), ATOM
            case ast.Subscript(inner, index):
                return self._selected(formula, inner, index, flip)
            case ast.List([ast.Starred(ast.Name(name))]):
                return self._several(formula.names[name], flip), ATOM
            case ast.Call(ast.Attribute(ast.Name(name) as x, method), arguments, keywords) if (
                isinstance(formula.names.get(name), Term)
            ):
                return self._called(formula, method, [x, *arguments], keywords, flip)
            case ast.Call(function, arguments, keywords):
                name = ast.unparse(function).removeprefix("np.")
                return self._called(formula, name, arguments, keywords, flip)
            case ast.Constant(value):
                return self.number(value)
        raise DescriptionError(
            f"explain: {formula.said_by}, holds Python that is no mathematics; write it with "
            "operators, numbers and functions of the inputs"
        )

    def _name_in(self, formula: Formula, name: str, flip: bool) -> Written:
        """What a name stands for that is no letter of the program's."""
        bound = formula.names.get(name, name)
        if isinstance(bound, Term):
            return self.write(bound, flip)
        return index_text(bound, self._now), ATOM

    # --- operators -------------------------------------------------------------------------------

    def _operator(self, a: Term, sign: ast.operator, b: Term, flip: bool) -> Written:
        script = self.script
        match sign:
            case ast.Add():
                right = self._inside(b, flip, SUM, MINUS, *SUMMANDS)
                minus = right.startswith("-")
                sum_sign, right = ("-", right[1:]) if minus else ("+", right)
                return f"{self.write(a, flip)[0]} {sum_sign} {right}", SUM
            case ast.Sub():
                right = self._inside(b, flip, *SUMMANDS)
                return f"{self.write(a, flip)[0]} - {right}", SUM
            case ast.Mult():
                return self._times_each(a, b, flip)
            case ast.Div():
                return self._fraction(a, b, flip)
            case ast.Pow():
                return self._power(a, b, flip)
            case ast.FloorDiv():
                return script.floor(self._fraction(a, b, flip)[0]), ATOM
            case ast.MatMult():
                if len(shape_of(b)) == 1:  # a matrix and a column: no question of rows
                    return self._matrix((a, False), (b, self.notation.columns), False)
                return self._matrix((a, flip), (b, flip), flip)
        left, right = self._inside(a, flip), self._inside(b, flip)
        return script.parenthesized(f"{left} {script.sign('mod')} {right}"), ATOM

    def _power(self, a: Term, b: Term, flip: bool) -> Written:
        """Write a^b."""
        exponent = self.write(b, flip)
        is_one = self.script.raises or isinstance(b, Number)
        above = exponent[0] if is_one else self._base(exponent)
        return self.script.power(self._base(self.write(a, flip)), above), POWER

    def _fraction(self, a: Term, b: Term, flip: bool) -> Written:
        """Write a / b; a minus sign stands before it."""
        if (positive := _without_minus(a)) is not None:
            return f"-{self._fraction(positive, b, flip)[0]}", MINUS
        if self.script.bars:
            return self.script.fraction(self.write(a, flip)[0], self.write(b, flip)[0]), POWER
        return self.script.fraction(self._inside(a, flip), self._inside(b, flip)), HADAMARD

    def _times_each(self, a: Term, b: Term, flip: bool) -> Written:
        """Write a ⊙ b: a power if they are equal, no sign between a number and an array."""
        if a == b:
            return self._power(a, Number(2), flip)
        if shape_of(b) == () != shape_of(a):
            a, b = b, a
        if isinstance(a, Number) and (positive := _without_minus(a)) is not None:
            return f"-{self._inside(_product(positive, b), flip, MATRIX, HADAMARD)}", MINUS
        if shape_of(a) == ():
            return self._scaled(self._inside(a, flip, MATRIX), self.write(b, flip))
        factors = (self._inside(x, flip, HADAMARD) for x in (a, b))
        return self.script.times.join(factors), HADAMARD

    def _scaled(self, number: str, product: Written) -> Written:
        """A number times something, which holds together as that does: 2 a ⊙ b."""
        text = self._beside(number, self._held(product, MATRIX, HADAMARD))
        return text, HADAMARD if product[1] == HADAMARD else MATRIX

    def _matrix(self, a: tuple[Term, bool], b: tuple[Term, bool], flip: bool) -> Written:
        """Write a b, or bᵀ aᵀ; the flags are already those of the written factors."""
        factors = (b, a) if flip else (a, b)
        texts = [self._inside(term, flag, MATRIX) for term, flag in factors]
        return self._beside(*texts), MATRIX

    def _beside(self, first: str, *others: str) -> str:
        """Factors side by side, with a dot before a number: 0.1 · 2 W."""
        script, text = self.script, first
        for factor in others:
            is_number = factor[:1] in set("0123456789")
            text += (script.dot if is_number else script.juxtaposed) + factor
        return text

    # --- functions and selections ----------------------------------------------------------------

    def _called(
        self,
        formula: Formula,
        name: str,
        trees: list[ast.expr],
        keywords: list[ast.keyword],
        flip: bool,
    ) -> Written:
        script, part = self.script, partial(part_of, formula)
        if name == "Σ":
            return self._total(part(trees[0]), flip)
        if name == "where" and len(trees) == 3:
            chosen = [part(tree) for tree in trees]
            if (written := self._condition(chosen, flip)) is not None:
                return written
        if name == "ones" and isinstance(trees[0], ast.Tuple) and len(trees[0].elts) == 2:
            return self._beside(script.ones, script.transposed(script.ones)), MATRIX
        if name in ("eye", "ones"):
            return ("I" if name == "eye" else script.ones), ATOM
        if name == "outer":
            a, b = (self.write(part(tree), flip) for tree in trees)
            first = a[0] if a[1] >= POWER else script.parenthesized(a[0])
            return self._beside(first, self.transposed(b)[0]), MATRIX
        arguments = [self._argument(formula, tree, flip) for tree in trees]
        arguments += [
            f"{script.code(keyword.arg)}={self._argument(formula, keyword.value, flip)}"
            for keyword in keywords
            if keyword.arg is not None and keyword.arg not in _UNWRITTEN
        ]
        return script.call(name, [text for text in arguments if text]), ATOM

    def _argument(self, formula: Formula, tree: ast.expr, flip: bool) -> str:
        """An argument of a function, unless it is one of those that are not written."""
        match tree:
            case ast.Starred(ast.Name(name)):
                return ", ".join(self.write(x, flip)[0] for x in formula.names[name])
            case ast.Name(name) if name == LENGTH:
                return str(self.length)
            case ast.Name(name) if name in _UNWRITTEN:
                return ""
            case ast.Tuple(parts):
                return f"({', '.join(self._argument(formula, part, flip) for part in parts)})"
        return self.write(part_of(formula, tree), flip)[0]

    def _claim(self, term: Term, flip: bool) -> Written:
        """What may hold or not, without the brackets that make a number of it: ``a > 0``."""
        whole = definition(term) if isinstance(term, Apply) else term
        if not isinstance(whole, Formula):
            return self.write(term, flip)
        script, part = self.script, partial(part_of, whole)
        match whole.tree:
            case ast.Compare(a, [sign], [b]) if type(sign) in _RELATIONS:
                left, right = self.write(part(a), flip)[0], self.write(part(b), flip)[0]
                return f"{left} {script.sign(_RELATIONS[type(sign)])} {right}", TOTAL
            case ast.UnaryOp(ast.Invert(), inner):
                return f"{script.sign('¬')}{self._base(self._claim(part(inner), flip))}", TOTAL
            case ast.BinOp(a, (ast.BitAnd() | ast.BitOr()) as sign, b):
                sides = [self._claim(part(tree), flip) for tree in (a, b)]
                left, right = (x if y != SUM else script.parenthesized(x) for x, y in sides)
                return f"{left} {script.sign(_SIGNS[type(sign)])} {right}", SUM
        return self.write(term, flip)

    def _condition(self, chosen: Sequence[Term], flip: bool) -> Written | None:
        """A choice between something and 0: the condition in brackets is 1 or 0."""
        condition, yes, no = chosen
        bracketed = self.script.bracketed(self._claim(condition, flip)[0])
        if no == Number(0):
            if yes == Number(1):
                return bracketed, ATOM
            if not shape_of(yes):
                return self._beside(bracketed, self._inside(yes, flip, MATRIX)), MATRIX
            return f"{bracketed}{self.script.times}{self._inside(yes, flip, HADAMARD)}", HADAMARD
        return (f"1 - {bracketed}", SUM) if (yes, no) == (Number(0), Number(1)) else None

    def _selected(self, formula: Formula, inner: ast.expr, index: ast.expr, flip: bool) -> Written:
        """An element or a part: by the static argument, by a term, or from start to stop."""
        script, whole = self.script, part_of(formula, inner)
        given = index_of(formula, index)
        if isinstance(given, Term):  # rows of a table
            row = self.write(given, self.notation.columns)[0]
            rows = script.element(self._base(self.write(whole, False)), row), ATOM
            return self.transposed(rows) if flip else rows
        while isinstance(whole, Apply) and (both := part_of_part(whole, given)) is not None:
            whole, given = whole.inputs[0], both
        of = self.write(whole, flip)
        letter = of[0] if isinstance(whole, (Value, Adjoint)) else self._base(of)
        return script.element(letter, index_text(given, self._now)), ATOM

    def _total(self, inner: Term, flip: bool) -> Written:
        """A sum over everything; of a stack of L_1, ..., L_T it is a sum over t."""
        joined = isinstance(inner, Apply) and inner.op.many is not None
        steps = successive_steps(inner.inputs) if joined else []  # type: ignore[union-attr]
        if steps:
            variable = inner.inputs[0].variable  # type: ignore[union-attr]
            one = self.write(Value(variable, Shift(0)), flip)[0]
            each = self.script.over("", one) if variable.shape else one
            return self.script.over_steps(steps, each), TOTAL
        return self.script.over("", self._inside(inner, flip, *SUMMANDS)), TOTAL

    def _several(self, xs: Sequence[Term], flip: bool) -> str:
        steps = successive_steps(xs)
        if len(steps) > 3:
            first, last = self.write(xs[0], flip)[0], self.write(xs[-1], flip)[0]
            return self.script.list([first, self.script.dots, last], False)
        below = flip and not self.notation.joined
        return self.script.list([self.write(x, flip)[0] for x in xs], below)


def _without_minus(term: Term) -> Term | None:
    """The term of which this is the negative, if it is written as one."""
    match term:
        case Number(value) if number_text(value).startswith("-"):
            return Number(-value)
        case Formula(tree=ast.UnaryOp(ast.USub(), inner)):
            return part_of(term, inner)
    return None


def _product(a: Term, b: Term) -> Term:
    """The product a ⊙ b; of 1 it is b."""
    return b if a == Number(1) else formula("a * b", {"a": a, "b": b}, shape_of(b))
