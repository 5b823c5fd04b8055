"""Which column of a picture each node belongs to: time runs from left to right, a column a step.

Column 0 holds what was made once before the loop, columns 1 to T the steps, column T+1 what came
after the loop. Most nodes know their step. The others are placed by what they are made from and
what they are used for: a running sum of losses goes along with the steps, a mean over all of them
comes last.

Two scopes usually share their columns, as the layers of a stack do. Where one needs a later step of
the other than its own, as a decoder needs the encoder's last state, it comes after it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property

from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

Slot = tuple[str, str, str, int, int]
"""What corresponding nodes of all steps have in common: scope, operation, name, ordinal.

Before the ordinal stands a number for what a node of a symbolic backward pass takes part in: the
derivative of which forward node, made of which of its other nodes. The first and the last step lack
some of these nodes, so that ordinals alone would take one for another.
"""


Delays = dict[tuple[Node, int], tuple[Node, int]]
"""The edges (child, position) that read at another step, each with the state and its lag."""


@dataclass(frozen=True)
class Timeline:
    """Columns, and which nodes correspond to each other in different columns.

    Attributes
    ----------
    graph : Graph
        What is drawn.
    titles : tuple of int, str or None
        The time index of each column 1 to T: a number, the t of a folded graph, or None for a
        column of hidden steps.
    column : dict
        The column of each node, from 0 to T+1.
    slot : dict
        Equal for corresponding nodes.
    shared : set
        Nodes of column 0 that several steps use, or that are made of parameters only; and results
        of a loop that several steps of a later one use, as a decoder does its encoder's outputs.
    passes : dict
        The slots of states: 1 where the next step uses their values, -1 where the step before does.
    totals : set
        Running totals over the steps that have no names of their own. The last one may have a name.
    nodes : tuple of Node
        What is drawn, in topological order.
    stands_for : dict
        In a folded graph: the node that is drawn in place of one of another step.
    """

    graph: Graph
    titles: tuple[int | str | None, ...]
    column: dict[Node, int]
    slot: dict[Node, Slot]
    shared: frozenset[Node]
    passes: dict[Slot, int]
    totals: frozenset[Node]
    nodes: tuple[Node, ...]
    stands_for: dict[Node, Node] = field(default_factory=dict)
    delayed: Delays = field(default_factory=dict)
    """In a folded graph: the edges that read a state at another step."""
    marks: dict[Node, str] = field(default_factory=dict)
    """In a folded graph: the mark of a state whose gradient is cut every so many steps."""

    @property
    def T(self) -> int:
        """Number of steps."""
        return len(self.titles)

    @cached_property
    def outputs(self) -> frozenset[Node]:
        """The graph's outputs."""
        return frozenset(self.graph.outputs)

    @cached_property
    def cuts(self) -> dict[Node, Node]:
        """Where no gradient passes: each cut, with the node that it is a copy of.

        A cut has no box. It is drawn on the arrows that lead away from that node, so that a step
        whose state was cut looks like every other step. One with a name is a variable by itself.
        """
        found: dict[Node, Node] = {}
        for node in self.nodes:
            if is_cut(node) and node.name is None and node not in self.outputs:
                whole = self.stands_for.get(node.parents[0], node.parents[0])
                if whole in self.column:
                    found[node] = found.get(whole, whole)
        return found

    def users(self, node: Node) -> list[Node]:
        """The nodes of the drawing that are made from a node, one entry for each edge."""
        return [user for user in self.graph.consumers(node) if user in self.column]

    @cached_property
    def late(self) -> frozenset[Node]:
        """The nodes that are read at another step than their own; none unless it is folded."""
        return frozenset(state for state, _ in self.delayed.values())

    @cached_property
    def nameless(self) -> dict[Node, str]:
        """In a folded graph, what the cell's results without a name are called, at every step."""
        found = [n for n in self.nodes if n.parents and n.name is None and self.is_step(n)]
        return {node: f"u({i})" for i, node in enumerate(found, 1)} if self.stands_for else {}

    def subscript(self, node: Node) -> int | str | None:
        """What a drawing writes below a node's name: its time index; none if it is a total."""
        if node in self.totals and not self.stands_for:
            return None
        several = node.step is None and self._peers[self.slot[node], node.name] > 1
        if self.is_step(node) and (self.stands_for or several):
            return self.titles[self.column[node] - 1]
        return node.step

    @cached_property
    def _peers(self) -> Counter[tuple[Slot, str | None]]:
        """How many steps have a node of a kind and name: the only one needs no time index."""
        return Counter((self.slot[node], node.name) for node in self.nodes if self.is_step(node))

    def is_step(self, node: Node) -> bool:
        """Whether the node belongs to a step."""
        return 0 < self.column[node] <= self.T


def is_cut(node: Node) -> bool:
    """Whether a node is a copy of its parent that passes no gradient on."""
    return node.op is not None and node.op.kind == "cut"


def timeline(graph: Graph) -> Timeline:
    """Sort the nodes of a graph into columns."""
    column, titles = _by_step(graph)
    last = len(titles) + 1
    totals = _totals_of_steps(graph, column) | _place_results(graph, column, last)
    _place_what_one_step_uses(graph, column, last, totals)
    for node in reversed(list(graph)):
        users = {column[user] for user in graph.consumers(node)}
        column.setdefault(node, last if titles and users == {last} else 0)
    slot = _slots(graph, column, totals)
    shared = _shared(graph, column) | _memories(graph, column, last, totals)
    passes = _passes(graph, column, slot, last)
    for node in shared:  # a memory is read, it does not pass
        passes.pop(slot[node], None)
    return Timeline(graph, titles, column, slot, shared, passes, totals, tuple(graph))


def _root(node: Node) -> str:
    return node.scope.partition("/")[0]


def _by_step(graph: Graph) -> tuple[dict[Node, int], tuple[int, ...]]:
    """Columns of the nodes that know their step, and the time of each column."""
    busy: dict[str, set[int]] = defaultdict(set)
    for node in graph:
        if node.step is not None and node.parents:
            busy[_root(node)].add(node.step)
    offsets = _offsets(graph, busy)
    found = {
        node: (offsets[_root(node)], node.step)
        for node in graph
        if node.step is not None and node.parents
    }
    for node in graph:  # a leaf goes with the first use of it at its own step
        if node.step is not None and not node.parents:
            uses = [found[n] for n in graph.consumers(node) if n in found and n.step == node.step]
            if uses:
                found[node] = min(uses)
    places = sorted(set(found.values()))
    position = {place: i for i, place in enumerate(places, 1)}
    return {n: position[place] for n, place in found.items()}, tuple(t for _, t in places)


def _offsets(graph: Graph, busy: dict[str, set[int]]) -> dict[str, int]:
    """For each outermost scope, how many scopes' loops have to be over before it begins."""
    reach: dict[Node, dict[str, int]] = {}  # the latest step of each scope behind a node
    after: set[tuple[str, str]] = set()
    for node in graph:
        mine = _root(node)
        if node.step is None:
            merged: dict[str, int] = {}
            for parent in node.parents:
                for root, t in reach[parent].items():
                    merged[root] = max(t, merged.get(root, t))
            reach[node] = merged
            continue
        if node.op is not None and not node.op.is_selection:  # x_t = X[t] waits for all of X
            for parent in node.parents:
                for root, t in reach[parent].items():
                    if root != mine and t > node.step:
                        after.add((root, mine))
        reach[node] = {mine: node.step} if node.parents else {}
    offsets = dict.fromkeys(busy, 0)
    for _ in busy:  # at most one round for each scope
        for a, b in after:
            if (b, a) not in after:
                offsets[b] = max(offsets[b], offsets[a] + 1)
    return offsets


def _place_results(graph: Graph, column: dict[Node, int], last: int) -> frozenset[Node]:
    """Results without a step, made of steps: a running total goes along, the rest comes last.

    What a later step reads, as a decoder reads its encoder's outputs, stands where it is complete.
    """
    late: dict[Node, int] = {}
    for node in graph:
        if node not in column:
            columns = [column.get(p, late.get(p, 0)) for p in node.parents]
            if max(columns, default=0):
                late[node] = max(columns)
    read: dict[Node, int] = {}  # the last column that reads a result
    for node in reversed(list(graph)):
        reader = column.get(node, read.get(node, 0))
        for parent in node.parents:
            if parent in late:
                read[parent] = max(reader, read.get(parent, 0))
    per_column = Counter((node.op, c) for node, c in late.items())
    for node, c in late.items():
        sums = {p for p in node.parents if p in late}
        goes_along = all(p in column and column[p] < last for p in sums) and (
            per_column[node.op, c - 1] or (c + 1 < last and per_column[node.op, c + 1])
        )
        column[node] = c if goes_along or read.get(node, 0) > c else last
    totals: set[Node] = set()
    for node, c in late.items():
        before = [p for p in node.parents if late.get(p, c) < c]
        if before and column[node] < last:
            totals.update((node, *before))
    return frozenset(totals)


def _totals_of_steps(graph: Graph, column: dict[Node, int]) -> frozenset[Node]:
    """Nameless results of the steps, each made from the last one by one operation."""
    totals: set[Node] = set()
    for node in graph:
        if node.op is None or node not in column:
            continue
        for p in node.parents:
            beside = p in column and abs(column[p] - column[node]) == 1
            if beside and p.name is None and (p.op, p.scope) == (node.op, node.scope):
                totals.update((p, node))
    return frozenset(totals)


def _place_what_one_step_uses(
    graph: Graph, column: dict[Node, int], last: int, totals: frozenset[Node]
) -> None:
    """Nodes made outside of the loop, one for each step, such as its inputs, go to their steps."""
    slot = _slots(graph, column, totals)
    peers = {(slot[node], column[node]): node for node in graph if node in column}

    outputs = set(graph.outputs)

    def only_column(node: Node) -> int | None:
        columns = {column.get(user) for user in graph.consumers(node)}
        return columns.pop() if len(columns) == 1 else None

    for node in reversed(list(graph)):
        outside = node.step is None and column.get(node, last) == last
        if not outside or (node.is_leaf and node.requires_grad) or node in outputs:
            continue
        c = only_column(node)
        if c is None or not 0 < c < last:
            continue
        user = graph.consumers(node)[0]
        i = position(node, user)
        for peer in (peers.get((slot[user], c + d)) for d in (-1, 1)):
            if peer is not None and i < len(peer.parents):
                other = peer.parents[i]
                if other is not node and other.step is None and only_column(other) is not None:
                    column[node] = c


def _slots(graph: Graph, column: dict[Node, int], totals: frozenset[Node]) -> dict[Node, Slot]:
    counts: Counter[tuple[int, str, str, str, int]] = Counter()
    slots: dict[Node, Slot] = {}
    derivatives: dict[tuple[Slot | None, ...], int] = {}
    for node in graph:
        what = (node.op.name if node.op else "") + ("'" if node.forward is not None else "")
        letter = node.name or "" if node not in totals else ""
        of = 0
        if node.forward is not None:
            mine = (slots[p] if p.forward is node.forward else None for p in node.parents)
            of = derivatives.setdefault((slots.get(node.forward), *mine), len(derivatives) + 1)
        key = (column.get(node, 0), node.scope, what, letter, of)
        counts[key] += 1
        slots[node] = (*key[1:], counts[key])
    return slots


def _passes(
    graph: Graph, column: dict[Node, int], slot: dict[Node, Slot], last: int
) -> dict[Slot, int]:
    found: dict[Slot, int] = {}
    for node in graph:
        for parent in node.parents:
            here, there = column[parent], column[node]
            if abs(there - here) == 1 and min(here, there) > 0 and max(here, there) < last:
                found.setdefault(slot[parent], there - here)
    if last == 2 and not found:  # a single step: a state has the name of an initial value
        for node in graph:
            for parent in node.parents:
                if column[node] == 1 and column[parent] == 0 and parent.name and not parent.parents:
                    backward = (parent.step or 0) > (node.step or 0)
                    found |= {
                        slot[n]: -1 if backward else 1
                        for n in graph
                        if n.name == parent.name and column[n] == 1 and n.parents
                    }
    return found


def _shared(graph: Graph, column: dict[Node, int]) -> frozenset[Node]:
    if not any(column.values()):
        return _shared_by_places(graph)
    weights: set[Node] = set()  # parameters, numbers, and what is made of them only
    shared = set()
    for node in graph:
        if node.requires_grad if node.op is None else all(p in weights for p in node.parents):
            weights.add(node)
        if column[node] == 0:
            users = {column[user] for user in graph.consumers(node)} - {0}
            if len(users) > 1 or (users and node in weights):
                shared.add(node)
    return frozenset(shared)


def _memories(
    graph: Graph, column: dict[Node, int], last: int, totals: frozenset[Node]
) -> frozenset[Node]:
    found = set()
    for node in graph:
        if node.step is None and node.parents and 0 < column[node] < last and node not in totals:
            users = {column[user] for user in graph.consumers(node)} - {column[node]}
            if len(users) > 1:
                found.add(node)
    return frozenset(found)


def _shared_by_places(graph: Graph) -> frozenset[Node]:
    """Without steps: all parameters, where a cell uses one of them in several places.

    Two uses in no scope are two arrows, which is what a graph without cells is there to show.
    """
    for parameter in graph.parameters:
        users = graph.consumers(parameter)
        if len(users) > 2 or (len(users) == 2 and all(user.scope for user in users)):
            return frozenset(graph.parameters)
    return frozenset()


def position(parent: Node, child: Node) -> int:
    """Where a node stands first among another's parents (``==`` of Tensors compares elements)."""
    return next(i for i, node in enumerate(child.parents) if node is parent)
