"""Where the tiles of a picture stand: columns side by side, levels one above the other.

`rows` finds the heights, `columns` the x, `states` puts states into the gaps between the columns
and what comes after the steps above them. An arrow that has to pass a block of its own column does
so in a *channel* beside it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from math import inf

from microgrrepresent.drawing.layout.blocks import Block, Blocks
from microgrrepresent.drawing.layout.borders import Borders
from microgrrepresent.drawing.layout.outlines import Crossing
from microgrrepresent.drawing.layout.sketch import Traced
from microgrrepresent.drawing.layout.tile import Tile
from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture, Point

MARGIN = 12.0
"""Between a tile and what surrounds it."""
ROW_GAP = 17.0
LANE_GAP = 9.0
"""Between lines that run side by side."""
LOOP_GAP = 16.0
"""Between the loops of a folded graph, and around them."""

Channel = tuple[int, Hashable, float, float]
"""Column, slot of the value, and the levels from which and to which it passes."""


@dataclass
class Row:
    """A level of blocks: where it begins and ends, its panel included, and whether it has one."""

    floor: float
    roof: float
    framed: bool


@dataclass
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
    gap : dict
        The middle of each gap between columns, by the column on its left.
    loop : dict
        For each delay of a folded graph, its level, and how far above (below: -) it loops.
    heights : dict
        At which height a state passes a gap: by the column on its left, and the state's slot.
    """

    picture: Picture
    T: int
    blocks: Blocks
    borders: Borders
    traced: dict[Block, Traced]
    tiles: dict[Block, Tile]
    stacked: dict[Block, Block]
    """For blocks of a symbolic backward pass, the block above whose nodes theirs stand."""
    at: dict[Block, Point] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    channel: dict[Channel, float] = field(default_factory=dict)
    gap: dict[int, float] = field(default_factory=dict)
    loop: dict[Box, tuple[int, int]] = field(default_factory=dict)
    heights: dict[tuple[int, Hashable], float] = field(default_factory=dict)
    columns: dict[int, list[Block]] = field(default_factory=dict)
    offset: dict[Block, float] = field(default_factory=dict)
    """How far right of its column's start a block stands, where that is settled beforehand."""
    stretch: Point = (0.0, 0.0)
    """What is added to every gap between columns, and between rows."""

    @property
    def top(self) -> float:
        """The height above all steps."""
        return max((row.roof for row in self.rows.values()), default=0.0)

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
        elif 0 < tail.column <= self.T < head.column and self.leaves_above(arrow, tail):
            column, low, high = tail.column, float(tail.level), inf
        elif tail.column == 0 and 0 < head.column <= self.T:
            column, low, high = head.column, -inf, float(head.level)
        else:
            return None
        if any(low < b.level < high for b in self.columns.get(column, [])):
            return (column, arrow.tail.slot, low, high)
        return None

    def leaves_above(self, arrow: Arrow, block: Block) -> bool:
        """Whether an arrow leaves a block upwards."""
        return Crossing("above", False, arrow.tail.slot) in self.traced[block].port
