"""A program of two recordings, held against a third: what only happened to fit is refused.

Two recordings suggest what a number is: 2 and 3 may be T // 3 as well as B - 2. A third recording,
of other lengths and other values, decides. It is compared as a whole, by the loss and all
gradients; only to say which line is wrong, a program of the first and the third is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import Protocol, TypeVar

import numpy as np

from microgrrepresent.errors import GraphError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.programs.building import built
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.divergence import divergence
from microgrrepresent.programs.printing import sections
from microgrrepresent.programs.recording import Recording, Recordings, record
from microgrrepresent.programs.sizes import UnknownNumber, where_lengths
from microgrrepresent.recurrence import recurrence
from microgrrepresent.recurrence.signature import index_numbers, selects
from microgrrepresent.scopes import source_lines
from microgrrepresent.source import Line


class Runs(Protocol):
    """What can be held against a recording."""

    code: Code

    def difference(self, recording: Recording) -> str | None:
        """What is not equal to the ordinary run; None if all is."""


TIMES = 4
"""So often a function is run again, to see whether it does the same."""

R = TypeVar("R", bound=Runs)


def fitting(
    f: Callable[..., Node],
    recordings: Recordings,
    wrt: Sequence[Node],
    program_of: Callable[[Code], R],
) -> R:
    """The program of a function that was recorded three times.

    Raises
    ------
    GraphError
        If a number in it does not follow from the lengths, or anything else depends on more than
        these. The message names the line.
    """
    try:
        made = _fitting(recordings, wrt, program_of)
        _refuse_chance(f, recordings.made[0])
        return made
    except UnknownNumber as error:
        _refuse_chance(f, recordings.made[0])
        _refuse_left_out(recordings.made[0])
        line = _line_of(error.number, f, recordings.made[0])
        if line is None:
            raise
        said = f"{error}. It stands in {line.where}: `{line.operation}`"
        raise UnknownNumber(said, error.number) from None
    except GraphError as error:
        shared = _shared_start(recordings.made[0])
        if shared is None:
            raise
        raise GraphError(f"program: {shared}; give each of them one of its own") from error


def _fitting(recordings: Recordings, wrt: Sequence[Node], program_of: Callable[[Code], R]) -> R:
    made = program_of(built(recordings.pair(0, 1), wrt))
    third = recordings.made[2]
    wrong = made.difference(third)
    if wrong is None:
        return made
    where = divergence(made.code, recordings.pair(0, 1), wrt)
    if where is not None:
        raise GraphError(
            f"program: no program could be made of this graph: {wrong}; in the loop that would be "
            f"printed, {where}. The function is not to blame: grad(loss, wrt) is right"
        )
    first = None
    try:
        other = program_of(built(recordings.pair(0, 2), wrt))
    except UnknownNumber:
        raise
    except GraphError:  # the graph is another one
        pass
    else:
        first = _differing(made.code, other.code)
        if first is not None and all(other.difference(r) is None for r in recordings.made[1:]):
            return other  # what happened to fit the first two was in them
    ends = recordings.lengths.items()
    lengths = [where_lengths({n: found[k] for n, found in ends}) for k in (1, 2)]
    todo = "give what does not follow from the lengths of the inputs as an input"
    if first is not None:
        raise GraphError(
            f"program: it has the line `{first[0]}` {lengths[0]}, and `{first[1]}` {lengths[1]}, "
            f"so that no loop is right for all lengths; {todo}"
        )
    where = divergence(made.code, recordings.pair(2, 1), wrt) or wrong
    raise GraphError(
        f"program: {where}, when it is run on other values than it was made from, {lengths[1]}; "
        f"the function reads a value on its way, as float() and numpy() do; {todo}"
    )


def _refuse_chance(f: Callable[..., Node], recording: Recording) -> None:
    """Refuse a function that does not give the same each time, as far as a few runs show it."""
    loss = recording.loss.value
    others = (record(f, recording.inputs).loss.value for _ in range(TIMES))
    if not all(np.allclose(other, loss, rtol=1e-6, equal_nan=True) for other in others):
        raise GraphError(
            "program: the function gives another loss each time that it runs on the same inputs, "
            "so that it draws something at random, such as a mask; give that as an input"
        )


def _refuse_left_out(recording: Recording) -> None:
    """Refuse a loop of which the loss does not depend on each step."""
    found = sorted({node.step for node in Graph(recording.loss) if node.step is not None})
    if any(later - t > 1 for t, later in pairwise(found)):
        raise GraphError(
            f"program: the loss depends on what was made at the steps {found}, and not on those "
            "between, as where each step reads the state two steps before; let it read each step, "
            "or leave those out of the loop"
        )


def _shared_start(recording: Recording) -> str | None:
    """Which states begin with one and the same variable, where some do."""
    found = recurrence(recording.loss)
    states: dict[Node, dict[int, str]] = {}
    for read in (read for strand in found.strands for read in strand.reads):
        if read.source is not None and read.lag:
            name = next(iter(found.strands[read.source].nodes.values())).name
            for node in read.boundary.values():
                states.setdefault(node, {})[read.source] = name or "a state"
    for node, names in states.items():
        if len(names) > 1:
            start = node.name or "one variable"
            return f"{' and '.join(names.values())} begin with the same initial state, {start}"
    return None


def _line_of(number: float, f: Callable[..., Node], recording: Recording) -> Line | None:
    """The line of code that a number of a recording comes from; None if no line is known."""
    with source_lines():
        again = record(f, recording.inputs)
    nodes = [node for node in reversed(tuple(Graph(again.loss))) if node.line is not None]
    made = [node for node in nodes if not node.parents]
    cut = [node for node in nodes if node.step is None and selects(node)]
    for node, known in (*((n, n.value.flat[:1].tolist()) for n in made), *_numbered(cut)):
        if number in known or (number and 1 / number in known):
            return node.line
    return None


def _numbered(nodes: Iterable[Node]) -> Iterator[tuple[Node, list[int]]]:
    """Selections, each with the numbers in its index."""
    return ((node, index_numbers(node)) for node in nodes)


def _differing(a: Code, b: Code) -> tuple[str, str] | None:
    """The first lines that are not the same."""
    lines = ([line.strip() for section in sections(code) for line in section] for code in (a, b))
    for one, other in zip_longest(*lines, fillvalue=""):
        if one != other:
            return one, other
    return None
