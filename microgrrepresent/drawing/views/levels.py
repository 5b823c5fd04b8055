"""The levels of the boxes of a picture, as `time.levels` sorts the variables behind them."""

from __future__ import annotations

from collections.abc import Hashable

from microgrrepresent.drawing.marks.picture import Box, Picture
from microgrrepresent.drawing.time.levels import Level, Links, levels_of


def levels(picture: Picture, columns: range) -> dict[Hashable, Level]:
    """The level of each slot: recurrences have odd levels, what is between them even ones."""
    links = Links()
    for box in picture.boxes:
        if _is_inside(box, columns):
            links.add(box.slot, not box.between)
    for arrow in picture.arrows:
        tail, head = arrow.tail, arrow.head
        if not _is_inside(tail, columns):
            continue
        if not _is_inside(head, columns):
            continue
        same_step = tail.column == head.column and not tail.between and not head.between
        links.join(tail.slot, head.slot, same_step, tail.kind in ("chip", "constant"))
    return levels_of(links)


def _is_inside(box: Box, columns: range) -> bool:
    return box.column in columns or box.between
