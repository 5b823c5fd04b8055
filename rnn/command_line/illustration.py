r"""A network as a textbook draws it: one cell, a few steps, an output and a loss at every step.

    s_t = cell(x_t, s_{t-1})        the state, from h_0 = 0
    ŷ_t = V h_t + b_y               what the network says
    L_t = |ŷ_t − target_t|²         and what that costs
    L   = Σ_t L_t

The numbers are random and small; what matters is the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from microgrrepresent import Tensor, step
from rnn.cells import (
    Cell,
    CTRNNCell,
    GRUCell,
    LinearRecurrentCell,
    LSTMCell,
    ResidualRNNCell,
    RNNCell,
)
from rnn.layers.dense import Linear
from rnn.layers.unrolling import Unrolled, unroll
from rnn.training.losses import mse_loss, sequence_loss

ILLUSTRATED: dict[str, Callable[..., Cell[Any]]] = {
    "rnn": RNNCell,
    "gru": GRUCell,
    "lstm": LSTMCell,
    "gru-before": partial(GRUCell, reset_after=False),
    "gru-simple": partial(GRUCell, reset_gate=False),
    "lstm-1997": partial(LSTMCell, forget_gate=False),
    "lstm-coupled": partial(LSTMCell, coupled=True),
    "lstm-peephole": partial(LSTMCell, peephole="diagonal"),
    "linear": LinearRecurrentCell,
    "residual": ResidualRNNCell,
    "ctrnn": CTRNNCell,
}
"""The cells that can be shown, by the names that the command line has for them."""


def illustration(
    name: str, steps: int, inputs: int = 3, hidden: int = 4, outputs: int = 2, seed: int = 0
) -> tuple[Tensor, Unrolled[Any]]:
    """Build the graph of a cell that is run over a few random inputs.

    Parameters
    ----------
    name : str
        One of `ILLUSTRATED`.
    steps : int
        T, the number of steps.
    inputs, hidden, outputs : int
        Length of x, h and ŷ.
    seed : int
        Of the random numbers.

    Returns
    -------
    L : Tensor
        The loss, behind which the whole graph is.
    run : Unrolled
        The outputs and states.

    Examples
    --------
    >>> from rnn.command_line.illustration import illustration
    >>> L, run = illustration("lstm", 3)
    >>> L.shape, len(run.outputs)
    ((), 3)
    """
    rng = np.random.default_rng(seed)
    cell = ILLUSTRATED[name](inputs, hidden, rng=rng)
    head = Linear(cell.output_size, outputs, rng=rng)
    head.weight.named("V")
    if head.bias is not None:
        head.bias.named("b_y")
    run = unroll(cell, rng.standard_normal((steps, inputs)))
    said = []
    for t, h in enumerate(run.outputs, start=1):
        with step(t):
            said.append(head(h).named("ŷ"))
    targets = rng.standard_normal((steps, outputs))
    return sequence_loss(mse_loss, said, targets, reduction="sum"), run
