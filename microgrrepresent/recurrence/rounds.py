"""Rounds: which loops have to be over before another begins, as an encoder's before its decoder's.

A loop is what is stamped with steps in one outermost scope. Two of them usually run side by side,
as the layers of a stack do. Where one needs a later step of the other than its own, it runs when
the other is over; then each is a loop of its own, also one of a single step. So is a layer of a
stack of which only one step is used, as of the upper layer that runs backward if the last output is
all that is asked for: what it reads has the name of what it makes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from microgrrepresent.node import Node


@dataclass(frozen=True)
class Rounds:
    """The order of the loops of a graph, each told by its outermost scope.

    Attributes
    ----------
    of : dict from str to int
        How many loops have to be over before each one begins.
    single : frozenset of str
        The scopes of loops of one step: those that another waits for, or that wait for another, and
        layers.
    """

    of: dict[str, int] = field(default_factory=dict)
    single: frozenset[str] = frozenset()

    def is_single(self, node: Node) -> bool:
        """Whether a node is in a loop of one step."""
        return root_of(node) in self.single or node.scope in self.single


def rounds(nodes: Iterable[Node]) -> Rounds:
    """Tell the order of the loops from what their steps read, in topological order."""
    nodes = list(nodes)
    steps: dict[str, set[int]] = defaultdict(set)
    for node in nodes:
        if node.step is not None and node.parents:
            steps[root_of(node)].add(node.step)
    waits = _waits(nodes, steps)
    of = dict.fromkeys(steps, 0)
    for _ in of:  # at most one pass for each scope
        for a, b in waits:
            of[b] = max(of[b], of[a] + 1)
    apart = {root for pair in waits for root in pair}
    alone = {root for root in apart if len(steps[root]) == 1}
    return Rounds(of, frozenset(alone | _layers_of_one_step(nodes)))


def _layers_of_one_step(nodes: list[Node]) -> set[str]:
    """The inner scopes with a single step that reads a value for one that it makes: h, from h."""
    steps: dict[str, set[int]] = defaultdict(set)
    made: set[tuple[str, str, int | None, tuple[int, ...]]] = set()
    for node in nodes:
        if node.step is not None and node.parents and "/" in node.scope:
            steps[node.scope].add(node.step)
            if node.name is not None:
                made.add((node.scope, node.name, node.step, node.shape))
    return {
        node.scope
        for node in nodes
        if node.step is not None and len(steps.get(node.scope, ())) == 1
        for parent in node.parents
        if parent.name is not None
        and (parent.scope, parent.step) != (node.scope, node.step)
        and (node.scope, parent.name, node.step, parent.shape) in made
    }


def _waits(nodes: Iterable[Node], steps: dict[str, set[int]]) -> list[tuple[str, str]]:
    """Pairs of loops, of which the second needs a later step of the first than its own.

    Where one of them has a single step, its number need not show this. There, what was made of the
    steps of a loop and is of no step itself is read as the result of that loop.
    """
    reach: dict[Node, dict[str, int]] = {}  # the latest step of each scope behind a node
    found: dict[tuple[str, str], None] = {}
    for node in nodes:
        mine = root_of(node)
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
                    is_single = 1 in (len(steps[mine]), len(steps[root]))
                    is_result = is_single and parent.step is None and t == node.step
                    if root != mine and (t > node.step or is_result):
                        found[root, mine] = None
        reach[node] = {mine: node.step} if node.parents else {}
    return [(a, b) for a, b in found if (b, a) not in found]


def root_of(node: Node) -> str:
    """The outermost scope of a node, which tells loops apart."""
    return node.scope.partition("/")[0]
