"""Where two arrows cross, one of them has a gap; where one forks, there is a dot and no gap."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import dist

import pytest

from microgrrepresent import draw
from microgrrepresent.drawing.layout.gaps import cut_crossings
from microgrrepresent.drawing.marks.curves import along, crossing, mix, parted, split
from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture
from rnn.command_line.illustration import illustration


def between(*points):
    """An arrow of its own through some corners."""
    return Arrow(Box("a", "op", ()), Box("b", "op", ()), path=along(*points))


def gaps(*arrows):
    """The gaps of each arrow of a picture."""
    cut_crossings(Picture([], list(arrows), []))
    return [arrow.gaps for arrow in arrows]


def test_of_two_lines_that_cross_the_level_one_is_cut():
    upright, level = between((50.0, 0.0), (50.0, 90.0)), between((0.0, 40.0), (90.0, 40.0))
    assert gaps(upright, level) == [[], [(50.0, 40.0)]]
    first, second = parted(level.path, level.gaps)
    assert first[-1][0] < 50 < second[0][0]


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("off", [-3.0, 0.0, 4.0])
def test_where_one_turns_a_corner_the_straight_one_is_cut(across, off):
    """Close before the corner, where it begins, and within it."""
    corner, line = [(0.0, 40.0), (60.0, 40.0), (60.0, 90.0)], [(52 + off, 0.0), (52 + off, 90.0)]
    if across:
        corner, line = ([(y, x) for x, y in path] for path in (corner, line))
    turns, straight = between(*corner), between(*line)
    none, (gap,) = gaps(turns, straight)
    assert none == [] and len(parted(straight.path, [gap])) == 2
    assert gap[across] == 52 + off and 39.9 < gap[1 - across] < 44


def test_a_line_is_not_cut_where_it_begins_to_turn_away_from_another():
    trunk = between((50.0, 0.0), (50.0, 90.0))
    branch = between((50.0, 0.0), (50.0, 40.0), (90.0, 40.0))
    assert gaps(trunk, branch) == [[], []]


def test_arrows_from_one_box_are_cut_unless_there_is_a_dot():
    loop, out = between((0.0, 40.0), (90.0, 40.0)), between((50.0, 0.0), (50.0, 90.0))
    loop.tail = out.tail
    assert gaps(loop, out) == [[(50.0, 40.0)], []]
    loop.forks = [(50.0, 40.0)]
    assert gaps(loop, out) == [[], []]


def test_a_corner_is_crossed_where_it_is():
    (corner,) = (p for p in [along((0.0, 0.0), (20.0, 0.0), (20.0, 20.0))[3:7]] if len(p) == 4)
    x, y = split(corner, 0.3)[0][-1]
    assert crossing(corner, x) == pytest.approx(y, abs=1e-3)
    assert crossing(corner, 20.0) is None and crossing(corner, 0.0) is None


CROSSED = [("gru", False), ("gru-before", False), ("gru", True), ("lstm", True)]


@pytest.mark.parametrize(("kind", "per_gate"), CROSSED)
def test_every_crossing_of_a_cell_is_seen(kind, per_gate):
    loss, _ = illustration(kind, 2, per_gate=per_gate)
    picture = draw(loss, "gates", size="slide").picture
    dots = [dot for arrow in picture.arrows for dot in arrow.forks]
    found = 0
    for a, b in combinations(picture.arrows, 2):
        for point in crossings(a.path, b.path):
            if min((dist(point, dot) for dot in dots), default=99.0) > 10:
                near = min((dist(point, gap) for gap in a.gaps + b.gaps), default=99.0)
                assert near < 2, f"{a.tail.name}->{a.head.name}, {b.tail.name}->{b.head.name}"
                found += 1
    assert found


def crossings(first, second):
    """Where two paths cross, not where they touch."""
    for a, b in lines(first):
        for c, d in lines(second):
            u, v = side(c, d, a), side(c, d, b)
            if side(a, b, c) * side(a, b, d) < -1e-6 and u * v < -1e-6:
                yield mix(a, b, u / (u - v))


def lines(path):
    """Straight lines along a path."""
    points = path[:1]
    for k in range(0, len(path) - 3, 3):
        curve = path[k : k + 4]
        n = 1 if any(abs(p - q) < 0.01 for p, q in zip(curve[0], curve[3], strict=True)) else 8
        points += [split(curve, i / n)[0][-1] for i in range(1, n + 1)]
    return list(pairwise(points))


def side(a, b, point):
    """On which side of a line a point is."""
    return (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])


def test_a_line_is_cut_where_two_of_its_pieces_meet():
    level = between((0.0, 40.0), (90.0, 40.0))
    level.path = along((0.0, 40.0), (50.0, 40.0)) + along((50.0, 40.0), (90.0, 40.0))[1:]
    upright = between((50.0, 0.0), (50.0, 90.0))
    assert gaps(upright, level) == [[], [(50.0, 40.0)]]
    assert len(parted(level.path, level.gaps)) == 2
