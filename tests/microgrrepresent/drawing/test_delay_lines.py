"""Tapped delay lines: all steps alike, each value handed on from step to step."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest

from microgrrepresent import backward, draw
from microgrrepresent.drawing.marks.labels import plain
from rnn.command_line.models import MODELS, Choices
from tests.pictures.measures import measure

LOSSES = {name: MODELS[name].record(Choices(steps=5)).loss for name in ("narx", "time-delay")}
VIEWS = {"narx": "cells", "time-delay": "gates"}


def drawn(name, **more):
    return draw(LOSSES[name], VIEWS[name], **more)


def states(picture):
    """The circles of each gap, from above."""
    found = defaultdict(list)
    for box in sorted(picture.boxes, key=lambda box: -box.y):
        if box.between:
            found[box.column].append(plain(box.label))
    return dict(found)


def test_narx_has_the_rows_of_the_notes():
    assert states(drawn("narx").picture) == {
        t: [f"y_{t}", f"y_{t - 1}".replace("-", "−"), f"x_{t - 1}".replace("-", "−"), f"x_{t}"]
        for t in range(6)
    }


def test_a_time_delay_network_keeps_two_inputs():
    found = states(drawn("time-delay").picture)
    assert all(sorted(found[t]) == sorted([f"x_{t}", f"x_{t - 1}"]) for t in range(1, 6))


@pytest.mark.parametrize("name", LOSSES)
def test_all_steps_are_the_same_drawing(name):
    picture = drawn(name).picture
    steps = defaultdict(list)
    for box in picture.boxes:
        if not box.between and 0 < box.column <= 5:
            steps[box.column].append((box.kind, box.x, box.y, box.width, box.height))
    first = sorted((kind, y, w, h) for kind, _, y, w, h in steps[1])
    assert all(sorted((k, y, w, h) for k, _, y, w, h in step) == first for step in steps.values())
    lefts = [min(x for _, x, *_ in step) for step in steps.values()]
    pitch = lefts[1] - lefts[0]
    assert [b - a for a, b in itertools.pairwise(lefts)] == pytest.approx([pitch] * 4)


@pytest.mark.parametrize("name", LOSSES)
def test_a_line_crosses_once_a_step_what_goes_in_or_out(name):
    found = measure(drawn(name, size="slide"))
    assert found.crossings <= 2 * 5 and (found.overlaps, found.slanted) == (0, 0)


@pytest.mark.parametrize("name", LOSSES)
def test_every_read_of_an_earlier_value_is_an_arrow_from_its_tap(name):
    picture = drawn(name).picture
    taps = {box: box.column for box in picture.boxes if box.between}
    late = 0
    for arrow in picture.arrows:
        for child, _ in arrow.edges:
            if arrow.tail in taps:
                assert taps[arrow.tail] == child.step - 1
                late += 1
    assert late >= 5 * (4 if name == "narx" else 2)
    assert not [box for box in picture.boxes if box.kind == "chip" and box.color not in (0, 1)]


def test_the_gradient_of_a_value_comes_back_through_its_taps():
    loss = LOSSES["narx"]
    picture = draw(loss, "cells", gradients=backward(loss)).picture
    back = [arrow for arrow in picture.arrows if arrow.flow == "gradient"]
    handed = [arrow for arrow in back if arrow.tail.between and arrow.head.between]
    assert len(handed) == 3  # of y_1, y_2 and y_3, whose later readers are steps 3, 4 and 5
