"""A column of a picture, cut into blocks that stand one above the other.

    y, L     what reads the state out
    cell     the recurrence of the upper layer
    cell     the recurrence of the lower layer
    x        what comes in

A recurrence is a set of boxes that lie on a common circle through time: a strongly connected part
of the folded graph. Each recurrence is a block of its own, so that states run horizontally and
never through another cell; what is left over stands below, between or above.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture
from microgrrepresent.drawing.time.levels import Level
from microgrrepresent.drawing.views.levels import levels
from microgrrepresent.node import Node


@dataclass(eq=False)
class Block:
    """The boxes of one column at one level, in order, and the arrows that touch them."""

    column: int
    level: Level
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)


@dataclass(frozen=True)
class Blocks:
    """All blocks of a picture.

    Attributes
    ----------
    of : dict
        The block of each box that does not stand between columns.
    rows : dict
        The blocks of each level, lowest level first; odd levels are recurrences.
    legend : list of Block
        The parts of column 0 that no arrow joins to a step: parameters that chips stand for.
    """

    of: dict[Box, Block]
    rows: dict[Level, list[Block]]
    legend: list[Block]

    def node_block(self, column: int) -> dict[Node, Block]:
        """The block of each node of a column that has a box there."""
        return {
            node: block
            for row in self.rows.values()
            for block in row
            if block.column == column
            for box in block.boxes
            if box.kind != "chip"
            for node in box.nodes
        }

    def __iter__(self) -> Iterator[Block]:
        for row in self.rows.values():
            yield from row
        yield from self.legend


def blocks(picture: Picture, columns: range) -> Blocks:
    """Cut the columns of a picture into blocks."""
    level = levels(picture, columns)
    part = _parts_of_legend(picture) if columns else _alone(picture)
    found: dict[tuple[int, Level], Block] = {}
    legend: dict[Box, Block] = {}
    of: dict[Box, Block] = {}
    for box in picture.boxes:
        if box.between:
            continue
        if box in part:
            block = legend.setdefault(part[box], Block(0, 0))
        else:
            row = level.get(box.slot, 1) if box.column in columns else 1
            block = found.setdefault((box.column, row), Block(box.column, row))
        of[box] = block
        block.boxes.append(box)
    through = {  # what reads a state is what it passes on its way to the next tap of its line
        arrow.tail: of[arrow.head]
        for arrow in picture.arrows
        if arrow.tail.between and arrow.head in of
    }
    for arrow in picture.arrows:
        ends = [of[box] for box in (arrow.tail, arrow.head) if box in of]
        if not ends and arrow.tail in through and arrow.head.kind != "delay":
            ends = [through[arrow.tail]]
        for block in dict.fromkeys(ends):
            block.arrows.append(arrow)
    rows: dict[Level, list[Block]] = defaultdict(list)
    for block in sorted(found.values(), key=lambda b: (b.level, b.column)):
        rows[block.level].append(block)
    return Blocks(of, dict(rows), list(legend.values()))


def _parts_of_legend(picture: Picture) -> dict[Box, Box]:
    """For each box of the legend, one that is the same for all boxes it is joined to."""
    root = {box: box for box in picture.boxes if box.column == 0 and not box.between}

    def top(box: Box) -> Box:
        while root[box] is not box:
            box = root[box]
        return box

    outside: set[Box] = set()
    for arrow in picture.arrows:
        tail, head = arrow.tail, arrow.head
        if tail in root and head in root:
            root[top(head)] = top(tail)
        elif arrow.flow != "parameter":  # a rail leads away from a legend
            outside.update(box for box in (tail, head) if box in root)
    joined = {top(box) for box in outside}
    return {box: top(box) for box in root if top(box) not in joined}


def _alone(picture: Picture) -> dict[Box, Box]:
    """The legend of a graph without steps: each parameter that chips stand for, by itself."""
    joined = {box for arrow in picture.arrows for box in (arrow.tail, arrow.head)}
    return {
        box: box
        for box in picture.boxes
        if box.kind == "parameter" and box.color is not None and box not in joined
    }
