"""``python -m rnn equations`` and ``explain``: what a model computes, and its gradient, in letters.

python -m rnn equations --cell gru --notation ng
python -m rnn explain --cell rnn --of W_hh --notation nndl
"""

from __future__ import annotations

import argparse

from microgrrepresent import Graph, Tensor, explain
from microgrrepresent.node import Node
from rnn.command_line.model_options import recorded
from rnn.errors import DataError


def print_equations(options: argparse.Namespace) -> int:
    """Print the equations of one step of each part of a model."""
    _, run = recorded(options)
    if not run.parts:
        raise DataError(
            f"--model {options.model} has no steps that are alike, and so no equations of one "
            f"step; see python -m rnn draw --model {options.model}"
        )
    for i, (name, part) in enumerate(run.parts.items()):
        print("\n" * (i > 0) + f"{name}:\n" * bool(name) + part.equations(options.notation))
    return 0


def print_explanation(options: argparse.Namespace) -> int:
    """Print how the gradient of a model's loss with respect to one parameter comes about."""
    _, run = recorded(options)
    if not isinstance(run.loss, Tensor):
        raise DataError(f"--model {options.model} has no loss to differentiate")
    print(explain(run.loss, _parameter(run.loss, options.of), options.notation), end="")
    return 0


def _parameter(loss: Tensor, name: str | None) -> Tensor:
    """The parameter of this name; or the first matrix that a state is multiplied with."""
    parameters: dict[str, Node] = {}
    for node in Graph(loss):
        if node.op is None and node.requires_grad:
            parameters.setdefault(node.name or "", node)
    if name is None:
        name = next((n for n in parameters if n.startswith("W_hh")), next(iter(parameters)))
    if name not in parameters:
        raise DataError(f"there is no parameter {name!r}; there are {', '.join(parameters)}")
    found = parameters[name]
    assert isinstance(found, Tensor)
    return found
