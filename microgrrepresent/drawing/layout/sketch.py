"""A block as the layout sees it: outlines, wires, and where wires cross the border.

A sketch has no names and no contents, so that the blocks of all steps have equal sketches, and one
layout serves them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from microgrrepresent.drawing.layout.outlines import Crossing, End, Outline, Port, Wire
from microgrrepresent.drawing.layout.ranks import Lane, ports_of, ranked


@dataclass(frozen=True)
class Sketch:
    """Outlines, by number, and wires between them."""

    outlines: tuple[Outline, ...]
    wires: tuple[Wire, ...]
    hints: tuple[tuple[End, float], ...] = ()
    """Where outlines and ports would like to be: for a backward node, the x of its forward node."""
    is_double: bool = False
    """Whether gradients run back beside its wires."""
    is_narrow: bool = False
    """Whether boxes with chips stand in two rows, rather than in one."""
    spread: float = 0.0
    """By how much more than needed its ranks are parted."""
    mates: tuple[tuple[int, int], ...] = ()
    """Outlines that would like to stand one above the other: backward nodes, and forward ones."""

    @cached_property
    def ports(self) -> tuple[Port, ...]:
        """The ports, in the order in which wires use them."""
        return ports_of(self.wires)

    @property
    def is_backward(self) -> bool:
        """Whether its states come from the right: it runs backward in time."""
        through = {port.number for port in self.ports if not port.enters}
        sides = [port.side for port in self.ports if port.enters and port.number in through]
        return sides.count("right") > sides.count("left")

    @cached_property
    def rank(self) -> dict[End, int]:
        """The height of every outline and port, counted from the bottom."""
        return self._ranked[0]

    @property
    def lanes(self) -> list[Lane]:
        """The ways of states that run straight through the block."""
        return self._ranked[1]

    @cached_property
    def _ranked(self) -> tuple[dict[End, int], list[Lane]]:
        return ranked(self.outlines, self.wires, self.is_narrow)


@dataclass(frozen=True)
class Traced:
    """A block's sketch, and what in it stands for what.

    Attributes
    ----------
    sketch : Sketch
        Equal for blocks that look alike.
    outline : list of (int, float)
        For each box of the block, its outline, and how far right of its middle the box stands.
    wire : list of (int or None)
        For each arrow of the block, its wire; None for that of a chip in a row of chips.
    port : dict
        The port of each crossing.
    """

    sketch: Sketch
    outline: list[tuple[int, float]]
    wire: list[int | None]
    port: dict[Crossing, Port]
