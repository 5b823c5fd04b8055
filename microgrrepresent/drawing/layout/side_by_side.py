"""Two pictures as one: the folded graph, "unfold", and the unrolled graph."""

from __future__ import annotations

from microgrrepresent.drawing.marks.labels import Run
from microgrrepresent.drawing.marks.picture import Box, Picture
from microgrrepresent.drawing.marks.sizes import fit

SPACE = 16.0
"""Between the two, and the word that joins them."""


def side_by_side(folded: Picture, unrolled: Picture) -> Picture:
    """Put the folded picture to the left of the unrolled one, their states at one height.

    The legend of both is that of the unrolled one, on the left.
    """
    cell, _ = folded.parted()
    chain, legend = unrolled.parted()
    heights = {box.slot: box.y for box in chain.boxes if box.kind == "state"}
    states = [box for box in cell.boxes if box.slot in heights and box.kind == "state"]
    lift = heights[states[0].slot] - states[0].y if states else 0.0
    if legend.boxes:
        cell.move(legend.bounds()[2] + 2 * SPACE - cell.bounds()[0], 0.0)
    cell.move(0.0, lift)
    _, bottom, right, top = cell.bounds()
    note = Box("unfold", "note", ((Run("unfold"),), (Run("⇒", size=1.4),)))
    fit(note)
    note.x = right + SPACE + note.width / 2
    note.y = heights[states[0].slot] if states else (bottom + top) / 2
    chain.move(note.right + SPACE - chain.bounds()[0], 0.0)
    for box in cell.boxes:
        box.name = f"folded/{box.name}"
    for panel in cell.panels:
        panel.name = f"folded/{panel.name}"
    return Picture(
        [*legend.boxes, *cell.boxes, note, *chain.boxes],
        [*legend.arrows, *cell.arrows, *chain.arrows],
        [*cell.panels, *chain.panels],
        legend.boxes,
    )
