"""Families: the nodes that an explanation speaks of as one variable, h_0, h_1, ..., h_T.

In a graph that folds, the family of a node is its strand: the same node of every step. Initial
values join the family that they stand in for, so that h_{t-1} is right at t = 1 too. A running sum
of losses is spoken of as its total, L = Σ_t L_t. A node that belongs to no step, or to a graph that
does not fold, is a family of one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import cast

from microgrrepresent.errors import GraphError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence import Folded, fold
from microgrrepresent.recurrence.strands import Strand, behind

Step = int | None


@dataclass(eq=False)
class Family:
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
        return candidates[-1 if len(candidates) < 3 else len(candidates) // 2][1]

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps at which it has a node."""
        return tuple(sorted(t for t in self.nodes if t is not None))

    @cached_property
    def is_number(self) -> bool:
        """Whether it is a number in the code."""
        return self.example.is_number and self.example.name is None


def families(
    graph: Graph, targets: Collection[Node], together: bool = True
) -> tuple[list[Family], dict[Node, tuple[Family, Step]]]:
    """Group the nodes of a graph.

    Parameters
    ----------
    graph : Graph
    targets : collection of Node
        Nodes that are spoken of in any case.
    together : bool
        Whether to treat the steps of a graph that folds as one.

    Returns
    -------
    families : list of Family
        In the order of computation within a step.
    places : dict
        The family and step of every node.
    """
    found: list[Family] = []
    places: dict[Node, tuple[Family, Step]] = {}
    folded = _folded(graph) if together else None
    if folded is not None:
        for strand in folded.recurrence.strands:
            family = Family(cast("dict[Step, Node]", dict(strand.nodes)), strand.slopes)
            found.append(family)
            places |= {node: (family, t) for t, node in strand.nodes.items()}
        for strand in folded.recurrence.strands:
            _adopt_initial_values(strand, found, places)
        for family, strand in zip(tuple(found), folded.recurrence.strands, strict=True):
            if strand.cuts:  # what is cut keeps its letter: no value changes
                found.remove(family)
                places |= {
                    node: places[behind(node, folded.recurrence.strands, folded.recurrence.places)]
                    for node in strand.nodes.values()
                }
            elif _is_running_sum(strand, graph, targets):
                family.nodes = {None: strand.nodes[strand.last]}
                family.running = list(strand.nodes.values())
                places |= dict.fromkeys(family.running, (family, None))
    for node in graph:
        if node not in places:
            step = node.step if folded is None else None
            family = Family({step: node})
            found.append(family)
            places[node] = (family, step)
    found = [f for f in found if any(node in graph for node in f.nodes.values())]
    return _in_order(found, places), places


def _is_running_sum(strand: Strand, graph: Graph, targets: Collection[Node]) -> bool:
    """Whether a strand adds up one number a step, and nobody asks for more than the total."""
    running = list(strand.nodes.values())
    sums = all(_is_sum(n) and not n.shape and n in graph and n not in targets for n in running)
    return sums and all(
        len(users := graph.consumers(node)) == 1 and users[0] is later
        for node, later in pairwise(running)
    )


def _is_sum(node: Node) -> bool:
    """Whether a node is a + b, by what its operation says."""
    return node.op is not None and node.op.derivative == ("1", "1")


def _in_order(found: list[Family], places: dict[Node, tuple[Family, Step]]) -> list[Family]:
    """Families so that within a step each comes after those that it reads."""
    waits: dict[Family, set[Family]] = {family: set() for family in found}
    readers: dict[Family, set[Family]] = {family: set() for family in found}
    for family in found:
        for t, node in family.nodes.items():
            for parent in node.parents:
                source, at = places[parent]
                if source is not family and (at == t or at is None or t is None):
                    waits[family].add(source)
                    readers[source].add(family)
    turns = {  # what is made once comes as soon as it can
        family: (bool(family.steps), family.example.id, i) for i, family in enumerate(found)
    }
    ready = [turn for family, turn in turns.items() if not waits[family]]
    heapify(ready)
    order: list[Family] = []
    while ready:
        family = found[heappop(ready)[-1]]
        order.append(family)
        for reader in readers[family]:
            waits[reader].discard(family)
            if not waits[reader]:
                heappush(ready, turns[reader])
    left = [family for family in found if waits[family]]
    return order + sorted(left, key=lambda family: family.example.id)


def _folded(graph: Graph) -> Folded | None:
    try:
        return fold(graph)
    except GraphError:
        return None


def _adopt_initial_values(
    strand: Strand, found: list[Family], places: dict[Node, tuple[Family, Step]]
) -> None:
    """Let what a delay reads at the end of time be a member of the family that it reads."""
    for read in strand.reads:
        if read.source is None:
            continue
        family = found[read.source]
        for t, node in read.boundary.items():
            at = t - read.lag
            if node not in places and at not in family.nodes:
                family.nodes[at] = node
                places[node] = (family, at)
