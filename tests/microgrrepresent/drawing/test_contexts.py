"""Contexts: attention of any make as arrows from the states to what is made of them."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from microgrrepresent import (
    Graph,
    Tensor,
    backward,
    cross_entropy,
    draw,
    exp,
    linear,
    scope,
    softmax,
    stack,
    step,
    tanh,
)
from microgrrepresent import sum as total
from microgrrepresent.drawing.marks.labels import plain
from microgrrepresent.drawing.time.timeline import timeline
from microgrrepresent.drawing.views.arrows import WIDEST_LOOK
from rnn import GRU, LSTM, Decoder, Encoder
from rnn.command_line.models import MODELS, Choices

K, T, N = 5, 3, 4
"""Steps of the encoder and of the decoder, and the length of a state."""


def ours(score, layer=GRU, batch=2):
    """The package's own, with weights that differ."""
    encoder = Encoder(layer(3, N, rng=0))
    decoder = Decoder(6, N, N, attention=score, rng=1)
    for parameter in (*encoder.parameters(), *decoder.parameters()):
        parameter.assign(4 * parameter.data)
    xs = np.random.default_rng(2).standard_normal((K, batch, 3))
    scores = decoder(encoder(xs), np.arange(T * batch).reshape(T, batch) % 6)
    return cross_entropy(scores.reshape((-1, 6)), np.zeros(T * batch, int)).named("L")


def stacked(h, memory):
    """A softmax written out, and one product with the stack of all states."""
    S = stack(memory)
    e = exp(S @ h)
    return ((e / total(e)).named("a") @ S).named("c")


def one_by_one(h, memory):
    """Not even a stack: a weight for each state, and a running sum."""
    a = softmax(stack([total(h * m) for m in memory])).named("a")
    c = a[0] * memory[0]
    for k in range(1, len(memory)):
        c = c + a[k] * memory[k]
    return c.named("c")


def unweighted(h, memory):
    """What the states are multiplied with has no sum."""
    S = stack(memory)
    return (tanh(S @ h) @ S).named("c")


def own(attend, begins_with_last=False):
    """An encoder and a decoder of somebody who knows nothing of `rnn`."""
    rng = np.random.default_rng(0)

    def matrix(name, rows=N):
        return Tensor(rng.normal(size=(rows, N)), requires_grad=True, name=name)

    U, W, V, Z, memory = matrix("U"), matrix("W"), matrix("V"), matrix("Z"), []
    with scope("reader"):
        with step(0):
            h = Tensor(np.zeros(N), name="h")
        for t in range(1, K + 1):
            with step(t):
                x = Tensor(rng.normal(size=N), name="x")
                h = tanh(linear(x, U) + linear(h, W)).named("h")
                memory.append(h)
    with scope("writer"):
        with step(0):
            s = h if begins_with_last else Tensor(np.ones(N), name="s")
        for t in range(1, T + 1):
            with step(t):
                c = attend(s, memory)
                s = tanh(linear(c, V) + linear(s, Z)).named("s")
    return s


def looks(picture):
    """For each context, in order of time, its arrows from left to right of their heads."""
    found = {}
    for arrow in picture.arrows:
        if arrow.flow == "weight":
            found.setdefault(arrow.head, []).append(arrow)
    for arrows in found.values():
        arrows.sort(key=lambda arrow: arrow.path[-1])
    return dict(sorted(found.items(), key=lambda item: item[0].x))


MAKE = {
    "dot": lambda: ours("dot"),
    "general": lambda: ours("general"),
    "additive": lambda: ours("additive"),
    "LSTM": lambda: ours("dot", LSTM),
    "stacked": lambda: own(stacked),
    "one by one": lambda: own(one_by_one),
    "one by one, from the last": lambda: own(one_by_one, begins_with_last=True),
}


@pytest.mark.parametrize("view", ["gates", "cells"])
@pytest.mark.parametrize("name", MAKE)
def test_an_arrow_leads_from_every_state_to_every_context(name, view):
    picture = draw(MAKE[name](), view).picture
    found = looks(picture)
    letter = "C" if name in ("dot", "general", "additive", "LSTM") else "c"
    weight = "α" if letter == "C" else "a"
    assert [plain(box.label) for box in found] == [
        f"{letter}_{t}, Σ_k {weight}_{t},k h_k" for t in range(1, T + 1)
    ]
    for box, arrows in found.items():
        assert [plain(arrow.tail.label) for arrow in arrows] == [f"h_{k}" for k in range(1, K + 1)]
        for arrow in arrows:
            (x, y), (u, v) = arrow.path[0], arrow.path[-1]
            assert arrow.tail.left <= x <= arrow.tail.right and arrow.tail.y <= y <= arrow.tail.top
            assert box.left < u < box.right and v == box.bottom and v > y
    assert not {"S", "⧺"} & {plain(box.label) for box in picture.boxes if box.storey == 0}


@pytest.mark.parametrize("name", MAKE)
def test_it_is_the_wider_the_more_weight_a_state_has(name):
    loss = MAKE[name]()
    named = "α" if name in ("dot", "general", "additive", "LSTM") else "a"
    weights = [n for n in Graph(loss) if n.name == named]
    found = looks(draw(loss, "cells").picture)
    assert len(weights) == len(found) == T
    for node, arrows in zip(weights, found.values(), strict=True):
        alpha = node.value.reshape(K, -1).mean(axis=1)
        width = np.array([arrow.width for arrow in arrows])
        assert (np.argsort(width) == np.argsort(alpha)).all()
        assert np.allclose(np.diff(width), np.diff(alpha) * (6 - 0.8))
        assert np.allclose([arrow.strength for arrow in arrows], alpha / alpha.max())


@pytest.mark.parametrize("made", ["gru", "lstm"])
def test_a_question_does_not_run_through_what_stands_in_its_way(made):
    L = MODELS["attention"].record(Choices(steps=3, cell=made, free=True)).loss
    picture = draw(L, "cells").picture
    asked = [a for a in picture.arrows if a.head in looks(picture) and a.flow == "state"]
    assert len(asked) == 3
    for arrow in asked:
        for box in picture.boxes:
            if box not in (arrow.tail, arrow.head) and box.storey == 1:
                assert not any(
                    box.left < x < box.right and box.bottom < y < box.top for x, y in arrow.path
                )
                for (x0, y0), (x1, y1) in pairwise(arrow.path):
                    is_level = y0 == y1 and box.bottom < y0 < box.top
                    is_upright = x0 == x1 and box.left < x0 < box.right
                    assert not (is_level and min(x0, x1) < box.x < max(x0, x1))
                    assert not (is_upright and min(y0, y1) < box.y < max(y0, y1))


@pytest.mark.parametrize("name", MAKE)
def test_values_of_weights_stand_beside_the_upright_ends_of_their_arrows(name):
    picture = draw(MAKE[name](), "cells", values=True).picture
    for t, (box, arrows) in enumerate(looks(picture).items(), start=1):
        for k, arrow in enumerate(arrows, start=1):
            letter, share = plain(arrow.label).split(", ")
            assert letter.endswith(f"_{t},{k}") and 0 <= float(share) <= 1
            (x, y), (wide, high) = arrow.label_at, arrow.room
            assert x - wide / 2 > arrow.path[-1][0] + arrow.width / 2
            assert arrow.path[-4][1] <= y - high / 2 and y + high / 2 < box.bottom
            ends = [other.path[-1][0] for other in arrows if other.path[-1][0] > x]
            assert all(x + wide / 2 < end - WIDEST_LOOK / 2 for end in ends)


def test_without_weights_arrows_are_plain():
    found = looks(draw(own(unweighted), "cells").picture)
    assert [plain(box.label) for box in found] == ["c_1", "c_2", "c_3"]
    assert {arrow.width for arrows in found.values() for arrow in arrows} == {1.0}


@pytest.mark.parametrize("name", MAKE)
def test_a_context_asks_with_the_state_before(name):
    picture = draw(MAKE[name](), "cells").picture
    for t, box in enumerate(looks(picture), start=1):
        others = [a for a in picture.arrows if a.head is box and a.flow not in ("weight", "value")]
        (query,) = (a for a in others if a.tail.kind == "state")
        assert query.tail.x < box.left and query.path[-1] == (box.left, box.y)
        assert query.tail.column == K + t - 1 and query.tail.storey == 1
        (read,) = (a.head for a in picture.arrows if a.tail is box)
        assert read.kind == "cell" and read.bottom > box.top


def test_its_parameters_are_one_chip():
    chips = [b for b in draw(ours("additive"), "gates").picture.boxes if b.kind == "chip"]
    of_contexts = [b for b in chips if plain(b.label) == "θ_α"]
    assert len(of_contexts) == T and all(len(b.nodes) == 3 for b in of_contexts)


def test_every_edge_and_every_node_is_drawn():
    loss = ours("additive")
    picture = draw(loss, "cells").picture
    graph = Graph(loss)
    drawn = {node for box in picture.boxes for node in box.nodes}
    assert drawn == set(graph)
    edges = {edge for arrow in picture.arrows for edge in arrow.edges}
    boxes = defaultdict(set)
    for box in picture.boxes:
        for node in box.nodes if box.kind != "chip" else ():
            boxes[node].add(box)
    for node in graph:
        for i, parent in enumerate(node.parents):
            assert (node, i) in edges or boxes[node] & boxes[parent]


def test_the_gradient_of_an_arrow_is_that_of_its_step():
    loss = ours("dot", batch=1)
    adjoints = backward(loss)
    picture = draw(loss, "cells", gradients=adjoints).picture
    (memory,) = (n for n in Graph(loss) if n.name == "S")
    back = {(a.tail, a.head): a for a in picture.arrows if a.flow == "gradient"}
    norms = {}
    for context, arrows in looks(picture).items():
        parts = [
            adjoints.along(user, i)
            for user in context.nodes
            for i, parent in enumerate(user.parents)
            if parent is memory
        ]
        for k, arrow in enumerate(arrows):
            norms[arrow] = np.linalg.norm(sum(parts)[k])
            assert (context, arrow.tail) in back
    order = sorted(norms, key=norms.get)
    strength = [back[arrow.head, arrow.tail].strength for arrow in order]
    assert strength == sorted(strength)


def test_more_arrows_than_can_be_told_apart_are_not_drawn():
    """The cost stays linear in the steps of both loops."""
    encoder, decoder = Encoder(GRU(3, N, rng=0)), Decoder(6, N, N, attention="dot", rng=1)
    scores = decoder(encoder(np.ones((40, 1, 3))), np.zeros((40, 1), int))
    picture = draw(scores, "cells").picture
    assert not looks(picture)
    assert sum(plain(box.label) == "S" and box.kind == "chip" for box in picture.boxes) == 40


def test_the_context_of_the_last_state_alone_is_none():
    encoder, decoder = Encoder(GRU(3, N, rng=0)), Decoder(6, N, N, rng=1)
    scores = decoder(encoder(np.ones((K, 2, 3))), np.zeros((T, 2), int))
    assert not timeline(Graph(scores)).contexts.of
