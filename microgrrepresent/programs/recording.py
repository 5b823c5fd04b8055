"""Recordings of one function, with inputs of other lengths, to learn what a length is.

The inputs are cut, or repeated, along each axis along which the function takes another length:
mostly the steps and the sequences. Two recordings tell which numbers follow from the lengths; a
third one, of other lengths and other values, shows whether they do.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from microgrrepresent.arguments import function
from microgrrepresent.errors import ExampleError
from microgrrepresent.node import Array, Node, next_id
from microgrrepresent.programs.sizes import Size
from microgrrepresent.tensor import Tensor

Axis = tuple[str, int]
"""An input and one of its axes."""

Lengths = tuple[int, ...]
"""Of an axis, in each recording."""

LENGTHS = ((8, 12, 19), (7, 13, 22), (10, 17, 21), (9, 14, 16), (11, 20, 26))
"""The lengths of each axis in the three recordings, if the function takes them.

The differences between them tell one axis from another, and no length is a multiple of another
axis's in all of them. Of the first two axes now one is longer and now the other, so that the
shorter of both is neither. Steps may well be read 5 back.
"""


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


@dataclass(frozen=True)
class Recordings:
    """The same function, recorded at three lengths of each axis that can have others.

    Attributes
    ----------
    made : tuple of Recording
    lengths : dict from str to tuple of int
        Of each size, in each of them.
    axes : dict from str to (str, int)
    """

    made: tuple[Recording, Recording, Recording]
    lengths: dict[str, Lengths]
    axes: dict[str, Axis]

    def pair(self, i: int, j: int) -> TwoRecordings:
        """Two of them."""
        sizes = tuple(Size(n, ends[i], ends[j]) for n, ends in self.lengths.items())
        return TwoRecordings(self.made[i], self.made[j], sizes, self.axes)


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


def record_thrice(f: Callable[..., Node], inputs: Mapping[str, Array]) -> Recordings:
    """Record a function at three lengths of each axis along which it takes others.

    The third recording is of other values, too.
    """
    groups = _groups(inputs)
    try:  # mostly it takes all of them
        return _recorded(f, inputs, [(group, _usual(k)) for k, group in enumerate(groups)])
    except Exception:  # whatever it raises where it is given what it was not written for
        free: list[tuple[list[Axis], Lengths]] = []
        for group in groups:
            for part in _parts(group):
                lengths = _free(f, inputs, part, _usual(len(free)))
                if lengths is not None:
                    free.append((part, lengths))
                    if part is group:
                        break
    return _recorded(f, inputs, free)


def _parts(group: list[Axis]) -> list[list[Axis]]:
    """Axes of one length, all together; and those that may have it by chance, by themselves."""
    apart = [[one for one in group if one[1] == axis] for axis in (0, 1)]
    return [group, *apart] if all(apart) else [group]


def _free(
    f: Callable[..., Node], inputs: Mapping[str, Array], group: list[Axis], usual: Lengths
) -> Lengths | None:
    """Other lengths of some axes that the function takes: the usual ones, or longer ones."""
    name, axis = group[0]
    longer = tuple(inputs[name].shape[axis] + n - usual[0] for n in usual)
    for lengths in (usual, longer):
        if all(_takes(f, _resized(inputs, dict.fromkeys(group, n))) for n in lengths):
            return lengths
    return None


def _usual(k: int) -> Lengths:
    return LENGTHS[k % len(LENGTHS)]


def _recorded(
    f: Callable[..., Node], inputs: Mapping[str, Array], free: list[tuple[list[Axis], Lengths]]
) -> Recordings:
    """Record a function with the axes that are free in their lengths."""
    names = _names([group for group, _ in free], inputs)
    made = []
    for k in range(3):
        resized = _resized(inputs, {axis: ends[k] for group, ends in free for axis in group})
        if k == 2 and _takes(f, fresh := _fresh(resized)):
            resized = fresh
        made.append(record(f, resized))
    return Recordings(
        (made[0], made[1], made[2]),
        {n: ends for n, (_, ends) in zip(names, free, strict=True)},
        {n: group[0] for n, (group, _) in zip(names, free, strict=True)},
    )


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


def _takes(f: Callable[..., Node], inputs: Mapping[str, Array]) -> bool:
    """Whether the function runs on inputs that have other lengths or values."""
    try:
        record(f, inputs)
    except Exception:  # whatever it raises where it is given what it was not written for
        return False
    return True


def _resized(inputs: Mapping[str, Array], to: Mapping[Axis, int]) -> dict[str, Array]:
    """Inputs with some axes cut, or repeated, to other lengths."""
    found = dict(inputs)
    for (name, axis), n in to.items():
        value = found[name]
        found[name] = np.take(value, np.arange(n) % value.shape[axis], axis)
    return found


def _fresh(inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Inputs of other values, which a function that takes these will mostly take as well.

    Integers and truth values are only drawn from those that are there, a row as a whole, in their
    order; numbers with a fraction get smaller, and other signs if there are both.
    """
    rng = np.random.default_rng(0)
    found = {}
    for name, value in inputs.items():
        for axis in range(min(value.ndim, 2)):
            n = value.shape[axis]
            drawn = np.sort(rng.integers(0, max(n, 1), n))
            drawn[:1] = 0
            value = np.take(value, drawn, axis)
        if value.dtype.kind == "f":
            signs = [-1, 1] if (value < 0).any() and (value > 0).any() else [1]
            factor = rng.uniform(0.5, 1, value.shape) * rng.choice(signs, value.shape)
            value = (value * factor).astype(value.dtype)
        found[name] = value
    return found


def _names(groups: list[list[Axis]], taken: Container[str]) -> list[str]:
    """T, B for the first and the second axis; T_y where there are several."""
    found: list[str] = []
    for group in groups:
        letter = "TB"[group[0][1]]
        if letter in taken or letter in found:
            letter = f"{letter}_{group[0][0]}"
        found.append(letter)
    return found


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", type(f).__name__)
