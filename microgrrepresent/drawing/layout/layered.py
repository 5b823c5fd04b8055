"""The layout of one block: the order of its ranks, its x, and curves along them.

It decides in whole numbers, so that it is the same on every machine. Curves keep to the gaps
between ranks: they leave a box at its upper side, pass ranks upright, and enter a box at its lower
side.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from math import hypot, inf

from microgrrepresent.drawing.layout.coordinates import places
from microgrrepresent.drawing.layout.ordering import Item, Ordered, ordered
from microgrrepresent.drawing.layout.outlines import Edge, End, Outline, Port
from microgrrepresent.drawing.layout.sketch import Sketch
from microgrrepresent.drawing.layout.tile import Tile
from microgrrepresent.drawing.marks.curves import Path, abreast, along, straight
from microgrrepresent.drawing.marks.picture import Point

RANK_GAP = 20.0
BEND_RANK = 10.0
"""Height of a rank that has no boxes."""
CLEARANCE, HEADROOM = 8.0, 5.0
"""From a box to a line beside it, or above or below it: the reverse sweep runs along the line."""


@dataclass
class _Placed:
    """A sketch whose items have their places."""

    sketch: Sketch
    found: Ordered
    at: dict[Item, Point]
    bands: list[tuple[float, float]]
    """The lower and upper end of each rank."""
    widest: list[float]
    """The width of the widest outline of each rank."""
    ends: list[tuple[float, float]]
    """The x of the first and the last outline of each rank."""

    def half(self, item: Item) -> float:
        return self.sketch.outlines[item].width / 2 if isinstance(item, int) else 0.0


@lru_cache(maxsize=512)
def layered(sketch: Sketch) -> Tile:
    """Lay out a sketch."""
    found = ordered(sketch)
    x = places(sketch, found)
    y, bands = _heights(sketch, found)
    left = min((x[i] - o.width / 2 for i, o in enumerate(sketch.outlines)), default=0.0)
    right = max((x[i] + o.width / 2 for i, o in enumerate(sketch.outlines)), default=0.0)
    inner = [x[i] for i in x if not (isinstance(i, Port) and i.side in ("left", "right"))]
    left, right = min([left, *inner]), max([right, *inner])
    top = bands[-1][1] if bands else 0.0
    ports: dict[Port, Point] = {}
    for port in sketch.ports:
        ports[port] = {
            "left": (0.0, y[port]),
            "right": (right - left, y[port]),
            "below": (x[port] - left, 0.0),
            "above": (x[port] - left, top),
        }[port.side]
    at: dict[Item, Point] = {item: (x[item] - left, y[item]) for item in x} | ports
    widest, ends = [], []
    for row in found.rows:
        outlines = [i for i in row if isinstance(i, int)]
        widest.append(max((sketch.outlines[i].width for i in outlines), default=0.0))
        ends.append((at[outlines[0]][0], at[outlines[-1]][0]) if outlines else (inf, -inf))
    placed = _Placed(sketch, found, at, bands, widest, ends)
    paths = [_path(placed, way) for way in found.ways]
    _part(sketch, paths)
    labels = [_label(edge, path) for edge, path in zip(sketch.edges, paths, strict=True)]
    boxes = [at[i] for i in range(len(sketch.outlines))]
    return Tile(right - left, top, boxes, paths, labels, ports, origin=left)


def _heights(sketch: Sketch, found: Ordered) -> tuple[dict[Item, float], list[tuple[float, float]]]:
    """The y of everything, and the lower and upper end of each rank."""
    y: dict[Item, float] = {}
    bands: list[tuple[float, float]] = []
    base = 0.0
    rooms = _rooms(sketch)
    for r, row in enumerate(found.rows):
        tall = max((sketch.outlines[i].height for i in row if isinstance(i, int)), default=0.0)
        if not tall and 0 < r < len(found.rows) - 1:
            tall = BEND_RANK
        bands.append((base, base + tall))
        y.update((item, base + tall / 2) for item in row)
        base += tall + max(RANK_GAP, rooms.get(r, 0.0))
    return y, bands


def _rooms(sketch: Sketch) -> dict[int, float]:
    """The gaps above ranks that have to hold labels of edges."""
    found: dict[int, float] = {}
    for tail, head, room, _ in sketch.edges:
        if room is not None:
            low = min(sketch.rank[tail], sketch.rank[head])
            found[low] = max(found.get(low, 0.0), room[1] + 14.0)
    return found


def _path(placed: _Placed, way: list[Item]) -> Path:
    at, bands, rank = placed.at, placed.bands, placed.found.rank
    tail, head = way[0], way[-1]
    if len(way) == 2 and rank[tail] == rank[head]:
        return _flat(placed, tail, head)
    rises = rank[head] > rank[tail]
    points: list[Point] = []
    for item in way[1:-1]:
        x, y = at[item]
        low, high = bands[rank[item]]
        turns = item is way[1] and rank[tail] == rank[item]
        arrives = item is way[-2] and rank[head] == rank[item]
        first, last = (low, high) if rises else (high, low)
        if len(points) > 1 and x == points[-1][0] == points[-2][0]:
            points[-1] = (x, y if arrives else last)  # straight on
        else:
            points += [(x, y)] if turns or arrives else [(x, first), (x, last)]
    towards = points[0] if points else at[head]
    if not rises and points and _is_outermost(placed, tail, towards[0] - at[tail][0]):
        x, y = at[tail]  # down on the outside: first to the side
        half = placed.half(tail) * (1 if towards[0] > x else -1)
        return along((x + half, y), (towards[0], y), *points, _anchor(placed, head, points[-1], 1))
    start = _anchor(placed, tail, towards, 1 if rises else -1)
    end = _anchor(placed, head, points[-1] if points else start, -1 if rises else 1)
    onward, back = points[0] if points else end, points[-1] if points else start
    if _runs_over(placed, tail, start, onward):
        points.insert(0, (start[0], _outside(bands[rank[tail]], rises)))
    if _runs_over(placed, head, end, back):
        points.append((end[0], _outside(bands[rank[head]], not rises)))
    return along(start, *points, end)


def _outside(band: tuple[float, float], above: bool) -> float:
    """A height just above or below a rank."""
    return band[1] + HEADROOM if above else band[0] - HEADROOM


def _runs_over(placed: _Placed, item: Item, a: Point, b: Point) -> bool:
    """Whether a line from a, at an outline or port, to b touches another outline of its rank."""
    side = 1 if b[1] > a[1] else -1
    rank = placed.found.rank[item]
    row, near = placed.found.rows[rank], placed.widest[rank] / 2 + CLEARANCE
    first = bisect_left(row, min(a[0], b[0]) - near, key=lambda other: placed.at[other][0])
    for other in islice(row, first, None):
        x, y = placed.at[other]
        if x > max(a[0], b[0]) + near:
            return False
        if not isinstance(other, int) or other == item:
            continue
        outline = placed.sketch.outlines[other]
        share = (y + side * (outline.height / 2 + HEADROOM) - a[1]) / (b[1] - a[1] or 1.0)
        reach = a[0] + (b[0] - a[0]) * min(share, 1.0)  # where it has passed the outline
        half = outline.width / 2 + CLEARANCE
        if share > 0 and min(a[0], reach) < x + half and max(a[0], reach) > x - half:
            return True
    return False


def _part(sketch: Sketch, paths: list[Path]) -> None:
    """Part the paths between the same two outlines, in place: both arrows of x * x are seen."""
    same: dict[tuple[End, End], list[int]] = {}
    for i, edge in enumerate(sketch.edges):
        same.setdefault(edge[:2], []).append(i)
    for numbers in same.values():
        if len(numbers) > 1 and all(paths[i] == paths[numbers[0]] for i in numbers):
            for i, path in zip(numbers, abreast(paths[numbers[0]], len(numbers)), strict=True):
                paths[i] = path


def _is_outermost(placed: _Placed, item: Item, dx: float) -> bool:
    """Whether no other outline stands beside an outline on the side of an offset."""
    if not isinstance(item, int) or abs(dx) < placed.half(item) + 4:
        return False
    return placed.at[item][0] == placed.ends[placed.found.rank[item]][dx > 0]


def _flat(placed: _Placed, tail: Item, head: Item) -> Path:
    """Within a rank: from side to side."""
    (a, y), (b, _) = placed.at[tail], placed.at[head]
    towards = 1 if b > a else -1
    return straight((a + towards * placed.half(tail), y), (b - towards * placed.half(head), y))


def _anchor(placed: _Placed, item: Item, towards: Point, side: int) -> Point:
    """Where a curve touches an outline: on its upper (1) or lower (-1) side, towards a point."""
    x, y = placed.at[item]
    if not isinstance(item, int):
        return (x, y)
    outline: Outline = placed.sketch.outlines[item]
    dx, dy = towards[0] - x, abs(towards[1] - y)
    if outline.is_round:
        dx = max(min(dx, 1.2 * dy), -1.2 * dy)  # not farther to a side than about 50 degrees
        length = hypot(dx, dy) or 1.0
        r = outline.width / 2
        return (x + r * dx / length, y + side * r * dy / length)
    reach = max(outline.width / 2 - 8.0, 0.0)
    share = outline.height / 2 / max(dy, outline.height / 2)
    return (x + max(min(dx * share, reach), -reach), y + side * outline.height / 2)


def _label(edge: Edge, path: Path) -> Point | None:
    """The middle of a label: beside its edge, on the side from which the edge leans away."""
    if edge.room is None:
        return None
    wide, tall = edge.room
    (x0, y0), (x1, y1) = path[0], path[min(3, len(path) - 1)]
    if abs(y1 - y0) < 1:  # level: above the line
        x = x1 - wide / 2 - 8 if isinstance(edge.tail, Port) else (x0 + x1) / 2
        return (x, y0 + tall / 2)
    if isinstance(edge.tail, Port):  # close to the head
        (x0, y0), (x1, y1) = path[-4], path[-1]
    side = -1 if x1 > x0 + 1 else 1
    return ((x0 + x1) / 2 + side * (wide / 2 + 2), (y0 + y1) / 2)
