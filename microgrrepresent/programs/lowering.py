"""Terms of a derivation as NumPy expressions.

Each term is read in two recordings of different lengths at once, and a number that differs in them
is written as a size.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from microgrrepresent.equations.reading import shape_of
from microgrrepresent.equations.terms import (
    Adjoint,
    Apply,
    Chain,
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
from microgrrepresent.errors import GraphError
from microgrrepresent.programs.expressions import (
    Expr,
    at,
    binary,
    call,
    is_zero,
    literal,
    name,
    negative,
    plus,
    shifted,
    total,
)
from microgrrepresent.programs.operations import Operations, Piece
from microgrrepresent.programs.sizes import Sizes, length, same, shape_expression
from microgrrepresent.programs.texts import Shape

FLOAT64 = np.dtype(np.float64)

Total = tuple[str, Piece, tuple[Sequence[int], Sequence[int]]]
"""A name for a sum over steps, its term, and the steps in both recordings."""


class Lowering(Operations):
    """Write terms of two recordings as one expression."""

    def __init__(
        self, sizes: Sizes, names: Callable[[Variable], str], dtype: np.dtype[Any]
    ) -> None:
        super().__init__(sizes, dtype)
        self.names = names
        self.timed: set[str] = set()
        """The variables that have a value at every step."""
        self.numbers: dict[str, Expr] = {}
        """What is the same number at every step."""
        self.shapes: dict[str, Shape] = {}
        """The shape of each variable, at a step."""
        self.there: dict[str, set[int]] = {}
        """The steps, in the first recording, at which each value has been met or is computed."""
        self._totals: list[Total] = []
        self._count_of_totals = 0

    def take_totals(self) -> list[Total]:
        """The sums over steps that terms have met since this was last asked."""
        found, self._totals = self._totals, []
        return found

    def fresh(self, stem: str) -> str:
        """A name that no variable has."""
        self._count_of_totals += 1
        return f"{stem}_{self._count_of_totals}"

    # --- names and numbers ------------------------------------------------------------------------

    def place(self, variable: str, a: When, b: When) -> Expr:
        """A variable at a time of an equation, or once."""
        if a is None:
            return name(variable)
        self.timed.add(variable)
        if isinstance(a, Shift):
            if a != b:
                raise GraphError(f"program: {variable} is read at other steps in a shorter run")
            return at(variable, shifted("t", a.by))
        assert isinstance(b, int)
        return at(variable, length(self.size(a, b, f"a step of {variable}")))

    # --- terms ------------------------------------------------------------------------------------

    def term(self, a: Term, b: Term) -> Piece:
        """One expression for a term of both recordings."""
        if type(a) is not type(b):
            raise GraphError(
                f"program: the recordings of different lengths differ: {_kind(a)}, {_kind(b)}"
            )
        match a, b:
            case Value(variable), Value() if self.names(variable) in self.numbers:
                return Piece(self.numbers[self.names(variable)], ())
            case Value(variable, when), Value(_, other):
                shape = self.shape(variable.shape, b.variable.shape, self.names(variable))
                self.shapes[self.names(variable)] = shape
                self.there.setdefault(self.names(variable), set()).update(variable.steps)
                return Piece(self.place(self.names(variable), when, other), shape)
            case Adjoint(variable, when), Adjoint(_, other):
                shape = self.shape(variable.shape, b.variable.shape, self.names(variable))
                self.shapes[f"d{self.names(variable)}"] = shape
                return Piece(self.place(f"d{self.names(variable)}", when, other), shape)
            case Number(value), Number(other):
                return Piece(self.number(value, other), ())
            case Negative(inner), Negative(other):
                piece = self._full(self.term(inner, other), None)
                return Piece(negative(piece.expression), piece.shape)
            case Sum(terms), Sum(others):
                return self._sum(terms, others)
            case SumOver(), SumOver():
                return self._sum_over(a, b)
            case Apply(), Apply():
                return self.applied(a, b)
            case Chain(), Chain():
                return self.sent(a, b)
            case SumOverSteps(inner, steps), SumOverSteps(other, steps_2):
                piece = self.full(inner, other)
                total_name = self.fresh("total")
                self._totals.append((total_name, piece, (steps, steps_2)))
                return Piece(name(total_name), piece.shape)
        raise GraphError(f"program: {_kind(a)} stands where it has no place")

    def full(self, a: Term, b: Term) -> Piece:
        """The same, of the whole shape of the term."""
        return self._full(self.term(a, b), self.shape(shape_of(a), shape_of(b), "a result"))

    def _full(self, piece: Piece, shape: Shape | None) -> Piece:
        if shape is None or (len(shape) == len(piece.shape) and all(map(same, shape, piece.shape))):
            return piece
        expression = call("np.broadcast_to", piece.expression, shape_expression(shape))
        return Piece(expression, shape, piece.additions)

    def number(
        self, a: Any, b: Any, what: str = "a number", dtype: np.dtype[Any] = FLOAT64
    ) -> Expr:
        """A number of both recordings: itself, a size, or 1 divided by one."""
        if a == b:
            return literal(a)
        if isinstance(a, float) and 0 < a < 1 and 0 < b < 1:
            m, n = round(1 / a), round(1 / b)
            if (dtype.type(1 / m), dtype.type(1 / n)) == (a, b):
                return binary(ast.Constant(1), ast.Div(), length(self.size(m, n, what)))
        return length(self.size(a, b, what))

    def _sum(self, terms: Sequence[Term], others: Sequence[Term]) -> Piece:
        if len(terms) != len(others):
            raise GraphError("program: a sum has more terms in one recording than in the other")
        pieces = [self.term(x, y) for x, y in zip(terms, others, strict=True)]
        if len(pieces) > 1 and any(len(p.shape) != len(pieces[0].shape) for p in pieces):
            pieces = [self.full(x, y) for x, y in zip(terms, others, strict=True)]
        values = [p.expression for p in pieces if not is_zero(p.expression)]
        shape = max((p.shape for p in pieces), key=len, default=())
        return Piece(total(values), shape, tuple(s for p in pieces for s in p.additions))

    def _sum_over(self, a: SumOver, b: SumOver) -> Piece:
        inner = self.full(a.term, b.term)
        shape = self.shape(a.shape, b.shape, "a sum")
        return self.unbroadcast(inner, shape_of(a.term), a.shape, shape)

    # --- all steps of a variable ------------------------------------------------------------------

    def joined(self, a: Sequence[Term], b: Sequence[Term]) -> Expr:
        """What is joined: some terms, or all steps of a variable."""
        run, other = _run(a), _run(b)
        if run is not None and other is not None:
            variable, first, last = run
            _, first_2, last_2 = other
            down = first > last
            start = length(self.size(first, first_2, "a step"))
            end = self.size(last, last_2, "a step")
            stop = plus(length(end), -1 if down else 1)
            steps = [start, stop] if not down else [start, stop, ast.Constant(-1)]
            self.timed.add(self.names(variable))
            return ast.ListComp(
                at(self.names(variable), name("k")),
                [
                    ast.comprehension(
                        ast.Name("k", ast.Store()), call("range", *map(literal, steps)), [], 0
                    )
                ],
            )
        if len(a) != len(b):
            raise GraphError("program: what is joined does not grow with the steps alone")
        return literal([self.full(x, y).expression for x, y in zip(a, b, strict=True)])


def _run(terms: Sequence[Term]) -> tuple[Variable, int, int] | None:
    """Whether terms are one variable at steps that follow each other: which, from, and to."""
    when: list[int] = []
    variable: Variable | None = None
    for term in terms:
        if not isinstance(term, Value) or not isinstance(term.when, int):
            return None
        if variable not in (None, term.variable):
            return None
        variable = term.variable
        when.append(term.when)
    if variable is None or len(when) < 2 or abs(when[1] - when[0]) != 1:
        return None
    by = when[1] - when[0]
    return (
        (variable, when[0], when[-1]) if when == list(range(when[0], when[-1] + by, by)) else None
    )


def _kind(term: Term) -> str:
    match term:
        case Apply(op=op) | Chain(op=op):
            made = isinstance(term, Apply)
            return f"a result of {op.name}" if made else f"what {op.name} sends back"
        case Value(variable) | Adjoint(variable):
            return f"{variable.name}"
        case Number(value):
            return f"the number {value}"
        case SumOverSteps():
            return "a sum over steps"
    return type(term).__name__.lower()
