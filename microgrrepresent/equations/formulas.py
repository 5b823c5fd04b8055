"""Formulas: what an operation's declaration says, with the terms of one graph in place of letters.

A declaration says ``1 - y**2`` or ``x @ w.T`` (see `Description`). Here such a text becomes a tree,
and each letter in it is bound to the term, the number or the static argument that it stands for in
one equation. So a user's operation is written as well as one of the package.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from microgrrepresent.description import number_in
from microgrrepresent.equations.indices import joined_text, part_text
from microgrrepresent.equations.reading import shape_of, size_of
from microgrrepresent.equations.terms import (
    Apply,
    Chain,
    Formula,
    Given,
    Growing,
    Number,
    Slice,
    Term,
    Value,
    Variable,
)


def part_of(formula: Formula, tree: ast.expr) -> Term:
    """A part of a formula; a term where the part is no more than a letter or a number."""
    match tree:
        case ast.Constant(value):
            return Number(value)
        case ast.Name(name) if isinstance(formula.names.get(name), Term):
            bound: Term = formula.names[name]
            return bound
        case ast.Name(name) if _is_number(formula.names.get(name)):
            return Number(formula.names[name])
        case ast.UnaryOp(ast.USub(), inner) if isinstance(part := part_of(formula, inner), Number):
            return Number(-part.value)
        case ast.BinOp(left, sign, right):
            known = computed(part_of(formula, left), sign, part_of(formula, right))
            if known is not None:
                return known
    return replace(formula, tree=tree, shape=_shape_of(formula, tree))


def _shape_of(formula: Formula, tree: ast.expr) -> tuple[int, ...]:
    inner = (n for n in ast.iter_child_nodes(tree) if isinstance(n, ast.expr))
    shapes = [shape_of(part_of(formula, n)) for n in inner]
    match tree:
        case ast.Attribute(_, "T" | "mT"):
            return shapes[0][::-1]
        case ast.BinOp(_, ast.MatMult(), _):
            return (*shapes[0][:-1], *shapes[1][1:])
        case ast.BinOp() | ast.UnaryOp() | ast.Compare():
            try:
                return np.broadcast_shapes(*shapes)
            except ValueError:  # that of a part which is taken to be like its argument, and is not
                return max(shapes, key=len)
        case ast.Subscript(ast.Call(ast.Attribute(_, "eye"))) | ast.Call(
            ast.Attribute(ast.Name("np"), "eye" | "ones" | "tri")
        ):  # made to fit an input: it counts as an array of that shape
            letters = (term for term in formula.names.values() if isinstance(term, Term))
            shapes = [shape_of(term) for term in letters]
    return max(shapes, key=len, default=())  # a function's value is like its argument


def computed(a: Term, sign: ast.operator, b: Term) -> Term | None:
    """What a sign makes of two terms, as far as that is known: b - 1 of a number b; a times 1."""
    compute = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
    if isinstance(a, Number) and isinstance(b, Number) and type(sign) in compute:
        return Number(compute[type(sign)](a.value, b.value))
    if b == Number(1) and isinstance(sign, (ast.Mult, ast.Div, ast.Pow)):
        return a
    if b == Number(0) and isinstance(sign, ast.Pow):
        return Number(1)
    return b if a == Number(1) and isinstance(sign, ast.Mult) else None


def _is_number(bound: Any) -> bool:
    return isinstance(bound, (int, float, np.number)) and not isinstance(bound, bool)


def index_of(formula: Formula, tree: ast.expr | None) -> Any:
    """What stands in brackets: an index as static arguments have it, or a term."""
    match tree:
        case None:
            return None
        case ast.Name(name):
            return formula.names.get(name, name)
        case ast.Constant(value):
            return value
        case ast.Slice(start, stop, step):
            return Slice(*(index_of(formula, end) for end in (start, stop, step)))
        case ast.Tuple(parts):
            return tuple(index_of(formula, part) for part in parts)
    part = part_of(formula, tree)
    return part.value if isinstance(part, Number) else ast.unparse(tree)


def formula(text: str, names: Mapping[str, Any], shape: tuple[int, ...]) -> Formula:
    """A formula that no declaration says, in terms of others."""
    return Formula(_parsed(text), names, shape)


def definition(term: Apply, length: str | None = None) -> Formula:
    """How an operation is written that is applied to these terms; `length` as `_Lengths` has it."""
    names = _names(term)
    tree = _Lengths(names, length).visit(deepcopy(_parsed(term.formula)))
    said_by = f"{term.op.name}: its 'formula', `{term.formula}`"
    return Formula(tree, {**names, LENGTH: length}, term.shape, said_by)


def local_derivative(term: Chain, length: str | None = None) -> Term:
    """What one use of the chain rule multiplies the adjoint with."""
    n = size_of(term.shape) // max(size_of(shape_of(term.g)), 1)
    names = {**_names(term), "y": _spread(term), "n": Number(n), LENGTH: length}
    axis = dict(term.params).get("axis", -1) if term.meets == "rows" else None
    tree = _Lengths(names, length, axis).visit(deepcopy(_parsed(term.derivative)))
    whole = Formula(tree, names, (), f"{term.op.name}: its 'derivative', `{term.derivative}`")
    part = part_of(whole, tree)
    if not isinstance(part, Formula):
        return part
    whole_shape = term.shape if term.meets == "spread" else shape_of(term.y)
    return replace(part, shape=whole_shape if part.shape else ())


def _spread(term: Chain) -> Term:
    """The output y; one that is spread has the axes again that it lost."""
    y, x = shape_of(term.y), term.shape
    if term.meets != "spread" or not y or len(y) == len(x):
        return term.y
    axes = dict(term.params).get("axis", -1)
    lost = {axis % len(x) for axis in (axes if isinstance(axes, tuple) else (axes,))}
    left = iter(y)
    shape = tuple(1 if i in lost else next(left, 1) for i in range(len(x)))
    return formula("y", {"y": term.y}, shape)


LENGTH = "a length"
"""The name of a number of elements that is written as a letter."""


class _Lengths(ast.NodeTransformer):
    """Puts the number in place of Python for it: ``x.size``, ``x.shape[-1]``, ``len(x)``.

    Parameters
    ----------
    names : mapping
        What the names stand for.
    length : str or None
        The letter that is written instead, where x is a letter that stands for anything.
    axis : int or None
        The axis along which the rows lie that x and y are, one at a time.
    """

    def __init__(self, names: Mapping[str, Any], length: str | None, axis: int | None = None):
        self.names, self.length, self.axis = names, length, axis

    def visit(self, node: ast.AST) -> Any:
        match node:
            case ast.Attribute(ast.Name(x), "size") if (shape := self._shape(x)) is not None:
                return self._number(size_of(shape))
            case ast.Call(ast.Name("len"), [ast.Name(x)], []) if shape := self._shape(x):
                return self._number(shape[0])
            case ast.Subscript(ast.Attribute(ast.Name(x), "shape"), k) if shape := self._shape(x):
                at = self.names.get(k.id) if isinstance(k, ast.Name) else number_in(ast.unparse(k))
                if isinstance(at, int) and -len(shape) <= at < len(shape):
                    return self._number(shape[at])
        return self.generic_visit(node)

    def _shape(self, name: str) -> tuple[int, ...] | None:
        term = self.names.get(name)
        if not isinstance(term, Term):
            return None
        shape = shape_of(term)
        return shape if self.axis is None or self.length else (shape[self.axis],)

    def _number(self, n: int) -> ast.expr:
        return ast.Name(LENGTH) if self.length else ast.Constant(n)


def moved_back(term: Chain, now: int | None) -> Formula:
    """Where the elements of an adjoint go whose operation had only moved them."""
    names = {**_names(term), "g": term.g}
    if isinstance(term.position, Growing):  # elements of a stack are counted by their step
        names["i"] = "t" if now is None else str(now)
    else:
        names["i"] = part_text(term.position, now)
    if term.lengths:
        start, _, stop = joined_text(term.position, term.lengths, now).partition(":")
        names |= {"start": start, "stop": stop}
    said_by = f"{term.op.name}: its 'vjp_formula', `{term.derivative}`"
    return Formula(_parsed(term.derivative), names, term.shape, said_by)


def _names(term: Apply | Chain) -> dict[str, Any]:
    """What the names in an operation's texts stand for."""
    if term.op.many is not None:
        bound: dict[str, Any] = {term.op.inputs[0]: term.inputs}
    else:
        bound = dict(zip(term.op.inputs, term.inputs, strict=bool(term.inputs)))
    numbers = {
        name: Number(value.array[()])
        for name, value in term.params
        if isinstance(value, Given) and not value.shape and name != term.op.index
    }
    return {**dict(term.params), **numbers, **static_letters(term), **bound}


def static_letters(term: Apply | Chain) -> dict[str, Value]:
    """The arrays among the static arguments, each with a letter like any other array."""
    return {
        name: Value(Variable(name, "", len(array.shape) > 1, array.shape, (), -1), None)
        for name, array in term.params
        if isinstance(array, Given) and array.shape and name != term.op.index
    }


@cache
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body
