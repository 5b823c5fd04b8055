"""The x of everything in a sketch: wires upright, boxes as wide as what they serve.

We look for the x that make the sum of w |x_a - x_b| over all wires small, while neighbors in a
rank keep their distance. Absolute values make most wires exactly upright and leave the rest to a
few, where squares would tilt all of them a little. A box that widens has an x for its left side,
one for its right side, and one for the end of each of its wires between them. In half points all of
this is a problem in integers, which the network simplex method solves exactly (`network_simplex`),
so that the same sketch is the same picture on every machine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil

from microgrrepresent.drawing.layout.narrow import chips_under
from microgrrepresent.drawing.layout.network_simplex import Arc, least_energy
from microgrrepresent.drawing.layout.ordering import Bend, Item, Ordered
from microgrrepresent.drawing.layout.outlines import Port
from microgrrepresent.drawing.layout.sketch import Sketch

BOX_GAP, BEND_GAP, PORT_GAP = 11.0, 9.0, 20.0
LABEL_GAP = 14.0
"""What a level line needs besides the width of its label: an arrow's head."""
TURN_GAP = 16.0
"""Between a box and a wire that turns toward it."""
END_GAP, INSET = 12.0, 10.0
"""Between the ends of wires on one side of a box, and from there to its corners."""
HINT = 120
"""How much a box wants to be where its sketch hints."""
TURNED = 40
"""How upright a line wants to be that turns anyway, less than one that need not turn."""
FORKED = 4
"""How upright the branches of a line want to be that forks below chips: they turn anyway."""
CHIPS = 200
"""How much a row of chips wants to stand right below the ends of its arrows."""
MATE = 40
"""How much a backward node wants to stand above its forward node."""
ASIDE = 4
"""A wire from below counts so many times less than the first: ŷ stands below L, not y."""
NARROW, NARROWER = 3, 12
"""How much a box wants to be no wider than its label, and how much in a narrow block."""
LONG = 16
"""A wire that passes more ranks is kept in line."""
GRID = 2
"""Places are whole numbers of 1/GRID points."""


@dataclass(frozen=True, order=True)
class WireEnd:
    """The end of a wire on a box that widens."""

    wire: int
    at_head: bool


@dataclass(frozen=True)
class BoxSide:
    """The left or right side of a box that widens."""

    outline: int
    right: bool


Point = Item | WireEnd | BoxSide


@dataclass(frozen=True)
class Places:
    """Where everything in a sketch is from left to right.

    Attributes
    ----------
    x : dict
        Of the middle of every outline, of ports and bends, and of the ends of wires on wide boxes.
    width : dict
        The width of boxes that widen.
    """

    x: dict[Point, float]
    width: dict[int, float] = field(default_factory=dict)

    def end(self, item: Item, wire: int, at_head: bool) -> float:
        """The x at which a wire leaves or enters an item."""
        end = WireEnd(wire, at_head)
        return self.x[end if isinstance(item, int) and end in self.x else item]


def places(sketch: Sketch, found: Ordered) -> Places:
    """Find the x of every outline, port, bend and wire's end."""
    number = _numbers(sketch, found)
    arcs: dict[tuple[int, int, int], int] = {}  # of each pair and distance, the weight
    for a, b, w in _links(sketch, found):
        i, j = sorted((number[a], number[b]))
        if i != j:
            arcs[i, j, 0] = arcs.get((i, j, 0), 0) + w
    count = len(set(number.values()))
    for item, hint in sketch.hints:
        key = (count, number[_middle(sketch, item)], round(GRID * hint))
        arcs[key] = arcs.get(key, 0) + HINT
    for i, outline in enumerate(sketch.outlines):
        if outline.widens:
            key = (number[BoxSide(i, False)], number[BoxSide(i, True)], ceil(GRID * outline.width))
            arcs[key] = arcs.get(key, 0) + (NARROWER if sketch.is_narrow else NARROW)
    order = sorted(arcs.items(), key=lambda arc: -arc[1])
    wants = [Arc(*ends, -w, w) for ends, w in order]
    firm = sum(arcs.values()) + 1  # no sum of wishes pushes neighbors closer than their distance
    gaps: dict[tuple[int, int], int] = {}
    for a, b, gap in _gaps(sketch, found):
        pair = (number[a], number[b])
        gaps[pair] = max(gaps.get(pair, 0), ceil(GRID * gap))
    wants += [Arc(a, b, gap, -firm, 0) for (a, b), gap in gaps.items()]
    at = least_energy(count + 1, wants)
    base = at[count] if sketch.hints else min(at[:count], default=0)
    x: dict[Point, float] = {item: (at[i] - base) / GRID for item, i in number.items()}
    width = {}
    for i, outline in enumerate(sketch.outlines):
        if outline.widens:
            left, right = x.pop(BoxSide(i, False)), x.pop(BoxSide(i, True))
            x[i], width[i] = (left + right) / 2, right - left
    out = {"left": min(x.values()) - BEND_GAP, "right": max(x.values()) + BEND_GAP} if x else {}
    for port in sketch.ports:  # those at the sides leave all the room to what is between them
        x[port] = out.get(port.side, x[port])
    return Places(x, width)


def _middle(sketch: Sketch, item: Item) -> Point:
    """The number that stands for an item in wishes: of a wide box, its left side."""
    wide = isinstance(item, int) and sketch.outlines[item].widens
    return BoxSide(item, False) if wide else item  # type: ignore[arg-type]


def _numbers(sketch: Sketch, found: Ordered) -> dict[Point, int]:
    """A number for each x, and one for all bends of a long wire that can stand in one line."""
    after: dict[Item, Item] = {}
    pieces: dict[int, list[tuple[Item, Item]]] = {}
    for a, b, i in found.pieces:
        bends = isinstance(a, Bend) and isinstance(b, Bend) and found.rank[a] != found.rank[b]
        if bends and len(found.ways[i]) > LONG:
            low, high = (a, b) if found.rank[a] < found.rank[b] else (b, a)
            pieces.setdefault(found.rank[low], []).append((low, high))
    place = {item: i for row in found.rows for i, item in enumerate(row)}
    for rank in pieces:
        after.update(_uncrossed(pieces[rank], place))
    number: dict[Point, int] = {}
    count = 0
    for row in found.rows:
        for item in row:
            wide = isinstance(item, int) and sketch.outlines[item].widens
            own: list[Point] = [BoxSide(item, False), BoxSide(item, True)] if wide else [item]  # type: ignore[arg-type]
            for point in own:
                if point not in number:
                    number[point] = count
                    count += 1
            if item in after:
                number[after[item]] = number[item]
    for ends in _ends(sketch, found).values():
        for end, _ in ends:
            number[end] = count
            count += 1
    return number


def _uncrossed(pieces: list[tuple[Item, Item]], place: dict[Item, int]) -> list[tuple[Item, Item]]:
    """As many as possible of the pieces between two ranks, so that no two of them cross."""
    pieces = sorted(pieces, key=lambda piece: place[piece[0]])
    ends: list[int] = []  # of the longest rows so far, where they end
    last: list[int] = []  # and with which piece
    before: list[int] = []
    for n, (_, high) in enumerate(pieces):
        i = bisect_left(ends, place[high])
        ends[i : i + 1], last[i : i + 1] = [place[high]], [n]
        before.append(last[i - 1] if i else -1)
    kept, n = [], last[-1] if last else -1
    while n >= 0:
        kept.append(pieces[n])
        n = before[n]
    return kept


def _ends(sketch: Sketch, found: Ordered) -> dict[tuple[int, bool], list[tuple[WireEnd, Item]]]:
    """For each wide box, the ends of wires on its lower or upper side, from left to right."""
    place = {item: i for row in found.rows for i, item in enumerate(row)}
    ends: dict[tuple[int, bool], list[tuple[WireEnd, Item]]] = defaultdict(list)
    for i, way in enumerate(found.ways):
        for item, near, at_head in ((way[0], way[1], False), (way[-1], way[-2], True)):
            if isinstance(item, int) and sketch.outlines[item].widens:
                rise = found.rank[near] - found.rank[item]
                if rise:
                    ends[item, rise > 0].append((WireEnd(i, at_head), near))
    for side in ends.values():
        side.sort(key=lambda end: (place[end[1]], end[0]))
    return ends


def _links(sketch: Sketch, found: Ordered) -> Iterator[tuple[Point, Point, int]]:
    """Pairs that would like to stand one above the other, and how much."""
    own = {end for ends in _ends(sketch, found).values() for end, _ in ends}
    turns, forks = _turns(found), _forks(sketch, found)
    first: dict[Item, Item] = {}  # of what an outline takes from below, the first
    for a, b, i in found.pieces:
        tail, head = sketch.wires[i][:2]
        wide = isinstance(head, int) and sketch.outlines[head].widens
        aside = not wide and _is_below(tail) and first.setdefault(head, tail) != tail
        weight = CHIPS if sketch.wires[i].lines > 1 else _weight(found, a, b, turns)
        weight = FORKED if (a, b) in forks else weight
        yield (
            _point(sketch, own, found, a, i),
            _point(sketch, own, found, b, i),
            weight // (ASIDE if aside else 1),
        )
    for one, other in sketch.mates:
        yield _middle(sketch, one), _middle(sketch, other), MATE


def _point(sketch: Sketch, own: set[WireEnd], found: Ordered, item: Item, wire: int) -> Point:
    if isinstance(item, int) and sketch.outlines[item].widens:
        end = WireEnd(wire, found.ways[wire][-1] == item)
        return end if end in own else _middle(sketch, item)
    return item


def _turns(found: Ordered) -> set[Item]:
    """Where a line turns that came from a side, or is the second one between the same two boxes."""
    same = Counter((way[0], way[-1]) for way in found.ways)
    return {
        item
        for way in found.ways
        for end, item in (way[:2], way[:-3:-1])
        if isinstance(item, Bend)
        and found.rank[end] == item.rank
        and (isinstance(end, Port) or same[way[0], way[-1]] > 1)
    }


def _forks(sketch: Sketch, found: Ordered) -> set[tuple[Item, Item]]:
    """The pieces of lines that fork below chips: they run level to where they go up."""
    chipped = chips_under(sketch.wires, sketch.rank)
    return {
        (way[-3], way[-2])
        for way in found.ways
        if len(way) > 2
        and way[-1] in chipped
        and found.rank[way[-3]] < found.rank[way[-2]]
        and found.rank[way[-2]] == sketch.rank[chipped[way[-1]]]
    }


def _weight(found: Ordered, a: Item, b: Item, turns: set[Item]) -> int:
    """How upright a piece of a wire wants to be; within a rank, how short.

    A line that turns anyway may as well go on level there: it needs no second corner.
    """
    at_border = isinstance(a, Port) or isinstance(b, Port)
    if found.rank[a] == found.rank[b]:
        return 1 if at_border else 10
    if a in turns or b in turns:
        return TURNED
    bends = isinstance(a, Bend) + isinstance(b, Bend)
    return (80 if at_border else 40, 80, 160)[bends]


def _is_below(item: Item) -> bool:
    return isinstance(item, Port) and item.side == "below"


def _gaps(sketch: Sketch, found: Ordered) -> Iterator[tuple[Point, Point, float]]:
    """How far apart neighbors have to be."""
    turns = {
        pair
        for way in found.ways
        for pair in pairwise(way)
        if found.rank[pair[0]] == found.rank[pair[1]]
    }
    label: dict[Item, float] = defaultdict(float)
    level: dict[tuple[Item, Item], float] = {}
    for i, (tail, head, room, *_) in enumerate(sketch.wires):
        if room and isinstance(tail, int) and isinstance(head, int):
            level[tail, head] = level[head, tail] = room[0] + LABEL_GAP
        if room:
            for item in found.ways[i]:
                label[item] = max(label[item], room[0])
    for row in found.rows:
        for a, b in pairwise(row):
            apart = BOX_GAP if isinstance(a, int) and isinstance(b, int) else BEND_GAP
            if isinstance(a, Port) and isinstance(b, Port):
                apart = PORT_GAP
            if (a, b) in turns or (b, a) in turns:
                apart = TURN_GAP + 4 * (isinstance(a, int) and isinstance(b, int))
                apart = max(apart, level.get((a, b), 0.0))
            elif label[b] and not (isinstance(b, int) and sketch.outlines[b].widens):
                apart = max(apart, label[b] + 6 - _half(sketch, b) - _half(sketch, a) / 2)
            left, right = _edge(sketch, a, True), _edge(sketch, b, False)
            yield left[0], right[0], left[1] + apart + right[1]
    for (item, _), ends in _ends(sketch, found).items():
        extents = [sketch.wires[end.wire].spread / 2 for end, _ in ends]
        yield BoxSide(item, False), ends[0][0], INSET + extents[0]
        yield ends[-1][0], BoxSide(item, True), INSET + extents[-1]
        for (one, d), (other, e) in pairwise(zip([e for e, _ in ends], extents, strict=True)):
            yield one, other, d + END_GAP + e
    for i, outline in enumerate(sketch.outlines):
        if outline.widens:
            yield BoxSide(i, False), BoxSide(i, True), outline.width


def _edge(sketch: Sketch, item: Item, right: bool) -> tuple[Point, float]:
    """The x of a side of an item: a number, and how far the side is from it."""
    if not isinstance(item, int):
        return item, 0.0
    outline = sketch.outlines[item]
    more = outline.after if right else outline.before
    if outline.widens:
        return BoxSide(item, right), more
    return item, outline.width / 2 + more


def _half(sketch: Sketch, item: Item) -> float:
    return sketch.outlines[item].width / 2 if isinstance(item, int) else 0.0
