"""The x of the columns: tiles of one column stand so that what joins them is upright."""

from __future__ import annotations

from collections import defaultdict
from math import inf

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.grid import LANE_GAP, LOOP_GAP, MARGIN, Channel, Grid

GAP_MARGIN = 21.0
"""Between a tile and the state beside it: the margin of the panel, and an arrow."""
CLEAR = 12.0
"""Between a tile and the middle of a gap, where a line may run."""


def lay_columns(grid: Grid, y: dict[Block, float]) -> None:
    """Give every tile of a step its place, and every gap and channel its x."""
    for row in grid.blocks.rows.values():
        for block in row:
            grid.columns.setdefault(block.column, []).append(block)
    between: dict[int, float] = defaultdict(float)
    for box in grid.picture.boxes:
        if box.between:
            between[box.column] = max(between[box.column], box.width)
    passing = _passing(grid)
    x = _lay_rails(grid)
    for column in range(grid.T + 1 if grid.T else 2):
        stack = grid.columns.get(column, [])
        half = GAP_MARGIN + between[column] / 2 + grid.stretch[0] / 2 * (column > 0)
        if stack:
            x = _lay_column(grid, column, stack, passing.get(column, []), x, y)
            if between[column] and not passing.get(column):
                x -= min(_overhang(grid, stack)[1], max(half - CLEAR, 0.0))
        x += LOOP_GAP * len(grid.loop) * (column == 0)
        grid.gap[column] = x + half
        if between[column]:
            x += half + GAP_MARGIN + between[column] / 2
            x += grid.stretch[0] / 2 * (column < grid.T)
            x += LOOP_GAP * len(grid.loop) * (column > 0)
            following = grid.columns.get(column + 1, [])
            if following and not passing.get(column + 1):
                x -= min(_overhang(grid, following)[0], x - grid.gap[column] - CLEAR)
        elif stack:
            x += grid.stretch[0] / 2 * (column > 0) + grid.stretch[0] / 2 * (column < grid.T)
            x += 2.5 * MARGIN


def _overhang(grid: Grid, stack: list[Block]) -> tuple[float, float]:
    """How far other blocks of a column reach beyond its recurrences, to the left and right.

    They may do so under or over the states in the gaps beside it.
    """
    cells = [block for block in stack if block.level % 2]
    if not cells:
        return 0.0, 0.0
    offsets = _offsets(grid, stack)
    left = min(offsets[b] for b in cells) - min(offsets[b] for b in stack)
    ends = {b: offsets[b] + grid.tiles[b].width for b in stack}
    return left, max(ends.values()) - max(ends[b] for b in cells)


def _lay_column(
    grid: Grid,
    column: int,
    stack: list[Block],
    channels: list[Channel],
    x: float,
    y: dict[Block, float],
) -> float:
    offsets = _offsets(grid, stack)
    left = min(offsets[b] for b in stack)
    right = max(offsets[b] + grid.tiles[b].width for b in stack)
    sides = {
        channel: _side(grid, channel, stack, offsets)
        for channel in channels
        if _stands_in_the_way(grid, channel, stack, offsets)
    }
    on_left = [channel for channel, side in sides.items() if side < 0]
    on_right = [channel for channel, side in sides.items() if side > 0]
    x += LANE_GAP * max(_tracks(on_left).values(), default=0)
    for block in stack:
        grid.at[block] = (x + offsets[block] - left, y.get(block, 0.0))
    for channel, i in _tracks(on_left).items():
        grid.channel[channel] = x - MARGIN - LANE_GAP * i
    for channel, i in _tracks(on_right).items():
        grid.channel[channel] = x + right - left + MARGIN + LANE_GAP * i
    return x + right - left + LANE_GAP * max(_tracks(on_right).values(), default=0)


def _lay_rails(grid: Grid) -> float:
    """Parameters that lines join to their uses, one below the other on the left; their width."""
    y = 0.0
    for block in grid.blocks.legend:
        y -= grid.tiles[block].height + MARGIN
        grid.at[block] = (0.0, y)
    if not any(grid.traced[b].port for b in grid.blocks.legend):
        return 0.0  # the legend is moved to a free place when all else stands
    return max(grid.tiles[b].width + MARGIN for b in grid.blocks.legend)


def _passing(grid: Grid) -> dict[int, list[Channel]]:
    """The channels that each column needs."""
    found: dict[int, dict[Channel, None]] = defaultdict(dict)
    for arrow in grid.picture.arrows:
        channel = grid.channel_of(arrow)
        if channel is not None:
            found[channel[0]].setdefault(channel)
    return {column: list(channels) for column, channels in found.items()}


def _stands_in_the_way(
    grid: Grid, channel: Channel, stack: list[Block], offsets: dict[Block, float]
) -> bool:
    """Whether a channel is needed: a rail goes straight up where nothing is above it."""
    _, slot, low, high = channel
    passed = [b for b in stack if low < b.level < high]
    if low != -inf or any(grid.rows[b.level].framed for b in passed):
        return True
    target = next(b for b in stack if b.level == high)
    up = next(
        offsets[target] + x
        for c, (x, _) in grid.ports(target)
        if c.slot == slot and c.side == "below"
    )
    return any(
        abs(offsets[b] + grid.tiles[b].places[i][0] + dx - up) < box.width / 2 + 4
        for b in passed
        for box, (i, dx) in zip(b.boxes, grid.traced[b].outline, strict=True)
    )


def _side(grid: Grid, channel: Channel, stack: list[Block], offsets: dict[Block, float]) -> int:
    """On which side of its column a channel makes the shorter way: -1 left, 1 right."""
    _, slot, low, high = channel
    ends = [
        offsets[block] + x
        for block in stack
        if block.level in (low, high)
        for crossing, (x, _) in grid.ports(block)
        if crossing.slot == slot
    ]
    passed = [b for b in stack if low < b.level < high]
    left = min(offsets[b] for b in passed)
    right = max(offsets[b] + grid.tiles[b].width for b in passed)
    return -1 if sum(x - left for x in ends) < sum(right - x for x in ends) else 1


def _offsets(grid: Grid, stack: list[Block]) -> dict[Block, float]:
    """How far right each block of a column stands of its widest recurrence."""
    main = max(stack, key=lambda b: (b not in grid.stacked, b.level % 2, grid.tiles[b].width))
    offsets = {main: 0.0}
    start = stack.index(main)
    for block in stack[start + 1 :] + stack[:start][::-1]:
        forward = grid.stacked.get(block)
        if forward in offsets:  # above its forward nodes
            offsets[block] = offsets[forward] + grid.tiles[block].origin
            continue
        shifts = []
        for port, (x, _) in grid.ports(block):
            for other, left in offsets.items():
                for their, (u, _) in grid.ports(other):
                    sides = {port.side, their.side}
                    if port.slot == their.slot and sides == {"above", "below"}:
                        shifts.append(left + u - x)
        wide, full = grid.tiles[block].width, grid.tiles[main].width
        center = (full - wide) / 2  # of several ports, that is straight which makes least width
        offsets[block] = min(
            shifts, key=lambda x: max(full, x + wide) - min(0.0, x), default=center
        )
    return offsets


def _tracks(channels: list[Channel]) -> dict[Channel, int]:
    """Number the channels of one side from 1; those that pass different levels share a number."""
    found: dict[Channel, int] = {}
    for channel in channels:
        _, _, low, high = channel
        taken = {n for (_, _, a, b), n in found.items() if a < high and low < b}
        found[channel] = next(n for n in range(1, len(channels) + 1) if n not in taken)
    return found
