"""The view of variables: what each arrow multiplies with, x * x, and where lines join."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from microgrrepresent import draw
from microgrrepresent.drawing.marks.labels import plain
from rnn.command_line.illustration import illustration


@pytest.fixture(params=["rnn", "lstm"])
def looped(request):
    loss, _ = illustration(request.param, 3)
    return draw(loss, "variables", time="folded").picture


def labelled(picture):
    """The arrows with a label that is drawn, by what they say."""
    return {plain(a.label): a for a in picture.arrows if a.label and a.label_at is not None}


def test_an_arrow_has_the_whole_name_of_the_matrix_that_it_multiplies_with(looped):
    said = labelled(looped)
    assert {"W_ih·", "W_hh·", "V·"} <= said.keys() and "W·" not in said


def test_the_label_of_a_loop_stands_outside_of_it(looped):
    arrow = labelled(looped)["W_hh·"]
    assert arrow.tail.kind == "delay"
    (panel,) = looped.panels
    x, y = arrow.label_at
    assert not panel.bottom < y < panel.top
    half = arrow.room[0] / 2
    for other in looped.arrows:
        for (x0, y0), (x1, y1) in pairwise(other.path):
            if x0 == x1 and min(y0, y1) < y < max(y0, y1):
                assert not x - half < x0 < x + half


def test_both_arrows_of_a_square_go_side_by_side_and_one_says_what_they_do(looped):
    pairs = Counter((a.tail, a.head) for a in looped.arrows)
    ((tail, head),) = (ends for ends, n in pairs.items() if n == 2)
    first, second = (a for a in looped.arrows if (a.tail, a.head) == (tail, head))
    assert first.label and not second.label
    assert tail.is_round and head.is_round
    for arrow in (first, second):
        assert arrow.path[0][0] == arrow.path[-1][0]  # upright
    assert abs(first.path[0][0] - second.path[0][0]) > 3


def test_where_lines_join_on_the_way_to_a_state_there_is_a_dot():
    picture = draw(illustration("lstm", 3)[0], "variables", time="folded").picture
    for name in ("c_t", "h_t"):
        into = [a for a in picture.arrows if plain(a.head.label) == name and a.tail.nodes]
        assert len(into) == 2
        (dot,) = (fork for a in into for fork in a.forks)
        assert (
            dot[1] == into[0].head.y and min(a.tail.x for a in into) < dot[0] < into[0].head.x + 1
        )
