"""Folding: the unrolled graph of a recurrence goes back to one cell with delays.

    h_1 = tanh(h_0 W + x_1)
    h_2 = tanh(h_1 W + x_2)      is      h_t = tanh(h_{t-1} W + x_t),   h_0 given
    h_3 = tanh(h_2 W + x_3)

It is the left half of the textbook figure (Goodfellow, Bengio and Courville, Deep Learning, 2016,
figure 10.2), and it is found in the graph, never declared: `strands` lays the steps side by side,
`wiring` tells where each variable reads its parents, and both check every step, node by node.
`late` adds what was made step by step after the loop, as the terms of a loss are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from microgrrepresent.errors import GraphError
from microgrrepresent.graph import Graph
from microgrrepresent.listing import labels
from microgrrepresent.node import Node
from microgrrepresent.recurrence.alignment import Names
from microgrrepresent.recurrence.late import add_late_strands
from microgrrepresent.recurrence.recurrences import recurrences
from microgrrepresent.recurrence.strands import Place, Strand, behind, cut_steps, find_strands
from microgrrepresent.recurrence.wiring import wire


@dataclass(frozen=True, eq=False)
class Delay:
    """A variable of the cell that is read at another step than its own.

    Attributes
    ----------
    source : Node
        The cell's node that is read.
    lag : int
        Step t reads it at step t - lag: 1 for a recurrence, -1 for one that runs backwards in
        time, as a reverse layer or the gradients of a forward one do.
    edges : tuple of (Node, int)
        The cell's nodes that read it, each with the position among its parents.
    initial : tuple of Node
        What they read at the end of time, where there is nothing to read yet, in order of steps.
    cuts : tuple of int
        The steps that read it through a `stop_gradient` or detached: no gradient comes back from
        there.
    """

    source: Node
    lag: int
    edges: tuple[tuple[Node, int], ...]
    initial: tuple[Node, ...]
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Folded:
    """A graph, folded: one step of it, and what stands before, after, and between the steps.

    Made by `fold`; ``print(folded)`` lists it as a system of recurrences.

    Attributes
    ----------
    graph : Graph
        The graph that was folded; all nodes below are nodes of it.
    steps : tuple of int
        The steps that were folded into one.
    cell : tuple of Node
        A step in the midst of time stands for all: its nodes, in topological order, per-step
        inputs included.
    delays : tuple of Delay
        The edges between one step and another.
    prologue : tuple of Node
        Nodes that depend on no step: parameters, initial states, and what is made of them.
    epilogue : tuple of Node
        Nodes outside of the steps that depend on some: losses over all steps, last outputs.
    strands : tuple of Strand
        Each variable of the cell at every step, and its wiring.
    """

    graph: Graph
    steps: tuple[int, ...]
    cell: tuple[Node, ...]
    delays: tuple[Delay, ...]
    prologue: tuple[Node, ...]
    epilogue: tuple[Node, ...]
    strands: tuple[Strand, ...]
    places: dict[Node, Place]
    """Index of the strand, and step, of each node that is in a strand."""
    nodes: tuple[Node, ...]
    """The graph's nodes and, for a backward pass, those whose derivatives it computes."""

    def template(self, node: Node) -> Node | None:
        """The cell's node that stands for this one; None for a node of prologue or epilogue.

        What is cut stands for its cuts, too.

        Examples
        --------
        See `fold`.
        """
        if node not in self.places:
            return None
        place = self.places[behind(node, self.strands, self.places)]
        return _representative(self.strands[place[0]], self.steps, self.graph)

    def instances(self, node: Node) -> dict[int, Node]:
        """The node that one of the cell's stands for at each step: {t: node}.

        Raises
        ------
        GraphError
            If the node is not of the cell, nor one that the cell stands for.
        """
        if node not in self.places:
            raise GraphError(f"{node.name or 'the node'} is not repeated from step to step")
        return dict(self.strands[self.places[node][0]].nodes)

    def reads(self, node: Node) -> tuple[tuple[Node, int], ...]:
        """What a node of the cell reads in place of each parent, and with which lag.

        Returns
        -------
        tuple of (Node, int)
            A node of the cell that is read at step t - lag, or with lag 0 a node of the prologue.
        """
        found = []
        for slot in self.strands[self.places[node][0]].slots:
            source = slot.shared
            if slot.source is not None:
                source = _representative(self.strands[slot.source], self.steps, self.graph)
            assert source is not None
            found.append((source, slot.lag))
        return tuple(found)

    def __repr__(self) -> str:
        return f"<Folded: {len(self.cell)} nodes a step, steps {self.steps[0]}..{self.steps[-1]}>"

    def __str__(self) -> str:
        return recurrences(self)


def fold(graph: Graph | Node | Sequence[Node]) -> Folded:
    """Fold an unrolled graph into the cell that it repeats.

    The steps are those that the nodes were stamped with, by `step`, `steps` or a layer. Every step
    is compared with the others node by node: operation, static arguments, shapes, names, scopes,
    and wiring. Several cells at a step, as in stacked and bidirectional layers, are one cell
    here; cells of different scopes may have different numbers of steps, as an encoder and a decoder
    do. Time may grow in an index (``X[t]``), and in nothing else. Some steps may begin with a state
    that is cut, as in truncated backpropagation; and what is made of every step after the loop, as
    the terms of a loss and their running sum, belongs to its step. The cost is linear in the number
    of nodes.

    Parameters
    ----------
    graph : Graph, or what a Graph is made from

    Returns
    -------
    Folded

    Raises
    ------
    GraphError
        If there is nothing to fold, or a node breaks the pattern: the message names it.

    Examples
    --------
    >>> from microgrrepresent import Graph, Tensor, fold, steps, tanh
    >>> W, h = Tensor(0.5, requires_grad=True, name="W"), Tensor(0.0, name="h_0")
    >>> for t, x in steps(Tensor([1.0, 2.0, 3.0], name="X")):
    ...     h = tanh(h * W + x.named("x")).named("h")
    >>> folded = fold(Graph(h))
    >>> print(folded)
    before
      W: f64[]                       # parameter
      h_0: f64[]                     # input
      X: f64[3]                      # input
    at each step t = 1..3
      x[t]: f64[] = X[t-1]
      u(1)[t]: f64[] = mul h[t-1] W  # h[0] is h_0
      u(2)[t]: f64[] = add u(1)[t] x[t]
      h[t]: f64[] = tanh u(2)[t]
    >>> [(delay.source.name, delay.lag, delay.initial[0].name) for delay in folded.delays]
    [('h', 1, 'h_0')]
    >>> folded.template(h).step, sorted(folded.instances(h))
    (2, [1, 2, 3])
    """
    graph = graph if isinstance(graph, Graph) else Graph(graph)
    whole, names = _with_forward(graph)
    nodes = tuple(whole)
    strands, places = find_strands(nodes, set(whole.outputs), names)
    if not strands:
        raise GraphError(
            "fold: no result in this graph knows its step, so there is nothing to fold; run the "
            "loop over time as `for t, x in steps(xs)`, or inside `with step(t)`"
        )
    steps = tuple(sorted({t for strand in strands for t in strand.nodes}))
    wire(strands, places, names)
    add_late_strands(nodes, strands, places, names)
    cell = {
        i: _representative(strand, steps, graph)
        for i, strand in enumerate(strands)
        if not strand.cuts and any(node in graph for node in strand.nodes.values())
    }
    after: dict[Node, None] = {}
    for node in nodes:
        if any(parent in places or parent in after for parent in node.parents):
            after[node] = None
    outside = [node for node in graph if node not in places]
    return Folded(
        graph,
        steps,
        tuple(sorted(cell.values(), key=lambda node: node.id)),
        _delays(cell, strands),
        tuple(node for node in outside if node not in after),
        tuple(node for node in outside if node in after),
        tuple(strands),
        places,
        nodes,
    )


def _with_forward(graph: Graph) -> tuple[Graph, Names]:
    """The graph with the nodes that `forward` points to and what is behind them, and its labels.

    The graph of a gradient alone lacks most of the forward pass that it belongs to.
    """
    whole = graph
    while True:
        outside = [n.forward for n in whole if n.forward is not None and n.forward not in whole]
        if not outside:
            break
        whole = Graph([*whole.outputs, *outside])
    names = labels(tuple(whole))
    return whole, names if whole is graph else {**names, **labels(tuple(graph))}


def _representative(strand: Strand, steps: Sequence[int], graph: Graph) -> Node:
    """The node of the strand that is nearest to the middle step and in the graph."""
    middle = steps[len(steps) // 2]
    if middle in strand.nodes and strand.nodes[middle] in graph:
        return strand.nodes[middle]
    known = [t for t, node in strand.nodes.items() if node in graph] or list(strand.nodes)
    return strand.nodes[min(known, key=lambda t: abs(t - middle))]


def _delays(cell: dict[int, Node], strands: Sequence[Strand]) -> tuple[Delay, ...]:
    found: dict[tuple[Any, ...], list[tuple[Node, int]]] = {}
    for i, node in cell.items():
        for position, slot in enumerate(strands[i].slots):
            if slot.lag and slot.source is not None:
                key = (
                    slot.source,
                    slot.lag,
                    tuple(slot.boundary.values()),
                    cut_steps(slot, strands),
                )
                found.setdefault(key, []).append((node, position))
    return tuple(
        Delay(cell[source], lag, tuple(edges), initial, cuts)
        for (source, lag, initial, cuts), edges in found.items()
    )
