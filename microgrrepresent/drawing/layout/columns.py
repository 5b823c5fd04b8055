"""The x of the columns: tiles of one column stand so that what joins them is upright."""

from __future__ import annotations

from collections import defaultdict
from math import inf

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.edges import Edges
from microgrrepresent.drawing.layout.grid import LANE_GAP, LOOP_GAP, MARGIN, Channel, Grid

CLEAR = 8.0
"""Between a tile and a line that goes straight past it."""
AROUND = 12.0
"""Between a tile and the middle of a gap, where a line may run up or down."""
ARROW = 14.0
"""What an arrow needs besides its label."""
GAP_MARGIN = 21.0
"""Between a tile and the state beside it: the margin of the panel, and an arrow."""


def lay_columns(grid: Grid, y: dict[Block, float]) -> None:
    """Give every tile of a step its place, and every gap and channel its x."""
    for row in grid.blocks.rows.values():
        for block in row:
            grid.columns.setdefault(block.column, []).append(block)
    between: dict[int, float] = defaultdict(float)
    for box in grid.picture.boxes:
        if box.between:
            between[box.column] = max(between[box.column], box.width)
    leads: dict[int, float] = defaultdict(float)  # what labels on the way to a state need
    for arrow in grid.picture.arrows:
        made = arrow.head.between and arrow.head.kind != "delay" and not arrow.tail.between
        if made and arrow.room and arrow.tail.column == arrow.head.column:
            need = arrow.room[0] + ARROW - GAP_MARGIN
            leads[arrow.head.column] = max(leads[arrow.head.column], need)
    passing = _passing(grid)
    rails = _lay_rails(grid)
    edges = Edges(
        rails,
        starts_free=not rails and 0 not in grid.columns and grid.T > 0,
        overlaps=not any(a.tail.between and a.head.column > grid.T for a in grid.picture.arrows),
        storeys=any(box.storey for box in grid.picture.boxes),
    )
    apart = more = 0.0
    for column in range(grid.T + 1 if grid.T else 2):
        stack = grid.columns.get(column, [])
        if stack:
            more = _lay_column(grid, column, stack, passing.get(column, []), edges, apart, y)
            grid.gap[column - 1] = grid.gap.get(column - 1, 0.0) + more / 2
            if column == 2:  # the state before the steps is as far away as those between them
                grid.gap[0] -= more / 2
            apart = 0.0
        room = between[column]
        apart += LOOP_GAP * len(grid.loop) * (column == 0)
        apart += grid.stretch[0] / 2 * (column > 0) + leads[column]
        grid.gap[column] = edges.states + apart + GAP_MARGIN + room / 2
        apart += grid.stretch[0] / 2 * (column < grid.T)
        if room:
            apart += 2 * GAP_MARGIN + room + LOOP_GAP * len(grid.loop) * (column > 0)
        elif stack:
            apart += 2.5 * MARGIN
    grid.gap[grid.T] += more / 2 * (grid.T > 1)


def _lay_column(
    grid: Grid,
    column: int,
    stack: list[Block],
    channels: list[Channel],
    edges: Edges,
    apart: float,
    y: dict[Block, float],
) -> float:
    """Place a column so far to the right that there is room for the states before it.

    What stands above or below may reach into that room. Gives what is left over of it.
    """
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
    joined = [b for b in stack if any(c.side in ("left", "right") for c, _ in grid.ports(b))]
    more = 0.0
    if not joined or sides or not edges.may_overlap(column):
        x = edges.everything + apart + LANE_GAP * max(_tracks(on_left).values(), default=0)
    elif edges.storeys:  # lines run up and down from the states
        first = min(offsets[b] for b in joined) - left
        shift = max(edges.everything + AROUND - grid.gap[column - 1], 0.0)
        grid.gap[column - 1] += shift
        x = max(edges.states + apart + shift - first, grid.gap[column - 1] + AROUND)
    else:
        first = min(offsets[b] for b in joined) - left
        x = needed = edges.states + apart - first
        for block in stack:
            last = edges.level.get(block.level)
            if block not in joined and last is not None:
                start = grid.at[last][0] + edges.apart(grid, last, block, y) + grid.stretch[0]
                x = max(x, start - offsets[block] + left)
        more = x - needed
    for block in stack:
        grid.at[block] = (x + offsets[block] - left, y.get(block, 0.0))
    for channel, i in _tracks(on_left).items():
        grid.channel[channel] = x - MARGIN - LANE_GAP * i
    for channel, i in _tracks(on_right).items():
        grid.channel[channel] = x + right - left + MARGIN + LANE_GAP * i
    end = x + right - left + LANE_GAP * max(_tracks(on_right).values(), default=0)
    edges.everything = max(edges.everything, end)
    edges.crowded = bool(sides)
    edges.states = max((grid.at[b][0] + grid.tiles[b].width for b in joined), default=end)
    if sides:
        edges.states = end
    edges.level |= {b.level: b for b in stack}
    return more


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
    """Whether a channel is needed: a line goes straight up where nothing is above it."""
    _, slot, low, high = channel
    passed = [b for b in stack if low < b.level < high]
    if low != -inf and _is_straight(grid, channel, stack, passed, offsets):
        return False
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


def _is_straight(
    grid: Grid,
    channel: Channel,
    stack: list[Block],
    passed: list[Block],
    offsets: dict[Block, float],
) -> bool:
    """Whether a line goes straight up from one block to another, clear of those that it passes."""
    _, slot, low, high = channel
    ends = [
        {
            offsets[b] + x
            for c, (x, _) in grid.ports(b)
            if (c.slot, c.side, c.enters) == (slot, side, enters) and c.branch in (0, high)
        }
        for b in stack
        for level, side, enters in ((low, "above", False), (high, "below", True))
        if b.level == level
    ]
    if len(ends) != 1 + (high != inf) or any(len(xs) != 1 for xs in ends):
        return False
    (x,) = ends[0]
    return all(abs(x - u) < 0.5 for xs in ends for u in xs) and all(
        not offsets[b] - CLEAR < x < offsets[b] + grid.tiles[b].width + CLEAR for b in passed
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
    offsets = {block: grid.offset[block] for block in stack if block in grid.offset}
    main = max(
        offsets or stack, key=lambda b: (b not in grid.stacked, b.level % 2, grid.tiles[b].width)
    )
    offsets = offsets or {main: 0.0}
    start = stack.index(main)
    for block in stack[start + 1 :] + stack[:start][::-1]:
        if block in offsets:
            continue
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
        edge, full = offsets[main], grid.tiles[main].width
        wide = grid.tiles[block].width
        offsets[block] = min(  # of several ports, that is straight which makes least width
            shifts,
            key=lambda x: max(edge + full, x + wide) - min(edge, x),
            default=edge + (full - wide) / 2,
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
