"""Words around a picture: its title above it, the equations of a step beside or below it."""

from __future__ import annotations

from collections.abc import Sequence

from microgrrepresent.drawing.marks.labels import Label, Line, formula, height, text, width
from microgrrepresent.drawing.marks.picture import FONT, Box, Picture, Point

AWAY = 18.0
TITLE_SIZE = 1.3


def add_title(picture: Picture, title: str) -> None:
    """Write a title above the middle of a picture."""
    left, _, right, top = picture.bounds()
    words = note("title", (text(title, size=TITLE_SIZE),))
    words.x, words.y = (left + right) / 2, top + AWAY / 2 + words.height / 2
    picture.boxes.append(words)


def add_heading(picture: Picture, heading: str) -> None:
    """Write what a frame is about above a picture, at its left."""
    left, _, _, top = picture.bounds()
    line = tuple(run._replace(size=TITLE_SIZE * run.size) for run in formula(heading))
    words = note("heading", (line,))
    words.flush = True
    words.x, words.y = left + words.width / 2, top + AWAY / 3 + words.height / 2
    picture.boxes.append(words)


def add_equations(picture: Picture, lines: Sequence[Line], page: Point) -> None:
    """Write equations to the right of a picture or below it, where it stays larger."""
    left, bottom, right, top = picture.bounds()
    notes = [note(f"equation {i}", (words,)) for i, words in enumerate(lines, 1)]
    for line in notes:
        line.flush = True
    wide, high = max(line.width for line in notes), sum(line.height for line in notes)
    beside = min(page[0] / (right - left + AWAY + wide), page[1] / max(top - bottom, high))
    below = min(page[0] / max(right - left, wide), page[1] / (top - bottom + AWAY + high))
    x = right + AWAY if beside >= below else left
    y = (top + bottom + high) / 2 if beside >= below else bottom - AWAY
    for line in notes:
        line.x, line.y = x + line.width / 2, y - line.height / 2
        y -= line.height
    picture.boxes += notes


def note(name: str, label: Label) -> Box:
    """Words without a frame, in a box of their size."""
    box = Box(name, "note", label)
    box.width, box.height = width(label, FONT), height(label, FONT) + 6.0
    return box
