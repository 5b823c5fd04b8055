"""How near a column may stand to the one before it: what is above a state may reach over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.grid import Grid
from microgrrepresent.drawing.time.levels import Level

NEAR = 6.0
"""What is so much above or below something else can stand over it."""
BESIDE = 18.0
"""Between blocks of a level that no state joins."""


@dataclass
class Edges:
    """How far right the columns reach so far.

    Attributes
    ----------
    everything, states : float
        All of it, and the blocks between which states pass.
    starts_free : bool
        Whether nothing but states stands before the first step.
    overlaps : bool
        Whether anything may reach over states: none of them is read from above.
    storeys : bool
        Whether loops stand one above the other, with lines between them.
    level : dict
        The last block of each level.
    crowded : bool
        Whether a line runs beside the last column.
    """

    everything: float
    starts_free: bool
    overlaps: bool
    storeys: bool
    states: float = 0.0
    level: dict[Level, Block] = field(default_factory=dict)
    crowded: bool = False
    known: dict[tuple[int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.states = self.everything

    def may_overlap(self, column: int) -> bool:
        """Whether what stands above or below a column may reach into the room before it."""
        first = column == 1 and self.starts_free
        return self.overlaps and not self.crowded and (column > 1 or first)

    def apart(self, grid: Grid, block: Block, following: Block, y: dict[Block, float]) -> float:
        """How far apart two blocks of a level begin, so that nothing of them is too near."""
        one, other = grid.tiles[block], grid.tiles[following]
        key = (id(one), id(other))
        if key not in self.known:
            rise = y.get(following, 0.0) - y.get(block, 0.0)
            self.known[key] = BESIDE + max(
                right - left
                for (_, low, right, high) in _parts(grid, block)
                for (left, bottom, _, top) in _parts(grid, following)
                if low - NEAR < top + rise and bottom + rise < high + NEAR
            )
        return self.known[key]


def _parts(grid: Grid, block: Block) -> Iterator[tuple[float, float, float, float]]:
    """The frames of the boxes, lines and labels of a block, in its tile."""
    tile, traced = grid.tiles[block], grid.traced[block]
    yield (0.0, 0.0, 0.0, 0.0)
    for box, (i, dx) in zip(block.boxes, traced.outline, strict=True):
        x, y = tile.places[i]
        wide, high = box.width, box.height
        if dx == 0.0:
            wide, high = tile.sizes.get(i, (wide, high))
        yield (x + dx - wide / 2, y - high / 2, x + dx + wide / 2, y + high / 2)
    for path in tile.paths:
        for (xa, ya), (xb, yb) in zip(path[::3], path[3::3], strict=False):
            yield (min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb))
    for wire, label in zip(traced.sketch.wires, tile.labels, strict=True):
        if wire.room and label:
            (x, y), (wide, high) = label, wire.room
            yield (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
