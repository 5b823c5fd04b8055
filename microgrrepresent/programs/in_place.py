"""Operations that write into an array: ``add(a, b, out)`` for ``out = a + b``."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from microgrrepresent.programs.expressions import (
    Expr,
    call,
    literal,
    name,
    replaced,
    text,
)
from microgrrepresent.programs.factors import factors, product
from microgrrepresent.programs.shapes import REDUCTIONS, SIGNS, UFUNCS, Shape, equal, shape_of
from microgrrepresent.programs.sizes import length
from microgrrepresent.programs.storage import Known, Storage


class InPlace(Storage):
    """Write expressions as calls of NumPy that compute into arrays that are there."""

    def _into(self, value: Expr, out: str, shape: Shape, known: Known, bulk: bool = False) -> None:
        """Compute a value into an array."""
        match _computed_first(value):
            case ast.BinOp(left, ast.MatMult(), right):
                self._product(left, right, out, known, bulk)
            case ast.BinOp(base, ast.Pow(), ast.Constant(2)):
                a = self._operand(base, out, shape, known, bulk)
                self.body.append(f"multiply({a}, {a}, {out})")
            case ast.BinOp(left, sign, right) if type(sign) in SIGNS:
                a = self._operand(left, out, shape, known, bulk)
                free = None if a == out else out
                b = self._operand(right, free, shape, known, bulk)
                self.body.append(f"{SIGNS[type(sign)]}({a}, {b}, {out})")
            case ast.UnaryOp(ast.USub(), inner):
                a = self._operand(inner, out, shape, known, bulk)
                self.body.append(f"negative({a}, {out})")
            case ast.Call(function, [first, *others], []) if text(function) in UFUNCS:
                a = self._operand(first, out, shape, known, bulk)
                rest = [self._operand(x, None, shape, known, bulk) for x in others]
                to = f"out={out}" if others else out
                self.body.append(f"{text(function)}({', '.join([a, *rest, to])})")
            case ast.Call(function, [inner, *axis], keywords) if text(function) in REDUCTIONS:
                a = self._operand(inner, None, shape, known, bulk)
                given = "".join(f", {text(e)}" for e in axis)
                given += "".join(f", {k.arg}={text(k.value)}" for k in keywords)
                self.body.append(f"{REDUCTIONS[text(function)]}.reduce({a}{given}, out={out})")
            case ast.Call(function, [ast.List(parts)], [_]) if text(function) == "np.concatenate":
                self._parts(parts, out, shape, known, bulk)
            case ast.Name() | ast.Subscript():
                self.body.append(f"copyto({out}, {text(self._with_transposed(value))})")
            case _:
                self.body.append(f"{out}[...] = {text(self._with_transposed(value))}")

    def _operand(
        self, value: Expr, free: str | None, shape: Shape, known: Known, bulk: bool
    ) -> str:
        """An operand: a name, or computed into an array that is free, or a buffer."""
        if isinstance(value, (ast.Name, ast.Constant)):
            return text(value)
        if isinstance(value, ast.Subscript):
            return text(self._with_transposed(value))
        found = shape_of(value, known)
        whole = equal(found[1:], shape[1:]) if bulk and found else equal(found, shape)
        if free is not None and whole:
            self._into(value, free, shape, known, bulk)
            return free
        if found is None or bulk or not found:
            return text(self._with_transposed(value))
        made = self._buffer(found)
        self._into(value, made, found, known, bulk)
        return made

    def _product(self, left: Expr, right: Expr, out: str, known: Known, bulk: bool) -> None:
        right = self._with_transposed(right)
        shape = shape_of(left, known)
        matrix = shape_of(right, known)
        if shape is None or matrix is None or len(matrix) != 2:
            self.body.append(f"{out}[...] = {text(left)} @ {text(right)}")
            return
        a = self._operand(left, None, shape, known, bulk)
        if bulk or (len(shape) > 2 and out in self.once):
            width, to = text(length(shape[-1])), text(length(matrix[-1]))
            self.body.append(
                f"dot({a}.reshape(-1, {width}), {text(right)}, {out}.reshape(-1, {to}))"
            )
        elif len(shape) <= 2:
            self.body.append(f"dot({a}, {text(right)}, {out})")
        else:
            self.body.append(f"{out}[...] = {a} @ {text(right)}")

    def _with_transposed(self, value: Expr) -> Expr:
        """A matrix that is read transposed is laid out so once a run."""

        def change(node: Expr) -> Expr | None:
            match node:
                case ast.Attribute(ast.Name(n), "T") if n in self.code.leaves:
                    made = self.transposed.setdefault(n, f"{n}_T")
                    self.shapes[made] = self.code.leaves[n].value.shape[::-1]
                    return name(made)
            return None

        return replaced(value, change)

    def _parts(
        self, parts: Sequence[Expr], out: str, shape: Shape, known: Known, bulk: bool
    ) -> None:
        start = 0
        for part in parts:
            found = shape_of(part, known)
            if found is None or not isinstance(found[-1], int):
                joined = call("np.concatenate", literal(list(parts)), axis=ast.Constant(-1))
                self.body.append(f"{out}[...] = {text(joined)}")
                return
        for part in parts:
            found = shape_of(part, known)
            assert found is not None and isinstance(found[-1], int)
            stop = start + found[-1]
            to = f"{out}[..., {start}:{stop}]"
            if out in self.views and not bulk:
                to = text(self._part(name(out), start, stop))
            self._into(part, to, found, known, bulk)
            start = stop

    def _part(self, whole: Expr, start: int, stop: int) -> Expr:
        """A part of a view: a view of its own, made once like the others."""
        shape = shape_of(whole, self._shape)
        if shape is not None and (start, stop) == (0, shape[-1]):
            return whole
        made = f"{text(whole)}_{start}_{stop}"
        self.views[made] = f"{self.views[text(whole)]}[..., {start}:{stop}]"
        if shape is not None:
            self.shapes[made] = (*shape[:-1], stop - start)
        return name(made)


def _computed_first(value: Expr) -> Expr:
    """A product whose factors that are computed come first: into the array that is free."""
    parts = factors(value)
    return product(sorted(parts, key=lambda part: isinstance(part, (ast.Name, ast.Subscript))))
