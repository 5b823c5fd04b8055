"""The heights of a picture: in all columns a level's tiles stand so that its states are level."""

from __future__ import annotations

from collections import defaultdict

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.grid import LOOP_GAP, MARGIN, ROW_GAP, Grid, Row
from microgrrepresent.drawing.marks.labels import Line, Run, width
from microgrrepresent.drawing.marks.picture import FONT, Box

LOOSE = ("chip", "constant")
BACKWARD: Line = (Run(", backward"),)
"""What the title of a panel says where derivatives are computed."""
TITLE = 20.0
"""Height of a panel's title, where it has a line of its own."""


def lay_rows(grid: Grid, title: Line) -> dict[Block, float]:
    """Find where every level begins and ends; gives the height of each tile.

    Parameters
    ----------
    grid : Grid
        Its rows and loops are filled in.
    title : Line
        The longest title of a panel.
    """
    _find_loops(grid)
    y: dict[Block, float] = {}
    base = 0.0
    for level, row in grid.blocks.rows.items():
        inside = [b for b in row if 0 < b.column <= grid.T]
        if grid.T and not inside:
            continue
        inside = inside or row
        model = max(inside, key=lambda b: grid.tiles[b].height)
        for block in inside:
            y[block] = _lift(grid, block, model)
        low = min(y[b] for b in inside)
        framed = grid.T > 0 and is_framed(level, inside)
        loops = [n for lvl, n in grid.loop.values() if lvl == level]
        base -= LOOP_GAP * min([0, *loops])
        for block in inside:
            y[block] += base - low + (MARGIN if framed else 0.0)
        top = max(y[b] + grid.tiles[b].height for b in inside)
        head = 0.0
        if framed:
            backward = any(box.backward for b in inside for box in b.boxes)
            words = (*title, *BACKWARD) if backward else title
            alike = {(id(grid.tiles[b]), y[b]): b for b in inside}.values()
            free = all(has_room(grid, b, top - y[b], width((words,), FONT)) for b in alike)
            head = MARGIN if free else TITLE + 4.0
        grid.rows[level] = Row(base, top + head, framed)
        base = grid.rows[level].roof + ROW_GAP + grid.stretch[1] + LOOP_GAP * max([0, *loops])
    return y


def has_room(grid: Grid, block: Block, top: float, wide: float) -> bool:
    """Whether a title fits into the upper left corner of a tile."""
    tile = grid.tiles[block]
    right, low = wide + 8.0 - MARGIN, top + MARGIN - TITLE - 4.0
    boxes = zip(block.boxes, grid.traced[block].outline, strict=True)
    for box, (i, dx) in boxes:
        x, y = tile.places[i]
        w, h = tile.sizes.get(i, (box.width, box.height))
        if x + dx - w / 2 < right and y + h / 2 > low:
            return False
    for wire, label in zip(grid.traced[block].sketch.wires, tile.labels, strict=True):
        if wire.room and label:
            (x, y), (w, h) = label, wire.room
            if x - w / 2 < right and y + h / 2 > low:
                return False
    lines = [path for path in tile.paths if path]
    if any(x < right and y > low for path in lines for x, y in path):
        return False
    return not any(
        min(a[0], b[0]) < right and max(a[1], b[1]) > low
        for path in lines
        for a, b in zip(path[::3], path[3::3], strict=False)
    )


def _find_loops(grid: Grid) -> None:
    """For each delay of a folded graph, its level, and how far above (below: -) it loops.

    Delays in a row loop one outside of the other.
    """
    before = {a.head: a.tail for a in grid.picture.arrows if a.head.kind == "delay"}
    found: dict[Box, tuple[int, int]] = {}
    for block in grid.tiles:
        for arrow in block.arrows:
            square = arrow.tail
            if square.kind != "delay" or square in found or arrow.head not in grid.blocks.of:
                continue
            y = next(at for c, (_, at) in grid.ports(block) if c.slot == square.slot)
            found[square] = (block.level, 1 if y >= grid.tiles[block].height / 2 else -1)

    def row(square: Box) -> list[Box]:
        ways = [square]
        while ways[-1] in before:
            ways.append(before[ways[-1]])
        return ways[::-1]

    first = {box: i for i, square in reversed(list(enumerate(found))) for box in row(square)[:1]}
    count: dict[tuple[int, int], int] = defaultdict(int)
    for square in sorted(found, key=lambda square: (first[row(square)[0]], len(row(square)))):
        level, side = found[square]
        count[level, side] += 1
        grid.loop[square] = (level, side * count[level, side])


def _lift(grid: Grid, block: Block, model: Block) -> float:
    """How far to lift a tile so that its states are at the heights of another's."""
    theirs = dict(grid.ports(model))
    for crossing, (_, y) in grid.ports(block):
        if crossing.side in ("left", "right") and crossing in theirs:
            return theirs[crossing][1] - y
    return 0.0


def is_framed(level: int, row: list[Block]) -> bool:
    """Whether the blocks of a level have a panel: recurrences have, running sums have not."""
    own = max(([x for x in b.boxes if x.kind not in LOOSE] for b in row), key=len)
    return level % 2 == 1 and own[:1] != [] and (len(own) > 1 or own[0].kind == "function")
