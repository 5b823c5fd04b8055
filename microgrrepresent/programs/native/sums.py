"""Sums along axes, and products of matrices."""

from __future__ import annotations

import ast
from typing import Any

from microgrrepresent.programs.expressions import Expr, key, name, parsed, text
from microgrrepresent.programs.native.elements import (
    Elements,
    Index,
    Shape,
    Unknown,
    as_real,
    broadcast_to,
    stored,
)
from microgrrepresent.programs.native.memory import Memory
from microgrrepresent.programs.native.nests import Assign, Nest, Total
from microgrrepresent.programs.native.places import Places
from microgrrepresent.programs.shapes import broadcast
from microgrrepresent.programs.sizes import length, same, shape_expression


class Sums(Memory):
    """Sums of elements. One that has been computed is not computed again."""

    def __init__(self, places: Places) -> None:
        super().__init__(places)
        self.known: dict[str, Elements] = {}
        """Sums that have been computed, by what they are of."""

    def forget(self, written: set[str]) -> None:
        """Forget sums of what is written anew."""
        for form in [k for k in self.known if any(f"'{n}'" in k for n in written)]:
            del self.known[form]

    def sum(
        self, function: str, x: Elements, axis: Any, keep: bool, start: Expr | None = None
    ) -> Elements:
        """``np.sum``, ``np.mean`` or ``np.max`` along axes; along all if `axis` is None."""
        n = len(x.shape)
        axes = range(n) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        gone = sorted({a % n for a in axes})
        if function != "np.max" and x.kind == "truth":
            inner = x
            x = Elements(x.shape, lambda i: ast.Call(name("int"), [inner.at(i)], []), "integer")
        x = as_real(x, self.real) if function == "np.mean" or x.kind == "number" else x
        left = [a for a in range(n) if a not in gone]
        shape = tuple(x.shape[a] for a in left)
        form = f"{function} {gone} {key(x.at(self.index(n)))} {text(shape_expression(x.shape))}"
        if form not in self.known:
            self.known[form] = self._added(function, x, gone, left, shape, start)
        found = self.known[form]
        if keep:
            full = tuple(1 if a in gone else x.shape[a] for a in range(n))
            return Elements(full, lambda i: found.at([i[a] for a in left]), found.kind)
        return found

    def _added(
        self,
        function: str,
        x: Elements,
        gone: list[int],
        left: list[int],
        shape: Shape,
        start: Expr | None,
    ) -> Elements:
        count: Expr | None = None
        if function == "np.mean":
            for a in gone:
                n = length(x.shape[a])
                count = n if count is None else ast.BinOp(count, ast.Mult(), n)
        largest = function == "np.max"
        typed = x.kind == "real"
        zero: Expr = ast.Constant(0)
        if largest:
            zero = ast.UnaryOp(ast.USub(), parsed("np.inf")) if start is None else start
        if typed and shape:
            zero = ast.Call(parsed(self.real), [zero], [])
        elif typed and not largest:
            zero = ast.Constant(0.0)  # one number of all elements is added up in float64

        def more(total: Expr, element: Expr) -> Expr:
            if largest:
                return ast.Call(parsed("np.maximum"), [total, element], [])
            return ast.BinOp(total, ast.Add(), element)

        def end(total: Expr) -> Expr:
            total = total if count is None else ast.BinOp(total, ast.Div(), count)
            return ast.Call(parsed(self.real), [total], []) if typed else total

        array = self.places.array(shape, x.kind)
        made = stored(name(array), shape, x.kind)
        order = [*left, *gone]
        place = dict(zip(order, self.index(len(order)), strict=True))
        target = made.at([place[a] for a in left])
        inner = tuple(x.shape[a] for a in gone)
        if not shape or gone[-1] == len(x.shape) - 1:
            element = x.at([place[a] for a in range(len(order))])
            self.out.append(
                Total(shape, inner, zero, lambda total: more(total, element), target, end)
            )
            return made
        index = self.index(len(x.shape))
        target = made.at([index[a] for a in left])
        self.out.append(Nest(shape, [Assign(made.at(self.index(len(shape))), zero)]))
        self.out.append(Nest(x.shape, [Assign(target, more(target, x.at(index)), partial=True)]))
        if count is not None:
            whole = made.at(self.index(len(shape)))
            self.out.append(Nest(shape, [Assign(whole, end(whole))]))
        return made

    def matrix_product(self, a: Elements, b: Elements) -> Elements:
        """``a @ b``."""
        shape = (*a.shape[:-1], *b.shape[:-2], *b.shape[-1:])
        if len(b.shape) == 1:
            shape = a.shape[:-1]
        if len(b.shape) > 2:
            return self._products(a, b)
        made, self.into = self.into, None
        if made is None or len(made.shape) != len(shape) or not all(map(same, made.shape, shape)):
            made = stored(name(self.places.array(shape, "real")), shape, "real")
        self.product(a, b, made)
        return made

    def _products(self, a: Elements, b: Elements) -> Elements:
        """A batch of products of matrices, by their elements."""
        batch = broadcast(a.shape[:-2], b.shape[:-2])
        if len(a.shape) < 2 or batch is None:
            raise Unknown("a product of several matrices")
        x = broadcast_to(a, (*batch, *a.shape[-2:]))
        y = broadcast_to(b, (*batch, *b.shape[-2:]))
        n = len(batch)

        def at(i: Index) -> Expr:  # the last index is the one that is summed over
            return ast.BinOp(
                x.at([*i[:n], i[n], i[n + 2]]), ast.Mult(), y.at([*i[:n], i[n + 2], i[n + 1]])
            )

        terms = Elements((*batch, a.shape[-2], b.shape[-1], a.shape[-1]), at, "real")
        return self.sum("np.sum", terms, -1, False)
