"""Terms of a derivation as NumPy expressions.

An operation says its value in NumPy, its derivative, and how an adjoint meets it; so a term is put
together from these texts alone. Each term is read in two recordings of different lengths at once,
and a number that differs in them is written as a size.

A result may be smaller than it is said to be, and rely on broadcasting, as the 1 / (T * B) that a
mean sends to each of its terms: `Piece` keeps the shape that an expression really has.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from microgrrepresent.description import names_in
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
from microgrrepresent.primitive import Primitive
from microgrrepresent.programs.expressions import (
    Expr,
    at,
    binary,
    call,
    literal,
    name,
    negative,
    plus,
    shifted,
    times,
    total,
)
from microgrrepresent.programs.sizes import Sizes, length, same, shape_expression
from microgrrepresent.programs.texts import Shape, Texts, is_statement, simple


@dataclass(frozen=True)
class Piece:
    """An expression, the shape that it has, and statements that add more to what it is set to.

    Attributes
    ----------
    expression : ast.expr
    shape : tuple
        Its shape where it runs; it broadcasts to the shape of its term.
    additions : tuple of str
        Statements such as ``dX[t - 1] += g``, over the name ``INTO``.
    """

    expression: Expr
    shape: Shape
    additions: tuple[ast.stmt, ...] = ()


INTO = "into"
"""Stands for the adjoint that a statement of an operation adds to."""


Total = tuple[str, Piece, tuple[Sequence[int], Sequence[int]]]
"""A name for a sum over steps, its term, and the steps in both recordings."""


class Lowering(Texts):
    """Write terms of two recordings as one expression."""

    def __init__(
        self, sizes: Sizes, names: Callable[[Variable], str], dtype: np.dtype[Any]
    ) -> None:
        super().__init__(sizes, dtype)
        self.names = names
        self.timed: set[str] = set()
        """The variables that have a value at every step."""
        self.shapes: dict[str, Shape] = {}
        """The shape of each variable, at a step."""
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
            case Value(variable, when), Value(_, other):
                shape = self.shape(variable.shape, b.variable.shape, self.names(variable))
                self.shapes[self.names(variable)] = shape
                return Piece(self.place(self.names(variable), when, other), shape)
            case Adjoint(variable, when), Adjoint(_, other):
                shape = self.shape(variable.shape, b.variable.shape, self.names(variable))
                self.shapes[f"d{self.names(variable)}"] = shape
                return Piece(self.place(f"d{self.names(variable)}", when, other), shape)
            case Number(value), Number(other):
                return Piece(self._number(value, other), ())
            case Negative(inner), Negative(other):
                piece = self._full(self.term(inner, other), None)
                return Piece(negative(piece.expression), piece.shape)
            case Sum(terms), Sum(others):
                return self._sum(terms, others)
            case SumOver(), SumOver():
                return self._sum_over(a, b)
            case Apply(), Apply():
                return self._apply(a, b)
            case Chain(), Chain():
                return self._chain(a, b)
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

    def _number(self, a: Any, b: Any) -> Expr:
        if a == b:
            return literal(a)
        if isinstance(a, float) and a and b and (1 / a).is_integer() and (1 / b).is_integer():
            n = self.size(round(1 / a), round(1 / b))
            return binary(ast.Constant(1), ast.Div(), length(n))
        return length(self.size(a, b))

    def _sum(self, terms: Sequence[Term], others: Sequence[Term]) -> Piece:
        if len(terms) != len(others):
            raise GraphError("program: a sum has more terms in one recording than in the other")
        pieces = [self.term(x, y) for x, y in zip(terms, others, strict=True)]
        if len(pieces) > 1 and any(len(p.shape) != len(pieces[0].shape) for p in pieces):
            pieces = [self.full(x, y) for x, y in zip(terms, others, strict=True)]
        values = [p.expression for p in pieces if not _is_zero(p.expression)]
        shape = max((p.shape for p in pieces), key=len, default=())
        return Piece(total(values), shape, tuple(s for p in pieces for s in p.additions))

    def _sum_over(self, a: SumOver, b: SumOver) -> Piece:
        inner = self.full(a.term, b.term)
        shape = self.shape(a.shape, b.shape, "a sum")
        return self._unbroadcast(inner, shape_of(a.term), a.shape, shape)

    def _unbroadcast(
        self, piece: Piece, large: Sequence[int], small: Sequence[int], shape: Shape
    ) -> Piece:
        """Sum over what was broadcast, as the sweep does on the edge."""
        new = len(large) - len(small)
        kept = [i for i, n in enumerate(small) if n == 1 != large[i + new]]
        expression = piece.expression
        if new:
            expression = _method(expression, "sum", axis=_axes(range(new)))
        if kept:
            expression = _method(expression, "sum", axis=_axes(kept), keepdims=ast.Constant(True))
        return Piece(expression, shape)

    # --- operations -------------------------------------------------------------------------------

    def _apply(self, a: Apply, b: Apply) -> Piece:
        op = a.op
        shape = self.shape(a.shape, b.shape, f"a result of {op.name}")
        if op.inputs == ("xs",):
            names: dict[str, Expr] = {"xs": self._joined(a.inputs, b.inputs)}
            shapes: list[Shape] = []
        else:
            pieces = [self.term(x, y) for x, y in zip(a.inputs, b.inputs, strict=True)]
            names = {n: p.expression for n, p in zip(op.inputs, pieces, strict=True)}
            shapes = [
                self.shape(shape_of(x), shape_of(y), op.name)
                for x, y in zip(a.inputs, b.inputs, strict=True)
            ]
        source = self.text_of("source", a)
        if source is None:
            raise op.lacks("source", f"program: {op.name}")
        names |= self.params_of(a, b)
        return Piece(simple(self.filled(source, names, op, shapes)), shape)

    def _chain(self, a: Chain, b: Chain) -> Piece:
        op = a.op
        g = self.term(a.g, b.g)
        inputs = list(zip(a.inputs, b.inputs, strict=True))
        names: dict[str, Expr] = dict(self.params_of(a, b))
        shapes = [self.shape(shape_of(x), shape_of(y), op.name) for x, y in inputs]
        position = a.position if isinstance(a.position, int) else 0
        which = 0 if op.inputs == ("xs",) else position
        if op.inputs == ("xs",):
            names |= self.part_of(a, b)
        text = self.text_of("vjp_source", a, which)
        shape = self.shape(a.shape, b.shape, f"what {op.name} sends back")
        if text is not None:
            if is_statement(text):
                return self._statement(text, op, which, g, names, inputs, shapes, shape, a)
            g = self.full(a.g, b.g)
            names |= self._values(op, text, inputs, a, b)
            names["g"] = g.expression
            if text == "g" and shape_of(a.g) != a.shape:  # it was broadcast
                return self._unbroadcast(g, shape_of(a.g), a.shape, shape)
            return Piece(simple(self.filled(text, names, op, shapes)), shape)
        text = self.text_of("derivative", a, which)
        if text is None:
            raise op.lacks("derivative", f"program: {op.name}")
        names |= self._values(op, text, inputs, a, b)
        if "n" in names_in(text):
            names["n"] = self.count_of(a, b)
        if a.meets == "spread" and "y" in names:
            names["y"] = self._spread(self.term(a.y, b.y), a).expression
        D = self.filled(text, names, op, shapes)
        whole = bool(names_in(text) & {*op.inputs, "y"})
        return self._met(a.meets, g, D, whole, shape, a, b)

    def _met(
        self, meets: str, g: Piece, D: Expr, whole: bool, shape: Shape, a: Chain, b: Chain
    ) -> Piece:
        """The adjoint g and the derivative D, as they meet."""
        if meets in ("elementwise", "spread"):
            if meets == "spread":
                g = self._spread(g, a)
            if _is_one(D):
                return g
            if _is_one(g.expression):
                return Piece(D, shape if whole else ())
            return Piece(times(g.expression, D), shape if whole or g.shape else ())
        g = self.full(a.g, b.g)
        if meets == "right":
            return Piece(binary(g.expression, ast.MatMult(), D), shape)
        if meets == "left":
            return Piece(binary(D, ast.MatMult(), g.expression), shape)
        if meets == "outer" and len(g.shape) == 1:
            return Piece(call("np.outer", g.expression, D), shape)
        if meets == "outer":
            one, other = g.expression, D
            if len(g.shape) > 2:  # all rows of a batch
                one, other = _in_rows(one), _in_rows(other)
            columns = ast.Attribute(one, "T", ast.Load())
            return Piece(binary(columns, ast.MatMult(), other), shape)
        raise a.op.lacks("vjp_source" if meets else "meets", f"program: {a.op.name}")

    def _spread(self, g: Piece, a: Chain) -> Piece:
        """Give g the axes back that were summed over; a number needs none."""
        if not g.shape:
            return g
        params = dict(a.params)
        axes = params.get("axis", -1)
        if params.get("keepdims"):
            return g
        ndim = len(a.shape)
        where = sorted(i % ndim for i in (axes if isinstance(axes, tuple) else (axes,)))
        shape, left = [], list(g.shape)
        for i in range(ndim):
            shape.append(1 if i in where else left.pop(0))
        last = where == list(range(ndim - len(where), ndim))
        if last:
            index: list[Expr] = [ast.Constant(...), *[ast.Constant(None)] * len(where)]
            expression: Expr = ast.Subscript(g.expression, literal(tuple(index)), ast.Load())
        else:
            expression = call("np.expand_dims", g.expression, _axes(where))
        return Piece(expression, tuple(shape))

    def _statement(
        self,
        text: str,
        op: Primitive,
        which: int,
        g: Piece,
        names: dict[str, Expr],
        inputs: Sequence[tuple[Term, Term]],
        shapes: Sequence[Shape],
        shape: Shape,
        a: Chain,
    ) -> Piece:
        """A contribution that is added to a part of the adjoint: ``dx[index] += g``."""
        adjoint = f"d{op.inputs[which]}"
        used = names_in(text) - {adjoint, "np", "g"}
        for n, pair in zip(op.inputs, inputs, strict=False):
            if n in used:
                names[n] = self.term(*pair).expression
        names |= {adjoint: name(INTO), "g": g.expression}
        tree = ast.parse(text).body[0]
        filled = simple(_Fill(names).visit(tree))
        return Piece(ast.Constant(0), shape, (filled,))

    # --- what texts speak of ----------------------------------------------------------------------

    def _values(
        self,
        op: Primitive,
        text: str,
        inputs: Sequence[tuple[Term, Term]],
        a: Chain,
        b: Chain,
    ) -> dict[str, Expr]:
        """The inputs and the output that a text speaks of."""
        used = names_in(text)
        found = {}
        for n, pair in zip(op.inputs, inputs, strict=False):
            if n in used:
                found[n] = self.term(*pair).expression
        if "y" in used:
            found["y"] = self.term(a.y, b.y).expression
        return found

    def _joined(self, a: Sequence[Term], b: Sequence[Term]) -> Expr:
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


class _Fill(ast.NodeTransformer):
    def __init__(self, names: dict[str, Expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Put an expression in the place of a name."""
        return self.names.get(node.id, node)


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


def _is_one(expression: Expr) -> bool:
    return isinstance(expression, ast.Constant) and expression.value == 1


def _is_zero(expression: Expr) -> bool:
    return isinstance(expression, ast.Constant) and expression.value == 0


def _axes(axes: Sequence[int] | range) -> Expr:
    found = list(axes)
    return literal(found[0] if len(found) == 1 else tuple(found))


def _in_rows(array: Expr) -> Expr:
    """A batch of matrices as one: ``x.reshape(-1, x.shape[-1])``."""
    length = ast.Subscript(ast.Attribute(array, "shape", ast.Load()), literal(-1), ast.Load())
    reshape = ast.Attribute(array, "reshape", ast.Load())
    return ast.Call(reshape, [literal(-1), length], [])


def _method(owner: Expr, method: str, **keywords: Expr) -> Expr:
    given = [ast.keyword(k, v) for k, v in keywords.items()]
    return ast.Call(ast.Attribute(owner, method, ast.Load()), [], given)


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
