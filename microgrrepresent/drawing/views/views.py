"""The views: which nodes of the graph share a box, and what the box says."""

from __future__ import annotations

from microgrrepresent.drawing.marks.labels import Run, math, text
from microgrrepresent.drawing.marks.naming import LOSSES, OUTPUTS, leaf_kind, name
from microgrrepresent.drawing.marks.picture import Kind
from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.drawing.views.builder import Group, View
from microgrrepresent.node import Node


def operations(time: Timeline) -> View:
    """Boxes are operations, arrows carry values: the notes' first definition of a graph."""

    def group(node: Node) -> Group:
        if node.op is None or node.is_number:
            return Group(node, leaf_kind(node), (name(node, time),))
        symbol = node.op.symbol
        if len(symbol) <= 2 and not symbol.isalpha():
            return Group(node, "op", (text(symbol),))
        if node.name and node.name not in LOSSES | OUTPUTS and node not in time.outputs:
            return Group(node, "function", ((*math(node.name), Run(" = "), Run(symbol)),))
        return Group(node, "function", (text(symbol),))

    return group


def variables(time: Timeline) -> View:
    """Boxes are variables, arrows say by which operation: the notes' second definition."""

    def group(node: Node) -> Group:
        if node.op is None or node.is_number:
            return Group(node, leaf_kind(node), (name(node, time),), True)
        kind: Kind = "variable"
        if node.name in LOSSES:
            kind = "loss"
        elif node in time.outputs or node.name in OUTPUTS:
            kind = "output"
        return Group(node, kind, (name(node, time),), True)

    return group
