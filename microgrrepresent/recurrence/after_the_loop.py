"""After the loop: what was made of the steps when all were over, but step by step.

    losses = [mse_loss(y, target) for y, target in zip(run.outputs, targets)]
    L = sum(losses)

These nodes know no step, yet there is one of each kind for every step, and so they are strands
like the others: the losses read y_t, the running sum reads itself at t - 1. Some steps in a row
are enough, as for a loss on the last ones; what is made of all of them at once stays outside.
"""

from __future__ import annotations

from collections.abc import Sequence

from microgrrepresent.node import Node
from microgrrepresent.recurrence.reads import find_reads
from microgrrepresent.recurrence.signature import signature
from microgrrepresent.recurrence.strands import Position, Strand, Strands

Kind = tuple[object, ...]


def add_what_was_made_after(nodes: Sequence[Node], known: Strands) -> None:
    """Append the strands of nodes that were made after the loop; a chain of them, link by link.

    What would break the pattern stays outside.

    Parameters
    ----------
    nodes
        In topological order.
    known
        The strands of the loop, with their reads.
    """
    places = known.places
    outside = [n for n in nodes if n not in places and n.step is None and n.parents]
    while any(
        _add_a_link(outside, latest, known, every)
        for every in (True, False)
        for latest in (True, False)
    ):
        outside = [node for node in outside if node not in places]


def _add_a_link(outside: Sequence[Node], latest: bool, known: Strands, every: bool) -> bool:
    """Append what is made from the strands that are known, and tell whether there was anything.

    Each node belongs to the latest step that it reads, or to the earliest. Of each kind there has
    to be one for every step of a strand, or else for some steps in a row.
    """
    found: dict[tuple[int, Kind], dict[int, Node]] = {}
    for node in outside:
        if (link := _link(node, latest, known.places)) is not None:
            source, t, kind = link
            found.setdefault((source, kind), {})[t] = node  # of several of a kind, the last one
    before = len(known.strands)
    for (source, _), line in found.items():
        line = dict(sorted(line.items()))
        fits = _is_of_every_step if every else _is_of_steps_in_a_row
        steps = [*known.strands[source].nodes]
        if fits([*line], steps) and known.places.keys().isdisjoint(line.values()):
            _add(Strand(line, False), known)
    return len(known.strands) > before


def _link(node: Node, latest: bool, places: dict[Node, Position]) -> tuple[int, int, Kind] | None:
    """The strand that a node reads at the latest or earliest step, that step, and what it is."""
    read = [(places[p][1], i) for i, p in enumerate(node.parents) if p in places]
    if not read:
        return None
    t, i = max(read) if latest else min(read)
    source = places[node.parents[i]][0]
    return source, t, (source, i, *signature(node))


def _is_of_every_step(times: list[int], every: list[int]) -> bool:
    """Whether the steps are those of a strand; a running sum may begin one later."""
    return len(times) > 1 and times in (every, every[1:], every[:-1])


def _is_of_steps_in_a_row(times: list[int], every: list[int]) -> bool:
    return len(times) > 1 and times[-1] - times[0] < len(times)


def _add(strand: Strand, known: Strands) -> None:
    """Add a strand, if it reads the same at every step."""
    count, reasons = len(known.strands), len(known.breaks.found)
    known.add(strand)
    find_reads(known, count)
    if len(known.breaks.found) > reasons:
        known.keep(count)
        known.breaks.keep(reasons)
