"""Where the variables of a compiled program live, and what their elements are."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from microgrrepresent.programs.code import Code
from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import Expr, key, name, plus, time_shift
from microgrrepresent.programs.lines import Item, Loop, lines_of
from microgrrepresent.programs.native.elements import (
    Elements,
    Kind,
    Shape,
    difference,
    number,
    stored,
)
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.storage import ascending


def kind_of(dtype: np.dtype[Any]) -> Kind:
    """What elements of a data type are."""
    return {"f": "real", "b": "truth"}.get(dtype.kind, "integer")  # type: ignore[return-value]


class Places:
    """Arrays, buffers and numbers of a program.

    Attributes
    ----------
    real : str
        The type of numbers, ``np.float32``.
    axes : list of str
        The names of indices, from the first axis on.
    functions : dict from str to str
        The names of what is printed before the program: ``np.exp``, ``np.tanh``, ``place``.
    buffers : dict from str to (tuple, str)
        The shape and kind of each array that is made once, for given lengths.
    """

    def __init__(self, code: Code) -> None:
        self.code = code
        self.real = f"np.{np.dtype(code.dtype).name}"
        self.timed = set(code.timed)
        self.shapes: dict[str, Shape] = dict(code.shapes)
        self.numbers = count(1)
        self.sizes = {n for n, _ in code.sizes}
        lines = [*code.made, *lines_of([*code.forward, *code.backward])]
        self.taken = {"np", "numba", "t", "k", *self.sizes, *code.leaves, *code.inputs}
        self.taken |= {line_owner(line) for line in lines}
        self.taken |= {h.__name__ for h in code.helpers}
        self.kinds: dict[str, Kind] = {n: kind_of(d) for n, d in code.other_types.items()}
        self.given: dict[str, Shape] = {n: shape for n, (shape, _) in code.inputs.items()}
        self.given |= {n: node.value.shape for n, node in code.leaves.items()}
        self.kinds |= {n: kind_of(dtype) for n, (_, dtype) in code.inputs.items()}
        self.kinds |= {n: kind_of(node.value.dtype) for n, node in code.leaves.items()}
        self.axes = [self.fresh("i", False) for _ in range(6)]
        functions = ("np.exp", "np.tanh", "parts", "place", "given", "compiled")
        self.functions = {n: self.fresh(n.removeprefix("np."), False) for n in functions}
        self.buffers: dict[str, tuple[Shape, Kind]] = {}
        self.own: dict[str, Shape] = {}
        """Arrays that are made at each call, because they are the caller's."""
        self.transposed: dict[str, str] = {}
        """Copies of matrices that the loops read by column."""
        self.lazy: dict[str, Elements] = {}
        self.local: set[str] = set()
        self.first: dict[str, int] = {}
        self.interpreted = False

    def fresh(self, stem: str, counted: bool = True) -> str:
        """A name that nothing has."""
        found = f"{stem}_{next(self.numbers)}" if counted else stem
        while found in self.taken:
            found = f"{stem}_{next(self.numbers)}"
        self.taken.add(found)
        return found

    def _value(self, n: str) -> Elements:
        found = self.variable(n)
        assert found is not None
        return found

    def _learn_made(self) -> None:
        """What the function makes: arrays of constants, made once for given lengths."""
        self.made = {line_owner(line) for line in self.code.made}
        for line in self.code.made:
            n = line_owner(line)
            if isinstance(line.value, ast.Name):  # another name of an input
                self.given[n] = self.given[line.value.id]
                self.kinds[n] = self.kinds[line.value.id]
            elif n not in self.shapes:
                variable = next(
                    (v for v, values in self.code.given.items() if n in {m for _, m in values}), n
                )
                self.shapes[n] = self.shapes[variable]

    def variable(self, n: str) -> Elements | None:
        """The elements of a variable."""
        if n in self.sizes or n == "t":
            return number(name(n))
        if n in self.given:
            return self._array_of(n, self.given[n])
        if n in self.made:
            return self._array_of(n, self.shapes[n])
        shape = self.shapes.get(n, self.shapes.get(n.removesuffix("_next")))
        if shape is None or n in self.timed:
            return None
        return stored(name(n), shape, self.kinds.get(n, "real"))

    def _array_of(self, n: str, shape: Shape) -> Elements:
        """What is given as an array; one without axes holds a number."""
        if shape:
            return stored(name(n), shape, self.kinds.get(n, "real"))
        element = ast.Subscript(name(n), ast.Tuple([], ast.Load()), ast.Load())
        return Elements((), lambda index: element, self.kinds.get(n, "real"))

    def by_row(self, n: str) -> Elements | None:
        """The transpose of a matrix that is given, laid out by row; None for what is computed."""
        shape = self.given.get(n, ())
        if len(shape) != 2 or n not in self.code.leaves:
            return None
        if n not in self.transposed:
            self.transposed[n] = self.fresh(f"{n}_T", False)
        return stored(name(self.transposed[n]), shape[::-1], self.kinds.get(n, "real"))

    def at_step(self, n: str, index: Expr) -> Elements | None:
        """A variable at a step, or at all steps of a slice."""
        if n not in self.timed or n not in self.shapes:
            return None
        shape, kind = self.shapes[n], self.kinds.get(n, "real")
        if n in self.lazy:
            return self.lazy[n]
        if n in self.local:
            return stored(name(n), shape, kind)
        by = self.first.get(n, 0)
        if isinstance(index, ast.Slice):
            assert index.lower is not None and index.upper is not None
            start, stop = plus(index.lower, -by), plus(index.upper, -by)
            rows = ast.Subscript(name(n), ast.Slice(start, stop), ast.Load())

            def at(i: Sequence[Expr]) -> Expr:
                step = (
                    i[0]
                    if key(start) == key(ast.Constant(0))
                    else ast.BinOp(start, ast.Add(), i[0])
                )
                return ast.Subscript(name(n), ast.Tuple([step, *i[1:]], ast.Load()), ast.Load())

            return Elements((difference(stop, start), *shape), at, kind, rows)
        return stored(name(n), shape, kind, [plus(index, -by)])

    def array(self, shape: Shape, kind: Kind | None, stem: str = "x") -> str:
        """A new array; of kind None, the name of a view."""
        made = self.fresh(stem)
        if shape and kind is not None:
            self.buffers[made] = shape, kind
        return made

    def _choose_storage(self, items: Sequence[Item]) -> None:
        """Time gets an axis where another step, or another loop, reads what a step computes."""
        home: dict[str, Loop] = {}
        steps: dict[str, tuple[Expr, Expr]] = {}
        fixed: dict[str, list[Expr]] = {n: [s for s, _ in v] for n, v in self.code.given.items()}
        for item in items:
            for line in lines_of([item]):
                match line.target:
                    case ast.Subscript(ast.Name(n), ast.Slice(start, stop)) if n in self.timed:
                        assert start is not None and stop is not None
                        steps.setdefault(n, (start, plus(stop, -1)))
                    case ast.Subscript(ast.Name(n), index) if n in self.timed:
                        if isinstance(item, Loop) and time_shift(index) == 0:
                            steps.setdefault(n, ascending(item))
                            home.setdefault(n, item)
                        elif time_shift(index) is None:
                            fixed.setdefault(n, []).append(index)
        self.local = {n for n in home if n not in self.code.given and n not in fixed}
        for item in items:
            for line in lines_of([item]):
                for e in (line.target, *line.expressions()):
                    for n, shift in reads(e, self.timed):
                        if n in self.local and (shift != 0 or home[n] is not item):
                            self.local.discard(n)
        for e in self.code.gradients:
            self.local -= {n for n, _ in reads(e, self.timed)}
        for n in {*steps, *fixed}:
            ends = [*steps.get(n, ()), *fixed.get(n, ())]
            low = [
                e.value for e in ends if isinstance(e, ast.Constant) and isinstance(e.value, int)
            ]
            self.first[n] = min(low) if low else 0
            far = [e for e in ends if not isinstance(e, ast.Constant)]
            top = far[0] if far else ast.Constant(max(low))
            for e in far[1:]:
                if difference(e, plus(top, 1)) == 0:
                    top = e
            axis = difference(plus(top, 1), ast.Constant(self.first[n]))
            shape = self.shapes[n] if n in self.local else (axis, *self.shapes[n])
            if shape:
                self.buffers[n] = shape, self.kinds.get(n, "real")
