"""The order of boxes within each rank of a sketch, with few crossings of edges.

An edge that passes ranks gets a *bend* in each of them, so that all edges join neighbouring ranks;
a state that enters or leaves at a side gets a bend in the rank of its port, where it turns. The
order is found by the method of Sugiyama, Tagawa and Toda (1981): again and again every rank is
sorted by the average places of its neighbours in the rank below, or above; the best order is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import NamedTuple

from microgrrepresent.drawing.layout.sketch import End, Port, Sketch

SWEEPS = 16


class Bend(NamedTuple):
    """Where an edge passes a rank."""

    edge: int
    rank: int


Item = int | Port | Bend


@dataclass
class Ordered:
    """A sketch with bends, and every rank in order.

    Attributes
    ----------
    rows : list of list
        Outlines, ports and bends of each rank, from left to right.
    ways : list of list
        For each edge, what it passes, tail and head included.
    """

    rows: list[list[Item]]
    ways: list[list[Item]]
    rank: dict[Item, int] = field(default_factory=dict)


def ordered(sketch: Sketch) -> Ordered:
    """Put every rank of a sketch in order."""
    ways = [_way(sketch, i) for i in range(len(sketch.edges))]
    rank: dict[Item, int] = dict(sketch.rank)  # type: ignore[arg-type]
    for way in ways:
        rank.update((item, item.rank) for item in way if isinstance(item, Bend))
    rows: list[list[Item]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for item in _by_depth(rank, ways):
        rows[rank[item]].append(item)
    place = {item: _side(item, sketch) for item in rank}
    found = Ordered(rows, ways, rank)
    _sort(found, sketch, place)
    return found


def _way(sketch: Sketch, i: int) -> list[Item]:
    """What an edge passes: a bend in each rank between, and where it turns to a side."""
    tail, head, *_ = sketch.edges[i]
    a, b = sketch.rank[tail], sketch.rank[head]
    if a == b:
        return [tail, head]
    step = 1 if b > a else -1
    inner = list(range(a + step, b, step))
    if _is_sideways(tail):
        inner.insert(0, a)
    if _is_sideways(head):
        inner.append(b)
    return [tail, *(Bend(i, rank) for rank in inner), head]


def _is_sideways(end: End) -> bool:
    return isinstance(end, Port) and end.side in ("left", "right")


def _by_depth(rank: dict[Item, int], ways: list[list[Item]]) -> list[Item]:
    """Items in the order in which a walk along the edges, from each outline in turn, meets them."""
    near: dict[Item, list[Item]] = defaultdict(list)
    for way in ways:
        for a, b in pairwise(way):
            near[a].append(b)
            near[b].append(a)
    found: dict[Item, None] = {}
    first = sorted(rank, key=lambda item: not (isinstance(item, Port) and item.side == "left"))
    for start in first:
        todo = [start]
        while todo:
            item = todo.pop()
            if item not in found:
                found[item] = None
                todo += reversed(near[item])
    return list(found)


def _side(item: Item, sketch: Sketch) -> float:
    """Ports stand outermost, then where states turn, what they join, and everything else."""
    if isinstance(item, Port):
        return {"left": -2, "right": 2}.get(item.side, 0)
    if isinstance(item, Bend):
        tail, head, *_ = sketch.edges[item.edge]
        for end in (tail, head):
            if isinstance(end, Port) and sketch.rank[end] == item.rank:
                return {"left": -1, "right": 1}.get(end.side, 0)
    if isinstance(item, int):
        for tail, head, *_ in sketch.edges:
            other = head if tail == item else tail if head == item else None
            if isinstance(other, Port) and sketch.rank[other] == sketch.rank[item]:
                return {"left": -0.5, "right": 0.5}.get(other.side, 0)
    return 0


# --- sorting -------------------------------------------------------------------------------------


def _sort(found: Ordered, sketch: Sketch, side: dict[Item, float]) -> None:
    """Sort all ranks, in place."""
    links = _Links(found, sketch)
    flat = _flat_order(sketch, found)
    hints: dict[Item, float] = {item: x for item, x in sketch.hints if item not in flat}
    for row in found.rows:
        _arrange(row, {item: float(i) for i, item in enumerate(row)}, side, flat, hints)
    best, fewest = [list(row) for row in found.rows], links.crossings(found.rows)
    for sweep in range(SWEEPS):
        upwards = sweep % 2 == 0
        numbers = range(len(found.rows)) if upwards else range(len(found.rows) - 1, -1, -1)
        for r in numbers:
            other = r - 1 if upwards else r + 1
            if not 0 <= other < len(found.rows):
                continue
            place = {item: i for i, item in enumerate(found.rows[other])}
            near = links.down if upwards else links.up
            wish = {}
            for i, item in enumerate(found.rows[r]):
                places = [place[n] for n in near[item]]
                wish[item] = sum(places) / len(places) if places else float(i)
            _arrange(found.rows[r], wish, side, flat, hints)
        _swap(found.rows, links, side, flat, hints)
        count = links.crossings(found.rows)
        if count < fewest:
            best, fewest = [list(row) for row in found.rows], count
        if not fewest:
            break
    found.rows[:] = best


def _flat_order(sketch: Sketch, found: Ordered) -> dict[Item, tuple[int, int]]:
    """For boxes that are joined within their rank: the number of their lane, and place in it."""
    after: dict[Item, Item] = {}
    for tail, head, *_ in sketch.edges:
        if isinstance(tail, int) and isinstance(head, int) and found.rank[tail] == found.rank[head]:
            after.setdefault(tail, head)
    firsts = [item for item in after if item not in set(after.values())]
    order: dict[Item, tuple[int, int]] = {}
    for lane, first in enumerate(firsts):
        members: list[Item] = [first]
        while members[-1] in after:
            members.append(after[members[-1]])
        if sketch.is_backward:
            members.reverse()
        order.update((item, (lane, i)) for i, item in enumerate(members))
    return order


def _arrange(
    row: list[Item],
    wish: dict[Item, float],
    side: dict[Item, float],
    flat: dict[Item, tuple[int, int]],
    hints: Mapping[Item, float],
) -> None:
    """Sort a rank by wishes; sides keep outside, the boxes of a lane together, hints in order."""
    lanes: dict[int, list[float]] = defaultdict(list)
    for item in row:
        if item in flat:
            lanes[flat[item][0]].append(wish[item])

    def key(item: Item) -> tuple[float, ...]:
        if item in flat:
            lane, i = flat[item]
            return (0, sum(lanes[lane]) / len(lanes[lane]), lane, i)
        return (side[item], wish[item], -1, 0)

    row.sort(key=key)
    hinted = iter(sorted((item for item in row if item in hints), key=lambda item: hints[item]))
    row[:] = [next(hinted) if item in hints else item for item in row]


def _swap(
    rows: list[list[Item]],
    links: _Links,
    side: dict[Item, float],
    flat: dict[Item, tuple[int, int]],
    hints: Mapping[Item, float],
) -> None:
    """Exchange neighbours as long as that takes away crossings."""
    improved = True
    while improved:
        improved = False
        for r, row in enumerate(rows):
            for i in range(len(row) - 1):
                a, b = row[i], row[i + 1]
                if side[a] != side[b] or a in flat or b in flat:
                    continue
                if a in hints and b in hints and hints[a] != hints[b]:
                    continue
                if links.swap_gains(rows, r, a, b):
                    row[i], row[i + 1] = b, a
                    improved = True


class _Links:
    """The pieces of edges between neighbouring ranks."""

    def __init__(self, found: Ordered, sketch: Sketch) -> None:
        self.down: dict[Item, list[Item]] = defaultdict(list)
        self.up: dict[Item, list[Item]] = defaultdict(list)
        for way, edge in zip(found.ways, sketch.edges, strict=True):
            for a, b in pairwise(way):
                low, high = (a, b) if found.rank[a] < found.rank[b] else (b, a)
                if found.rank[low] < found.rank[high]:
                    self.up[low] += [high] * edge.lines
                    self.down[high] += [low] * edge.lines

    def crossings(self, rows: list[list[Item]]) -> int:
        """How many pairs of pieces cross."""
        total = 0
        for lower, upper in pairwise(rows):
            place = {item: i for i, item in enumerate(upper)}
            ends = [sorted(place[n] for n in self.up[item]) for item in lower]
            total += sum(x > y for a, b in combinations(ends, 2) for x in a for y in b)
        return total

    def swap_gains(self, rows: list[list[Item]], r: int, a: Item, b: Item) -> bool:
        """Whether fewer pieces cross with b to the left of a."""
        gain = 0
        for other, near in ((r - 1, self.down), (r + 1, self.up)):
            if 0 <= other < len(rows):
                place = {item: i for i, item in enumerate(rows[other])}
                for x in (place[n] for n in near[a]):
                    for y in (place[n] for n in near[b]):
                        gain += (x > y) - (x < y)
        return gain > 0
