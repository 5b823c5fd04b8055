"""The page that a picture is made for: how far apart columns and rows stand on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from microgrrepresent.drawing.marks.picture import PAD, Picture, Point
from microgrrepresent.errors import DrawingError

PAGES: dict[str, Point] = {"slide": (1600.0, 900.0), "paper": (453.5, 340.2)}
"""Width and height in pixels: of a slide, and of 12 x 9 cm at 96 pixels an inch."""
WIDEST, HIGHEST = 60.0, 90.0
"""What is added to a gap between columns, and between rows, at most."""


def page_of(size: object) -> Point | None:
    """The page that was asked for, in pixels.

    Raises
    ------
    DrawingError
        If it is no page.
    """
    if size is None:
        return None
    if isinstance(size, str) and size in PAGES:
        return PAGES[size]
    if isinstance(size, Sequence) and not isinstance(size, str) and len(size) == 2:
        wide, high = size
        if all(isinstance(n, (int, float)) and 0 < n < float("inf") for n in (wide, high)):
            return (float(wide), float(high))
    raise DrawingError(
        f"draw: size is one of {', '.join(PAGES)}, or a width and a height in pixels above 0: "
        f"(1280, 720); given {size!r}"
    )


def gaps_to_fill(picture: Picture, page: Point) -> Point:
    """By how much to part the columns and the rows of a picture, so that it fills a page."""
    left, bottom, right, top = picture.bounds()
    left, bottom, right, top = left - PAD, bottom - PAD, right + PAD, top + PAD
    columns: dict[int, set[int]] = defaultdict(set)  # of each storey
    for box in picture.boxes:
        if not box.between:
            columns[box.storey].add(box.column)
    shape = page[0] / page[1]
    wide = (top - bottom) * shape - (right - left)
    high = (right - left) / shape - (top - bottom)
    heights = len({panel.top for panel in picture.panels}) / picture.rows
    rows = 1 + max(heights, 1) + len(columns) + any(box.kind == "loss" for box in picture.boxes)
    rows *= picture.rows
    many = max(map(len, columns.values()), default=1) / picture.rows
    across = min(max(wide, 0.0) / max(many, 1), WIDEST)
    return (int(across), int(min(max(high, 0.0) / rows, HIGHEST)))
