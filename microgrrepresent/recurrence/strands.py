"""Strands: each variable of a cell, followed through the steps.

    h_1, h_2, h_3, ..., h_T        is one strand,
    the products h_{t-1} @ W       are another one.

A cell makes the same variables in the same order at every step, so the steps are laid side by side
like lines of a table, and every column is a strand. Two nodes can stand in one column if they agree
in all that a step may not change: operation, static arguments, shape, data type, name and scope.

Lines may differ at the ends of time. A loss on the last output leaves the other outputs out of the
graph; a reverse sweep has nothing to add to the first gradient that it meets, and does not go on
past the first step. So a column may be empty in the first or last lines, but must have no holes.

Only a *cut* may: a `stop_gradient` or ``detach()`` on the way from one step to another, as
truncated backpropagation has it every k steps. It changes no value: the wiring looks through it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from microgrrepresent.node import Node
from microgrrepresent.recurrence.alignment import columns
from microgrrepresent.recurrence.breaks import Breaks
from microgrrepresent.recurrence.clock import Clock
from microgrrepresent.recurrence.pairing import Operand
from microgrrepresent.recurrence.rounds import Rounds

Position = tuple[int, int]  # a strand's index and a step, counted (see `Clock`)


@dataclass(slots=True, eq=False)
class Read:
    """What the strand's nodes read as one of their parents.

    Attributes
    ----------
    source : int or None
        Index of the strand that is read; None if every step reads the same node.
    lag : int
        Step t reads the source at step t - lag: 0 within a step, 1 from the step before, -1 from
        the step after.
    shared : Node or None
        The node that every step reads, where there is no source.
    boundary : dict from int to Node
        What is read instead at the first or last steps, by step: initial values. Where nodes break
        the pattern, also what they read.
    regular : (int, int)
        The first and the last step that read the source.
    cut : (int, int) or None
        Strand and lag of the cuts that stand between some steps and the source.
    """

    source: int | None = None
    lag: int = 0
    shared: Node | None = None
    boundary: dict[int, Node] = field(default_factory=dict)
    regular: tuple[int, int] = (0, 0)
    cut: tuple[int, int] | None = None


@dataclass(slots=True, eq=False)
class Strand:
    """One variable of the cell: its node at each step, and where these read their parents.

    Attributes
    ----------
    nodes : dict from int to Node
        By step, in order, without gaps; only cuts may have some, and what breaks the pattern.
    backward : bool
        Whether the nodes belong to a symbolic backward pass.
    cuts : bool
        Whether the nodes are cuts: their one read tells what is cut.
    reads : list of Read
        One for each parent.
    slopes : list of int
        By how much each number in a `getitem`'s index grows from step to step.
    """

    nodes: dict[int, Node]
    backward: bool
    reads: list[Read] = field(default_factory=list)
    slopes: list[int] = field(default_factory=list)
    cuts: bool = False

    @property
    def first(self) -> int:
        """The first step that has a node."""
        return next(iter(self.nodes))

    @property
    def last(self) -> int:
        """The last step that has a node."""
        return next(reversed(self.nodes))


@dataclass(eq=False)
class Strands:
    """The strands of a graph, as far as they are known, and where each node stands in them.

    Attributes
    ----------
    clock : Clock
        What counts as which step.
    breaks : Breaks
        Takes down which nodes break the pattern.
    strands : list of Strand
    places : dict from Node to (int, int)
        The strand and the step of every node that is in one.
    """

    clock: Clock
    breaks: Breaks
    strands: list[Strand] = field(default_factory=list)
    places: dict[Node, Position] = field(default_factory=dict)

    def add(self, strand: Strand) -> None:
        """Append a strand."""
        self.places |= {node: (len(self.strands), t) for t, node in strand.nodes.items()}
        self.strands.append(strand)

    def keep(self, count: int) -> None:
        """Take out all strands but the first so many."""
        for strand in self.strands[count:]:
            for node in strand.nodes.values():
                del self.places[node]
        del self.strands[count:]


# --- finding strands ------------------------------------------------------------------------------


def find_strands(
    nodes: Sequence[Node],
    outputs: Container[Node],
    clock: Clock,
    breaks: Breaks,
    loops: Rounds,
) -> Strands:
    """Find the strands of results; leaves and numbers join when wiring finds out who reads them.

    Parameters
    ----------
    nodes
        In topological order; every node's `derivative_of` is among them.
    outputs
        Nodes that may have names of their own.
    clock, breaks
        As in `Strands`.
    loops
        Which of them are of one step: their strands have one node each.
    """
    known = Strands(clock, breaks)
    sweeps = _sweeps(nodes)
    by_sweep: list[list[Node]] = [[] for _ in range(max(sweeps.values()) + 1)]
    cuts = _cuts(nodes, outputs)
    for node in nodes:
        if node.step is not None and node not in cuts and node.parents:
            by_sweep[sweeps[node]].append(node)
    for sweep, found in enumerate(by_sweep):
        # nodes of the forward pass are grouped by scope, those of a backward pass by the strand
        # whose derivative they compute: groups are then short, and steps can differ in places
        groups: dict[Hashable, dict[int, list[Node]]] = {}
        for node in found:
            group: Hashable = node.scope
            if node.derivative_of is not None:
                if node.derivative_of not in known.places:
                    continue
                group = known.places[node.derivative_of][0]
            assert node.step is not None
            groups.setdefault(group, {}).setdefault(clock.count(node.step), []).append(node)
        for lines in groups.values():
            for column in _aligned(dict(sorted(lines.items())), sweep > 0, sweeps, known, outputs):
                known.add(Strand(column, sweep > 0))
    known = _without_heads(nodes, known, loops)
    _add_cuts(cuts, known)
    return known


def _cuts(nodes: Sequence[Node], outputs: Container[Node]) -> dict[Node, Node]:
    """The places where the way from one step to another is cut for the gradient, and what is cut.

    A detached state has no parent; it is known by the array, which it shares with what it was.
    """
    made = [node for node in nodes if node.step is not None and node.op is not None]
    owners = {id(node.value): node for node in reversed(made)}
    found: dict[Node, Node] = {}
    for node in nodes:
        cut: Node | None = None
        if node.op is not None and node.op.kind == "cut":
            cut = node.parents[0]
        elif node.op is None and node.params.get("detached"):
            cut = owners.get(id(node.value))
        if node.step is None or cut is None or node in outputs:
            continue
        if cut.step is not None and cut.op is not None and cut not in found:
            found[node] = cut
    inside = {  # read in the step that the source is of, too
        parent
        for node in nodes
        for parent in node.parents
        if parent in found and node.step in (None, found[parent].step)
    }
    return {node: cut for node, cut in found.items() if node not in inside}


def _add_cuts(cuts: dict[Node, Node], known: Strands) -> None:
    """Make strands of the cuts, one for each state that is cut."""
    groups: dict[tuple[int, int, int], dict[int, Node]] = {}
    counts: Counter[tuple[int, int]] = Counter()
    for node, cut in cuts.items():
        assert node.step is not None
        if cut in known.places:
            source, s = known.places[cut]
            t = known.clock.count(node.step)
            counts[source, t] += 1
            groups.setdefault((source, t - s, counts[source, t]), {})[t] = node
    for (source, lag, _), found in groups.items():
        found = dict(sorted(found.items()))
        read = Read(source, lag, regular=(min(found), max(found)))
        known.add(Strand(found, False, [read], cuts=True))


def _sweeps(nodes: Sequence[Node]) -> dict[Node, int]:
    """Which reverse sweep made each node: 0 for none, then 1, 2, ... in order.

    A sweep goes through the graph from the youngest node to the oldest, so where `derivative_of`
    goes up again, another sweep began. A leaf is counted where it is read first: a seed belongs to
    its sweep.
    """
    found: dict[Node, int] = {}
    last, sweep = 0, 0
    for node in nodes:
        found[node] = 0
        if node.derivative_of is not None:
            if not sweep or node.derivative_of.id > last:
                sweep += 1
            last = node.derivative_of.id
            found[node] = sweep
    first_read: dict[Node, int] = {}
    for node in nodes:
        for parent in node.parents:
            if parent.is_leaf:
                first_read.setdefault(parent, found[node])
    return found | first_read


def _aligned(
    lines: dict[int, list[Node]],
    backward: bool,
    sweeps: Mapping[Node, int],
    known: Strands,
    outputs: Container[Node],
) -> list[dict[int, Node]]:
    """The columns of one group's lines."""

    def operands(node: Node, t: int) -> tuple[Operand, ...]:
        found = []
        for parent in node.parents:
            strand, s = known.places.get(parent, (None, t))
            sweep = -1 if parent.is_number else sweeps[parent]
            found.append(Operand(strand, s - t, sweep if backward else 0))
        return tuple(found)

    def exists(strand: int, t: int) -> bool:
        return t in known.strands[strand].nodes

    return columns(lines, backward, operands, exists, outputs, known.breaks)


def _without_heads(nodes: Sequence[Node], known: Strands, loops: Rounds) -> Strands:
    """Take out what was made once: what no strand reads, and what strands read at several steps.

    The first is an output's head, such as the loss of the last step; the second was worked out at
    one step to be used at all of them. What is in a loop of one step is neither.
    """
    strands, places = known.strands, known.places
    if len({t for strand in strands for t in strand.nodes}) < 2:
        return known
    alone = (strand.nodes[strand.first] for strand in strands if len(strand.nodes) == 1)
    single = {node for node in alone if not loops.is_single(node)}
    readers: dict[Node, list[Node]] = {node: [] for node in single}
    for node in nodes:
        for parent in node.parents:
            if parent in readers:
                readers[parent].append(node)
    for node in reversed(nodes):
        if node in single and len({places[r][1] for r in readers[node] if r in places}) != 1:
            del places[node]
    kept = Strands(known.clock, known.breaks)
    for strand in strands:
        if strand.nodes[strand.first] in places:
            kept.add(strand)
    return kept


def behind(node: Node, strands: Sequence[Strand], places: Mapping[Node, Position]) -> Node:
    """The node itself; of a cut, the one that is cut."""
    if node not in places or not strands[places[node][0]].cuts:
        return node
    k, t = places[node]
    (read,) = strands[k].reads
    assert read.source is not None
    return strands[read.source].nodes[t - read.lag]


def cut_steps(read: Read, strands: Sequence[Strand]) -> tuple[int, ...]:
    """The steps that read through a cut."""
    if read.cut is None:
        return ()
    strand, lag = read.cut
    return tuple(t + lag for t in strands[strand].nodes)


def common(votes: Counter[Any]) -> Any:
    """What most voted for; the first of several."""
    return votes.most_common(1)[0][0]
