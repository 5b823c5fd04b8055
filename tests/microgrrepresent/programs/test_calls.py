"""How many calls of NumPy a program makes at a step, next to a loop that is written by hand."""

from __future__ import annotations

import ast
import inspect

import numpy as np
import pytest

import microgrrepresent as mg
from rnn import GRU, LSTM, RNN, Linear
from tests.benchmarks.training_step import numpy_by_hand

I, H, O = 2, 4, 3  # noqa: E741
LAYERS = {"rnn": RNN, "gru": GRU, "lstm": LSTM}
ALLOWED = {"rnn": (0, 0), "gru": (1, 0), "lstm": (1, 2)}
"""Calls more than by hand, forward and backward. A scale stands in the weights there, and the three
gates that dc goes through are one product with a view."""


def program(cell):
    layer, out = LAYERS[cell](I, H, rng=0), Linear(H, O, rng=1)
    X, y = np.zeros((6, 3, I)), np.zeros((6, 3), int)
    return mg.program(
        lambda X, y: mg.cross_entropy(out(layer(X)[0]), y),
        [*layer.parameters(), *out.parameters()],
        X=X,
        y=y,
    )


def calls(source, function):
    """The calls at each turn of the loops of a function, loop by loop; and those outside."""
    functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]
    (body,) = [f.body for f in functions if f.name == function]
    loops = [s for s in body if isinstance(s, ast.For) and "blocks" not in ast.unparse(s.iter)]
    outside = [s for s in body if s not in loops and not isinstance(s, ast.Return)]
    return [sum(map(_calls, loop.body)) for loop in loops], sum(map(_calls, outside))


def _calls(statement):
    return sum(isinstance(n, (ast.Call, ast.BinOp)) for n in ast.walk(statement))


@pytest.mark.parametrize("cell", LAYERS)
def test_a_step_makes_few_more_calls_than_one_that_is_written_by_hand(cell):
    by_hand, _ = calls(inspect.getsource(getattr(numpy_by_hand, f"_{cell}")), "run")
    found, outside = calls(program(cell).source("fast"), "loss_and_gradients")
    assert [n - m for n, m in zip(found, by_hand, strict=True)] == list(ALLOWED[cell])
    assert outside <= 50  # the readout too, which a function of its own has by hand


def test_no_array_is_made_and_no_view_taken_at_a_step():
    for cell in LAYERS:
        for node in ast.walk(ast.parse(program(cell).source("fast"))):
            if isinstance(node, ast.For):
                assert not any(
                    isinstance(n, (ast.Subscript, ast.BinOp, ast.Assign))
                    for statement in node.body
                    for n in ast.walk(statement)
                )


def test_gradients_that_are_equal_are_arrays_of_their_own():
    layer = LSTM(I, H, rng=0)
    step = mg.program(
        lambda X: (layer(X)[0] ** 2).sum(),
        dict(layer.named_parameters()),
        X=np.ones((6, 3, I)),
    )
    _, first = step(X=np.ones((6, 3, I)))
    kept = {name: gradient.copy() for name, gradient in first.items()}
    for gradient in first.values():
        gradient *= 2
    for name, gradient in step(X=np.ones((6, 3, I)))[1].items():
        np.testing.assert_array_equal(gradient, kept[name])
        np.testing.assert_array_equal(first[name], 2 * kept[name])


def test_an_input_that_requires_a_gradient_is_refused():
    W, x = mg.Tensor(2.0, requires_grad=True, name="W"), mg.Tensor(np.ones(5), requires_grad=True)
    f = mg.program(lambda X: (W * X).sum(), W, X=x.numpy())
    for call in (lambda: f(X=x), lambda: mg.program(lambda X: (W * X).sum(), W, X=x)):
        with pytest.raises(mg.GradientError, match=r"requires a gradient, which would be lost"):
            call()
    assert f(X=x.detach())[1] == 5
