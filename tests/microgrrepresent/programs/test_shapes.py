"""The shape that an expression is said to have is the shape that NumPy gives it."""

import numpy as np
import pytest

from microgrrepresent.programs.expressions import parsed, text
from microgrrepresent.programs.shapes import shape_of

SHAPES = {
    "x": (3, 2), "h": (3, 4), "W": (4, 2), "U": (4, 4), "b": (4,), "c": (3, 1), "E": (7, 2),
    "S": (5, 3, 4), "s": (),
}  # fmt: skip
KNOWN = [
    "x @ W.T", "x @ W.T + b", "h @ U", "S @ U", "b @ U", "h * c", "c * h", "b * c", "c - b",
    "-h / 2", "s * b", "h ** 2", "np.tanh(h + b)", "np.maximum(c, b)", "S.T",
    "h.reshape(12)", "S.reshape(15, 4)", "np.max(h, axis=-1, keepdims=True)", "np.eye(4)",
    "h[:, 1:3]", "S.reshape(15, 4).T", "E[y]",
]  # fmt: skip
UNKNOWN = ["x + b", "h @ b", "np.sort(h)", "np.sum(h)", "z + 1", "h.reshape(-1, 4)", "h[1:]"]


def said(expression):
    known = SHAPES | {"y": (3, 6)}
    return shape_of(parsed(expression), lambda e: known.get(text(e)))


@pytest.mark.parametrize("expression", KNOWN)
def test_a_shape_is_that_of_numpy(expression):
    arrays = {name: np.ones(shape) for name, shape in SHAPES.items()}
    names = arrays | {"np": np, "y": np.ones((3, 6), int)}
    assert said(expression) == np.shape(eval(expression, names))


@pytest.mark.parametrize("expression", UNKNOWN)
def test_what_is_not_worked_out_has_none(expression):
    assert said(expression) is None
