"""Series: the nodes that equations speak of as one variable, h_0, h_1, ..., h_T.

Where the steps of a graph repeat, its recurrence says which nodes these are. Initial values join
the series that they stand in for, so that h_{t-1} is right at t = 1 too, and what is cut keeps its
letter, as no value changes. A running sum of losses is spoken of as its total, L = Σ_t L_t. Any
other node is a series of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import cast

from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence import Recurrence, Strand, recurrence

Step = int | None


@dataclass(eq=False)
class Series:
    """Nodes that differ in their step only.

    Attributes
    ----------
    nodes : dict from int or None to Node
        By step; None for a node that belongs to no step.
    slopes : list of int
        By how much the numbers in an index grow from step to step.
    running : list of Node
        Of a total: the running sum that ends with it, step by step.
    """

    nodes: dict[Step, Node]
    slopes: list[int] = field(default_factory=list)
    running: list[Node] = field(default_factory=list)

    @cached_property
    def example(self) -> Node:
        """A node that is typical: of results, one that is not an initial value."""
        candidates = sorted(self.nodes.items(), key=lambda item: item[0] or 0)
        return candidates[len(candidates) // 2][1]

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps at which it has a node."""
        return tuple(sorted(t for t in self.nodes if t is not None))

    @cached_property
    def is_number(self) -> bool:
        """Whether it is a number in the code."""
        return self.example.is_number and self.example.name is None


def find_series(
    graph: Graph, targets: AbstractSet[Node], together: bool = True
) -> tuple[list[Series], dict[Node, tuple[Series, Step]]]:
    """The series of a graph's nodes.

    Parameters
    ----------
    graph : Graph
    targets : set of Node
        Nodes that are spoken of in any case.
    together : bool
        Whether steps that are alike are spoken of as one.

    Returns
    -------
    series : list of Series
        In the order of computation within a step.
    places : dict
        The series and the step of every node.
    """
    found: list[Series] = []
    places: dict[Node, tuple[Series, Step]] = {}
    repeated = _repeated(graph) if together else None
    if repeated is not None:
        found = _of_strands(repeated, places)
        for one, strand in zip(tuple(found), repeated.strands, strict=True):
            if strand.cuts:
                found.remove(one)
                places |= {node: places[repeated.behind(node)] for node in strand.nodes.values()}
            elif running := _running_sum(strand, repeated.strands, graph, targets):
                one.nodes, one.running = {None: running[-1]}, running
                places |= dict.fromkeys(running, (one, None))
    for node in graph:
        if node not in places:
            step = node.step if repeated is None else None
            found.append(Series({step: node}))
            places[node] = (found[-1], step)
    found = [
        one
        for one in found
        if any(node in graph and places[node][0] is one for node in one.nodes.values())
    ]
    return _in_order(found, places), places


def _repeated(graph: Graph) -> Recurrence | None:
    """The recurrence of a graph whose steps are all alike."""
    found = recurrence(graph)
    return found if found.strands and not found.breaks else None


def _of_strands(repeated: Recurrence, places: dict[Node, tuple[Series, Step]]) -> list[Series]:
    """A series for each strand; what a strand reads where its source has no node joins it."""
    found = [
        Series(cast("dict[Step, Node]", dict(strand.nodes)), strand.slopes)
        for strand in repeated.strands
    ]
    for one in found:
        places |= {node: (one, t) for t, node in one.nodes.items()}
    for read in (read for strand in repeated.strands for read in strand.reads):
        for t, node in read.boundary.items() if read.source is not None else ():
            assert read.source is not None
            source, at = found[read.source], t - read.lag
            if read.cut is not None and node.op is not None and node.op.kind == "cut":
                if node.parents[0] in places or node.parents[0].op is not None:
                    continue
                places[node] = (source, at)  # the initial state is cut, too
                node = node.parents[0]
            if node not in places and at not in source.nodes:
                source.nodes[at] = node
                places[node] = (source, at)
    return found


def _running_sum(
    strand: Strand, strands: Sequence[Strand], graph: Graph, targets: AbstractSet[Node]
) -> list[Node]:
    """The sums that lead to the last node of a strand, if nobody asks for more than the total.

    At each step there may be one, L_t = L_{t-1} + a_t, or several, L_t = L_{t-1} + a_t + b_t.
    The loop may run down in time, too: L_t = L_{t+1} + a_t.
    """
    parts, todo = [strand], [strand]
    while todo:
        reads = [(strands[r.source], r.lag) for r in todo.pop().reads if r.source is not None]
        if any(source is strand for source, _ in reads):
            running = sorted((n for part in parts for n in part.nodes.values()), key=lambda n: n.id)
            sums = all(_is_sum(n) and not n.shape and n in graph for n in running)
            alone = sums and all(
                len(users := graph.consumers(node)) == 1 and users[0] is later
                for node, later in pairwise(running)
            )
            return running if alone and targets.isdisjoint(running) else []
        inner = [
            source for source, lag in reads if lag == 0 and _is_sum(source.nodes[source.first])
        ]
        if len(inner) == 1:
            parts += inner
            todo += inner
    return []


def _is_sum(node: Node) -> bool:
    return node.op is not None and node.op.is_sum(node)


def _in_order(found: list[Series], places: dict[Node, tuple[Series, Step]]) -> list[Series]:
    """The series, so that within a step each comes after those that it reads."""
    waits: dict[Series, set[Series]] = {one: set() for one in found}
    readers: dict[Series, set[Series]] = {one: set() for one in found}
    for one in found:
        for t, node in one.nodes.items():
            for parent in node.parents:
                source, at = places[parent]
                if parent.op is None and source.example.op is not None:
                    continue  # an initial value, which is there before the steps
                if source is not one and (at == t or at is None or t is None):
                    waits[one].add(source)
                    readers[source].add(one)
    turns = {  # what is made once comes as soon as it can
        one: (bool(one.steps), one.example.id, i) for i, one in enumerate(found)
    }
    ready = [turn for one, turn in turns.items() if not waits[one]]
    heapify(ready)
    order: list[Series] = []
    while ready:
        one = found[heappop(ready)[-1]]
        order.append(one)
        for reader in readers[one]:
            waits[reader].discard(one)
            if not waits[reader]:
                heappush(ready, turns[reader])
    left = [one for one in found if waits[one]]
    return order + sorted(left, key=lambda one: one.example.id)
