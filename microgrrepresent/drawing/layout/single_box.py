"""The tile of a block that is one box: a whole cell, or the steps that a window leaves out.

States enter and leave straight at the sides of the box, each at a height of its
own, the one that is read first at the bottom (h below c); what comes in enters from below, beside
the chips, and what goes out leaves at the top.
"""

from __future__ import annotations

from collections.abc import Mapping

from microgrrepresent.drawing.layout.coordinates import GRID
from microgrrepresent.drawing.layout.outlines import Port, Wire
from microgrrepresent.drawing.layout.sketch import Sketch
from microgrrepresent.drawing.layout.tile import Tile
from microgrrepresent.drawing.marks.curves import Path, straight
from microgrrepresent.drawing.marks.picture import Point

STATE_GAP = 48.0
CHIPS_GAP = 20.0
PORT_GAP = 16.0


def is_single_box(sketch: Sketch) -> bool:
    """Whether a sketch has one large box, and nothing passes it."""
    passes = any(isinstance(w.tail, Port) and isinstance(w.head, Port) for w in sketch.wires)
    return not passes and is_one_box(sketch)


def is_one_box(sketch: Sketch) -> bool:
    """Whether a sketch has one large box, and besides it at most the chips of that box."""
    large = [i for i, outline in enumerate(sketch.outlines) if outline.stretches]
    chips = {wire.tail for wire in sketch.wires if isinstance(wire.head, int)}
    return (
        len(large) == 1
        and len(chips - set(sketch.ports) - set(large)) <= 1
        and (len(sketch.outlines) <= 2)
    )


def single_box(sketch: Sketch, heights: Mapping[Port, float] | None = None) -> Tile:
    """Lay out a sketch of one box.

    Parameters
    ----------
    sketch : Sketch
        One for which `is_single_box` holds.
    heights : mapping, optional
        Where ports at the sides are, if the tiles beside this one say it.
    """
    large = next(i for i, outline in enumerate(sketch.outlines) if outline.stretches)
    box = sketch.outlines[large]
    row = next((outline for i, outline in enumerate(sketch.outlines) if i != large), None)
    foot = row.height + CHIPS_GAP if row else 0.0
    sides = [port for port in sketch.ports if port.side in ("left", "right")]
    numbers = sorted({port.number for port in sides})
    if heights:
        known = list(heights.values())
        low, high = min(known), max(known)
        lift = max(foot - (low - box.height / 2), 0.0)  # so that there is room for the chips
        y = {port: heights.get(port, known[0]) + lift for port in sides}
        foot, top = low + lift - box.height / 2, high + lift + box.height / 2
    else:
        top = foot + max(box.height, STATE_GAP * len(numbers))
        pitch = (top - foot) / max(len(numbers), 1)
        y = {port: foot + pitch * (numbers.index(port.number) + 0.5) for port in sides}
    below = [port for port in sketch.ports if port.side == "below"]
    above = [port for port in sketch.ports if port.side == "above"]
    chips_wide = row.width if row else 0.0
    wide = max(box.width, chips_wide + PORT_GAP * (len(below) + 1), PORT_GAP * (len(above) + 1))
    ports: dict[Port, Point] = {port: (0.0 if port.side == "left" else wide, y[port]) for port in y}
    first = _half_point((chips_wide + wide) / 2 - PORT_GAP * (len(below) - 1) / 2)
    ports |= {port: (first + PORT_GAP * i, 0.0) for i, port in enumerate(below)}
    first = _half_point(wide / 2 - PORT_GAP * (len(above) - 1) / 2)
    ports |= {port: (first + PORT_GAP * i, top) for i, port in enumerate(above)}
    places: list[Point] = [(wide / 2, (foot + top) / 2)] * len(sketch.outlines)
    if row:
        places[1 - large] = (chips_wide / 2, row.height / 2)

    def path(wire: Wire) -> Path:
        if isinstance(wire.tail, Port):
            x, at = ports[wire.tail]
            rises = wire.tail.side == "below" and at < foot
            return straight((x, at), (x, foot)) if rises else [(x, at)]
        if isinstance(wire.head, Port):
            return [ports[wire.head]]
        x, at = places[wire.tail]
        return straight((x, at + sketch.outlines[wire.tail].height / 2), (x, foot))

    paths = [path(wire) for wire in sketch.wires]
    sizes = {large: (wide, top - foot)}
    return Tile(wide, top, places, paths, [None] * len(paths), ports, sizes)


def _half_point(x: float) -> float:
    """The nearest x that a block above or below can have, too."""
    return round(GRID * x) / GRID
