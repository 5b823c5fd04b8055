"""Where the tiles of a picture stand: columns side by side, levels one above the other.

States stand in the gaps between the columns, at the heights at which they leave and enter the
tiles. An arrow that has to pass a block of its own column does so in a *channel* beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from microgrrepresent.drawing.layout.blocks import Block, Blocks
from microgrrepresent.drawing.layout.outlines import Crossing
from microgrrepresent.drawing.layout.sketch import Traced
from microgrrepresent.drawing.layout.tile import Tile
from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture, Point

MARGIN = 12.0
"""Between a tile and what surrounds it."""
TITLE = 22.0
"""Height of a panel's title."""
ROW_GAP = 20.0
LANE_GAP = 9.0
"""Between lines that run side by side."""
LOOP_GAP = 16.0
"""Between the loops of a folded graph, and around them."""
DELAY = 14.0
"""Between the middle of a delay's square and any arrow that crosses its loop."""
SHELF = 120.0
"""Width of the shelves on which shared parameters stand, unless one of them is wider."""

LOOSE = ("chip", "constant")

Channel = tuple[int, Hashable, float, float]
"""Column, slot of the value, and the levels from which and to which it passes."""


@dataclass
class Row:
    """A level of blocks: where it begins and ends, its panel included, and whether it has one."""

    floor: float
    roof: float
    framed: bool


class Grid:
    """The places of tiles and states, and the heights and channels in which arrows run.

    Attributes
    ----------
    at : dict
        The lower left corner of each block's tile.
    rows : dict
        The level's extent.
    channel : dict
        The x of each channel.
    top : float
        The height above all columns.
    """

    def __init__(
        self,
        picture: Picture,
        T: int,
        blocks: Blocks,
        traced: dict[Block, Traced],
        tiles: dict[Block, Tile],
        beside: dict[Block, Block],
    ) -> None:
        self.picture, self.T, self.blocks = picture, T, blocks
        self.traced, self.tiles, self._beside = traced, tiles, beside
        self.at: dict[Block, Point] = {}
        self.rows: dict[int, Row] = {}
        self.channel: dict[Channel, float] = {}
        self._y: dict[Block, float] = {}
        self.loop: dict[Box, tuple[int, int]] = self._loops()
        self._lay_rows()
        self._lay_columns()
        self._place_states()
        self._place_ends()
        self._place_boxes()
        self.top = max((row.roof for row in self.rows.values()), default=0.0)

    def ports(self, block: Block) -> Iterator[tuple[Crossing, Point]]:
        """The crossings of a block, and where they are in its tile."""
        tile = self.tiles[block]
        for crossing, port in self.traced[block].port.items():
            yield crossing, tile.ports[port]

    def channel_of(self, arrow: Arrow) -> Channel | None:
        """The channel that an arrow needs, if blocks of its column stand in its way."""
        tail, head = self.blocks.of.get(arrow.tail), self.blocks.of.get(arrow.head)
        if tail is None or head is None:
            return None
        if tail.column == head.column:
            levels = sorted((tail.level, head.level))
            column, low, high = tail.column, float(levels[0]), float(levels[1])
        elif 0 < tail.column <= self.T < head.column and self._leaves_above(arrow, tail):
            column, low, high = tail.column, float(tail.level), inf
        elif tail.column == 0 and 0 < head.column <= self.T:
            column, low, high = head.column, -inf, float(head.level)
        else:
            return None
        if any(b.column == column and low < b.level < high for b in self._column(column)):
            return (column, arrow.tail.slot, low, high)
        return None

    def _leaves_above(self, arrow: Arrow, block: Block) -> bool:
        return Crossing("above", False, arrow.tail.slot) in self.traced[block].port

    def _column(self, column: int) -> list[Block]:
        return self._columns.get(column, [])

    # --- rows ------------------------------------------------------------------------------------

    def _lay_rows(self) -> None:
        """Heights: in all columns a level's tiles stand so that its states are at one height."""
        base = 0.0
        for level, row in self.blocks.rows.items():
            inside = [b for b in row if 0 < b.column <= self.T] or row
            model = max(inside, key=lambda b: self.tiles[b].height)
            for block in inside:
                self._y[block] = self._lift(block, model)
            low = min(self._y[b] for b in inside)
            framed = self.T > 0 and self._is_framed(level, inside)
            loops = [n for lvl, n in self.loop.values() if lvl == level]
            base -= LOOP_GAP * min(loops, default=0)
            for block in inside:
                self._y[block] += base - low + (MARGIN if framed else 0.0)
            top = max(self._y[b] + self.tiles[b].height for b in inside)
            self.rows[level] = Row(base, top + (TITLE if framed else 0.0), framed)
            base = self.rows[level].roof + ROW_GAP + LOOP_GAP * max([0, *loops])

    def _loops(self) -> dict[Box, tuple[int, int]]:
        """For each delay of a folded graph, its level, and how far above (below: -) it loops."""
        found: dict[Box, tuple[int, int]] = {}
        count: dict[tuple[int, int], int] = defaultdict(int)
        for block in self.tiles:
            for arrow in block.arrows:
                square = arrow.tail
                if square.kind != "delay" or square in found or arrow.head not in self.blocks.of:
                    continue
                y = next(at for c, (_, at) in self.ports(block) if c.slot == square.slot)
                side = 1 if y >= self.tiles[block].height / 2 else -1
                count[block.level, side] += 1
                found[square] = (block.level, side * count[block.level, side])
        return found

    def _lift(self, block: Block, model: Block) -> float:
        """How far to lift a tile so that its states are at the heights of another's."""
        theirs = dict(self.ports(model))
        for crossing, (_, y) in self.ports(block):
            if crossing.side in ("left", "right") and crossing in theirs:
                return theirs[crossing][1] - y
        return 0.0

    def _is_framed(self, level: int, row: list[Block]) -> bool:
        """Whether the blocks of a level have a panel: recurrences have, running sums have not."""
        own = max(([x for x in b.boxes if x.kind not in LOOSE] for b in row), key=len)
        return level % 2 == 1 and own[:1] != [] and (len(own) > 1 or own[0].kind == "function")

    # --- columns ---------------------------------------------------------------------------------

    def _lay_columns(self) -> None:
        """Widths: tiles of a column stand above each other so that what joins them is straight."""
        self._columns: dict[int, list[Block]] = defaultdict(list)
        for row in self.blocks.rows.values():
            for block in row:
                self._columns[block.column].append(block)
        between: dict[int, float] = defaultdict(float)
        for box in self.picture.boxes:
            if box.between:
                between[box.column] = max(between[box.column], box.width)
        passing = self._passing()
        self.gap: dict[int, float] = {}  # the middle of each gap, by the column on its left
        x = self._lay_legend()
        for column in range(self.T + 2):
            stack = self._column(column)
            if stack:
                x = self._lay_column(column, stack, passing.get(column, []), x)
            room = between[column]
            x += LOOP_GAP * len(self.loop) * (column == 0)
            self.gap[column] = x + 2 * MARGIN + room / 2
            if room:
                x += 4 * MARGIN + room + LOOP_GAP * len(self.loop) * (column > 0)
            elif stack:
                x += 2.5 * MARGIN

    def _lay_column(
        self, column: int, stack: list[Block], channels: list[Channel], x: float
    ) -> float:
        offsets = self._offsets(stack)
        left = min(offsets[b] for b in stack)
        right = max(offsets[b] + self.tiles[b].width for b in stack)
        sides = {channel: self._side(channel, stack, offsets) for channel in channels}
        for channel in channels:
            if not self._stands_in_the_way(channel, stack, offsets):
                del sides[channel]
        on_left = [channel for channel, side in sides.items() if side < 0]
        on_right = [channel for channel, side in sides.items() if side > 0]
        x += LANE_GAP * max(_tracks(on_left).values(), default=0)
        for block in stack:
            self.at[block] = (x + offsets[block] - left, self._y.get(block, 0.0))
        for channel, i in _tracks(on_left).items():
            self.channel[channel] = x - MARGIN - LANE_GAP * i
        for channel, i in _tracks(on_right).items():
            self.channel[channel] = x + right - left + MARGIN + LANE_GAP * i
        return x + right - left + LANE_GAP * max(_tracks(on_right).values(), default=0)

    def _passing(self) -> dict[int, list[Channel]]:
        """The channels that each column needs."""
        found: dict[int, dict[Channel, None]] = defaultdict(dict)
        for arrow in self.picture.arrows:
            channel = self.channel_of(arrow)
            if channel is not None:
                found[channel[0]].setdefault(channel)
        return {column: list(channels) for column, channels in found.items()}

    def _stands_in_the_way(
        self, channel: Channel, stack: list[Block], offsets: dict[Block, float]
    ) -> bool:
        """Whether a channel is needed: a rail goes straight up where nothing is above it."""
        _, slot, low, high = channel
        passed = [b for b in stack if low < b.level < high]
        if low != -inf or any(self.rows[b.level].framed for b in passed):
            return True
        target = next(b for b in stack if b.level == high)
        up = next(
            offsets[target] + x
            for c, (x, _) in self.ports(target)
            if c.slot == slot and c.side == "below"
        )
        return any(
            abs(offsets[b] + self.tiles[b].places[i][0] + dx - up) < box.width / 2 + 4
            for b in passed
            for box, (i, dx) in zip(b.boxes, self.traced[b].outline, strict=True)
        )

    def _side(self, channel: Channel, stack: list[Block], offsets: dict[Block, float]) -> int:
        """On which side of its column a channel makes the shorter way: -1 left, 1 right."""
        _, slot, low, high = channel
        ends = [
            offsets[block] + x
            for block in stack
            if block.level in (low, high)
            for crossing, (x, _) in self.ports(block)
            if crossing.slot == slot
        ]
        passed = [b for b in stack if low < b.level < high]
        left = min(offsets[b] for b in passed)
        right = max(offsets[b] + self.tiles[b].width for b in passed)
        return -1 if sum(x - left for x in ends) < sum(right - x for x in ends) else 1

    def _lay_legend(self) -> float:
        """Shelves of what all steps share, on the left; gives their width."""
        legend = self.blocks.legend
        room = max([SHELF, *(self.tiles[b].width for b in legend)])
        x = y = height = widest = 0.0
        if any(self.traced[b].port for b in legend):  # with rails: one below the other
            for block in legend:
                y -= self.tiles[block].height + MARGIN
                self.at[block] = (0.0, y)
            return room + MARGIN
        for block in legend:
            tile = self.tiles[block]
            if x and x + tile.width > room:
                x, y, height = 0.0, y + height + MARGIN, 0.0
            self.at[block] = (x, y)
            x += tile.width + MARGIN
            widest, height = max(widest, x), max(height, tile.height)
        return widest + 2 * MARGIN if legend else 0.0

    def _offsets(self, stack: list[Block]) -> dict[Block, float]:
        """How far right each block of a column stands of its widest recurrence."""
        main = max(stack, key=lambda b: (b not in self._beside, b.level % 2, self.tiles[b].width))
        offsets = {main: 0.0}
        start = stack.index(main)
        for block in stack[start + 1 :] + stack[:start][::-1]:
            forward = self._beside.get(block)
            if forward in offsets:  # above its forward nodes
                offsets[block] = offsets[forward] + self.tiles[block].origin
                continue
            shifts = []
            for port, (x, _) in self.ports(block):
                for other, left in offsets.items():
                    for their, (u, _) in self.ports(other):
                        sides = {port.side, their.side}
                        if port.slot == their.slot and sides == {"above", "below"}:
                            shifts.append(left + u - x)
            center = (self.tiles[main].width - self.tiles[block].width) / 2
            offsets[block] = shifts[0] if shifts else center
        return offsets

    # --- places ----------------------------------------------------------------------------------

    def _place_states(self) -> None:
        """States stand in the gaps between columns, at the height of the ports that they join."""
        self.heights: dict[tuple[int, Hashable], float] = {}
        for block in self.tiles:
            if not 0 < block.column <= self.T:
                continue
            y0 = self.at[block][1]
            for port, (_, y) in self.ports(block):
                if port.side in ("left", "right"):
                    gap = block.column - (port.side == "left")
                    if not port.enters or (gap, port.slot) not in self.heights:
                        self.heights[gap, port.slot] = y0 + y
        gaps: dict[int, list[Box]] = defaultdict(list)
        for box in self.picture.boxes:
            if box.between and box.kind != "delay":
                box.x = self.gap[box.column]
                box.y = self.heights.get((box.column, box.slot), 0.0)
                gaps[box.column].append(box)
        for boxes in gaps.values():
            boxes.sort(key=lambda box: box.y)
            for low, high in pairwise(boxes):
                high.y = max(high.y, low.top + high.height / 2 + LANE_GAP)
        for block in self.tiles:
            for arrow in block.arrows:
                if arrow.tail in self.loop:
                    side = "above" if self.loop[arrow.tail][1] > 0 else "below"
                    arrow.tail.x = self._clear(block, side)
                    arrow.tail.y = self.loop_height(arrow.tail)

    def _clear(self, block: Block, side: str) -> float:
        """The x nearest to the middle of a block where no arrow leaves it on a side."""
        left, width = self.at[block][0], self.tiles[block].width
        crossed = [left + x for c, (x, _) in self.ports(block) if c.side == side]
        places = [left + width / 2 + d for n in range(9) for d in (-n * 6.0, n * 6.0)]
        clear = [x for x in places if all(abs(x - other) > DELAY for other in crossed)]
        return clear[0] if clear else left + width / 2

    def loop_height(self, square: Box) -> float:
        """The height at which the arrow through a delay runs back."""
        level, n = self.loop[square]
        row = self.rows[level]
        return (row.roof if n > 0 else row.floor) + LOOP_GAP * (n - 0.2 if n > 0 else n + 0.2)

    def _place_ends(self) -> None:
        """What comes before or after the loop stands at the height of the state that it joins."""
        for block in self.tiles:
            if 0 < block.column <= self.T or not self.T:
                continue
            gap = 0 if block.column == 0 else self.T
            for port, (_, y) in self.ports(block):
                height = self.heights.get((gap, port.slot))
                if height is None and port.enters:
                    height = self.rows[max(self.rows)].roof + ROW_GAP  # where the first rail runs
                if height is not None:
                    self.at[block] = (self.at[block][0], height - y)
                    break

    def _place_boxes(self) -> None:
        for block, tile in self.tiles.items():
            x0, y0 = self.at[block]
            for box, (i, dx) in zip(block.boxes, self.traced[block].outline, strict=True):
                x, y = tile.places[i]
                box.width, box.height = tile.sizes.get(i, (box.width, box.height))
                box.x, box.y = x0 + x + dx, y0 + y


def _tracks(channels: list[Channel]) -> dict[Channel, int]:
    """Number the channels of one side from 1; those that pass different levels share a number."""
    found: dict[Channel, int] = {}
    for channel in channels:
        _, _, low, high = channel
        taken = {n for (_, _, a, b), n in found.items() if a < high and low < b}
        found[channel] = next(n for n in range(1, len(channels) + 1) if n not in taken)
    return found


def rim(box: Box, towards: Point) -> Point:
    """The point of a box's border to the left or right, on the side of a point."""
    return (box.right if towards[0] > box.x else box.left, box.y)
