"""The recurrence in a graph: which nodes are one variable at several steps, and what it reads.

    h_1 = tanh(h_0 W + x_1)
    h_2 = tanh(h_1 W + x_2)      is      h_t = tanh(h_{t-1} W + x_t),   h_0 given
    h_3 = tanh(h_2 W + x_3)

It is found in the graph, never declared: `strands` lays the steps side by side, `reads` tells what
each variable is made from, relative to its step, and both look at every step, node by node.
`after_the_loop` adds what was made step by step when the loop was over, as the terms of a loss are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from microgrrepresent.errors import GraphError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence.after_the_loop import add_what_was_made_after
from microgrrepresent.recurrence.breaks import Breaks
from microgrrepresent.recurrence.clock import Clock
from microgrrepresent.recurrence.moments import Moments, moments
from microgrrepresent.recurrence.reads import find_reads
from microgrrepresent.recurrence.rounds import Rounds, rounds
from microgrrepresent.recurrence.strands import Position, Strand, behind, find_strands


class Start(NamedTuple):
    """What an initial value stands in for."""

    state: int
    """The strand of the state, by index."""
    lag: int
    reader: Node
    """The node that reads it first."""


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
    loops : Rounds
        Which loops begin when others are over.
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
    loops: Rounds
    strands: tuple[Strand, ...]
    places: dict[Node, Position]
    breaks: dict[Node, str]

    def __repr__(self) -> str:
        steps = f" at steps {self.steps[0]}..{self.steps[-1]}" if self.steps else ""
        return f"<Recurrence: {len(self.strands)} variables{steps}, {len(self.breaks)} breaks>"

    def refuse_breaks(self) -> None:
        """Raise a GraphError that says where the pattern is broken first, if it is."""
        for reason in self.breaks.values():
            raise GraphError(f"fold: {reason}")

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
        """What passes from step to step: by index of its strand, the shortest lag of a reader.

        A single step tells no lag; there, a state has the name of what is read in its place: of an
        initial value, or of the last state of an earlier loop.
        """
        found: dict[int, int] = {}
        for strand in self.strands:
            for read in () if strand.cuts else strand.reads:
                if read.source is not None and read.lag:
                    known = found.setdefault(read.source, read.lag)
                    if abs(read.lag) < abs(known):
                        found[read.source] = read.lag
        of = self.moments.of
        for strand in self.strands:  # where the pattern is broken, the next step reads another one
            for t, node in ((t, n) for read in strand.reads for t, n in read.boundary.items()):
                apart = of.get(strand.nodes[t], 0) - of.get(node, 0)
                if node in self.places and node in of and abs(apart) == 1:
                    found.setdefault(self.places[node][0], apart)
        return {k: lag for k, lag, _, _ in self._alone} | found

    @cached_property
    def initial(self) -> dict[Node, Start]:
        """What is read in place of a state at an end of time, and by which node first."""
        found: dict[Node, Start] = {}
        for strand in self.strands:
            for read in strand.reads:
                if read.source is not None and abs(read.lag) == 1:
                    for t, node in read.boundary.items():
                        if not read.regular[0] < t < read.regular[1]:
                            found.setdefault(node, Start(read.source, read.lag, strand.nodes[t]))
        return {start: Start(k, lag, reader) for k, lag, start, reader in self._alone} | found

    @cached_property
    def _alone(self) -> list[tuple[int, int, Node, Node]]:
        """In a loop of one step: each state, its lag, what is read in its place, and by what."""
        single = [k for k, strand in enumerate(self.strands) if self._is_of_one_step(strand)]
        states: dict[tuple[str | None, tuple[int, ...]], list[int]] = {}
        for k in single:
            node = self.strands[k].nodes[self.strands[k].first]
            if node.parents and node.name and node not in self._of_parameters:
                states.setdefault((node.name, node.shape), []).append(k)
        of = self.moments.of
        found: dict[Node, tuple[int, int, Node, Node]] = {}
        for strand in (self.strands[k] for k in single):
            reader = strand.nodes[strand.first]
            for value in reader.parents:
                known = value if value.step is not None else _copied(value)
                named = states.get((known.name, value.shape), [])
                named = [k for k in named if {of.get(n) for n in self._nodes_of(k)} == {of[reader]}]
                if value in found or not named or not of.get(value, 0) < of[reader]:
                    continue
                here = [k for k in named if reader.scope in (n.scope for n in self._nodes_of(k))]
                k = (here or named)[0]
                backward = any((value.step or 0) > (n.step or 0) for n in self._nodes_of(k))
                found[value] = k, -1 if backward and value.is_leaf else 1, value, reader
        return list(found.values())

    def _is_of_one_step(self, strand: Strand) -> bool:
        """Whether a strand is of the only step of its loop."""
        node = strand.nodes[strand.first]
        return len(self.steps) == 1 or (node.step is not None and self.loops.is_single(node))

    @cached_property
    def _of_parameters(self) -> frozenset[Node]:
        """Parameters, numbers, and what is made of them only."""
        found: set[Node] = set()
        for node in self.graph:
            if node.requires_grad if node.op is None else all(p in found for p in node.parents):
                found.add(node)
        return frozenset(found)

    def _nodes_of(self, k: int) -> Iterable[Node]:
        return self.strands[k].nodes.values()

    @cached_property
    def totals(self) -> frozenset[Node]:
        """Running sums (or products) over the steps, without names of their own.

        Each is made from the last one by one operation. The last of all may have a name.
        """
        found: set[Node] = set()
        for strand in self.strands:
            for read in strand.reads:
                if read.source is not None and abs(read.lag) == 1:
                    source = self.strands[read.source]
                    if _adds_up(strand, source):
                        found.update(strand.nodes.values(), source.nodes.values())
        return frozenset(found)

    @cached_property
    def moments(self) -> Moments:
        """When each node has its place: before the steps, at one of them, or after."""
        return moments(self.graph, self.clock, self.loops.of, self.strands, self.places)

    @cached_property
    def shared(self) -> frozenset[Node]:
        """What was made once and is read at several steps, or is made of parameters only.

        Results of a loop that several steps of a later one read, too, as a decoder reads its
        encoder's outputs.
        """
        of, after, weights = self.moments.of, self.moments.after, self._of_parameters
        found: set[Node] = set()
        for node in self.graph:
            complete = 0 < of[node] < after and node.step is None and node.parents
            if of[node] == 0 or (complete and node not in self.places):
                users = {of[user] for user in self.graph.consumers(node)} - {of[node]}
                if len(users) > 1 or (users and node in weights and not of[node]):
                    found.add(node)
        return frozenset(found)


def _copied(node: Node) -> Node:
    """What a node is a copy of, as C = stack([h_T])[0] is one of h_T."""
    while node.op is not None and node.op.kind == "moves" and len(node.parents) == 1:
        if node.parents[0].size != node.size:
            break
        node = node.parents[0]
    return node


def _adds_up(strand: Strand, source: Strand) -> bool:
    """Whether a strand is made from the step before of another by one more operation of a kind."""
    node, before = strand.nodes[strand.first], source.nodes[source.first]
    if node.step is None:
        return before.step is None and not before.is_leaf
    return before.name is None and (node.op, node.scope) == (before.op, before.scope)


def recurrence(graph: Graph | Node | Sequence[Node]) -> Recurrence:
    """Find the variables of a graph that repeat from step to step.

    The steps are those that the nodes were stamped with, by `step`, `steps` or a layer. Every step
    is compared with the others node by node: operation, static arguments, shapes, names, scopes,
    and wiring. The cost is close to linear in the number of nodes, whatever numbers the steps bear.

    Parameters
    ----------
    graph : Graph, or what a Graph is made from
        Any graph: of several loops, of a loop and its backward pass, or without steps.

    Returns
    -------
    Recurrence
        Also of a graph whose steps differ; where and why, its `breaks` tell.

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
    whole = _with_derived(graph)
    nodes = tuple(whole)
    clock = Clock(nodes)
    breaks = Breaks(graph, whole, clock)
    loops = rounds(nodes)
    known = find_strands(nodes, set(whole.outputs), clock, breaks, loops)
    steps = tuple(sorted({t for strand in known.strands for t in strand.nodes}))
    find_reads(known)
    add_what_was_made_after(nodes, known)
    strands = tuple(known.strands)
    return Recurrence(graph, nodes, steps, clock, loops, strands, known.places, breaks.found)


def _with_derived(graph: Graph) -> Graph:
    """The graph with the nodes that `derivative_of` points to and what is behind them.

    The graph of a gradient alone lacks most of the forward pass that it belongs to.
    """
    whole = graph
    while True:
        outside = [
            n.derivative_of
            for n in whole
            if n.derivative_of is not None and n.derivative_of not in whole
        ]
        if not outside:
            return whole
        whole = Graph([*whole.outputs, *outside])
