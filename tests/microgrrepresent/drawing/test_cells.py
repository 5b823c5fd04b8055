"""The view of cells: each is one box, whether it is unrolled, folded, or used at one step only."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import draw
from microgrrepresent.drawing.marks.labels import plain
from rnn import NARX, unroll
from rnn.command_line.illustration import illustration


def boxes_of(picture, kind):
    """The labels of the boxes of a kind."""
    return [plain(box.label) for box in picture.boxes if box.kind == kind]


@pytest.mark.parametrize("time", ["unrolled", "folded", "both"])
@pytest.mark.parametrize("output", ["all", "last"])
def test_every_cell_of_a_stack_is_one_box(time, output):
    """Of the upper layer that runs backward, the last output needs one step only."""
    loss, _ = illustration("lstm", 3, layers=2, bidirectional=True, output=output)
    picture = draw(loss, "cells", time=time).picture
    assert not boxes_of(picture, "function") and not boxes_of(picture, "op")
    layers = {f"lstm^({n}){arrow}" for n in (1, 2) for arrow in "→←"}
    found = boxes_of(picture, "cell")
    assert set(found) == layers
    if time == "folded":
        assert len(found) == 4
    if time == "unrolled":
        assert len(found) == (12 if output == "all" else 10)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm", "lstm-peephole"])
def test_a_folded_cell_is_one_box_with_a_loop_for_each_state(kind):
    picture = draw(illustration(kind, 4)[0], "cells", time="folded").picture
    states, delays = boxes_of(picture, "state"), boxes_of(picture, "delay")
    assert len(boxes_of(picture, "cell")) == 1 and not boxes_of(picture, "op")
    assert len(states) == len(delays) == (2 if "lstm" in kind else 1)


def test_a_delay_line_shows_in_a_folded_cell_where_its_values_go():
    net = NARX(1, 1, input_delays=1, output_delays=2, hidden_size=3, rng=0)
    picture = draw(unroll(net, np.ones((5, 1))).outputs, "cells", time="folded").picture
    assert boxes_of(picture, "op") and not boxes_of(picture, "cell")
