"""A block that is laid out: positions, the paths of its arrows, and where they cross its border."""

from __future__ import annotations

from dataclasses import dataclass, field

from microgrrepresent.drawing.layout.outlines import Port
from microgrrepresent.drawing.marks.curves import Path
from microgrrepresent.drawing.marks.picture import Point


@dataclass
class Tile:
    """A laid out sketch; its lower left corner is (0, 0). Keys are those of the sketch."""

    width: float
    height: float
    places: list[Point]
    paths: list[Path]
    labels: list[Point | None]
    ports: dict[Port, Point]
    sizes: dict[int, tuple[float, float]] = field(default_factory=dict)
    """The width and height of outlines that were stretched."""
    forks: list[tuple[int, Point]] = field(default_factory=list)
    """Where a line goes off another: the number of a wire, and the place."""
    origin: float = 0.0
    """The x of the tile's left side, in the coordinates of the sketch's hints."""
