"""Breaks: where a node is not what its counterparts at the other steps are.

A picture of the graph can be drawn all the same, so the reasons are only taken down. `fold` refuses
the first one.
"""

from __future__ import annotations

from functools import cached_property

from microgrrepresent.graph import Graph
from microgrrepresent.listing import equation, labels
from microgrrepresent.node import Node
from microgrrepresent.recurrence.clock import Clock


class Breaks:
    """The reasons why nodes do not fit.

    Attributes
    ----------
    found : dict from Node to str
        The reason for each node that breaks the pattern.
    """

    def __init__(self, graph: Graph, whole: Graph, clock: Clock) -> None:
        self.graph, self.whole, self.clock = graph, whole, clock
        self.found: dict[Node, str] = {}

    def keep(self, count: int) -> None:
        """Forget all reasons but the first so many."""
        for node in list(self.found)[count:]:
            del self.found[node]

    def add(self, node: Node, t: int, reason: str) -> None:
        """Take down why a node of the t-th step does not fit."""
        self.found.setdefault(node, f"step {self.clock.stamp(t)} breaks the pattern: {reason}")

    def equation(self, node: Node) -> str:
        """One variable in words: ``h_3: f64[4,8] = tanh u(7)``."""
        return equation(node, self.names)

    @cached_property
    def names(self) -> dict[Node, str]:
        """What to call each node: as `graph.label` does, where the graph has it."""
        found = labels(tuple(self.whole))
        return found if self.whole is self.graph else found | labels(tuple(self.graph))
