"""From two recordings to code: names of variables, what is given, and two sections of lines."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import Any

import numpy as np

from microgrrepresent.equations.derivation import Derivation, derive
from microgrrepresent.equations.terms import Adjoint, Equation, Value
from microgrrepresent.errors import GraphError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Array, Node
from microgrrepresent.programs.aliases import without_aliases
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.definitions import Definitions
from microgrrepresent.programs.expressions import Expr, call, is_zero, literal, name, parsed, plus
from microgrrepresent.programs.identifiers import Names
from microgrrepresent.programs.lines import Item, Line
from microgrrepresent.programs.lowering import Lowering
from microgrrepresent.programs.recording import TwoRecordings
from microgrrepresent.programs.schedule import Schedule
from microgrrepresent.programs.sizes import Sizes, length, shape_expression, where_lengths
from microgrrepresent.recurrence import recurrence


def built(recordings: TwoRecordings, wrt: Sequence[Node]) -> Code:
    """The code of the loss and its gradients."""
    _refuse_without_steps(recordings)
    for recording in (recordings.first, recordings.second):
        recurrence(recording.loss).refuse_breaks()  # or it says which node breaks the pattern
    a, b = (derive(r.loss, wrt, code=True) for r in (recordings.first, recordings.second))
    names = names_of(a, recordings)
    sizes = Sizes(recordings.sizes)
    lowering = Lowering(sizes, names, recordings.first.loss.dtype)
    leaves = _Leaves(recordings, a, b, names, lowering)
    definitions = Definitions(lowering, names)
    sections: list[list[Item]] = []
    done = []
    for x, y in ((a.forward, b.forward), (a.backward, b.backward)):
        if len(x) != len(y):
            raise _different(x, y)
        done.append(list(definitions.of(list(zip(x, y, strict=True)))))
    for part in done:
        schedule = Schedule(lowering.timed)
        for made in part:
            schedule.add(made)
        sections.append(schedule.items())
    kept = set(leaves.initial)
    sections = without_aliases(sections, lowering.timed, kept)
    gradients = [
        _adjoint(value, other, names, lowering)
        for value, other in zip(a.targets, b.targets, strict=True)
    ]
    loss = _loss(a.loss, b.loss, names, lowering, sections[0])
    where = {n: f"{i}.shape[{axis}]" for n, (i, axis) in recordings.axes.items()}
    return Code(
        "loss_and_gradients",
        {
            n: (lowering.shape(node.shape, recordings.second.inputs[n].shape, n), node.dtype)
            for n, node in recordings.first.inputs.items()
        },
        leaves.bound,
        tuple(where.items()),
        tuple(leaves.made),
        tuple(sections[0]),
        tuple(sections[1]),
        loss,
        tuple(gradients),
        tuple(lowering.helpers.values()),
        leaves.initial,
        frozenset(lowering.timed),
        lowering.shapes,
        recordings.first.loss.dtype,
        _other_types(a, names, recordings.first.loss.dtype),
    )


def _refuse_without_steps(recordings: TwoRecordings) -> None:
    """Refuse a loop that does not say at which step a node was made."""
    graphs = [Graph(r.loss) for r in (recordings.first, recordings.second)]
    if len(graphs[0]) == len(graphs[1]) or any(n.step is not None for n in graphs[0]):
        return
    a, b = (
        where_lengths({size.name: getattr(size, which) for size in recordings.sizes})
        for which in ("first", "second")
    )
    raise GraphError(
        f"program: the graph has {len(graphs[0])} nodes {a}, and {len(graphs[1])} {b}, and none of "
        "them says at which step it was made; let the loop be `for t, x in steps(X):`, which reads "
        "X step by step, or stand in `with step(t):`"
    )


def _other_types(a: Derivation, names: Names, usual: np.dtype[Any]) -> dict[str, np.dtype[Any]]:
    """Variables of another data type than the loss, whatever type their initial value has."""
    computed = {value.variable for value in a.nodes if value not in a.given}
    return {
        names(value.variable): node.dtype
        for value, node in a.nodes.items()
        if node.dtype != usual and (value not in a.given or value.variable not in computed)
    }


def _different(first: Sequence[Equation], second: Sequence[Equation]) -> GraphError:
    """Which variable has more equations when there are more steps, and at which steps."""
    counts = [Counter(map(_left, equations)) for equations in (first, second)]
    label = next(n for n in {**counts[0], **counts[1]} if counts[0][n] != counts[1][n])
    return GraphError(
        f"program: {label} has an equation of its own at each step, not one for all, as where each "
        "step reads the initial state besides the state before; let the loop begin with a state of "
        "its own, such as zeros"
    )


def _left(equation: Equation) -> str:
    """What an equation defines, as it would be printed."""
    variable = equation.left.variable
    mark = f"_{variable.mark}" if variable.mark else ""
    return f"{'d' if isinstance(equation.left, Adjoint) else ''}{variable.name}{mark}"


def _adjoint(a: Value, b: Value, names: Names, lowering: Lowering) -> Expr:
    return lowering.place(f"d{names(a.variable)}", a.when, b.when)


def _loss(a: Value, b: Value, names: Names, lowering: Lowering, forward: list[Item]) -> str:
    """The name of the loss; one of its own, if it is a variable at its last step."""
    if a.when is None:
        return names(a.variable)
    value = lowering.place(names(a.variable), a.when, b.when)
    lowering.shapes["loss"] = ()
    forward.append(Line(name("loss"), value))
    return "loss"


def names_of(derivation: Derivation, recordings: TwoRecordings) -> Names:
    """The identifiers of a program's variables."""
    letters = {node: letter for letter, node in recordings.first.inputs.items()}
    known = {
        value.variable: letters[node]
        for value, node in derivation.nodes.items()
        if node in letters and value.when is None
    }
    own = ["loss"] if derivation.loss.when is not None else []
    sizes = [size.name for size in recordings.sizes]
    return Names(derivation.variables, [*own, *sizes, *recordings.first.inputs], known)


class _Leaves:
    """What the equations take for given: inputs, parameters, and what the function made."""

    def __init__(
        self,
        recordings: TwoRecordings,
        a: Derivation,
        b: Derivation,
        names: Names,
        lowering: Lowering,
    ) -> None:
        self.bound: dict[str, Node] = {}
        self.made: list[Line] = []
        self.initial: dict[str, list[tuple[Expr, str]]] = {}
        first = recordings.first
        of_input = {node: n for n, node in first.inputs.items()}
        lowering.numbers.update(_numbers(a, b, names, recordings))
        _refuse_one_a_step(a, b, names, lowering.numbers)
        for value, like in _paired(a, b, names):
            if names(value.variable) in lowering.numbers:
                continue
            node, other = a.nodes[value], b.nodes[like]
            variable = letter = names(value.variable)
            if value.when is not None:
                lowering.timed.add(variable)
                assert isinstance(value.when, int) and isinstance(like.when, int)
                step = length(lowering.size(value.when, like.when, f"a step of {variable}"))
                when = str(value.when).replace("-", "m") if value.when == like.when else "end"
                letter = of_input.get(node, f"{variable}_{when}")
                self.initial.setdefault(variable, []).append((step, letter))
            if node in of_input:
                if of_input[node] != letter:
                    self.made.append(Line(name(letter), name(of_input[node])))
            elif node.id < first.began:
                self.bound[letter] = node
            else:
                self._made(letter, node, other, lowering)

    def _made(self, letter: str, node: Node, other: Node, lowering: Lowering) -> None:
        counted = _counting(letter, node, other, lowering)
        if counted is not None:
            self.made.append(counted)
            return
        if not _constant(node.value) or not _constant(other.value):
            if np.array_equal(node.value, other.value):
                raise GraphError(
                    f"program: {letter} {node.shape} is an array of numbers that the function "
                    "makes a variable of whenever it runs; make one of it before, outside of the "
                    "function, as in A = Tensor(A, name='A'), so that the program has a name for "
                    "it and reads its values; or give it as an input"
                )
            raise GraphError(
                f"program: {letter} {node.shape} is made anew whenever the function runs, from "
                "values that the graph does not know, such as a mask or a sample; give it as an "
                "input"
            )
        shape = shape_expression(lowering.shape(node.shape, other.shape, letter))
        dtype = parsed_dtype(node.dtype)
        a, b = (x.flat[0].item() if x.size else 0 for x in (node.value, other.value))
        value = lowering.number(a, b, f"the value of {letter}", node.dtype)
        if is_zero(value):
            made = call("np.zeros", shape, *dtype)
        else:
            of_sizes = [] if isinstance(value, ast.Constant) else [parsed("np.float64")]
            made = call("np.full", shape, value, *(dtype or of_sizes))
        self.made.append(Line(name(letter), made))


def _numbers(
    a: Derivation, b: Derivation, names: Names, recordings: TwoRecordings
) -> dict[str, Expr]:
    """What the function makes anew at each step, but always of one and the same number.

    So are numbers of NumPy, which are leaves, as they may be data.
    """
    values: dict[str, set[Any]] = {}
    for one, recording in ((a, recordings.first), (b, recordings.second)):
        for value in one.nodes:  # of a state, all but the first are results
            node, loss = one.nodes[value], recording.loss
            made = value in one.given and value.when is not None and node.id > recording.began
            fits = made and (node.shape, node.dtype) == ((), loss.dtype)
            found = values.setdefault(names(value.variable), set())
            found.add(node.value.item() if fits else None)
    return {
        letter: literal(number)
        for letter, (number, *others) in values.items()
        if number is not None and not others
    }


def _refuse_one_a_step(a: Derivation, b: Derivation, names: Names, numbers: Container[str]) -> None:
    """Refuse leaves that the function makes anew at each step, unless they are numbers."""
    counts = [Counter(names(value.variable) for value in one.given) for one in (a, b)]
    for value, node in a.nodes.items():
        letter = names(value.variable)
        if value not in a.given or value.when is None or letter in numbers:
            continue
        if counts[0][letter] < counts[1][letter]:
            raise GraphError(
                f"program: {letter} {node.shape} is made anew at each step, as is every array that "
                "an operation is given; make one Tensor of it before the loop, or, if the steps "
                "differ, give all of them as an input, of which each step reads its row"
            )


def _paired(a: Derivation, b: Derivation, names: Names) -> Iterator[tuple[Value, Value]]:
    """What both recordings take for given, of a kind: initial values at the end of time, too."""
    found: dict[str, list[Value]] = {}
    for value in b.given:
        found.setdefault(names(value.variable), []).append(value)
    for value in a.given:
        others = found.get(names(value.variable), [])
        if not others:
            raise GraphError(
                f"program: {names(value.variable)} at step {value.when} is given in one recording "
                "only"
            )
        yield value, others.pop(0)


def parsed_dtype(dtype: np.dtype[Any]) -> list[Expr]:
    """A data type as an argument; float64 needs none."""
    return [] if dtype == np.float64 else [ast.parse(f"np.{dtype.name}", mode="eval").body]


def _counting(letter: str, node: Node, other: Node, lowering: Lowering) -> Line | None:
    """A leaf that counts along its one axis that is longer than 1: ``np.arange(T)``."""
    for x in (node.value, other.value):
        flat = x.reshape(-1)
        if x.dtype.kind != "i" or x.size < 2 or x.size not in x.shape:
            return None
        if (flat != np.arange(flat[0], flat[0] + x.size)).any():
            return None
    if node.value.flat[0] != other.value.flat[0] or node.ndim != other.ndim:
        return None
    first = int(node.value.flat[0])
    n = lowering.size(node.size, other.size, letter)
    counted = call("np.arange", *([literal(first)] if first else []), plus(length(n), first))
    if node.ndim > 1:
        shape = shape_expression(lowering.shape(node.shape, other.shape, letter))
        counted = ast.Call(ast.Attribute(counted, "reshape", ast.Load()), [shape], [])
    return Line(name(letter), counted)


def _constant(value: Array) -> bool:
    return value.size == 0 or bool((value == value.flat[0]).all())
