"""The problem that all contestants solve: one training step of a recurrent net in float32.

A net of one layer reads T inputs, a readout gives O scores at every step, the loss is the mean of
the softmax cross-entropies over all steps and sequences, and the result is the loss and its
gradient with respect to every parameter. Layouts and gate orders are those of torch.nn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CELLS = ("rnn", "gru", "lstm")
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_out", "bias_out")


@dataclass(frozen=True)
class Size:
    """Steps, sequences, inputs, hidden units and scores."""

    T: int
    B: int
    I: int  # noqa: E741 (the letter of the notes)
    H: int
    O: int  # noqa: E741

    def __str__(self):
        return f"T={self.T} B={self.B} I={self.I} H={self.H} O={self.O}"


SIZES = {
    "toy-1": Size(20, 1, 8, 16, 8),
    "toy-2": Size(50, 16, 32, 64, 32),
    "mid": Size(100, 32, 64, 128, 64),
    "long": Size(2000, 4, 16, 32, 16),
}


@dataclass(frozen=True)
class Problem:
    """Inputs X (T, B, I), the right classes y (T, B), and parameters by name."""

    cell: str
    size: Size
    X: np.ndarray
    y: np.ndarray
    parameters: dict[str, np.ndarray]


def problem(cell, size):
    """The same numbers in every process."""
    rng = np.random.default_rng(0)
    rows, H = GATES[cell] * size.H, size.H
    shapes = {
        "weight_ih": (rows, size.I),
        "weight_hh": (rows, H),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
        "weight_out": (size.O, H),
        "bias_out": (size.O,),
    }
    bound = 1 / np.sqrt(H)
    parameters = {
        name: rng.uniform(-bound, bound, shape).astype(np.float32) for name, shape in shapes.items()
    }
    X = rng.normal(size=(size.T, size.B, size.I)).astype(np.float32)
    y = rng.integers(0, size.O, (size.T, size.B))
    return Problem(cell, size, X, y, parameters)
