"""Where two arrows cross, one of them is cut: a gap in it says that nothing joins there.

It is the level one, or the straight one where the other turns a corner.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from microgrrepresent.drawing.marks.curves import GAP, Path, crossing, without_seams
from microgrrepresent.drawing.marks.picture import Arrow, Picture, Point

BUCKET = 200.0
"""Lines are looked for in stripes of this width, so that the effort is linear in the steps."""
CLEAR = 3.0
"""A line that ends closer than this to another one meets it."""
WIDE = 20.0
"""A curve that is wider or higher is no corner."""
STRAIGHT = 0.01
LONG = 4000.0
"""A longer level line is one that many steps share, as those to the loss do: it stays whole."""
TANGLED = 20
"""With more gaps an arrow than this, little would be left of the arrows: none is cut then."""


class _Line(NamedTuple):
    """A level or an upright piece of an arrow: where it lies, and where it may be cut."""

    at: float
    low: float
    high: float
    number: int


class _Cut(NamedTuple):
    at: Point
    number: int
    at_corner: bool
    """Whether the arrow that goes on turns there."""


class _Corner(NamedTuple):
    curve: Path
    number: int


@dataclass
class _Pieces:
    """The pieces of all arrows: level and upright ones, and rounded corners; some in stripes."""

    level: dict[int, list[_Line]] = field(default_factory=lambda: defaultdict(list))
    upright: list[_Line] = field(default_factory=list)
    corners: list[_Corner] = field(default_factory=list)
    near: dict[int, list[_Corner]] = field(default_factory=lambda: defaultdict(list))
    """The corners in stripes as wide as the widest corner."""


def cut_crossings(picture: Picture) -> None:
    """Find the gaps of all arrows of a picture, in place."""
    for arrow in picture.arrows:
        arrow.gaps = []
    cuts: dict[tuple[int, int], list[_Cut]] = defaultdict(list)
    for n, cut in enumerate(_cuts(_pieces(picture.arrows))):
        if n > TANGLED * len(picture.arrows):
            return
        cuts[round(cut.at[0]), round(cut.at[1])].append(cut)
    for arrow in picture.arrows:
        for x, y in arrow.forks:
            cuts.pop((round(x), round(y)), None)
    for here in cuts.values():
        turns = any(cut.at_corner for cut in here)  # what runs there besides goes on
        for cut in here:
            if cut.at_corner == turns:
                picture.arrows[cut.number].gaps.append(cut.at)


def _pieces(arrows: Sequence[Arrow]) -> _Pieces:
    found = _Pieces()
    for number, arrow in enumerate(arrows):
        path = without_seams(arrow.path)
        last = len(path) - 4
        for k in range(0, last + 1, 3):
            (x0, y0), (x1, y1) = path[k], path[k + 3]
            across, up, ends = abs(x1 - x0), abs(y1 - y0), (k == 0, k == last)
            if up < STRAIGHT and across > 2 * CLEAR:
                line = _Line(y0, *_within(x0, x1, *ends), number)
                if line.high - line.low < LONG:
                    for n in range(int(line.low // BUCKET), int(line.high // BUCKET) + 1):
                        found.level[n].append(line)
            elif across < STRAIGHT and up > 2 * CLEAR:
                found.upright.append(_Line(x0, *_within(y0, y1, *ends), number))
            elif across < WIDE and up < WIDE:
                corner = _Corner(path[k : k + 4], number)
                found.corners.append(corner)
                low, high = min(x0, x1) - GAP, max(x0, x1) + GAP
                for n in range(int(low // WIDE), int(high // WIDE) + 1):
                    found.near[n].append(corner)
    for stripe in found.level.values():
        stripe.sort()
    return found


def _within(a: float, b: float, is_first: bool, is_last: bool) -> Point:
    """The bounds of a piece, without what is near its ends: nearer to those of the arrow."""
    first, last = (CLEAR if is_first else GAP), (CLEAR if is_last else GAP)
    return (a + first, b - last) if a < b else (b + last, a - first)


def _cuts(pieces: _Pieces) -> Iterator[_Cut]:
    """Where arrows are cut."""
    heights = {n: [line.at for line in stripe] for n, stripe in pieces.level.items()}

    def level(n: int, low: float, high: float) -> list[_Line]:
        ys = heights.get(n, [])
        return pieces.level[n][bisect_left(ys, low) : bisect_right(ys, high)] if ys else []

    for line in pieces.upright:
        n = int(line.at // BUCKET)
        for other in level(n, line.low, line.high):
            if other.low < line.at < other.high:
                yield _Cut((line.at, other.at), other.number, False)
        for corner in pieces.near.get(int(line.at // WIDE), ()):
            y = _turning(corner.curve, corner.number, line)
            if y is not None:
                yield _Cut((line.at, y), line.number, True)
    for corner in pieces.corners:
        turned = [(y, x) for x, y in corner.curve]
        low, high = sorted((turned[0][0], turned[3][0]))
        left, right = sorted((turned[0][1], turned[3][1]))
        for n in {int((left - GAP) // BUCKET), int((right + GAP) // BUCKET)}:
            for line in level(n, low - GAP, high + GAP):
                x = _turning(turned, corner.number, line)
                if x is not None:
                    yield _Cut((x, line.at), line.number, True)


def _turning(corner: Path, number: int, line: _Line) -> float | None:
    """How far along an upright line an arrow crosses it that turns there; None if it does not."""
    low, high = line.low - GAP, line.high + GAP
    ends = corner[0][1], corner[3][1]
    if number == line.number or max(ends) < low or min(ends) > high:
        return None
    along = crossing(corner, line.at)
    return along if along is not None and low < along < high else None
