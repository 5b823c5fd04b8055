"""Where the parameters stand that chips refer to: in a free corner, or in a row below everything.

Of all places the one is taken in which the whole picture can be shown largest on its page.
"""

from __future__ import annotations

from collections.abc import Iterator

from microgrrepresent.drawing.marks.picture import Arrow, Box, Panel, Picture, Point

GAP = 6.0
"""Between the parameters of a legend."""
AWAY = 10.0
"""Between a legend and everything else."""
AROUND = 100.0
"""An arrow does not reach farther than this beyond its ends."""
MORE = 30.0
"""By how much it has to be narrower or lower, if it is as large."""
BETTER = 1.01
"""By how much larger the picture has to be for the legend to stand in a less usual place."""

Frame = tuple[float, float, float, float]
Group = tuple[list[Box], list[Arrow]]


def place_legend(picture: Picture, page: Point) -> None:
    """Move the legend to where it leaves the rest as large as possible.

    Parameters
    ----------
    picture : Picture
        With everything else in its place.
    page : (float, float)
        Width and height of the page, in any unit.
    """
    groups = [Picture(*group) for group in _groups(picture)]
    rest, _ = picture.parted()
    if not groups or not rest.boxes:
        return
    bounds = rest.bounds()
    old = [group.bounds() for group in groups]
    sizes = [(right - left, top - bottom) for left, bottom, right, top in old]
    reach = sum(w + GAP for w, _ in sizes) + AWAY
    near = _frames(rest, bounds[0] + reach, bounds[2] - reach)
    best: tuple[float, float, list[Point]] | None = None
    for per_row in range(len(groups), 0, -1):
        places, wide, high = _shelves(sizes, per_row)
        for left, low in _corners(bounds, wide, high):
            own = (left - AWAY, low - AWAY, left + wide + AWAY, low + high + AWAY)
            if any(_meet(own, frame) for frame in near):
                continue
            across = max(bounds[2], left + wide) - min(bounds[0], left)
            up = max(bounds[3], low + high) - min(bounds[1], low)
            scale = min(page[0] / across, page[1] / up)
            alike = best is not None and scale * BETTER > best[0]
            if best is None or scale > best[0] * BETTER or (alike and across + up < best[1] - MORE):
                best = (scale, across + up, [(left + x, low + y) for x, y in places])
    assert best is not None
    for group, (left, bottom, *_), (x, y) in zip(groups, old, best[2], strict=True):
        group.move(x - left, y - bottom)


def _groups(picture: Picture) -> list[Group]:
    """The boxes of the legend that arrows join, with those arrows."""
    root = {box: box for box in picture.legend}
    arrows = [a for a in picture.arrows if a.tail in root and a.head in root]
    outside = any((a.tail in root) != (a.head in root) for a in picture.arrows)
    if outside:  # lines lead from it to the uses
        return []

    def top(box: Box) -> Box:
        while root[box] is not box:
            box = root[box]
        return box

    for arrow in arrows:
        root[top(arrow.head)] = top(arrow.tail)
    groups: dict[Box, Group] = {}
    for box in picture.legend:
        groups.setdefault(top(box), ([], []))[0].append(box)
    for arrow in arrows:
        groups[top(arrow.head)][1].append(arrow)
    return list(groups.values())


def _frames(picture: Picture, left: float, right: float) -> list[Frame]:
    """What is drawn near the sides: boxes, panels, and the pieces of arrows."""
    parts: list[Box | Panel] = [*picture.boxes, *picture.panels]
    near = [part for part in parts if part.left < left or part.right > right]
    found = [(part.left, part.bottom, part.right, part.top) for part in near]
    for arrow in picture.arrows:
        ends = (arrow.path[0][0], arrow.path[-1][0])
        if min(ends) > left + AROUND and max(ends) < right - AROUND:
            continue
        for (x0, y0), (x1, y1) in zip(arrow.path[::3], arrow.path[3::3], strict=False):
            found.append((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    return found


def _shelves(sizes: list[Point], per_row: int) -> tuple[list[Point], float, float]:
    """Boxes side by side, so many in a row: their places, and the width and height of all."""
    places: list[Point] = []
    y = wide = 0.0
    rows = [sizes[i : i + per_row] for i in range(0, len(sizes), per_row)]
    for row in reversed(rows):
        x, tall, line = 0.0, max(h for _, h in row), []
        for w, h in row:
            line.append((x, y + (tall - h) / 2))
            x += w + GAP
        places = line + places
        wide, y = max(wide, x - GAP), y + tall + GAP
    return places, wide, y - GAP


def _corners(bounds: Frame, wide: float, high: float) -> Iterator[Point]:
    """Where a legend of a size may stand: inside of a corner, below or beside everything."""
    left, bottom, right, top = bounds
    below, beside = bottom - AWAY - high - 0.1, left - AWAY - wide - 0.1
    yield left, top - high
    yield right - wide, top - high
    yield left, bottom
    yield right - wide, bottom
    yield left, below
    yield beside, bottom
    yield beside, top - high


def _meet(a: Frame, b: Frame) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
