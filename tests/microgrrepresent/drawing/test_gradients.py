"""The reverse sweep on a drawing: which way its arrows run, how wide and strong, what chips say."""

from __future__ import annotations

import re
from itertools import pairwise
from math import dist, log10

import numpy as np
import pytest

from microgrrepresent import Tensor, backward, draw, scope, step, steps, tanh
from microgrrepresent.drawing.layout.gradients import DECADES, THINNEST, WIDEST
from microgrrepresent.drawing.marks.colors import head_length, opacity, thickness
from microgrrepresent.drawing.marks.labels import plain
from rnn.command_line.illustration import illustration


def gradients(picture):
    return [arrow for arrow in picture.arrows if arrow.flow == "gradient"]


def twin(picture, back):
    """The arrow that a gradient runs back along: the one whose path is nearest."""
    ends = back.head, back.tail
    found = [a for a in picture.arrows if (a.tail, a.head) == ends and a.flow != "gradient"]
    return min(found, key=lambda a: dist(a.path[0], back.path[-1]))


@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_gradients_run_against_the_arrows_beside_which_they_stand(make, view):
    L = make["loss"]()
    picture = draw(L, view, gradients=backward(L)).picture
    assert len(gradients(picture)) > 10
    for back in gradients(picture):
        forward = twin(picture, back)
        for a, b in ((back.path[0], forward.path[-1]), (back.path[-1], forward.path[0])):
            assert dist(a, b) < 8
        if len(back.path) == len(forward.path) == 4:
            beside = [dist(a, b) for a, b in zip(back.path[::-1], forward.path, strict=True)]
            assert all(3 < d < 8 for d in beside)


def test_no_gradient_runs_along_a_rail_or_on_a_folded_half(make):
    L = make["loss"]()
    found = backward(L)
    picture = draw(L, gradients=found, rails=True).picture
    rails = {(arrow.head, arrow.tail) for arrow in picture.arrows if arrow.flow == "parameter"}
    assert rails and gradients(picture)
    assert rails.isdisjoint((arrow.tail, arrow.head) for arrow in gradients(picture))
    both, unrolled = (
        gradients(draw(L, time=time, gradients=found, window=(1, 1)).picture)
        for time in ("both", "unrolled")
    )
    assert len(both) == len(unrolled) > 10


def test_they_stand_on_the_right_of_the_way_forward():
    x = Tensor(2.0, requires_grad=True, name="x")
    L = (x * 3.0).named("L")
    picture = draw(L, "variables", gradients=backward(L)).picture
    (back,) = gradients(picture)
    assert back.tail.nodes == (L,) and back.head.nodes == (x,)
    (tail, head) = (box for box in picture.boxes if box.nodes in ((x,), (L,)))
    along, across = (head.x - tail.x, head.y - tail.y), (head.y - tail.y, tail.x - head.x)
    for a, b in ((back.path[0], head), (back.path[-1], tail)):
        assert across[0] * (a[0] - b.x) + across[1] * (a[1] - b.y) > 0
    way = (back.path[-1][0] - back.path[0][0], back.path[-1][1] - back.path[0][1])
    assert along[0] * way[0] + along[1] * way[1] < 0


def chain(factors):
    """x times each factor in turn: the gradient behind n of them is their product."""
    y = Tensor(1.0, requires_grad=True, name="x")
    for factor in reversed(factors):
        y = y * factor
    return y


def test_width_and_strength_follow_the_logarithm_of_the_norm():
    factors = [0.5, 0.1, 0.02, 0.3, 0.01, 0.5]
    L = chain(factors)
    picture = draw(L, "variables", gradients=backward(L)).picture
    order = sorted(gradients(picture), key=lambda arrow: -arrow.path[0][1])  # from the loss on
    norms = np.cumprod(factors)
    assert len(order) == len(norms)
    for arrow, norm in zip(order, norms, strict=True):
        share = max(1 + log10(norm / norms[0]) / DECADES, 0)
        assert arrow.strength == pytest.approx(share)
        assert arrow.width == pytest.approx(THINNEST + (WIDEST - THINNEST) * share)
        assert opacity(arrow) == pytest.approx(0.35 + 0.65 * share)
    for large, small in pairwise(order[:5]):
        assert thickness(large) > thickness(small) and opacity(large) > opacity(small)
        assert head_length(large) > head_length(small)
    assert order[-1].width == THINNEST and order[0].width == WIDEST


def test_every_format_writes_width_and_strength(tmp_path):
    L = chain([0.5, 0.01])
    drawing = draw(L, "variables", gradients=backward(L))
    big, small = sorted(gradients(drawing.picture), key=lambda arrow: -arrow.width)
    ids = {a: f"e{i}" for i, a in enumerate(drawing.picture.arrows, 1)}
    for arrow in (big, small):
        group = re.search(rf'<g id="{ids[arrow]}" class="edge gradient">(.*?)</g>', drawing.svg())[
            1
        ]
        assert f'stroke-width="{arrow.width:.3g}"' in group
        assert (f'opacity="{opacity(arrow):.2f}"' in group) == (arrow is small)
        assert group.count("opacity") == 2 * (arrow is small)  # of line and head
        (line,) = [n for n in drawing.source.split("\n") if f"[id={ids[arrow]} " in n]
        assert f'penwidth="{arrow.width:.3g}"' in line
        alpha = re.search(r'color="#\w{6}(\w\w)"', line)[1]
        assert int(alpha, 16) == pytest.approx(255 * opacity(arrow), abs=1)


def test_no_gradient_where_none_came_back():
    x, y = Tensor(2.0, requires_grad=True, name="x"), Tensor(3.0, name="y")
    L = (x * y).named("L")
    picture = draw(L, "operations", gradients=backward(L)).picture
    assert {arrow.head.nodes[0] for arrow in gradients(picture)} == {x, L}


def twice(uses):
    """A cell that uses w twice at each step; the terms of its gradient are ``uses``, in turn."""
    w, total = Tensor(1.0, requires_grad=True, name="w"), 0
    for t, (a, b) in enumerate(uses, 1):
        with step(t), scope("cell"):
            h = w * a + w * b
            total = h if t == 1 else (total + h).named("h")
    return total.named("h"), w


def shown(picture, kind):
    """The second lines of the boxes of a kind, from left to right."""
    boxes = sorted((b for b in picture.boxes if b.kind == kind), key=lambda box: (box.x, box.y))
    return [float(plain(box.label).split(", ")[1]) for box in boxes if "w" in plain(box.label)]


def test_a_chip_says_the_norm_of_its_own_term_and_the_parameter_that_of_the_sum():
    uses = [(3.0, -1.0), (5.0, 7.0)]
    L, w = twice(uses)
    picture = draw(L, gradients=backward(L)).picture
    assert sorted(shown(picture, "chip")) == [1.0, 3.0, 5.0, 7.0]
    assert shown(picture, "parameter") == [14.0] == [float(backward(L)[w])]


def test_a_chip_of_several_uses_says_the_norm_of_their_sum():
    L, _ = twice([(3.0, -1.0), (5.0, 7.0)])
    picture = draw(L, collapse={"cell"}, gradients=backward(L)).picture
    assert shown(picture, "chip") == [2.0, 12.0]  # neither the last terms nor sums of norms


def test_terms_of_several_parameters_behind_one_chip_are_taken_together():
    u, v = (Tensor(1.0, requires_grad=True, name=n) for n in "uv")
    h = Tensor(1.0, name="h")
    for t in (1, 2):
        with step(t), scope("cell"):
            h = (h + u * 3.0 + v * 4.0).named("h")
    boxes = draw(h, "cells", gradients=backward(h)).picture.boxes
    chips = [plain(box.label).split(", ")[1] for box in boxes if box.kind == "chip"]
    assert set(chips) == {"5"}  # the length of (3, 4)


@pytest.mark.parametrize(
    ("norm", "words"),
    [(0.5, "0.5"), (0.001234, "0.0012"), (0.000123456, "1.2e-4"), (0.0, "0"), (12345.0, "1.2e4")],
)
def test_norms_are_written_in_two_digits(norm, words):
    w = Tensor(1.0, requires_grad=True, name="w")
    total = Tensor(0.0)
    for t in (1, 2):
        with step(t):
            total = (total + w * norm).named("h")
    boxes = draw(total, gradients=backward(total)).picture.boxes
    assert {plain(b.label) for b in boxes if b.kind == "chip"} == {f"w, {words}"}


def test_a_dash_where_nothing_was_computed_and_never_a_zero():
    w, h = Tensor(1.0, requires_grad=True, name="w"), Tensor(0.0, name="h")
    for t in (1, 2):
        with step(t):
            h = (h + w * 2.0).named("h")
    L = (h.parents[0] * 2.0).named("L") if h.parents[0].parents else h
    picture = draw([h, L], gradients=backward(L)).picture
    chips = [box for box in picture.boxes if box.kind == "chip"]
    assert sorted(plain(box.label) for box in chips) == ["w, 4", "w, —"]
    assert [box.pending for box in chips] == ["—" in plain(box.label) for box in chips]


def test_a_parameter_and_what_is_made_of_it_count_once_in_their_box():
    W = Tensor(np.random.default_rng(0).normal(size=(3, 3)), requires_grad=True, name="W")
    V, h = W.T, Tensor(np.zeros((2, 3)), name="h_0")
    for _, x in steps(np.ones((3, 2, 3))):
        h = tanh(h @ W + x @ V).named("h")
    L = (h * h).sum()
    adjoints = backward(L)
    boxes = draw(L, "cells", gradients=adjoints).picture.boxes
    (shown,) = (plain(b.label) for b in boxes if b.kind == "parameter")
    assert float(shown.split(", ")[1]) == pytest.approx(np.linalg.norm(adjoints[W]), rel=0.06)


def test_no_arrow_where_exactly_zero_came_back_and_the_chip_says_so():
    w, total = Tensor(1.0, requires_grad=True, name="w"), 0
    for t, factor in enumerate((0.0, 2.0), 1):
        with step(t):
            total = total + (w * 1.0) * factor
    picture = draw(total, gradients=backward(total)).picture
    products = [a for a in gradients(picture) if a.head.column == 1 and "×" in plain(a.head.label)]
    assert len(products) == 1  # into w * 1.0 nothing came back, into its product with 0 it did
    assert sorted(shown(picture, "chip")) == [0.0, 2.0]


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm", "lstm-peephole", "residual"])
def test_the_head_of_a_gradient_comes_out_of_its_last_corner_straight(kind):
    loss, _ = illustration(kind, 2)
    picture = draw(loss, "gates", gradients=backward(loss)).picture
    back = [arrow for arrow in picture.arrows if arrow.flow == "gradient"]
    assert len(back) >= 8
    for arrow in back:
        (x0, y0), (x1, y1) = arrow.path[-4], arrow.path[-1]
        across, up = abs(x1 - x0), abs(y1 - y0)
        assert min(across, up) < 0.2 and max(across, up) > 0.75 * head_length(arrow)
