"""The views: which nodes of the graph share a box, and what the box says."""

from __future__ import annotations

from microgrrepresent.drawing.marks.labels import text
from microgrrepresent.drawing.marks.naming import (
    is_input_of_step,
    leaf_kind,
    name,
    symbol,
    variable_kind,
)
from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.drawing.views.cells import cells
from microgrrepresent.drawing.views.gates import gates
from microgrrepresent.drawing.views.glyphs import Glyph, Glyphs, View
from microgrrepresent.node import Node


def operations(time: Timeline) -> Glyphs:
    """Boxes are operations, arrows carry values: the notes' first definition of a graph."""

    def glyph(node: Node) -> Glyph:
        if node.op is None or node.is_number:
            return Glyph(node, leaf_kind(node), (name(node, time),))
        if is_input_of_step(node, time):
            return Glyph(node, "input", (name(node, time),), True)
        sign = node.op.symbol
        if len(sign) <= 2 and not sign.isalpha():
            return Glyph(node, "op", (symbol(node, time),))
        is_inner = variable_kind(node, time) == "variable"
        value = (name(node, time),) if node.name and is_inner else ()
        return Glyph(node, "function", (text(sign),), value=value)

    return glyph


def variables(time: Timeline) -> Glyphs:
    """Boxes are variables, arrows say by which operation: the notes' second definition."""

    def glyph(node: Node) -> Glyph:
        if node.op is None or node.is_number:
            return Glyph(node, leaf_kind(node), (name(node, time),), True)
        if is_input_of_step(node, time):
            return Glyph(node, "input", (name(node, time),), True)
        return Glyph(node, variable_kind(node, time), (name(node, time),), True)

    return glyph


VIEWS: dict[str, View] = {
    "operations": operations,
    "variables": variables,
    "gates": gates,
    "cells": cells,
}
"""The views that have a name for `draw`; a view of your own may be entered, or given as it is."""
COARSE = ("gates", "cells")
"""The views in which what a step looks at is one box."""
