"""The paths of arrows: the pieces inside of blocks, joined on the way between them.

Between blocks an arrow runs along the lines of the grid: through the gaps between levels, up a
channel beside a block that it passes, along a rail above or below everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from itertools import pairwise

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.grid import LANE_GAP, LOOP_GAP, MARGIN, ROW_GAP, Grid, rim
from microgrrepresent.drawing.marks.curves import (
    Path,
    along,
    distance,
    joined,
    mix,
    point_beside,
    straight,
    swung,
)
from microgrrepresent.drawing.marks.picture import Arrow, Box, Point

FALL = 60.0
"""How far an arrow to the end may go down aslant."""
CUT = (12.0, 8.0)
"""Where scissors stand: so far from the start of an arrow, and from its line."""


def route(grid: Grid) -> None:
    """Give every arrow of a picture its path."""
    _Routes(grid)


class _Routes:
    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.rail: dict[Hashable, float] = {}
        pieces: dict[Arrow, list[tuple[Block, Path]]] = defaultdict(list)
        for block, tile in grid.tiles.items():
            x0, y0 = grid.at[block]
            lanes = {edge for _, way in grid.traced[block].sketch.lanes for edge in pairwise(way)}
            for arrow, i in zip(block.arrows, grid.traced[block].edge, strict=True):
                if i is None:
                    arrow.path = _from_chip(arrow.tail, arrow.head)
                    continue
                edge = grid.traced[block].sketch.edges[i]
                if (edge.tail, edge.head) in lanes and arrow.flow == "value":
                    arrow.flow = "state"
                pieces[arrow].append((block, [(x0 + x, y0 + y) for x, y in tile.paths[i]]))
                label = tile.labels[i]
                if label:
                    arrow.label_at = (x0 + label[0], y0 + label[1])
        for arrow, parts in pieces.items():
            arrow.path = self._path(arrow, parts)
        for arrow in grid.picture.arrows:
            if arrow.head.kind == "delay":
                arrow.path = self._into_delay(arrow.tail, arrow.head, arrow.path)
            elif arrow.tail.kind == "delay":
                arrow.path = self._out_of_delay(arrow.tail, arrow)
            if arrow.flow == "cut" and arrow.tail.kind != "delay":  # whose square has them
                arrow.cut_at = point_beside(arrow.path, *CUT)

    def _path(self, arrow: Arrow, parts: list[tuple[Block, Path]]) -> Path:
        tail, head = arrow.tail, arrow.head
        if len(parts) == 2:
            (first, start), (last, end) = parts
            if first is not self.grid.blocks.of.get(tail):
                first, start, last, end = last, end, first, start
            return joined(joined(start, self._between(arrow, first, last, start[-1], end[0])), end)
        path = parts[0][1]
        if tail.between and tail.kind != "delay":
            path = joined(_level(rim(tail, path[0]), path[0]), path)
        if head.between and head.kind != "delay":
            path = joined(path, _level(path[-1], rim(head, path[-1])))
        return path

    def _into_delay(self, face: Box, square: Box, path: Path) -> Path:
        """From a state round the cell to the square."""
        outwards = 1 if square.column < face.column else -1
        start = path[-1] if path else rim(face, (face.x + outwards, face.y))
        turn = start[0] + outwards * LOOP_GAP * abs(self.grid.loop[square][1])
        near = square.right if outwards > 0 else square.left
        way = along(start, (turn, start[1]), (turn, square.y), (near, square.y))
        return joined(path, way)

    def _out_of_delay(self, square: Box, arrow: Arrow) -> Path:
        """From the square round the other side of the cell to where the state is read."""
        path = arrow.path
        start = path[0] if path else rim(arrow.head, (square.x, square.y))
        outwards = -1 if start[0] < square.x else 1
        turn = start[0] + outwards * (MARGIN + LOOP_GAP * abs(self.grid.loop[square][1]))
        near = square.right if outwards > 0 else square.left
        way = along((near, square.y), (turn, square.y), (turn, start[1]), start)
        return joined(way, path) if path else way

    def _between(self, arrow: Arrow, first: Block, last: Block, a: Point, b: Point) -> Path:
        """From the border of one block to that of another."""
        grid = self.grid
        channel = grid.channel_of(arrow)
        x = None if channel is None else grid.channel.get(channel)
        if first.column == last.column:
            if x is None:
                return swung(a, b)
            low = self._gap(first, 1 if first.level < last.level else -1)
            high = self._gap(last, -1 if first.level < last.level else 1)
            return along(a, (a[0], low), (x, low), (x, high), (b[0], high), b)
        if first.column == 0 and arrow.flow == "parameter":
            if x is None:
                return along(a, (b[0], a[1]), b)
            high = self._gap(last, -1)
            return along(a, (x, a[1]), (x, high), (b[0], high), b)
        if last.column <= grid.T or not self._is_gathered(arrow, first):
            if last.column > grid.T and a[1] - b[1] > FALL:
                turn = b[0] - 1.2 * MARGIN  # down beside the steps, not across them
                return along(a, (turn, a[1]), (turn, b[1]), b)
            return _level(a, b)
        rail = self._rail(arrow)
        turn = b[0] - 1.2 * MARGIN - LANE_GAP * list(self.rail).index(collector(arrow))
        points = [a]
        if x is not None:
            low = self._gap(first, 1)
            points += [(a[0], low), (x, low), (x, rail)]
        else:
            points += [(a[0], rail)]
        return along(*points, (turn, rail), (turn, b[1]), b)

    def _is_gathered(self, arrow: Arrow, block: Block) -> bool:
        ports = self.grid.traced[block].port
        return any(p.side == "above" and p.slot == arrow.tail.slot for p in ports)

    def _gap(self, block: Block, direction: int) -> float:
        """The height of the gap above (1) or below (-1) a block's level."""
        row = self.grid.rows[block.level]
        return row.roof + ROW_GAP / 2 if direction > 0 else row.floor - ROW_GAP / 2

    def _rail(self, arrow: Arrow) -> float:
        """The height of the rail that collects the values of a slot."""
        n = len(self.rail)
        return self.rail.setdefault(collector(arrow), self.grid.top + ROW_GAP + LANE_GAP * n)


def collector(arrow: Arrow) -> Hashable:
    """What all arrows have in common that run along one rail: the box that they lead to."""
    return ("rail", arrow.head.slot)


def _level(a: Point, b: Point) -> Path:
    """From side to side: straight where the heights agree."""
    return straight(a, b) if abs(a[1] - b[1]) < 0.5 else swung(a, b)


def _from_chip(chip: Box, head: Box) -> Path:
    """A straight line from a chip to the lower side of the box above it."""
    start = (chip.x, chip.top)
    if head.is_round:
        r = head.width / 2
        length = distance(start, (head.x, head.y))
        return straight(start, mix((head.x, head.y), start, r / length))
    margin = min(8.0, head.width / 3)
    return straight(start, (min(max(chip.x, head.left + margin), head.right - margin), head.bottom))
