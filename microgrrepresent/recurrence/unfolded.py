"""Unfolding: one cell with delays becomes a chain of T steps again.

Each strand gets a node at each of the new steps, and reads what its reads say. For the number of
steps that was folded this gives back the graph itself, node by node. For another number, `Length`
tells where everything stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from microgrrepresent.errors import GraphError
from microgrrepresent.graph import Graph
from microgrrepresent.listing import equation
from microgrrepresent.node import Node, make
from microgrrepresent.place import Place
from microgrrepresent.recurrence.folded import Folded
from microgrrepresent.recurrence.length import OUTSIDE, Length, NodeKey
from microgrrepresent.recurrence.signature import with_index_numbers
from microgrrepresent.recurrence.time_index import numbers_at, resized_inputs
from microgrrepresent.scopes import at
from microgrrepresent.tensor import Tensor


def unfold(folded: Folded, T: int) -> Graph:
    """Unfold a cell over T steps.

    Values are computed anew. With the number of steps that was folded, the result is isomorphic to
    the graph that was folded: operations, arguments, wiring, names, scopes, steps and values. With
    another number, every loop over time is made longer or shorter by the same number of steps.
    Inputs that are missing begin again with the first one: x_1, x_2, x_3, x_1, ... A stack or
    concatenation over all steps goes over all new steps; numbers in the code stay as they are, a
    division by the old number of steps among them.

    Parameters
    ----------
    folded : Folded
    T : int
        How many steps, at least 1.

    Returns
    -------
    Graph

    Raises
    ------
    GraphError
        If the recorded steps do not tell how it would go on: something outside of them reads
        a step in their midst, or they are too few, or a shape depends on their number.

    Examples
    --------
    >>> from microgrrepresent import Graph, Tensor, fold, isomorphic, steps, tanh, unfold
    >>> W, h = Tensor(0.5, requires_grad=True, name="W"), Tensor(0.0, name="h_0")
    >>> for t, x in steps(Tensor([1.0, 2.0, 3.0], name="X")):
    ...     h = tanh(h * W + x.named("x")).named("h")
    >>> graph = Graph(h)
    >>> isomorphic(unfold(fold(graph), 3), graph)
    True
    >>> unfold(fold(graph), 100).depth()
    300
    """
    if not isinstance(folded, Folded):
        raise GraphError(
            "unfold: it takes what fold gives, as in unfold(fold(graph), T), "
            f"got {type(folded).__name__}"
        )
    if not isinstance(T, (int, np.integer)) or T < 1:
        raise GraphError(f"unfold: T is a number of steps, at least 1, got {T!r}")
    length = Length(folded.recurrence, int(T))
    if length.more:
        length.check_enough()
    return _Unfolding(length).graph()


class _Unfolding:
    """The nodes of the new steps, made one by one."""

    def __init__(self, length: Length) -> None:
        self.length, self.strands = length, length.strands
        self.outputs = set(length.recurrence.graph.outputs)
        self.resized = resized_inputs(length.strands, length.ranges, length.nodes, length.more)
        self.made: dict[NodeKey, Node] = {}

    def graph(self) -> Graph:
        """Make all nodes, parents first, in an order like the recorded one."""
        length = self.length
        outputs = length.several(length.recurrence.graph.outputs, "the list of outputs")
        for key in length.order():
            todo, begun = [key], set[NodeKey]()
            while todo:
                if todo[-1] in self.made:
                    todo.pop()
                    continue
                begun.add(todo[-1])
                parents, forward = length.parents(todo[-1]), length.derivative_of(todo[-1])
                needs = parents if forward is None else [*parents, forward]
                missing = [need for need in needs if need not in self.made]
                if not begun.isdisjoint(missing):
                    raise length.refusal("what was recorded does not tell what comes first then")
                if missing:
                    todo += reversed(missing)
                else:
                    self._make(todo.pop(), parents, forward)
        return Graph([self.made[key] for key in outputs])

    def _make(self, key: NodeKey, parents: Sequence[NodeKey], forward: NodeKey | None) -> None:
        length, (k, t) = self.length, key
        if k == OUTSIDE:
            node = length.nodes[t]
            stamp, name, params = length.stamp(node.step), node.name, node.params
        else:
            strand = self.strands[k]
            like = length.like(strand, t)
            if strand.nodes[like].is_leaf and not strand.cuts:  # inputs begin again with the first
                like = strand.first + (t - length.ranges[k][0]) % len(strand.nodes)
            node = strand.nodes[like]
            stamp = None if node.step is None else length.later(node.step, t - like)
            name = self._name(k, node, t)
            params = with_index_numbers(node, numbers_at(strand, t, length.more))
        derived = None if forward is None else self.made[forward]
        with at(Place(node.scope, stamp, derived)):  # and recorded, also under no_grad
            new = self._applied(node, tuple(self.made[parent] for parent in parents), params)
        new.name = name
        self.made[key] = new
        if derived is not None and length.more:
            self._check_shapes(node, derived)

    def _applied(self, node: Node, parents: tuple[Node, ...], params: dict[str, Any]) -> Node:
        if node.op is None or not parents:
            value = parents[0].value if parents else self.resized.get(node, node.value)  # detached
            return make(Tensor, node.op, (), params, value, node.requires_grad)
        try:
            made: Node = node.op(*parents, **params)
        except (ValueError, IndexError, TypeError) as error:
            label = self.length.names[node]
            raise self.length.refusal(f"{label} cannot be computed: {error}") from error
        return made

    def _name(self, k: int, node: Node, t: int) -> str | None:
        """The node's name; an output may have its own, and x1, x2, ... go on from the last."""
        if not self.length.more:
            return node.name
        strand, (first, last) = self.strands[k], self.length.ranges[k]
        for end, at_end in ((last, strand.last), (first, strand.first)):
            if t == end and strand.nodes[at_end] in self.outputs:
                return strand.nodes[at_end].name
        final = strand.nodes[strand.last].name
        if not node.is_leaf:
            usual = (n.name for n in strand.nodes.values() if n not in self.outputs)
            return next(usual, strand.nodes[strand.first].name)
        if t <= strand.last or final is None or final == strand.nodes[strand.first].name:
            return node.name
        return re.sub(r"\d+$", lambda found: str(int(found[0]) + t - strand.last), final)

    def _check_shapes(self, node: Node, forward: Node) -> None:
        """A derivative's rule takes shapes from its operation as static arguments."""
        recorded, names = node.derivative_of, self.length.names
        if recorded is not None and [p.shape for p in (*forward.parents, forward)] != [
            p.shape for p in (*recorded.parents, recorded)
        ]:
            raise self.length.refusal(
                f"{names[node]} is of the derivative of {equation(recorded, names)}, "
                "which has another shape then, and was recorded for this one"
            )
