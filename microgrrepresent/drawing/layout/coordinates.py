"""The x of everything in a sketch: edges as upright as the order of each rank allows.

We look for the x that make the sum of w |x_a - x_b| over all edges small, while neighbors in a
rank keep their distance. Absolute values make most edges exactly upright and leave the rest to a
few, where squares would tilt all of them a little. The bends of a long edge stand in one line,
except where that line would cross another one. In half points all of this is a problem in integers,
which the network simplex method solves exactly (`network_simplex`), so that the same sketch is the
same picture on every machine.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from math import ceil

from microgrrepresent.drawing.layout.network_simplex import Arc, least_energy
from microgrrepresent.drawing.layout.ordering import Bend, Item, Ordered
from microgrrepresent.drawing.layout.outlines import Port
from microgrrepresent.drawing.layout.sketch import Sketch

BOX_GAP, BEND_GAP, PORT_GAP = 14.0, 9.0, 20.0
HINT = 120
"""How much a box wants to be where its sketch hints."""
MATE = 40
"""How much a backward node wants to stand above its forward node."""
ASIDE = 4
"""An edge from below counts so many times less than the first: ŷ stands below L, not y."""
LONG = 16
"""An edge that passes more ranks is kept in line."""
GRID = 2
"""Places are whole numbers of 1/GRID points."""


def places(sketch: Sketch, found: Ordered) -> dict[Item, float]:
    """Find the x of every outline, port and bend."""
    line = _lines(found)
    arcs: dict[tuple[int, int, int], int] = {}  # of each pair and distance, the weight
    for a, b, w in _links(sketch, found):
        i, j = sorted((line[a], line[b]))
        if i != j:
            arcs[i, j, 0] = arcs.get((i, j, 0), 0) + w
    count = len(set(line.values()))
    for item, hint in sketch.hints:
        key = (count, line[item], round(GRID * hint))
        arcs[key] = arcs.get(key, 0) + HINT
    order = sorted(arcs.items(), key=lambda arc: -arc[1])
    wants = [Arc(*ends, -w, w) for ends, w in order]
    firm = sum(arcs.values()) + 1  # no sum of wishes pushes neighbors closer than their distance
    wants += [Arc(a, b, gap, -firm, 0) for (a, b), gap in _gaps(sketch, found, line).items()]
    x = least_energy(count + 1, wants)
    base = x[count] if sketch.hints else min(x[:count], default=0)
    at = {item: (x[i] - base) / GRID for item, i in line.items()}
    out = {"left": min(at.values()) - BEND_GAP, "right": max(at.values()) + BEND_GAP} if at else {}
    for port in sketch.ports:  # those at the sides leave all the room to what is between them
        at[port] = out.get(port.side, at[port])
    return at


def _lines(found: Ordered) -> dict[Item, int]:
    """A number for each item, and one for all bends of a long edge that can stand in one line."""
    after: dict[Item, Item] = {}
    pieces: dict[int, list[tuple[Item, Item]]] = {}
    for a, b, i in found.pieces:
        if isinstance(a, Bend) and isinstance(b, Bend) and len(found.ways[i]) > LONG:
            low, high = (a, b) if found.rank[a] < found.rank[b] else (b, a)
            pieces.setdefault(found.rank[low], []).append((low, high))
    place = {item: i for row in found.rows for i, item in enumerate(row)}
    for rank in pieces:
        after.update(_uncrossed(pieces[rank], place))
    number: dict[Item, int] = {}
    count = 0
    for row in found.rows:
        for item in row:
            if item not in number:
                number[item] = count
                count += 1
            if item in after:
                number[after[item]] = number[item]
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


def _links(sketch: Sketch, found: Ordered) -> list[tuple[Item, Item, int]]:
    """Pairs that would like to stand one above the other, and how much."""
    links: list[tuple[Item, Item, int]] = []
    first: dict[Item, Item] = {}  # of what an outline takes from below, the first
    for a, b, i in found.pieces:
        tail, head = sketch.edges[i][:2]
        aside = _is_below(tail) and first.setdefault(head, tail) != tail
        links.append((a, b, _weight(found, a, b) // (ASIDE if aside else 1)))
    return links + [(a, b, MATE) for a, b in sketch.mates]


def _weight(found: Ordered, a: Item, b: Item) -> int:
    """How upright a piece of an edge wants to be; within a rank, how short."""
    at_border = isinstance(a, Port) or isinstance(b, Port)
    if found.rank[a] == found.rank[b]:
        return 1 if at_border else 10
    bends = isinstance(a, Bend) + isinstance(b, Bend)
    return (80 if at_border else 20, 40, 160)[bends]


def _is_below(item: Item) -> bool:
    return isinstance(item, Port) and item.side == "below"


def _gaps(sketch: Sketch, found: Ordered, line: dict[Item, int]) -> dict[tuple[int, int], int]:
    """How far apart neighbors have to be."""
    room = max((edge.room[0] for edge in sketch.edges if edge.room), default=0.0) / 2
    gaps: dict[tuple[int, int], int] = {}
    for row in found.rows:
        for a, b in pairwise(row):
            apart = BOX_GAP if isinstance(a, int) and isinstance(b, int) else BEND_GAP
            if isinstance(a, Port) and isinstance(b, Port):
                apart = PORT_GAP
            gap = ceil(GRID * (_half(sketch, a) + _half(sketch, b) + apart + room))
            gaps[line[a], line[b]] = max(gap, gaps.get((line[a], line[b]), 0))
    return gaps


def _half(sketch: Sketch, item: Item) -> float:
    return sketch.outlines[item].width / 2 if isinstance(item, int) else 0.0
