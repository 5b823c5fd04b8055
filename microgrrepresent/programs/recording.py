"""Two recordings of one function, with inputs of other lengths, to learn what a length is.

The inputs are cut, or repeated, to two lengths along each axis along which the function takes
another length: mostly the steps and the sequences. How the values go on does not matter, since only
the form of the graph is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from microgrrepresent.errors import ExampleError
from microgrrepresent.node import Array, Node, next_id
from microgrrepresent.operands import function
from microgrrepresent.programs.sizes import Size
from microgrrepresent.tensor import Tensor

Axis = tuple[str, int]
"""An input and one of its axes."""

SHORT = 7
"""An axis is recorded in this length, if the function takes it; steps may well be read 5 back."""

DIFFERENCES = (3, 1, 7, 11, 13)
"""By how much the lengths of each axis differ, which tells one axis from another."""


@dataclass(frozen=True)
class Recording:
    """A loss that a function has recorded.

    Attributes
    ----------
    loss : Node
    inputs : dict from str to Node
        The leaves that stand for its inputs.
    began : int
        Nodes with an id above this one were made by the function.
    """

    loss: Node
    inputs: dict[str, Node]
    began: int


@dataclass(frozen=True)
class TwoRecordings:
    """The same function, recorded at two lengths of each axis that can have others.

    Attributes
    ----------
    first, second : Recording
    sizes : tuple of Size
    axes : dict from str to (str, int)
        Where to read each size from: an input and one of its axes.
    """

    first: Recording
    second: Recording
    sizes: tuple[Size, ...]
    axes: dict[str, Axis]


def record(f: Callable[..., Node], inputs: Mapping[str, Any]) -> Recording:
    """Run a function on inputs as leaves of these names."""
    leaves: dict[str, Node] = {}
    for name, value in inputs.items():
        leaves[name] = Tensor(value, name=name)
    began = next_id()
    loss = function(f, "program")(**leaves)
    if not isinstance(loss, Node):
        raise TypeError(
            f"program: {_name(f)} must return the loss, a Tensor; it returned {type(loss).__name__}"
        )
    return Recording(loss, leaves, began)


def record_twice(f: Callable[..., Node], inputs: Mapping[str, Array]) -> TwoRecordings:
    """Record a function at two lengths of each axis along which it takes another length."""
    groups = _groups(inputs)
    free: list[tuple[list[Axis], tuple[int, int]]] = []
    for group in groups:
        name, axis = group[0]
        given = inputs[name].shape[axis]
        apart = DIFFERENCES[len(free) % len(DIFFERENCES)]
        for least in dict.fromkeys((min(given, SHORT), max(given, SHORT))):
            pair = least, least + apart
            if _takes(f, inputs, group, pair[0]) and _takes(f, inputs, group, pair[1]):
                free.append((group, pair))
                break
    names = _names([group for group, _ in free])
    cut = [{axis: ends[k] for group, ends in free for axis in group} for k in (0, 1)]
    first, second = (record(f, _resized(inputs, to)) for to in cut)
    sizes = tuple(Size(n, *ends) for n, (_, ends) in zip(names, free, strict=True))
    axes = {n: group[0] for n, (group, _) in zip(names, free, strict=True)}
    return TwoRecordings(first, second, sizes, axes)


def _groups(inputs: Mapping[str, Array]) -> list[list[Axis]]:
    """The axes that may have other lengths; those that must have the same one together."""
    found: dict[int, list[Axis]] = {}
    for name, value in inputs.items():
        for axis, n in enumerate(value.shape[:2]):
            found.setdefault(n, []).append((name, axis))
    for n, group in found.items():
        twice = [name for name, axis in group if axis == 1 and (name, 0) in group]
        if twice:
            raise ExampleError(
                f"program: both axes of {twice[0]} {inputs[twice[0]].shape} have the length {n}, "
                "so that steps and sequences cannot be told apart; give an example in which they "
                "differ: a program runs for any lengths"
            )
    return sorted(found.values(), key=lambda group: (group[0][1], group[0][0]))


def _takes(f: Callable[..., Node], inputs: Mapping[str, Array], group: list[Axis], n: int) -> bool:
    """Whether the function takes inputs that have another length there."""
    try:
        record(f, _resized(inputs, dict.fromkeys(group, n)))
    except (ValueError, TypeError, IndexError):
        return False
    return True


def _resized(inputs: Mapping[str, Array], to: Mapping[Axis, int]) -> dict[str, Array]:
    """Inputs with some axes cut, or repeated, to other lengths."""
    found = dict(inputs)
    for (name, axis), n in to.items():
        value = found[name]
        found[name] = np.take(value, np.arange(n) % value.shape[axis], axis)
    return found


def _names(groups: list[list[Axis]]) -> list[str]:
    """T, B for the first and the second axis; T_y where there are several."""
    found: list[str] = []
    for group in groups:
        letter = "TB"[group[0][1]]
        found.append(letter if letter not in found else f"{letter}_{group[0][0]}")
    return found


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", type(f).__name__)
