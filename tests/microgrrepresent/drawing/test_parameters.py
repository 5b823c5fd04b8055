"""Parameters in a picture: no two look alike or have one name, and all names can be read."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from microgrrepresent import Tensor, backward, draw, scope, step, steps, tanh
from microgrrepresent.drawing.marks.colors import box_paint, line_style
from microgrrepresent.drawing.marks.labels import math, plain, text
from microgrrepresent.drawing.marks.themes import THEMES
from rnn import LSTM
from rnn.command_line.illustration import illustration


def bidirectional():
    layers = LSTM(3, 4, 2, bidirectional=True, rng=0)
    out, _ = layers(np.random.default_rng(0).standard_normal((3, 2, 3)))
    return out.sum().named("L")


MAKE = {
    "gru": lambda: illustration("gru", 3)[0],
    "lstm-peephole": lambda: illustration("lstm-peephole", 3)[0],
    "bidirectional": bidirectional,
}


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_two_parameters_look_alike(name, theme):
    looks = defaultdict(set)
    for box in draw(MAKE[name](), "gates").picture.boxes:
        if box.color is not None:
            paint = box_paint(box, THEMES[theme])
            looks[paint.fill, paint.line, paint.weight].add(box.color)
    assert len(looks) > 5 and all(len(colors) == 1 for colors in looks.values())


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("view", ["operations", "gates", "cells"])
def test_no_two_parameters_have_one_name(name, view):
    """The first line of the legend's boxes, and so of all chips of one color."""
    picture = draw(MAKE[name](), view).picture
    of_name = defaultdict(set)
    for box in picture.boxes:
        if box.color is not None:
            of_name[plain(box.label[:1])].add(box.color)
    assert all(len(colors) == 1 for colors in of_name.values()), dict(of_name)


@pytest.mark.parametrize("name", MAKE)
def test_the_folded_cell_and_the_chain_beside_it_have_one_legend(name):
    of_name = defaultdict(set)
    for box in draw(MAKE[name](), "gates", time="both").picture.boxes:
        if box.color is not None:
            of_name[plain(box.label[:1])].add(box.color)
    assert len(of_name) > 5 and all(len(colors) == 1 for colors in of_name.values())


def test_parameters_of_layers_have_the_marks_of_their_layers():
    picture = draw(bidirectional(), "gates").picture
    labels = {plain(box.label) for box in picture.legend}
    assert {"b^(1)→", "b^(2)→", "b^(1)←", "W^(2)←_ih", "W^(1)→_hh"} <= labels


def test_namesakes_without_layers_have_letters():
    x = Tensor(np.ones(2), name="x")
    one, two = (Tensor(np.ones(2), requires_grad=True, name="w") for _ in range(2))
    total = Tensor(0.0)
    for _, part in steps([x, x]):
        total = total + (part * one * two).sum()
    labels = {plain(box.label) for box in draw(total).picture.legend}
    assert {"w^a", "w^b"} <= labels


def test_rails_of_one_hue_have_two_line_styles():
    picture = draw(bidirectional(), "gates", rails=True).picture
    looks = defaultdict(set)
    for arrow in picture.arrows:
        if arrow.color is not None:
            hue = arrow.color % len(THEMES["light"].palette)
            looks[hue, line_style(arrow, THEMES["light"])].add(arrow.color)
    assert len(looks) > 7 and all(len(colors) == 1 for colors in looks.values())


def test_a_folded_and_an_unrolled_graph_side_by_side_fit_on_a_slide():
    L, _ = illustration("lstm", 4)
    picture = draw(L, "gates", time="both", gradients=backward(L)).picture
    left, _, right, _ = picture.bounds()
    assert right - left < 2300
    small = min(run.size * b.font for b in picture.boxes for line in b.label for run in line)
    assert small >= 9.5
    whole = draw(L, "gates", time="both", window=(4, 0)).picture
    assert not [box for box in whole.boxes if box.kind == "elision"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("hidden_state", text("hidden_state")),
        ("attention_weights", text("attention_weights")),
        ("W_{hh}", math("W_hh")),
        ("h_{t_1}", math("h_t_1")),
    ],
)
def test_names_of_words_are_words_and_braces_are_taken_off(name, line):
    assert math(name) == line


def test_letters_keep_their_subscripts():
    assert [plain((math(n),)) for n in ("h_prev", "yhat_out", "theta_gru", "W_ih^2←")] == [
        "h_prev", "ŷ_out", "θ_gru", "W^(2)←_ih",
    ]  # fmt: skip


def test_parameters_of_one_layer_number_in_two_networks_have_marks_of_their_own():
    h = Tensor(np.zeros(3), name="h_0")
    for place in ("encoder/l0", "decoder/l0"):
        b = Tensor(np.ones(3), requires_grad=True, name="b")
        with scope(place):
            for t in (1, 2):
                with step(t):
                    h = tanh(h + b).named("h")
    picture = draw(h).picture
    labels = {plain(box.label) for box in picture.boxes if box.kind == "chip"}
    assert len(labels) == 2
