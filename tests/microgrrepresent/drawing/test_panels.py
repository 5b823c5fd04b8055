"""Titles of panels, and legends: nothing is struck through."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from microgrrepresent import Tensor, backward, draw, linear, sigmoid, steps, tanh
from microgrrepresent.drawing.marks.labels import plain, width
from microgrrepresent.drawing.marks.picture import FONT
from rnn.command_line.illustration import illustration

DRAWN = {
    "ctrnn, gradients": ("ctrnn", False, True, "unrolled"),
    "rnn in two directions": ("rnn", True, False, "both"),
    "rnn in two directions, gradients": ("rnn", True, True, "unrolled"),
    "gru, gradients": ("gru", False, True, "unrolled"),
    "lstm folded": ("lstm", False, False, "folded"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_no_line_strikes_through_a_title(name):
    kind, two, back, time = DRAWN[name]
    loss, _ = illustration(kind, 3, bidirectional=two)
    gradients = backward(loss) if back else None
    picture = draw(loss, "gates", time=time, gradients=gradients, size="slide").picture
    assert picture.panels
    for panel in picture.panels:
        left, right = panel.title_left, panel.title_left + width(panel.title, FONT)
        assert panel.left < left and right < panel.right
        for arrow in picture.arrows:
            for (x0, y0), (x1, y1) in pairwise(arrow.path):
                beside = max(x0, x1) < left - 2 or min(x0, x1) > right + 2
                assert beside or max(y0, y1) < panel.top - 19 or min(y0, y1) > panel.top - 5, (
                    f"{arrow.flow} {arrow.tail.name}->{arrow.head.name}: {plain(panel.title)}"
                )


def test_sums_in_a_legend_stand_clear_of_what_is_beside_them():
    """b_r and b_z are sums of the same two parameters, with arrows around them."""
    c, d = (Tensor(np.ones(2), requires_grad=True, name=name) for name in "cd")
    V, W = (Tensor(np.ones((2, 2)), requires_grad=True, name=name) for name in "VW")
    b_r, b_z, h = (c + d).named("b_r"), (c - d).named("b_z"), Tensor(np.zeros(2), name="h")
    for _, x in steps(np.ones((2, 2))):
        h = (sigmoid(linear(x, V) + b_r) * h + tanh(linear(x, W) + b_z)).named("h")
    picture = draw(h.sum(), "gates", size="slide").picture
    arrows = [arrow for arrow in picture.arrows if arrow.head in picture.legend]
    assert len(arrows) == 4
    for box in picture.legend:
        for arrow in arrows:
            inside = (box.left < x < box.right and box.bottom < y < box.top for x, y in arrow.path)
            assert box in (arrow.head, arrow.tail) or not any(inside), box.name
