r"""The equations of one step of a recurrence, read off the graph that one step has recorded.

    with step(1):
        new = cell(x, h)
    print(step_equations(new, "nndl"))

Nothing here knows a cell: what is named in the graph has an equation, and a course's letters are
those of `notations`. Below the equations stands what the letters of the parameters are in the
program.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from microgrrepresent.equations.formula_writing import ATOM, Written
from microgrrepresent.equations.formulas import formula
from microgrrepresent.equations.forward import Forward
from microgrrepresent.equations.habits import Line, mapped, operands, values_in, with_habits
from microgrrepresent.equations.notations import Notation, NotationName, notation_named
from microgrrepresent.equations.reading import shape_of
from microgrrepresent.equations.scripts import LaTeX, Plain, Script
from microgrrepresent.equations.terms import Adjoint, Apply, Shift, Term, Value, Variable
from microgrrepresent.equations.variables import find_variables
from microgrrepresent.equations.writing import Writer
from microgrrepresent.errors import GraphError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.prompt import Printed


class Equations(Printed):
    """Equations as a text; a notebook shows them as formulas."""

    _formulas: str

    def markdown(self) -> str:
        """Markdown with LaTeX."""
        return self._formulas

    def _repr_markdown_(self) -> str:
        return self._formulas.encode(errors="replace").decode()  # half characters


def step_equations(
    outputs: Node | Sequence[Node],
    notation: NotationName = "pytorch",
    names: Mapping[Node, str] | None = None,
) -> Equations:
    """Write the equations of one step, and what their letters stand for.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
        What the step has made, such as a new state; all were recorded inside of one ``step(t)``.
        What it read of other steps was made inside of those: ``step(t - 1)``.
    notation : {"pytorch", "nndl", "ng", "nankai", "task05", "d2l"}
        In whose letters; see `microgrrepresent.equations.notations`.
    names : mapping from Tensor to str, optional
        What the program calls each parameter; its own name, if not given.

    Returns
    -------
    Equations
        A text; in a notebook, formulas.

    Raises
    ------
    GraphError
        If the outputs are not of one step.
    ValueError
        If there is no such notation.

    Examples
    --------
    >>> from microgrrepresent import Tensor, linear, sigmoid, step, tanh
    >>> from microgrrepresent.equations import step_equations
    >>> W, U = (Tensor([[0.5]], requires_grad=True, name=name) for name in ("W_ih", "W_hh"))
    >>> with step(0):
    ...     h = Tensor([0.0], name="h")
    >>> with step(1):
    ...     x = Tensor([1.0], name="x")
    ...     h = tanh(linear(x, W) + linear(h, U)).named("h")
    >>> print(step_equations(h, "nankai"))
    h_t = tanh(W h_{t-1} + U x_t)
    where
      W = W_hh
      U = W_ih
    """
    course = notation_named(notation, "equations")
    several = [outputs] if isinstance(outputs, Node) else list(outputs)
    return _Step(several, course, names or {}).written()


class _Step:
    """The lines of a step's equations, and what their letters stand for."""

    def __init__(
        self, outputs: Sequence[Node], course: Notation, names: Mapping[Node, str]
    ) -> None:
        times = {node.step for node in outputs}
        if len(times) != 1 or None in times:
            raise GraphError(
                "equations: the outputs must be of one step, recorded inside `with step(t)`, got "
                f"{', '.join(sorted(map(str, times)))}"
            )
        (now,) = times
        self.variables = find_variables(Graph(outputs), outputs, set(), False, course.unwritten)
        forward, lines = Forward(self.variables), []
        self.definitions: dict[Variable, Term] = {}
        self.programs: dict[Variable, str] = {}
        for series, variable in self.variables.named.items():
            node = series.example
            if node.op is None or series in self.variables.inputs:
                self.programs[variable] = names.get(node, node.name or variable.name)
            elif node.step is None:
                self.definitions[variable] = forward.definition(node, None)
            elif node.step == now:  # how the states before came about is told by the step before
                value = Value(variable, Shift(0))
                lines.append(Line(value, forward.definition(node, now)))
        known = {variable.name for variable in self.variables.named.values()}
        fitted = course.fitted(known)
        self.lines, self.joined = with_habits(lines, fitted)
        own = {variable.name: variable.name for variable in self.joined}  # they are called as is
        cell = course.cell if "W_ih" in course.stems(known) else {}
        self.course = replace(fitted, letters={**fitted.letters, **cell, **own})
        self.shown = course.letters.get("h", "h")

    def written(self) -> Equations:
        """The equations, as text and as formulas."""
        plain, latex = Plain(), LaTeX()
        made = Equations("\n".join(self._text(plain)))
        lines, legend = self._lines(latex), self._legend(latex)
        stands = "; ".join(f"${letter} = {meaning}$" for letter, meaning in legend)
        made._formulas = "\n\n".join(f"$${line}$$" for line in lines)
        if stands:
            made._formulas += f"\n\nwhere {stands}"
        return made

    def _text(self, script: Plain) -> list[str]:
        lines, legend = self._lines(script), self._legend(script)
        if legend:
            lines += ["where", *(f"  {letter} = {meaning}" for letter, meaning in legend)]
        return lines

    def _lines(self, script: Script) -> list[str]:
        writer = Writer(self.course, script)
        lines = [writer.assigned(line.left, line.right) for line in self.lines]
        if self.shown != self.course.letters.get("h", "h"):  # a GRU's state c is what it shows: a
            angle = self.course.time == "angle"
            states = [line.left for line in self.lines if line.left.variable.name == "h"]
            for state in states:
                shown = script.symbol(self.shown, state.variable.mark, "t", angle)
                lines.append(f"{shown} = {writer.term(state)}")
        return lines

    def _legend(self, script: Script) -> list[tuple[str, str]]:
        """The letters of what every step shares, and what they are in the program."""
        writer = Writer(self.course, script)
        program = _ProgramWriter(script, self.programs, {**self.definitions, **self.joined})
        shown: dict[str, str] = {}
        for line in self.lines:
            for value in values_in(line.right):
                if value.when is not None:
                    continue
                letter = writer.term(value)
                meaning = program.meaning(value, writer.is_transposed(value.variable))
                if letter != meaning:
                    shown.setdefault(letter, meaning)
        return list(shown.items())


class _ProgramWriter(Writer):
    """Writes what is made of parameters in the words of the program."""

    def __init__(
        self,
        script: Script,
        programs: Mapping[Variable, str],
        definitions: Mapping[Variable, Term],
    ) -> None:
        super().__init__(Notation(joined="W"), script)  # matrices side by side
        self.programs, self.definitions = programs, definitions

    def meaning(self, value: Value, transposed: bool) -> str:
        """What a letter stands for."""
        written = self.write(self._in_full(value), False)
        return self.transposed(written)[0] if transposed else written[0]

    def _in_full(self, term: Term) -> Term:
        """A term with all that is not named in the program written out."""
        if isinstance(term, Value) and term.variable in self.definitions:
            return self._in_full(self.definitions[term.variable])
        full = mapped(term, self._in_full)
        if isinstance(full, Apply) and full.op.index:
            pair = operands(full.inputs[0], ast.Add)
            if pair is not None and shape_of(pair[0]) == shape_of(pair[1]):  # a part of each
                a, b = (self._in_full(replace(full, inputs=(part,))) for part in pair)
                return formula("a + b", {"a": a, "b": b}, full.shape)
        return full

    def _letter(self, term: Value | Adjoint, flip: bool) -> Written:
        if term.variable not in self.programs:  # of other steps, such as what attention looks at
            return super()._letter(term, flip)
        written = self.script.code(self.programs[term.variable]), ATOM
        return self.transposed(written) if flip else written
