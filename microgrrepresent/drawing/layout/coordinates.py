"""The x of everything in a sketch: edges as upright as the order of each rank allows.

We look for the x that make the sum of w |x_a - x_b| over all edges small, while neighbours in a
rank keep their distance. Absolute values make most edges exactly upright and leave the rest to a
few, where squares would tilt all of them a little. The problem is solved as a series of least
squares problems (each absolute value as a square over its last value), and each of these by the
alternating direction method of multipliers (Boyd et al. 2011, section 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from microgrrepresent.drawing.layout.ordering import Bend, Item, Ordered
from microgrrepresent.drawing.layout.sketch import Port, Sketch
from microgrrepresent.node import Array

BOX_GAP, BEND_GAP, PORT_GAP = 14.0, 9.0, 20.0
ROUNDS, STEPS, PASSES = 10, 60, 20
HINT = 6.0
"""How much a box wants to be where its sketch hints."""
ASIDE = 0.25
"""How much of its weight an edge from below has but for the first: ŷ stands below L, not y."""
SCALE = 100.0  # points to about 1, so that one penalty suits all


def places(sketch: Sketch, found: Ordered) -> dict[Item, float]:
    """Find the x of every outline, port and bend."""
    items = [item for row in found.rows for item in row]
    if not items:
        return {}
    number = {item: i for i, item in enumerate(items)}
    pairs = [(number[a], number[b]) for row in found.rows for a, b in pairwise(row)]
    gaps = [_gap(sketch, a, b) for row in found.rows for a, b in pairwise(row)]
    links: list[tuple[int, int, float]] = []
    first: dict[Item, Item] = {}  # of what an outline takes from below, the first
    for way in found.ways:
        aside = _is_below(way[0]) and first.setdefault(way[-1], way[0]) != way[0]
        for a, b in pairwise(way):
            w = _weight(found, a, b) * (ASIDE if aside else 1.0)
            links.append((number[a], number[b], w))
    links += [(number[a], number[b], 2.0) for a, b in sketch.mates if a != b]
    hints = {number[i]: x for i, x in sketch.hints}
    x = _solve(_start(found, sketch, number), links, hints, pairs, gaps)
    x = _kept_apart(x, [[number[i] for i in row] for row in found.rows], pairs, gaps)
    x = np.round(2 * (x if hints else x - x.min())) / 2
    out = {"left": x.min() - BEND_GAP, "right": x.max() + BEND_GAP}
    for port in sketch.ports:  # those at the sides leave all the room to what is between them
        x[number[port]] = out.get(port.side, x[number[port]])
    units = [[number[i] for i in unit] for unit in _units(found)]
    _straighten(x, units, links, hints, pairs, gaps)
    return {item: float(x[i]) for item, i in number.items()}


def _units(found: Ordered) -> list[list[Item]]:
    """What moves as one: the bends of an edge, or a single outline or port."""
    units: list[list[Item]] = []
    for way in found.ways:
        units.append([item for item in way if isinstance(item, Bend)])
    for row in found.rows:
        units += [[item] for item in row if not isinstance(item, Bend)]
    return [unit for unit in units if unit]


def _straighten(
    x: Array,
    units: Sequence[Sequence[int]],
    links: Sequence[tuple[int, int, float]],
    hints: Mapping[int, float],
    pairs: Sequence[tuple[int, int]],
    gaps: Sequence[float],
) -> None:
    """Move units, in place, to where one of their edges is upright, as long as the sum shrinks."""
    near: list[list[tuple[int, float]]] = [[] for _ in x]
    for a, b, w in links:
        near[a].append((b, w))
        near[b].append((a, w))
    lower: list[list[tuple[int, float]]] = [[] for _ in x]
    upper: list[list[tuple[int, float]]] = [[] for _ in x]
    for (a, b), gap in zip(pairs, gaps, strict=True):
        lower[b].append((a, gap))
        upper[a].append((b, gap))
    for unit in units:
        low = max((x[n] + gap for i in unit for n, gap in lower[i]), default=-np.inf)
        high = min((x[n] - gap for i in unit for n, gap in upper[i]), default=np.inf)
        if low <= high:  # there is room for all bends of the edge in one line
            x[list(unit)] = min(max(float(np.median(x[list(unit)])), low), high)
    for _ in range(PASSES):
        moved = False
        for unit in units:
            inside = set(unit)
            pulls = [(x[n] - x[i], w) for i in unit for n, w in near[i] if n not in inside]
            pulls += [(hints[i] - x[i], HINT) for i in unit if i in hints]
            low = max((x[n] + gap - x[i] for i in unit for n, gap in lower[i]), default=-np.inf)
            high = min((x[n] - gap - x[i] for i in unit for n, gap in upper[i]), default=np.inf)
            steps = [min(max(d, low), high) for d, _ in pulls]
            cost = {d: sum(w * abs(pull - d) for pull, w in pulls) for d in [0.0, *steps]}
            best = min(cost, key=lambda d: (cost[d], abs(d)))
            if cost[best] < cost[0.0] - 1e-9 and low <= high:
                x[list(unit)] += best
                moved = True
        if not moved:
            return


def _is_below(item: Item) -> bool:
    return isinstance(item, Port) and item.side == "below"


def _width(sketch: Sketch, item: Item) -> float:
    return sketch.outlines[item].width if isinstance(item, int) else 0.0


def _gap(sketch: Sketch, a: Item, b: Item) -> float:
    apart = BOX_GAP if isinstance(a, int) and isinstance(b, int) else BEND_GAP
    if isinstance(a, Port) and isinstance(b, Port):
        apart = PORT_GAP
    apart += max((edge.room[0] for edge in sketch.edges if edge.room), default=0.0) / 2
    return (_width(sketch, a) + _width(sketch, b)) / 2 + apart


def _weight(found: Ordered, a: Item, b: Item) -> float:
    """How upright a piece of an edge wants to be; within a rank, how short."""
    if found.rank[a] == found.rank[b]:
        sideways = any(isinstance(end, Port) for end in (a, b))
        return 0.05 if sideways else 0.5
    bends = isinstance(a, Bend) + isinstance(b, Bend)
    return (4.0 if any(isinstance(end, Port) for end in (a, b)) else 1.0, 2.0, 8.0)[bends]


def _start(found: Ordered, sketch: Sketch, number: dict[Item, int]) -> Array:
    """Every rank packed from the left, and centred."""
    x = np.zeros(len(number))
    for row in found.rows:
        at = np.cumsum([0.0, *(_gap(sketch, a, b) for a, b in pairwise(row))])
        x[[number[item] for item in row]] = at - at.mean()
    return x


def _solve(
    start: Array,
    links: Sequence[tuple[int, int, float]],
    hints: Mapping[int, float],
    pairs: Sequence[tuple[int, int]],
    gaps: Sequence[float],
) -> Array:
    n = len(start)
    apart = np.zeros((len(pairs), n))
    for row, (a, b) in enumerate(pairs):
        apart[row, a], apart[row, b] = -1.0, 1.0
    least = np.asarray(gaps) / SCALE
    x = start / SCALE
    slack, dual = np.maximum(apart @ x, least), np.zeros(len(pairs))
    penalty = 1.0
    for _ in range(ROUNDS):
        pull, aim = 1e-4 * np.eye(n), np.zeros(n)
        for i, at in hints.items():
            w = HINT / (abs(x[i] - at / SCALE) + 0.02)
            pull[i, i] += w
            aim[i] += w * at / SCALE
        for a, b, w in links:
            w /= abs(x[a] - x[b]) + 0.02
            pull[a, a] += w
            pull[b, b] += w
            pull[a, b] -= w
            pull[b, a] -= w
        inverse = np.linalg.inv(pull + penalty * apart.T @ apart)
        for _ in range(STEPS):
            x = inverse @ (aim + penalty * apart.T @ (slack - dual))
            slack = np.maximum(apart @ x + dual, least)
            dual += apart @ x - slack
        penalty *= 1.6
        dual /= 1.6
    return x * SCALE


def _kept_apart(
    x: Array, rows: Sequence[Sequence[int]], pairs: Sequence[tuple[int, int]], gaps: Sequence[float]
) -> Array:
    """The nearest x whose neighbours keep their distances: averages of those that would not."""
    gap = dict(zip(pairs, gaps, strict=True))
    x = x.copy()
    for row in rows:
        shift = 0.0
        groups: list[list[float]] = []  # sum and number of what stands close together
        shifts = []
        for i, item in enumerate(row):
            shift += gap[row[i - 1], item] if i else 0.0
            shifts.append(shift)
            groups.append([x[item] - shift, 1])
            while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
                total, count = groups.pop()
                groups[-1][0] += total
                groups[-1][1] += count
        at = [total / count for total, count in groups for _ in range(int(count))]
        for item, base, moved in zip(row, at, shifts, strict=True):
            x[item] = base + moved
    return x
