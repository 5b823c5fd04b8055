"""Words around a picture: its title above it, the equations of a step beside or below it."""

from __future__ import annotations

from collections.abc import Sequence

from microgrrepresent.drawing.marks.labels import Label, Line, height, text, width
from microgrrepresent.drawing.marks.picture import FONT, Box, Picture, Point

AWAY = 18.0
TITLE_SIZE = 1.3


def add_title(picture: Picture, title: str) -> None:
    """Write a title above the middle of a picture."""
    left, _, right, top = picture.bounds()
    note = _note("title", (text(title, size=TITLE_SIZE),))
    note.x, note.y = (left + right) / 2, top + AWAY / 2 + note.height / 2
    picture.boxes.append(note)


def add_equations(picture: Picture, lines: Sequence[Line], page: Point) -> None:
    """Write equations to the right of a picture or below it, where it stays larger."""
    left, bottom, right, top = picture.bounds()
    notes = [_note(f"equation {i}", (line,)) for i, line in enumerate(lines, 1)]
    for note in notes:
        note.flush = True
    wide, high = max(note.width for note in notes), sum(note.height for note in notes)
    beside = min(page[0] / (right - left + AWAY + wide), page[1] / max(top - bottom, high))
    below = min(page[0] / max(right - left, wide), page[1] / (top - bottom + AWAY + high))
    x = right + AWAY if beside >= below else left
    y = (top + bottom + high) / 2 if beside >= below else bottom - AWAY
    for note in notes:
        note.x, note.y = x + note.width / 2, y - note.height / 2
        y -= note.height
    picture.boxes += notes


def _note(name: str, label: Label) -> Box:
    box = Box(name, "note", label)
    box.width, box.height = width(label, FONT), height(label, FONT) + 6.0
    return box
