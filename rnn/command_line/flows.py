"""``python -m rnn flow``: how far back the gradients of several cells reach, as a slide."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np

from microgrrepresent import Tensor
from microgrrepresent.errors import DrawingError
from microgrrepresent.node import Array
from rnn.command_line.illustration import layer_of
from rnn.diagnosis import gradient_flow
from rnn.errors import DataError
from rnn.layers.layers import RNN

FORGETFUL = ("lstm", "lstm-peephole")
"""The cells whose forget gate has a bias of its own."""

INITS = ("default", "orthogonal", "identity")
"""How the matrices between a state and the next one begin."""


def flow(options: argparse.Namespace) -> int:
    """Print the table, and draw the figure."""
    rng = np.random.default_rng(options.seed)
    layers = dict(_layers(options, rng))
    if options.units and len(layers) > 1:
        raise DataError(
            f"--units shows one network, and there are {len(layers)}: {', '.join(layers)}; choose "
            "one with --cells"
        )
    xs = rng.standard_normal((options.length, options.batch, options.inputs))
    what, loss = "the last output", _ends if options.bidirectional else None
    if options.output == "all":
        what, loss = "all outputs", _every
    found = gradient_flow(layers, xs, loss)
    print(f"Size of the gradient of {what} with respect to the states, by step:\n\n{found}\n")
    shown = next(iter(found.traces.values())) if options.units else found
    try:
        shown.save(options.out)
    except ModuleNotFoundError as error:
        raise DrawingError(str(error)) from error
    print(f"Written: {options.out}")
    return 0


def _layers(options: argparse.Namespace, rng: np.random.Generator) -> Iterator[tuple[str, RNN]]:
    """The networks, by what to call them."""
    biases: list[float] = options.forget_bias or []
    if biases and not set(FORGETFUL) & set(options.cells):
        raise DataError(
            f"--forget-bias is for {' and '.join(FORGETFUL)}, and --cells has neither of them"
        )
    for name in options.cells:
        for bias in biases if name in FORGETFUL and biases else (None,):
            more: dict[str, Any] = {} if bias is None else {"forget_bias": bias}
            layer = layer_of(
                name, options.inputs, options.hidden, options.layers, options.bidirectional,
                rng=rng, **more,
            )  # fmt: skip
            _begin(layer, options.init, rng)
            yield name if bias is None else f"{name}, forget bias {bias:g}", layer


def _begin(layer: RNN, how: str, rng: np.random.Generator) -> None:
    """Give the recurrent matrices their first values, gate by gate."""
    if how == "default":
        return
    for name, weight in layer.named_parameters():
        if not name.startswith("weight_hh"):
            continue
        rows, n = weight.shape
        weight.assign(np.concatenate([_block(how, n, rng) for _ in range(rows // n)]))


def _block(how: str, n: int, rng: np.random.Generator) -> Array:
    if how == "identity":
        return np.eye(n)
    Q, R = np.linalg.qr(rng.standard_normal((n, n)))
    orthogonal: Array = Q * np.sign(np.diag(R))  # evenly among all orthogonal matrices
    return orthogonal


def _every(outputs: Tensor) -> Tensor:
    """The sum of all outputs, divided by the root of the size of one."""
    total: Tensor = outputs.sum() / np.sqrt(outputs[-1].size)
    return total


def _ends(outputs: Tensor) -> Tensor:
    """The sum of what each direction says last, divided by the root of its size."""
    half = outputs.shape[-1] // 2
    forward, back = outputs[-1, ..., :half], outputs[0, ..., half:]
    total: Tensor = (forward.sum() + back.sum()) / np.sqrt(forward.size)
    return total
