"""What several gates share is one box with its formula, in the letters of the graph."""

import html
import re

import numpy as np
import pytest

from microgrrepresent import Tensor, concatenate, draw, linear, sigmoid, steps, tanh
from rnn import RNN, GRUCell, unroll

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
    "[W x, U h] ·": lambda: concatenate([linear(x, W), linear(h, U)], 1) @ np.ones((6, 3)),
}


def texts(graph):
    """What the boxes of a graph say in gates view, their lines joined."""
    source = draw(graph, view="gates").source
    labels = re.findall(r"label=<(.*?)> pos", source)
    plain = [html.unescape(re.sub("<[^>]*>", "", re.sub("<BR/>", "|", x))) for x in labels]
    return [re.sub(r"\|\s*\|", "|", words) for words in plain]


@pytest.mark.parametrize("formula", SHARED)
def test_the_formula_of_what_gates_share(formula):
    shared = SHARED[formula]()
    assert texts((tanh(shared) * sigmoid(shared)).sum()).count(formula) == 1


def test_a_formula_that_is_too_wide_is_written_in_even_lines():
    long = [Tensor(np.ones((3, 3)), name=name) for name in ("first_in", "later_in", "last_in")]
    shared = linear(long[0], W) + linear(long[1], U) - linear(long[2], W) + b
    said = texts((tanh(shared) * sigmoid(shared)).sum())
    assert said.count("W firstin + U laterin| − W lastin + b") == 1, said


def test_what_is_too_deep_for_a_box_is_left_out():
    inner = x
    for _ in range(9):
        inner = linear(inner + b, W)
    (formula,) = [words for words in texts((tanh(inner) * sigmoid(inner)).sum()) if "…" in words]
    assert formula.startswith("W (W (")


def own_cell(times):
    """A loop over plain arrays, with an initial state that has a name of its own."""
    state = Tensor(np.zeros((3, 3)), name="h_0")
    for _, cut in steps(np.ones((times, 3, 3))):
        state = tanh(linear(cut, U) + linear(state, W) + b).named("h")
    return (state * state).sum()


def test_the_only_function_of_a_cell_says_what_it_is_applied_to():
    assert texts(own_cell(3)).count("tanh(U x + W h + b)") == 3


def test_each_direction_says_what_its_function_is_applied_to():
    output, _ = RNN(3, 3, bidirectional=True, rng=0)(np.ones((2, 1, 3)))
    said = texts(output.sum())
    for arrow in "→←":
        written = f"tanh(W{arrow}ih x| + W{arrow}hh h{arrow} + b{arrow})"
        assert said.count(written) == 2, said


def test_a_product_with_what_was_joined_in_the_step_is_a_box_of_its_own():
    run = unroll(GRUCell(3, 3, reset_after=False, rng=0), np.ones((2, 1, 3)))
    assert texts(run.state.sum()).count("Un ·") == 2


def test_only_a_difference_from_a_number_is_written_as_one():
    gate = sigmoid(linear(x, W))
    assert ">1 −<" in draw((1 - gate).sum(), view="gates").source
    for other in (2 / gate, 2 * gate, 2 + gate):
        assert "2 −" not in draw(other.sum(), view="gates").source
