"""The loop of a cell, with readout and loss, printed as NumPy code.

python -m rnn code --cell lstm -o bptt.py
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from microgrrepresent import Tensor, cross_entropy, stack
from microgrrepresent.files import write_file
from microgrrepresent.node import Array
from microgrrepresent.programs import Program, program
from rnn.command_line.illustration import ILLUSTRATED
from rnn.layers.dense import Linear
from rnn.layers.unrolling import unroll

STEPS, BATCH, INPUTS, HIDDEN, CLASSES = 6, 3, 2, 4, 5
"""All different: equal lengths hide mistakes."""


@dataclass(frozen=True)
class Task:
    """A loss to write the backward pass of: its parameters by name, and the shapes of its data."""

    f: Callable[..., Tensor]
    parameters: dict[str, Tensor]
    states: dict[str, int]
    """The length of each initial state that is an input."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of everything but the targets."""
        data = {"X": (STEPS, BATCH, INPUTS)}
        states = {name: (BATCH, size) for name, size in self.states.items()}
        return data | states | {name: node.shape for name, node in self.parameters.items()}

    def data(self, seed: int) -> dict[str, Array]:
        """Inputs of a seed; the parameters take their values of that seed."""
        numbers = drawn(self.shapes, seed)
        for name, node in self.parameters.items():
            node.assign(numbers.pop(name))
        return numbers

    def program(self) -> Program:
        """Its right loop."""
        return program(self.f, self.parameters, backend="numpy", **self.data(0))


def drawn(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, Array]:
    """The numbers of an exercise; its file says these lines, too."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, Array] = {n: rng.uniform(-1, 1, shape) for n, shape in shapes.items()}
    return arrays | {"y": rng.integers(0, CLASSES, (STEPS, BATCH))}


def tagger(name: str, *, states: bool) -> Task:
    """A cell with a readout and softmax cross-entropy at every step.

    Parameters
    ----------
    name : str
        One of `ILLUSTRATED`.
    states : bool
        Whether the initial state is an input, and not 0, which would hide mistakes.
    """
    rng = np.random.default_rng(0)
    cell = ILLUSTRATED[name](INPUTS, HIDDEN, rng=rng)
    head = Linear(cell.output_size, CLASSES, rng=rng)
    head.weight.named("V")
    assert head.bias is not None
    head.bias.named("b_y")
    nodes = [*cell.parameters(), *head.parameters()]

    def f(X: Tensor, y: Tensor, **initial: Tensor) -> Tensor:
        state = cell.state_of(*initial.values()) if initial else None
        loss: Tensor = cross_entropy(head(stack(unroll(cell, X, state).outputs)), y)
        return loss

    sizes = {f"{n}_0": size for n, size in cell.state_sizes().items()} if states else {}
    return Task(f, {node.name or "": node for node in nodes}, sizes)


def code(options: argparse.Namespace) -> int:
    """``python -m rnn code``: print the loop, or write it to a file."""
    source = tagger(options.cell, states=False).program().source(options.style)
    if options.out is None:
        print(source, end="")
    else:
        write_file(options.out, source.encode())
        print(f"Written: {options.out}")
    return 0
