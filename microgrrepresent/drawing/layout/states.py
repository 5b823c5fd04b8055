"""What stands between the columns, before the first of them, and above them all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from itertools import pairwise

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.borders import collector
from microgrrepresent.drawing.layout.grid import LANE_GAP, LOOP_GAP, ROW_GAP, Grid
from microgrrepresent.drawing.marks.picture import Box

DELAYS = (24.0, 14.0)
"""Between the middle of a delay's square and any arrow that crosses its loop: better, and least."""
IN_A_ROW = 44.0
"""From one delay in a row to the next: room for a fork, and an arrow."""


def place_states(grid: Grid) -> None:
    """States stand in the gaps between columns, at the height of the ports that they join."""
    own: dict[Hashable, float] = {}  # in the rows of recurrences
    for block in sorted(grid.tiles, key=lambda b: b.level % 2):
        if not 0 < block.column <= grid.T:
            continue
        y0 = grid.at[block][1]
        for port, (_, y) in grid.ports(block):
            if port.side in ("left", "right"):
                gap = block.column - (port.side == "left")
                if block.level % 2:
                    own.setdefault(port.slot, y0 + y)
                if not port.enters or (gap, port.slot) not in grid.heights:
                    grid.heights[gap, port.slot] = y0 + y
    gaps: dict[int, list[Box]] = defaultdict(list)
    for box in grid.picture.boxes:
        if box.between and box.kind != "delay":
            box.x = grid.gap[box.column]
            box.y = grid.heights.get((box.column, box.slot), 0.0)
            if isinstance(box.slot, tuple) and box.slot[0] == "tap":  # at the height of its readers
                box.y = grid.heights[box.column, box.slot] = own.get(box.slot, box.y)
            gaps[box.column].append(box)
    for boxes in gaps.values():
        boxes.sort(key=lambda box: box.y)
        for low, high in pairwise(boxes):
            high.y = max(high.y, low.top + high.height / 2 + LANE_GAP)
    before = {a.head: a.tail for a in grid.picture.arrows if a.tail in grid.loop}
    into = {a.tail: block for block in grid.tiles for a in block.arrows if a.tail in grid.loop}
    for square in grid.loop:  # a delay in a row stands behind the one before it
        side = "above" if grid.loop[square][1] > 0 else "below"
        onward = -1 if square.column < into[square].column else 1
        start = before[square].x + onward * IN_A_ROW if square in before else None
        square.x = _clear(grid, into[square], side, start, onward)
        square.y = loop_height(grid, square)


def _clear(grid: Grid, block: Block, side: str, start: float | None, onward: int) -> float:
    """The x nearest to the middle of a block, or to a start, where no arrow leaves it on a side."""
    left, width = grid.at[block][0], grid.tiles[block].width
    crossed = [left + x for c, (x, _) in grid.ports(block) if c.side == side]
    middle = left + width / 2 if start is None else start
    ways = (-1, 1) if start is None else (onward, onward)
    places = [middle + d for n in range(9) for d in (n * 6.0 * ways[0], n * 6.0 * ways[1])]
    inside = [x for x in places if left < x < left + width]
    for apart, xs in zip(DELAYS, (inside, places), strict=True):
        for x in xs:
            if all(abs(x - other) > apart for other in crossed):
                return x
    return middle


def loop_height(grid: Grid, square: Box) -> float:
    """The height at which the arrow through a delay runs back."""
    level, n = grid.loop[square]
    row = grid.rows[level]
    return (row.roof if n > 0 else row.floor) + LOOP_GAP * (n - 0.2 if n > 0 else n + 0.2)


def place_ends(grid: Grid) -> None:
    """What comes before the steps stands on the height of the state that it joins, on the left.

    What comes after them stands above them: over the middle of what it gathers, or over the state
    that it reads.
    """
    for block in grid.tiles:
        if block.column == 0 and grid.T and block in grid.at:
            for port, (_, y) in grid.ports(block):
                height = grid.heights.get((0, port.slot))
                if height is not None:
                    grid.at[block] = (grid.at[block][0], height - y)
                    break
        elif block.column > grid.T > 0:
            rails = {c.slot for c, _ in grid.ports(block)}
            low = grid.top + ROW_GAP + grid.stretch[1]
            if not is_single_end(grid, block):
                low += LANE_GAP * max(len(rails), 1)
            grid.at[block] = (_end_x(grid, block), low)


def is_single_end(grid: Grid, block: Block) -> bool:
    """Whether a block after the steps is one circle: then lines lead to its sides."""
    return len(block.boxes) == 1 and block.boxes[0].is_round


def _end_x(grid: Grid, block: Block) -> float:
    """Where a block after the steps stands, so that what it reads goes straight up to it."""
    shifts = []
    for port, (x, _) in grid.ports(block):
        feeders = sorted(feeder_x(grid, block, port.slot))
        if feeders:
            n = len(feeders)
            middle = feeders[n // 2] if n % 2 else (feeders[n // 2 - 1] + feeders[n // 2]) / 2
            shifts.append((n, middle - x))
    return max(shifts, key=lambda s: s[0])[1] if shifts else grid.gap[grid.T]


def feeder_x(grid: Grid, block: Block, slot: Hashable) -> list[float]:
    """Where the arrows begin that lead up to a port of a block after the steps."""
    found = []
    for arrow in block.arrows:
        tail = arrow.tail
        if arrow.head not in grid.blocks.of or grid.blocks.of[arrow.head] is not block:
            continue
        if slot not in (tail.slot, collector(arrow)):
            continue
        if tail.between:
            found.append(tail.x if is_free_above(grid, tail) else tail.right + LANE_GAP)
            continue
        source = grid.blocks.of.get(tail)
        if source is None or source is block:
            continue
        for port, (x, _) in grid.ports(source):
            if port.slot == tail.slot and not port.enters:
                if port.side == "above":
                    channel = grid.channel_of(arrow)
                    found.append(grid.channel.get(channel, grid.at[source][0] + x))  # type: ignore
                else:
                    found.append(grid.gap[grid.T])
    return found


def is_free_above(grid: Grid, state: Box) -> bool:
    """Whether nothing else stands above a state in its gap."""
    others = (b for b in grid.picture.boxes if b.between and b.column == state.column)
    return not any(b.y > state.y for b in others)


def place_boxes(grid: Grid, blocks: Iterable[Block]) -> None:
    """Put every box of some blocks where its outline is in its tile."""
    for block in blocks:
        tile, (x0, y0) = grid.tiles[block], grid.at[block]
        for box, (i, dx) in zip(block.boxes, grid.traced[block].outline, strict=True):
            x, y = tile.places[i]
            if dx == 0.0:
                box.width, box.height = tile.sizes.get(i, (box.width, box.height))
            box.x, box.y = x0 + x + dx, y0 + y
