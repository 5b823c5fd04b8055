"""From a graph to boxes and arrows, whatever the view.

A view says which nodes share a box, and what the box says. Everything else is the same for all
views: where the boxes stand, and how the edges of the graph become arrows.
"""

from __future__ import annotations

from microgrrepresent.drawing.marks.picture import Picture
from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.drawing.views.arrows import Arrows
from microgrrepresent.drawing.views.boxes import Boxes
from microgrrepresent.drawing.views.glyphs import Details, Glyphs


def build(time: Timeline, glyphs: Glyphs, details: Details) -> Picture:
    """Make the boxes and arrows of a graph."""
    boxes = Boxes(time, details, {node: glyphs(node) for node in time.nodes})
    boxes.stand()
    Arrows(boxes).connect()
    return boxes.picture
