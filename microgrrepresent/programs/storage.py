"""Where the variables of a fast program live.

What other steps read has an array over the steps, all else a buffer for one step. Both are made
once, by the lines in `prepared`; `shapes` knows how large they are.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from itertools import count

import numpy as np

from microgrrepresent.programs.activations import Part
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import (
    A,
    Expr,
    at,
    key,
    name,
    plus,
    replaced,
    text,
    time_shift,
)
from microgrrepresent.programs.factors import product
from microgrrepresent.programs.lines import Line, Loop, lines_of
from microgrrepresent.programs.passes import Split
from microgrrepresent.programs.reuse import in_place_of
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.shapes import Shape, equal, shape_of
from microgrrepresent.programs.sizes import Dimension, length, shape_expression

Known = Callable[[Expr], Shape | None]
"""The shapes of variables."""


class Storage:
    """Arrays, buffers and views of a program, and the lines that make them.

    Attributes
    ----------
    prepared : list of str
        Lines that are run once, for given lengths.
    body : list of str
        Lines that are run each time.
    """

    def __init__(self, code: Code) -> None:
        self.code = code
        self.timed = set(code.timed)
        self.shapes: dict[str, Shape] = dict(code.shapes)
        self.numbers = count(1)
        lines = [*code.made, *lines_of([*code.forward, *code.backward])]
        self.taken = {line_owner(line) for line in lines} | set(code.leaves) | set(code.inputs)
        self.prepared: list[str] = []
        self.body: list[str] = []
        self.once: set[str] = set()
        self.added: set[str] = set()
        self.own: set[str] = set()
        """Variables outside of loops that have an array made once."""
        self.kept: set[str] = set()
        """Variables outside of loops that are set once, and not returned."""
        self.fixed: set[str] = set()
        """Those of them that follow from the lengths alone."""
        self.inlined: set[str] = set()
        """Variables that functions have, which were written out."""
        self.sizes = frozenset(n for n, _ in code.sizes)
        types = {n: dtype for n, (_, dtype) in code.inputs.items()}
        types |= {n: leaf.dtype for n, leaf in code.leaves.items()}
        self.floats = {n for n, dtype in types.items() if dtype == code.dtype} | {
            n for n in (*code.timed, *code.shapes) if n not in {*code.other_types, *types}
        }
        """Variables of the loss's data type."""
        self.transposed: dict[str, str] = {}
        self.ones: dict[str, str] = {}
        """Vectors of ones, by their lengths."""
        self.views: dict[str, str] = {}
        """The views of the loop that is being written: their names, and what they are of."""
        self.stands_in: dict[str, str] = {}
        """Variables that have the array of another one."""
        self.parts: dict[str, Part] = {}
        """Variables that are parts of others."""
        dtype = np.dtype(code.dtype)
        self.dtype = f"np.{dtype.name}"

    def _fresh(self, stem: str) -> str:
        made = f"{stem}_{next(self.numbers)}"
        return made if made not in self.taken else self._fresh(stem)

    def _choose_storage(self, sections: Sequence[Sequence[Line | Split]]) -> None:
        """An array over the steps for what other steps read, a buffer for all else."""
        home: dict[str, int] = {}
        steps: dict[str, tuple[Expr, Expr]] = {}
        items = [item for section in sections for item in section]
        for i, item in enumerate(items):
            if isinstance(item, Split):
                first, last = ascending(item.loop)
                for line in (*item.before, *item.loop.lines, *item.after):
                    owner = line_owner(line)
                    if owner in self.timed:
                        steps.setdefault(owner, (first, last))
                for line in item.loop.lines:
                    home[line_owner(line)] = i
        for item in items:
            if isinstance(item, Line) and isinstance(item.target, ast.Subscript):
                owner, index = line_owner(item), item.target.slice
                if owner in self.timed:  # at one step only, if no loop has it
                    steps.setdefault(owner, (index, index))
        local = {n for n in home if n in self.timed and n not in self.code.given}
        for i, item in enumerate(items):
            lines = (
                [(line, item.loop.lines) for line in item.loop.lines]
                + [(line, []) for line in (*item.before, *item.after)]
                if isinstance(item, Split)
                else [(item, [])]
            )
            for line, inside in lines:
                for expression in (line.target, *line.expressions()):
                    for n, shift in reads(expression, self.timed):
                        if n in local and (home[n] != i or shift != 0 or not inside):
                            local.discard(n)
        returned = {n for e in self.code.gradients for n, _ in reads(e, self.timed)}
        local -= returned
        self.local = local
        self.first: dict[str, int] = {}
        loops = [item for item in items if isinstance(item, Split)]
        replaces = in_place_of(loops, items, self.timed)
        counts: dict[str, str] = {}
        for n, (first, last) in steps.items():
            given = [step for step, _ in self.code.given.get(n, [])]
            fixed = [
                item.target.slice
                for item in items
                if isinstance(item, Line)
                and isinstance(item.target, ast.Subscript)
                and line_owner(item) == n
            ]
            ends = [e.value for e in (first, *given, *fixed) if isinstance(e, ast.Constant)]
            self.first[n] = min((e for e in ends if isinstance(e, int)), default=0)
            top, known = last, {key(e) for e in (*given, *fixed)}
            while key(plus(top, 1)) in known:  # what comes from beyond the end, or is 0 there
                top = plus(top, 1)
            count = plus(top, 1 - self.first[n])
            counts[n] = key(count)
            old = replaces.get(n, "")
            alike = counts.get(old) == counts[n] and equal(self.shapes.get(old), self.shapes.get(n))
            if alike and old in self.once - returned and n not in {*local, *self.code.given}:
                self.prepared.append(f"{n} = {old}  # a step's is read before this is written")
                self.once.add(n)
                self.stands_in[n] = self.stands_in.get(old, old)
            else:
                self._array(n, count)
        for n, values in self.code.given.items():
            for step, letter in values:
                where = self._fixed(at(n, step))
                to = self.prepared if any(line_owner(m) == letter for m in self.code.made) else None
                (self.body if to is None else to).append(f"{text(where)}[...] = {letter}")

    def _array(self, variable: str, n: Expr) -> None:
        shape = self.shapes.get(variable)
        if shape is None or variable in self.code.other_types:
            return
        axes = shape if variable in self.local else (n, *shape)
        self.prepared.append(f"{variable} = np.empty({text(shape_expression(axes))}, {self.dtype})")
        self.once.add(variable)

    def _buffer(self, shape: Shape) -> str:
        made = self._fresh("tmp")
        self.prepared.append(f"{made} = np.empty({text(shape_expression(shape))}, {self.dtype})")
        self.shapes[made] = shape
        return made

    def _row_sum(self, rows: str, shape: Sequence[Dimension]) -> str:
        """The sum of all rows of a matrix: a product with ones is ten times as fast as np.sum."""
        n = text(product([length(d) for d in shape])) if shape else "1"
        if n not in self.ones:
            self.ones[n] = self._fresh("ones")
            self.prepared.append(f"{self.ones[n]} = np.ones({n}, {self.dtype})")
        return f"dot({self.ones[n]}, {rows})"

    def _slice(self, variable: str, first: Expr, last: Expr) -> Expr:
        """A variable at all steps from the first to the last."""
        by = self.first.get(variable, 0)
        start, stop = plus(first, -by), plus(last, 1 - by)
        return ast.Subscript(name(variable), ast.Slice(start, stop), ast.Load())

    def _fixed(self, expression: A) -> A:
        """An expression outside of loops: a variable at a step is a row of its array."""

        def change(node: Expr) -> Expr | None:
            match node:
                case ast.Call(_, [ast.ListComp(ast.Subscript(ast.Name(n)), [g])], []) if (
                    n in self.timed and text(node.func) == "np.stack"
                ):
                    ends = g.iter.args if isinstance(g.iter, ast.Call) else []
                    if len(ends) == 2:
                        return self._slice(n, ends[0], plus(ends[1], -1))
                case ast.Subscript(ast.Name(n), index) if n in self.timed:
                    return ast.Subscript(name(n), plus(index, -self.first.get(n, 0)), ast.Load())
            return None

        return replaced(expression, change)

    def _shape(self, expression: Expr) -> Shape | None:
        match expression:
            case ast.Attribute(ast.Name(n), _) if n in self.fixed:
                return ()
            case ast.Name(n):
                if n in self.sizes:
                    return ()
                if n in self.code.leaves:
                    return self.code.leaves[n].value.shape
                return self.shapes.get(n)
            case ast.Subscript(ast.Name(n), index) if time_shift(index) is not None:
                shape = self.shapes.get(n)
                return shape if shape is None or n in self.timed else shape[1:]
            case ast.Subscript(ast.Name(n), index) if n in self.timed and self._is_step(index):
                return self.shapes.get(n)
        return None

    def _is_step(self, index: Expr) -> bool:
        """Whether an index is one step, such as ``T - 1``."""
        if isinstance(index, (ast.Slice, ast.Tuple)):
            return False
        return all(n.id in self.sizes for n in ast.walk(index) if isinstance(n, ast.Name))

    def _shape_of(self, expression: Expr) -> Shape | None:
        return shape_of(expression, self._shape)

    def _rows(self, variable: str, first: Expr, last: Expr) -> Expr:
        if variable in self.timed:
            return self._slice(variable, first, last)
        return ast.Subscript(name(variable), ast.Slice(first, plus(last, 1)), ast.Load())

    def _bulk_shape(self, expression: Expr) -> Shape | None:
        match expression:
            case ast.Subscript(ast.Name(n), ast.Slice()):
                shape = self.shapes.get(n)
                if shape is None:
                    return None
                return (name("T"), *shape) if n in self.timed else (name("T"), *shape[1:])
        return self._shape(expression)


def ascending(loop: Loop) -> tuple[Expr, Expr]:
    """The first and the last step of a loop, in the order of time."""
    return (loop.last, loop.first) if loop.down else (loop.first, loop.last)
