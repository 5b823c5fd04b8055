"""Expressions in NumPy read as elements, and statements for what needs an array of its own.

Elementwise functions, parts, transposes and sums become loops over elements; products of matrices
are BLAS's, into an array. A function such as ``softmax`` is read from its own source. What is not
understood is left to NumPy: a compiled program can call the interpreter, only slowly.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from microgrrepresent.programs.expressions import Expr, literal, name, parsed, text
from microgrrepresent.programs.native.elements import (
    Elements,
    Index,
    Kind,
    Shape,
    Unknown,
    as_real,
    broadcast_to,
    difference,
    elementwise,
    indexed,
    number,
    stored,
    transposed,
)
from microgrrepresent.programs.native.memory import size, without
from microgrrepresent.programs.native.nests import Assign, Nest, Turns
from microgrrepresent.programs.native.places import Places
from microgrrepresent.programs.native.selections import Selections
from microgrrepresent.programs.printing import helper_source
from microgrrepresent.programs.shapes import broadcast
from microgrrepresent.programs.sizes import Dimension, length, same

FUNCTIONS = frozenset({"np.log", "np.log1p", "np.sqrt", "np.abs", "np.sin", "np.cos"})
"""Functions of a number that numba knows as well as we do."""

SIGNS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


class Reader(Selections):
    """Read expressions. What must be computed before is put into `out`.

    Parameters
    ----------
    places : Places
        Where the variables are.
    helpers : sequence of callable
        Functions that expressions call.
    """

    def __init__(self, places: Places, helpers: Sequence[Callable[..., Any]]) -> None:
        super().__init__(places)
        self.functions = places.functions
        self.helpers = {h.__name__: h for h in helpers}
        self._local: list[dict[str, Elements | Expr]] = []
        """Names in the functions that are being read."""

    # --- expressions ------------------------------------------------------------------------------

    def read(self, e: Expr) -> Elements:
        """The elements of an expression."""
        match e:
            case ast.Constant():
                return number(e)
            case ast.Attribute(ast.Name("np"), "inf"):
                return number(e)
            case ast.Name(n):
                return self._named(n)
            case ast.Attribute(ast.Name(n), "T") if (found := self.places.by_row(n)) is not None:
                return found
            case ast.Attribute(inner, "T"):
                return transposed(self.read(inner))
            case ast.Attribute(inner, "real"):
                return self.read(inner)
            case ast.Attribute(inner, "size"):
                return number(length(size(self.read(inner).shape)))
            case ast.Attribute(inner, end) if self._is_finfo(inner):
                bounds = np.finfo(self.real.removeprefix("np."))
                return number(literal(float(getattr(bounds, end))))
            case ast.UnaryOp(op, inner):
                x = self.read(inner)
                kind: Kind = "truth" if isinstance(op, (ast.Not, ast.Invert)) else x.kind
                op = ast.Not() if kind == "truth" else op
                return elementwise([x], lambda a: ast.UnaryOp(op, a), kind, x.shape)
            case ast.BinOp(left, ast.MatMult(), right):
                return self.matrix_product(self.read(left), self.read(right))
            case ast.BinOp(left, sign, right) if isinstance(sign, SIGNS):
                return self._binary(self.read(left), sign, self.read(right))
            case ast.Compare(left, [relation], [right]):
                a, b = self._alike(self.read(left), self.read(right))
                return self._combined([a, b], lambda x, y: ast.Compare(x, [relation], [y]), "truth")
            case ast.IfExp(test, body, other):
                return self._choice(test, body, other)
            case ast.Subscript(inner, index):
                return self._subscript(inner, index)
            case ast.Call():
                return self._call(e)
        raise Unknown(text(e))

    def _named(self, n: str) -> Elements:
        if self._local:
            found = self._local[-1].get(n)
            if found is None:
                raise Unknown(n)
            return found if isinstance(found, Elements) else self.read(found)
        variable = self.places.variable(n)
        if variable is None:
            raise Unknown(n)
        return variable

    def _is_finfo(self, e: Expr) -> bool:
        """Whether this is what NumPy says of a type of numbers."""
        found: Elements | Expr | None = e
        if isinstance(e, ast.Name):
            found = self._local[-1].get(e.id) if self._local else None
        return isinstance(found, ast.Call) and text(found.func) == "np.finfo"

    def _combined(self, parts: Sequence[Elements], f: Callable[..., Expr], kind: Kind) -> Elements:
        shape: Shape | None = ()
        for part in parts:
            shape = broadcast(shape, part.shape)
        if shape is None:
            raise Unknown("operands whose shapes are not known to fit")
        return elementwise(parts, f, kind, shape)

    def _alike(self, *parts: Elements) -> list[Elements]:
        """Operands of one type, if one of them is real."""
        if any(part.kind == "real" for part in parts):
            return [as_real(part, self.real) for part in parts]
        return list(parts)

    def _binary(self, a: Elements, sign: ast.operator, b: Elements) -> Elements:
        if isinstance(sign, ast.Pow):
            if b.kind != "number":
                a, b = self._alike(a, b)
            return self._combined([a, b], lambda x, y: ast.BinOp(x, sign, y), a.kind)
        if isinstance(sign, ast.Div) and {a.kind, b.kind} != {"number"}:
            a, b = as_real(a, self.real), as_real(b, self.real)
        a, b = self._alike(a, b)
        kind: Kind = a.kind if b.kind == "number" else b.kind
        kind = "integer" if kind == "truth" else kind
        return self._combined([a, b], lambda x, y: ast.BinOp(x, sign, y), kind)

    def _choice(self, test: Expr, body: Expr, other: Expr) -> Elements:
        condition = self.read(test)
        if condition.kind == "number":
            value = condition.at(())
            if isinstance(value, ast.Constant):
                return self.read(body if value.value else other)
        outer, self.out = self.out, []
        a = self.read(body)
        ahead, self.out = self.out, []
        b = self.read(other)
        behind, self.out = self.out, outer
        if not ahead and not behind:
            a, b = self._alike(a, b)
            return self._combined(
                [condition, a, b], lambda c, x, y: ast.IfExp(c, x, y), _kind_of(a, b)
            )
        shape = broadcast(a.shape, b.shape)
        if shape is None or condition.shape:
            raise Unknown(text(test))
        a, b = as_real(a, self.real), as_real(b, self.real)
        array = self.places.array(shape, "real")
        made = stored(name(array), shape, "real")
        chosen = Turns(f"if {text(condition.at(()))}:")
        for x, found, todo in ((a, chosen.body, ahead), (b, chosen.otherwise, behind)):
            index = self.index(len(shape))
            found += [*todo, Nest(shape, [Assign(made.at(index), x.aligned(index))])]
        self.out.append(chosen)
        self.known.clear()
        return made

    def _subscript(self, inner: Expr, index: Expr) -> Elements:
        parts = list(index.elts) if isinstance(index, ast.Tuple) else [index]
        match inner:
            case ast.Name(n) if not self._local:
                found = self.places.at_step(n, index)
                if found is not None:
                    return found
            case ast.Call(function, [width], _) if text(function) == "np.eye":
                return self.one_hot(_dimension(self.read(width).at(())), self.read(index))
            case ast.Call(function, [rows, where, _], []) if text(function) == "np.take_along_axis":
                # np.take_along_axis(x, t[..., None], -1)[..., 0]: an element of each row
                if text(index) == "(..., 0)" and isinstance(where, ast.Subscript):
                    return self.element_of_each_row(self.read(rows), self.read(where.value))
            case ast.Attribute(ast.expr() as array, "shape"):
                shape = self.read(array).shape
                if isinstance(index, (ast.Constant, ast.UnaryOp)):
                    return number(length(shape[ast.literal_eval(index)]))
        x = self.read(inner)
        if len(parts) == 2 and len(x.shape) == 2 and all(isinstance(p, ast.Call) for p in parts):
            return self.pairwise(x, *map(self.read, parts))
        if len(parts) == 1 and not _is_plain(parts[0]):
            at = self._index(parts[0])
            if at is not None and (at.shape or isinstance(parts[0], ast.Subscript)):
                return self.rows(x, at)
        found = indexed(x, [self._place(p) for p in parts])
        if found is None:
            raise Unknown(text(index))
        return found

    def _index(self, e: Expr) -> Elements | None:
        try:
            return self.read(e)
        except Unknown:
            return None

    def _place(self, e: Expr) -> Expr:
        """An index of one axis, as it is written; one that is read must be a number."""
        if any(isinstance(n, ast.Subscript) for n in ast.walk(e)):
            raise Unknown(text(e))
        return e

    # --- calls ------------------------------------------------------------------------------------

    def _call(self, e: ast.Call) -> Elements:
        function = text(e.func)
        keywords = {k.arg or "": k.value for k in e.keywords}
        if function in self.helpers and not (self._local and function in self._local[-1]):
            return self._inlined(self.helpers[function], e.args, keywords)
        of_numpy = isinstance(e.func, ast.Attribute) and text(e.func.value) == "np"
        if isinstance(e.func, ast.Attribute) and not of_numpy:
            return self._method(e.func.value, e.func.attr, e.args, keywords)
        match function, e.args:
            case (("np.exp" | "np.tanh"), [inner]):
                x = as_real(self.read(inner), self.real)
                called = self.functions[function]
                return elementwise([x], lambda a: ast.Call(name(called), [a], []), "real", x.shape)
            case _, [inner] if function in FUNCTIONS:
                x = as_real(self.read(inner), self.real)
                return elementwise([x], lambda a: ast.Call(e.func, [a], []), "real", x.shape)
            case (("np.isfinite" | "np.isneginf"), [inner]):
                x = as_real(self.read(inner), self.real)
                return elementwise([x], lambda a: _test(function, a), "truth", x.shape)
            case (("np.maximum" | "np.minimum"), [a, b]):
                pair = self._alike(self.read(a), self.read(b))
                return self._combined(
                    pair, lambda x, y: ast.Call(e.func, [x, y], []), _kind_of(*pair)
                )
            case "np.where", [test, a, b]:
                condition = self.read(test)
                pair = self._alike(self.read(a), self.read(b))
                return self._combined(
                    [condition, *pair], lambda c, x, y: ast.IfExp(c, x, y), _kind_of(*pair)
                )
            case (("np.sum" | "np.mean" | "np.max"), [inner, *rest]):
                return self._sum(function, inner, rest, keywords)
            case "np.arange", [end] if not keywords:
                return Elements((_dimension(self.read(end).at(())),), lambda i: i[0], "number")
            case "np.squeeze", [inner, axis]:
                x = self.read(inner)
                return self.reshaped(x, without(x.shape, ast.literal_eval(axis)))
            case "np.expand_dims", [inner, axis]:
                x = self.read(inner)
                return self.expanded(x, ast.literal_eval(axis))
            case "np.broadcast_to", [inner, ast.Tuple(shape)]:
                return broadcast_to(self.read(inner), tuple(map(_dimension, shape)))
            case (("np.zeros_like" | "np.ones_like"), [inner]):
                value = ast.Constant(0 if function == "np.zeros_like" else 1)
                x = self.read(inner)
                zero = Elements(x.shape, lambda index: value, "number")
                return as_real(zero, self.real) if x.kind == "real" else zero
            case "np.concatenate", _ if (found := self.parts_of(e)) is not None:
                return self.together(*found)
            case "np.stack", [ast.ListComp() | ast.List()] if not keywords:
                return self.stacked(e.args[0])
            case "np.outer", [a, b]:
                x, y = self.read(a), self.read(b)
                return Elements(
                    (*x.shape, *y.shape),
                    lambda i: ast.BinOp(x.at(i[:1]), ast.Mult(), y.at(i[1:])),
                    _kind_of(x, y),
                )
        raise Unknown(text(e))

    def _method(
        self, owner: Expr, method: str, args: Sequence[Expr], keywords: dict[str, Expr]
    ) -> Elements:
        match method, args:
            case "sum" | "mean" | "max", _:
                return self._sum(f"np.{method}", owner, args, keywords)
            case "astype", _:
                return self.read(owner)
            case "reshape", [ast.Attribute(like, "shape")]:
                return self.reshaped(self.read(owner), self.read(like).shape)
            case "reshape", [ast.Tuple(axes)] | [*axes]:
                x = self.read(owner)
                shape = [self.read(a).at(()) for a in axes]
                return self.reshaped(x, _filled(x.shape, shape))
        raise Unknown(f".{method}()")

    def _sum(
        self, function: str, inner: Expr, args: Sequence[Expr], keywords: dict[str, Expr]
    ) -> Elements:
        axis = self._constant(keywords.get("axis", args[0] if args else None))
        keep = bool(self._constant(keywords.get("keepdims")))
        initial = keywords.get("initial")
        start = None if initial is None else self.read(initial).at(())
        return self.sum(function, self.read(inner), axis, keep, start)

    def _inlined(
        self, function: Callable[..., Any], args: Sequence[Expr], keywords: dict[str, Expr]
    ) -> Elements:
        """What a function gives, from its source: assignments and a result."""
        tree = ast.parse(helper_source(function)).body[0]
        assert isinstance(tree, ast.FunctionDef)
        parameters = [a.arg for a in tree.args.args]
        defaults = dict(zip(parameters[::-1], tree.args.defaults[::-1], strict=False))
        names: dict[str, Elements | Expr] = {**defaults}
        for parameter, value in [*zip(parameters, args, strict=False), *keywords.items()]:
            if isinstance(value, ast.Name) and self._local:
                names[parameter] = self._local[-1].get(value.id, value)
                continue
            constant = not any(isinstance(n, ast.Name) for n in ast.walk(value))
            names[parameter] = value if constant else self.read(value)
        self._local.append(names)
        try:
            return self._body(tree.body, names)
        finally:
            self._local.pop()

    def _body(self, body: Sequence[ast.stmt], names: dict[str, Elements | Expr]) -> Elements:
        for statement in body:
            match statement:
                case ast.Expr(ast.Constant()):
                    pass
                case ast.Assign([ast.Name(n)], ast.Call(function) as value) if (
                    text(function) == "np.finfo"
                ):
                    names[n] = value
                case ast.Assign([ast.Name(n)], value):
                    names[n] = self.read(value)
                case ast.With(_, [ast.Assign([ast.Name(n)], value)]):
                    names[n] = self.read(value)
                case ast.With(_, [ast.AnnAssign(ast.Name(n), _, ast.expr() as value)]):
                    names[n] = self.read(value)
                case ast.Return(ast.expr() as value):
                    return self.read(value)
                case _:
                    raise Unknown(ast.unparse(statement))
        raise Unknown("a function without a result")

    def _constant(self, e: Expr | None) -> Any:
        """The value of an argument that is a constant, as ``axis`` is."""
        if isinstance(e, ast.Name) and self._local:
            found = self._local[-1].get(e.id)
            e = found if not isinstance(found, Elements) else e
        try:
            return None if e is None else ast.literal_eval(e)
        except ValueError:
            raise Unknown(text(e)) from None  # type: ignore[arg-type]

    def parts_of(self, e: Expr) -> tuple[list[Elements], int] | None:
        """The parts that an expression puts beside each other along its last axes."""
        match e:
            case ast.Call(function, [ast.List(parts), *rest], keywords) if (
                text(function) == "np.concatenate"
            ):
                given = {k.arg: k.value for k in keywords}
                found = [self.read(part) for part in parts]
                at = self._constant(given.get("axis", rest[0] if rest else None)) or 0
                at %= len(found[0].shape)
                return (found, at) if all(isinstance(x.shape[at], int) for x in found) else None
        return None

    def stacked(self, e: Expr) -> Elements:
        """``np.stack([h[k] for k in range(1, T + 1)])``: a variable at all steps."""
        match e:
            case ast.ListComp(
                ast.Subscript(ast.Name(n), ast.Name("k")),
                [ast.comprehension(iter=ast.Call(ast.Name("range"), [start, stop, *step]))],
            ):
                if not step:
                    found = self.places.at_step(n, ast.Slice(start, stop))
                    if found is not None:
                        return found
                one = self.places.at_step(n, start)
                if one is None:
                    raise Unknown(text(e))
                down = bool(step)
                count = difference(start, stop) if down else difference(stop, start)

                def at(index: Index) -> Expr:
                    sign: ast.operator = ast.Sub() if down else ast.Add()
                    found = self.places.at_step(n, ast.BinOp(start, sign, index[0]))
                    assert found is not None
                    return found.at(index[1:])

                return Elements((count, *one.shape), at, one.kind)
            case ast.List([only]):
                x = self.read(only)
                return self.expanded(x, 0)
            case ast.List(several):
                return self.together([self.expanded(self.read(one), 0) for one in several], 0)
        raise Unknown(text(e))


def _kind_of(*parts: Elements) -> Kind:
    for kind in ("real", "integer", "truth"):
        if any(part.kind == kind for part in parts):
            return kind
    return "number"


def _test(function: str, x: Expr) -> Expr:
    if function == "np.isfinite":
        return ast.Call(parsed("np.isfinite"), [x], [])
    return ast.Compare(x, [ast.Eq()], [ast.UnaryOp(ast.USub(), parsed("np.inf"))])


def _is_plain(e: Expr) -> bool:
    return isinstance(e, (ast.Slice, ast.Constant, ast.UnaryOp))


def _dimension(e: Expr) -> Dimension:
    return e.value if isinstance(e, ast.Constant) and isinstance(e.value, int) else e


def _filled(old: Shape, new: Sequence[Expr]) -> Shape:
    """A new shape, with what is left to be found out."""
    minus = [k for k, n in enumerate(new) if text(n) == "-1"]
    shape = [_dimension(n) for n in new]
    if minus:
        left = list(old)
        for n in shape:
            at = next((k for k, m in enumerate(left) if same(m, n)), None)
            if at is not None:
                del left[at]
        shape[minus[0]] = size(left)
    return tuple(shape)
