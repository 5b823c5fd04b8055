"""What several gates share is one box with its formula, in the letters of the graph."""

import html
import re

import numpy as np
import pytest

from microgrrepresent import Tensor, concatenate, draw, linear, sigmoid, tanh

x, h = (Tensor(np.ones((3, 3)), name=name) for name in "xh")
W, U = (Tensor(np.ones((3, 3)), requires_grad=True, name=name) for name in "WU")
b = Tensor(np.ones(3), requires_grad=True, name="b")

SHARED = {
    "W x": lambda: linear(x, W),
    "x W": lambda: x @ W,
    "W x + U h + b": lambda: linear(x, W) + linear(h, U) + b,
    "W x − U h": lambda: linear(x, W) - linear(h, U),
    "W x − (U h + b)": lambda: linear(x, W) - (linear(h, U) + b),
    "U (W x + b)": lambda: linear(linear(x, W) + b, U),
    "U (−W x)": lambda: linear(-linear(x, W), U),
    "−W x": lambda: -linear(x, W),
    "−(W x + b)": lambda: -(linear(x, W) + b),
    "(W x)ᵀ": lambda: linear(x, W).T,
    "affine": lambda: concatenate([linear(x, W), linear(h, U)], 1) @ np.ones((6, 3)),
}


@pytest.mark.parametrize("formula", SHARED)
def test_the_formula_of_what_gates_share(formula):
    shared = SHARED[formula]()
    source = draw((tanh(shared) * sigmoid(shared)).sum(), view="gates").source
    labels = re.findall(r"label=<(.*?)> pos", source)
    texts = [html.unescape(re.sub("<[^>]*>", "", label)) for label in labels]
    assert texts.count(formula) == 1


def test_only_a_difference_from_a_number_is_written_as_one():
    gate = sigmoid(linear(x, W))
    assert ">1 −<" in draw((1 - gate).sum(), view="gates").source
    for other in (2 / gate, 2 * gate, 2 + gate):
        assert "2 −" not in draw(other.sum(), view="gates").source
