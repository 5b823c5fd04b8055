"""An array expression, told by its elements: ``h @ W + b`` is, at (i, j), ``product[i, j] + b[j]``.

So expressions of arrays become loops over elements that need no array for what is in between.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from microgrrepresent.programs.expressions import Expr, literal
from microgrrepresent.programs.sizes import Dimension, length, same

Shape = tuple[Dimension, ...]
Index = Sequence[Expr]
Kind = Literal["real", "integer", "truth", "number"]
"""Of what type elements are; a ``number`` is a constant, which takes that of what it meets."""


class Unknown(Exception):
    """An expression that is not understood here."""


@dataclass(frozen=True)
class Elements:
    """An array expression.

    Attributes
    ----------
    shape : tuple
    at : callable
        The expression of the element at an index.
    kind : str
    whole : ast.expr or None
        The same as an array that lies in memory, by row or, transposed, by column.
    """

    shape: Shape
    at: Callable[[Index], Expr]
    kind: Kind
    whole: Expr | None = None

    def aligned(self, index: Index) -> Expr:
        """The element for an index of an array that this one is broadcast to."""
        own = index[len(index) - len(self.shape) :]
        return self.at([_zero() if same(n, 1) else i for i, n in zip(own, self.shape, strict=True)])


def number(expression: Expr) -> Elements:
    """A constant, or a length."""
    return Elements((), lambda index: expression, "number")


def stored(name: Expr, shape: Shape, kind: Kind, first: Sequence[Expr] = ()) -> Elements:
    """What an array, or a part of it for the first of its indices, holds."""

    def at(index: Index) -> Expr:
        axes = [*first, *index]
        if not axes:
            return name
        return ast.Subscript(name, literal(tuple(axes)) if len(axes) > 1 else axes[0], ast.Load())

    return Elements(shape, at, kind, at(()) if shape else None)


def as_real(x: Elements, real: str) -> Elements:
    """The same as floating-point numbers of a type: the compiler does not ask what they meet."""
    if x.kind == "real":
        return x
    kind = ast.parse(real, mode="eval").body
    return Elements(x.shape, lambda index: ast.Call(kind, [x.at(index)], []), "real")


def elementwise(
    parts: Sequence[Elements], f: Callable[..., Expr], kind: Kind, shape: Shape
) -> Elements:
    """A function of the elements of several arrays that broadcast to a shape."""
    return Elements(shape, lambda index: f(*[x.aligned(index) for x in parts]), kind)


def transposed(x: Elements) -> Elements:
    """``x.T``."""
    whole = None if x.whole is None else ast.Attribute(x.whole, "T", ast.Load())
    return Elements(x.shape[::-1], lambda index: x.at(list(index)[::-1]), x.kind, whole)


def broadcast_to(x: Elements, shape: Shape) -> Elements:
    """``np.broadcast_to(x, shape)``."""
    return Elements(shape, x.aligned, x.kind)


def indexed(x: Elements, parts: Sequence[Expr]) -> Elements | None:
    """``x[:, 4:8]``, ``x[..., None]``, ``x[-1]``, ``x[:, t]``; None for what is not understood."""
    whole = x.whole
    parts = [p for p in parts if not _is_ellipsis(p)] if _trailing(parts) else list(parts)
    dots = [k for k, p in enumerate(parts) if _is_ellipsis(p)]
    if dots:
        used = sum(not _is_none(p) for p in parts) - 1
        filling: list[Expr] = [ast.Slice()] * (len(x.shape) - used)
        parts = [*parts[: dots[0]], *filling, *parts[dots[0] + 1 :]]
    shape: list[Dimension] = []
    places: list[Callable[[list[Expr]], Expr]] = []
    left = list(x.shape)
    for part in parts:
        if _is_none(part):
            shape.append(1)
            places.append(lambda own: own.pop(0))
            continue
        n = left.pop(0)
        match part:
            case ast.Slice(None, None, None):
                shape.append(n)
                places.append(lambda own: own.pop(0))
            case ast.Slice(start, stop, None):
                begin = _from_end(start or ast.Constant(0), n)
                end = _from_end(stop or length(n), n)
                shape.append(difference(end, begin))
                places.append(lambda own, begin=begin: _sum(begin, own.pop(0)))  # type: ignore[misc]
            case ast.Slice():
                return None
            case _:
                step = _from_end(part, n)
                places.append(lambda own, step=step: step)  # type: ignore[misc]
    new = [k for k, part in enumerate(parts) if _is_none(part)]
    shape += left

    def at(index: Index) -> Expr:
        own = list(index)
        found = [place(own) for place in places]
        return x.at([i for k, i in enumerate(found) if k not in new] + own)

    rows = not new and all(not isinstance(p, ast.Slice) for p in parts[:-1])
    in_rows = rows and whole is not None and not isinstance(whole, ast.Attribute)
    if not in_rows:
        whole = None
    else:
        assert whole is not None
        axes = [_from_end(p, n) for p, n in zip(parts, x.shape, strict=False)]
        index = literal(tuple(axes)) if len(axes) > 1 else axes[0]
        whole = ast.Subscript(whole, index, ast.Load())
        if not shape or (isinstance(parts[-1], ast.Slice) and len(parts) > 1):
            whole = None
    return Elements(tuple(shape), at, x.kind, whole)


def _trailing(parts: Sequence[Expr]) -> bool:
    return bool(parts) and _is_ellipsis(parts[-1]) and sum(map(_is_ellipsis, parts)) == 1


def _is_ellipsis(e: Expr) -> bool:
    return isinstance(e, ast.Constant) and e.value is ...


def _is_none(e: Expr) -> bool:
    return isinstance(e, ast.Constant) and e.value is None


def _zero() -> Expr:
    return ast.Constant(0)


def _from_end(index: Expr, n: Dimension) -> Expr:
    """An index from the start: ``-1`` is ``n - 1``."""
    match index:
        case ast.UnaryOp(ast.USub(), ast.Constant(int(k))):
            return _difference_expression(length(n), ast.Constant(k))
        case ast.Constant(int(k)) if k < 0:
            return _difference_expression(length(n), ast.Constant(-k))
    return index


def _sum(a: Expr, b: Expr) -> Expr:
    match a, b:
        case ast.Constant(0), _:
            return b
        case ast.Constant(int(m)), ast.Constant(int(n)):
            return ast.Constant(m + n)
    return ast.BinOp(a, ast.Add(), b)


def _difference_expression(a: Expr, b: Expr) -> Expr:
    match a, b:
        case _, ast.Constant(0):
            return a
        case ast.Constant(int(m)), ast.Constant(int(n)):
            return ast.Constant(m - n)
        case ast.BinOp(left, ast.Add(), ast.Constant(int(m))), ast.Constant(int(n)):
            return left if m == n else ast.BinOp(left, ast.Add(), ast.Constant(m - n))
    if ast.dump(a) == ast.dump(b):
        return ast.Constant(0)
    return ast.BinOp(a, ast.Sub(), b)


def difference(a: Expr, b: Expr) -> Dimension:
    """How many steps there are from one index to another."""
    found = _difference_expression(a, b)
    match found:
        case ast.Constant(int(n)):
            return n
    return found
