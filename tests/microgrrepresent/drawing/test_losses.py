"""What is a loss, and what losses and first states are called, whatever their names."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import Tensor, cross_entropy, draw, linear, steps, tanh
from microgrrepresent.drawing.marks.labels import plain


def run(name=None, start="h"):
    """The summed cross entropies of three steps, without names but for the last sum."""
    rng = np.random.default_rng(0)
    W = Tensor(rng.normal(size=(3, 3)), requires_grad=True, name="W")
    h, total = Tensor(np.zeros((1, 3)), name=start), 0.0
    for _, x in steps(rng.normal(size=(3, 1, 3))):
        h = tanh(x + linear(h, W)).named("h")
        total = total + cross_entropy(h, np.array([1]))
    return total.named(name) if name else total


def labels(picture, *kinds):
    return [plain(box.label) for box in picture.boxes if box.kind in kinds]


@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
@pytest.mark.parametrize("name", ["损失", "总和", None])
def test_a_loss_is_one_by_whatever_name(view, name):
    picture = draw(run(name), view).picture
    assert labels(picture, "loss") == [name or "L"] and not labels(picture, "output")


def test_a_product_of_numbers_and_what_has_no_gradient_are_no_losses():
    x, y = Tensor(2.0, requires_grad=True, name="x"), Tensor(3.0, name="y")
    assert labels(draw((x * y).named("z"), "variables").picture, "output") == ["z"]
    total = Tensor(np.ones(3), name="x").sum().named("s")
    assert labels(draw(total, "variables").picture, "output") == ["s"]


def test_the_losses_of_steps_and_scores_are_called_by_what_they_are():
    shown = labels(draw(run(), "variables").picture, "variable")
    assert [f"L_{t}" in shown and f"CE_{t}" in shown for t in (1, 2, 3)] == [True] * 3


@pytest.mark.parametrize(("start", "word"), [("h", "h_0"), (None, "h_0"), ("context", "context")])
@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_a_state_before_the_first_step_has_the_number_before_it(view, start, word):
    states = labels(draw(run("L", start), view).picture, "state")
    assert word in states and "h" not in states
