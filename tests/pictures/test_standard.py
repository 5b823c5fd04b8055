"""The standard pictures on a slide: nothing lies on anything else, and all can be read."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import Tensor, backward, draw, linear, sigmoid, steps, tanh
from rnn import LSTMCell, unroll
from tests.pictures.measures import contrast, flattened, inside, measure
from tests.pictures.standard import STANDARD

CROSSINGS = {
    "RNN, BPTT": 0,
    "LSTM, BPTT": 0,
    "LSTM, peephole": 15,
    "LSTM, coupled": 3,
    "GRU": 6,
    "GRU, BPTT": 6,
    "GRU, reset before": 9,
    "GRU, per gate": 6,
    "LSTM, per gate": 15,
    "GRU, folded and unfolded": 9,
    "GRU, two directions": 6,
    "RNN, two by two": 12,
    "NARX": 8,
    "time delays": 8,
}
"""Pairs of arrows that cross, at most."""

WIDEST = 2.2
"""Aspect of a picture on a slide, at most."""


@pytest.mark.parametrize("name", STANDARD)
def test_on_a_slide(name):
    found = measure(STANDARD[name](size="slide"))
    assert (found.overlaps, found.outside) == (0, 0)
    assert name not in CROSSINGS or found.crossings <= CROSSINGS[name]
    assert found.contrast >= 4.5
    assert found.text > 15
    assert 1.2 < found.aspect < WIDEST


def test_gates_of_their_own_stand_in_two_rows_on_a_slide():
    """The other half moves up, so that a step is narrow; on no page they stand in one."""
    cell = LSTMCell(3, 4, composition="per_gate", rng=0)
    outputs = unroll(cell, np.ones((3, 3))).outputs
    rows = {}
    for size in (None, "slide"):
        boxes = draw(outputs, "gates", size=size).picture.boxes
        gates = [box for box in boxes if box.name in {f"lstm/t1/{letter}" for letter in "figo"}]
        rows[size] = sorted({box.y for box in gates})
        assert len(gates) == 4
    assert len(rows[None]) == 1
    assert len(rows["slide"]) == 2


def test_contrast_is_that_of_wcag():
    """The values of WCAG 2.2 (contrast ratio) at both ends, and of a gray."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#ffffff") == pytest.approx(1)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def own_loop(rng):
    """A recurrent network that somebody writes: random signs between products and activations."""
    size = 2
    weights = [
        Tensor(rng.normal(size=(size, size)), requires_grad=True, name=name) for name in "UWVRS"
    ]
    biases = [Tensor(rng.normal(size=size), requires_grad=True, name=name) for name in "bcd"]
    functions, h, loss = (tanh, sigmoid), Tensor(np.zeros(size), name="h"), 0
    shape = rng.integers(0, 2**31)
    for _, x in steps(rng.normal(size=(3, size))):
        choice = np.random.default_rng(shape)  # the same at every step
        terms = [linear(x, weights[0]), linear(h, weights[1])]
        for n in range(choice.integers(0, 4)):
            a, b = choice.integers(len(terms), size=2)
            more = terms[a] * terms[b] if choice.random() < 0.5 else terms[a] + terms[b]
            if choice.random() < 0.5:
                more = more + biases[choice.integers(len(biases))]
            if choice.random() < 0.4:
                more = linear(more, weights[2 + n % 3])
            terms.append(functions[choice.integers(2)](more))
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        h = tanh(total).named("h")
        loss = loss + (h * h).sum()
    return loss.named("L")


@pytest.mark.parametrize("view", ["operations", "gates"])
@pytest.mark.parametrize("seed", range(10))
def test_no_arrow_of_a_loop_of_ones_own_crosses_a_box(seed, view):
    loss = own_loop(np.random.default_rng(seed))
    picture = draw(loss, view, gradients=backward(loss)).picture
    for arrow in picture.arrows:
        for box in set(picture.boxes) - {arrow.tail, arrow.head}:
            for line in flattened(arrow.path):
                assert not any(inside(box, point) for point in line), (
                    f"{arrow.flow} {arrow.tail.name} -> {arrow.head.name} through {box.name}"
                )


def test_a_state_runs_level_through_the_simplest_loop():
    W, U = (Tensor(np.eye(2), requires_grad=True, name=name) for name in "WU")
    h = Tensor(np.zeros(2), name="h")
    for _, x in steps(np.ones((3, 2))):
        h = tanh(linear(x, U) + linear(h, W)).named("h")
    picture = draw(h).picture
    states = [arrow for arrow in picture.arrows if arrow.flow == "state"]
    assert len(states) > 6
    assert len({round(y, 3) for arrow in states for _, y in arrow.path}) == 1
