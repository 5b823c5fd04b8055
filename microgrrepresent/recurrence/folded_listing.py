"""A folded graph in words: the recurrences that ``print(folded)`` lists.

before
  W: f64[]       # parameter
at each step t = 1..3
  u(1)[t]: f64[] = mul h[t-1] W  # h[0] is h_0
  h[t]: f64[] = tanh u(1)[t]
after
  L: f64[] = exp h_3
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from microgrrepresent.listing import equation, expression, in_two_columns, is_bare_number, labels
from microgrrepresent.node import Node
from microgrrepresent.recurrence.signature import index_numbers, with_index_numbers
from microgrrepresent.recurrence.strands import Read, Strand, cut_steps

if TYPE_CHECKING:
    from microgrrepresent.recurrence.folded import Folded


def listing(folded: Folded) -> str:
    """List what comes before the steps, what each step does, and what comes after."""
    strands, places = folded.recurrence.strands, folded.recurrence.places
    names = labels(folded.recurrence.nodes)
    symbols = _symbols(folded, names)

    def at(i: int, step: str) -> str:
        return symbols[i] if is_bare_number(_example(strands[i])) else f"{symbols[i]}[{step}]"

    def source(read: Read) -> str:
        if read.source is None:
            assert read.shared is not None
            return names[read.shared]
        return at(read.source, f"t{-read.lag:+d}" if read.lag else "t")

    first, last = folded.recurrence.steps[0], folded.recurrence.steps[-1]
    stamps = f"of {folded.steps[0]}..{folded.steps[-1]}" if folded.steps[0] != first else ""
    lines = _section("before", folded.prologue, names)
    lines.append((f"at each step t = {first}..{last}", stamps))
    for node in folded.cell:
        i = places[node][0]
        strand = strands[i]
        if is_bare_number(node):
            continue
        text = equation(node, {**names, node: at(i, "t")}).split(" = ")[0]
        if node.op is not None:
            params = _with_time(strand, places[node][1])
            text += f" = {expression(node, list(map(source, strand.reads)), params)}"
        remarks = []
        if (strand.first, strand.last) != (first, last):
            remarks.append(f"t = {strand.first}..{strand.last}")
        for read in strand.reads:
            for t, given in read.boundary.items():
                assert read.source is not None
                remark = f"{at(read.source, str(t - read.lag))} is {names[given]}"
                remarks += [remark] if remark not in remarks else []
            if cuts := cut_steps(read, strands):
                remark = f"{source(read)} is cut {cut_text(cuts)}"
                remarks += [remark] if remark not in remarks else []
        lines.append((f"  {text}", ", ".join(remarks)))
    return in_two_columns(lines + _section("after", folded.epilogue, names))


def _section(
    title: str, nodes: tuple[Node, ...], names: Mapping[Node, str]
) -> list[tuple[str, str]]:
    lines = [
        (
            f"  {equation(node, names)}",
            "" if node.op else "parameter" if node.requires_grad else "input",
        )
        for node in nodes
        if not is_bare_number(node)
    ]
    return [(title, ""), *lines] if lines else []


def _symbols(folded: Folded, names: Mapping[Node, str]) -> dict[int, str]:
    """What to call each strand: its label without the step, ``u(1)`` counted anew, or a number."""
    symbols: dict[int, str] = {}
    for i, strand in enumerate(folded.recurrence.strands):
        node = folded.template(_example(strand))
        assert node is not None
        symbols[i] = names[node]
        if node.name is not None and node.step is not None:
            symbols[i] = names[node].removesuffix(f"_{node.step}")
    unnamed = [n for n in folded.cell if n.name is None and n.op and not is_bare_number(n)]
    for count, node in enumerate(unnamed, start=1):
        symbols[folded.recurrence.places[node][0]] = f"u({count})"
    return symbols


def _with_time(strand: Strand, t: int) -> dict[str, Any]:
    """The static arguments, with the numbers that grow with the step written as ``t-1``."""
    node = strand.nodes[t]
    written: list[Any] = []
    for number, slope in zip(index_numbers(node), strand.slopes, strict=True):
        rest = number - slope * t
        if slope in (1, -1):
            time = "t" if slope == 1 else "-t"
            written.append(f"{time}{rest:+d}" if rest else time)
        else:
            written.append(f"{slope}t{rest:+d}" if slope else number)
    return with_index_numbers(node, written)


def cut_text(cuts: Sequence[int], inline: Callable[[str], str] = str) -> str:
    """When a path is cut, in words: ``every 3 steps (t = 4, 7, 10)``."""
    few = [*map(str, cuts)] if len(cuts) < 7 else [*map(str, cuts[:3]), "…", str(cuts[-1])]
    times = inline(f"t = {', '.join(few)}")
    k = period(cuts)
    if k is None:
        return f"at {times}"
    return f"every {k} steps ({times})" if k > 1 else f"at every step ({times})"


def period(cuts: Sequence[int]) -> int | None:
    """How far apart the cuts are, if evenly."""
    apart = {later - t for t, later in pairwise(cuts)}
    return apart.pop() if len(apart) == 1 else None


def _example(strand: Strand) -> Node:
    return next(iter(strand.nodes.values()))
