"""What can be measured of a picture as it stands on a slide of 1600 x 900 pixels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from math import hypot

from microgrrepresent.drawing import Drawing
from microgrrepresent.drawing.marks.colors import box_paint
from microgrrepresent.drawing.marks.labels import height, width
from microgrrepresent.drawing.marks.picture import (
    FONT,
    PAD,
    SMALL_FONT,
    Arrow,
    Box,
    Picture,
    Point,
)

SLIDE = (1600, 900)
CELL = 20
"""Side of the squares, in pixels, that are counted as empty or not."""

Segment = tuple[Point, Point]


@dataclass(frozen=True)
class Measures:
    """Of one picture."""

    text: float
    """The smallest letters, without subscripts, in pixels."""
    aspect: float
    empty: float
    """Share of the slide in which nothing is drawn."""
    crossings: int
    """Pairs of forward arrows that cross."""
    slanted: int
    """Forward arrows that are not made of level and upright lines."""
    overlaps: int
    """Boxes on boxes, arrows through boxes, labels on boxes."""
    outside: int
    """Labels that are larger than their boxes."""
    contrast: float
    """The least contrast of letters and what is behind them."""


def measure(drawing: Drawing) -> Measures:
    """Measure a picture, fitted to the slide."""
    picture = drawing.picture
    left, bottom, right, top = picture.bounds()
    wide, high = right - left + 2 * PAD, top - bottom + 2 * PAD  # without the margins of a page
    scale = min(SLIDE[0] / wide, SLIDE[1] / high)
    forward = {a: flattened(a.path) for a in picture.arrows if a.flow != "gradient"}
    return Measures(
        text=scale * _smallest(picture),
        aspect=wide / high,
        empty=_empty(picture, scale),
        crossings=_crossings(forward),
        slanted=sum(any(map(_is_slanted, lines)) for lines in forward.values()),
        overlaps=_overlaps(picture, forward),
        outside=sum(
            width(b.label, b.font) > b.width + 0.1 or height(b.label, b.font) > b.height + 2
            for b in picture.boxes
        ),
        contrast=min(_contrasts(drawing), default=21.0),
    )


def _smallest(picture: Picture) -> float:
    """The size of the smallest letters, in points."""
    labels = [(box.label, box.font) for box in picture.boxes]
    labels += [(arrow.label, SMALL_FONT) for arrow in picture.arrows]
    labels += [(panel.title, FONT) for panel in picture.panels]
    found = [
        size * run.size
        for label, size in labels
        for line in label
        for run in line
        if run.level == "base" and run.text.strip()
    ]
    return min(found, default=FONT)


def flattened(path: list[Point]) -> list[Segment]:
    """Straight pieces of a path."""
    points = []
    for k in range(0, len(path) - 3, 3):
        for i in range(9):
            u = i / 8
            w = (1 - u) ** 3, 3 * (1 - u) ** 2 * u, 3 * (1 - u) * u**2, u**3
            points.append(
                tuple(
                    sum(a * p[c] for a, p in zip(w, path[k : k + 4], strict=True)) for c in (0, 1)
                )
            )
    return list(pairwise(points))  # type: ignore[arg-type]


def _is_slanted(line: Segment) -> bool:
    """Whether a piece is part of a slanted line, and not of a rounded corner."""
    (x0, y0), (x1, y1) = line
    return min(abs(x1 - x0), abs(y1 - y0)) > 0.3 and hypot(x1 - x0, y1 - y0) > 3.0


def _crossings(lines: dict[Arrow, list[Segment]]) -> int:
    """How many pairs of arrows cross, where they do not begin or end at one box."""
    frames = {arrow: _frame(pieces) for arrow, pieces in lines.items() if pieces}
    total = 0
    for a, b in combinations(frames, 2):
        if {a.tail, a.head} & {b.tail, b.head} or not _meet(frames[a], frames[b]):
            continue
        total += any(_cross(p, q) for p in lines[a] for q in lines[b])
    return total


def _frame(lines: list[Segment]) -> tuple[float, float, float, float]:
    xs, ys = zip(*[point for line in lines for point in line], strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _meet(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _cross(first: Segment, second: Segment) -> bool:
    def turn(a: Point, b: Point, c: Point) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    (a, b), (c, d) = first, second
    return turn(a, c, d) * turn(b, c, d) < 0 and turn(a, b, c) * turn(a, b, d) < 0


def _overlaps(picture: Picture, lines: dict[Arrow, list[Segment]]) -> int:
    frames = {b: (b.left, b.bottom, b.right, b.top) for b in picture.boxes}
    boxes = sum(_meet(frames[a], frames[b]) for a, b in combinations(frames, 2))
    struck = 0
    for arrow, pieces in lines.items():
        if not pieces:
            continue
        around = _frame(pieces)
        for box, frame in frames.items():
            if box not in (arrow.tail, arrow.head) and _meet(around, frame):
                struck += any(inside(box, point) for line in pieces for point in line)
    written = 0
    for arrow in picture.arrows:
        if arrow.label and arrow.label_at:
            (x, y), wide = arrow.label_at, width(arrow.label, SMALL_FONT)
            high = height(arrow.label, SMALL_FONT)
            own = (x - wide / 2, y - high / 2 + 2, x + wide / 2, y + high / 2 - 2)
            written += any(_meet(own, frame) for frame in frames.values())
    return boxes + struck + written


def inside(box: Box, point: Point) -> bool:
    """Whether a point is inside of a box."""
    return box.left < point[0] < box.right and box.bottom < point[1] < box.top


def _empty(picture: Picture, scale: float) -> float:
    """Share of the squares of the slide that no box and no arrow touches."""
    left, bottom, right, top = picture.bounds()
    x0 = left - (SLIDE[0] / scale - (right - left)) / 2
    y0 = bottom - (SLIDE[1] / scale - (top - bottom)) / 2
    full = set()

    def square(x: float, y: float) -> tuple[int, int]:
        return int((x - x0) * scale // CELL), int((y - y0) * scale // CELL)

    for box in picture.boxes:
        (a, b), (c, d) = square(box.left, box.bottom), square(box.right, box.top)
        full |= {(i, j) for i in range(a, c + 1) for j in range(b, d + 1)}
    for arrow in picture.arrows:
        for (xa, ya), (xb, yb) in flattened(arrow.path):
            n = int(hypot(xb - xa, yb - ya) * scale / CELL * 2) + 1
            full |= {square(xa + (xb - xa) * i / n, ya + (yb - ya) * i / n) for i in range(n + 1)}
    return 1 - len(full) / (SLIDE[0] // CELL * (SLIDE[1] // CELL))


def _contrasts(drawing: Drawing) -> list[float]:
    theme = drawing.theme
    behind = theme.panel.fill if drawing.picture.panels else theme.background
    found = [contrast(theme.panel.text, theme.panel.fill), contrast(theme.text, theme.background)]
    for box in drawing.picture.boxes:
        if box.label:
            paint = box_paint(box, theme)
            found.append(contrast(paint.text, behind if paint.fill == "none" else paint.fill))
    return found


def contrast(first: str, second: str) -> float:
    """The contrast of two colors, from 1 to 21, as in WCAG 2.2."""
    light, dark = sorted(map(_luminance, (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
