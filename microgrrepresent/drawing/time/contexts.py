r"""Contexts: what a step of one loop makes of the states of another, as attention does.

    C_t = Σ_k α_{t,k} h_k

The context C_t is where all ways from the states h_k come together within the step. The weights are
what on these ways is nowhere below 0 and sums to 1 over the states: by the values that the graph
recorded, whoever has computed them, and by whatever operation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from microgrrepresent.node import Node

if TYPE_CHECKING:
    from microgrrepresent.drawing.time.timeline import Timeline

Way = tuple[Node, tuple[tuple[Node, int], ...]]
"""A state, and the edges on its way to a memory of several."""
MOST = 1_000
"""So many arrows can be told apart; with more, contexts are drawn as everything else is."""
CLOSE = 1e-3
"""How far from 1 a sum of weights may be."""


@dataclass(frozen=True, eq=False)
class Context:
    """One step's context.

    Attributes
    ----------
    node : Node
        C_t.
    sources : tuple of Node
        The states h_k, in order.
    members : frozenset of Node
        All that the step computes for it, and for nothing else.
    weights : Node or None
        α_t, if they can be told.
    shares : dict from Node to float
        The weight of each state, the mean of a batch; empty without weights.
    """

    node: Node
    sources: tuple[Node, ...]
    members: frozenset[Node]
    weights: Node | None = None
    shares: dict[Node, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Contexts:
    """All contexts of a graph.

    Attributes
    ----------
    of : dict from Node to Context
        The context that each member belongs to.
    ways : dict from Node to list of Way
        What members read, taken apart: the states, and how each came to be there.
    memories : dict from Node to list of Node
        The memories that nothing else reads, and the states that each is made of.
    """

    of: dict[Node, Context] = field(default_factory=dict)
    ways: dict[Node, list[Way]] = field(default_factory=dict)
    memories: dict[Node, list[Node]] = field(default_factory=dict)


def contexts(time: Timeline) -> Contexts:
    """Find the contexts of loops that stand above others."""
    found = Contexts()
    if len(time.storeys) < 2:
        return found
    steps: dict[int, list[Node]] = defaultdict(list)
    for node in time.nodes:
        ways = _ways(node, found)
        if ways:
            found.ways[node] = ways
        if time.column[node] >= time.storeys[1] and time.is_step(node) and node not in time.shared:
            steps[time.column[node]].append(node)
    arrows = 0
    for inside in steps.values():
        own = _context(time, inside, found)
        if own is not None:
            found.of.update(dict.fromkeys(own.members, own))
            arrows += len(own.sources)
        if arrows > MOST:
            return Contexts()
    for node in reversed(time.nodes):
        users = time.users(node)
        is_read = users and all(user in found.of or user in found.memories for user in users)
        sources = [source for source, edges in found.ways.get(node, ()) if edges]
        if is_read and sources and node not in time.outputs:
            found.memories[node] = sources
    return found


def _ways(node: Node, found: Contexts) -> list[Way]:
    """The states that a node holds side by side, and the ways from them; none if it is no memory.

    A state is its own only part, and there are no edges on that way.
    """
    if node.step is not None and node.parents:
        return [(node, ())]
    if node.op is None or node.op.kind != "moves":
        return []
    parts = [found.ways.get(parent, []) for parent in node.parents]
    if not all(parts) or sum(parent.size for parent in node.parents) != node.size:
        return []
    return [(source, (*edges, (node, i))) for i, part in enumerate(parts) for source, edges in part]


def _context(time: Timeline, inside: Sequence[Node], found: Contexts) -> Context | None:
    """The context of one step, given the nodes of the step in topological order."""
    read: dict[bool, dict[Node, list[Node]]] = {True: {}, False: {}}  # in memories, or one by one
    for node in inside:
        for i, parent in enumerate(node.parents):
            if _is_below(time, parent, node) and not time.is_state_before(node, i):
                ways = found.ways.get(parent, [])
                read[len(ways) > 1].setdefault(node, []).extend(source for source, _ in ways)
    reads = read[True] or read[False]
    touched = {node for node in reads if reads[node]}
    states = {state for states in reads.values() for state in states}
    sources = tuple(sorted(states, key=lambda state: time.column[state]))
    columns = {time.column[source] for source in sources}
    slots = {time.slot[source] for source in sources}
    if len(columns) < len(sources) or len(slots) != 1:
        return None
    context = _meeting(time, inside, touched, len(sources))
    if context is None or time.slot[context] in time.passes:
        return None
    members = _members(time, inside, context)
    weights, shares = _weights(members - {context}, len(sources))
    if len(sources) == 1 and weights is None:  # a state, as it is
        return None
    return Context(context, sources, members, weights, dict(zip(sources, shares, strict=False)))


def _is_below(time: Timeline, parent: Node, child: Node) -> bool:
    """Whether a node comes from a loop below that of another."""
    if not time.column.get(parent):
        return False
    return time.storey(parent) < time.storey(child)


def _meeting(time: Timeline, inside: Sequence[Node], touched: set[Node], n: int) -> Node | None:
    """The first node of a step through which all ways lead that begin at some others.

    Where it still holds a row for each of n states, it is what adds these up.
    """
    here, left = set(inside), set(touched)
    behind: set[Node] = set()
    waiting: dict[Node, int] = {}  # what has users on the ways that have not come yet
    found: Node | None = None
    for node in inside:
        if node not in touched and behind.isdisjoint(node.parents):
            continue
        behind.add(node)
        left.discard(node)
        for parent in set(node.parents) & waiting.keys():
            waiting[parent] -= 1
            if not waiting[parent]:
                del waiting[parent]
        users = {user for user in time.users(node) if user in here}
        if users:
            waiting[node] = len(users)
        if left or waiting.keys() - {node}:
            continue
        if found is not None and not _goes_on(found, node, n):
            break
        found = node
    return found


def _goes_on(found: Node, node: Node, n: int) -> bool:
    """Whether a node adds up n rows of another, or is that one in another shape."""
    is_moved = node.op is not None and node.op.kind == "moves" and node.size == found.size
    return node.size * n <= found.size or (is_moved and found.name is None)


def _members(time: Timeline, inside: Sequence[Node], context: Node) -> frozenset[Node]:
    """What a step computes for its context alone."""
    found = {context}
    for node in reversed(inside):
        if node.parents or node.is_number:
            users = [user for user in time.users(node) if user in time.column]
            if users and found.issuperset(users):
                found.add(node)
    return frozenset(found)


def _weights(members: frozenset[Node], n: int) -> tuple[Node | None, tuple[float, ...]]:
    """What has n shares of 1, and their mean over everything else; the last one, by name if any."""
    found: list[tuple[Node, tuple[float, ...]]] = []
    for node in sorted(members, key=lambda node: -node.id):
        value = node.value
        if not node.parents or value.dtype.kind != "f" or not (value >= 0).all():
            continue
        for axis, length in enumerate(value.shape):
            if length == n and np.allclose(value.sum(axis), 1, atol=CLOSE):
                rows = np.moveaxis(value, axis, 0).reshape(n, -1)
                found.append((node, tuple(float(share) for share in rows.mean(axis=1))))
                break
    named = [pair for pair in found if pair[0].name]
    return (named or found)[0] if found else (None, ())
