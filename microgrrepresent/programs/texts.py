"""What an operation says of itself, filled in: texts with expressions in the place of their names.

    "g * (1 - y**2)"   with g = dh, y = h[t]   is   dh * (1 - h[t] ** 2)

Static arguments are read in two recordings, so that a number that is a length is written as one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from microgrrepresent.description import Description
from microgrrepresent.equations.reading import shape_of
from microgrrepresent.equations.terms import Apply, Chain, Given, Growing, Slice
from microgrrepresent.errors import GraphError
from microgrrepresent.programs.expressions import (
    A,
    Expr,
    binary,
    call,
    literal,
    name,
    parsed,
    plus,
    replaced,
    subscript,
    substituted,
)
from microgrrepresent.programs.sizes import Dimension, Sizes, length, shape_expression

Shape = tuple[Dimension, ...]


class Texts:
    """Read the texts and the static arguments of operations in two recordings.

    Attributes
    ----------
    helpers : dict from str to callable
        Functions that the texts have called so far.
    """

    def __init__(self, sizes: Sizes, dtype: np.dtype[Any]) -> None:
        self.sizes = sizes
        self.dtype = dtype
        self.helpers: dict[str, Callable[..., Any]] = {}

    def size(self, first: int, second: int, what: str = "a number") -> Dimension:
        """A number, or the size that it is."""
        return self.sizes.expression(first, second, what)

    def shape(self, first: Sequence[int], second: Sequence[int], what: str) -> Shape:
        """A shape, axis by axis."""
        if len(first) != len(second):
            raise GraphError(f"program: {what} has the shapes {first} and {second}")
        return tuple(
            self.size(a, b, f"a length of {what}") for a, b in zip(first, second, strict=True)
        )

    def text_of(self, field: str, a: Apply | Chain, position: int = 0) -> str | None:
        """What an operation says, for the shapes and params of the first recording."""
        for helper in a.op.helpers:
            self.helpers[helper.__name__] = helper
        params = {k: _plain(v) for k, v in a.params}
        return a.op.text(field, [shape_of(x) for x in a.inputs], params, position)

    def params_of(self, a: Apply | Chain, b: Apply | Chain) -> dict[str, Expr]:
        """The static arguments, by name."""
        return {
            k: subscript(self._param(v, w, f"{k} of {a.op.name}"))
            for (k, v), (_, w) in zip(a.params, b.params, strict=True)
        }

    def _param(self, a: Any, b: Any, what: str) -> Expr:
        match a, b:
            case Growing(slope, start), Growing(other, start_2):
                if slope != other:
                    raise GraphError(f"program: {what} grows by {slope}, and then by {other}")
                t: Expr = name("t")
                if slope == 1 and start < 0 and start != start_2:  # from the end
                    return binary(t, ast.Sub(), length(self.size(-start, -start_2, what)))
                first = self.size(start, start_2, what)
                if abs(slope) != 1:
                    t = binary(ast.Constant(abs(slope)), ast.Mult(), t)
                if isinstance(first, int):
                    return (
                        plus(t, first) if slope > 0 else binary(ast.Constant(first), ast.Sub(), t)
                    )
                if slope < 0:
                    return binary(first, ast.Sub(), t)
                return binary(first, ast.Add(), t)
            case Given(), Given():
                if a != b:
                    raise GraphError(
                        f"program: {what} is an array that is not the same in both recordings"
                    )
                return literal(a.array)
            case Slice(), Slice():
                parts = [
                    None if x is None else self._param(x, y, what)
                    for x, y in zip(a, b, strict=True)
                ]
                return ast.Slice(*parts)
            case tuple(), tuple():
                return literal(tuple(self._param(x, y, what) for x, y in zip(a, b, strict=True)))
            case (int(), int()) if not isinstance(a, bool):
                n = self.size(a, b, what)
                return literal(n) if isinstance(n, int) else n
        if a != b:
            raise GraphError(f"program: {what} is {a!r} in one recording, {b!r} in the other")
        return literal(a)

    def part_of(self, a: Chain, b: Chain) -> dict[str, Expr]:
        """Which part of what was joined: its number, and from where to where it goes."""
        position = self._param(a.position, b.position, "a part")
        lengths, others = a.lengths, b.lengths
        if not lengths:
            return {"i": position}
        if not isinstance(a.position, int):  # steps of one variable, all of one length
            if len(set(lengths)) > 1:
                raise GraphError(
                    f"program: {a.op.name} joins steps of a variable with parts of other lengths "
                    f"{tuple(dict.fromkeys(lengths))}, and no loop can tell where each begins; "
                    "join the steps by themselves first"
                )
            n = length(self.size(lengths[0], others[0], "a part"))
            ends = (binary(plus(position, k), ast.Mult(), n) for k in (0, 1))
            return {"i": position, **dict(zip(("start", "stop"), ends, strict=True))}
        i = a.position
        start = self.size(sum(lengths[:i]), sum(others[:i]), "a part")
        stop = self.size(sum(lengths[: i + 1]), sum(others[: i + 1]), "a part")
        return {"i": position, "start": length(start), "stop": length(stop)}

    def count_of(self, a: Chain, b: Chain) -> Expr:
        """How many elements of the input went into one of the output."""
        axes = dict(a.params).get("axis", -1)
        axes = axes if isinstance(axes, tuple) else (axes,)
        shape = self.shape(shape_of(a.inputs[0]), shape_of(b.inputs[0]), a.op.name)
        found: Expr | None = None
        for axis in axes:
            n = length(shape[axis])
            found = n if found is None else binary(found, ast.Mult(), n)
        return ast.Constant(1) if found is None else found

    def filled(
        self, text: str, names: dict[str, Expr], op: Description, shapes: Sequence[Shape]
    ) -> Expr:
        """A text with expressions in the place of names, and lengths for ``x.shape``."""
        by_name = dict(zip(op.inputs, shapes, strict=False))

        def replace(node: Expr) -> Expr | None:
            match node:
                case ast.Attribute(ast.Name(n), "shape") if n in by_name:
                    return shape_expression(by_name[n])
                case ast.Subscript(ast.Attribute(ast.Name(n), "shape"), ast.Constant(int(i))) if (
                    n in by_name
                ):
                    return length(by_name[n][i])
                case ast.Subscript(
                    ast.Attribute(ast.Name(n), "shape"),
                    ast.UnaryOp(ast.USub(), ast.Constant(int(i))),
                ) if n in by_name:
                    return length(by_name[n][-i])
                case ast.Call(ast.Attribute(ast.Name("np"), "eye"), [n]) if (
                    self.dtype != np.float64
                ):
                    made = replaced(n, replace)
                    return call("np.eye", made, dtype=parsed(f"np.{self.dtype.name}"))
            return None

        return substituted(replaced(parsed(text), replace), names)


def simple(expression: A) -> A:
    """Without detours: ``keepdims=False``, ``W.T.T``, ``(x.T @ g).T``, ``x ** (2 - 1)``."""

    def replace(node: Expr) -> Expr | None:
        match node:
            case ast.Subscript(of, ast.Subscript(ast.Attribute(ast.Name("np"), "s_"), index)):
                return ast.Subscript(simple(of), index, node.ctx)
            case ast.BinOp(base, ast.Pow(), ast.BinOp(a, ast.Sub(), b)):
                power = _difference(a, b)
                if power is not None:
                    base = simple(base)
                    return base if power == 1 else binary(base, ast.Pow(), literal(power))
            case ast.Attribute(ast.Attribute(inner, "T"), "T"):
                return simple(inner)
            case ast.Attribute(ast.BinOp(ast.Attribute(a, "T"), ast.MatMult(), b), "T"):
                transposed = ast.Attribute(simple(b), "T", ast.Load())
                return ast.BinOp(transposed, ast.MatMult(), simple(a))
            case ast.Call(function, arguments, keywords):
                kept = [k for k in keywords if not _is_default(k)]
                if len(kept) != len(keywords):
                    return simple(ast.Call(function, arguments, kept))
                axis = ast.unparse(arguments[1]) if len(arguments) == 2 else None
                if (ast.unparse(function), axis) == ("np.stack", "0"):
                    return simple(ast.Call(function, arguments[:1], keywords))
        return None

    return replaced(expression, replace)


def _difference(a: Expr, b: Expr) -> float | None:
    """The difference of two numbers; None if one is no number."""
    try:
        difference: float = ast.literal_eval(a) - ast.literal_eval(b)
    except ValueError:
        return None
    return difference


def _is_default(keyword: ast.keyword) -> bool:
    value = keyword.value
    return keyword.arg == "keepdims" and isinstance(value, ast.Constant) and value.value is False


def _plain(value: Any) -> Any:
    match value:
        case Slice(start, stop, step):
            return slice(start, stop, step)
        case Given():
            return value.array
        case Growing(_, start):
            return start
        case tuple():
            return tuple(map(_plain, value))
    return value


def is_statement(text: str) -> bool:
    """Whether a contribution is told as what adds it to a part of the adjoint."""
    return text.startswith("np.add.at(") or isinstance(ast.parse(text).body[0], ast.AugAssign)
