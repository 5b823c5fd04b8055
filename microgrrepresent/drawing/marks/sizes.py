"""How large boxes are: a label stays inside of its box, and the boxes of all steps are alike."""

from __future__ import annotations

from collections.abc import Hashable
from math import ceil

from microgrrepresent.drawing.marks.labels import height, width
from microgrrepresent.drawing.marks.picture import SMALL_FONT, Arrow, Box, Picture

WIDEST_STATE = 50.0
"""A variable is a circle up to this diameter: h^(2)→_1 has three marks."""


def fit(box: Box) -> None:
    """Size a box so that its label stays inside."""
    w, h = width(box.label, box.font), height(box.label, box.font)
    if box.kind in ("state", "loss", "variable", "op"):
        least = 24.0 if box.kind == "op" else 38.0
        largest = WIDEST_STATE if box.kind in ("state", "variable") else least
        around = max(least, ceil(w / 0.85), ceil(h / 0.8))
        if around <= largest:
            box.width = box.height = float(around)
            return
    small = box.kind in ("chip", "constant", "note", "parameter")
    pad, floor = (8.0, 22.0) if small else (14.0, 26.0)
    box.width = ceil(2 * max(w + pad, floor)) / 2  # the layout counts in half points
    box.height = ceil(2 * max(h + 4, floor)) / 2


def fit_alike(picture: Picture, T: int) -> None:
    """Give what corresponds in all T steps one size, however long the numbers are."""
    alike: dict[Hashable, list[Box]] = {}
    for box in picture.boxes:
        if box.between or 0 < box.column <= T:
            alike.setdefault((box.slot, box.kind), []).append(box)
    for boxes in alike.values():
        wide, high = max(b.width for b in boxes), max(b.height for b in boxes)
        for box in boxes:
            box.width, box.height = wide, high
    same: dict[Hashable, list[Arrow]] = {}
    for arrow in picture.arrows:
        if arrow.label:
            same.setdefault((arrow.tail.slot, arrow.head.slot), []).append(arrow)
    for arrows in same.values():
        wide = max(width(arrow.label, SMALL_FONT) for arrow in arrows)
        high = max(height(arrow.label, SMALL_FONT) for arrow in arrows)
        for arrow in arrows:
            arrow.room = (round(wide + 2), round(high))
