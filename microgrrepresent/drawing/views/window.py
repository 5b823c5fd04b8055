"""A window on a long sequence: the first steps and the last ones, the others in one box."""

from __future__ import annotations

from dataclasses import replace

from microgrrepresent.drawing.marks.labels import Label, text
from microgrrepresent.drawing.time.levels import slot_levels
from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.drawing.views.glyphs import Glyph, Glyphs
from microgrrepresent.node import Node


def windowed(time: Timeline, glyphs: Glyphs, window: tuple[int, int]) -> tuple[Glyphs, Timeline]:
    """Hide the steps between the first and the last few.

    The nodes of the hidden steps share one box for each recurrence, in a column of its own.

    Parameters
    ----------
    time, glyphs
        What would be drawn without the window.
    window : (int, int)
        How many steps to show at the beginning and at the end.
    """
    first, last = window
    hidden = time.T - first - last

    def moved(column: int) -> int:
        if column <= first:
            return column
        return first + 1 if column <= first + hidden else column - hidden + 1

    row = _rows(time)
    words: dict[int, Label] = {n: (text("…"),) for n in row.values()}
    words[min(words)] = (text("…"), text(f"{hidden} steps"), text("…"))

    def glyph(node: Node) -> Glyph:
        if first < time.column[node] <= first + hidden:
            n = row[node]
            return Glyph(("hidden", n), "elision", words[n])
        return glyphs(node)

    shown = replace(
        time,
        titles=(*time.titles[:first], None, *time.titles[first + hidden :]),
        column={node: moved(column) for node, column in time.column.items()},
        storeys=(1,),
    )
    return glyph, shown


def _rows(time: Timeline) -> dict[Node, int]:
    """For each node of a step, the recurrence that it is part of, or stands right above."""
    level = slot_levels(time)
    row = {}
    for node in time.nodes:
        if time.is_step(node):
            n = level.get(time.slot[node], 1)
            row[node] = max(n - (n + 1) % 2, 1)
    return row
