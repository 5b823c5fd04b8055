"""Arrows that can be followed: over no box, without needless crossings, upright from ŷ to L."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from microgrrepresent import Tensor, backward, draw, sigmoid, steps, tanh
from rnn.command_line.illustration import illustration


def points(path):
    """Points on every curve of a path."""
    for k in range(0, len(path) - 3, 3):
        for u in (i / 16 for i in range(17)):
            weights = (1 - u) ** 3, 3 * (1 - u) ** 2 * u, 3 * (1 - u) * u**2, u**3
            yield tuple(
                sum(w * p[i] for w, p in zip(weights, path[k:], strict=False)) for i in (0, 1)
            )


@pytest.fixture(params=["rnn", "gru", "lstm"])
def picture(request):
    loss, _ = illustration(request.param, 2)
    return draw(loss, "gates", gradients=backward(loss)).picture


def test_no_arrow_runs_over_a_box(picture):
    for arrow in picture.arrows:
        for box in set(picture.boxes) - {arrow.tail, arrow.head}:
            for x, y in points(arrow.path):
                inside = box.left < x < box.right and box.bottom < y < box.top
                assert not inside, f"{arrow.flow} {arrow.tail.name}->{arrow.head.name}: {box.name}"


def test_a_prediction_stands_below_its_loss(picture):
    joined = [a for a in picture.arrows if a.tail.kind == "output" and a.head.kind == "loss"]
    assert len(joined) == 2
    for arrow in joined:
        assert arrow.tail.x == pytest.approx(arrow.head.x, abs=0.6)


def test_arrows_among_sums_of_biases_do_not_cross():
    """b_r and b_z are sums of the same two parameters."""
    c, d = (Tensor(np.ones(2), requires_grad=True, name=name) for name in "cd")
    b_r, b_z, h = (c + d).named("b_r"), (c - d).named("b_z"), Tensor(np.zeros(2), name="h")
    for _, x in steps(np.ones((2, 2))):
        h = (sigmoid(x + b_r) * h + tanh(x + b_z)).named("h")
    picture = draw(h.sum(), "gates").picture
    arrows = [a for a in picture.arrows if a.head in picture.legend]
    assert len(arrows) == 4
    for a, b in combinations(arrows, 2):
        assert not crosses((a.path[0], a.path[-1]), (b.path[0], b.path[-1]))


def crosses(first, second):
    """Whether two line segments cross."""

    def turn(a, b, c):
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0

    (a, b), (c, d) = first, second
    return turn(a, c, d) != turn(b, c, d) and turn(a, b, c) != turn(a, b, d)
