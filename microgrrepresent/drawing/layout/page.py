"""The page that a picture is made for: how far apart columns and rows stand on it."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from microgrrepresent.drawing.marks.picture import FONT, PAD, Picture, Point
from microgrrepresent.errors import DrawingError

PAGES: dict[str, Point] = {"slide": (1600.0, 900.0), "paper": (453.5, 340.2)}
"""Width and height in pixels: of a slide, and of 12 x 9 cm at 96 pixels an inch."""
WIDEST, HIGHEST = 60.0, 90.0
"""What is added to a gap between columns, and between rows, at most."""
DEEPEST = 40.0
"""What is added to the gaps between ranks, in a picture that is still too wide then."""
WIDE = 1.1
"""Which it is if it is wider by so much than its page."""
BETTER = 1.05
"""By how much larger a picture has to be shown for its steps to look less usual."""

LEAST = 12 / 900
"""The size of letters that can be read on a page, as a part of its height."""


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


@dataclass(frozen=True)
class Fit:
    """How steps are laid out so that a picture fills its page."""

    columns: float = 0.0
    """By how much more than needed to part the columns, and below the rows, and their ranks."""
    rows: float = 0.0
    ranks: float = 0.0
    is_narrow: bool = False
    """Whether boxes with chips stand in two rows, rather than in one."""
    lines: int | None = None
    """In how many lines a long sequence stands, if that is known."""


AS_NEEDED = Fit()


def fitted(place: Callable[[Fit], Picture], page: Point) -> Picture:
    """The picture that is shown largest on a page, and fills it.

    Parameters
    ----------
    place : callable
        Makes the picture.
    page : (float, float)
        Width and height.
    """
    fit = AS_NEEDED
    picture = place(fit)
    if _width_of(page, picture) > page[0]:
        narrow = Fit(is_narrow=True)
        other = place(narrow)
        if BETTER * _scale_on(page, picture) < _scale_on(page, other):
            fit, picture = narrow, other
    columns, rows = _gaps_to_fill(picture, page)
    fit = replace(fit, columns=columns, rows=rows, lines=picture.rows)
    picture = place(fit)
    if _width_of(page, picture) > WIDE * page[0]:
        picture = place(replace(fit, ranks=_ranks_to_fill(picture, page)))
    warn_of_small_letters(picture, page, "draw", "a window=(3, 2), ", stacklevel=5)
    return picture


def warn_of_small_letters(
    picture: Picture, page: Point, who: str, other: str = "", stacklevel: int = 3
) -> None:
    """Warn where letters come out too small to be read, and say what makes them larger."""
    letters = FONT * _scale_on(page, picture)
    if letters < LEAST * page[1]:
        warnings.warn(
            f"{who}: on this page the letters are {letters:.1f} pixels high, which is hard to "
            f"read; fewer steps, {other}view='cells' or loss=False make a picture smaller",
            stacklevel=stacklevel,
        )


def _scale_on(page: Point, picture: Picture) -> float:
    """How large a picture is shown on a page."""
    wide, high = _extent(picture)
    return min(page[0] / wide, page[1] / high)


def _width_of(page: Point, picture: Picture) -> float:
    """How wide a picture is that is as high as a page."""
    wide, high = _extent(picture)
    return wide / high * page[1]


def _extent(picture: Picture) -> Point:
    left, bottom, right, top = picture.bounds()
    return right - left + 2 * PAD, top - bottom + 2 * PAD


def _gaps_to_fill(picture: Picture, page: Point) -> Point:
    """By how much to part the columns and the rows of a picture, so that it fills a page."""
    columns: dict[int, set[int]] = defaultdict(set)  # of each storey
    for box in picture.boxes:
        if not box.between:
            columns[box.storey].add(box.column)
    shape = page[0] / page[1]
    (width, height) = _extent(picture)
    wide, high = height * shape - width, width / shape - height
    heights = len({panel.top for panel in picture.panels}) / picture.rows
    rows = 1 + max(heights, 1) + len(columns) + any(box.kind == "loss" for box in picture.boxes)
    rows *= picture.rows
    many = max(map(len, columns.values()), default=1) / picture.rows
    across = min(max(wide, 0.0) / max(many, 1), WIDEST)
    return (int(across), int(min(max(high, 0.0) / rows, HIGHEST)))


def _ranks_to_fill(picture: Picture, page: Point) -> float:
    """By how much to part what stands one above the other within a step."""
    heights: dict[int, set[float]] = defaultdict(set)
    for box in picture.boxes:
        if not box.between:
            heights[box.column].add(box.y)
    many = max(max(map(len, heights.values()), default=2) - 1, 1) * picture.rows
    wide, high = _extent(picture)
    return int(min((wide * page[1] / page[0] - high) / many, DEEPEST))
