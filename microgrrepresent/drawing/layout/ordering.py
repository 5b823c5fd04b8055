"""The order of boxes within each rank of a sketch, with few crossings of wires.

A wire that passes ranks gets a *bend* in each of them, so that all wires join neighboring ranks;
a state that enters or leaves at a side gets a bend in the rank of its port, where it turns. Where
several wires leave one outline, or many enter one, they share their bends. The order is found by
the method of Sugiyama, Tagawa and Toda (1981): again and again every rank is sorted by
the average places of its neighbors in the rank below, or above; the best order is kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from microgrrepresent.drawing.layout.narrow import chips_under
from microgrrepresent.drawing.layout.outlines import End, Port
from microgrrepresent.drawing.layout.sketch import Sketch

SWEEPS = 16
EFFORT = 60_000
"""How many items to sort in all: large sketches are swept less often."""
BUNDLE = 8
"""So many wires to one outline, or more, pass the ranks as one line."""


class Bend(NamedTuple):
    """Where a wire passes a rank."""

    wire: int
    rank: int


Item = int | Port | Bend
Near = dict[Item, list[Item]]


class Piece(NamedTuple):
    """A piece of a wire, between ranks that are neighbors or within one."""

    a: Item
    b: Item
    wire: int


@dataclass
class Ordered:
    """A sketch with bends, and every rank in order.

    Attributes
    ----------
    rows : list of list
        Outlines, ports and bends of each rank, from left to right.
    ways : list of list
        For each wire, what it passes, tail and head included.
    pieces : list of Piece
        The pieces of all ways; one that several wires share is there once.
    rank : dict
        The rank of each item.
    """

    rows: list[list[Item]]
    ways: list[list[Item]]
    pieces: list[Piece]
    rank: dict[Item, int]


def ordered(sketch: Sketch) -> Ordered:
    """Put every rank of a sketch in order."""
    ways, pieces = _ways(sketch)
    rank: dict[Item, int] = dict(sketch.rank)  # type: ignore[arg-type]
    for piece in pieces:
        rank.update((item, item.rank) for item in piece[:2] if isinstance(item, Bend))
    rows: list[list[Item]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for item in _by_depth(rank, pieces):
        rows[rank[item]].append(item)
    found = Ordered(rows, ways, pieces, rank)
    _sort(found, sketch)
    return found


def _ways(sketch: Sketch) -> tuple[list[list[Item]], list[Piece]]:
    """What each wire passes: a bend in each rank between, and where it turns to a side."""
    readers = Counter(wire.tail for wire in sketch.wires)
    inputs = Counter(wire.head for wire in sketch.wires)
    trunks: dict[tuple[End, bool, int], list[Item]] = defaultdict(list)
    chipped = chips_under(sketch.wires, sketch.rank)  # lines fork below these
    ways: list[list[Item]] = []
    pieces: list[Piece] = []
    for i, (tail, head, *_) in enumerate(sketch.wires):
        a, b = sketch.rank[tail], sketch.rank[head]
        step = (b > a) - (b < a)
        first = a if _is_sideways(tail) else a + step
        last = b if _is_sideways(head) else b - step
        passed = abs(last + step - first)
        way: list[Item]
        new = way = [tail, *(Bend(i, first + step * n) for n in range(passed)), head]
        if inputs[head] >= BUNDLE and not _is_wide(sketch, head):
            trunk = trunks[head, False, step]
            known = min(len(trunk), passed)
            trunk += way[1 : passed + 1 - known][::-1]
            way = [tail, *trunk[:passed][::-1], head]
            new = way[: len(way) - known]
        elif readers[tail] > 1 and not _is_wide(sketch, tail):
            trunk = trunks[tail, True, step]
            common = passed - (head in chipped and step > 0 and passed > 0)
            known = min(len(trunk), common)
            trunk += way[1 + known : 1 + common]
            way = [tail, *trunk[:common], *way[1 + common :]]
            new = way[known:]
        ways.append(way)
        pieces += [Piece(*pair, i) for pair in pairwise(new)]
    return ways, pieces


def _is_wide(sketch: Sketch, end: End) -> bool:
    """Whether every wire has its own place at an end."""
    return isinstance(end, int) and sketch.outlines[end].widens


def _is_sideways(end: End) -> bool:
    return isinstance(end, Port) and end.side in ("left", "right")


def _by_depth(rank: dict[Item, int], pieces: list[Piece]) -> list[Item]:
    """Items in the order in which a walk along the wires, from each outline in turn, meets them."""
    near: Near = defaultdict(list)
    for a, b, _ in pieces:
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


def _sides(sketch: Sketch, rank: dict[Item, int]) -> dict[Item, float]:
    """Ports stand outermost, then where states turn, what they join, and everything else."""
    found: dict[Item, float] = dict.fromkeys(rank, 0.0)
    for port in sketch.ports:
        found[port] = {"left": -2.0, "right": 2.0}.get(port.side, 0.0)
    for i, (tail, head, *_) in enumerate(sketch.wires):
        for end, other in ((tail, head), (head, tail)):
            if isinstance(end, Port) and _is_sideways(end):
                toward = -1.0 if end.side == "left" else 1.0
                turn = Bend(i, rank[end])
                if turn in found:
                    found[turn] = found[turn] or toward
                if isinstance(other, int) and rank[other] == rank[end]:
                    found[other] = found[other] or toward / 2
    return found


# --- sorting -------------------------------------------------------------------------------------


@dataclass
class _Rules:
    """What of the order within a rank is settled beforehand."""

    side: dict[Item, float]
    """The lower, the farther to the left."""
    lane: dict[Item, tuple[int, int]]
    """For boxes that are joined within their rank: the number of their lane, and place in it."""
    hint: dict[Item, float]
    """Items with hints stand in the order of these."""

    def arrange(self, row: list[Item], wish: dict[Item, float]) -> None:
        """Sort a rank by wishes; sides keep outside, the boxes of a lane together."""
        lanes: dict[int, list[float]] = defaultdict(list)
        for item in row:
            if item in self.lane:
                lanes[self.lane[item][0]].append(wish[item])

        def key(item: Item) -> tuple[float, ...]:
            if item in self.lane:
                lane, i = self.lane[item]
                return (0, sum(lanes[lane]) / len(lanes[lane]), lane, i)
            return (self.side[item], wish[item], -1, 0)

        row.sort(key=key)
        hinted = sorted((item for item in row if item in self.hint), key=lambda i: self.hint[i])
        if hinted:
            next_hinted = iter(hinted)
            row[:] = [next(next_hinted) if item in self.hint else item for item in row]

    def may_swap(self, a: Item, b: Item) -> bool:
        """Whether two neighbors may change places."""
        if self.side[a] != self.side[b] or a in self.lane or b in self.lane:
            return False
        return not (a in self.hint and b in self.hint and self.hint[a] != self.hint[b])


def _sort(found: Ordered, sketch: Sketch) -> None:
    """Sort all ranks, in place."""
    rows = found.rows
    down, up = _neighbors(found, sketch)
    lane = _lanes(sketch, found)
    hint: dict[Item, float] = {item: x for item, x in sketch.hints if item not in lane}
    rules = _Rules(_sides(sketch, found.rank), lane, hint)
    size = len(found.rank) + sum(map(len, up.values()))
    sweeps = max(min(SWEEPS, EFFORT // max(size, 1)), 2)
    first = [list(row) for row in rows]
    best, fewest = first, -1
    for start in (first, [row[::-1] for row in first]):
        rows[:] = [list(row) for row in start]
        order, count = _swept(rows, down, up, rules, sweeps)
        if fewest < 0 or count < fewest:
            best, fewest = order, count
        if not fewest:
            break
    rows[:] = best
    for box, chips in chips_under(sketch.wires, sketch.rank).items():
        r = sketch.rank[chips]
        if r:
            rows[r] = _between_lines(rows[r], rows[r - 1], box, chips, down, up)


def _between_lines(
    row: list[Item], below: list[Item], box: int, chips: int, down: Near, up: Near
) -> list[Item]:
    """A rank in which a row of chips stands between the lines to its box from left and right."""
    first = last = row.index(chips)
    while first and set(up.get(row[first - 1], ())) == {box}:
        first -= 1
    while last + 1 < len(row) and set(up.get(row[last + 1], ())) == {box}:
        last += 1
    lines = [item for item in row[first : last + 1] if item != chips]
    place = {item: (i + 0.5) / len(below) for i, item in enumerate(below)}
    middle, n = (row.index(chips) + 0.5) / len(row), 0
    while n < len(lines) and any(place.get(end, 1.0) < middle for end in down.get(lines[n], ())):
        n += 1
    return [*row[:first], *lines[:n], chips, *lines[n:], *row[last + 1 :]]


def _swept(
    rows: list[list[Item]], down: Near, up: Near, rules: _Rules, sweeps: int
) -> tuple[list[list[Item]], int]:
    """The best order that sweeps up and down find from the given one, and its crossings."""
    for row in rows:
        rules.arrange(row, {item: float(i) for i, item in enumerate(row)})
    best, fewest = [list(row) for row in rows], _crossings(rows, up)
    for sweep in range(sweeps):
        if not fewest:
            break
        upwards = sweep % 2 == 0
        for r in range(1, len(rows)) if upwards else range(len(rows) - 2, -1, -1):
            place = {item: i for i, item in enumerate(rows[r - 1 if upwards else r + 1])}
            near = down if upwards else up
            wish = {}
            for i, item in enumerate(rows[r]):
                ends = near.get(item)
                wish[item] = sum([place[n] for n in ends]) / len(ends) if ends else float(i)
            rules.arrange(rows[r], wish)
        _swap(rows, down, up, rules, 3 * sweeps)
        count = _crossings(rows, up)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    return best, fewest


def _neighbors(found: Ordered, sketch: Sketch) -> tuple[Near, Near]:
    """What each item is joined to in the rank below it, and in the one above."""
    down: Near = defaultdict(list)
    up: Near = defaultdict(list)
    for a, b, i in found.pieces:
        low, high = (a, b) if found.rank[a] < found.rank[b] else (b, a)
        if found.rank[low] < found.rank[high]:
            up[low] += [high] * sketch.wires[i].lines
            down[high] += [low] * sketch.wires[i].lines
    return down, up


def _lanes(sketch: Sketch, found: Ordered) -> dict[Item, tuple[int, int]]:
    """For boxes that are joined within their rank: the number of their lane, and place in it."""
    after: dict[Item, Item] = {}
    for tail, head, *_ in sketch.wires:
        if isinstance(tail, int) and isinstance(head, int) and found.rank[tail] == found.rank[head]:
            after.setdefault(tail, head)
    inner = set(after.values())
    order: dict[Item, tuple[int, int]] = {}
    for lane, first in enumerate(item for item in after if item not in inner):
        members: list[Item] = [first]
        while members[-1] in after:
            members.append(after[members[-1]])
        if sketch.is_backward:
            members.reverse()
        order.update((item, (lane, i)) for i, item in enumerate(members))
    return order


def _swap(rows: list[list[Item]], down: Near, up: Near, rules: _Rules, rounds: int) -> None:
    """Exchange neighbors as long as that takes away crossings."""
    restless = set(range(len(rows)))
    for _ in range(rounds):
        moved: set[int] = set()
        for r in range(len(rows)):
            if r not in restless and not {r - 1, r + 1} & moved:
                continue
            row = rows[r]
            below = _places(row, rows[r - 1] if r else [], down)
            above = _places(row, rows[r + 1] if r + 1 < len(rows) else [], up)
            for i in range(len(row) - 1):
                a, b = row[i], row[i + 1]
                if (
                    _inversions(below[a], below[b]) + _inversions(above[a], above[b]) > 0
                    and rules.may_swap(a, b)
                ):  # fmt: skip
                    row[i], row[i + 1] = b, a
                    moved.add(r)
        restless = moved | {r - 1 for r in moved}
        if not moved:
            return


def _places(row: list[Item], other: list[Item], near: Near) -> dict[Item, list[int]]:
    """The places in another rank that each item of a rank is joined to, in order."""
    place = {item: i for i, item in enumerate(other)}
    return {item: sorted([place[n] for n in near.get(item, ())]) for item in row}


def _inversions(first: list[int], second: list[int]) -> int:
    """How many more pairs of places are in the wrong order than in the right one."""
    if first and second and first[-1] < second[0]:
        return -len(first) * len(second)
    total = 0
    for x in first:
        total += bisect_left(second, x) + bisect_right(second, x) - len(second)
    return total


def _crossings(rows: list[list[Item]], up: Near) -> int:
    """How many pairs of pieces cross: inversions, counted by sums over halves (a Fenwick tree)."""
    total = 0
    for lower, upper in pairwise(rows):
        place = {item: i for i, item in enumerate(upper)}
        sums = [0] * (len(upper) + 1)
        count = 0
        for item in lower:
            ends = sorted([place[n] for n in up.get(item, ())])
            for end in ends:
                total += count
                i = end + 1
                while i:
                    total -= sums[i]
                    i &= i - 1
            for end in ends:
                count += 1
                i = end + 1
                while i < len(sums):
                    sums[i] += 1
                    i += i & -i
    return total
