"""Breaks: where a node is not what its counterparts at the other steps are.

`fold` refuses the first one. A picture of the graph can be drawn all the same, and so the others
only take the reason down.
"""

from __future__ import annotations

from functools import cached_property

from microgrrepresent.errors import GraphError
from microgrrepresent.graph import Graph
from microgrrepresent.listing import equation, labels
from microgrrepresent.node import Node
from microgrrepresent.recurrence.clock import Clock


class Breaks:
    """The reasons why nodes do not fit: the first one is raised, or all are kept.

    Attributes
    ----------
    strict : bool
        Whether to raise a GraphError.
    found : dict from Node to str
        The reason for each node that breaks the pattern.
    """

    def __init__(self, graph: Graph, whole: Graph, clock: Clock, strict: bool) -> None:
        self.graph, self.whole, self.clock, self.strict = graph, whole, clock, strict
        self.found: dict[Node, str] = {}

    def refusing(self) -> Breaks:
        """The same, for a question that can be answered with no."""
        return Breaks(self.graph, self.whole, self.clock, True)

    def add(self, node: Node, t: int, reason: str) -> None:
        """Take down why a node of the t-th step does not fit."""
        reason = f"step {self.clock.stamp(t)} breaks the pattern: {reason}"
        if self.strict:
            raise GraphError(f"fold: {reason}")
        self.found.setdefault(node, reason)

    def equation(self, node: Node) -> str:
        """One variable in words: ``h_3: f64[4,8] = tanh u(7)``."""
        return equation(node, self.names)

    @cached_property
    def names(self) -> dict[Node, str]:
        """What to call each node: as `graph.label` does, where the graph has it."""
        found = labels(tuple(self.whole))
        return found if self.whole is self.graph else found | labels(tuple(self.graph))
