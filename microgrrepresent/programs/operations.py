"""Operations as code: the value of one, and what it sends back to an input, by what it says.

An operation says its value in NumPy, its derivative, and how an adjoint meets it; so its code is
put together from these texts alone, with the expressions of its inputs in the place of their names.

A result may be smaller than it is said to be, and rely on broadcasting, as the 1 / (T * B) that a
mean sends to each of its terms: `Piece` keeps the shape that an expression really has.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from microgrrepresent.description import names_in
from microgrrepresent.equations.reading import shape_of
from microgrrepresent.equations.terms import (
    Apply,
    Chain,
    Given,
    Term,
)
from microgrrepresent.primitive import Primitive
from microgrrepresent.programs.expressions import (
    Expr,
    binary,
    call,
    literal,
    name,
    times,
)
from microgrrepresent.programs.shapes import broadcast
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


class Operations(Texts, ABC):
    """Write the uses of operations, made of terms whose writing is left open."""

    @abstractmethod
    def term(self, a: Term, b: Term) -> Piece:
        """One expression for a term of both recordings."""

    @abstractmethod
    def full(self, a: Term, b: Term) -> Piece:
        """The same, of the whole shape of the term."""

    @abstractmethod
    def joined(self, a: Sequence[Term], b: Sequence[Term]) -> Expr:
        """What an operation joins: some terms, or all steps of a variable."""

    def applied(self, a: Apply, b: Apply) -> Piece:
        """The value of an operation."""
        op = a.op
        shape = self.shape(a.shape, b.shape, f"a result of {op.name}")
        if op.inputs == ("xs",):
            names: dict[str, Expr] = {"xs": self.joined(a.inputs, b.inputs)}
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

    def sent(self, a: Chain, b: Chain) -> Piece:
        """What an operation sends back to one of its inputs."""
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
                return self.unbroadcast(g, shape_of(a.g), a.shape, shape)
            return Piece(simple(self.filled(text, names, op, shapes)), shape)
        text = self.text_of("derivative", a, which)
        if text is None:
            raise op.lacks("derivative", f"program: {op.name}")
        names |= self._values(op, text, inputs, a, b)
        if "n" in names_in(text):
            names["n"] = self.count_of(a, b)
        if a.meets == "spread" and "y" in names:
            names["y"] = self._spread(self.term(a.y, b.y), a).expression
        D = simple(self.filled(text, names, op, shapes))
        arrays = {n for n, value in a.params if isinstance(value, Given)}
        of = dict(zip(op.inputs, shapes, strict=False))
        if a.meets == "elementwise" and not names_in(text) & arrays:
            if "y" in names_in(text):
                of["y"] = self.shape(shape_of(a.y), shape_of(b.y), op.name)
            real = _together([of[n] for n in of if n in names_in(text)], shape)
        else:
            real = shape if names_in(text) & {*op.inputs, "y", *arrays} else ()
        return self._met(a.meets, g, Piece(D, real), shape, a, b)

    def _met(self, meets: str, g: Piece, d: Piece, shape: Shape, a: Chain, b: Chain) -> Piece:
        """The adjoint g and the derivative D, as they meet."""
        D = d.expression
        if meets in ("elementwise", "spread"):
            if meets == "spread":
                g = self._spread(g, a)
            if _is_one(D):
                return g
            if _is_one(g.expression):
                return d
            return Piece(times(g.expression, D), _together([g.shape, d.shape], shape))
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

    def unbroadcast(
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


class _Fill(ast.NodeTransformer):
    def __init__(self, names: dict[str, Expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Put an expression in the place of a name."""
        return self.names.get(node.id, node)


def _together(shapes: Sequence[Shape], usual: Shape) -> Shape:
    """The shape that several broadcast to; the usual one if that is not known."""
    found: Shape | None = ()
    for shape in shapes:
        found = broadcast(found, shape)
    return usual if found is None else found


def _is_one(expression: Expr) -> bool:
    return isinstance(expression, ast.Constant) and expression.value == 1


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
