"""Numbers that lie as their arcs want them: the network simplex method, in integers.

An arc from a to b wants x[b] - x[a] to be a certain distance. It pushes with a force `low` where
they are closer, and with `high` where they are farther apart; the energy that we minimize is the
sum of force times stretch. With forces -w and w this is w |x[b] - x[a] - distance|; with a `low`
that no sum of others outweighs and a `high` of 0 it is the constraint x[b] - x[a] >= distance.

The state is a spanning tree of arcs that have just the distance they want, so that the tree alone
says where everything is. Every other arc pushes with `low` or `high`; what the tree's arcs have to
bear follows from it, since the forces at each end add up to 0. A tree arc that bears more than it
can push itself is cut, and the smaller part of the tree slides along, past arcs whose force turns
round, until the rest no longer pushes it on. The arc that stops it joins the parts anew. When no
arc bears too much, the energy is the least possible. Gansner et al. (1993), "A technique for
drawing directed graphs", section 2.3 and 4.2, say it for one kind of arc.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

EASED = 8
"""How often every number is moved by itself, for a start."""
EFFORT = 1_000_000
"""How many ends and arcs are looked at: small problems are solved exactly, a tangle well."""


class Arc(NamedTuple):
    """What two numbers want of each other."""

    a: int
    b: int
    distance: int
    low: int
    high: int


def least_energy(count: int, arcs: Sequence[Arc], effort: int = EFFORT) -> list[int]:
    """Find the numbers of least energy.

    Parameters
    ----------
    count : int
        How many numbers there are.
    arcs : sequence of Arc
        What they want. Those that no arcs join are placed independently.
    effort : int
        How many ends and arcs to look at; beyond it, the best numbers so far are the answer.

    Returns
    -------
    list of int
        The numbers. Where several are equally good, one in the middle of them.

    Examples
    --------
    >>> apart = [Arc(0, 1, 10, -1000, 0)]  # x[1] >= x[0] + 10
    >>> x = least_energy(3, [*apart, Arc(0, 2, 0, -1, 1), Arc(1, 2, 0, -3, 3)])
    >>> x[1] - x[0], x[2] - x[1]
    (10, 0)
    """
    x = _packed(count, arcs)
    _ease(x, arcs)
    tree = _spanned(x, arcs)
    _settle(tree, effort)
    _center(tree, 2 * effort)
    return tree.x


def _packed(count: int, arcs: Sequence[Arc]) -> list[int]:
    """The least numbers from 0 on that are apart as the firm arcs, of a `high` of 0, want it."""
    after: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    waiting = [0] * count
    for a, b, distance, _, high in arcs:
        if not high:
            after[a].append((b, distance))
            waiting[b] += 1
    x = [0] * count
    ready = [end for end in range(count) if not waiting[end]]
    for end in ready:
        for user, distance in after[end]:
            x[user] = max(x[user], x[end] + distance)
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    return x


def _ease(x: list[int], arcs: Sequence[Arc]) -> None:
    """Move each number by itself to where its arcs pull it, to and fro: a good place to start."""
    pulls: list[list[tuple[int, int, int]]] = [[] for _ in x]
    limits: list[list[tuple[int, int]]] = [[] for _ in x]
    floors: list[list[tuple[int, int]]] = [[] for _ in x]
    for a, b, distance, _, high in arcs:
        if high:
            pulls[a].append((b, -distance, high))
            pulls[b].append((a, distance, high))
        else:
            limits[a].append((b, -distance))
            floors[b].append((a, distance))
    order = sorted(range(len(x)), key=x.__getitem__)
    for _ in range(EASED):
        order.reverse()
        for end in order:
            if pulls[end]:
                at = _median([(x[other] + d, w) for other, d, w in pulls[end]])
                for other, d in limits[end]:
                    at = min(at, x[other] + d)
                for other, d in floors[end]:
                    at = max(at, x[other] + d)
                x[end] = at


def _median(weighted: list[tuple[int, int]]) -> int:
    """The middle of some numbers, with weights."""
    weighted.sort()
    left = sum([w for _, w in weighted])
    for at, w in weighted:
        left -= 2 * w
        if left <= 0:
            return at
    return 0


@dataclass
class _Tree:
    """A spanning tree of arcs; all lists are by number of arc or of end."""

    arcs: Sequence[Arc]
    x: list[int]
    force: list[int]
    """What each arc pushes, or bears if it is one of the tree."""
    near: list[list[int]]
    """The arcs at each end."""
    joins: list[dict[int, None]]
    """Those of them that are in the tree."""
    up: list[int]
    """The tree arc toward the root; -1 at the root."""
    work: int = 0
    overloaded: deque[int] = field(default_factory=deque)

    def other(self, k: int, end: int) -> int:
        arc = self.arcs[k]
        return arc.b if arc.a == end else arc.a

    def overload(self, k: int) -> int:
        """By how much an arc of the tree bears more than it can push; negative if too little."""
        _, _, _, low, high = self.arcs[k]
        force = self.force[k]
        return force - high if force > high else force - low if force < low else 0


def _spanned(x: list[int], arcs: Sequence[Arc]) -> _Tree:
    """A spanning tree of arcs that have what they want; parts that none joins are tied loosely."""
    count = len(x)
    root = list(range(count))

    def top(end: int) -> int:
        while root[end] != end:
            root[end] = root[root[end]]
            end = root[end]
        return end

    arcs = list(arcs)
    joins: list[dict[int, None]] = [{} for _ in x]
    near: list[list[int]] = [[] for _ in x]
    for k, (a, b, distance, _, _) in enumerate(arcs):
        near[a].append(k)
        near[b].append(k)
        if x[b] - x[a] == distance and top(a) != top(b):
            root[top(b)] = top(a)
            joins[a][k] = joins[b][k] = None
    for end in range(1, count):
        if top(end) != top(0):
            root[top(end)] = top(0)
            joins[0][len(arcs)] = joins[end][len(arcs)] = None
            arcs.append(Arc(0, end, x[end] - x[0], 0, 0))
    tree = _Tree(arcs, x, [0] * len(arcs), near, joins, [-1] * count)
    order = [0] if x else []
    for end in order:
        for k in joins[end]:
            if k != tree.up[end]:
                user = tree.other(k, end)
                tree.up[user] = k
                order.append(user)
    surplus = [0] * count  # of the forces at each end
    for k, (a, b, distance, low, high) in enumerate(arcs):
        if k not in joins[a]:
            tree.force[k] = force = low if x[b] - x[a] < distance else high
            surplus[b] += force
            surplus[a] -= force
    for end in reversed(order[1:]):
        k = tree.up[end]
        tree.force[k] = -surplus[end] if arcs[k].b == end else surplus[end]
        surplus[tree.other(k, end)] += surplus[end]
        if tree.overload(k):
            tree.overloaded.append(k)
    return tree


def _settle(tree: _Tree, effort: int) -> None:
    """Cut and join the tree until no arc bears too much."""
    arcs, x, force, queue = tree.arcs, tree.x, tree.force, tree.overloaded
    queued = set(queue)
    while queue and tree.work < effort:
        k = queue.popleft()
        queued.discard(k)
        slope = -abs(tree.overload(k))  # of the energy, along the way that the part slides
        if not slope or k not in tree.joins[arcs[k].a]:
            continue
        part = _smaller_part(tree, k)
        onward = 1 if (force[k] > arcs[k].high) == (arcs[k].b in part) else -1
        ahead = _ahead(tree, part, onward, k)
        turned = [(k, (arcs[k].high if force[k] > arcs[k].high else arcs[k].low) - force[k])]
        for stretch, n in ahead:  # noqa: B007 (both are read below)
            slope += arcs[n].high - arcs[n].low
            if slope >= 0:
                break
            turned.append((n, arcs[n].high + arcs[n].low - 2 * force[n]))
        for end in part:
            x[end] += onward * stretch
        _exchange(tree, k, n, part)
        for m, change in turned:
            force[m] += change
            for link in _pass_on(tree, m, change):
                if link not in queued and tree.overload(link):
                    queue.append(link)
                    queued.add(link)


def _smaller_part(tree: _Tree, k: int) -> set[int]:
    """The ends on one side of a tree arc, of the side that has fewer."""
    arcs = tree.arcs
    sides = [[arcs[k].a], [arcs[k].b]]
    came = [[k], [k]]
    for at in range(len(tree.x)):
        for side, back in zip(sides, came, strict=True):
            if at == len(side):
                tree.work += 2 * at
                return set(side)
            end = side[at]
            for n in tree.joins[end]:
                if n != back[at]:
                    side.append(arcs[n].b if arcs[n].a == end else arcs[n].a)
                    back.append(n)
    raise AssertionError("a tree has no circles")


def _ahead(tree: _Tree, part: set[int], onward: int, cut: int) -> list[tuple[int, int]]:
    """The arcs whose force turns round when a part slides, with how far it slides to there."""
    x, force, arcs = tree.x, tree.force, tree.arcs
    found = []
    for end in part:
        tree.work += len(tree.near[end])
        for k in tree.near[end]:
            a, b, distance, low, high = arcs[k]
            inside = b in part
            if (a in part) == inside or k == cut:
                continue
            if (onward > 0) == inside:
                if force[k] == low:
                    found.append((distance - x[b] + x[a], k))
            elif force[k] == high:
                found.append((x[b] - x[a] - distance, k))
    return sorted(found)


def _exchange(tree: _Tree, cut: int, new: int, part: set[int]) -> None:
    """Take one arc out of the tree and another one in; the way to the root turns round."""
    arcs, joins, up = tree.arcs, tree.joins, tree.up
    for end in arcs[cut][:2]:
        del joins[end][cut]
    for end in arcs[new][:2]:
        joins[end][new] = None
    lower = arcs[cut].a if up[arcs[cut].a] == cut else arcs[cut].b  # its part has not the root
    below = (lower in part) == (arcs[new].a in part)
    end, k = (arcs[new].a if below else arcs[new].b), new
    while True:
        before, up[end] = up[end], k
        if before == cut:
            return
        k, end = before, tree.other(before, end)


def _pass_on(tree: _Tree, k: int, change: int) -> list[int]:
    """Let the tree bear a change of an arc's force, on the way between its ends; give that way."""
    arcs, up, force = tree.arcs, tree.up, tree.force
    a, b = arcs[k][:2]
    trails: tuple[list[int], list[int]] = [b], [a]
    seen: tuple[dict[int, int], dict[int, int]] = {b: 0}, {a: 0}
    meet = -1
    while meet < 0:
        for i in (0, 1):
            end = trails[i][-1]
            if up[end] >= 0:
                end = tree.other(up[end], end)
                seen[i][end] = len(trails[i])
                trails[i].append(end)
                if end in seen[1 - i]:
                    meet = end
                    break
    way = []
    for i in (0, 1):
        for end in trails[i][: seen[i][meet]]:
            n = up[end]
            # the change comes up from b and goes down to a
            force[n] += change if (arcs[n].a == end) == (i == 0) else -change
            way.append(n)
    tree.work += 2 * len(way)
    return way


def _center(tree: _Tree, effort: int) -> None:
    """Slide what can slide without a change of energy to the middle of where it can be."""
    for k, arc in enumerate(tree.arcs):
        if tree.work > effort:
            return
        if k in tree.joins[arc.a] and arc.low < arc.high and tree.force[k] in (arc.low, arc.high):
            part = _smaller_part(tree, k)
            onward = 1 if (tree.force[k] == arc.high) == (arc.b in part) else -1
            ahead = _ahead(tree, part, onward, k)
            if ahead:
                for end in part:
                    tree.x[end] += onward * (ahead[0][0] // 2)
