"""The folded drawing: one step, whose states come back through delays, and nothing else does."""

from __future__ import annotations

import pytest

from microgrrepresent import (
    Graph,
    GraphError,
    Tensor,
    draw,
    fold,
    step,
    stop_gradient,
    tanh,
)
from microgrrepresent.drawing.labels import plain


def test_the_delays_are_the_state_edges(cell, make):
    graph = Graph(make["outputs"](cell, 4))
    folded = fold(graph)
    picture = draw(graph, time="folded").picture
    squares = [box for box in picture.boxes if box.kind == "delay"]
    assert len(squares) == len(folded.delays)
    drawn = {edge for arrow in picture.arrows if arrow.tail in squares for edge in arrow.edges}
    assert drawn == {edge for delay in folded.delays for edge in delay.edges}
    for square in squares:
        (into,) = (arrow for arrow in picture.arrows if arrow.head is square)
        states = {delay.source for delay in folded.delays}
        assert into.tail.nodes[0] in states


def test_each_node_of_the_cell_is_drawn_once(cell, make):
    graph = Graph(make["outputs"](cell, 4))
    picture = draw(graph, time="folded").picture
    faces = {arrow.head for arrow in picture.arrows if not arrow.edges and arrow.flow != "delay"}
    for node in fold(graph).cell:
        boxes = [b for b in picture.boxes if b.kind != "chip" and any(n is node for n in b.nodes)]
        assert len([box for box in boxes if box not in faces]) == 1


def test_both_forms_side_by_side(folded):
    picture = folded.drawing.picture
    if folded.options["time"] == "both":
        left = [box for box in picture.boxes if box.key.startswith("folded/")]
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


def test_a_loop_that_differs_is_not_folded():
    h = Tensor(1.0)
    for t in (1, 2, 3):
        with step(t):
            h = h * 2 if t != 2 else h + 1
    with pytest.raises(GraphError):
        draw(h, time="folded")
