"""Two directions of a layer: a row each, and nothing goes round a box."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import Tensor, backward, concatenate, draw, linear, scope, step, tanh
from microgrrepresent.drawing.marks.colors import head_length
from microgrrepresent.drawing.marks.curves import corners_of
from microgrrepresent.drawing.marks.labels import plain
from rnn import GRU, LSTM, RNN


def directions(kind=RNN, layers=1):
    layer = kind(3, 4, layers, bidirectional=True, rng=0)
    return layer.by_step([x_at(t) for t in (1, 2)])


def x_at(t):
    with step(t):
        return Tensor(np.ones(3), name="x")


def upright(picture):
    """The arrows from one level to another of a step."""
    return [
        arrow
        for arrow in picture.arrows
        if arrow.flow == "value" and {"x", "y"} & {name_of(arrow.tail), name_of(arrow.head)}
    ]


def name_of(box):
    return box.nodes[0].name if box.nodes else None


@pytest.mark.parametrize("view", ["cells", "gates"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_what_joins_the_rows_is_straight(kind, layers, view):
    picture = draw(directions(kind, layers), view).picture
    ways = [corners_of(arrow.path) for arrow in upright(picture)]
    assert len(ways) >= 2 * 4 * layers
    for way in ways:
        assert len(way) == 2 and way[0][0] == way[1][0], way


@pytest.mark.parametrize("layers", [1, 2])
def test_each_direction_has_a_row(layers):
    picture = draw(directions(RNN, layers), "cells").picture
    heights = {}
    for box in picture.boxes:
        if box.kind == "state":
            heights.setdefault(plain(box.label).rpartition("_")[0], set()).add(box.y)
    marks = ["→", "←"] if layers == 1 else ["(1)→", "(1)←", "(2)→", "(2)←"]
    assert list(heights) == [f"h^{mark}" for mark in marks]
    assert all(len(ys) == 1 for ys in heights.values())
    rows = [ys.pop() for ys in heights.values()]
    assert rows == sorted(rows)


def test_boxes_of_layers_are_called_by_their_network():
    picture = draw(directions(GRU, 2), "cells").picture
    cells = {plain(box.label) for box in picture.boxes if box.kind == "cell"}
    assert cells == {"gru^(1)→", "gru^(1)←", "gru^(2)→", "gru^(2)←"}
    outputs = [plain(box.label) for box in picture.boxes if box.kind == "output"]
    assert outputs == ["y^(1)_1", "y^(1)_2", "y^(2)_1", "y^(2)_2"]


def test_the_folded_pair_has_rows_too():
    picture = draw(directions(), "gates", time="folded").picture
    assert all(len(corners_of(arrow.path)) == 2 for arrow in upright(picture))


def test_heads_of_gradients_are_clear_of_what_passes():
    loss = sum(((y * y).sum() for y in directions(GRU)), Tensor(0.0))
    picture = draw(loss, "cells", gradients=backward(loss)).picture
    passing = [(arrow.path[0], arrow.path[-1]) for arrow in upright(picture)]
    for arrow in picture.arrows:
        if arrow.flow == "gradient" and arrow.path[-1][1] == arrow.path[-4][1]:
            tip, back = arrow.path[-1][0], arrow.path[-4][0]
            foot = tip + head_length(arrow) * (1 if back > tip else -1)
            low, high, y = min(tip, foot), max(tip, foot), arrow.path[-1][1]
            near = [x for (x, start), (_, end) in passing if start < y < end]
            assert not any(low - 2 < x < high + 2 for x in near)


def test_two_recurrences_of_ones_own_stand_side_by_side():
    W = Tensor(np.eye(2), requires_grad=True, name="W")
    a = b = Tensor(np.zeros(2))
    said = []
    for t in (1, 2, 3):
        with step(t):
            x = Tensor(np.ones(2), name="x")
            with scope("slow"):
                a = tanh(linear(x, W) + 0.9 * a).named("a")
            with scope("fast"):
                b = tanh(linear(x, W) + 0.1 * b).named("b")
            said.append(concatenate([a, b], axis=-1).named("y"))
    picture = draw(said, "cells").picture
    assert all(len(corners_of(arrow.path)) == 2 for arrow in upright(picture))
    one = {box.column: box for box in picture.boxes if plain(box.label) == "slow"}
    other = {box.column: box for box in picture.boxes if plain(box.label) == "fast"}
    assert all(one[t].top < other[t].bottom and one[t].x < other[t].x for t in (1, 2, 3))


def test_hidden_steps_look_as_the_others():
    """No arrow goes round a box: what both directions read, and their outputs, have a box each."""
    layer = RNN(3, 4, num_layers=2, bidirectional=True, rng=0)
    output, _ = layer(np.ones((7, 3)))
    picture = draw(output, "cells", window=(1, 1)).picture
    hidden = {box for box in picture.boxes if box.kind == "elision"}
    assert len(hidden) == 7
    inside = [arrow for arrow in picture.arrows if {arrow.tail, arrow.head} <= hidden]
    assert len(inside) == 8
    for arrow in inside:
        assert len({x for x, _ in arrow.path}) == 1, (arrow.tail.name, arrow.head.name)
