"""A long sequence in rows, with the loss of all steps."""

from __future__ import annotations

import pytest

from microgrrepresent import backward, draw
from microgrrepresent.drawing.marks.labels import plain
from rnn.command_line.illustration import illustration
from tests.pictures.measures import measure


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("view", ["cells", "gates"])
def test_a_sequence_with_a_loss_stands_in_rows(kind, view):
    drawing = draw(illustration(kind, 12)[0], view, size="slide")
    picture, found = drawing.picture, measure(drawing)
    assert picture.rows > 1 and 1.2 < found.aspect < 2.4
    assert (found.overlaps, found.slanted) == (0, 0)
    losses = {plain(box.label): box for box in picture.boxes if box.kind == "loss"}
    assert len({losses[f"L_{t}"].y for t in range(1, 13)}) == picture.rows
    goal = losses["L"]
    others = [box for box in picture.boxes if box is not goal and box not in picture.legend]
    assert all(goal.left > box.right for box in others)
    into = [arrow for arrow in picture.arrows if arrow.head is goal]
    assert len(into) == 12
    for arrow in into:
        assert arrow.path[0] == (arrow.tail.x, arrow.tail.top)
        assert arrow.path[-1] in ((goal.left, goal.y), (goal.x, goal.bottom))


def test_both_states_of_an_lstm_are_handed_on():
    picture = draw(illustration("lstm", 12)[0], "cells", size="slide").picture
    again = [box for box in picture.boxes if box.pending]
    assert sorted({plain(box.label)[0] for box in again}) == ["c", "h"]
    assert len(again) == 2 * (picture.rows - 1)
    for box in again:
        (into,) = [arrow for arrow in picture.arrows if arrow.head is box]
        assert plain(into.tail.label) == plain(box.label)


def test_letters_of_a_long_sequence_can_be_read():
    assert measure(draw(illustration("rnn", 24)[0], "cells", size="slide")).text > 13


def test_gradients_follow_the_rows():
    loss, _ = illustration("rnn", 12)
    picture = draw(loss, "cells", gradients=backward(loss), size="slide").picture
    back = [arrow for arrow in picture.arrows if arrow.flow == "gradient"]
    assert sum(plain(arrow.tail.label) == "L" for arrow in back) == 12
