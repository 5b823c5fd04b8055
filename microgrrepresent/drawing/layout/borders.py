"""Where arrows cross the borders of blocks."""

from __future__ import annotations

from collections.abc import Hashable, Set
from dataclasses import dataclass

from microgrrepresent.drawing.layout.blocks import Block, Blocks
from microgrrepresent.drawing.layout.outlines import Crossing, Side
from microgrrepresent.drawing.marks.picture import Arrow, Picture
from microgrrepresent.drawing.time.levels import Level


@dataclass(frozen=True)
class Borders:
    """Where arrows cross the borders of the blocks of a picture.

    Attributes
    ----------
    passing : dict
        The slots of what goes straight from a column to the next, and to which side.
    gathered : set
        The slots of what the end uses of several steps.
    abreast : set
        The levels of recurrences that stand side by side.
    """

    blocks: Blocks
    T: int
    passing: dict[Hashable, Side]
    gathered: frozenset[Hashable]
    abreast: Set[Level] = frozenset()

    def crossing(self, block: Block, arrow: Arrow, enters: bool) -> Crossing:
        """Where an arrow enters or leaves a block."""
        other = arrow.tail if enters else arrow.head
        slot = other.slot if other.between else arrow.tail.slot
        if enters and arrow.enters_as is not None:
            slot = arrow.enters_as
        if not other.between and other.column == block.column:
            level = self.blocks.of[other].level
            if level < block.level:
                return Crossing("below", enters, slot)
            branch = level if not enters and level in self.abreast else 0
            return Crossing("above", enters, slot, 0 if block.level % 2 else branch)
        if self.T and enters and block.column > self.T:  # the end stands above the steps
            return Crossing("below", enters, collector(arrow) if slot in self.gathered else slot)
        to_end = not enters and other.column > self.T and not other.between
        if to_end and slot not in self.passing:
            return Crossing("above", enters, slot)
        if enters and other.column == 0 and 0 < block.column <= self.T and not other.between:
            return Crossing("below", enters, slot)
        before = other.column < block.column
        if other.kind == "delay" and not enters:  # which a state reaches round the block
            before = not before
        return Crossing("left" if before else "right", enters, slot)


def borders(picture: Picture, T: int, blocks: Blocks, abreast: Set[Level]) -> Borders:
    """Find what passes between the columns of a picture, and what its end gathers."""
    passing: dict[Hashable, Side] = {}
    gathered: set[Hashable] = set()
    for arrow in picture.arrows:
        tail, head = arrow.tail, arrow.head
        inside = 0 < tail.column <= T and not tail.between
        if inside and tail.column < T < head.column:
            gathered.add(tail.slot)
        elif inside and tail.column != head.column <= T and not head.between:
            passing[tail.slot] = "right" if head.column > tail.column else "left"
    for slot in gathered:
        passing.pop(slot, None)
    return Borders(blocks, T, passing, frozenset(gathered), abreast)


def collector(arrow: Arrow) -> Hashable:
    """What all arrows have in common that run along one bus: the box that they lead to."""
    return ("bus", arrow.head.slot)
