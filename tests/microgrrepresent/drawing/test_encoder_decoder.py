"""An encoder and a decoder: one above the other, and what is handed up from loop to loop."""

from __future__ import annotations

import re

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, cross_entropy, draw, grad, scope, step
from microgrrepresent.drawing.marks.labels import plain
from rnn import GRU, LSTM, RNN, Decoder, Encoder, GRUCell, LSTMCell, RNNCell


def loss(read=3, teacher_forcing=1.0, written=3, layer=GRU, **options):
    options = {"attention": "dot"} | options
    encoder, decoder = Encoder(layer(3, 4, rng=0)), Decoder(5, 4, 4, rng=1, **options)
    encoded = encoder(np.random.default_rng(0).standard_normal((read, 2, 3)))
    scores = decoder(encoded, np.zeros((written, 2), int), teacher_forcing)
    return cross_entropy(scores.reshape((-1, 5)), np.zeros(2 * written, int)).named("L")


def scopes(box, start):
    return any(node.scope.startswith(start) for node in box.nodes if node.parents)


VIEWS = ["operations", "gates", "cells"]
OPTIONS = [{"attention": None}, {}, {"attention": "additive"}, {"context_every_step": True}]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("options", OPTIONS)
def test_the_decoder_stands_above_its_encoder(view, options):
    picture = draw(loss(**options), view).picture
    steps = [b for b in picture.boxes if b.kind in ("cell", "function", "op") and b.column]
    encoder = [b for b in steps if scopes(b, "encoder") and b.nodes[0].step is not None]
    decoder = [b for b in steps if scopes(b, "decoder") and b.nodes[0].step is not None]
    assert max(b.top for b in encoder) < min(b.bottom for b in decoder)
    assert min(b.left for b in decoder) < max(b.left for b in encoder)  # time begins again


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("options", OPTIONS)
def test_within_a_loop_no_arrow_goes_back_in_time(view, options):
    picture = draw(loss(**options), view).picture
    end = max(box.column for box in picture.boxes)  # it stands above the steps
    for arrow in picture.arrows:
        if arrow.tail.storey == arrow.head.storey:
            assert arrow.tail.column <= arrow.head.column
            above = arrow.head.column == end and arrow.head.bottom > arrow.tail.top
            assert above or arrow.tail.x < arrow.head.x or arrow.tail.column == arrow.head.column


@pytest.mark.parametrize("view", ["gates", "cells"])
def test_the_last_state_is_the_context_without_a_box_between(view):
    picture = draw(loss(attention=None), view).picture
    (context,) = (b for b in picture.boxes if plain(b.label) == "C")
    (into,) = (a for a in picture.arrows if a.head is context)
    assert plain(into.tail.label) == "h_3" and into.tail.storey == 0
    assert context.kind == "state" and context.storey == 1
    assert not {"[·]", "⧺"} & {plain(b.label) for b in picture.boxes if b.column != 7}
    readers = {a.head for a in picture.arrows if a.tail is context}
    assert readers and all(context.right < reader.left for reader in readers)


@pytest.mark.parametrize(("read", "written"), [(3, 1), (1, 3), (1, 1)])
@pytest.mark.parametrize("kind", [(RNN, RNNCell), (GRU, GRUCell), (LSTM, LSTMCell)])
@pytest.mark.parametrize("options", OPTIONS[:3])
def test_a_loop_of_one_step_is_drawn_as_one_of_several(read, written, kind, options):
    """It has the same boxes, apart from how many steps there are."""
    layer, made = kind

    def shown(read, written):
        L = loss(read, 1.0, written, layer, cell=made, **options)
        found = {}
        for box in draw(L, "cells", legend=False).picture.boxes:
            words = re.sub(r"\d+", "n", plain(box.label))
            found.setdefault((box.storey, box.kind, words), []).append(box)
        return found

    found, usual = shown(read, written), shown(3, 3)
    assert found.keys() == usual.keys()
    for storey, steps_ in ((0, read), (1, written)):
        assert [len(boxes) for (at, kind, _), boxes in found.items()
                if (at, kind) == (storey, "cell")] == [steps_]  # fmt: skip


def test_a_loop_begins_as_it_goes_on():
    """Its first cell is as large as the others, with the states at the same heights."""
    encoder, cell, steps_ = RNNCell(3, 4, rng=0), RNNCell(3, 4, rng=1), range(1, 4)
    h = Tensor(np.zeros((1, 4)), name="h")
    for name, one in (("encoder", encoder), ("decoder", cell)):
        with scope(name):
            for t in steps_:
                with step(t):
                    h = one(Tensor(np.ones((1, 3)), name="x"), h)
    picture = draw(h, "cells").picture
    again = [b for b in picture.boxes if b.pending]
    assert [plain(b.label) for b in again] == ["h_3"]
    (handed,) = (a for a in picture.arrows if a.head is again[0])
    assert plain(handed.tail.label) == "h_3" and handed.tail.storey == 0
    upper = [b for b in picture.boxes if b.kind == "cell" and b.storey == 1]
    assert len({(b.width, b.height, b.y) for b in upper}) == 1
    assert len({b.y for b in picture.boxes if b.kind == "state" and b.storey == 1}) == 1


@pytest.mark.parametrize("view", ["gates", "cells"])
@pytest.mark.parametrize("options", OPTIONS)
def test_what_a_free_decoder_has_written_goes_on_to_its_next_step(view, options):
    picture = draw(loss(teacher_forcing=0.0, **options), view).picture
    for t in (0, 1, 2):
        (said,) = (b for b in picture.boxes if plain(b.label) == f"ŷ_{t}" and b.kind != "chip")
        before = {a.tail.column for a in picture.arrows if a.head is said}
        readers = {a.head.column for a in picture.arrows if a.tail is said}
        assert (before, readers) == ({3 + t} if t else set(), {4 + t})
    assert len({b.y for b in picture.boxes if plain(b.label)[0] == "ŷ"}) == 1


@pytest.mark.parametrize("kind", [(RNN, RNNCell), (GRU, GRUCell), (LSTM, LSTMCell)])
@pytest.mark.parametrize("options", OPTIONS[:3])
def test_what_is_written_goes_up_and_over_and_is_read_as_a_word(kind, options):
    """No derivative passes there: the cell ends at h, with words below and scores above it."""
    layer, cell = kind
    picture = draw(loss(3, 0.0, 3, layer, cell=cell, **options), "cells").picture
    cells = [b for b in picture.boxes if b.kind == "cell" and b.storey == 1]
    assert [plain(b.label) for b in cells] == ["decoder"] * 3
    assert not {"x", "y", "ŷ"} & {node.name for b in cells for node in b.nodes}
    for t in (1, 2):
        said = [b for b in picture.boxes if plain(b.label) == f"ŷ_{t}"]
        (way,) = (a for a in picture.arrows if a.head in said)
        (y,) = (a.tail for a in picture.arrows if a.head is way.tail)
        (x,) = (a.head for a in picture.arrows if a.tail in said)
        assert (plain(y.label), plain(x.label)) == (f"y_{t}", f"x_{t + 1}")
        assert way.tail.bottom > y.top > cells[t - 1].top and way.flow == "value"
        assert way.tail.bottom > x.top and x.top < cells[t].bottom
    assert {plain(b.label) for b in picture.boxes if b.kind == "chip"} >= {"E", "W", "b"}


def test_loops_that_look_back_at_each_other_stand_in_one_row():
    L = loss(attention=None)
    parameters = Graph(L).parameters
    picture = draw(grad(L, parameters, create_graph=True), "operations").picture
    assert {box.storey for box in picture.boxes} == {0}
    assert {box.storey for box in draw(loss(), "cells", rails=True).picture.boxes} == {0}
    assert {box.storey for box in draw(loss(), "cells", window=(2, 2)).picture.boxes} == {0}


@pytest.mark.parametrize("view", ["operations", "gates", "cells"])
@pytest.mark.parametrize("options", [{}, {"attention": "additive"}])
def test_all_steps_of_the_decoder_are_alike(view, options):
    picture = draw(loss(4, written=4, **options), view).picture
    steps = {}
    for box in picture.boxes:
        if 4 < box.column <= 8 and not box.between:
            steps.setdefault(box.column, {})[box.slot] = box
    first = steps[5]
    for column in (6, 7, 8):
        assert steps[column].keys() == first.keys()
        shifts = {round(steps[column][slot].x - box.x, 2) for slot, box in first.items()}
        assert len(shifts) == 1
        assert all(abs(steps[column][slot].y - box.y) < 0.01 for slot, box in first.items())


def test_the_decoder_has_a_chip_of_the_memory_at_every_use():
    picture = draw(loss(context_every_step=True, attention=None), "cells", loss=False).picture
    memory, first = (b for b in picture.boxes if plain(b.label) == "C" and b.kind != "chip")
    assert not memory.pending and first.pending  # the state before the first step
    chips = [b for b in picture.boxes if plain(b.label) == "C" and b.kind == "chip"]
    assert {chip.column for chip in chips} == {4, 5, 6}
    assert memory.color is not None and {chip.color for chip in chips} == {memory.color}


def test_a_folded_encoder_decoder_is_free_of_arrows_across_its_cells():
    graph = Graph(loss())
    picture = draw(graph, "gates", time="folded").picture
    (loss_box,) = (b for b in picture.boxes if b.kind == "loss")
    for arrow in picture.arrows:
        assert arrow.tail.column <= arrow.head.column or arrow.flow == "delay"
        if arrow.head is loss_box and arrow.tail.kind == "output":
            inner = [p for p in arrow.path if arrow.tail.right < p[0] < loss_box.left]
            for x, y in inner:
                for box in picture.boxes:
                    inside = box.left < x < box.right and box.bottom < y < box.top
                    assert not inside, box.name
