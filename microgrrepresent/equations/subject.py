"""What a derivation speaks of: the nodes on the way of the gradient, and which have equations.

Not every node is a variable of the derivation. A node that nobody has named, that is used once,
and whose adjoint would not have to be written down twice, is part of its consumer's equation:

    h_t = o_t ⊙ tanh(c_t)       and not       u_t = tanh(c_t),  h_t = o_t ⊙ u_t
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from microgrrepresent.equations.families import Family, families
from microgrrepresent.equations.naming import activates, names, selects
from microgrrepresent.equations.terms import Variable
from microgrrepresent.errors import GradientError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node


class Subject:
    """A loss and targets, and all that is between them.

    Attributes
    ----------
    graph : Graph
        What is behind the loss.
    families, places
        The nodes that are spoken of as one; the family and the step of each node.
    live : set of Node
        The nodes through which a target acts on the loss.
    edges : dict
        Who reads each node, and as which input.
    variables : dict from Family to Variable
        The families that have equations, in the order of computation.
    """

    def __init__(self, loss: Node, targets: Sequence[Node], together: bool) -> None:
        self.graph = Graph(loss)
        self.loss, self.targets = loss, dict.fromkeys(targets)
        self.live = self._between()
        for target in self.targets:
            if target not in self.live:
                raise GradientError(
                    f"the loss does not depend on {target.name or 'the node'} {target.shape}, so "
                    "there is no gradient to explain"
                )
        self.families, self.places = families(self.graph, self.targets, together)
        self.edges = self._find_edges()
        self.variables = self._choose_variables()

    def _between(self) -> set[Node]:
        """The nodes through which a target acts on the loss."""
        after: set[Node] = set(self.targets)
        for node in self.graph:
            if any(p in after and rule is not None for p, rule in _rules(node)):
                after.add(node)
        before: set[Node] = {self.loss}
        for node in reversed(tuple(self.graph)):
            if node in before:
                before |= {p for p, rule in _rules(node) if rule is not None}
        return after & before

    def _find_edges(self) -> dict[Node, list[tuple[Node, int]]]:
        """Who reads each node, and as which input."""
        edges: dict[Node, list[tuple[Node, int]]] = {node: [] for node in self.graph}
        for node in self.graph:
            for i, parent in enumerate(node.parents):
                edges[parent].append((node, i))
        return edges

    def _choose_variables(self) -> dict[Family, Variable]:
        chosen: set[Family] = set()
        for family in reversed(self.families):
            if not family.is_number and not self._is_part(family, chosen):
                chosen.add(family)
        order = [family for family in self.families if family in chosen]
        ends = {self.places[self.loss][0]: "L"}
        found = names(order, self.edges, self.places, ends)
        return {
            family: Variable(
                *found[family],
                parameter=_of_parameters(family.example) and family.example.ndim > 1,
                shape=family.example.shape,
                steps=family.steps,
                key=key,
            )
            for key, family in enumerate(order)
        }

    def _is_part(self, family: Family, chosen: set[Family]) -> bool:
        """Whether a family is written inside of its consumer's equation."""
        example = family.example
        if example.op is None or example.name is not None:
            return False
        if any(family is self.places[node][0] for node in (*self.targets, self.loss)):
            return False
        readers = set()
        for t, node in family.nodes.items():
            edges = self.edges.get(node, [])
            if len(edges) != 1:
                return False
            child, i = edges[0]
            reader, s = self.places[child]
            if s != t and not reader.running:
                return False
            readers.add((reader, 0 if reader.running else i))
        if len(readers) != 1:
            return False
        (reader, i) = readers.pop()
        consumer = reader.example
        if example.op.many is not None:  # a variable of its own, unless it is summed at once
            return _sums(consumer)
        if activates(consumer) and (example.op.kind in ("linear", "product") or selects(example)):
            return False
        if example not in self.live:
            return True
        sources = len({parent for parent in example.parents if parent in self.live})
        return sources < 2 or self._passes_unchanged(example, reader, i, chosen)

    def _passes_unchanged(self, node: Node, reader: Family, i: int, chosen: set[Family]) -> bool:
        """Whether the node's adjoint is that of a variable, so that writing it twice is no loss."""
        while True:
            consumer = reader.example
            assert consumer.op is not None
            if consumer.shape != node.shape or not _passes(consumer, i):
                return False
            if reader in chosen:
                return True
            node = consumer
            child, i = self.edges[consumer][0]
            reader = self.places[child][0]


def _sums(node: Node) -> bool:
    """Whether it is a sum of elements."""
    return node.op is not None and (node.op.derivative, node.op.meets) == (("1",), ("spread",))


def _passes(node: Node, position: int) -> bool:
    """Whether an operation passes its adjoint on to an input as it is, but for its sign."""
    assert node.op is not None
    if node.op.said("meets", node, position, by="explain") != "elementwise":
        return False
    return node.op.said("derivative", node, position, by="explain") in ("1", "-1")


def _of_parameters(node: Node) -> bool:
    """Whether a node is made of parameters and numbers only."""
    behind, found = {node}, False
    todo = [node]
    while todo:
        n = todo.pop()
        if n.op is None and not n.requires_grad:
            return False
        found = found or n.op is None
        todo += [parent for parent in n.parents if parent not in behind]
        behind.update(n.parents)
    return found


def _rules(node: Node) -> list[tuple[Node, Any]]:
    """Each parent with the rule that sends it something, or None."""
    op = node.op
    return [] if op is None else [(p, op.vjp[i]) for i, p in enumerate(node.parents)]
