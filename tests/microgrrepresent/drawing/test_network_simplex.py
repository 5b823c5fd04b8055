"""The network simplex method against all numbers there are; drawings of thousands of boxes."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrrepresent import Tensor, draw, stack, tanh
from microgrrepresent.drawing.layout.network_simplex import Arc, least_energy

FIRM = 10_000


def energy(x, arcs):
    stretch = [x[b] - x[a] - distance for a, b, distance, _, _ in arcs]
    return sum(s * (arc.high if s > 0 else arc.low) for s, arc in zip(stretch, arcs, strict=True))


@st.composite
def wishes(draw, ends=5, longest=3):
    """Firm distances along a row, and weighted wishes between any two."""
    number = st.integers(0, ends - 1)
    arcs = []
    for a, b in draw(st.lists(st.tuples(number, number), max_size=6)):
        if a < b:
            arcs.append(Arc(a, b, draw(st.integers(0, longest)), -FIRM, 0))
    for a, b in draw(st.lists(st.tuples(number, number), min_size=1, max_size=8)):
        w = draw(st.integers(1, 5))
        if a != b:
            arcs.append(Arc(a, b, draw(st.integers(-longest, longest)), -w, w))
    return arcs


@settings(max_examples=60, deadline=None)
@given(wishes())
def test_no_numbers_have_less_energy(arcs):
    x = least_energy(5, arcs)
    assert all(isinstance(number, int) for number in x)
    least = min(energy((0, *rest), arcs) for rest in product(range(-7, 8, 1), repeat=4))
    assert energy(x, arcs) <= least


@settings(max_examples=60, deadline=None)
@given(wishes(ends=40, longest=9))
def test_firm_distances_are_kept_however_little_is_looked_at(arcs):
    for effort in (0, 50, 10**6):
        x = least_energy(40, arcs, effort)
        assert all(x[b] - x[a] >= distance for a, b, distance, _, high in arcs if not high)


def test_more_effort_never_costs_energy():
    rng = np.random.default_rng(0)
    arcs = [Arc(i, i + 1, 5, -(10**6), 0) for i in range(99) if i % 10 != 9]
    arcs += [Arc(*map(int, rng.choice(100, 2, False)), 0, -2, 2) for _ in range(150)]
    found = [energy(least_energy(100, arcs, effort), arcs) for effort in (0, 1_000, 10_000, 10**7)]
    assert all(a >= b for a, b in pairwise(found)) and found[0] > found[-1]


def test_a_term_of_a_sum_stands_in_the_middle_when_all_places_are_equally_good():
    x = least_energy(3, [Arc(0, 1, 10, -100, 0), Arc(0, 2, 0, -1, 1), Arc(1, 2, 0, -1, 1)])
    assert x[2] - x[0] == x[1] - x[2] == 5


def tangle(n):
    rng, nodes = np.random.default_rng(0), [Tensor(1.0, name="x")]
    for i in range(n):
        other = 0 if i % 3 == 0 else int(rng.integers(max(0, i - 9), i + 1))
        nodes.append(nodes[-1] * nodes[other])
    return nodes[-1]


def random_graph(n):
    rng, nodes = np.random.default_rng(0), [Tensor(1.0, name="x"), Tensor(0.5, name="y")]
    for _ in range(n):
        a, b = rng.integers(0, len(nodes), 2)
        nodes.append(tanh(nodes[a]) if a == b else nodes[a] + nodes[b])
    used = {parent for node in nodes for parent in node.parents}
    return [node for node in nodes if node not in used]


def tree(n):
    row = [Tensor(1.0) for _ in range(n // 2)]
    while len(row) > 1:
        row = [a * b for a, b in zip(row[::2], row[1::2], strict=False)] + row[len(row) // 2 * 2 :]
    return row[0]


def stacked(n):
    h, found = Tensor(0.5, name="h"), []
    for _ in range(n // 2):
        h = tanh(h)
        found.append(h)
    return stack(found).sum()


MANY = {"tangle": tangle, "random graph": random_graph, "tree": tree, "stack": stacked}


@pytest.mark.slow
@pytest.mark.parametrize("name", MANY)
def test_of_two_thousand_nodes_without_steps_none_overlap(name):
    drawing = draw(MANY[name](2000))
    rows = {}
    for box in drawing.picture.boxes:
        rows.setdefault(box.y, []).append(box)
    for row in rows.values():
        row.sort(key=lambda box: box.x)
        assert all(a.right <= b.left for a, b in pairwise(row))
