"""The levels of variables are those that a picture of all operations has."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, cross_entropy, draw, grad, linear, step, tanh
from microgrrepresent.drawing.time.levels import slot_levels
from microgrrepresent.drawing.time.timeline import timeline
from microgrrepresent.drawing.views.builder import build
from microgrrepresent.drawing.views.glyphs import Details
from microgrrepresent.drawing.views.levels import levels
from microgrrepresent.drawing.views.views import operations
from rnn import GRU, LSTM, Decoder, Encoder
from rnn.command_line.illustration import ILLUSTRATED, illustration

T = 12


def layers(kind, **options):
    out, _ = kind(3, 4, 2, rng=0, **options)(np.zeros((T, 2, 3)))
    return (out * out).mean().named("L")


def encoder_decoder():
    encoder, decoder = Encoder(GRU(3, 4, rng=0)), Decoder(5, 4, 4, attention="dot", rng=1)
    scores = decoder(encoder(np.zeros((T, 2, 3))), np.zeros((T, 2), int))
    return cross_entropy(scores.reshape((-1, 5)), np.zeros(2 * T, int)).named("L")


def backward_graph():
    L, _ = illustration("lstm", T)
    return grad(L, Graph(L).parameters[0], create_graph=True)


MAKE = {
    **{name: lambda name=name: illustration(name, T)[0] for name in ILLUSTRATED},
    "stacked": lambda: layers(LSTM),
    "bidirectional": lambda: layers(GRU, bidirectional=True),
    "encoder-decoder": encoder_decoder,
    "backward": backward_graph,
}


@pytest.mark.parametrize("name", MAKE)
def test_levels_of_variables_are_those_of_their_boxes(name):
    time = timeline(Graph(MAKE[name]()))
    whole = levels(build(time, operations(time), Details()), range(1, time.T + 1))
    found = slot_levels(time)
    own = {time.slot[node] for node in time.nodes if time.is_step(node)} & whole.keys()
    assert own and {slot: found.get(slot) for slot in own} == {slot: whole[slot] for slot in own}


@pytest.mark.parametrize("length", [3, 4])
def test_what_the_first_step_reads_for_a_state_is_an_input_if_it_is_of_another_shape(length):
    """One to many: h_1 is made of x, the others of the state before them."""
    x, W = Tensor(np.ones(length), name="x"), Tensor(np.ones((4, length)), True, "W")
    U, h, said = Tensor(np.eye(4), True, "U"), None, []
    for t in (1, 2, 3):
        with step(t):
            h = tanh(linear(x, W) if h is None else linear(h, U)).named("h")
            said.append(h)
    picture = draw(said, "gates").picture
    (box,) = (box for box in picture.boxes if any(node is x for node in box.nodes))
    (arrow,) = (arrow for arrow in picture.arrows if arrow.tail is box)
    assert (box.kind, box.between) == (("state", True) if length == 4 else ("input", False))
    assert (box.y < arrow.head.bottom) == (length == 3)
