"""The folded drawing: one step, whose states come back through delays, and nothing else does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from microgrrepresent import (
    Graph,
    GraphError,
    Tensor,
    check_primitive,
    draw,
    fold,
    grad,
    primitive,
    step,
    stop_gradient,
    tanh,
)
from microgrrepresent.drawing.marks.labels import plain, width
from microgrrepresent.primitive import registry
from rnn import TimeDelayCell, unroll
from rnn.command_line.illustration import illustration
from tests.pictures.measures import measure


def test_the_delays_are_the_state_edges(cell, make):
    graph = Graph(make["outputs"](cell, 4))
    folded = fold(graph)
    picture = draw(graph, time="folded").picture
    squares = [box for box in picture.boxes if box.kind == "delay"]
    assert len(squares) == len(folded.delays)
    drawn = {edge for arrow in picture.arrows if arrow.tail in squares for edge in arrow.edges}
    assert drawn == {edge for delay in folded.delays for edge in delay.edges}
    before = {arrow.head: arrow.tail for arrow in picture.arrows if arrow.head in squares}
    assert before.keys() == set(squares)
    for square in squares:
        while square in before:  # of delays in a row the first
            square = before[square]
        assert square.nodes[0] in {delay.source for delay in folded.delays}


def test_each_node_of_the_cell_is_drawn_once(cell, make):
    graph = Graph(make["outputs"](cell, 4))
    picture = draw(graph, time="folded").picture
    faces = {arrow.head for arrow in picture.arrows if not arrow.edges and arrow.flow != "delay"}
    for node in fold(graph).cell:
        boxes = [b for b in picture.boxes if b.kind != "chip" and any(n is node for n in b.nodes)]
        assert len([box for box in boxes if box not in faces]) == 1


@pytest.mark.parametrize("T", [3, 5])
@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_folded_drawings_of_losses_and_their_gradients(cell, make, view, T):
    L = make["summed"](cell, T)
    W = next(node for node in Graph(L).parameters if node.ndim == 2)
    for out in (L, grad(L, W, create_graph=True)):
        picture = draw(out, view, time="folded").picture
        folded = fold(Graph(out))
        states = {d.source for d in folded.delays if d.source.step is not None}
        late = {node for a in picture.arrows if a.head.kind == "delay" for node in a.tail.nodes}
        shown = {node for box in picture.boxes if box.between for node in box.nodes}
        assert states & shown <= late
        squares = [box for box in picture.boxes if box.kind == "delay"]
        assert squares and all(a.path for a in picture.arrows)


@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_a_loop_leaves_a_state_on_the_side_of_the_next_step(cell, make, view):
    picture = draw(make["outputs"](cell, 4), view, time="folded").picture
    loops = [a for a in picture.arrows if a.head.kind == "delay" != a.tail.kind]
    assert loops
    for arrow in loops:
        assert arrow.path[0][0] == pytest.approx(arrow.tail.right, abs=1)
        assert max(x for x, _ in arrow.path) > arrow.tail.right + 5


def test_delays_stand_clear_of_other_arrows(folded):
    picture = folded.drawing.picture
    for square in (box for box in picture.boxes if box.kind == "delay"):
        for arrow in picture.arrows:
            if square not in (arrow.tail, arrow.head):
                for a, b in pairwise(arrow.path):
                    near = min(a[0], b[0]) - 2 < square.right and square.left < max(a[0], b[0]) + 2
                    level = min(a[1], b[1]) < square.top and square.bottom < max(a[1], b[1])
                    assert not (near and level), f"{arrow.tail.name}->{arrow.head.name}"


def test_a_longer_lag_than_the_cell_has_steps_before():
    cell = TimeDelayCell(3, 4, delays=2, rng=0)
    out = unroll(cell, np.zeros((3, 2, 3))).outputs
    picture = draw(out, time="folded").picture
    assert [plain(box.label) for box in picture.boxes if box.kind == "delay"] == ["", ""]


def tanh_of(picture):
    return next(box for box in picture.boxes if "tanh" in plain(box.label))


@pytest.mark.parametrize("view", ["gates", "cells"])
def test_a_delay_line_is_a_row_of_squares(view):
    """One step each, as in the notes; a lag of three has two of them."""
    x, y = Tensor(np.ones(3), name="x"), {t: Tensor(np.zeros(3), name="y") for t in (-2, -1, 0)}
    for t in range(1, 7):
        with step(t):
            y[t] = tanh(y[t - 1] + y[t - 3] * 0.5 + x).named("y")
    picture = draw([y[t] for t in range(1, 7)], view, time="folded").picture
    near, far = (box for box in picture.boxes if box.kind == "delay")
    assert (plain(near.label), plain(far.label)) == ("", "2")
    (onward,) = (arrow for arrow in picture.arrows if arrow.head is far)
    assert onward.tail is near
    assert far.right < near.left
    assert abs(far.y - tanh_of(picture).y) > abs(near.y - tanh_of(picture).y)  # outside of it
    ((x_fork, y_fork),) = onward.forks
    assert far.right < x_fork < near.left
    assert y_fork == near.y


@pytest.mark.parametrize("reverse", [False, True])
def test_a_delay_says_by_how_many_steps_if_by_several(reverse):
    h = {t: Tensor(np.zeros(3), name="h_0") for t in (-1, 0, 7, 8)}
    order = range(6, 0, -1) if reverse else range(1, 7)
    by = -1 if reverse else 1
    for t in order:
        with step(t):
            h[t] = tanh(h[t - 2 * by] * 0.5).named("h")
    last, before = (1, 2) if reverse else (6, 5)
    picture = draw([h[last], h[before]], time="folded").picture
    assert [plain(box.label) for box in picture.boxes if box.kind == "delay"] == ["2"]


def test_both_forms_side_by_side(folded):
    picture = folded.drawing.picture
    if folded.options["time"] == "both":
        left = [box for box in picture.boxes if box.name.startswith("folded/")]
        right = [b for b in picture.boxes if b not in left and b not in picture.legend]
        note = next(box for box in right if box.kind == "note")
        right.remove(note)
        assert max(b.right for b in left) < note.left
        assert note.right < min(b.left for b in right)
    assert len(folded.nodes) == len(picture.boxes)


def test_the_delay_of_a_truncated_loop_bears_scissors():
    h = Tensor(1.0, name="h")
    for t in range(1, 8):
        with step(t):
            h = tanh(stop_gradient(h) if t in (3, 5, 7) else h).named("h")
    picture = draw(h, time="folded").picture
    (square,) = (box for box in picture.boxes if box.kind == "delay")
    assert plain(square.label) == "✂ 2"
    assert {arrow.flow for arrow in picture.arrows if arrow.tail is square} == {"cut"}


def test_terms_summed_after_the_loop_end_in_one_box():
    h, hs = Tensor(1.0, name="h"), []
    for t in range(1, 6):
        with step(t):
            h = tanh(h).named("h")
        hs.append(h)
    picture = draw(sum(h * h for h in hs).named("L"), time="folded").picture
    totals = [box for box in picture.boxes if plain(box.label) == "Σ_t"]
    assert len(totals) == 1


@pytest.mark.parametrize("start", [0, Tensor(0.0)])
@pytest.mark.parametrize("time", ["folded", "both"])
@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_a_sum_inside_of_the_loop_is_a_state(start, time, view):
    h, total = Tensor(1.0, name="h"), start
    for t in (1, 2, 3):
        with step(t):
            h = tanh(h).named("h")
            total = total + h * h
    picture = draw(total, view, time=time).picture
    delays = [box for box in picture.boxes if box.kind == "delay"]
    assert len(delays) == 2
    for square in delays:  # in the middle, not beside what it belongs to
        ways = [arrow.path for arrow in picture.arrows if arrow.tail is square]
        assert all(way[0][0] == square.left and way[-1][0] < square.x for way in ways)


def test_a_start_of_terms_summed_after_the_loop_is_left_out():
    h, hs = Tensor(1.0, name="h"), []
    for t in (1, 2, 3):
        with step(t):
            h = tanh(h).named("h")
        hs.append(h)
    picture = draw(sum((h * h for h in hs), Tensor(0.0)).named("L"), time="folded").picture
    assert {plain(box.label) for box in picture.boxes if box.column == 2} == {"Σ_t", "L"}
    assert all(box.kind not in ("input", "constant") for box in picture.boxes)


def test_a_loop_that_differs_is_not_folded():
    h = Tensor(1.0)
    for t in (1, 2, 3):
        with step(t):
            h = h * 2 if t != 2 else h + 1
    with pytest.raises(GraphError):
        draw(h, time="folded")


def test_nodes_without_a_name_are_called_alike_at_every_step():
    """Not by the number that the node of one step has in the graph: it stands for all of them."""
    h = Tensor(np.zeros(3), name="h")
    for t in (1, 2, 3, 4):
        with step(t):
            h = tanh(h + Tensor(np.ones(3)))
    names = [plain(box.label) for box in draw(h, "variables", time="folded").picture.boxes]
    assert "x_t" in names
    assert {"u^(1)_t", "u^(2)_t"} <= set(names)


def test_a_sum_over_the_steps_has_its_step_where_one_stands_for_all():
    h, total = Tensor(np.zeros(3), name="h"), 0
    for t in (1, 2, 3, 4):
        with step(t):
            h = tanh(h).named("h")
            total = total + h.sum()
    boxes = draw(total, "variables", time="folded").picture.boxes
    assert {plain(box.label) for box in boxes if box.kind == "state"} == {"h_t", "u^(2)_t"}


@pytest.mark.parametrize(
    ("source", "sign", "shown"), [("a + b", "plus", "Σ_t"), ("a + b + 1", "+", "+")]
)
def test_a_total_is_a_sum_by_its_source(source, sign, shown):
    op = primitive(
        "their_total_in_a_drawing",
        eval(f"lambda a, b: {source}"),
        (lambda g, y, a, b: g, lambda g, y, a, b: g),
        symbol=sign,
        source=source,
        derivative=("1.0", "1.0"),
        meets="elementwise",
    )
    check_primitive(op, [0.5], [2.0])
    h, states, total = Tensor(1.0, name="h"), [], Tensor(0.0)
    for t in range(1, 5):
        with step(t):
            h = tanh(h).named("h")
            states.append(h)
    for h in states:
        total = op(total, h)
    labels = {plain(box.label) for box in draw(total, "variables", time="folded").picture.boxes}
    assert labels & {"Σ_t", "+", "plus"} == {shown}
    registry.pop(op.name)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("view", ["variables", "gates"])
def test_nothing_leaves_a_state_where_something_enters_it(kind, view):
    picture = draw(illustration(kind, 3)[0], view, time="folded").picture
    for box in picture.boxes:
        if box.kind == "state":
            ends = {a.path[-1] for a in picture.arrows if a.head is box}
            assert ends and not ends & {a.path[0] for a in picture.arrows if a.tail is box}


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("view", ["operations", "variables", "gates"])
def test_titles_and_boxes_stand_clear(kind, view):
    drawing = draw(illustration(kind, 3)[0], view, time="folded")
    picture, found = drawing.picture, measure(drawing)
    assert (found.overlaps, found.slanted) == (0, 0)
    (panel,) = picture.panels
    right = panel.title_left + width(panel.title, 14)
    low, high = panel.top - 22, panel.top - 4  # of the line on which the title stands
    for arrow in picture.arrows:
        if arrow.label and arrow.label_at:
            (x, y), wide = arrow.label_at, width(arrow.label, 14)
            inside = x - wide / 2 < right and x + wide / 2 > panel.title_left
            assert not (inside and low < y < high)
    inputs = [box for box in picture.boxes if box.kind == "input" and plain(box.label) == "x_t"]
    assert all(box.top < panel.bottom - 5 for box in inputs)


def test_the_last_operation_of_a_state_has_its_name():
    picture = draw(illustration("rnn", 3)[0], "variables", time="folded").picture
    (into,) = [arrow for arrow in picture.arrows if plain(arrow.head.label) == "h_t"]
    assert plain(into.label) == "tanh" and into.label_at is not None


def test_the_losses_of_all_steps_go_into_their_sum_by_one_arrow():
    picture = draw(illustration("rnn", 5)[0], "variables", time="folded").picture
    out = [arrow for arrow in picture.arrows if plain(arrow.tail.label) == "L_t"]
    assert len(out) == 1 and len(out[0].edges) == 5
