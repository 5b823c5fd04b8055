"""Arrays for what must lie in memory, and what works on whole arrays: products, other shapes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from microgrrepresent.programs.expressions import Expr, name, text
from microgrrepresent.programs.native.elements import (
    Elements,
    Index,
    Kind,
    Shape,
    Unknown,
    as_real,
    stored,
)
from microgrrepresent.programs.native.nests import Assign, Call, Nest, Statement
from microgrrepresent.programs.native.places import Places
from microgrrepresent.programs.sizes import Dimension, length, same, shape_expression


class Memory:
    """Statements that compute arrays.

    Attributes
    ----------
    out : list of Statement
        What has been put down so far.
    into : Elements or None
        Where the next product of this shape may be put.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self.real = places.real
        self.out: list[Statement] = []
        self.into: Elements | None = None

    def index(self, n: int, first: int = 0) -> list[Expr]:
        """The indices of n axes."""
        return [name(axis) for axis in self.places.axes[first : first + n]]

    def in_memory(self, x: Elements) -> Elements:
        """The same as an array that lies in memory."""
        return x if x.whole is not None else self.materialized(x)

    def materialized(self, x: Elements) -> Elements:
        """The same in an array of its own."""
        kind: Kind = "real" if x.kind == "number" else x.kind
        array = self.places.array(x.shape, kind)
        made = stored(name(array), x.shape, kind)
        self.store(x, made)
        return made

    def store(self, x: Elements, into: Elements, add: bool = False) -> None:
        """Put elements into an array, or add them to it."""
        if into.kind == "real":
            x = as_real(x, self.real)
        index = self.index(len(into.shape))
        self.out.append(Nest(into.shape, [Assign(into.at(index), x.aligned(index), add)]))

    def product(self, a: Elements, b: Elements, out: Elements) -> None:
        """A product of matrices by BLAS, all rows at once."""
        if a.kind != "real" or b.kind != "real" or not out.shape:
            raise Unknown("a product that is none of matrices of numbers")
        a, b = self.in_memory(a), self.in_memory(b)
        assert a.whole is not None and b.whole is not None and out.whole is not None
        left, to = a.whole, out.whole
        if len(a.shape) > 2:
            rows = shape_expression((size(a.shape[:-1]), a.shape[-1]))
            left = ast.Call(ast.Attribute(left, "reshape", ast.Load()), [rows], [])
            rows = shape_expression((size(a.shape[:-1]), *out.shape[len(a.shape) - 1 :]))
            to = ast.Call(ast.Attribute(to, "reshape", ast.Load()), [rows], [])
        self.out.append(
            Call(
                f"np.dot({text(left)}, {text(b.whole)}, {text(to)})",
                frozenset({*_names(left), *_names(b.whole)}),
                frozenset({_root(out.whole)}),
            )
        )

    def reshaped(self, x: Elements, shape: Shape) -> Elements:
        """The same numbers, row by row, in another shape."""
        if len(shape) == len(x.shape) and all(map(same, shape, x.shape)):
            return x
        left = [k for k, n in enumerate(shape) if not same(n, 1)]
        own = [k for k, n in enumerate(x.shape) if not same(n, 1)]
        if len(left) == len(own) and all(
            same(shape[a], x.shape[b]) for a, b in zip(left, own, strict=True)
        ):  # axes of length 1 come and go

            def at(index: Index) -> Expr:
                found: list[Expr] = [ast.Constant(0)] * len(x.shape)
                for a, b in zip(left, own, strict=True):
                    found[b] = index[a]
                return x.at(found)

            found = None
            if x.whole is not None and not isinstance(x.whole, ast.Attribute):
                found = self._whole_reshaped(x.whole, shape)
            return Elements(shape, at, x.kind, found)
        merged = _merged(x, shape) if x.whole is None else None
        if merged is not None:
            return merged
        whole = self.in_memory(x).whole
        assert whole is not None
        if isinstance(whole, ast.Attribute):
            whole = self.materialized(x).whole
            assert whole is not None
        array = self.places.array(shape, None)
        self.out.append(
            Call(
                f"{array} = {text(self._whole_reshaped(whole, shape))}",
                frozenset({_root(whole)}),
                frozenset({array}),
            )
        )
        return stored(name(array), shape, x.kind)

    def _whole_reshaped(self, whole: Expr, shape: Shape) -> Expr:
        method = ast.Attribute(whole, "reshape", ast.Load())
        return ast.Call(method, [shape_expression(shape)], [])

    def expanded(self, x: Elements, axis: Any) -> Elements:
        """``np.expand_dims(x, axis)``."""
        axes = axis if isinstance(axis, tuple) else (axis,)
        n = len(x.shape) + len(axes)
        where = {a % n for a in axes}
        left = list(x.shape)
        shape = tuple(1 if a in where else left.pop(0) for a in range(n))
        return self.reshaped(x, shape)

    def together(self, parts: Sequence[Elements], axis: int) -> Elements:
        """An array of its own for parts beside each other along an axis; their widths are known."""
        shape = list(parts[0].shape)
        shape[axis] = sum(x.shape[axis] for x in parts)  # type: ignore[misc]
        made = stored(name(self.places.array(tuple(shape), "real")), tuple(shape), "real")
        self.beside(parts, axis, made)
        return made

    def beside(self, parts: Sequence[Elements], axis: int, made: Elements) -> None:
        """Put parts into their places of an array."""
        start = 0
        for x in parts:
            index = self.index(len(x.shape))
            where = list(index)
            where[axis] = (
                index[axis] if not start else ast.BinOp(ast.Constant(start), ast.Add(), index[axis])
            )
            value = as_real(x, self.real) if made.kind == "real" else x
            self.out.append(Nest(x.shape, [Assign(made.at(where), value.at(index))]))
            width = x.shape[axis]
            assert isinstance(width, int)
            start += width


PARTS = "parts"
"""A field of an index ``i * n + j``, with the indices (i, j) that it is made of."""


def _merged(x: Elements, shape: Shape) -> Elements | None:
    """The leading axes as one, or one as several; None where it is more than that."""
    behind = 0
    while behind < min(len(shape), len(x.shape)) and same(x.shape[-1 - behind], shape[-1 - behind]):
        behind += 1
    own, new = x.shape[: len(x.shape) - behind], shape[: len(shape) - behind]
    if len(new) == 1 and own and same(size(own), new[0]):

        def apart(index: Index) -> Expr:
            joint = index[0]
            parts = vars(joint).get(PARTS, ())
            if len(parts) == len(own):
                return x.at([*parts, *index[1:]])
            found: list[Expr] = []
            for n in own[:0:-1]:
                found.insert(0, ast.BinOp(joint, ast.Mod(), length(n)))
                joint = ast.BinOp(joint, ast.FloorDiv(), length(n))
            return x.at([joint, *found, *index[1:]])

        return Elements(shape, apart, x.kind)
    if len(own) == 1 and new and same(size(new), own[0]):

        def together(index: Index) -> Expr:
            joint = index[0]
            for i, n in zip(index[1 : len(new)], new[1:], strict=True):
                joint = ast.BinOp(ast.BinOp(joint, ast.Mult(), length(n)), ast.Add(), i)
            if len(new) > 1:
                vars(joint)[PARTS] = tuple(index[: len(new)])
            return x.at([joint, *index[len(new) :]])

        return Elements(shape, together, x.kind)
    return None


def without(shape: Shape, axis: Any) -> Shape:
    """A shape without some of its axes."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    gone = {a % len(shape) for a in axes}
    return tuple(n for a, n in enumerate(shape) if a not in gone)


def size(shape: Sequence[Dimension]) -> Dimension:
    """How many elements there are."""
    known = 1
    others: list[Expr] = []
    for n in shape:
        if isinstance(n, int):
            known *= n
        else:
            others.append(n)
    found: Expr | None = None if known == 1 and others else ast.Constant(known)
    for n in others:
        found = n if found is None else ast.BinOp(found, ast.Mult(), n)
    assert found is not None
    return (
        found.value if isinstance(found, ast.Constant) and isinstance(found.value, int) else found
    )


def _root(whole: Expr) -> str:
    while not isinstance(whole, ast.Name):
        match whole:
            case ast.Subscript(inner) | ast.Attribute(inner) | ast.Call(inner):
                whole = inner
            case _:
                raise Unknown(text(whole))
    return whole.id


def _names(e: Expr) -> set[str]:
    return {n.id for n in ast.walk(e) if isinstance(n, ast.Name)}
