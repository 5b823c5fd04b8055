"""The tile of a cell with tapped delay lines, as in the notes: rows of taps above and below it.

    y_{t-1} ──┬────────────── y_t        the newest value is the outermost row
    y_{t-2} ┐ └────── · ───── y_{t-1}
            ↓ ↓       │
          [     cell     ]

A line that the cell itself feeds stands above it, any other one below. Each value goes into the box
and on to the next, older row, so that it crosses only what goes in or out on its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from microgrrepresent.drawing.layout.outlines import Port, Wire
from microgrrepresent.drawing.layout.single_box import CHIPS_GAP, PORT_GAP, is_one_box
from microgrrepresent.drawing.layout.sketch import Sketch
from microgrrepresent.drawing.layout.tile import Tile
from microgrrepresent.drawing.marks.curves import Path, along, straight
from microgrrepresent.drawing.marks.picture import Point

ROW = 48.0
"""From one row of taps to the next."""
NEAREST = 30.0
"""From the box to the nearest row."""
INSET = 14.0


def is_tapped_box(sketch: Sketch) -> bool:
    """Whether a sketch has one large box, which delay lines pass."""
    passes = [w for w in sketch.wires if isinstance(w.tail, Port) and isinstance(w.head, Port)]
    sides = [port for port in sketch.ports if port.side in ("left", "right")]
    return (
        bool(passes) and is_one_box(sketch) and _lines(sketch).keys() == {p.number for p in sides}
    )


def _lines(sketch: Sketch) -> dict[int, tuple[bool, int]]:
    """For each number of a port: whether its line is above the box, and how old its value is."""
    onward = {
        wire.tail.number: wire.head.number
        for wire in sketch.wires
        if isinstance(wire.tail, Port) and isinstance(wire.head, Port)
    }
    heads = [wire.head for wire in sketch.wires if isinstance(wire.tail, int)]
    fed = {head.number for head in heads if isinstance(head, Port) and head.side == "right"}
    found: dict[int, tuple[bool, int]] = {}
    for newest in onward.keys() - set(onward.values()):
        number, age = newest, 0
        found[number] = (newest in fed, age)
        while number in onward:
            number, age = onward[number], age + 1
            found[number] = (newest in fed, age)
    return found


@dataclass
class _Rows:
    """Where the rows of taps are, and where each goes into the box."""

    y: dict[int, float] = field(default_factory=dict)
    x: dict[int, float] = field(default_factory=dict)


def tapped_box(sketch: Sketch) -> Tile:
    """Lay out a sketch for which `is_tapped_box` holds."""
    large = next(i for i, outline in enumerate(sketch.outlines) if outline.stretches)
    box = sketch.outlines[large]
    chips = next((outline for i, outline in enumerate(sketch.outlines) if i != large), None)
    lines = _lines(sketch)
    above = sorted((n for n in lines if lines[n][0]), key=lambda n: (-lines[n][1], n))
    below = sorted((n for n in lines if not lines[n][0]), key=lambda n: (-lines[n][1], n))
    foot = (chips.height + CHIPS_GAP if chips else 0.0) + NEAREST
    low = ROW / 2 + ROW * max(len(below) - 1, 0) + (foot if below else foot - NEAREST)
    high = low + box.height
    rows = _Rows()
    for i, number in enumerate(below):
        rows.y[number], rows.x[number] = low - foot - ROW * i, INSET + PORT_GAP * i
    for i, number in enumerate(above):
        rows.y[number], rows.x[number] = high + NEAREST + ROW * i, INSET + PORT_GAP * i
    ins = [port for port in sketch.ports if port.side == "below"]
    outs = [port for port in sketch.ports if port.side == "above"]
    chips_at = INSET + PORT_GAP * len(below)
    first_in = chips_at + (chips.width if chips else 0.0) + PORT_GAP * bool(chips)
    first_out = INSET + PORT_GAP * (len(above) + 1)
    wide = max(
        box.width,
        first_in + PORT_GAP * max(len(ins) - 1, 0) + INSET,
        first_out + PORT_GAP * max(len(outs) - 1, 0) + INSET,
    )
    top = max([high, *(y + ROW / 2 for y in rows.y.values())])
    ports: dict[Port, Point] = {
        port: (0.0 if port.side == "left" else wide, rows.y[port.number])
        for port in sketch.ports
        if port.side in ("left", "right")
    }
    ports |= {port: (wide - INSET - PORT_GAP * i, 0.0) for i, port in enumerate(ins)}
    ports |= {port: (wide - INSET - PORT_GAP * i, top) for i, port in enumerate(outs)}
    places: list[Point] = [(wide / 2, (low + high) / 2)] * len(sketch.outlines)
    if chips:
        places[1 - large] = (chips_at + chips.width / 2 - 8.0, low - CHIPS_GAP - chips.height / 2)
    inside = _Inside(sketch, rows, ports, low, high, wide, places)
    return Tile(
        wide,
        top,
        places,
        [inside.path(wire) for wire in sketch.wires],
        [None] * len(sketch.wires),
        ports,
        {large: (wide, box.height)},
        inside.forks(above, bool(outs)),
    )


@dataclass
class _Inside:
    sketch: Sketch
    rows: _Rows
    ports: Mapping[Port, Point]
    low: float
    high: float
    wide: float
    places: list[Point]

    def path(self, wire: Wire) -> Path:
        """The way of a wire in the tile."""
        tail, head = wire.tail, wire.head
        out = self.wide - INSET
        if isinstance(tail, Port) and isinstance(head, Port):
            begin, end = self.ports[tail], self.ports[head]
            x = self.rows.x[tail.number]
            return along(begin, (x, begin[1]), (x, end[1]), end)
        if isinstance(tail, Port):
            start = self.ports[tail]
            if tail.side == "below":
                return straight(start, (start[0], self.low))
            x = self.rows.x[tail.number]
            return along(start, (x, start[1]), (x, self.high if start[1] > self.high else self.low))
        if isinstance(head, Port):
            end = self.ports[head]
            if head.side == "above":
                return straight((end[0], self.high), end)
            return along((out, self.high), (out, end[1]), end)
        middle, y = self.places[tail]
        top = y + self.sketch.outlines[tail].height / 2
        return straight((middle, top), (middle, self.low))

    def forks(self, above: list[int], leaves: bool) -> list[tuple[int, Point]]:
        """Where a value goes on to the next row, and where the newest leaves the way out."""
        found: list[tuple[int, Point]] = []
        for i, wire in enumerate(self.sketch.wires):
            tail, head = wire.tail, wire.head
            if isinstance(tail, Port) and isinstance(head, Port):
                found.append((i, (self.rows.x[tail.number], self.ports[head][1])))
            elif isinstance(head, Port) and head.side == "right" and leaves and above:
                found.append((i, (self.wide - INSET, self.ports[head][1])))
        return found
