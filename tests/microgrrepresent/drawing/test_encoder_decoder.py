"""An encoder, a decoder that looks at all of its outputs, and the memory between the two."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import Graph, cross_entropy, draw
from microgrrepresent.drawing.marks.labels import plain
from rnn import GRU, Decoder, Encoder


def loss(T=3, **options):
    options = {"attention": "dot"} | options
    encoder, decoder = Encoder(GRU(3, 4, rng=0)), Decoder(5, 4, 4, rng=1, **options)
    scores = decoder(
        encoder(np.random.default_rng(0).standard_normal((T, 2, 3))), np.zeros((T, 2), int)
    )
    return cross_entropy(scores.reshape((-1, 5)), np.zeros(2 * T, int)).named("L")


def scopes(box, start):
    return any(node.scope.startswith(start) for node in box.nodes if node.parents)


@pytest.mark.parametrize("view", ["operations", "gates", "cells"])
@pytest.mark.parametrize("options", [{}, {"attention": "additive"}, {"context_every_step": True}])
def test_the_memory_stands_between_encoder_and_decoder(view, options):
    picture = draw(loss(**options), view).picture
    encoder = [b for b in picture.boxes if b.kind in ("cell", "function") and scopes(b, "encoder")]
    decoder = [b for b in picture.boxes if b.kind in ("cell", "function") and scopes(b, "decoder")]
    memory = [b for b in picture.boxes if plain(b.label) == "S" and b.kind != "chip"]
    assert len(memory) == 1
    assert max(b.x for b in encoder if b.nodes[0].step is not None) < min(b.left for b in decoder)
    assert memory[0].right < min(b.left for b in decoder)
    assert memory[0].left > max(b.right for b in encoder if b.nodes[0].step == 2)


@pytest.mark.parametrize("view", ["operations", "gates", "cells"])
def test_no_arrow_goes_back_in_time(view):
    picture = draw(loss(), view).picture
    end = max(box.column for box in picture.boxes)  # it stands above the steps
    for arrow in picture.arrows:
        assert arrow.tail.column <= arrow.head.column
        above = arrow.head.column == end and arrow.head.bottom > arrow.tail.top
        assert above or arrow.tail.x < arrow.head.x or arrow.tail.column == arrow.head.column


@pytest.mark.parametrize("view", ["operations", "gates", "cells"])
@pytest.mark.parametrize("options", [{}, {"attention": "additive"}])
def test_all_steps_of_the_decoder_are_alike(view, options):
    picture = draw(loss(4, **options), view).picture
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
    picture = draw(loss(), "cells").picture
    (memory,) = (b for b in picture.boxes if plain(b.label) == "S" and b.kind != "chip")
    chips = [b for b in picture.boxes if plain(b.label) == "S" and b.kind == "chip"]
    assert [chip.column for chip in chips] == [4, 5, 6]
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
