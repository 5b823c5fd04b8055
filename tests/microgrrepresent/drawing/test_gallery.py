"""What no edge joins stands in frames of its own: the five types of inputs and outputs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, draw, scope, steps, tanh
from microgrrepresent.drawing.marks.labels import plain
from microgrrepresent.drawing.time.apart import apart
from rnn.command_line.models import MODELS, TYPES, Choices


def chain(name, length=3, shared=None):
    """A recurrence of numbers in a scope."""
    with scope(name):
        w = shared if shared is not None else Tensor(0.5, requires_grad=True, name="w")
        h = Tensor(0.0, name="h")
        for _, x in steps(np.ones(length)):
            h = tanh(h * w + x).named("h")
    return h


def types(**options):
    return draw(MODELS["types"].record(Choices()).loss, "cells", **options).picture


def inside(frame, box):
    within = frame.left < box.left and box.right < frame.right
    return within and frame.bottom < box.bottom and box.top < frame.top


@pytest.mark.parametrize("size", [None, "slide", "paper", (600, 2000)])
def test_every_type_has_a_frame_with_its_name(size):
    picture = types(size=size)
    assert [plain(frame.title) for frame in picture.panels] == list(TYPES)
    homes = [[frame for frame in picture.panels if inside(frame, box)] for box in picture.boxes]
    assert all(len(home) == 1 for home in homes)
    for (reads, writes), frame in zip(TYPES.values(), picture.panels, strict=True):
        mine = [plain(box.label) for box in picture.boxes if inside(frame, box)]
        assert [name for name in mine if name[0] == "x"] == [f"x_{t}" for t in reads]
        assert [name for name in mine if name[0] == "y"] == [f"y_{t}" for t in writes]


def test_frames_do_not_meet_and_rows_are_of_one_width():
    picture = types(size="slide")
    rows = {}
    for frame in picture.panels:
        rows.setdefault((frame.bottom, frame.top), []).append(frame)
    assert len(rows) == 2
    assert len({(row[0].left, round(row[-1].right, 6)) for row in rows.values()}) == 1
    for row in rows.values():
        assert all(a.right < b.left for a, b in pairwise(row))
        states = {b.y for b in picture.boxes if b.kind == "state" and inside(row[-1], b)}
        states |= {b.y for b in picture.boxes if b.kind == "state" and inside(row[-2], b)}
        assert len({round(y, 6) for y in states}) == 1


def test_arrows_stay_in_their_frames_and_boxes_have_names_of_their_own():
    picture = types()
    assert len({box.name for box in picture.boxes}) == len(picture.boxes)
    for arrow in picture.arrows:
        (frame,) = (f for f in picture.panels if inside(f, arrow.tail))
        assert inside(frame, arrow.head)
        assert all(frame.left < x < frame.right for x, _ in arrow.path)


def test_what_shares_a_parameter_is_one_picture():
    w = Tensor(0.5, requires_grad=True, name="w")
    assert len(apart(Graph([chain("a"), chain("b")]))) == 2
    assert len(apart(Graph([chain("a", shared=w), chain("b", shared=w)]))) == 1
    assert len(apart(Graph([Tensor(1.0) * 2, Tensor(2.0) * 3]))) == 1


def test_a_long_and_a_tall_page_have_other_rows():
    wide = {frame.top for frame in types(size=(3000, 400)).panels}
    tall = {frame.top for frame in types(size=(500, 2000)).panels}
    assert len(wide) == 1 and len(tall) == 5
