"""What a picture consists of: boxes, arrows, panels. A view makes them, a layout places them.

Lengths are in points (1/72 inch), y upwards, as in Graphviz. Nothing here knows a file format.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

from microgrrepresent.drawing.marks.labels import Label
from microgrrepresent.node import Node

Kind = Literal[
    "op",  # an operation of one sign: ×, +
    "function",  # an operation with a name: σ, tanh
    "state",  # a variable that passes from step to step: h, c
    "input",
    "output",
    "loss",
    "variable",  # any other variable
    "constant",  # a number in the code
    "parameter",
    "chip",  # a parameter, once more, beside its use
    "cell",  # many nodes in one box
    "elision",  # the steps that a window leaves out
    "delay",  # the black square of a folded graph
    "note",  # words without a frame
    "bar",  # how large a term of a sum is
    "halo",  # behind a box that a frame is about
]

ROUND = frozenset({"op", "state", "loss", "variable"})
"""The kinds drawn as circles where their labels are short."""

FONT, CHIP_FONT, SMALL_FONT = 14.0, 14.0, 14.0
POINTS = 0.75
"""In a pixel of a page: there are 96 of them in an inch."""
PAD = 10.8
"""Around a picture."""
SCISSORS, SCISSORS_FONT = "✂", 18.0

Point = tuple[float, float]
Frame = tuple[float, float, float, float]
"""The left side, the lower one, the right and the upper one."""


@dataclass(slots=True, eq=False)
class Box:
    """A node of the picture. It may stand for one node of the graph, for many, or for none."""

    name: str
    """Its name in the DOT text."""
    kind: Kind
    label: Label
    nodes: tuple[Node, ...] = ()
    column: int = 0
    slot: Hashable = None
    """Equal for corresponding boxes of different columns."""
    between: bool = False
    """Whether it stands to the right of its column, between it and the next one: a state."""
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0
    color: int | None = None
    """Of a parameter and its chips: its place in the theme's palette."""
    backward: bool = False
    """Whether its nodes belong to a symbolic backward pass."""
    detached: bool = False
    """Whether it goes on from a graph that was cut off."""
    faint: bool = False
    """Whether it is not what the drawing points at."""
    tint: str | None = None
    """A color of its own."""
    flush: bool = False
    """Whether its text begins at its left side."""
    pending: bool = False
    """Whether a gradient was asked for here that has not been computed."""
    storey: int = 0
    """Which of the loops one above the other it belongs to, counted from 0."""
    corner: float | None = None
    """The radius of its corners, if it is not that of its kind."""

    @property
    def font(self) -> float:
        """Size of its text."""
        if self.kind == "delay":
            return SMALL_FONT
        return CHIP_FONT if self.kind in ("chip", "constant") else FONT

    @property
    def rounding(self) -> float:
        """The radius of its corners."""
        if self.corner is not None:
            return self.corner
        return 0.0 if self.kind in ("delay", "bar") else 6.0

    @property
    def is_round(self) -> bool:
        """Whether it is drawn as a circle."""
        return self.width == self.height and (self.kind in ROUND or self.corner == self.width / 2)

    @property
    def left(self) -> float:
        """The x of its left side."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """The x of its right side."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """The y of its lower side."""
        return self.y - self.height / 2

    @property
    def top(self) -> float:
        """The y of its upper side."""
        return self.y + self.height / 2


Flow = Literal["value", "state", "parameter", "weight", "gradient", "backward", "delay", "cut"]


@dataclass(slots=True, eq=False)
class Arrow:
    """An edge of the picture: a path of cubic Bézier curves, 3n + 1 points, tail to head."""

    tail: Box
    head: Box
    flow: Flow = "value"
    label: Label = ()
    edges: tuple[tuple[Node, int], ...] = ()
    """The graph's edges that it stands for: (child, position of the parent among its parents)."""
    ways: tuple[tuple[tuple[Node, int], ...], ...] = ()
    """Of an arrow to a context: the edges on each way from its state to there, in order."""
    enters_as: Hashable = None
    """The slot of the state as which its head reads what it carries, if that has another slot."""
    path: list[Point] = field(default_factory=list)
    label_at: Point | None = None
    room: Point | None = None
    """Width and height of the room that its label takes."""
    cut_at: Point | None = None
    """Where the scissors are, on an arrow along which no gradient passes."""
    width: float = 1.0
    strength: float = 1.0
    """1 for the largest gradient of the picture, or weight of a context, 0 for next to nothing."""
    color: int | None = None
    faint: bool = False
    strong: bool = False
    """Whether the drawing points at it."""
    gaps: list[Point] = field(default_factory=list)
    """Where it is cut, because another arrow crosses it."""
    forks: list[Point] = field(default_factory=list)
    """Where another arrow goes off its line, or joins it: a dot."""


@dataclass(slots=True, eq=False)
class Panel:
    """A frame with a title behind some boxes: a time step, a scope."""

    name: str
    title: Label
    left: float
    bottom: float
    right: float
    top: float
    title_left: float
    """Where its title begins; it stands below the upper side."""
    column: int = 0
    faint: bool = False
    """Whether nothing in it is what the drawing points at."""

    def holds(self, box: Box) -> bool:
        """Whether a box stands in it."""
        return self.left < box.x < self.right and self.bottom < box.y < self.top


@dataclass(slots=True, eq=False)
class Picture:
    """Everything that is drawn, in the order in which it is drawn."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    legend: list[Box] = field(default_factory=list)
    """Those of the boxes that stand for parameters which chips refer to."""
    title: str = ""
    description: str = ""
    rows: int = 1
    """In how many rows its steps stand."""
    scale: float = 1.0
    """How large a point of the picture is shown, in points."""
    page: Point | None = None
    """Width and height of the page that it is to fill, in pixels."""
    extent: Frame | None = None
    """Its bounds, if they are those of a series of pictures."""

    def parted(self) -> tuple[Picture, Picture]:
        """The picture without its legend, and the legend."""
        legend = set(self.legend)
        rest = [box for box in self.boxes if box not in legend]
        inside = [arrow for arrow in self.arrows if arrow.head in legend]
        others = [arrow for arrow in self.arrows if arrow.head not in legend]
        return Picture(rest, others, self.panels), Picture(self.legend, inside, [])

    def move(self, dx: float, dy: float) -> None:
        """Move everything."""
        for box in self.boxes:
            box.x, box.y = box.x + dx, box.y + dy
        for arrow in self.arrows:
            arrow.path = [(x + dx, y + dy) for x, y in arrow.path]
            arrow.forks = [(x + dx, y + dy) for x, y in arrow.forks]
            arrow.gaps = [(x + dx, y + dy) for x, y in arrow.gaps]
            if arrow.label_at:
                arrow.label_at = (arrow.label_at[0] + dx, arrow.label_at[1] + dy)
            if arrow.cut_at:
                arrow.cut_at = (arrow.cut_at[0] + dx, arrow.cut_at[1] + dy)
        for panel in self.panels:
            panel.left, panel.right = panel.left + dx, panel.right + dx
            panel.bottom, panel.top = panel.bottom + dy, panel.top + dy
            panel.title_left += dx

    def frame(self) -> Frame:
        """The bounds with a margin, made as wide or high as the page demands."""
        left, bottom, right, top = self.bounds()
        left, bottom, right, top = left - PAD, bottom - PAD, right + PAD, top + PAD
        if self.page is not None:
            scale = min(self.page[0] / (right - left), self.page[1] / (top - bottom))
            more = (self.page[0] / scale - right + left) / 2
            left, right = left - more, right + more
            more = (self.page[1] / scale - top + bottom) / 2
            bottom, top = bottom - more, top + more
        return left, bottom, right, top

    @property
    def enlargement(self) -> float:
        """How large a point of the picture is on its page, in points; without one, its scale."""
        if self.page is None:
            return self.scale
        left, _, right, _ = self.frame()
        return self.page[0] * POINTS / (right - left)

    def bounds(self) -> Frame:
        """The x of the leftmost point, the y of the lowest, the x and y of the opposite ones."""
        if self.extent is not None:
            return self.extent
        frames: list[Box | Panel] = [*self.boxes, *self.panels]
        xs = [x for frame in frames for x in (frame.left, frame.right)]
        ys = [y for frame in frames for y in (frame.bottom, frame.top)]
        for arrow in self.arrows:
            if arrow.path:
                across, up = zip(*arrow.path, strict=True)
                xs += across
                ys += up
        return (min(xs), min(ys), max(xs), max(ys)) if xs else (0.0, 0.0, 0.0, 0.0)
