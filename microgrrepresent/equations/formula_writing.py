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

from microgrrepresent.equations.formulas import LENGTH, part_of
from microgrrepresent.equations.indices import index_text, part_of_part
from microgrrepresent.equations.notations import Notation
from microgrrepresent.equations.reading import number_text, shape_of, successive_steps
from microgrrepresent.equations.scripts import Script
from microgrrepresent.equations.terms import Apply, Formula, Number, Shift, Term, Value
from microgrrepresent.errors import DescriptionError

SUM, HADAMARD, MATRIX, ATOM = range(4)
"""How tightly a piece of text holds together."""

Written = tuple[str, int]

_RELATIONS = {
    ast.Eq: "=", ast.NotEq: "≠", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥",
}  # fmt: skip
_SIGNS = {ast.BitAnd: "∧", ast.BitOr: "∨"}


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
        text, level = self.write(term, flip)
        return text if level == ATOM or level in levels else self.script.parenthesized(text)

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
                return f"-{self._inside(part(inner), flip, MATRIX, HADAMARD)}", SUM
            case ast.UnaryOp(_, inner):
                return f"¬{self._inside(part(inner), flip)}", HADAMARD
            case ast.BinOp(a, sign, b):
                return self._operator(part(a), sign, part(b), flip)
            case ast.Compare(a, [sign], [b]):
                left, right = self.write(part(a), flip)[0], self.write(part(b), flip)[0]
                return script.relation(left, _RELATIONS[type(sign)], right), ATOM
            case ast.Subscript(ast.Call(ast.Attribute(_, "eye")), inner):
                return script.unit(self.write(part(inner), flip)[0]), ATOM
            case ast.Subscript(inner, index):
                return self._selected(formula, inner, index, flip)
            case ast.List([ast.Starred(ast.Name(name))]):
                return self._several(formula.names[name], flip), ATOM
            case ast.Call(ast.Attribute(ast.Name(name) as x, method), arguments) if isinstance(
                formula.names.get(name), Term
            ):
                return self._called(formula, method, [x, *arguments], flip)
            case ast.Call(function, arguments):
                name = ast.unparse(function).removeprefix("np.")
                return self._called(formula, name, arguments, flip)
            case ast.Constant(value):
                return number_text(value), ATOM
        raise DescriptionError(
            f"explain: {formula.said_by}, holds Python that is no mathematics; write it with "
            "operators, numbers and functions of the inputs"
        )

    def _name_in(self, formula: Formula, name: str, flip: bool) -> Written:
        """What a name stands for that is no letter of the program's."""
        bound = formula.names.get(name, name)
        if isinstance(bound, Term):
            return self.write(bound, flip)
        return bound if isinstance(bound, str) else number_text(bound), ATOM

    # --- operators -------------------------------------------------------------------------------

    def _operator(self, a: Term, sign: ast.operator, b: Term, flip: bool) -> Written:
        script = self.script
        match sign:
            case ast.Add():
                right = self._inside(b, flip, SUM, HADAMARD, MATRIX)
                return f"{self.write(a, flip)[0]} + {right}", SUM
            case ast.Sub():
                right = self._inside(b, flip, HADAMARD, MATRIX)
                return f"{self.write(a, flip)[0]} - {right}", SUM
            case ast.Mult():
                return self._times_each(a, b, flip)
            case ast.Div():
                above, below = self.write(a, flip)[0], self.write(b, flip)[0]
                text = script.fraction(above, below)
                return text, SUM if text.startswith("-") else ATOM if script.bars else HADAMARD
            case ast.Pow():
                return script.power(self._inside(a, flip), self.write(b, flip)[0]), ATOM
            case ast.MatMult():
                if len(shape_of(b)) == 1:  # a matrix and a column: no question of rows
                    return self._matrix((a, False), (b, self.notation.columns), False)
                return self._matrix((a, flip), (b, flip), flip)
        left, right = self._inside(a, flip), self._inside(b, flip)
        return f"{left} {script.sign(_SIGNS[type(sign)])} {right}", HADAMARD

    def _times_each(self, a: Term, b: Term, flip: bool) -> Written:
        """Write a ⊙ b: a power if they are equal, no sign between a number and an array."""
        if a == b:
            return self.script.power(self._inside(a, flip), "2"), ATOM
        if shape_of(b) == () != shape_of(a):
            a, b = b, a
        if shape_of(a) == ():
            left, right = self._inside(a, flip, MATRIX), self._inside(b, flip, MATRIX, HADAMARD)
            return self._beside(left, right), MATRIX
        factors = (self._inside(x, flip, HADAMARD) for x in (a, b))
        return self.script.times.join(factors), HADAMARD

    def _matrix(self, a: tuple[Term, bool], b: tuple[Term, bool], flip: bool) -> Written:
        """Write a b, or bᵀ aᵀ; the flags are already those of the written factors."""
        factors = (b, a) if flip else (a, b)
        texts = [self._inside(term, flag, MATRIX) for term, flag in factors]
        return self._beside(*texts), MATRIX

    def _beside(self, first: str, *others: str) -> str:
        """Factors side by side, with a dot before a number: 0.1 · 2 W."""
        script, text = self.script, first
        for factor in others:
            text += (script.dot if factor[:1].isdigit() else script.juxtaposed) + factor
        return text

    # --- functions and selections ----------------------------------------------------------------

    def _called(self, formula: Formula, name: str, trees: list[ast.expr], flip: bool) -> Written:
        script, part = self.script, partial(part_of, formula)
        if name == "Σ":
            return self._total(part(trees[0]), flip)
        if name == "where":
            chosen = [part(tree) for tree in trees]
            if (written := self._condition(chosen, flip)) is not None:
                return written
        if name == "ones" and isinstance(trees[0], ast.Tuple) and len(trees[0].elts) == 2:
            return self._beside(script.ones, script.transposed(script.ones)), MATRIX
        if name in ("eye", "ones"):
            return ("I" if name == "eye" else script.ones), ATOM
        if name == "outer":
            a, b = (self._inside(part(tree), flip) for tree in trees)
            return self._beside(a, script.transposed(b)), MATRIX
        arguments = [self._argument(formula, tree, flip) for tree in trees]
        return script.call(name, [text for text in arguments if text]), ATOM

    def _argument(self, formula: Formula, tree: ast.expr, flip: bool) -> str:
        """An argument of a function; static ones are not written, but for an index."""
        if isinstance(tree, ast.Starred):
            assert isinstance(tree.value, ast.Name)
            return ", ".join(self.write(x, flip)[0] for x in formula.names[tree.value.id])
        if isinstance(tree, ast.Name) and not isinstance(formula.names.get(tree.id), Term):
            if tree.id == LENGTH:
                return str(self.length)
            index = formula.names.get(tree.id)
            return index_text(index, self._now) if tree.id == "index" else ""
        return self.write(part_of(formula, tree), flip)[0]

    def _condition(self, chosen: Sequence[Term], flip: bool) -> Written | None:
        """A choice between something and 0: the condition in brackets is 1 or 0."""
        condition, yes, no = chosen
        text = self.write(condition, flip)[0]
        bracketed = text if text.startswith(("[", r"\left[")) else self.script.bracketed(text)
        if no == Number(0):
            if yes == Number(1):
                return bracketed, ATOM
            return self._beside(bracketed, self._inside(yes, flip, MATRIX, HADAMARD)), MATRIX
        return (f"1 - {bracketed}", SUM) if (yes, no) == (Number(0), Number(1)) else None

    def _selected(self, formula: Formula, inner: ast.expr, index: ast.expr, flip: bool) -> Written:
        """An element or a part: by the static argument, by a term, or from start to stop."""
        script, whole = self.script, part_of(formula, inner)
        given = formula.names.get(ast.unparse(index))
        while isinstance(whole, Apply) and (both := part_of_part(whole, given)) is not None:
            whole, given = whole.inputs[0], both
        if isinstance(index, ast.Slice):
            ends = [ast.unparse(end) for end in (index.lower, index.upper) if end is not None]
            text = ":".join(str(formula.names.get(end, end)) for end in ends)
        elif isinstance(part := part_of(formula, index), Formula):
            text = given if isinstance(given, str) else index_text(given, self._now)
        else:  # rows of a table
            row = self.write(part, self.notation.columns)[0]
            rows = script.element(self._inside(whole, False), row)
            return (script.transposed(rows) if flip else rows), ATOM
        return script.element(self._inside(whole, flip), text), ATOM

    def _total(self, inner: Term, flip: bool) -> Written:
        """A sum over everything; of a stack of L_1, ..., L_T it is a sum over t."""
        joined = isinstance(inner, Apply) and inner.op.many is not None
        steps = successive_steps(inner.inputs) if joined else []  # type: ignore[union-attr]
        if steps:
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
        below = flip and not self.notation.joined
        return self.script.list([self.write(x, flip)[0] for x in xs], below)
