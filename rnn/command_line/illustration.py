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
from inspect import signature
from typing import Any, Literal

import numpy as np

from microgrrepresent import Tensor, step
from microgrrepresent import steps as every_step
from rnn.cells import (
    Cell,
    CTRNNCell,
    GRUCell,
    LinearRecurrentCell,
    LSTMCell,
    ResidualRNNCell,
    RNNCell,
)
from rnn.errors import DataError
from rnn.initialize import Rng
from rnn.layers.dense import Linear
from rnn.layers.layers import RNN
from rnn.training.losses import mse_loss, sequence_loss

ILLUSTRATED: dict[str, Callable[..., Cell[Any]]] = {
    "rnn": RNNCell,
    "gru": GRUCell,
    "lstm": LSTMCell,
    "gru-before": partial(GRUCell, reset_after=False),
    "gru-ng": partial(GRUCell, reset_after=False, update_gate="write"),
    "gru-simple": partial(GRUCell, reset_gate=False),
    "lstm-1997": partial(LSTMCell, forget_gate=False),
    "lstm-coupled": partial(LSTMCell, coupled=True),
    "lstm-peephole": partial(LSTMCell, peephole="diagonal"),
    "linear": LinearRecurrentCell,
    "residual": ResidualRNNCell,
    "ctrnn": CTRNNCell,
}
"""The cells that can be shown, by the names that the command line has for them."""


def layer_of(
    name: str,
    inputs: int,
    hidden: int,
    layers: int = 1,
    bidirectional: bool = False,
    per_gate: bool = False,
    rng: Rng = None,
    **more: Any,
) -> RNN:
    """A layer of one of the `ILLUSTRATED` cells, which is made with more arguments, if given.

    Raises
    ------
    DataError
        If the gates of a cell without gates are to be drawn one by one.
    """
    cell: Callable[..., Cell[Any]] = partial(ILLUSTRATED[name], **more)
    if per_gate:
        gated = [n for n, c in ILLUSTRATED.items() if "composition" in signature(c).parameters]
        if name not in gated:
            raise DataError(f"{name} has no gates to draw one by one; {', '.join(gated)} do")
        cell = partial(cell, composition="per_gate")
    return RNN(inputs, hidden, layers, bidirectional=bidirectional, cell=cell, rng=rng)


def illustration(
    name: str,
    steps: int,
    inputs: int = 3,
    hidden: int = 4,
    outputs: int = 2,
    seed: int = 0,
    *,
    layers: int = 1,
    bidirectional: bool = False,
    per_gate: bool = False,
    output: Literal["all", "last"] = "all",
) -> tuple[Tensor, RNN]:
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
    layers, bidirectional
        As ``num_layers`` and ``bidirectional`` of `RNN`.
    per_gate : bool
        A product for each gate, instead of one for all.
    output : {"all", "last"}
        Whether ŷ and a loss stand at every step, or at step T alone.

    Returns
    -------
    L : Tensor
        The loss, behind which the whole graph is.
    layer : RNN
        The layer that was run.

    Examples
    --------
    >>> from rnn.command_line.illustration import illustration
    >>> L, layer = illustration("lstm", 3)
    >>> L.shape, layer.hidden_size
    ((), 4)
    """
    rng = np.random.default_rng(seed)
    layer = layer_of(name, inputs, hidden, layers, bidirectional, per_gate, rng)
    head = Linear(layer.output_size, outputs, rng=rng)
    head.weight.named("V")
    if head.bias is not None:
        head.bias.named("b_y")
    xs = [Tensor(x, name="x") for _, x in every_step(rng.standard_normal((steps, inputs)))]
    said = []
    for t, h in enumerate(layer.by_step(xs), start=1):
        if output == "all" or t == steps:
            with step(t):
                said.append(head(h).named("ŷ"))
    targets = rng.standard_normal((steps, outputs))
    if output == "last":
        with step(steps):
            target = Tensor(targets[-1], name="target")
            return mse_loss(said[-1], target, reduction="sum").named("L"), layer
    return sequence_loss(mse_loss, said, targets, reduction="sum"), layer
