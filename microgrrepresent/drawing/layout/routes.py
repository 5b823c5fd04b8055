"""The paths of arrows: the pieces inside of blocks, joined on the way between them.

Between blocks an arrow runs level and upright, too: through the gaps between levels, up a channel
beside a block that it passes, along a bus to what stands above all steps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.borders import collector
from microgrrepresent.drawing.layout.grid import LANE_GAP, LOOP_GAP, MARGIN, ROW_GAP, Grid
from microgrrepresent.drawing.layout.states import is_free_above, is_single_end, loop_height
from microgrrepresent.drawing.marks.curves import (
    Path,
    along,
    corners_of,
    distance,
    joined,
    mix,
    point_beside,
    straight,
)
from microgrrepresent.drawing.marks.picture import Arrow, Box, Point

EARLY = 4.0
"""Between lines that come from before the steps."""
TURN = 10.0
"""From a state to where a line that leads away from it turns, at most."""
FORK = 12.0
"""From a delay to where the line to the next one leaves."""
LABEL_GAP = 2.0
"""Between a line and the label above it, or beside its loop."""
CUT = (12.0, 8.0)
"""Where scissors stand: so far from the start of an arrow, and from its line."""


def route(grid: Grid, blocks: Iterable[Block]) -> None:
    """Give every arrow of some blocks its path."""
    pieces: dict[Arrow, list[tuple[Block, Path]]] = defaultdict(list)
    for block in blocks:
        tile, (x0, y0) = grid.tiles[block], grid.at[block]
        sketch = grid.traced[block].sketch
        lanes = {pair for _, way in sketch.lanes for pair in pairwise(way)}
        carried: dict[int, Arrow] = {}
        for arrow, i in zip(block.arrows, grid.traced[block].wire, strict=True):
            if i is None:
                arrow.path = _from_beside(arrow.tail, arrow.head)
                if arrow.room:
                    (left, y), (right, _) = arrow.path[0], arrow.path[-1]
                    arrow.label_at = ((left + right) / 2, y + arrow.room[1] / 2)
                continue
            if sketch.wires[i][:2] in lanes and arrow.flow == "value":
                arrow.flow = "state"
            carried.setdefault(i, arrow)
            pieces[arrow].append((block, [(x0 + x, y0 + y) for x, y in tile.paths[i]]))
            label = tile.labels[i]
            if label:
                arrow.label_at = (x0 + label[0], y0 + label[1])
        for i, (x, y) in tile.forks:
            if i in carried:
                carried[i].forks.append((x0 + x, y0 + y))
    routes = _Routes(grid)
    for arrow, parts in pieces.items():
        arrow.path = routes.path(arrow, parts)
        if arrow.room and arrow.label_at is None:
            arrow.label_at = _label_above(arrow.path, arrow.room)
    for arrow in pieces:
        if arrow.head.kind == "delay":
            arrow.path = routes.into_delay(arrow.tail, arrow.head, arrow.path)
        elif arrow.tail.kind == "delay":
            arrow.path = routes.out_of_delay(arrow.tail, arrow)
            if arrow.room and arrow.label_at is None:
                arrow.label_at = _label_on_loop(arrow.path, arrow.room)
    if grid.loop:
        for arrow in grid.picture.arrows:
            if arrow.head.kind == "delay" == arrow.tail.kind:
                arrow.path, arrow.forks = routes.to_next_delay(arrow.tail, arrow.head)
            elif arrow.head.kind == "delay" and arrow not in pieces:
                arrow.path = routes.into_delay(arrow.tail, arrow.head, arrow.path)
    for arrow in pieces:
        if arrow.flow == "cut" and arrow.tail.kind != "delay":  # whose square has them
            arrow.cut_at = point_beside(arrow.path, *CUT)


@dataclass
class _Routes:
    grid: Grid
    bus: dict[Hashable, float] = field(default_factory=dict)
    early: dict[Hashable, int] = field(default_factory=dict)
    """What comes from before the steps, counted."""
    spans: dict[tuple[Block, Hashable], Point] = field(default_factory=dict)
    """Where the first and the last of the lines begin that run along a bus to a block."""

    def path(self, arrow: Arrow, parts: list[tuple[Block, Path]]) -> Path:
        """The way of an arrow from box to box, through one or two blocks."""
        tail, head = arrow.tail, arrow.head
        if len(parts) == 2:
            (first, start), (last, end) = parts
            if first is not self.grid.blocks.of.get(tail):
                first, start, last, end = last, end, first, start
            if last.column > self.grid.T > 0:
                return self._to_end(arrow, first, last, start, end)
            return joined(joined(start, self._between(arrow, first, last, start[-1], end[0])), end)
        block, path = parts[0]
        grid = self.grid
        if tail.between and tail.kind != "delay":
            if block.column > grid.T:
                return self._to_end(arrow, block, block, [], path)
            if grid.loop and abs(path[0][1] - tail.y) > tail.height / 2:  # the loop leaves level
                path = joined(along(*self._out_of(tail, path[0][1]), path[0]), path)
            else:
                rim = _rim(tail, path[0])
                path = joined(_level(rim, path[0], _beside(rim, path[0])), path)
        if head.between and head.kind != "delay":
            rim = _rim(head, path[-1])
            path = joined(path, _level(path[-1], rim, _beside(rim, path[-1])))
        return path

    def _out_of(self, state: Box, height: float) -> list[Point]:
        """From the upper or lower side of a state to a height, past what else stands in its gap."""
        up = 1 if height > state.y else -1
        start = (state.x, state.top if up > 0 else state.bottom)
        if up < 0 or is_free_above(self.grid, state):
            return [start, (state.x, height)]
        turn, x = start[1] + up * LANE_GAP, state.left - LANE_GAP
        return [start, (start[0], turn), (x, turn), (x, height)]

    def into_delay(self, face: Box, square: Box, path: Path) -> Path:
        """From a state round the cell to the square."""
        outwards = 1 if square.column < face.column else -1
        start = path[-1] if path else _rim(face, (face.x + outwards, face.y))
        turn = start[0] + outwards * LOOP_GAP * abs(self.grid.loop[square][1])
        near = square.right if outwards > 0 else square.left
        way = along(start, (turn, start[1]), (turn, square.y), (near, square.y))
        return joined(path, way)

    def to_next_delay(self, square: Box, following: Box) -> tuple[Path, list[Point]]:
        """From a delay to the next one, and where the line forks: there the state is read, too."""
        onward = -1 if following.x < square.x else 1
        start = (square.left if onward < 0 else square.right, square.y)
        fork = (start[0] + onward * FORK, square.y)
        near = following.right if onward < 0 else following.left
        return along(start, fork, (fork[0], following.y), (near, following.y)), [fork]

    def out_of_delay(self, square: Box, arrow: Arrow) -> Path:
        """From the square round the other side of the cell to where the state is read."""
        path = arrow.path
        start = path[0] if path else _rim(arrow.head, (square.x, square.y))
        outwards = -1 if start[0] < square.x else 1
        turn = start[0] + outwards * (MARGIN + LOOP_GAP * abs(self.grid.loop[square][1]))
        near = square.right if outwards > 0 else square.left
        height = loop_height(self.grid, square)
        way = along((near, height), (turn, height), (turn, start[1]), start)
        return joined(way, path) if path else way

    def _between(self, arrow: Arrow, first: Block, last: Block, a: Point, b: Point) -> Path:
        """From the border of one block to that of another."""
        grid = self.grid
        channel = grid.channel_of(arrow)
        x = None if channel is None else grid.channel.get(channel)
        if first.column == last.column:
            low = self._gap(first, 1 if first.level < last.level else -1)
            high = self._gap(last, -1 if first.level < last.level else 1)
            if x is None:
                return along(a, (a[0], high), (b[0], high), b)
            return along(a, (a[0], low), (x, low), (x, high), (b[0], high), b)
        if first.column == 0 and arrow.flow == "parameter":
            if x is None:
                return along(a, (b[0], a[1]), b)
            high = self._gap(last, -1)
            return along(a, (x, a[1]), (x, high), (b[0], high), b)
        if first.column == 0 and b[1] == grid.at[last][1] != a[1]:  # it enters from below
            n = self.early.setdefault(arrow.tail.slot, len(self.early))
            low = self._gap(last, -1) - EARLY * n
            turn = a[0] + LANE_GAP if a[1] < low else grid.gap[0]
            return along(a, (turn, a[1]), (turn, low), (b[0], low), b)
        return _level(a, b)

    def _to_end(self, arrow: Arrow, first: Block, last: Block, start: Path, end: Path) -> Path:
        """Up to what stands above the steps."""
        grid, head = self.grid, arrow.head
        if start:
            a = start[-1]
            points = [a]
            channel = grid.channel_of(arrow)
            x = None if channel is None else grid.channel.get(channel)
            if grid.leaves_above(arrow, first):
                if x is not None:
                    low = self._gap(first, 1)
                    points += [(a[0], low), (x, low)]
            else:
                points += [(grid.gap[grid.T], a[1])]
        elif is_free_above(grid, arrow.tail):
            points = [(arrow.tail.x, arrow.tail.top)]
        else:
            tail = arrow.tail
            points = [(tail.right, tail.y), (tail.right + LANE_GAP, tail.y)]
        x = points[-1][0]
        if is_single_end(grid, last):
            if abs(x - head.x) < head.width / 3:
                way = along(*points, (x, head.bottom))
            else:
                side = head.left if x < head.x else head.right
                way = along(*points, (x, head.y), (side, head.y))
                if grid.T > 1:
                    arrow.forks = [(x, head.y)] if self._is_passed(last, arrow, x) else []
            return joined(start, way) if start else way
        b = end[0]
        key = collector(arrow)
        height = b[1] - LANE_GAP * (1 + self.bus.setdefault(key, float(len(self.bus))))
        if x != b[0] and self._is_passed(last, arrow, x, b[0]):
            arrow.forks = [(x, height)]
        way = along(*points, (x, height), (b[0], height), b) if x != b[0] else along(*points, b)
        return joined(joined(start, way) if start else way, end)

    def _is_passed(self, last: Block, arrow: Arrow, x: float, goal: float | None = None) -> bool:
        """Whether another line of the same bus comes from farther away, on the same side."""
        goal = arrow.head.x if goal is None else goal
        bus = last, collector(arrow)
        if bus not in self.spans:
            starts = [other.tail.x for other in last.arrows if collector(other) == bus[1]]
            self.spans[bus] = min(starts), max(starts)
        leftmost, rightmost = self.spans[bus]
        return leftmost < arrow.tail.x if x < goal else rightmost > arrow.tail.x

    def _gap(self, block: Block, direction: int) -> float:
        """The height of the gap above (1) or below (-1) a block's level."""
        row = self.grid.rows[block.level]
        return row.roof + ROW_GAP / 2 if direction > 0 else row.floor - ROW_GAP / 2


def _rim(box: Box, toward: Point) -> Point:
    """The point of a box's border to the left or right, on the side of a point."""
    return (box.right if toward[0] > box.x else box.left, box.y)


def _level(a: Point, b: Point, turn: float | None = None) -> Path:
    """From side to side: straight where the heights agree, else with a step, in the middle."""
    if abs(a[1] - b[1]) < 0.5:
        return straight(a, b)
    x = (a[0] + b[0]) / 2 if turn is None else turn
    return along(a, (x, a[1]), (x, b[1]), b)


def _beside(state: Point, block: Point) -> float:
    """Where a line turns between a state and a block: in the gap in which the state stands."""
    x, away = state[0], (block[0] - state[0]) / 2
    return x + min(max(away, -TURN), TURN)


def _label_above(path: Path, room: Point) -> Point | None:
    """The middle of a label above the longest level line of a path, if it is long enough."""
    corners = corners_of(path) or path[:1]
    level = [(a, b) for a, b in pairwise(corners) if abs(a[1] - b[1]) < 0.01]
    (xa, y), (xb, _) = max(
        level, key=lambda line: abs(line[1][0] - line[0][0]), default=((0, 0),) * 2
    )
    return ((xa + xb) / 2, y + room[1] / 2 + LABEL_GAP) if abs(xb - xa) >= room[0] else None


def _label_on_loop(path: Path, room: Point) -> Point:
    """The middle of a label outside of a loop, beside where it turns to the cell."""
    (x, y), turn, end = path[0], path[3], path[-1]
    inwards, away = (1 if x > turn[0] else -1), (1 if y > end[1] else -1)
    return (turn[0] + inwards * room[0] / 2, y + away * (room[1] / 2 + LABEL_GAP))


def _from_beside(box: Box, head: Box) -> Path:
    """A straight line from what stands beside or below a box."""
    if box.right <= head.left:
        return straight((box.right, box.y), (head.left, head.y))
    if box.left >= head.right:
        return straight((box.left, box.y), (head.right, head.y))
    start = (box.x, box.top)
    if head.is_round and abs(box.x - head.x) < head.width / 4:  # upright, if not to the middle
        half = ((head.width / 2) ** 2 - (box.x - head.x) ** 2) ** 0.5
        return straight(start, (box.x, head.y - half))
    if head.is_round:
        return straight(
            start,
            mix((head.x, head.y), start, head.width / 2 / distance(start, (head.x, head.y))),
        )
    inset = min(8.0, head.width / 3)
    return straight(start, (min(max(box.x, head.left + inset), head.right - inset), head.bottom))
