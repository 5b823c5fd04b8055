"""Moments: before the steps, at each of them, between two loops, and after.

Moment 0 is before the loop, 1 to T are the steps, T+1 is after. Loops that run side by side, as the
layers of a stack do, have the same moments; one that waits for another (see `rounds`) has later
ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence.clock import Clock
from microgrrepresent.recurrence.rounds import root_of
from microgrrepresent.recurrence.strands import Position, Strand

Moment = tuple[int, int]  # how many loops were over, and the step


@dataclass(frozen=True)
class Moments:
    """When each node of a graph has its place in time. Part of a `Recurrence`.

    Attributes
    ----------
    steps : tuple of int
        The step of each moment from 1 to T. An encoder and its decoder both have a step 1.
    of : dict from Node to int
        The moment of each node, from 0 to T+1.
    """

    steps: tuple[int, ...]
    of: dict[Node, int]

    @property
    def after(self) -> int:
        """The moment after all steps, T+1."""
        return len(self.steps) + 1


def moments(
    graph: Graph,
    clock: Clock,
    rounds: Mapping[str, int],
    strands: Sequence[Strand],
    places: Mapping[Node, Position],
) -> Moments:
    """Sort the nodes of a graph by time; `rounds` tells which loops come after others."""
    count = clock.count
    at: dict[Node, Moment] = {}
    for node in graph:
        if node.step is not None and node.parents:
            at[node] = rounds[root_of(node)], count(node.step)
    stamps = {at[node]: node.step for node in at if node.step is not None}
    order = sorted(stamps)
    position = {moment: i for i, moment in enumerate(order, 1)}
    of = {node: position[moment] for node, moment in at.items()}
    after = len(order) + 1
    by_strand = _rounds_of_strands(strands, rounds)
    for node, (k, t) in places.items():
        if node in graph and node not in of and not (node.is_leaf and node.requires_grad):
            moment = position.get((by_strand.get(k, 0), t))
            if moment is not None:
                of[node] = moment
    _add_starts_of_sums(graph, strands, of)
    _add_leaves(graph, of)
    _add_results(graph, of, after)
    for node in reversed(list(graph)):
        if node not in of:
            users = {of[user] for user in graph.consumers(node)}
            of[node] = after if order and users == {after} else 0
    return Moments(tuple(stamps[moment] for moment in order), of)


def _rounds_of_strands(strands: Sequence[Strand], rounds: Mapping[str, int]) -> dict[int, int]:
    """The same for each strand: inputs go with what reads them, sums with what they add up."""
    of: dict[int, int] = {}
    for k, strand in enumerate(strands):
        node = strand.nodes[strand.first]
        if node.step is not None and node.parents:
            of[k] = rounds.get(root_of(node), 0)
    for k, strand in enumerate(strands):
        sources = [read.source for read in strand.reads if read.source is not None]
        if k not in of:
            of[k] = max((of[source] for source in sources if source in of), default=0)
        for source in sources:
            of.setdefault(source, of[k])
    return of


def _add_starts_of_sums(graph: Graph, strands: Sequence[Strand], of: dict[Node, int]) -> None:
    """What a sum over the steps begins with, made after the loop like it, stands beside it."""
    for strand in strands:
        for read in strand.reads:
            for t, node in read.boundary.items():
                reader = strand.nodes[t]
                alone = len(graph.consumers(node)) == 1 if node in graph else False
                if alone and reader.step is None and node.step is None and node not in of:
                    of[node] = of.get(reader, 0)


def _add_leaves(graph: Graph, of: dict[Node, int]) -> None:
    """A leaf that knows its step goes with the first use of it at that step."""
    for node in graph:
        if node.step is not None and not node.parents and node not in of:
            users = graph.consumers(node)
            uses = [of[user] for user in users if user in of and user.step == node.step]
            if uses:
                of[node] = min(uses)


def _add_results(graph: Graph, of: dict[Node, int], after: int) -> None:
    """Results that know no step, made of steps, come after them.

    What a later step reads, as a decoder reads its encoder's outputs, comes where it is complete.
    """
    complete: dict[Node, int] = {}
    for node in graph:
        if node not in of:
            moment = max((of.get(p, complete.get(p, 0)) for p in node.parents), default=0)
            if moment:
                complete[node] = moment
    read: dict[Node, int] = defaultdict(int)  # the last moment that reads a result
    for node in reversed(list(graph)):
        reader = of.get(node, read[node])
        for parent in node.parents:
            if parent in complete:
                read[parent] = max(reader, read[parent])
    for node, moment in complete.items():
        of[node] = moment if read[node] > moment else after
