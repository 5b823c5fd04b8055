"""A program as one function that numba compiles.

    compiled(T, B, X, y, W, ..., buffers)     loops over steps and elements, products by np.dot
    prepare(T, B)                             makes the buffers, returns what calls it with them

The equations are those of every other form. They are read as elements, so that what stands between
two products of matrices becomes one loop over elements; `leaving` takes products out of the loops
over the steps.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import textwrap
from collections.abc import Sequence

import numpy as np

from microgrrepresent.errors import GraphError
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import (
    Expr,
    at,
    plus,
    replaced,
    text,
)
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of
from microgrrepresent.programs.native.elements import Elements, Kind, Shape, Unknown
from microgrrepresent.programs.native.functions import FORMATS, functions_source
from microgrrepresent.programs.native.in_parts import read_in_parts
from microgrrepresent.programs.native.leaving import products_left
from microgrrepresent.programs.native.nest_text import written
from microgrrepresent.programs.native.nests import Assign, Call, Nest, Turns, joined, with_numbers
from microgrrepresent.programs.native.places import Places
from microgrrepresent.programs.native.reading import Reader
from microgrrepresent.programs.native.sharing import shared
from microgrrepresent.programs.printing import helper_source
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.shared_calls import with_shared_calls
from microgrrepresent.programs.sizes import shape_expression

FASTMATH = '{"contract", "arcp", "nsz", "reassoc"}'
"""What the compiler may do with numbers: not assume that none is infinite or NaN."""

TEXT = '''
@numba.njit
def {place}(i, n):
    """A place in an axis of n, counted from the end if it is negative."""
    if not -n <= i < n:
        raise IndexError("an index is out of range")
    return i if i >= 0 else i + n


def {given}(x):
    """An array as the compiled function takes it: of one type, in rows, not to be written to."""
    if x.dtype != {real} and x.dtype.kind == "f":
        x = x.astype({real})
    if not x.flags.c_contiguous:
        x = x.copy()
    if x.flags.writeable:
        x = x.view()
        x.flags.writeable = False
    return x
'''


def native_source(code: Code) -> str:
    """The text of a compiled program: a function `prepare` of the lengths.

    Raises
    ------
    GraphError
        If the numbers are neither float32 nor float64.
    """
    if np.dtype(code.dtype).name not in FORMATS:
        raise GraphError(
            f"program: backend='numba' computes in float32 or float64, got {code.dtype}; "
            "use backend='numpy'"
        )
    return _Writer(code).source()


def require_numba() -> None:
    """Refuse to go on without numba, or without SciPy, from which numba takes its products.

    Raises
    ------
    ImportError
        With the name of the extra that installs them.
    """
    for module in ("numba", "scipy"):
        if importlib.util.find_spec(module) is None:
            raise ImportError(
                f"program: backend='numba' needs {module}, which is not installed: "
                "pip install 'microgrrepresent[native]'; backend='numpy' needs nothing more"
            )


class _Writer(Places):
    """Write the function statement by statement."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.reader = Reader(self, code.helpers)

    # --- the whole --------------------------------------------------------------------------------

    def source(self) -> str:
        """All of it."""
        code = self.code
        self._learn_made()
        lines = with_shared_calls(
            [*code.forward, *code.backward], self.timed, lambda stem: self.fresh(stem)
        )
        self._shapes_of_shared(lines)
        items = products_left(lines, self.timed, self.shapes, self._shape_of, self.fresh)
        self._choose_storage(items)
        self.writes = [line_owner(line) for line in lines_of(items)]
        out = self.reader.out
        for variable, values in code.given.items():
            for step, letter in values:
                if letter not in self.made:
                    place = self.at_step(variable, step)
                    assert place is not None
                    self.reader.store(self._value(letter), place)
        for item in items:
            if isinstance(item, Loop):
                self._loop(item, items)
            else:
                self._line(item, None)
        kept = {n for e in code.gradients for n, _ in reads(e, self.timed)}
        kept |= {*self.given, *code.given, *self.made, code.loss}
        statements, gone = with_numbers(joined(out, self.axes), kept, self.fresh)
        body = written(statements, self.axes, self.fresh)
        buffers = {n: made for n, made in self.buffers.items() if n not in gone}
        return self._assembled(body, buffers, shared(statements, buffers, kept))

    def _shapes_of_shared(self, items: Sequence[Item]) -> None:
        for line in lines_of(list(items)):
            owner = line_owner(line)
            if owner in self.timed and owner not in self.shapes:
                shape = self._shape_of(line.value)
                assert shape is not None
                self.shapes[owner] = shape

    def _shape_of(self, e: Expr) -> Shape | None:
        """The shape of an expression; what would compute it is not put down."""
        local, self.local = self.local, set(self.timed)
        buffers = dict(self.buffers)
        try:
            return Reader(self, self.code.helpers).read(e).shape
        except Unknown:
            return None
        finally:
            self.local, self.buffers = local, buffers

    # --- lines ------------------------------------------------------------------------------------

    def _loop(self, loop: Loop, items: Sequence[Item]) -> None:
        outer = self.reader.out
        turns = Turns(loop.header)
        self.reader.out = turns.body
        lazy = read_in_parts(loop, self.local, self.timed)
        self.reader.forget(set(self.taken))
        for line in loop.lines:
            self._line(line, lazy)
        self.reader.forget(set(self.taken))
        self.reader.out = outer
        outer.append(turns)

    def _line(self, line: Line, lazy: set[str] | None) -> None:
        outer = self.reader.out
        if line.only is not None:
            turns = Turns(f"if {text(line.only)}:")
            self.reader.out = turns.body
        before, known = len(self.reader.out), dict(self.reader.known)
        try:
            if line.statement is not None:
                self._statement(line.statement)
            else:
                self._assignment(line, lazy)
        except Unknown:
            self.reader.into = None
            del self.reader.out[before:]
            self.reader.known = known
            self._interpreted(line)
        self.reader.forget({line_owner(line)})
        if line.only is not None:
            self.reader.forget(set(self.taken))
            outer.append(turns)
            self.reader.out = outer

    def _place_of(self, target: Expr) -> Elements | None:
        """Where a line puts its value; None for what is met first, and has no shape yet."""
        match target:
            case ast.Subscript(ast.Name(n), index) if n in self.timed:
                return self.at_step(n, index)
            case ast.Name(n):
                return self.variable(n)
        return None

    def _target(self, target: Expr, shape: Shape | None = None) -> Elements:
        """The same, with an array for it."""
        found = self._place_of(target)
        if isinstance(target, ast.Name):
            n = target.id
            if found is None and shape is not None:
                self.shapes[n] = shape
                found = self.variable(n)
            if found is not None and found.shape and n not in self.buffers:
                if self._is_gradient(n):
                    self.own[n] = found.shape
                else:
                    self.buffers[n] = found.shape, found.kind
        if found is None:
            raise Unknown(text(target))
        return found

    def _is_gradient(self, variable: str) -> bool:
        return any(isinstance(g, ast.Name) and g.id == variable for g in self.code.gradients)

    def _assignment(self, line: Line, lazy: set[str] | None) -> None:
        owner = line_owner(line)
        if lazy and owner in lazy:
            self.lazy[owner] = self.reader.read(line.value)
            return
        match line.value:
            case ast.Call(ast.Attribute(ast.Name() as whole, "copy"), [], []) if self._is_gradient(
                owner
            ):
                line = Line(line.target, whole)  # it is copied where it is returned
        reader = self.reader
        if not line.add and owner not in {n for n, _ in reads(line.value, self.timed)}:
            into = self._place_of(line.target)
            reader.into = into if into is not None and into.whole is not None else None
        if not line.add and isinstance(line.target, ast.Subscript):
            parts = reader.parts_of(line.value)
            if parts is not None:
                reader.into = None
                reader.beside(*parts, self._target(line.target))
                return
        value = reader.read(line.value)
        reader.into = None
        if self._is_view(line, value):
            self._view(owner, value)
            return
        into = self._target(line.target, value.shape)
        if value.whole is None or into.whole is None or text(value.whole) != text(into.whole):
            reader.store(value, into, line.add)

    def _is_view(self, line: Line, value: Elements) -> bool:
        """Whether a line only gives another name to what is there."""
        owner = line_owner(line)
        once = isinstance(line.target, ast.Name) and self.writes.count(owner) == 1
        if value.whole is not None and owner in {
            n.id for n in ast.walk(value.whole) if isinstance(n, ast.Name)
        }:
            return False
        there = value.whole is not None and not isinstance(value.whole, ast.Attribute)
        return once and there and not line.add and value.kind != "number"

    def _view(self, owner: str, value: Elements) -> None:
        assert value.whole is not None
        self.shapes[owner] = value.shape
        self.kinds[owner] = value.kind
        source = {n.id for n in ast.walk(value.whole) if isinstance(n, ast.Name)}
        line = f"{owner} = {text(value.whole)}"
        self.reader.out.append(Call(line, frozenset(source), frozenset({owner})))

    def _statement(self, statement: ast.stmt) -> None:
        reader = self.reader
        match statement:
            case ast.AugAssign(target, ast.Add(), value):
                into = reader.read(target)
                reader.store(reader.read(value), into, add=True)
                return
            case ast.Expr(ast.Call(function, [into, index, value], [])) if (
                text(function) == "np.add.at"
            ):
                table, at, x = reader.read(into), reader.read(index), reader.read(value)
                n = len(at.shape)
                shape = (*at.shape, *table.shape[1:])
                i = reader.index(len(shape))
                place = reader.checked(at.at(i[:n]), table.shape[0])
                element = table.at([place, *i[n:]])
                reader.out.append(Nest(shape, [Assign(element, x.aligned(i), True, True)]))
                return
        raise Unknown(ast.unparse(statement))

    # --- what is left to NumPy --------------------------------------------------------------------

    def _interpreted(self, line: Line) -> None:
        """A line that Python runs."""
        self.interpreted = True
        target = None if line.statement is not None else self._target(line.target)

        def change(node: Expr) -> Expr | None:
            match node:
                case ast.Call(stack, [ast.ListComp() as steps], []) if text(stack) == "np.stack":
                    return self.reader.materialized(self.reader.stacked(steps)).whole
                case ast.Subscript(ast.Name(n), index) if n in self.timed:
                    found = self.at_step(n, index)
                    assert found is not None
                    if found.whole is None:
                        return (
                            self.reader.materialized(found).whole if found.shape else found.at(())
                        )
                    return found.whole
                case ast.Name(n) if (found := self.variable(n)) is not None and not found.shape:
                    return found.at(())
            return None

        if line.statement is not None:
            body = ast.unparse(replaced(line.statement, change))
            arrow = ""
        else:
            assert target is not None
            value = text(replaced(line.value, change))
            sign = "+=" if line.add else "="
            if target.shape:
                assert target.whole is not None
                body, arrow = f"{text(target.whole)}[...] {sign} {value}", ""
            else:
                into = text(target.at(()))
                real = "float32" if self.real == "np.float32" else "float64"
                body = f"{into} = {self.real}({into + ' + ' if line.add else ''}{value})"
                arrow = f"{into}='{real}'"
        names = frozenset(n.id for n in ast.walk(ast.parse(body)) if isinstance(n, ast.Name))
        code = f"with numba.objmode({arrow}):\n    {body}"
        self.reader.out.append(Call(code, names, frozenset({line_owner(line)})))

    # --- as text ----------------------------------------------------------------------------------

    def _assembled(
        self, body: str, buffers: dict[str, tuple[Shape, Kind]], others: dict[str, str]
    ) -> str:
        code, functions = self.code, self.functions
        words = set(re.findall(r"\w+", body))
        buffers = {n: made for n, made in buffers.items() if n in words}
        made = [str(line) for line in code.made if not isinstance(line.value, ast.Name)]
        names = {
            n: line.value.id
            for n, line in ((line_owner(m), m) for m in code.made)
            if isinstance(line.value, ast.Name)
        }
        for n, (shape, kind) in sorted(buffers.items(), key=lambda made: made[0] in others):
            dtype = {"real": self.real, "integer": "np.int64", "truth": "np.bool_"}[kind]
            axes = text(shape_expression(shape))
            made.append(f"{n} = {others.get(n, f'np.empty({axes}, {dtype})')}")
        for variable, values in code.given.items():
            for step, letter in values:
                if letter in self.made and letter not in names and variable in buffers:
                    where = text(at(variable, plus(step, -self.first[variable])))
                    made.append(f"{where} = {letter}")
        own = [
            f"{n} = np.empty({text(shape_expression(shape))}, {self.real})"
            for n, shape in self.own.items()
        ]
        own += [f"{n} = {source}" for n, source in names.items()]
        own += [f"{new} = np.ascontiguousarray({n}.T)" for n, new in self.transposed.items()]
        results = ", ".join(self._result(g) for g in code.gradients)
        comma = "," if len(code.gradients) == 1 else ""
        sizes = [n for n, _ in code.sizes]
        given = [*code.inputs, *code.leaves]
        held = [*(n for n in self.made if n not in names), *buffers]
        whole = "\n".join([*own, body, f"return {code.loss}, ({results}{comma})"])
        call = ", ".join([*sizes, *(f"{functions['given']}({n})" for n in given), *held])
        inner = [
            f"def {code.name}({', '.join(given)}):",
            f"    return {functions['compiled']}({call})",
            "",
            f"return {code.name}",
        ]
        parts = [
            "import numba\nimport numpy as np",
            functions_source(
                np.dtype(code.dtype), *(functions[n] for n in ("np.exp", "np.tanh", "parts"))
            ),
            TEXT.format(place=functions["place"], given=functions["given"], real=self.real).strip(),
            *(map(helper_source, code.helpers) if self.interpreted else ()),
            f'@numba.njit(fastmath={FASTMATH}, error_model="numpy")\n'
            f"def {functions['compiled']}({', '.join([*sizes, *given, *held])}):\n"
            f"{textwrap.indent(whole, '    ')}",
            f"def prepare({', '.join(sizes)}):\n"
            f"{textwrap.indent(chr(10).join([*made, '', *inner]), '    ')}\n",
        ]
        return "\n\n\n".join(parts)

    def _result(self, gradient: Expr) -> str:
        match gradient:
            case ast.Name(n):
                return n if n in self.own or not self.shapes[n] else f"{n}.copy()"
            case ast.Subscript(ast.Name(n), step):
                found = self.at_step(n, step)
                assert found is not None
                return f"{text(found.at(()))}.copy()" if found.shape else text(found.at(()))
        return text(gradient)
