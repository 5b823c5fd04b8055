"""The same training step in this project: the cell written out, and the layer."""

from __future__ import annotations

import numpy as np

from microgrrepresent import (
    Tensor,
    cross_entropy,
    linear,
    program,
    sigmoid,
    split,
    stack,
    tanh,
)
from tests.benchmarks.training_step.problem import NAMES


def composed(given):
    """The cell written out in operations, as `peers.torch_composed` does."""
    p = {name: Tensor(value, requires_grad=True) for name, value in given.parameters.items()}
    X, y = Tensor(given.X), given.y
    H, zeros = given.size.H, Tensor(np.zeros((given.size.B, given.size.H), np.float32))

    def rnn(state, inside, W_hh, b_hh):
        (h,) = state
        return (tanh(inside + linear(h, W_hh) + b_hh),)

    def gru(state, inside, W_hh, b_hh):
        (h,) = state
        rec = linear(h, W_hh) + b_hh
        r, z = split(sigmoid(inside[:, : 2 * H] + rec[:, : 2 * H]), 2, axis=1)
        n = tanh(inside[:, 2 * H :] + r * rec[:, 2 * H :])
        return (n + z * (h - n),)

    def lstm(state, inside, W_hh, b_hh):
        h, c = state
        i, f, g, o = split(inside + linear(h, W_hh) + b_hh, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c

    cell = {"rnn": rnn, "gru": gru, "lstm": lstm}[given.cell]

    def run():
        for parameter in p.values():
            parameter.grad = None
        W_ih, W_hh, b_ih, b_hh, V, b_out = (p[name] for name in NAMES)
        state, outputs = (zeros, zeros)[: 1 + (given.cell == "lstm")], []
        for inside in linear(X, W_ih) + b_ih:
            state = cell(state, inside, W_hh, b_hh)
            outputs.append(state[0])
        loss = cross_entropy(linear(stack(outputs), V) + b_out, y)
        loss.backward()
        return loss.item(), {name: parameter.grad for name, parameter in p.items()}

    return run


def _layer_and_readout(given):
    """The layer of `rnn` and a linear readout, with the given values, and their parameters."""
    from rnn import GRU, LSTM, RNN, Linear

    kind = {"rnn": RNN, "gru": GRU, "lstm": LSTM}[given.cell]
    recurrent = kind(given.size.I, given.size.H, dtype=np.float32)
    readout = Linear(given.size.H, given.size.O, dtype=np.float32)
    own = [getattr(recurrent, f"{name}_l0") for name in NAMES[:4]] + [readout.weight, readout.bias]
    p = dict(zip(NAMES, own, strict=True))
    for name, parameter in p.items():
        parameter.assign(given.parameters[name])
    return recurrent, readout, p


def layer(given):
    """The layer and its readout, recorded and differentiated as any code is."""
    recurrent, readout, p = _layer_and_readout(given)
    X, y = given.X, given.y

    def run():
        for parameter in p.values():
            parameter.grad = None
        output, _ = recurrent(X)
        loss = cross_entropy(readout(output), y)
        loss.backward()
        return loss.item(), {name: parameter.grad for name, parameter in p.items()}

    return run


def program_of(given, backend="numpy"):
    """The program of the layer and its readout: the loop that `program` prints, run fast."""
    recurrent, readout, p = _layer_and_readout(given)

    def f(X, y):
        return cross_entropy(readout(recurrent(X)[0]), y)

    return program(f, p, backend=backend, X=given.X, y=given.y)


def printed(given):
    """A step of the program, in NumPy."""
    step = program_of(given)
    return lambda: step(X=given.X, y=given.y)


def compiled(given):
    """The same, compiled by numba."""
    import numba  # noqa: F401 (or the race says that it is missing)

    step = program_of(given, "numba")
    return lambda: step(X=given.X, y=given.y)
