"""What stands beside the box that uses it, and takes no place of its own.

A chip, a number or a target that one box reads stands to the left or right of it, on its height, so
that the arrow is short and level. Where a box has more of them than sides, they stand below it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.outlines import Crossing, Side
from microgrrepresent.drawing.layout.ranks import LONGEST_LANE
from microgrrepresent.drawing.marks.picture import Arrow, Box

WIDE = ("cell", "elision")
"""The kinds that are as wide as what they serve, and have their chips below them."""
LEAVES = ("chip", "constant", "input", "parameter")


def beside(
    block: Block,
    crossing: Callable[[Block, Arrow, bool], Crossing],
    passing: Mapping[Hashable, Side],
) -> dict[Box, tuple[Box, Side]]:
    """Find what stands beside a box of a block: that box, and on which side."""
    into: dict[Box, list[Arrow]] = defaultdict(list)
    out: dict[Box, list[Arrow]] = defaultdict(list)
    for arrow in block.arrows:
        into[arrow.head].append(arrow)
        out[arrow.tail].append(arrow)
    inside = set(block.boxes)
    level = _on_ways(block, crossing, passing)
    found: dict[Box, tuple[Box, Side]] = {}
    for head in block.boxes:
        if head in level or head.kind in WIDE or (head.kind == "function" and _chips(into[head])):
            continue
        loose = [
            arrow.tail
            for arrow in into[head]
            if arrow.tail in inside
            and arrow.tail.kind in LEAVES
            and len(out[arrow.tail]) == 1
            and not into[arrow.tail]
        ]
        if len(into[head]) == len(loose):
            if len(loose) == 1 and loose[0].kind in ("input", "parameter"):
                continue
            if _chips(into[head]):  # a word stands below its vector
                loose = [box for box in loose if box.kind != "input"]
        taken = {crossing(block, a, True).side for a in into[head] if a.tail not in inside}
        taken |= {crossing(block, a, False).side for a in out[head] if a.head not in inside}
        free: list[Side] = [side for side in ("left", "right") if side not in taken]
        if not 0 < len(loose) <= len(free):
            continue
        if len(loose) == 1 and loose[0].kind != "input":
            free.reverse()
        found |= {box: (head, side) for box, side in zip(loose, free, strict=False)}
    return found


def _on_ways(
    block: Block,
    crossing: Callable[[Block, Arrow, bool], Crossing],
    passing: Mapping[Hashable, Side],
) -> set[Box]:
    """The boxes on the short way of a state through the block: it runs level through them."""
    inside = set(block.boxes)
    users: dict[Box, list[Box]] = defaultdict(list)
    enters: dict[Hashable, set[Box]] = defaultdict(set)
    leaves: dict[Hashable, set[Box]] = defaultdict(set)
    for arrow in block.arrows:
        if arrow.tail in inside and arrow.head in inside:
            users[arrow.tail].append(arrow.head)
        elif arrow.head in inside:
            place = crossing(block, arrow, True)
            if place.side in ("left", "right"):
                enters[place.slot].add(arrow.head)
        elif not (arrow.head.between and arrow.head.kind == "output"):
            # what is chosen, such as the likeliest token, goes over the step, not through it
            place = crossing(block, arrow, False)
            if place.side in ("left", "right"):
                leaves[place.slot].add(arrow.tail)
    for box in block.boxes:
        if box.slot in passing:
            leaves[box.slot].add(box)
    found: set[Box] = set()
    for slot, readers in enters.items():
        if len(readers) == 1 and leaves[slot]:
            found.update(_way(next(iter(readers)), leaves[slot], users))
    return found


def _way(start: Box, goals: set[Box], users: Mapping[Box, list[Box]]) -> list[Box]:
    """The boxes on a shortest way, if it is short enough for a state to run level."""
    before: dict[Box, Box | None] = {start: None}
    queue = [start]
    for box in queue:
        if box in goals:
            way: list[Box] = []
            at: Box | None = box
            while at is not None:
                way.append(at)
                at = before[at]
            return way if len(way) <= LONGEST_LANE else []
        for user in users.get(box, ()):
            if user not in before:
                before[user] = box
                queue.append(user)
    return []


def _chips(arrows: list[Arrow]) -> bool:
    return any(arrow.tail.kind == "chip" for arrow in arrows)
