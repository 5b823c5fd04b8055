"""Where the parameters stand that chips refer to: in a free corner, or in a row below everything.

Of all places the one is taken in which the whole picture can be shown largest on its page.
"""

from __future__ import annotations

from collections.abc import Iterator

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.layout.grid import Grid
from microgrrepresent.drawing.layout.routes import route
from microgrrepresent.drawing.layout.states import place_boxes
from microgrrepresent.drawing.marks.picture import Picture, Point

GAP = 10.0
"""Between the parameters of a legend."""
AWAY = 16.0
"""Between a legend and everything else."""

Frame = tuple[float, float, float, float]


def place_legend(grid: Grid, picture: Picture, page: Point) -> None:
    """Put the blocks of the legend where they leave the rest as large as possible.

    Parameters
    ----------
    grid : Grid
        With everything else in its place.
    picture : Picture
        What is drawn.
    page : (float, float)
        Width and height of the page, in any unit.
    """
    blocks = [block for block in grid.blocks.legend if block not in grid.at]
    if not blocks:
        return
    sizes = [(grid.tiles[b].width, grid.tiles[b].height) for b in blocks]
    frames = _frames(picture, set(blocks), grid)
    if not frames:
        bounds: Frame = (0.0, 0.0, 0.0, 0.0)
    else:
        bounds = (
            min(f[0] for f in frames),
            min(f[1] for f in frames),
            max(f[2] for f in frames),
            max(f[3] for f in frames),
        )
    best: tuple[float, list[Point]] | None = None
    for per_row in range(1, len(blocks) + 1):
        places, wide, high = _shelves(sizes, per_row)
        for left, low in _corners(bounds, wide, high):
            own = (left - AWAY, low - AWAY, left + wide + AWAY, low + high + AWAY)
            if any(_meet(own, frame) for frame in frames):
                continue
            across = max(bounds[2], left + wide) - min(bounds[0], left)
            up = max(bounds[3], low + high) - min(bounds[1], low)
            scale = min(page[0] / max(across, 1.0), page[1] / max(up, 1.0))
            if best is None or scale > best[0] * 1.001:
                best = (scale, [(left + x, low + y) for x, y in places])
    assert best is not None
    grid.at.update(zip(blocks, best[1], strict=True))
    place_boxes(grid, blocks)
    route(grid, blocks)


def _frames(picture: Picture, blocks: set[Block], grid: Grid) -> list[Frame]:
    """What is drawn already: boxes, panels, and the pieces of arrows."""
    legend = {box for block in blocks for box in block.boxes}
    found: list[Frame] = [
        (b.left, b.bottom, b.right, b.top) for b in picture.boxes if b not in legend
    ]
    found += [(p.left, p.bottom, p.right, p.top) for p in picture.panels]
    for arrow in picture.arrows:
        if arrow.tail in legend:
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
    """Where a legend of a size may stand: inside of a corner, beside or below everything."""
    left, bottom, right, top = bounds
    yield left, top - high
    yield right - wide, top - high
    yield left, bottom
    yield right - wide, bottom
    yield left, bottom - AWAY - high - 0.1
    yield left - AWAY - wide - 0.1, bottom
    yield left - AWAY - wide - 0.1, top - high


def _meet(a: Frame, b: Frame) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
