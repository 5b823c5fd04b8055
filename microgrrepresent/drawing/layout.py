"""The layout of a whole picture: columns side by side, blocks one above the other.

dot sees one block at a time, and equal blocks once (see `tiles`). Here their tiles are put down in
rows and columns, states into the gaps between the columns, and the pieces of each arrow are joined
to one curve.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator

from microgrrepresent.drawing.blocks import Block, Blocks, blocks
from microgrrepresent.drawing.curves import Path, distance, joined, mix, straight
from microgrrepresent.drawing.labels import Run
from microgrrepresent.drawing.picture import Arrow, Box, Panel, Picture, Point
from microgrrepresent.drawing.sketch import Crossing, Side, Traced, trace
from microgrrepresent.drawing.tiles import Tile, tiles

MARGIN = 12.0
"""Between a tile and what surrounds it."""
TITLE = 22.0
"""Height of a panel's title."""
ROW_GAP = 18.0
SHELF = 120.0
"""Width of the shelves on which shared parameters stand, unless one of them is wider."""


def arrange(picture: Picture, times: tuple[int, ...], timeout: float, advice: str) -> None:
    """Give every box its place and every arrow its path.

    Parameters
    ----------
    picture : Picture
        Changed in place.
    times : tuple of int
        The time index of each column from 1 on; column 0 comes before, one more after them.
    timeout : float
        Seconds that dot may take.
    advice : str
        What to do instead, for the message of a timeout.
    """
    _Layout(picture, times, timeout, advice)


class _Layout:
    def __init__(
        self, picture: Picture, times: tuple[int, ...], timeout: float, advice: str
    ) -> None:
        self.picture, self.times = picture, times
        self.blocks: Blocks = blocks(picture, range(1, len(times) + 1))
        passing = self._passing()
        self.traced: dict[Block, Traced] = {
            b: trace(b, self._crossing, passing if 0 < b.column <= len(times) else {})
            for b in self.blocks
        }
        made = tiles((traced.sketch for traced in self.traced.values()), timeout, advice)
        self.tiles: dict[Block, Tile] = {b: made[t.sketch] for b, t in self.traced.items()}
        self.at: dict[Block, Point] = {}
        self.gap: dict[int, tuple[float, float]] = {}
        self.heights: dict[tuple[int, Hashable], float] = {}
        self.top: dict[int, float] = {}
        self._rows()
        self._columns()
        self._states()
        self._ends()
        self._boxes()
        self._arrows()
        self._panels()

    def _passing(self) -> dict[Hashable, Side]:
        """The slots of what goes straight from a column to the next, and to which side."""
        found: dict[Hashable, Side] = {}
        for arrow in self.picture.arrows:
            tail, head = arrow.tail, arrow.head
            steps_on = tail.column != head.column and not tail.between and not head.between
            if steps_on and 0 < tail.column <= len(self.times):
                found[tail.slot] = "right" if head.column > tail.column else "left"
        return found

    def _crossing(self, block: Block, arrow: Arrow, enters: bool) -> Crossing:
        """Where an arrow crosses the border of a block."""
        other = arrow.tail if enters else arrow.head
        side: Side
        if other.between or other.column != block.column:
            side = "left" if other.column < block.column else "right"
            return Crossing(side, enters, other.slot if other.between else arrow.tail.slot)
        side = "below" if self.blocks.of[other].level < block.level else "above"
        return Crossing(side, enters, arrow.tail.slot)

    def _ports(self, block: Block) -> Iterator[tuple[Crossing, Point]]:
        """The crossings of a block, and where they are in its tile."""
        tile = self.tiles[block]
        for crossing, port in self.traced[block].port.items():
            yield crossing, tile.ports[port]

    # --- places ----------------------------------------------------------------------------------

    def _rows(self) -> None:
        """Heights: in all columns a level's tiles stand so that its states are at one height."""
        self.y: dict[Block, float] = {}
        base = 0.0
        for level, row in self.blocks.rows.items():
            inside = [b for b in row if 0 < b.column <= len(self.times)] or row
            model = max(inside, key=lambda b: self.tiles[b].height)
            for block in inside:
                self.y[block] = base + self._lift(block, model)
            low = min(self.y[b] for b in inside)
            margin = MARGIN if self._framed(level) else 0.0
            for block in inside:
                self.y[block] += base - low + margin
            self.top[level] = max(self.y[b] + self.tiles[b].height for b in inside)
            base = self.top[level] + margin + ROW_GAP + (TITLE if margin else 0.0)

    def _lift(self, block: Block, model: Block) -> float:
        """How far to lift a tile so that its states are at the heights of another's."""
        theirs = dict(self._ports(model))
        for crossing, (_, y) in self._ports(block):
            if crossing.side in ("left", "right") and crossing in theirs:
                return theirs[crossing][1] - y
        return 0.0

    def _framed(self, level: int) -> bool:
        """Whether the blocks of a level have a panel: recurrences have, running sums have not."""
        row = [b for b in self.blocks.rows[level] if 0 < b.column <= len(self.times)]
        own = max(([x for x in b.boxes if x.kind != "chip"] for b in row), key=len, default=[])
        return level % 2 == 1 and len(own) > (own != [] and own[0].kind == "op")

    def _columns(self) -> None:
        """Widths: tiles of a column stand above each other so that what joins them is straight."""
        columns: dict[int, list[Block]] = defaultdict(list)
        for row in self.blocks.rows.values():
            for block in row:
                columns[block.column].append(block)
        between: dict[int, list[Box]] = defaultdict(list)
        for box in self.picture.boxes:
            if box.between:
                between[box.column].append(box)
        x = self._legend()
        for column in range(len(self.times) + 2):
            stack = columns.get(column, [])
            offsets = self._offsets(stack)
            if stack:
                left = min(offsets[b] for b in stack)
                right = max(offsets[b] + self.tiles[b].width for b in stack)
                for b in stack:
                    self.at[b] = (x + offsets[b] - left, self.y.get(b, 0.0))
                x += right - left
            room = max((box.width for box in between.get(column, ())), default=0.0)
            self.gap[column] = (x + MARGIN, x + 3 * MARGIN + room)
            if stack or room:
                x += 4 * MARGIN + room if room else 2 * MARGIN

    def _legend(self) -> float:
        """Shelves of what all steps share, on the left; gives their width."""
        legend = self.blocks.legend
        room = max([SHELF, *(self.tiles[b].width for b in legend)])
        x = y = height = widest = 0.0
        for block in legend:
            tile = self.tiles[block]
            if x and x + tile.width > room:
                x, y, height = 0.0, y + height + MARGIN, 0.0
            self.at[block] = (x, y)
            x += tile.width + MARGIN
            widest, height = max(widest, x), max(height, tile.height)
        return widest + 2 * MARGIN if legend else 0.0

    def _offsets(self, stack: list[Block]) -> dict[Block, float]:
        offsets: dict[Block, float] = {}
        if not stack:
            return offsets
        main = max(stack, key=lambda b: (b.level % 2, self.tiles[b].width))
        offsets[main] = 0.0
        start = stack.index(main)
        for block in stack[start + 1 :] + stack[:start][::-1]:
            shifts = []
            for port, (x, _) in self._ports(block):
                for other, left in offsets.items():
                    for their, (u, _) in self._ports(other):
                        if port.slot == their.slot and port.enters != their.enters:
                            shifts.append(left + u - x)
            centre = (self.tiles[main].width - self.tiles[block].width) / 2
            offsets[block] = shifts[0] if shifts else centre
        return offsets

    def _boxes(self) -> None:
        for block, tile in self.tiles.items():
            x0, y0 = self.at[block]
            for box, (i, dx) in zip(block.boxes, self.traced[block].outline, strict=True):
                x, y = tile.places[i]
                box.x, box.y = x0 + x + dx, y0 + y

    def _states(self) -> None:
        """States stand in the gaps between columns, at the height of the ports that they join."""
        for block in self.tiles:
            y0 = self.at[block][1]
            for port, (_, y) in self._ports(block):
                if port.side in ("left", "right"):
                    gap = block.column - (port.side == "left")
                    if not port.enters or (gap, port.slot) not in self.heights:
                        self.heights[gap, port.slot] = y0 + y
        for box in self.picture.boxes:
            if box.between:
                left, right = self.gap[box.column]
                box.x = (left + right) / 2
                box.y = self.heights.get((box.column, box.slot), 0.0)

    def _ends(self) -> None:
        """What comes after the loop stands at the height of the state that it uses."""
        for block in self.tiles:
            if block.column != len(self.times) + 1 or not self.times:
                continue
            for port, (_, y) in self._ports(block):
                height = self.heights.get((block.column - 1, port.slot))
                if port.side == "left" and height is not None:
                    self.at[block] = (self.at[block][0], height - y)
                    break

    # --- paths -----------------------------------------------------------------------------------

    def _arrows(self) -> None:
        pieces: dict[Arrow, list[tuple[Block, Path]]] = defaultdict(list)
        for block, tile in self.tiles.items():
            x0, y0 = self.at[block]
            for arrow, i in zip(block.arrows, self.traced[block].edge, strict=True):
                if i is None:
                    arrow.path = _from_chip(arrow.tail, arrow.head)
                    continue
                pieces[arrow].append((block, [(x0 + x, y0 + y) for x, y in tile.paths[i]]))
                label = tile.labels[i]
                if label:
                    arrow.label_at = (x0 + label[0], y0 + label[1])
        for arrow, parts in pieces.items():
            parts.sort(key=lambda part: part[0] is not self.blocks.of.get(arrow.tail))
            path: Path = []
            for _, part in parts:
                path = joined(path, part)
            if arrow.tail.between:
                path = joined(straight(_rim(arrow.tail, path[0]), path[0]), path)
            if arrow.head.between:
                path = joined(path, straight(path[-1], _rim(arrow.head, path[-1])))
            arrow.path = path

    def _panels(self) -> None:
        for level, row in self.blocks.rows.items():
            if not self._framed(level):
                continue
            bottom = min(self.y[b] for b in row if b in self.y) - MARGIN
            for block in row:
                if 0 < block.column <= len(self.times):
                    left, width = self.at[block][0], self.tiles[block].width
                    t = self.times[block.column - 1]
                    self.picture.panels.append(
                        Panel(
                            f"t{block.column}/{level}",
                            ((Run("t", True), Run(f" = {t}")),),
                            left - MARGIN,
                            bottom,
                            left + width + MARGIN,
                            self.top[level] + TITLE,
                        )
                    )


def _from_chip(chip: Box, head: Box) -> Path:
    """A straight line from a chip to the lower side of the box above it."""
    start = (chip.x, chip.top)
    if head.is_round:
        r = head.width / 2
        length = distance(start, (head.x, head.y))
        return straight(start, mix((head.x, head.y), start, r / length))
    margin = min(8.0, head.width / 3)
    return straight(start, (min(max(chip.x, head.left + margin), head.right - margin), head.bottom))


def _rim(box: Box, towards: Point) -> Point:
    """The point of a box's border to the left or right, on the side of a point."""
    return (box.right if towards[0] > box.x else box.left, box.y)
