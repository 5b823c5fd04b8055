"""Folding: the unrolled graph of a recurrence goes back to one cell with delays.

It is the left half of the textbook figure (Goodfellow, Bengio and Courville, Deep Learning, 2016,
figure 10.2): one node stands for a variable at every step, and an edge to another step is a delay.
Which nodes these are, `recurrence` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from microgrrepresent.errors import GraphError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence.folded_listing import listing
from microgrrepresent.recurrence.recurrence import Recurrence, recurrence
from microgrrepresent.recurrence.strands import Strand, cut_steps


@dataclass(frozen=True, eq=False)
class Delay:
    """A variable of the cell that is read at another step than its own.

    Attributes
    ----------
    source : Node
        The cell's node that is read.
    lag : int
        Step t reads it at step t - lag: 1 for a recurrence, -1 for one that runs backward in
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

    def __repr__(self) -> str:
        return f"<Delay: {self.source.name or 'an unnamed node'}, lag {self.lag}>"


@dataclass(frozen=True, eq=False)
class Folded:
    """A graph, folded: one step of it, and what stands before, after, and between the steps.

    Made by `fold`; ``print(folded)`` lists it as a system of recurrences.

    Attributes
    ----------
    recurrence : Recurrence
        The variables of the graph that was folded, at every step.
    cell : tuple of Node
        A step in the midst of time stands for all: its nodes, in topological order, per-step
        inputs included.
    delays : tuple of Delay
        The edges between one step and another.
    prologue : tuple of Node
        Nodes that depend on no step: parameters, initial states, and what is made of them.
    epilogue : tuple of Node
        Nodes outside of the steps that depend on some: losses over all steps, last outputs.
    """

    recurrence: Recurrence
    cell: tuple[Node, ...]
    delays: tuple[Delay, ...]
    prologue: tuple[Node, ...]
    epilogue: tuple[Node, ...]

    @property
    def graph(self) -> Graph:
        """The graph that was folded; all nodes of the cell are nodes of it."""
        return self.recurrence.graph

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that were folded into one."""
        return tuple(map(self.recurrence.clock.stamp, self.recurrence.steps))

    def template(self, node: Node) -> Node | None:
        """The cell's node that stands for this one; None for a node of prologue or epilogue.

        What is cut stands for its cuts, too.

        Examples
        --------
        See `fold`.
        """
        strand = self.recurrence.strand(self.recurrence.behind(node))
        return None if strand is None else _representative(strand, self.recurrence)

    def instances(self, node: Node) -> dict[int, Node]:
        """The node that one of the cell's stands for at each step: {t: node}.

        Raises
        ------
        GraphError
            If the node is not of the cell, nor one that the cell stands for.
        """
        strand = self.recurrence.strand(node)
        if strand is None:
            raise GraphError(f"{node.name or 'the node'} is not repeated from step to step")
        return {self.recurrence.clock.stamp(t): found for t, found in strand.nodes.items()}

    def reads(self, node: Node) -> tuple[tuple[Node, int], ...]:
        """What a node of the cell reads in place of each parent, and with which lag.

        Returns
        -------
        tuple of (Node, int)
            A node of the cell that is read at step t - lag, or with lag 0 a node of the prologue.
        """
        strand, found = self.recurrence.strand(node), []
        assert strand is not None
        for read in strand.reads:
            source = read.shared
            if read.source is not None:
                source = _representative(self.recurrence.strands[read.source], self.recurrence)
            assert source is not None
            found.append((source, read.lag))
        return tuple(found)

    def __repr__(self) -> str:
        return f"<Folded: {len(self.cell)} nodes a step, steps {self.steps[0]}..{self.steps[-1]}>"

    def __str__(self) -> str:
        return listing(self)


def fold(graph: Graph | Node | Sequence[Node]) -> Folded:
    """Fold an unrolled graph into the cell that it repeats.

    The steps are those that the nodes were stamped with, by `step`, `steps` or a layer. Every step
    is compared with the others node by node: operation, static arguments, shapes, names, scopes,
    and wiring. Steps whose numbers are far apart, such as years, count 1, 2, 3, ... Several cells
    at a step, as in stacked and bidirectional layers, are one cell here; cells of different scopes
    may have different numbers of steps, as an encoder and a decoder do. Time may grow in an index
    (``X[t]``), and in nothing else. Some steps may begin with a state that is cut, as in truncated
    backpropagation; and what is made of every step, or of some in a row, after the loop, as the
    terms of a loss and their running sum, belongs to its step. The cost is linear in the number of
    nodes.

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
    found = recurrence(graph)
    found.refuse_breaks()
    if not found.strands:
        raise GraphError(
            "fold: no result in this graph knows its step, so there is nothing to fold; run the "
            "loop over time as `for t, x in steps(xs)`, or inside `with step(t)`"
        )
    graph = found.graph
    cell = {
        i: _representative(strand, found)
        for i, strand in enumerate(found.strands)
        if not strand.cuts and any(node in graph for node in strand.nodes.values())
    }
    once = [node for node in graph if node not in found.places]
    return Folded(
        found,
        tuple(sorted(cell.values(), key=lambda node: node.id)),
        _delays(cell, found.strands),
        tuple(node for node in once if node not in found.after),
        tuple(node for node in once if node in found.after),
    )


def _representative(strand: Strand, found: Recurrence) -> Node:
    """The node of the strand that is nearest to the middle step and in the graph."""
    middle = found.steps[len(found.steps) // 2]
    if middle in strand.nodes and strand.nodes[middle] in found.graph:
        return strand.nodes[middle]
    known = [t for t, node in strand.nodes.items() if node in found.graph] or list(strand.nodes)
    return strand.nodes[min(known, key=lambda t: abs(t - middle))]


def _delays(cell: dict[int, Node], strands: Sequence[Strand]) -> tuple[Delay, ...]:
    found: dict[tuple[Any, ...], list[tuple[Node, int]]] = {}
    for i, node in cell.items():
        for position, read in enumerate(strands[i].reads):
            if read.lag and read.source is not None:
                initial, cuts = tuple(read.boundary.values()), cut_steps(read, strands)
                key = read.source, read.lag, initial, cuts
                found.setdefault(key, []).append((node, position))
    return tuple(
        Delay(cell[source], lag, tuple(edges), initial, cuts)
        for (source, lag, initial, cuts), edges in found.items()
    )
