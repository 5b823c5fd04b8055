"""What the courses do to the equations of a step, beside having letters of their own.

    W x + U h  is  U h + W x  where the course has the state first, and  W_a [h, x]  where it joins
    z ⊙ h + (1 - z) ⊙ n  is  z' ⊙ n + (1 - z') ⊙ h,  z' = 1 - z,  where its gate writes

The equations are terms, and so is what becomes of them: no value changes.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from microgrrepresent.equations.formulas import definition, formula, part_of
from microgrrepresent.equations.notations import Notation
from microgrrepresent.equations.reading import shape_of
from microgrrepresent.equations.terms import Apply, Formula, Number, Shift, Term, Value, Variable
from microgrrepresent.letters import stem_of


@dataclass
class Line:
    """One equation of a step."""

    left: Value
    right: Term


def with_habits(lines: Sequence[Line], course: Notation) -> tuple[list[Line], dict[Variable, Term]]:
    """The equations as a course has them, whose letters are those for these variables.

    Returns
    -------
    lines : list of Line
    joined : dict from Variable to Formula
        The matrices that the course has in place of two, and what they consist of.
    """
    lines = _with_update_gate(lines, course)
    sums = _Sums(course)
    return [sums.of(line) for line in lines], sums.joined  # type: ignore[return-value]


# --- sums -----------------------------------------------------------------------------------------


@dataclass
class _Sums:
    """Orders what is added up, and joins the matrices of input and state."""

    course: Notation
    joined: dict[Variable, Formula] = field(default_factory=dict)

    def of(self, line: Line) -> Line:
        """A line with its sums as the course has them."""
        return Line(line.left, self._changed(line.right, line.left))

    def _changed(self, term: Term, left: Value) -> Term:
        summands = _summands(term)
        if len(summands) < 2:
            return mapped(term, lambda inner: self._changed(inner, left))
        parts = [self._changed(part, left) for part in summands]
        if sum(_product(part) is not None for part in parts) > 1:
            parts.sort(key=_order)
        products = {i: product for i, part in enumerate(parts) if (product := _product(part))}
        for i, (_, weight) in products.items():
            if isinstance(weight, Value) and stem_of(weight.variable.name) in self.course.first:
                parts.insert(0, parts.pop(i))
                break
        if self.course.joined and len(products) == 2:
            (i, (x, W)), (j, (h, U)) = products.items()
            if _is_past(x) != _is_past(h):
                if _is_past(x):
                    (x, W), (h, U) = (h, U), (x, W)
                parts = [self._join(left, (h, U), (x, W))] + [
                    part for k, part in enumerate(parts) if k not in (i, j)
                ]
        names = {f"a{i}": part for i, part in enumerate(parts)}
        return formula(" + ".join(names), names, left.variable.shape)

    def _join(self, left: Value, state: tuple[Term, Term], x: tuple[Term, Term]) -> Formula:
        """W_a [a<t-1>, x<t>] for W_aa a<t-1> + W_ax x<t>."""
        name, mark = self._joint_letter(left, state[1]), left.variable.mark
        mark += "'" * sum((known.name, known.mark) == (name, mark) for known in self.joined)
        rows, columns = left.variable.shape[-1], _length(state[0]) + _length(x[0])
        joint = Variable(name, mark, True, (rows, columns), (), -1 - len(self.joined))
        self.joined[joint] = formula("[*xs]", {"xs": (state[1], x[1])}, joint.shape)
        both = formula("[*xs]", {"xs": (state[0], x[0])}, (columns,))
        return formula("x @ w.T", {"x": both, "w": Value(joint, None)}, (rows,))

    def _joint_letter(self, left: Value, weight: Term) -> str:
        """W_a, or of several gates the letter of what is made: W_u makes Γ_u."""
        if isinstance(weight, Value) and stem_of(weight.variable.name) == "W_hh":
            return self.course.joined
        letter = self.course.letters.get(left.variable.name, left.variable.name)
        stem, _, below = letter.partition("_")
        return f"W_{below or unicodedata.normalize('NFD', stem)[0]}"


def _summands(term: Term) -> list[Term]:
    """What a sum adds up; the term itself, if it is none."""
    pair = operands(term, ast.Add)
    return [term] if pair is None else [*_summands(pair[0]), *_summands(pair[1])]


def _order(summand: Term) -> int:
    """Products with matrices stand first in a sum, biases last."""
    if _product(summand) is not None:
        return 0
    return 2 if isinstance(summand, Value) and summand.when is None else 1


def _product(term: Term) -> tuple[Term, Term] | None:
    """The vector and the matrix of a product of both."""
    pair = operands(term, ast.MatMult)
    if pair is None:
        return None
    a, b = pair
    if isinstance(b, Formula) and isinstance(b.tree, ast.Attribute):
        return a, part_of(b, b.tree.value)
    return None  # x @ W: the course's matrix is applied from the left


def _is_past(term: Term) -> bool:
    """Whether a term reads another step."""
    return any(isinstance(v.when, Shift) and v.when.by for v in values_in(term))


def _length(term: Term) -> int:
    return shape_of(term)[-1]


# --- the update gate ------------------------------------------------------------------------------


def _with_update_gate(lines: Sequence[Line], course: Notation) -> list[Line]:
    """The equations with an update gate z that does what the course's does."""
    turned: dict[Value, Formula] = {}
    found = list(lines)
    for k, line in enumerate(lines):
        gate = _interpolation(line.right)
        if gate is not None and gate[3] != course.update:
            z, kept, written, _ = gate
            names = {"z": z, "a": written, "b": kept}
            turned[z] = formula("z * a + (1 - z) * b", names, line.left.variable.shape)
            found[k] = Line(line.left, turned[z])
    return [
        Line(line.left, formula("1 - v", {"v": line.right}, line.left.variable.shape))
        if line.left in turned
        else line
        for line in found
    ]


def _interpolation(term: Term) -> tuple[Value, Term, Term, str] | None:
    """The parts of z ⊙ a + (1 - z) ⊙ b where one is a candidate n and the other the state before.

    Returns
    -------
    z, a, b, what z does
    """
    parts = operands(term, ast.Add)
    for first, second in (parts, parts[::-1]) if parts else ():
        direct, other = operands(first, ast.Mult), operands(second, ast.Mult)
        if direct is None or other is None:
            continue
        (z, a), (rest, b) = direct, other
        gate = isinstance(z, Value) and z.variable.name == "z"
        if not gate or operands(rest, ast.Sub) != (Number(1), z):
            continue
        for candidate, state, does in ((b, a, "keep"), (a, b, "write")):
            if isinstance(candidate, Value) and candidate.variable.name == "n" and _is_past(state):
                return z, a, b, does  # type: ignore[return-value]
    return None


# --- terms and formulas alike ---------------------------------------------------------------------


def operands(term: Term, sign: type[ast.operator]) -> tuple[Term, Term] | None:
    """The two operands of a sign, if a term is written with it."""
    whole = definition(term) if isinstance(term, Apply) else term
    match whole:
        case Formula(tree=ast.BinOp(left, found, right)) if isinstance(found, sign):
            return part_of(whole, left), part_of(whole, right)
    return None


def mapped(term: Term, change: Callable[[Any], Any]) -> Term:
    """A term with its parts changed."""
    if isinstance(term, Apply):
        return replace(term, inputs=tuple(map(change, term.inputs)))
    if isinstance(term, Formula):
        names = {
            name: tuple(map(change, bound))
            if isinstance(bound, tuple) and bound and isinstance(bound[0], Term)
            else change(bound)
            if isinstance(bound, Term)
            else bound
            for name, bound in term.names.items()
        }
        return Formula(term.tree, names, term.shape)
    return term


def values_in(term: Term) -> list[Value]:
    """The values that a term speaks of, in order."""
    if isinstance(term, Value):
        return [term]
    if isinstance(term, Apply):
        return [value for inner in term.inputs for value in values_in(inner)]
    found: list[Value] = []
    if isinstance(term, Formula):
        for bound in term.names.values():
            for inner in bound if isinstance(bound, tuple) else (bound,):
                found += values_in(inner)
    return found
