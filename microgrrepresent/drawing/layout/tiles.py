"""The layout of one block by dot: positions, the arrows' curves, and where they cross its border.

All ranks are settled before (see `sketch`) and handed to dot, which orders the boxes within a
rank, finds their x, and draws curves around them. dot scales better than the layout of our own
(`layered`), so it gets the large blocks, such as a whole graph without steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from microgrrepresent.drawing.layout.engine import layouts
from microgrrepresent.drawing.layout.sketch import Edge, End, Port, Sketch
from microgrrepresent.drawing.marks.curves import Path, joined, straight
from microgrrepresent.drawing.marks.picture import Point
from microgrrepresent.errors import DrawingError

NODESEP, RANKSEP = 0.2, 0.26  # inches, as dot wants them


@dataclass
class Tile:
    """A laid out sketch; its lower left corner is (0, 0). Keys are those of the sketch."""

    width: float
    height: float
    places: list[Point]
    paths: list[Path]
    labels: list[Point | None]
    ports: dict[Port, Point]
    sizes: dict[int, tuple[float, float]] = field(default_factory=dict)
    """The width and height of outlines that were stretched."""
    origin: float = 0.0
    """The x of the tile's left side, in the coordinates of the sketch's hints."""


def tiles(sketches: Iterable[Sketch], timeout: float, advice: str) -> dict[Sketch, Tile]:
    """Lay sketches out, all in one run of dot."""
    unique = list(dict.fromkeys(sketches))
    if not unique:
        return {}
    seconds = sum(map(_cost, unique))
    if seconds > timeout:
        raise DrawingError(
            f"the layout of {max(len(s.outlines) for s in unique):,} boxes in one block would take "
            f"about {seconds:.0f} s, and the timeout is {timeout:g} s; {advice}; or give timeout="
        )
    answers = layouts([_text(sketch) for sketch in unique], timeout, advice)
    return {sketch: _read(sketch, a) for sketch, a in zip(unique, answers, strict=True)}


def _cost(sketch: Sketch) -> float:
    """About how many seconds dot takes: measured, it grows with the square of what it places.

    dot places every box, and a point of every edge in every rank that the edge passes.
    """
    rank = sketch.rank
    points = sum(abs(rank[edge.tail] - rank[edge.head]) for edge in sketch.edges)
    return 3e-7 * (len(sketch.outlines) + points) ** 2


# --- the text for dot ----------------------------------------------------------------------------


def _name(end: End, sketch: Sketch) -> str:
    return f"n{end}" if isinstance(end, int) else f"p{sketch.ports.index(end)}"


def _text(sketch: Sketch) -> str:
    lines = [
        f"digraph {{ rankdir=BT; nodesep={NODESEP}; ranksep={RANKSEP};",
        'node [fixedsize=true label=""]; edge [arrowhead=none];',
    ]
    for i, box in enumerate(sketch.outlines):
        shape = "ellipse" if box.is_round else "box"
        size = f"width={box.width / 72:.4f} height={box.height / 72:.4f}"
        lines.append(f"n{i} [shape={shape} {size}]")
    for port in sketch.ports:
        lines.append(f"{_name(port, sketch)} [shape=box width=0.02 height=0.02]")
    rows: dict[int, list[End]] = {}
    for end, rank in sketch.rank.items():
        rows.setdefault(rank, []).append(end)
    chain = []
    for rank in range(max(rows, default=-1) + 1):
        row = rows.get(rank)
        if row is None:
            lines.append(f"k{rank} [width=0.01 height=0.01 style=invis]")
            chain.append(f"k{rank}")
            continue
        chain.append(_name(row[0], sketch))
        lines.append(f"{{ rank=same; {' '.join(_name(end, sketch) for end in row)} }}")
        for first, second in _order(sketch, row):
            lines.append(f"{_name(first, sketch)} -> {_name(second, sketch)} [style=invis]")
    if chain:
        lines.append(" -> ".join(chain) + " [style=invis weight=0]")
    for i, edge in enumerate(sketch.edges):
        a, b = _name(edge.tail, sketch), _name(edge.head, sketch)
        if _turned(sketch, edge):
            a, b = b, a
        lines.append(f"{a} -> {b} [id=e{i} weight={_weight(edge)}{_room(edge)}]")
    return "\n".join([*lines, "}"])


def _order(sketch: Sketch, row: list[End]) -> Iterable[tuple[End, End]]:
    """Pairs of one rank, left one first: ports stand outside of everything else."""
    tied = {frozenset(edge[:2]) for edge in sketch.edges}
    for port in row:
        if isinstance(port, int) or port.side not in ("left", "right"):
            continue
        for other in row:
            opposite = isinstance(other, Port) and port.side == "right"  # it says so itself
            if other != port and frozenset((port, other)) not in tied and not opposite:
                yield (port, other) if port.side == "left" else (other, port)


def _turned(sketch: Sketch, edge: Edge) -> bool:
    """Whether dot gets an edge the other way round, so that all of its edges go up or right."""
    a, b = sketch.rank[edge.tail], sketch.rank[edge.head]
    if a != b:
        return a > b
    if isinstance(edge.tail, Port):
        return edge.tail.side == "right"
    if isinstance(edge.head, Port):
        return edge.head.side == "left"
    return sketch.is_backward


def _weight(edge: Edge) -> int:
    """How much dot should try to make an edge straight."""
    sides = {end.side for end in edge[:2] if isinstance(end, Port)}
    return 8 if sides & {"below", "above"} else 4 if sides else 1


def _room(edge: Edge) -> str:
    """An empty label of the right size, so that dot leaves room for the arrow's words."""
    if edge.room is None or not (isinstance(edge.tail, int) and isinstance(edge.head, int)):
        return ""
    w, h = edge.room
    return (
        ' label=<<TABLE BORDER="0" CELLPADDING="0" CELLSPACING="0" FIXEDSIZE="TRUE" '
        f'WIDTH="{w:.0f}" HEIGHT="{h:.0f}"><TR><TD></TD></TR></TABLE>>'
    )


# --- dot's answer --------------------------------------------------------------------------------


def _read(sketch: Sketch, answer: dict[str, Any]) -> Tile:
    """Take positions and curves from what dot answered, and lead the curves to the border."""
    at: dict[str, Point] = {}
    for item in answer.get("objects", ()):
        if "pos" in item:
            at[item["name"]] = _point(item["pos"])
    paths: list[Path] = [[] for _ in sketch.edges]
    labels: list[Point | None] = [None] * len(sketch.edges)
    for item in answer.get("edges", ()):
        if "id" in item:
            i = int(item["id"][1:])
            points = [_point(p) for p in item["pos"].split(" ")]
            paths[i] = points[::-1] if _turned(sketch, sketch.edges[i]) else points
            if "lp" in item:
                labels[i] = _point(item["lp"])
    places = [at[f"n{i}"] for i in range(len(sketch.outlines))]
    xs = [x for path in paths for x, _ in path]
    ys = [y for path in paths for _, y in path]
    for (x, y), box in zip(places, sketch.outlines, strict=True):
        xs += [x - box.width / 2, x + box.width / 2]
        ys += [y - box.height / 2, y + box.height / 2]
    left, right, bottom, top = min(xs), max(xs), min(ys), max(ys)
    ports: dict[Port, Point] = {}
    for port in sketch.ports:
        x, y = at[_name(port, sketch)]
        x = _upright(sketch, port, x, places, paths)
        border: dict[str, Point] = {
            "left": (left, y),
            "right": (right, y),
            "below": (x, bottom),
            "above": (x, top),
        }
        ports[port] = border[port.side]
    for (tail, head, *_), path in zip(sketch.edges, paths, strict=True):
        if isinstance(tail, Port):
            path[:] = joined(straight(ports[tail], path[0]), path)
        if isinstance(head, Port):
            path[:] = joined(_towards(path, head), straight(path[-1], ports[head]))

    def moved(point: Point) -> Point:
        return (point[0] - left, point[1] - bottom)

    return Tile(
        right - left,
        top - bottom,
        [moved(p) for p in places],
        [[moved(p) for p in path] for path in paths],
        [moved(p) if p else None for p in labels],
        {port: moved(p) for port, p in ports.items()},
    )


def _point(words: str) -> Point:
    x, y = words.split(",")
    return (float(x), float(y))


def _towards(path: Path, port: Port) -> Path:
    """Let a path to a port at the side go no farther to that side than it has to, and not back."""
    outwards = {"right": 1, "left": -1}.get(port.side, 0)
    reach = [outwards * x for x, _ in path]
    far = max(range(len(path)), key=lambda i: reach[i])
    if not outwards or reach[far] <= reach[-1] + 2:
        return path
    start = path[: 3 * (far // 3) + 1]
    bend, corner = path[far], (path[far][0], path[-1][1])
    path[-1] = corner
    return [*start, (bend[0], start[-1][1]), bend, corner]


def _upright(sketch: Sketch, port: Port, x: float, places: list[Point], paths: list[Path]) -> float:
    """Stand a port right above or below the one box it is for, if dot has it nearly there."""
    ends = [
        (e.tail if e.head == port else e.head, i)
        for i, e in enumerate(sketch.edges)
        if port in e[:2]
    ]
    box = ends[0][0]
    if port.side in ("left", "right") or not isinstance(box, int):
        return x
    crowd = {p for e in sketch.edges for p in e[:2] if box in e[:2] and isinstance(p, Port)}
    alone = [p for p in crowd if p.side == port.side] == [port]
    if not alone or any(end != box for end, _ in ends) or abs(places[box][0] - x) > 12:
        return x
    x = places[box][0]
    for _, i in ends:
        ys = [y for _, y in paths[i]]
        paths[i][:] = straight((x, ys[0]), (x, ys[-1]))
    return x
