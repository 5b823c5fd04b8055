"""Several pictures on one page, each in a frame: side by side, in the rows that show them largest.

Within a row their states are level, and all rows are of one width.
"""

from __future__ import annotations

from collections.abc import Sequence

from microgrrepresent.drawing.marks.labels import Line, width
from microgrrepresent.drawing.marks.picture import FONT, Box, Panel, Picture, Point

AROUND = 14.0
"""Between a frame and what is in it."""
BETWEEN = 12.0
"""Between frames."""
HEAD = 28.0
"""Height of a frame's title."""

Row = list[int]


def gallery(pictures: Sequence[Picture], titles: Sequence[Line], page: Point) -> Picture:
    """Put pictures into frames.

    Parameters
    ----------
    pictures : sequence of Picture
        Each with everything in its place.
    titles : sequence of Line
        What stands above each; an empty line is no title.
    page : (float, float)
        Width and height of the page, in any unit.
    """
    head = HEAD if any(titles) else 0.0
    sizes = [_size(picture, title) for picture, title in zip(pictures, titles, strict=True)]
    rows = _rows(sizes, head, page)
    full = max(_wide(sizes, row) for row in rows)
    whole = Picture()
    roof = 0.0
    for row in rows:
        low = min(sizes[i][1] for i in row)
        high = max(sizes[i][2] for i in row)
        floor = roof - (high - low + head + 2 * AROUND)
        more = (full - _wide(sizes, row)) / len(row)
        left = 0.0
        for i in row:
            right = left + sizes[i][0] + more
            _hang(
                whole, pictures[i], titles[i], i, (left, floor, right, roof), floor + AROUND - low
            )
            left = right + BETWEEN
        roof = floor - BETWEEN
    return whole


def _size(picture: Picture, title: Line) -> tuple[float, float, float]:
    """The width of a frame, and how far it reaches below and above the states in it."""
    left, bottom, right, top = picture.bounds()
    wide = max(right - left, width((title,), FONT)) + 2 * AROUND
    return wide, bottom - _level(picture), top - _level(picture)


def _level(picture: Picture) -> float:
    """The height of the states of a picture, or else of its first operation."""
    for kinds in (("state",), ("cell", "function", "op")):
        for box in picture.boxes:
            if box.kind in kinds:
                return box.y
    return 0.0


def _wide(sizes: Sequence[tuple[float, float, float]], row: Row) -> float:
    return sum(sizes[i][0] for i in row) + BETWEEN * (len(row) - 1)


def _rows(sizes: Sequence[tuple[float, float, float]], head: float, page: Point) -> list[Row]:
    """The rows in which all is shown largest."""
    everything = range(len(sizes))
    limits = {
        _wide(sizes, [*range(i, j)]) for i in everything for j in range(i + 1, len(sizes) + 1)
    }
    best: tuple[float, list[Row]] = (0.0, [])
    for limit in sorted(limits, reverse=True):
        if limit < max(wide for wide, *_ in sizes):
            break
        rows: list[Row] = [[]]
        for i in everything:
            if rows[-1] and _wide(sizes, [*rows[-1], i]) > limit:
                rows.append([])
            rows[-1].append(i)
        high = sum(
            max(sizes[i][2] for i in row) - min(sizes[i][1] for i in row) + head + 2 * AROUND
            for row in rows
        )
        high += BETWEEN * (len(rows) - 1)
        scale = min(page[0] / max(_wide(sizes, row) for row in rows), page[1] / high)
        if scale > best[0]:
            best = (scale, rows)
    return best[1]


def _hang(
    whole: Picture,
    picture: Picture,
    title: Line,
    number: int,
    frame: tuple[float, float, float, float],
    level: float,
) -> None:
    """Put a picture in the middle of a frame, its states at a height."""
    left, bottom, right, top = frame
    own = picture.bounds()
    picture.move((left + right - own[0] - own[2]) / 2, level - _level(picture))
    names = {box.name for box in whole.boxes}
    parts: list[Box | Panel] = [*picture.boxes, *picture.panels]
    for part in parts:
        if part.name in names:
            part.name = f"{number + 1}/{part.name}"
    middle = (left + right - width((title,), FONT)) / 2
    label = (title,) if title else ()
    panel = Panel(f"frame {number + 1}", label, left, bottom, right, top, middle)
    inner = picture.panels if len(picture.panels) > 1 else []  # one alone would be a second frame
    whole.panels += [panel, *inner]
    whole.boxes += picture.boxes
    whole.arrows += picture.arrows
