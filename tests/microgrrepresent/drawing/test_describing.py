"""The words beside a picture say what is in it, for those who cannot see it."""

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, steps, tanh
from microgrrepresent.drawing.time.describing import describe
from microgrrepresent.drawing.time.timeline import timeline


def told(T, shown="unrolled", has_gradients=False, window=None):
    W, h = Tensor(np.eye(2), requires_grad=True, name="W"), Tensor(np.zeros(2), name="h_0")
    for _, x in steps(np.ones((T, 2))):
        h = tanh(h @ W + x).named("h")
    time = timeline(Graph(h.sum().named("L")))
    return describe(time, shown, has_gradients, window)


WHOLE = (
    "Computation graph of L: 10 operations on 4 inputs and 1 parameter, unrolled over 3 steps, "
    "t = 1 to 3; h passes from step to step."
)
FOLDED = " It is drawn folded: one step, whose states come back through a delay"


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({}, ""),
        ({"shown": "folded"}, f"{FOLDED}."),
        ({"shown": "both"}, f"{FOLDED}; beside it stands the unrolled graph."),
        ({"has_gradients": True}, " Dashed arrows show what flowed back in the reverse sweep."),
        ({"window": (1, 1)}, ""),  # a box for one step would hide nothing
    ],
)
def test_a_picture_in_words(options, more):
    assert told(3, **options) == WHOLE + more


def test_hidden_steps_are_counted():
    assert told(9, window=(2, 1)).endswith(" 6 steps in the middle are one box.")
    assert told(1).startswith("Computation graph of L: 4 operations on 2 inputs and 1 parameter, ")
    assert told(1).endswith("unrolled over 1 step, t = 1.")
