"""From a block, its boxes and arrows, to the sketch of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from microgrrepresent.drawing.layout.beside import WIDE, beside
from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.outlines import Crossing, End, Outline, Port, Side, Wire
from microgrrepresent.drawing.layout.sketch import Sketch, Traced
from microgrrepresent.drawing.marks.picture import Arrow, Box

CHIP_GAP = 4.0
BESIDE_GAP = 16.0
"""Between a box and what stands beside it: the length of the arrow."""
SIDES = 3
"""So many wires enter a circle, each at a place of its own; with more it becomes a wide box."""
MANY = 8
"""So many wires, or more, enter a box as one."""

Beside = tuple[Box, Side, float]
"""A box beside another one, on which side, and how far."""
Where = Callable[[Block, Arrow, bool], Crossing]


def trace(block: Block, crossing: Where, passing: Mapping[Hashable, Side]) -> Traced:
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
    tracer = _Tracer(block, crossing)
    tracer.outline_boxes(passing)
    tracer.wire(passing)
    return tracer.traced()


@dataclass
class _Tracer:
    block: Block
    crossing: Where
    outlines: list[Outline] = field(default_factory=list)
    number: dict[Box, int] = field(default_factory=dict)
    """The outline of each box that has one."""
    places: dict[Box, tuple[int, float]] = field(default_factory=dict)
    """Each box's outline, and how far right of its middle the box stands."""
    rows: dict[Box, list[Box]] = field(default_factory=dict)
    loose: dict[Box, tuple[Box, Side]] = field(default_factory=dict)
    """What stands beside a box."""
    slots: dict[Hashable, int] = field(default_factory=dict)
    port: dict[Crossing, Port] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)
    first: dict[Wire, tuple[int, Box]] = field(default_factory=dict)
    wire_of: dict[Arrow, int | None] = field(default_factory=dict)

    # --- outlines --------------------------------------------------------------------------------

    def outline_boxes(self, passing: Mapping[Hashable, Side]) -> None:
        """Give every box an outline, a place in a row of chips, or one beside another box."""
        self.loose = beside(self.block, self.crossing, passing)
        self.rows = self._chip_rows()
        near: dict[Box, list[Beside]] = defaultdict(list)
        words = {arrow.tail: arrow.room for arrow in self.block.arrows if arrow.room}
        for box, (head, side) in self.loose.items():
            gap = max(BESIDE_GAP, words[box][0] + 12.0) if box in words else BESIDE_GAP
            near[head].append((box, side, gap))
        inside = set(self.block.boxes)
        inputs: Counter[Box] = Counter()
        readers: Counter[Box] = Counter()
        branches: dict[Box, set[int]] = defaultdict(set)
        for arrow in self.block.arrows:
            if arrow.tail in inside and arrow.head not in inside:
                branches[arrow.tail].add(self.crossing(self.block, arrow, False).branch)
            if arrow.tail not in self.loose and self.rows.get(arrow.tail, [arrow.tail])[0] is (
                arrow.tail
            ):
                inputs[arrow.head] += 1
                readers[arrow.tail] += 1
        chipped = {
            arrow.head
            for arrow in self.block.arrows
            if arrow.tail in self.rows
            and not (arrow.head.is_round and len(self.rows[arrow.tail]) == 1)
        }
        for box in self.block.boxes:
            if box in self.places or box in self.loose:
                continue
            row = self.rows.get(box, [box])
            if len(row) > 1:
                self._outline_row(row)
                continue
            several = inputs[box] > (SIDES if box.is_round else 1) or (
                box.kind in ("input", "parameter") and readers[box] > 1
            )
            several = several or len(branches[box]) > 1
            few = inputs[box] < MANY and readers[box] < MANY
            wide = few and (box.kind in WIDE or box in chipped or several)
            self._outline_box(box, near[box], wide and not (near[box] and box.is_round))

    def _outline_box(self, box: Box, near: Sequence[Beside], wide: bool) -> None:
        number = self.number[box] = len(self.outlines)
        self.places[box] = (number, 0.0)
        room = {"left": 0.0, "right": 0.0}
        for other, side, gap in near:
            room[side] = gap + other.width
            away = box.width / 2 + gap + other.width / 2
            self.places[other] = (number, -away if side == "left" else away)
        outline = Outline(box.width, box.height, box.is_round and not wide, box.kind == "op")
        self.outlines.append(
            outline._replace(
                stretches=box.kind in WIDE and self.block.level % 2 == 1,
                is_parameter=box.kind == "parameter",
                widens=wide,
                before=room["left"],
                after=room["right"],
                tall=max([box.height, *(other.height for other, *_ in near)]),
            )
        )

    def _outline_row(self, row: Sequence[Box]) -> None:
        full = sum(box.width for box in row) + CHIP_GAP * (len(row) - 1)
        tall = max(box.height for box in row)
        x = -full / 2
        for box in row:
            self.number[box] = len(self.outlines)
            self.places[box] = (len(self.outlines), x + box.width / 2)
            x += box.width + CHIP_GAP
        self.outlines.append(Outline(full, tall, False, False, tall=tall))

    def _chip_rows(self) -> dict[Box, list[Box]]:
        """For each chip below a box, the chips of that box: they stand side by side."""
        of_head: dict[Box, list[Box]] = {}
        for arrow in self.block.arrows:
            if arrow.tail.kind == "chip" and arrow.tail not in self.loose:
                of_head.setdefault(arrow.head, []).append(arrow.tail)
        return {chip: row for row in of_head.values() for chip in row}

    # --- wires -----------------------------------------------------------------------------------

    def wire(self, passing: Mapping[Hashable, Side]) -> None:
        """Give every arrow its wire, those last that go on to the next column."""
        onward: dict[Box, list[Arrow]] = {box: [] for box in self.block.boxes}
        for arrow in self.block.arrows:
            outside = arrow.tail in self.number and arrow.head not in self.number
            if outside and self.crossing(self.block, arrow, False).side in ("left", "right"):
                onward[arrow.tail].append(arrow)
        for arrow in self.block.arrows:
            if arrow not in onward.get(arrow.tail, ()):
                self._add(arrow)
        for box, arrows in onward.items():
            for arrow in arrows:
                self._add(arrow)
            if not arrows and box.slot in passing and box in self.number:
                place = Crossing(passing[box.slot], False, box.slot)
                number = self.slots.setdefault((box.slot, 0), len(self.slots))
                self.port[place] = Port(place.side, False, number)
                self.wires.append(Wire(self.number[box], self.port[place]))

    def _add(self, arrow: Arrow) -> None:
        row = self.rows.get(arrow.tail, ())
        if arrow.tail in self.loose:
            self.wire_of[arrow] = None
            return
        ends = self._end(arrow.tail, arrow, True), self._end(arrow.head, arrow, False)
        here = arrow.head in self.number or arrow.head.between  # else the next block has the label
        spread = self.places[row[-1]][1] - self.places[row[0]][1] if row else 0.0
        room = arrow.room if here else None
        made = Wire(*ends, room, max(len(row), 1), spread)
        self.wire_of[arrow] = None if row else len(self.wires)
        if made in self.first:
            i, tail = self.first[made]
            merges = isinstance(made.tail, Port) and arrow.tail is not tail
            if row or merges or isinstance(made.head, Port):
                self.wire_of[arrow] = None if row else i  # what crosses at one port shares a way
                return
        self.first.setdefault(made, (len(self.wires), arrow.tail))
        self.wires.append(made)

    def _end(self, box: Box, arrow: Arrow, enters: bool) -> End:
        if box in self.number:
            return self.number[box]
        place = self.crossing(self.block, arrow, enters)
        if place not in self.port:
            n = self.slots.setdefault((place.slot, place.branch), len(self.slots))
            self.port[place] = Port(place.side, place.enters, n)
        return self.port[place]

    def traced(self) -> Traced:
        """The sketch, and what in it stands for what."""
        boxes = self.block.boxes
        own = {n: i for b, i in self.number.items() if b.kind != "chip" for n in b.nodes}
        mates = [
            (own[forward], self.number[box])
            for box in boxes
            if box.backward
            and box in self.number
            and (forward := box.nodes[0].derivative_of) in own
        ]
        sketch = Sketch(tuple(self.outlines), tuple(self.wires), mates=tuple(mates))
        outline = [self.places[box] for box in boxes]
        return Traced(
            sketch, outline, [self.wire_of[arrow] for arrow in self.block.arrows], self.port
        )
