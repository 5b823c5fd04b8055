"""A program in the form in which NumPy runs it fast: buffers made once, views made once.

`passes` have put the equations in order. What is left is to write them so that nothing is made anew
at a step: each variable has an array for all steps, or a buffer if no other step reads it; every
operation writes into one of them; and the views of the steps are handed to the loop in a list.

    for h_before, a_t, h_t in steps_1:
        dot(h_before, W_hh_T, a_t)
        ...

`prepare` of the printed text makes arrays and views for given lengths, and returns the function
that runs; it may be called again and again, and its gradients belong to the caller.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Collection, Sequence

from microgrrepresent.programs.activations import Constants, Part, as_parts, merged
from microgrrepresent.programs.blocks import in_blocks
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import (
    A,
    Expr,
    at_step,
    name,
    parsed,
    plus,
    replaced,
    text,
    time_shift,
)
from microgrrepresent.programs.factors import factored, product
from microgrrepresent.programs.inlining import Inlining
from microgrrepresent.programs.joined import in_their_places
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of
from microgrrepresent.programs.outside import Outside
from microgrrepresent.programs.passes import Split, inlined, over_all_steps, split, sum_of
from microgrrepresent.programs.printing import helper_source, printed
from microgrrepresent.programs.reuse import reusing
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.shapes import shape_of
from microgrrepresent.programs.shared_calls import with_shared_calls
from microgrrepresent.programs.sizes import length, shape_expression
from microgrrepresent.programs.slopes import in_their_adjoints
from microgrrepresent.programs.storage import ascending


def fast_source(code: Code) -> str:
    """The text of a fast program: a function `prepare` of the lengths."""
    if any(code.shapes.get(n) == () for n in code.timed):  # numbers, which nothing writes into
        return plain_source(code)
    return _Writer(code).source()


def plain_source(code: Code) -> str:
    """The printed program in the place of a fast one: a function `prepare` that gives it."""
    sizes = ", ".join(n for n, _ in code.sizes)
    return f"{printed(code)}\n\ndef prepare({sizes}):\n    return {code.name}\n"


class _Writer(Outside):
    """Write a program line by line."""

    # --- the whole --------------------------------------------------------------------------------

    def source(self) -> str:
        """All of it."""
        inlining = Inlining(self.code.helpers, self._fresh, self._attribute)
        forward, backward = map(inlining.lines, (self.code.forward, self.code.backward))
        self.inlined |= inlining.made
        items = with_shared_calls([*forward, *backward], self.timed, self._fresh)
        n = len(forward)
        for shared in self.timed - set(self.code.timed):
            self._learn_shape(shared, items)
        self._choose_buffers(items)
        items = reusing(items, self._own_shape)
        sections = [self._split(items[:n], items), self._split(items[n:], items)]
        self._choose_storage(sections)
        for section in sections:
            for item in section:
                if isinstance(item, Split):
                    self._ahead(item)
                    self._loop(item.loop)
                    for line in item.after:
                        self._bulk(line, item.loop)
                else:
                    self._line(item)
        return self._assembled()

    def _attribute(self, expression: ast.Attribute) -> Expr | None:
        """What is known of an array ahead of time: its shape, its data type."""
        of = expression.value
        shape, number = self._shape(of), isinstance(of, ast.Name) and of.id in self.floats
        match expression.attr:
            case "shape" if shape is not None:
                return shape_expression(shape)
            case "size" if shape:
                return product([length(n) for n in shape])
            case "dtype" if number:
                return parsed(self.dtype)
            case "real" if number and self.code.dtype.kind == "f":
                return expression.value
        return None

    def _learn_shape(self, variable: str, items: Sequence[Item]) -> None:
        for line in lines_of(list(items)):
            if line_owner(line) == variable:
                shape = shape_of(line.value, self._shape)
                if shape is not None:
                    self.shapes[variable] = shape

    def _split(self, items: list[Item], everything: Sequence[Item]) -> list[Line | Split]:
        kept = {n for e in self.code.gradients for n, _ in reads(e, self.timed)}
        kept |= {n for n, values in self.code.given.items() if values} | {self.code.loss}
        kept |= _read_elsewhere(items, everything, self.timed)
        found: list[Line | Split] = []
        for item in self._with_parts(factored(inlined(items, self.timed, kept)), kept):
            if isinstance(item, Loop):
                made = split(item, self.timed, lambda: self._fresh("k"))
                for line in made.before:
                    owner = line_owner(line)
                    if owner not in self.shapes:
                        shape = shape_of(line.value, self._shape)
                        if shape is not None:
                            self.shapes[owner] = shape
                found.append(in_their_adjoints(made, self.timed, self._shape_of))
            else:
                found.append(item)
        return found

    def _with_parts(self, items: Sequence[Item], kept: Collection[str]) -> list[Item]:
        """Activations of adjacent parts by one call, no copies; what reads them reads parts."""
        found: list[Item] = []
        for item in items:
            if isinstance(item, Loop):
                item, parts, constants = merged(item, self.timed, self._fresh)
                self._declare(parts, constants)
                item, parts = in_their_places(item, self.timed, kept, self._shape_of)
                self.parts |= {part.variable: part for part in parts}
                lines = [as_parts(line, self.parts) for line in item.lines]
                found.append(Loop(item.first, item.last, item.down, lines))
            else:
                found.append(as_parts(item, self.parts))
        return found

    def _declare(self, parts: Sequence[Part], constants: Sequence[Constants]) -> None:
        """Shapes of arrays whose parts are variables, and rows of constants for them."""
        for part in parts:
            shape = self.shapes[part.variable]
            width = max(part.stop, *(p.stop for p in parts if p.whole == part.whole))
            self.shapes[part.whole] = (*shape[:-1], width)
            self.parts[part.variable] = part
        for made in constants:
            row = " + ".join(f"[{value!r}] * {n}" for value, n in made.values)
            rows = self.shapes[parts[0].whole][:-1]
            width = sum(n for _, n in made.values)
            self.shapes[made.variable] = (*rows, width)
            axes = text(shape_expression((*rows, width)))
            self.prepared.append(
                f"{made.variable} = np.broadcast_to(np.array({row}, {self.dtype}), {axes}).copy()"
            )

    def _assembled(self) -> str:
        sizes = ", ".join(n for n, _ in self.code.sizes)
        arguments = ", ".join([*self.code.inputs, *self.code.leaves])
        gradients = ", ".join(self._gradient(g) for g in self.code.gradients)
        comma = "," if len(self.code.gradients) == 1 else ""
        transposed = [
            f"{new} = np.ascontiguousarray({old}.T)" for old, new in self.transposed.items()
        ]
        body = [
            *transposed,
            *self._with_views(self.body),
            f"return {self.code.loss}, ({gradients}{comma})",
        ]
        inner = textwrap.indent("\n".join(body), "    ")
        made = [str(line) for line in self.code.made]
        prepared = [
            "dot, tanh, exp, copyto = np.dot, np.tanh, np.exp, np.copyto",
            "add, subtract, multiply = np.add, np.subtract, np.multiply",
            "true_divide, power, negative = np.true_divide, np.power, np.negative",
            *made,
            *self.prepared,
            "",
            f"def {self.code.name}({arguments}):",
            inner,
            "",
            f"return {self.code.name}",
        ]
        whole = f"def prepare({sizes}):\n{textwrap.indent(chr(10).join(prepared), '    ')}\n"
        for helper in reversed(self.code.helpers):
            if f"{helper.__name__}(" in whole:
                whole = f"{helper_source(helper)}\n\n{whole}"
        return f"import numpy as np\n\n\n{whole}"

    def _gradient(self, gradient: Expr) -> str:
        return text(self._fixed(gradient))

    # --- all steps at once ------------------------------------------------------------------------

    def _ahead(self, item: Split) -> None:
        """What is computed ahead of a loop, block by block."""
        if not item.before:
            return
        body, self.body = self.body, []
        for line in item.before:
            self._bulk(line, item.loop)
        shape = shape_of(item.before[-1].target, self._shape) or ()
        elements = text(product([length(n) for n in shape])) if shape else "1"
        prepared, lines = in_blocks(self.body, elements, self.stands_in, self.once, self._fresh)
        self.prepared += prepared
        self.body = [*body, *lines]

    def _bulk(self, line: Line, loop: Loop) -> None:
        """A line for all steps at once."""
        first, last = ascending(loop)
        if line.add:
            self._sum(line, first, last)
            return
        owner = line_owner(line)
        value = over_all_steps(line.value, first, last, self._rows, self._lined_up(line, last))
        if owner not in self.once:
            self.body.append(f"{owner} = {text(value)}")
            return
        out = over_all_steps(line.target, first, last, self._rows)
        shape = shape_of(line.target, self._shape)
        assert shape is not None
        self._into(value, text(out), (plus(last, 1), *shape), self._bulk_shape, bulk=True)

    def _lined_up(self, line: Line, last: Expr) -> Callable[[str, Expr], Expr]:
        """Axes for what has fewer of them at a step than the line's target, such as a number."""
        target = shape_of(line.target, self._shape) or ()

        def change(variable: str, rows: Expr) -> Expr:
            shape = self.shapes.get(variable)
            if shape is None:
                return rows
            at_a_step = shape if variable in self.timed else shape[1:]
            missing = len(target) - len(at_a_step)
            if missing <= 0 or not isinstance(rows, ast.Subscript):
                return rows
            steps = rows.slice
            assert isinstance(steps, ast.Slice) and steps.upper is not None
            start = steps.lower.value if isinstance(steps.lower, ast.Constant) else None
            if not isinstance(start, int):
                return rows
            axes = [
                plus(steps.upper, -start),
                *[ast.Constant(1)] * missing,
                *map(length, at_a_step),
            ]
            return ast.Call(ast.Attribute(rows, "reshape", ast.Load()), axes, [])

        return change

    def _sum(self, line: Line, first: Expr, last: Expr) -> None:
        found = sum_of(line, self.timed)
        assert found is not None
        kind, a, b = found
        target = text(line.target)
        left = self._flat(over_all_steps(a, first, last, self._rows))
        rows = over_all_steps(b, first, last, self._rows)
        right = self._flat(rows)
        if kind == "product" and len(self._shape_of(b) or (1, 1)) == 1:  # a number for each row
            right = f"{text(rows)}.reshape(-1)"
        if kind == "product":
            made = f"{left}.T @ {right}"
        else:
            made = f"{left}.sum(axis=0)"
            match first, self._shape_of(a):
                case ast.Constant(int(n)), (*ahead, _) if self._is_float(a):
                    made = self._row_sum(left, (plus(last, 1 - n), *ahead))
        zero = f"{target} = np.zeros_like({target[1:]})"
        if zero in self.body and target not in self.added:
            self.body.remove(zero)
            self.body.append(f"{target} = {made}")
        else:
            self.body.append(f"{target} += {made}")

    def _flat(self, expression: Expr) -> str:
        match expression:
            case ast.Subscript(ast.Name(n)):
                shape = self.shapes.get(n)
                if shape is not None:
                    return f"{text(expression)}.reshape(-1, {text(length(shape[-1]))})"
        return f"{text(expression)}.reshape(-1, {text(expression)}.shape[-1])"

    # --- loops ------------------------------------------------------------------------------------

    def _loop(self, loop: Loop) -> None:
        if not loop.lines:
            return
        first, last = ascending(loop)
        views: dict[str, str] = {}
        self.views = views
        given: dict[str, str] = {}
        lines: list[str] = []

        def local(expression: A) -> A:
            """Names of views in the place of variables at steps."""

            def change(node: Expr) -> Expr | None:
                match node:
                    case ast.Subscript(
                        ast.Subscript(ast.Name(n), index),
                        ast.Tuple(
                            [
                                ast.Slice(None, None, None),
                                ast.Slice(ast.Constant(int(a)), ast.Constant(int(b))),
                            ]
                        ),
                    ) if n in self.once - self.local and time_shift(index) is not None:
                        return self._part(local(node.value), a, b)
                    case ast.Subscript(
                        inner, ast.Tuple([ast.Slice(None, None, None), ast.Slice(_, stop)])
                    ) if isinstance(stop, ast.Constant):
                        whole = local(inner)
                        shape = shape_of(whole, self._shape)
                        if shape and shape[-1] == stop.value and _begins(node):
                            return whole
                    case ast.Subscript(ast.Name(n), index) if (k := time_shift(index)) is not None:
                        if n in self.local:
                            return name(n)
                        made = f"{n}_t" if not k else f"{n}_{'after' if k > 0 else 'before'}"
                        made = made if abs(k) < 2 else f"{made}_{abs(k)}"
                        rows = self._rows(n, at_step(index, first), at_step(index, last))
                        backwards = "[::-1]" if loop.down else ""
                        to = views if n in self.once else given
                        to[made] = f"{text(rows)}{backwards}"
                        if n not in self.code.inputs and n in self.shapes:
                            shape = self.shapes[n]
                            self.shapes[made] = shape if n in self.timed else shape[1:]
                        return name(made)
                return None

            return replaced(expression, change)

        keep = self.body
        self.body = lines
        uses_t = False
        for line in loop.lines:
            if line.statement is not None or line.only is not None or line.add:
                self.added.add(line_owner(line))
                target = local(line.target)
                statement = None if line.statement is None else local(line.statement)
                only = None if line.only is None else local(line.only)
                written = Line(target, local(line.value), line.add, only, statement)
                lines.append(str(written))
                uses_t = uses_t or "t" in {
                    n.id for n in ast.walk(ast.parse(str(written))) if isinstance(n, ast.Name)
                }
                continue
            owner = line_owner(line)
            target = local(line.target)
            out = text(target)
            value = local(line.value)
            shape = self.shapes.get(owner.removesuffix("_next"))
            if _is_part(line.target):
                shape = self._shape_of(line.target)
            if shape is None or (owner not in self.once and not owner.endswith("_next")):
                lines.append(
                    f"{out}[...] = {text(value)}"
                    if owner in self.once
                    else f"{out} = {text(value)}"
                )
                continue
            self._into(value, out, shape, self._shape)
            uses_t = uses_t or any(isinstance(n, ast.Name) and n.id == "t" for n in ast.walk(value))
        self.body = keep
        number = next(self.numbers)
        names = [", ".join(views)] if views else []
        if views:
            self.prepared.append(f"steps_{number} = list(zip({', '.join(views.values())}))")
        sources = [f"steps_{number}"] if views else []
        targets = [f"({names[0]},)"] if views else []
        for made, rows in given.items():
            targets.append(made)
            sources.append(rows)
        if uses_t:
            targets.append("t")
            end = f"range({text(loop.first)}, {text(plus(loop.last, -1))}, -1)"
            sources.append(
                end if loop.down else f"range({text(loop.first)}, {text(plus(loop.last, 1))})"
            )
        head = (
            f"for {targets[0]} in {sources[0]}:"
            if len(targets) == 1
            else f"for {', '.join(targets)} in zip({', '.join(sources)}):"
        )
        self.body.append("\n".join([head, textwrap.indent("\n".join(lines), "    ")]))


def _is_part(target: Expr) -> bool:
    return isinstance(target, ast.Subscript) and isinstance(target.value, ast.Subscript)


def _begins(node: Expr) -> bool:
    """Whether a part begins at 0."""
    match node:
        case ast.Subscript(_, ast.Tuple([_, ast.Slice(ast.Constant(0), _)])):
            return True
    return False


def _read_elsewhere(items: Sequence[Item], everything: Sequence[Item], timed: set[str]) -> set[str]:
    """What is read outside of the items."""
    mine = {id(item) for item in items}
    return {
        n
        for item in everything
        if id(item) not in mine
        for line in lines_of([item])
        for expression in line.expressions()
        for n, _ in reads(expression, timed)
    }
