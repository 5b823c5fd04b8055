"""The views: which nodes of the graph share a box, and what the box says."""

from __future__ import annotations

from microgrrepresent.drawing.marks.labels import Run, math, text
from microgrrepresent.drawing.marks.naming import LOSSES, OUTPUTS, leaf_kind, name
from microgrrepresent.drawing.marks.picture import Kind
from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.drawing.views.builder import Glyph, Glyphs, View
from microgrrepresent.drawing.views.cells import cells
from microgrrepresent.drawing.views.gates import gates
from microgrrepresent.node import Node


def operations(time: Timeline) -> Glyphs:
    """Boxes are operations, arrows carry values: the notes' first definition of a graph."""

    def glyph(node: Node) -> Glyph:
        if node.op is None or node.is_number:
            return Glyph(node, leaf_kind(node), (name(node, time),))
        symbol = node.op.symbol
        if len(symbol) <= 2 and not symbol.isalpha():
            return Glyph(node, "op", (text(symbol),))
        if node.name and node.name not in LOSSES | OUTPUTS and node not in time.outputs:
            return Glyph(node, "function", ((*math(node.name), Run(" = "), Run(symbol)),))
        return Glyph(node, "function", (text(symbol),))

    return glyph


def variables(time: Timeline) -> Glyphs:
    """Boxes are variables, arrows say by which operation: the notes' second definition."""

    def glyph(node: Node) -> Glyph:
        if node.op is None or node.is_number:
            return Glyph(node, leaf_kind(node), (name(node, time),), True)
        kind: Kind = "variable"
        if node.name in LOSSES:
            kind = "loss"
        elif node in time.outputs or node.name in OUTPUTS:
            kind = "output"
        return Glyph(node, kind, (name(node, time),), True)

    return glyph


VIEWS: dict[str, View] = {
    "operations": operations,
    "variables": variables,
    "gates": gates,
    "cells": cells,
}
"""The views that have a name for `draw`; a view of your own may be entered, or given as it is."""
