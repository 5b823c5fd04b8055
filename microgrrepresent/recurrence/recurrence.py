"""The recurrence in a graph: which nodes are one variable at several steps, and what it reads.

    h_1 = tanh(h_0 W + x_1)
    h_2 = tanh(h_1 W + x_2)      is      h_t = tanh(h_{t-1} W + x_t),   h_0 given
    h_3 = tanh(h_2 W + x_3)

It is found in the graph, never declared: `strands` lays the steps side by side, `reads` tells what
each variable is made from, relative to its step, and both look at every step, node by node.
`after_the_loop` adds what was made step by step when the loop was over, as the terms of a loss are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence.after_the_loop import add_what_was_made_after
from microgrrepresent.recurrence.breaks import Breaks
from microgrrepresent.recurrence.clock import Clock
from microgrrepresent.recurrence.reads import find_reads
from microgrrepresent.recurrence.strands import Place, Strand, behind, find_strands


@dataclass(frozen=True, eq=False)
class Recurrence:
    """The variables of a graph that repeat from step to step. Made by `recurrence`.

    Attributes
    ----------
    graph : Graph
        The graph that was asked about.
    nodes : tuple of Node
        Its nodes and, for a backward pass, those whose derivatives it computes, oldest first.
    steps : tuple of int
        The steps that repeat, counted.
    clock : Clock
        How steps count: as their own numbers where these follow each other, else 1, 2, 3, ...
    strands : tuple of Strand
        Each variable at every step, and what it reads. They point to each other by their index.
    places : dict from Node to (int, int)
        The index of its strand, and the step, of each node that is in one. What is not in a strand
        was made once.
    breaks : dict from Node to str
        Where the pattern is broken, and why. A graph with none can be folded.
    """

    graph: Graph
    nodes: tuple[Node, ...]
    steps: tuple[int, ...]
    clock: Clock
    strands: tuple[Strand, ...]
    places: dict[Node, Place]
    breaks: dict[Node, str]

    def strand(self, node: Node) -> Strand | None:
        """The variable that a node is one step of; None for a node that was made once."""
        return self.strands[self.places[node][0]] if node in self.places else None

    def behind(self, node: Node) -> Node:
        """The node itself; of one whose gradient is cut, what it is a copy of."""
        return behind(node, self.strands, self.places)

    @cached_property
    def after(self) -> frozenset[Node]:
        """What was made once from some of the steps: losses over all of them, last outputs."""
        found: set[Node] = set()
        for node in self.nodes:
            if node not in self.places and any(
                parent in self.places or parent in found for parent in node.parents
            ):
                found.add(node)
        return frozenset(found)

    @cached_property
    def states(self) -> dict[int, int]:
        """What passes from step to step: by index of its strand, the lag at which it is read."""
        found: dict[int, int] = {}
        for strand in self.strands:
            for read in strand.reads:
                if read.source is not None and read.lag and not strand.cuts:
                    known = found.get(read.source)
                    if known is None or abs(read.lag) < abs(known):
                        found[read.source] = read.lag
        return found


def recurrence(graph: Graph | Node | Sequence[Node], strict: bool = False) -> Recurrence:
    """Find the variables of a graph that repeat from step to step.

    The steps are those that the nodes were stamped with, by `step`, `steps` or a layer. Every step
    is compared with the others node by node: operation, static arguments, shapes, names, scopes,
    and wiring. The cost is close to linear in the number of nodes, whatever numbers the steps bear.

    Parameters
    ----------
    graph : Graph, or what a Graph is made from
        Any graph: of several loops, of a loop and its backward pass, or without steps.
    strict : bool
        Whether to refuse a graph whose steps differ; else the reasons are kept in `breaks`.

    Returns
    -------
    Recurrence

    Raises
    ------
    GraphError
        If it is to be strict, and a node breaks the pattern: the message names it.

    Examples
    --------
    >>> from microgrrepresent import Graph, Tensor, steps, tanh
    >>> from microgrrepresent.recurrence import recurrence
    >>> W, h = Tensor(0.5, requires_grad=True, name="W"), Tensor(0.0, name="h_0")
    >>> for t, x in steps(Tensor([1.0, 2.0, 3.0], name="X")):
    ...     h = tanh(h * W + x).named("h")
    >>> found = recurrence(h)
    >>> h_t = found.strand(h)
    >>> [(t, node.step) for t, node in h_t.nodes.items()]
    [(1, 1), (2, 2), (3, 3)]
    >>> product = found.strands[found.strands[h_t.reads[0].source].reads[0].source]
    >>> previous, weight = product.reads  # of h * W
    >>> found.strands[previous.source] is h_t, previous.lag, previous.boundary[1].name
    (True, 1, 'h_0')
    >>> weight.shared is W, found.breaks
    (True, {})
    """
    graph = graph if isinstance(graph, Graph) else Graph(graph)
    whole = _with_forward(graph)
    nodes = tuple(whole)
    clock = Clock(nodes)
    breaks = Breaks(graph, whole, clock, strict)
    strands, places = find_strands(nodes, set(whole.outputs), clock, breaks)
    steps = tuple(sorted({t for strand in strands for t in strand.nodes}))
    find_reads(strands, places, clock, breaks)
    add_what_was_made_after(nodes, strands, places, clock, breaks)
    return Recurrence(graph, nodes, steps, clock, tuple(strands), places, breaks.found)


def _with_forward(graph: Graph) -> Graph:
    """The graph with the nodes that `forward` points to and what is behind them.

    The graph of a gradient alone lacks most of the forward pass that it belongs to.
    """
    whole = graph
    while True:
        outside = [n.forward for n in whole if n.forward is not None and n.forward not in whole]
        if not outside:
            return whole
        whole = Graph([*whole.outputs, *outside])
