"""The layout of one block: ranks one above the other, wires level and upright.

Boxes stand in ranks (`ranks`), in an order with few crossings (`ordering`); wires turn beside the
boxes that they enter at a side (`sides`). Then everything has its x (`coordinates`), and each wire
that is not straight a track between two ranks (`tracks`). All of that is decided in whole numbers,
so that it is the same on every machine.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from microgrrepresent.drawing.layout.coordinates import Places, places
from microgrrepresent.drawing.layout.ordering import Bend, Item, Ordered, ordered
from microgrrepresent.drawing.layout.outlines import Port, Wire
from microgrrepresent.drawing.layout.sides import give_sides
from microgrrepresent.drawing.layout.sketch import Sketch
from microgrrepresent.drawing.layout.tile import Tile
from microgrrepresent.drawing.layout.tracks import Net, nets
from microgrrepresent.drawing.marks.curves import Path, abreast, along
from microgrrepresent.drawing.marks.picture import Point

RANK_GAP = 17.0
BORDER_GAP = 6.0
"""Between the border of a block and its first rank, where wires run level."""
BEND_RANK = 4.0
"""Height of a rank that has no boxes."""
TRACK = 8.0
"""Between wires that run level side by side."""
LABEL_ROOM = 6.0
"""What a label at the head of an arrow needs besides its height."""
MARGIN = 6.0
HEADS = 5.0
"""What is added for the heads of gradients, so that they come out of a corner straight."""
CORNER = 8.0
"""How much of a line is lost to a rounded corner."""
ENTRY = 8.0
"""Between wires that enter a box at one side."""
HANGS = 3.0
"""So far subscripts reach below a label."""


@dataclass
class _Placed:
    """A sketch whose items have their places."""

    sketch: Sketch
    found: Ordered
    at: Places
    nets: dict[int, dict[tuple[Item, Item, int], Net]]
    shared: dict[tuple[Item, Item], Net]
    tracks: dict[Net, float]
    y: list[float]
    """The height of the middle of each rank."""
    border: dict[Port, float]
    """The height of the ports at the lower and upper border."""

    def net(self, a: Item, b: Item, wire: int) -> Net:
        """The net of a piece of a wire."""
        rank = min(self.found.rank[a], self.found.rank[b])
        own = self.nets[rank].get((a, b, wire))
        return own if own is not None else self.shared[a, b]


@lru_cache(maxsize=512)
def layered(sketch: Sketch) -> Tile:
    """Lay out a sketch."""
    found = ordered(sketch)
    give_sides(sketch, found)
    at = places(sketch, found)
    between = nets(found, at)
    bands, rooms = _bands(sketch, found, between), _label_rooms(sketch, found)
    tracks = {}
    for rank, made in between.items():
        below, above = rooms[rank]
        low, high = bands[rank][1] + below, bands[rank + 1][0] - above
        many = max((net.track for net in made.values()), default=-1) + 1
        for net in made.values():
            if net.track >= 0:
                tracks[net] = low + (high - low) * (net.track + 1) / (many + 1)
    shared = {key[:2]: net for made in between.values() for key, net in made.items()}
    y = [(low + high) / 2 for low, high in bands]
    left, right = _extent(sketch, found, at)
    top = bands[-1][1] if bands else 0.0
    at.x.update(
        (port, left if port.side == "left" else right)
        for port in sketch.ports
        if port.side in _SIDEWAYS
    )
    heights = {
        port: 0.0 if port.side == "below" else top
        for port in sketch.ports
        if port.side not in _SIDEWAYS
    }
    placed = _Placed(sketch, found, at, between, shared, tracks, y, heights)
    paths = [_path(placed, i) for i in range(len(found.ways))]
    _part(sketch, paths)
    labels = [_label(w, p, sketch) for w, p in zip(sketch.wires, paths, strict=True)]
    ports = {port: (at.x[port] - left, _y(placed, port)) for port in sketch.ports}
    return Tile(
        right - left,
        top,
        [(at.x[i] - left, y[found.rank[i]]) for i in range(len(sketch.outlines))],
        [[(x - left, h) for x, h in path] for path in paths],
        [label and (label[0] - left, label[1]) for label in labels],
        ports,
        {i: (wide, sketch.outlines[i].height) for i, wide in at.width.items()},
        [(i, (x - left, h)) for i, (x, h) in _forks(placed)],
        origin=left,
    )


def _extent(sketch: Sketch, found: Ordered, at: Places) -> tuple[float, float]:
    """From where to where a tile reaches; the ports at its sides leave the room to the rest."""
    xs = [x for end, x in at.x.items() if not (isinstance(end, Port) and end.side in _SIDEWAYS)]
    for i, outline in enumerate(sketch.outlines):
        half = at.width.get(i, outline.width) / 2
        xs += [at.x[i] - half - outline.before, at.x[i] + half + outline.after]
    return min(xs, default=0.0), max(xs, default=0.0)


_SIDEWAYS = ("left", "right")


def _bands(
    sketch: Sketch, found: Ordered, between: dict[int, dict[tuple[Item, Item, int], Net]]
) -> list[tuple[float, float]]:
    """The lower and upper end of each rank."""
    labels = _label_rooms(sketch, found)
    bands: list[tuple[float, float]] = []
    base = 0.0
    for r, row in enumerate(found.rows):
        boxes = [sketch.outlines[i] for i in row if isinstance(i, int)]
        tall = max((max(box.height, box.tall) for box in boxes), default=0.0)
        if not tall and 0 < r < len(found.rows) - 1:
            tall = BEND_RANK
        bands.append((base, base + tall))
        many = max((net.track for net in between.get(r, {}).values()), default=-1) + 1
        following = found.rows[r + 1] if r + 1 < len(found.rows) else []
        is_border = any(all(isinstance(i, Port) for i in row) for row in (row, following))
        many += many * sketch.is_double
        least = BORDER_GAP if is_border and many else 0.0 if is_border else RANK_GAP + sketch.spread
        margin = MARGIN + HEADS * sketch.is_double
        gap = TRACK * max(many - 1, 0) + (margin if many else 0)
        gap = max(least + gap, sum(labels[r]) + (gap + MARGIN if many else 0))
        base += tall + gap
    return bands


def _label_rooms(sketch: Sketch, found: Ordered) -> dict[int, list[float]]:
    """The heights that labels need in the gap above each rank: at the tails, and at the heads."""
    rooms: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for wire in sketch.wires:
        tail, head = found.rank[wire.tail], found.rank[wire.head]
        if wire.room is None or tail == head:
            continue
        rank, end = (head - 1, 1) if isinstance(wire.tail, Port) else (tail, 0)
        rooms[rank][end] = max(rooms[rank][end], wire.room[1] + LABEL_ROOM * end)
    return rooms


# --- paths ---------------------------------------------------------------------------------------


def _path(placed: _Placed, i: int) -> Path:
    way, found, at = placed.found.ways[i], placed.found, placed.at
    points: list[Point] = []
    for a, b in pairwise(way):
        if found.rank[a] == found.rank[b]:
            points += [(at.end(a, i, False), _y(placed, a)), (at.end(b, i, True), _y(placed, b))]
            continue
        net = placed.net(a, b, i)
        xa, xb = at.end(a, i, False), at.end(b, i, True)
        if net.track < 0 or xa == xb:
            points += [(xa, _y(placed, a)), (xb, _y(placed, b))]
        else:
            h = placed.tracks[net]
            points += [(xa, _y(placed, a)), (xa, h), (xb, h), (xb, _y(placed, b))]
    points = _corners(points)
    if len(points) < 2:
        return points
    points[0] = _rim(placed, way[0], points[0], points[1])
    points[-1] = _rim(placed, way[-1], points[-1], points[-2])
    return along(*points)


def _y(placed: _Placed, item: Item) -> float:
    if isinstance(item, Port) and item in placed.border:
        return placed.border[item]
    return placed.y[placed.found.rank[item]]


def _corners(points: list[Point]) -> list[Point]:
    """The points at which a line turns, and its ends."""
    kept: list[Point] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        while len(kept) > 1 and (
            kept[-1][0] == kept[-2][0] == point[0] or kept[-1][1] == kept[-2][1] == point[1]
        ):
            kept.pop()
        kept.append(point)
    return kept


def _rim(placed: _Placed, item: Item, at: Point, toward: Point) -> Point:
    """Where a line that leads to a box's middle height or width touches its border."""
    if not isinstance(item, int):
        return at
    outline = placed.sketch.outlines[item]
    x, y = placed.at.x[item], _y(placed, item)
    if toward[1] == at[1]:
        half = placed.at.width.get(item, outline.width) / 2
        return (x + (half if toward[0] > x else -half), at[1])
    return (at[0], y + (outline.height / 2 if toward[1] > y else -outline.height / 2))


def _forks(placed: _Placed) -> list[tuple[int, Point]]:
    """Where lines go off others: between ranks, and where a state goes on and up or down."""
    found: dict[Point, int] = {}
    for net, h in placed.tracks.items():
        for x in net.forks():
            found.setdefault((x, h), net.wire)
    onward: dict[Port, dict[Item, int]] = defaultdict(dict)
    for i, way in enumerate(placed.found.ways):
        if isinstance(way[0], Port) and way[0].side in _SIDEWAYS:
            onward[way[0]].setdefault(way[1], i)
    for turns in onward.values():
        for turn, i in turns.items():
            if isinstance(turn, Bend) and len(turns) > 1:
                found.setdefault((placed.at.x[turn], _y(placed, turn)), i)
    inward: dict[Port, dict[Item, int]] = defaultdict(dict)
    for i, way in enumerate(placed.found.ways):
        if isinstance(way[-1], Port) and way[-1].side in _SIDEWAYS:
            inward[way[-1]].setdefault(way[-2], i)
    for turns in inward.values():  # where several join on the way to one state
        for turn, i in turns.items():
            if (
                isinstance(turn, Bend)
                and len({placed.found.ways[j][0] for j in turns.values()}) > 1
            ):
                found.setdefault((placed.at.x[turn], _y(placed, turn)), i)
    after: dict[Item, set[Item]] = defaultdict(set)
    for i, way in enumerate(placed.found.ways):
        for item, following in pairwise(way):
            if isinstance(item, Bend):
                after[item].add(following)
                if len(after[item]) > 1 and _has_level_end(placed, after[item], item):
                    found.setdefault((placed.at.x[item], _y(placed, item)), i)
    return [(i, point) for point, i in found.items()]


def _has_level_end(placed: _Placed, items: set[Item], bend: Item) -> bool:
    """Whether a line goes level from a bend to a box."""
    rank = placed.found.rank
    return any(isinstance(item, int) and rank[item] == rank[bend] for item in items)


def _part(sketch: Sketch, paths: list[Path]) -> None:
    """Part the paths between the same two outlines, in place: both arrows of x * x are seen."""
    same: dict[tuple[object, object], list[int]] = defaultdict(list)
    for i, wire in enumerate(sketch.wires):
        same[wire[:2]].append(i)
    for numbers in same.values():
        if len(numbers) > 1 and all(paths[i] == paths[numbers[0]] for i in numbers):
            for i, path in zip(numbers, abreast(paths[numbers[0]], len(numbers)), strict=True):
                paths[i] = path


def _label(wire: Wire, path: Path, sketch: Sketch) -> Point | None:
    """The middle of a label: to the left of where its wire goes up, or above where it is level."""
    if wire.room is None or len(path) < 4:
        return None
    wide, tall = wire.room
    lines = [line for line in zip(path[::3], path[3::3], strict=False) if _is_straight(*line)]
    if isinstance(wire.tail, Port):
        lines.reverse()
    upright = [(a, b) for a, b in lines if a[0] == b[0]]
    long = [(a, b) for a, b in upright if abs(b[1] - a[1]) + CORNER >= tall]
    if not long and upright:
        long = [max(upright, key=lambda line: abs(line[1][1] - line[0][1]))]
    for (x, ya), (_, yb) in long:
        up = 1 if yb > ya else -1
        if lines[0][0][0] != lines[0][1][0]:  # it leaves at a side, and turns beside its box
            tail = sketch.outlines[wire.tail].height / 2 if isinstance(wire.tail, int) else CORNER
            ya += up * min(max(CORNER, tail - CORNER), max(abs(yb - ya) - tall, 0.0))
        y = yb - up * (tall / 2 + LABEL_ROOM) if isinstance(wire.tail, Port) else ya + up * tall / 2
        return (x - wide / 2 - 2, y)
    (xa, ya), (xb, _) = max(lines, key=lambda line: abs(line[1][0] - line[0][0]))
    return ((xa + xb) / 2, ya + tall / 2 + HANGS) if abs(xb - xa) >= wide else None


def _is_straight(a: Point, b: Point) -> bool:
    return a[0] == b[0] or a[1] == b[1]
