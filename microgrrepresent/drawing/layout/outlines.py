"""What a block consists of as the layout sees it: outlines, wires, and ports at its border."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal, NamedTuple

Side = Literal["left", "right", "below", "above"]


class Crossing(NamedTuple):
    """Where an arrow crosses the border of a block, told by the slot of the value it carries."""

    side: Side
    enters: bool
    slot: Hashable
    branch: int = 0
    """The level to which it leads, where a value leads to recurrences that stand side by side."""


class Port(NamedTuple):
    """A crossing in a sketch, where slots are numbers."""

    side: Side
    enters: bool
    number: int


class Outline(NamedTuple):
    """The size of a box, or of a row of chips."""

    width: float
    height: float
    is_round: bool
    is_sign: bool
    """Whether it is an operation of one sign; states pass through those in a lane."""
    stretches: bool = False
    """Whether it may be made larger: a cell."""
    is_parameter: bool = False
    """Whether it is a parameter, or made of parameters only: it stands in the legend."""
    widens: bool = False
    """Whether it is made as wide as what it serves, so that every wire has a place of its own."""
    before: float = 0.0
    after: float = 0.0
    """Room that is taken to the left and to the right of it, by what stands beside it."""
    tall: float = 0.0
    """Height of what stands beside it."""


End = int | Port


class Wire(NamedTuple):
    """An arrow, or several that look alike, between two outlines or ports."""

    tail: End
    head: End
    room: tuple[float, float] | None = None
    """Width and height of its label."""
    lines: int = 1
    """How many arrows it stands for: one for each chip of a row."""
    spread: float = 0.0
    """How far apart the first and the last chip of a row are."""
