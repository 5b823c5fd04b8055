"""Paths of cubic Bézier curves, as Graphviz has them: 3n + 1 points, three more for each curve."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import hypot

from microgrrepresent.drawing.marks.picture import Point

Path = list[Point]

ABREAST = 8.0
"""Between arrows that join the same two boxes, in points."""


def mix(a: Point, b: Point, u: float) -> Point:
    """The point that divides the way from a to b as u : 1 - u."""
    return (a[0] + (b[0] - a[0]) * u, a[1] + (b[1] - a[1]) * u)


def distance(a: Point, b: Point) -> float:
    """Length of the straight way."""
    return hypot(a[0] - b[0], a[1] - b[1])


def straight(a: Point, b: Point) -> Path:
    """A straight line as a curve."""
    return [a, mix(a, b, 1 / 3), mix(a, b, 2 / 3), b]


def swung(a: Point, b: Point) -> Path:
    """A smooth curve that leaves and arrives along the axis in which its ends are farther apart."""
    (x0, y0), (x1, y1) = a, b
    if abs(x1 - x0) > abs(y1 - y0):
        return [a, ((x0 + x1) / 2, y0), ((x0 + x1) / 2, y1), b]
    return [a, (x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2), b]


def along(*points: Point) -> Path:
    """A path through corners, with the corners rounded."""
    corners = [p for i, p in enumerate(points) if i == 0 or distance(p, points[i - 1]) > 0.5]
    path: Path = corners[:1]
    for a, b in pairwise(corners):
        path = joined(path, straight(a, b)) if len(path) > 1 else straight(a, b)
    return path


def split(curve: Path, u: float) -> tuple[Path, Path]:
    """One cubic curve cut in two at u, by de Casteljau's construction."""
    a, b, c, d = curve
    ab, bc, cd = mix(a, b, u), mix(b, c, u), mix(c, d, u)
    abc, bcd = mix(ab, bc, u), mix(bc, cd, u)
    middle = mix(abc, bcd, u)
    return [a, ab, abc, middle], [middle, bcd, cd, d]


def cut_end(path: Path, length: float) -> Path:
    """A path without its last bit: what lies within a distance of its end is cut off."""
    end = path[-1]
    points = list(path)
    while len(points) > 4 and distance(points[-4], end) <= length:
        del points[-3:]
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[-4:]
    far = hypot(ax - dx, ay - dy)
    if points[-1] is end and far and is_straight(points[-4:]):
        points[-4:] = straight(points[-4], mix(points[-4], end, max(1 - length / far, 0.02)))
        return points
    low, high = 0.0, 1.0
    for _ in range(12):
        u = (low + high) / 2
        v = 1 - u
        p, q, r, s = v * v * v, 3 * v * v * u, 3 * v * u * u, u * u * u
        x, y = p * ax + q * bx + r * cx + s * dx, p * ay + q * by + r * cy + s * dy
        if hypot(x - end[0], y - end[1]) > length:
            low = u
        else:
            high = u
    points[-4:] = split(points[-4:], max(low, 0.02))[0]
    return points


def is_straight(curve: Path) -> bool:
    """Whether a curve is as `straight` makes it."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = curve
    off = abs(2 * ax + dx - 3 * bx) + abs(2 * ay + dy - 3 * by)
    return off + abs(ax + 2 * dx - 3 * cx) + abs(ay + 2 * dy - 3 * cy) < 1e-6


def arrow_head(path: Path, length: float) -> tuple[Path, tuple[Point, Point, Point]]:
    """A path that ends where its arrowhead begins, and the head: a triangle of a given length."""
    line, tip = cut_end(path, length), path[-1]
    foot = line[-1]
    x, y = 0.4 * (tip[0] - foot[0]), 0.4 * (tip[1] - foot[1])
    return line, ((foot[0] - y, foot[1] + x), tip, (foot[0] + y, foot[1] - x))


GAP = 4.5
"""Half of the gap in an arrow that another one crosses."""


def parted(path: Path, gaps: Sequence[Point]) -> list[Path]:
    """A path in pieces: without what is near the points at which it is crossed."""
    if not gaps:
        return [path]
    path = without_seams(path)
    pieces: list[Path] = [path[:1]]
    for k in range(0, len(path) - 3, 3):
        a, d = path[k], path[k + 3]
        length = distance(a, d)
        here = [distance(a, gap) for gap in gaps if _is_on_line(gap, a, d)]
        if not here:
            pieces[-1] += path[k + 1 : k + 4]
            continue
        for at in sorted(here):
            before, after = ((at + off) / length for off in (-GAP, GAP))
            if at - GAP > distance(a, pieces[-1][-1]):
                pieces[-1] += straight(pieces[-1][-1], mix(a, d, before))[1:]
            pieces.append([mix(a, d, after) if after < 1 else d])
        if pieces[-1][-1] != d:
            pieces[-1] += straight(pieces[-1][-1], d)[1:]
    return [piece for piece in pieces if len(piece) > 3]


def without_seams(path: Path) -> Path:
    """A path whose level and upright pieces reach from corner to corner."""
    whole = path[:4]
    for k in range(3, len(path) - 3, 3):
        (ax, ay), (x, y), (bx, by) = whole[-4], path[k], path[k + 3]
        if abs(ax - x) + abs(x - bx) < 0.01 or abs(ay - y) + abs(y - by) < 0.01:
            whole[-3:] = straight((ax, ay), (bx, by))[1:]
        else:
            whole += path[k + 1 : k + 4]
    return whole


def _is_on_line(point: Point, a: Point, d: Point) -> bool:
    """Whether a point is on a level or an upright line, between its ends."""
    (x, y), (x0, x1), (y0, y1) = point, sorted((a[0], d[0])), sorted((a[1], d[1]))
    return (y0 == y == y1 and x0 < x < x1) or (x0 == x == x1 and y0 < y < y1)


def crossing(corner: Path, x: float) -> float | None:
    """The y at which a rounded corner crosses an upright line; None if it does not.

    Where a line begins to turn, so near that no gap fits before, it belongs to the corner.
    """
    level, upright = corner[0], corner[3]
    if abs(corner[1][0] - level[0]) < abs(corner[1][1] - level[1]):
        level, upright = upright, level
    away = 1 if upright[0] > level[0] else -1
    if not -GAP < (x - level[0]) * away < (upright[0] - level[0]) * away - 0.5:
        return None
    xs, ys = zip(*corner, strict=True)
    start, end = (0.0, 1.0) if level == corner[0] else (1.0, 0.0)
    for _ in range(20):
        u = (start + end) / 2
        start, end = (u, end) if (x - _at(xs, u)) * away > 0 else (start, u)
    return _at(ys, u)


def _at(p: Sequence[float], u: float) -> float:
    """A coordinate of a cubic Bézier curve."""
    v = 1 - u
    return v * v * v * p[0] + 3 * u * v * (v * p[1] + u * p[2]) + u * u * u * p[3]


def cut_start(path: Path, length: float) -> Path:
    """A path without its first bit."""
    return cut_end(path[::-1], length)[::-1]


def joined(first: Path, second: Path, radius: float = 8.0) -> Path:
    """Two paths as one. They need to meet; where they meet at an angle, the corner is rounded."""
    if _is_point(first) or _is_point(second):
        return list(second if _is_point(first) else first)
    if distance(first[-1], second[0]) > 0.01:
        first = first + swung(first[-1], second[0])[1:]
    if _bends(first, second):
        corner = second[0]
        r = min(radius, distance(first[0], corner) / 2, distance(second[-1], corner) / 2)
        if r > 1:
            first, second = cut_end(first, r), cut_start(second, r)
            a, b = first[-1], second[0]
            return [*first, mix(a, corner, 0.6), mix(b, corner, 0.6), *second]
    return [*first, *second[1:]]


def _is_point(path: Path) -> bool:
    """Whether a path leads nowhere: an arrowhead at the end of it would have no direction."""
    if len(path) < 2:
        return True
    (a, b), (c, d) = path[0], path[-1]
    return abs(a - c) + abs(b - d) < 0.01 and all(distance(path[0], p) < 0.01 for p in path)


def _bends(first: Path, second: Path) -> bool:
    """Whether the direction changes by more than about 15 degrees where two paths meet."""
    (ux, uy), (vx, vy) = _direction(first[::-1]), _direction(second)
    return -(ux * vx + uy * vy) < 0.96


def _direction(path: Path) -> Point:
    """The unit vector along which a path leaves its start."""
    start = path[0]
    for point in path[1:]:
        length = distance(start, point)
        if length > 0.01:
            return ((point[0] - start[0]) / length, (point[1] - start[1]) / length)
    return (1.0, 0.0)


def beside(path: Path, offset: float) -> Path:
    """A path that runs alongside another, to the left of its direction by an offset."""
    points = []
    for i, point in enumerate(path):
        before, after = path[max(i - 1, 0)], path[min(i + 1, len(path) - 1)]
        length = distance(before, after) or 1.0
        dx, dy = (after[0] - before[0]) / length, (after[1] - before[1]) / length
        points.append((point[0] - dy * offset, point[1] + dx * offset))
    return points


def point_beside(path: Path, length: float, offset: float) -> Point:
    """A point to the right of a path, at a distance from its start or half-way if it is short."""
    rest = cut_start(path, min(length, distance(path[0], path[-1]) / 2))
    (x, y), (dx, dy) = rest[0], _direction(rest)
    return (x + dy * offset, y - dx * offset)


def abreast(path: Path, count: int) -> list[Path]:
    """So many paths side by side in the place of one, from left to right."""
    return [beside(path, ABREAST * ((count - 1) / 2 - i)) for i in range(count)]


def corners_of(path: Path) -> list[Point] | None:
    """The corners of a path that runs level and upright only, its ends included; None for others.

    Examples
    --------
    >>> corners_of(along((0.0, 0.0), (50.0, 0.0), (50.0, 30.0)))
    [(0.0, 0.0), (50.0, 0.0), (50.0, 30.0)]
    >>> corners_of(straight((0.0, 0.0), (50.0, 30.0))) is None
    True
    """
    corners = [path[0]]
    for k in range(0, len(path) - 3, 3):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = path[k : k + 4]
        level, upright = _near(ay, by) and _near(ay, dy), _near(ax, bx) and _near(ax, dx)
        if not level and not upright:
            if _near(ay, by) and _near(cx, dx):
                corners.append((dx, ay))
            elif _near(ax, bx) and _near(cy, dy):
                corners.append((ax, dy))
            else:
                return None
        corners.append((dx, dy))
    kept = corners[:1]
    for before, here, after in zip(corners, corners[1:], corners[2:], strict=False):
        if not any(_near(before[i], here[i]) and _near(here[i], after[i]) for i in (0, 1)):
            kept.append(here)
    return [*kept, corners[-1]]


def _near(a: float, b: float) -> bool:
    return abs(a - b) < 0.02


def dashed(path: Path, on: float, off: float) -> list[Path]:
    """The dashes of a path, each so long, with so much space behind it.

    Examples
    --------
    >>> line = straight((0.0, 0.0), (9.0, 0.0))
    >>> [(round(dash[0][0], 2), round(dash[-1][0], 2)) for dash in dashed(line, 5, 2)]
    [(0.0, 5.0), (7.0, 9.0)]
    """
    dashes: list[Path] = []
    done = 0.0  # of the dash or the space that is being drawn
    drawing = True
    for k in range(0, len(path) - 3, 3):
        curve = path[k : k + 4]
        length = _length(curve)
        at = 0.0
        while at < length:
            step = min((on if drawing else off) - done, length - at)
            if drawing and step > 0.01:
                part = _between(curve, at / length, (at + step) / length)
                if done and dashes:
                    dashes[-1] += part[1:]
                else:
                    dashes.append(part)
            at, done = at + step, done + step
            if done >= (on if drawing else off) - 1e-9:
                drawing, done = not drawing, 0.0
    return dashes


def _length(curve: Path) -> float:
    """Length of a curve, from a few points on it."""
    if is_straight(curve):
        return distance(curve[0], curve[-1])
    points = [_on(curve, i / 8) for i in range(9)]
    return sum(distance(a, b) for a, b in pairwise(points))


def _on(curve: Path, u: float) -> Point:
    return split(curve, u)[0][-1]


def _between(curve: Path, u: float, v: float) -> Path:
    """The part of a curve between two of its parameters."""
    if is_straight(curve):
        return straight(mix(curve[0], curve[-1], u), mix(curve[0], curve[-1], v))
    first = split(curve, v)[0] if v < 1 else curve
    return split(first, u / v)[1] if u > 0 else list(first)
