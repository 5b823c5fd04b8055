"""Where two arrows cross, the level one is cut: a gap in it says that nothing joins there."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import NamedTuple

from microgrrepresent.drawing.marks.picture import Arrow, Picture

BUCKET = 200.0
"""Lines are looked for in stripes of this width, so that the effort is linear in the steps."""
CLEAR = 3.0
"""A line that ends closer than this to another one meets it."""
STRAIGHT = 0.01
TANGLED = 20
"""With more gaps an arrow than this, little would be left of the arrows: none is cut then."""


class _Level(NamedTuple):
    y: float
    left: float
    right: float
    number: int


def cut_crossings(picture: Picture) -> None:
    """Find the gaps of all arrows of a picture, in place."""
    stripes: dict[int, list[_Level]] = defaultdict(list)
    upright: list[tuple[float, float, float, Arrow]] = []
    for number, arrow in enumerate(picture.arrows):
        arrow.gaps = []
        for (x0, y0), (x1, y1) in zip(arrow.path[::3], arrow.path[3::3], strict=False):
            if abs(y1 - y0) < STRAIGHT and abs(x1 - x0) > 2 * CLEAR:
                level = _Level(y0, min(x0, x1), max(x0, x1), number)
                for n in range(int(level.left // BUCKET), int(level.right // BUCKET) + 1):
                    stripes[n].append(level)
            elif abs(x1 - x0) < STRAIGHT and abs(y1 - y0) > 2 * CLEAR:
                upright.append((x0, min(y0, y1), max(y0, y1), arrow))
    for stripe in stripes.values():
        stripe.sort()
    left = TANGLED * len(picture.arrows)
    heights = {n: [level.y for level in stripe] for n, stripe in stripes.items()}
    for x, low, high, arrow in upright:
        n = int(x // BUCKET)
        ys = heights.get(n, [])
        for level in stripes.get(n, [])[
            bisect_left(ys, low + CLEAR) : bisect_right(ys, high - CLEAR)
        ]:
            other = picture.arrows[level.number]
            joined = {arrow.tail, arrow.head} & {other.tail, other.head}
            if level.left + CLEAR < x < level.right - CLEAR and not joined:
                other.gaps.append((x, level.y))
                left -= 1
        if left < 0:
            for each in picture.arrows:
                each.gaps = []
            return
