"""What a block consists of as the layout sees it: outlines, edges, and ports at its border."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal, NamedTuple

Side = Literal["left", "right", "below", "above"]


class Crossing(NamedTuple):
    """Where an arrow crosses the border of a block, told by the slot of the value it carries."""

    side: Side
    enters: bool
    slot: Hashable


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


End = int | Port


class Edge(NamedTuple):
    """An edge between two outlines or ports, and the room that its label takes."""

    tail: End
    head: End
    room: tuple[float, float] | None = None
    lines: int = 1
    """How many arrows it stands for: one for each chip of a row."""
