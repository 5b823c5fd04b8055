"""Time from bottom to top: the picture that runs to the right, with x and y exchanged."""

from __future__ import annotations

from microgrrepresent.drawing.marks.labels import width
from microgrrepresent.drawing.marks.picture import FONT, Picture


def turn_sizes(picture: Picture) -> None:
    """Exchange the width and height of everything that is to be laid out, in place."""
    for box in picture.boxes:
        box.width, box.height = box.height, box.width
    for arrow in picture.arrows:
        if arrow.room:
            arrow.room = (arrow.room[1], arrow.room[0])


def turn(picture: Picture) -> None:
    """Exchange x and y, in place: columns become rows, the first one at the bottom."""
    turn_sizes(picture)
    for box in picture.boxes:
        box.x, box.y = box.y, box.x
    for arrow in picture.arrows:
        arrow.path = [(y, x) for x, y in arrow.path]
        arrow.forks = [(y, x) for x, y in arrow.forks]
        arrow.label_at = arrow.label_at and (arrow.label_at[1], arrow.label_at[0])
        arrow.cut_at = arrow.cut_at and (arrow.cut_at[1], arrow.cut_at[0])
    for panel in picture.panels:
        panel.left, panel.bottom = panel.bottom, panel.left
        panel.right, panel.top = panel.top, panel.right
        panel.title_left = panel.left - width(panel.title, FONT) - 8.0
