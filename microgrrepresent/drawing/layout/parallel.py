"""Recurrences that do not need each other stand side by side, as the two directions of a layer.

Each has a row of its own, and the upper one stands to the right of the lower one, so that what the
upper one reads from below passes the lower one in a straight line, and what the lower one says
passes the upper one. What they read and what reads them is made as wide as both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from microgrrepresent.drawing.layout.blocks import Block, Blocks
from microgrrepresent.drawing.layout.coordinates import GRID
from microgrrepresent.drawing.layout.grid import LANE_GAP, MARGIN
from microgrrepresent.drawing.layout.outlines import Crossing, End
from microgrrepresent.drawing.layout.rows import is_framed
from microgrrepresent.drawing.layout.sketch import Traced
from microgrrepresent.drawing.layout.tile import Tile
from microgrrepresent.drawing.marks.picture import Picture
from microgrrepresent.drawing.time.levels import Level

HEAD = 12.0
"""What the head of a gradient needs between a box and a line that passes it."""

Group = tuple[Level, ...]
"""The levels of recurrences that stand side by side, from left to right and from below."""


@dataclass
class Abreast:
    """Where recurrences stand that are side by side, and what joins them.

    Attributes
    ----------
    offsets : dict
        How far right of the start of its column a recurrence stands.
    hints : dict
        For what joins recurrences, where in its column its ports would like to be.
    """

    offsets: dict[Block, float] = field(default_factory=dict)
    hints: dict[Block, tuple[tuple[End, float], ...]] = field(default_factory=dict)


def parallel(picture: Picture, cut: Blocks, columns: Sequence[int]) -> list[Group]:
    """Find recurrences that do not need each other, and that arrows pass which need the others.

    Parameters
    ----------
    columns : sequence of int
        The steps that are shown.
    """
    shown = set(columns)
    feeds: dict[Level, set[Level]] = defaultdict(set)
    for arrow in picture.arrows:
        tail, head = cut.of.get(arrow.tail), cut.of.get(arrow.head)
        if tail and head and tail.column == head.column in shown and tail.level < head.level:
            feeds[tail.level].add(head.level)
    rows = [level for level in cut.rows if level % 2]
    groups: list[list[Level]] = []
    for level in rows:
        group = groups[-1] if groups else []
        if group and all(_is_parallel(low, level, feeds) for low in group):
            group.append(level)
        else:
            groups.append([level])
    return [tuple(group) for group in groups if len(group) > 1]


def _is_parallel(low: Level, high: Level, feeds: Mapping[Level, set[Level]]) -> bool:
    reached = todo = {low}
    while todo:
        todo = {user for level in todo for user in feeds.get(level, ())} - reached
        reached = reached | todo
    passed_low = any(level < low and high in heads for level, heads in feeds.items())
    passed_high = any(user > high for user in feeds.get(low, ()))
    return high not in reached and passed_low and passed_high


def stand_abreast(
    cut: Blocks,
    traced: Mapping[Block, Traced],
    tiles: Mapping[Block, Tile],
    groups: Sequence[Group],
    columns: Sequence[int],
) -> Abreast:
    """Place the recurrences of some groups, in every step."""
    found = Abreast()
    if not groups:
        return found
    shown = set(columns)
    framed = any(
        is_framed(level, [b for b in cut.rows[level] if b.column in shown])
        for group in groups
        for level in group
    )
    apart = MARGIN + LANE_GAP if framed else MARGIN
    apart += HEAD * any(one.sketch.is_double for one in traced.values())
    stacks: dict[int, list[Block]] = {column: [] for column in columns}
    for row in cut.rows.values():
        for block in row:
            if block.column in stacks:
                stacks[block.column].append(block)
    for stack in stacks.values():
        for group in groups:
            _place_group([b for b in stack if b.level in group], traced, tiles, apart, found)
        for block in stack:
            if block not in found.offsets and (hints := _hints(block, stack, traced, tiles, found)):
                found.hints[block] = hints
    return found


def _place_group(
    members: Sequence[Block],
    traced: Mapping[Block, Traced],
    tiles: Mapping[Block, Tile],
    apart: float,
    found: Abreast,
) -> None:
    """Place recurrences so far to the right of the lower ones that lines pass them upright."""
    at: dict[Block, float] = {}
    for block in members:
        enters = [x for c, x in _ports(block, traced, tiles) if c.side == "below"]
        start = 0.0
        for low, left in at.items():
            right = left + tiles[low].width + apart
            leaves = [x for c, x in _ports(low, traced, tiles) if c.side == "above"]
            start = max([start, *(right - x for x in enters), *(left + x + apart for x in leaves)])
        origin = tiles[block].origin  # with which ports are at whole numbers of 1/GRID points
        at[block] = ceil(GRID * (start - origin)) / GRID + origin
    wide = max((left + tiles[b].width for b, left in at.items()), default=0.0)
    middle = round(GRID * wide / 2) / GRID
    found.offsets |= {block: left - middle for block, left in at.items()}


def _ports(
    block: Block, traced: Mapping[Block, Traced], tiles: Mapping[Block, Tile]
) -> list[tuple[Crossing, float]]:
    """The crossings of a block, and where in its tile they are."""
    return [(c, tiles[block].ports[port][0]) for c, port in traced[block].port.items()]


def _hints(
    block: Block,
    stack: Sequence[Block],
    traced: Mapping[Block, Traced],
    tiles: Mapping[Block, Tile],
    found: Abreast,
) -> tuple[tuple[End, float], ...]:
    """Where the ports of a block would like to be: above and below those that they are joined to.

    None where one line alone joins it to them: then it can stand where that line is straight.
    """
    hints: list[tuple[End, float]] = []
    for crossing, port in traced[block].port.items():
        for other in stack:
            left = found.offsets.get(other)
            if left is None:
                continue
            for their, x in _ports(other, traced, tiles):
                if their.slot != crossing.slot or {their.side, crossing.side} != {"above", "below"}:
                    continue
                if crossing.branch in (0, other.level):
                    hints.append((port, left + x))
    return tuple(hints) if len({port for port, _ in hints}) > 1 else ()
