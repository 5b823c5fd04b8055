"""A window on a long sequence: the first steps and the last ones, the others in one box."""

from __future__ import annotations

from collections import defaultdict
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
    words[min(n for n in words if n % 2)] = (text("…"), text(f"{hidden} steps"), text("…"))

    def glyph(node: Node) -> Glyph:
        if first < time.column[node] <= first + hidden:
            n = row[node]
            return Glyph(("hidden" if n % 2 else "hidden between", n), "elision", words[n])
        return glyphs(node)

    shown = replace(
        time,
        titles=(*time.titles[:first], None, *time.titles[first + hidden :]),
        column={node: moved(column) for node, column in time.column.items()},
        storeys=(1,),
    )
    return glyph, shown


def _rows(time: Timeline) -> dict[Node, int]:
    """For each node of a step, the recurrence that it is part of, or stands right above.

    What several recurrences read, or what is made of several, has a row of its own: the inputs of
    two directions, and their outputs.
    """
    level = slot_levels(time)
    of = {node: level.get(time.slot[node], 1) for node in time.nodes if time.is_step(node)}
    near: dict[int, set[int]] = defaultdict(set)
    for node, n in of.items():
        for other in (of[parent] for parent in node.parents if parent in of):
            if n != other:
                near[n].add(other)
                near[other].add(n)

    def is_shared(n: int) -> bool:
        odd = [other for other in near[n] if other % 2]
        return sum(other < n for other in odd) > 1 or sum(other > n for other in odd) > 1

    return {node: n if n % 2 or is_shared(n) else max(n - 1, 1) for node, n in of.items()}
