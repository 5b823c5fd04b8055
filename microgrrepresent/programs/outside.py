"""The lines of a fast program that stand outside of its loops.

What they compute has arrays that are made once, too, and so have the views that they read:

    v_1 = H.reshape(-1, 16)        once, for given lengths
    dot(v_1, W_T, v_2)             at each call

What is returned is made anew at each call: it belongs to the caller.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from microgrrepresent.programs.expressions import Expr, key, name, parsed, replaced, text
from microgrrepresent.programs.in_place import InPlace
from microgrrepresent.programs.lines import Item, Line, lines_of
from microgrrepresent.programs.reuse import is_new
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.shapes import Shape, shape_of
from microgrrepresent.programs.sizes import length, shape_expression


class Outside(InPlace):
    """Write lines that stand outside of loops."""

    def _choose_buffers(self, items: Sequence[Item]) -> None:
        """Find the variables that get an array made once: numbers that are not returned."""
        times = Counter(line_owner(line) for line in lines_of(list(items)))
        returned = self._returned(items)
        for line in items:
            if not isinstance(line, Line) or not isinstance(line.target, ast.Name):
                continue
            owner = line.target.id
            if owner not in returned and times[owner] == 1 and line.statement is None:
                self.kept.add(owner)
            if owner in self.inlined and _names(line.value) <= {*self.sizes, *self.fixed, "np"}:
                self.fixed.add(owner)
            shape = self.shapes.get(owner, shape_of(line.value, self._shape))
            if shape is None or not self._is_float(line.value):
                continue
            self.floats.add(owner)
            self.shapes[owner] = shape
            if shape and owner in self.kept and is_new(line.value):
                self.own.add(owner)

    def _is_float(self, value: Expr) -> bool:
        """Whether a value is of the loss's data type, as far as that is seen from what it reads."""
        match value:
            case ast.Subscript(of, _):
                return self._is_float(of)
            case ast.Call(_, _, keywords) if any(k.arg == "dtype" for k in keywords):
                return any(k.arg == "dtype" and text(k.value) == self.dtype for k in keywords)
        return _names(value) - {*self.sizes, *self.fixed, "np", "k"} <= self.floats

    def _returned(self, items: Sequence[Item]) -> set[str]:
        """What the caller gets, or a view of it."""
        found = {n.id for e in self.code.gradients for n in ast.walk(e) if isinstance(n, ast.Name)}
        found.add(self.code.loss)
        lines = [line for line in items if isinstance(line, Line)]
        for line in reversed(lines):
            if line_owner(line) in found and line.statement is None and not is_new(line.value):
                found |= _names(line.value)
        return found

    def _own_shape(self, variable: str) -> Shape | None:
        return self.shapes.get(variable) if variable in self.own else None

    def _line(self, line: Line) -> None:
        if line.statement is not None:
            self.body.append(str(replace(line, statement=self._fixed(line.statement))))
            return
        target = self._fixed(line.target)
        value = self._with_lengths(self._fixed(line.value))
        owner = line_owner(line)
        if owner.endswith("_next"):
            self._before_the_last_step(owner, value)
        elif owner in self.own:
            shape = self.shapes[owner]
            if owner not in self.once:
                axes = text(shape_expression(shape))
                self.prepared.append(f"{owner} = np.empty({axes}, {self.dtype})")
                self.once.add(owner)
            self._into(value, owner, shape, self._shape)
        elif owner in self.kept and (owner in self.fixed or self._is_view(value)):
            self.prepared.append(f"{owner} = {text(value)}")
            self.once.add(owner)
        else:
            value = self._sums_of_rows(self._flat_products(value))
            if isinstance(value, ast.Name) and owner not in self.inlined:
                value = parsed(f"{value.id}.copy()")  # both may be returned
            into = "[...]" if isinstance(target, ast.Subscript) else ""
            self.body.append(f"{text(target)}{into} {'+' if line.add else ''}= {text(value)}")

    def _before_the_last_step(self, owner: str, value: Expr) -> None:
        """What comes from beyond the end."""
        shape = self.shapes.get(owner.removesuffix("_next"))
        if shape is not None and owner not in self.once:
            axes = text(shape_expression(shape))
            self.prepared.append(f"{owner} = np.empty({axes}, {self.dtype})")
            self.shapes[owner] = shape
            self.once.add(owner)
        zero = text(value).startswith("np.zeros_like(")
        self.body.append(f"{owner}[...] = {0 if zero else text(value)}")

    def _sums_of_rows(self, value: Expr) -> Expr:
        """``x.sum(axis=(0, 1))``, which leaves the last axis, as a product with ones."""
        match value:
            case ast.Call(ast.Attribute(of, "sum"), [], [ast.keyword("axis", axis)]):
                shape = self._shape_of(of)
                ahead = [str(i) for i in range(len(shape or ()) - 1)]
                if (
                    shape
                    and self._is_float(of)
                    and text(axis) in {f"({', '.join(ahead)})", "".join(ahead)}
                ):
                    rows = f"{text(of)}.reshape(-1, {text(length(shape[-1]))})"
                    return parsed(self._row_sum(rows, shape[:-1]))
        return value

    def _flat_products(self, value: Expr) -> Expr:
        """A product of all rows with one matrix is one product, not one for each step."""

        def change(node: Expr) -> Expr | None:
            match node:
                case ast.BinOp(ast.Name() as left, ast.MatMult(), right):
                    a, b = self._shape(left), shape_of(right, self._shape)
                    if a is None or b is None or len(a) < 3 or len(b) != 2:
                        return None
                    rows = f"{text(left)}.reshape(-1, {text(length(a[-1]))})"
                    axes = ", ".join(text(length(n)) for n in (*a[:-1], b[-1]))
                    right = self._with_transposed(right)
                    return parsed(f"({rows} @ {text(right)}).reshape({axes})")
            return None

        return replaced(value, change)

    def _with_lengths(self, value: Expr) -> Expr:
        """Lengths of axes in the place of ``x.shape[-1]``."""

        def change(node: Expr) -> Expr | None:
            match node:
                case ast.Subscript(ast.Attribute(of, "shape"), ast.UnaryOp() | ast.Constant()):
                    shape = self._shape(of)
                    return length(shape[ast.literal_eval(node.slice)]) if shape else None
            return None

        return replaced(value, change)

    # --- views ------------------------------------------------------------------------------------

    def _is_view(self, value: Expr) -> bool:
        """Whether a value is a view of an array that is made once."""
        match value:
            case ast.Name(n):
                return n in self.once
            case ast.Attribute(of, "T"):
                return self._is_view(of)
            case ast.Call(ast.Attribute(of, "reshape"), axes, []):
                return self._is_dense(of) and all(map(self._is_length, axes))
            case ast.Subscript(of, index):
                parts = index.elts if isinstance(index, ast.Tuple) else [index]
                return self._is_view(of) and all(map(self._is_slice, parts))
        return False

    def _is_dense(self, value: Expr) -> bool:
        """Whether a view is of neighboring elements, so that it can be reshaped."""
        match value:
            case ast.Subscript(ast.Name(n), ast.Slice() as index):
                return n in self.once and self._is_slice(index)
        return isinstance(value, ast.Name) and value.id in self.once

    def _is_slice(self, part: Expr) -> bool:
        match part:
            case ast.Slice(start, stop, None):
                return all(end is None or self._is_length(end) for end in (start, stop))
        return isinstance(part, ast.Constant) and part.value is Ellipsis

    def _is_length(self, value: Expr) -> bool:
        return _names(value) <= {*self.sizes, *self.fixed}

    def _with_views(self, body: Sequence[str]) -> list[str]:
        """Lines that read views by their names; the lines that make them go to `prepared`."""
        names: dict[str, Expr] = {}

        def change(node: Expr) -> Expr | None:
            if isinstance(node, ast.Name) or not isinstance(getattr(node, "ctx", None), ast.Load):
                known = isinstance(node, ast.Call) and self._is_view(node)
            else:
                known = self._is_view(node)
            if not known:
                return None
            k = key(node)
            if k not in names:
                names[k] = name(self._fresh("v"))
                self.prepared.append(f"{text(names[k])} = {text(node)}")
            return names[k]

        found = []
        for line in body:
            if line.startswith("for "):
                found.append(line)
            else:
                found.append(ast.unparse(replaced(ast.parse(line), change)))
        return found


def _names(expression: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(expression) if isinstance(n, ast.Name)}
