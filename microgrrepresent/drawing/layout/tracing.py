"""From a block, its boxes and arrows, to the sketch of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.outlines import Crossing, Edge, End, Outline, Port, Side
from microgrrepresent.drawing.layout.sketch import Sketch, Traced
from microgrrepresent.drawing.marks.labels import Label, height, width
from microgrrepresent.drawing.marks.picture import Arrow, Box

LABEL_SIZE = 11.0
CHIP_GAP = 3.0


def trace(
    block: Block,
    crossing: Callable[[Block, Arrow, bool], Crossing],
    passing: Mapping[Hashable, Side],
) -> Traced:
    """Sketch a block.

    Parameters
    ----------
    block : Block
        What to sketch.
    crossing : callable
        ``crossing(block, arrow, enters)``: where an arrow crosses the border of the block.
    passing : mapping
        The slots whose values pass on to the next column, with the side on which they leave. The
        last column has ports for them too, so that it is laid out as the others are.
    """
    rows = _chip_rows(block)
    outlines: list[Outline] = []
    number: dict[Box, int] = {}
    outline: list[tuple[int, float]] = []
    offsets: dict[Box, float] = {}
    for box in block.boxes:
        if box not in number:
            row = rows.get(box, [box])
            if len(row) == 1:
                is_round = box.is_round
                large = box.kind in ("cell", "elision")
                is_sign, is_parameter = box.kind == "op", box.kind == "parameter"
                size = (box.width, box.height)
                outlines.append(Outline(*size, is_round, is_sign, large, is_parameter))
            else:
                offsets.update(_spread(row))
                full = sum(b.width for b in row) + CHIP_GAP * (len(row) - 1)
                outlines.append(Outline(full, max(b.height for b in row), False, False))
            number.update(dict.fromkeys(row, len(outlines) - 1))
        outline.append((number[box], offsets.get(box, 0.0)))
    slots: dict[Hashable, int] = {}
    port: dict[Crossing, Port] = {}

    def end(box: Box, arrow: Arrow, enters: bool) -> End:
        if box in number:
            return number[box]
        place = crossing(block, arrow, enters)
        if place not in port:
            n = slots.setdefault(place.slot, len(slots))
            port[place] = Port(place.side, place.enters, n)
        return port[place]

    first: dict[Edge, tuple[int, Box]] = {}
    edges: list[Edge] = []
    edge: dict[Arrow, int | None] = {}
    onward: dict[Box, list[Arrow]] = {box: [] for box in block.boxes}  # what leaves at a side
    for arrow in block.arrows:
        if arrow.head not in number and crossing(block, arrow, False).side in ("left", "right"):
            onward[arrow.tail].append(arrow)

    def add(arrow: Arrow) -> None:
        chips = len(rows.get(arrow.tail, ()))
        ends = end(arrow.tail, arrow, True), end(arrow.head, arrow, False)
        here = arrow.head in number or arrow.head.between  # else the next block has the label
        made = Edge(*ends, _room(arrow.label) if here else None, max(chips, 1))
        edge[arrow] = None if chips > 1 else len(edges)
        if made in first:
            i, tail = first[made]
            merges = isinstance(made.tail, Port) and arrow.tail is not tail
            if chips > 1 or merges or isinstance(made.head, Port):
                edge[arrow] = None if chips > 1 else i  # what crosses at one port shares a way
                return
        first.setdefault(made, (len(edges), arrow.tail))
        edges.append(made)

    for arrow in block.arrows:
        if arrow not in onward.get(arrow.tail, ()):
            add(arrow)
    for box, arrows in onward.items():
        for arrow in arrows:
            add(arrow)
        if not arrows and box.slot in passing:
            place = Crossing(passing[box.slot], False, box.slot)
            port[place] = Port(place.side, False, slots.setdefault(box.slot, len(slots)))
            edges.append(Edge(number[box], port[place]))
    own = {node: i for box, i in number.items() if box.kind != "chip" for node in box.nodes}
    mates = [
        (own[forward], number[box])
        for box in block.boxes
        if box.backward and (forward := box.nodes[0].forward) in own
    ]
    sketch = Sketch(tuple(outlines), tuple(edges), mates=tuple(mates))
    return Traced(sketch, outline, [edge[arrow] for arrow in block.arrows], port)


def _chip_rows(block: Block) -> dict[Box, list[Box]]:
    """For each chip, the chips of the same box: they stand side by side."""
    of_head: dict[Box, list[Box]] = {}
    for arrow in block.arrows:
        if arrow.tail.kind == "chip":
            of_head.setdefault(arrow.head, []).append(arrow.tail)
    return {chip: row for row in of_head.values() for chip in row}


def _spread(row: Sequence[Box]) -> dict[Box, float]:
    """How far each chip of a row is from the middle of the row."""
    x = -(sum(box.width for box in row) + CHIP_GAP * (len(row) - 1)) / 2
    found = {}
    for box in row:
        found[box] = x + box.width / 2
        x += box.width + CHIP_GAP
    return found


def _room(label: Label) -> tuple[float, float] | None:
    if not label:
        return None
    return (round(width(label, LABEL_SIZE) + 4), round(height(label, LABEL_SIZE) + 2))
