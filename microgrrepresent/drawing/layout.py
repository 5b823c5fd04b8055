"""The layout of a whole picture: columns side by side, blocks one above the other.

dot sees one block at a time, and equal blocks once (see `tiles`). Here their tiles are put down in
rows and columns, states into the gaps between the columns, and the pieces of each arrow are joined
to one curve.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from microgrrepresent.drawing.blocks import Block, Blocks, blocks
from microgrrepresent.drawing.curves import Path, joined, straight
from microgrrepresent.drawing.engine import layouts
from microgrrepresent.drawing.labels import Run
from microgrrepresent.drawing.picture import Arrow, Box, Panel, Picture, Point
from microgrrepresent.drawing.tiles import Plan, Port, Side, Tile, plan, read

MARGIN = 12.0
"""Between a tile and what surrounds it."""
TITLE = 22.0
"""Height of a panel's title."""
ROW_GAP = 18.0


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
        passing: dict[Hashable, Side] = {}
        for arrow in picture.arrows:  # values that go straight from one column to the next
            tail, head = arrow.tail, arrow.head
            if (
                not tail.between
                and not head.between
                and 0 < tail.column <= len(times)
                and tail.column != head.column
            ):
                passing[tail.slot] = "right" if head.column > tail.column else "left"
        plans = {
            b: plan(b, self._end(b), passing if 0 < b.column <= len(times) else {})
            for row in self.blocks.rows.values()
            for b in row
        }
        texts = {p: p.text for p in plans.values()}
        unique = list(dict.fromkeys(texts.values()))
        answers = dict(zip(unique, layouts(unique, timeout, advice), strict=True))
        self.plans: dict[Block, Plan] = plans
        self.tiles: dict[Block, Tile] = {b: read(p, answers[texts[p]]) for b, p in plans.items()}
        self.at: dict[Block, Point] = {}
        self.gap: dict[int, tuple[float, float]] = {}
        self.top: dict[int, float] = {}
        self.heights: dict[tuple[int, Hashable], float] = {}
        self._rows()
        self._columns()
        self._states()
        self._ends()
        self._boxes()
        self._arrows()
        if times:
            self._panels()

    def _end(self, block: Block):  # type: ignore[no-untyped-def]
        """Where an arrow crosses the border of a block."""

        def port(arrow: Arrow, enters: bool) -> Port:
            other = arrow.tail if enters else arrow.head
            if other.between:
                side = "left" if other.column < block.column else "right"
                return Port(side, enters, other.slot)
            if other.column != block.column:
                side = "left" if other.column < block.column else "right"
                return Port(side, enters, arrow.tail.slot)
            below = self.blocks.of[other].level < block.level
            return Port("below" if below else "above", enters, arrow.tail.slot)

        return port

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
        ports, others = self.tiles[block].ports, self.tiles[model].ports
        for port in ports.keys() & others.keys():
            if port.side in ("left", "right"):
                return others[port][1] - ports[port][1]
        return 0.0

    def _framed(self, level: int) -> bool:
        """Whether the blocks of a level have a panel: cells have, running totals have not."""
        boxes = max(
            sum(box.kind in ("op", "function", "cell") for box in block.boxes)
            for block in self.blocks.rows[level]
        )
        return bool(self.times) and level % 2 == 1 and boxes > 2

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
        x = 0.0
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

    def _offsets(self, stack: list[Block]) -> dict[Block, float]:
        offsets: dict[Block, float] = {}
        if not stack:
            return offsets
        main = max(stack, key=lambda b: (b.level % 2, self.tiles[b].width))
        offsets[main] = 0.0
        start = stack.index(main)
        for block in stack[start + 1 :] + stack[:start][::-1]:
            shifts = []
            for port, (x, _) in self.tiles[block].ports.items():
                for other, left in offsets.items():
                    for their, (u, _) in self.tiles[other].ports.items():
                        if port.slot == their.slot and port.enters != their.enters:
                            shifts.append(left + u - x)
            centre = (self.tiles[main].width - self.tiles[block].width) / 2
            offsets[block] = shifts[0] if shifts else centre
        return offsets

    def _boxes(self) -> None:
        for block, tile in self.tiles.items():
            x0, y0 = self.at[block]
            for box, (x, y) in zip(block.boxes, tile.places, strict=True):
                box.x, box.y = x0 + x, y0 + y

    def _states(self) -> None:
        """States stand in the gaps between columns, at the height at which they cross the border."""
        for block, tile in self.tiles.items():
            y0 = self.at[block][1]
            for port, (_, y) in tile.ports.items():
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
            for port, (_, y) in self.tiles[block].ports.items():
                height = self.heights.get((block.column - 1, port.slot))
                if port.side == "left" and height is not None:
                    self.at[block] = (self.at[block][0], height - y)
                    break

    # --- paths -----------------------------------------------------------------------------------

    def _arrows(self) -> None:
        pieces: dict[Arrow, list[tuple[Block, list[Point]]]] = defaultdict(list)
        for block, tile in self.tiles.items():
            x0, y0 = self.at[block]
            for i, (arrow, path) in enumerate(zip(block.arrows, tile.paths, strict=False)):
                pieces[arrow].append((block, [(x0 + x, y0 + y) for x, y in path]))
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


def _rim(box: Box, towards: Point) -> Point:
    """The point of a box's border to the left or right, on the side of a point."""
    return (box.right if towards[0] > box.x else box.left, box.y)
