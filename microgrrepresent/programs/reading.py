"""What a student's function gave back, read as the gradients that were asked for.

One layout for all weights is as good as another: transposed, or with those of x and h side by side.
A single gradient that is transposed, or that was not summed over the batch, is a mistake, and read
as what it was meant to be, so that the rest of it can be marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import permutations
from typing import Any

import numpy as np

from microgrrepresent.node import Array

NAMES = ("{}", "d{}", "grad_{}", "{}_grad", "g{}", "dL_d{}", "dL{}")
"""What the gradient of a parameter may be called."""


@dataclass
class Reading:
    """Gradients by name.

    Attributes
    ----------
    gradients : dict from str to array or None
        In the layout of the parameters; None for one that is not there or cannot be read.
    faults : dict from str to str
        What is wrong with the form of a gradient, such as "has the shape (3, 2), not (2, 3)".
    remarks : list of str
        What the layout was taken for.
    other_order : bool
        Whether weights that are side by side could be read in another order, too.
    """

    gradients: dict[str, Array | None]
    faults: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    other_order: bool = False


def read_gradients(
    given: Mapping[str, Any],
    right: Mapping[str, Array],
    letters: Mapping[str, str],
    lengths: Mapping[str, int],
    farthest: bool = False,
) -> Reading:
    """Find each gradient in what was given, in its layout.

    Parameters
    ----------
    given : mapping from str to array_like
        A gradient may be called as its parameter is, ``W``, or ``dW``, or one of `NAMES`.
    right : mapping from str to array
        The right gradients, by the names of the parameters.
    letters : mapping from str to str
        What the parameters are called in the printed program, which is taken, too.
    lengths : mapping from str to int
        The steps and sequences, T and B.
    farthest : bool
        Of the orders of weights that are side by side, take the one that is farthest from what is
        right, not the nearest.
    """
    rest: dict[str, Any] = {str(key): value for key, value in given.items()}
    found: dict[str, Array | None] = {}
    reading = Reading(found)
    for name in right:
        known = [form.format(n) for n in (name, letters[name]) for form in NAMES]
        key = next((key for key in known if key in rest), None)
        found[name] = None
        if key is not None:
            found[name] = _numbers(rest.pop(key), name, reading)
    _side_by_side(rest, right, reading, farthest)
    _shared(rest, right, reading)
    if rest:
        missing = [name for name, value in found.items() if value is None]
        unknown = ", ".join(key + _meant(key, missing) for key in rest)
        reading.remarks.append(f"Not asked for, and not looked at: {unknown}.")
    _transposed(right, reading)
    for name, value in found.items():
        if value is not None:
            found[name] = _of_shape(name, value, right[name], lengths, reading)
    return reading


def _meant(key: str, missing: Sequence[str]) -> str:
    """Which of the missing names a key is a slip of the pen for."""
    near = get_close_matches(key.removeprefix("d"), missing, 1)
    return f" (is it {near[0]}?)" if near else ""


def _numbers(value: Any, name: str, reading: Reading) -> Array | None:
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "fiu":
        reading.faults[name] = f"is no array of real numbers, but {type(value).__name__}"
        return None
    return array


def _side_by_side(
    rest: dict[str, Any], right: Mapping[str, Array], reading: Reading, farthest: bool
) -> None:
    """Weights of x and h in one matrix: ``[W_hh, W_ih]``, or its transpose."""
    for key in list(rest):
        value = np.asarray(rest[key])
        missing = [n for n, g in reading.gradients.items() if g is None and right[n].ndim == 2]
        fits: list[tuple[float, str, str, Array]] = []
        for a, b in permutations([n for n in missing if n not in reading.faults], 2):
            whole = _beside(right[a], right[b])
            for columns in (value, value.T):
                if whole is not None and columns.shape == whole.shape:
                    error = float(np.linalg.norm(columns - whole))
                    fits.append((error if np.isfinite(error) else np.inf, a, b, columns))
        if fits:
            _, a, b, columns = (max if farthest else min)(fits, key=lambda fit: fit[0])
            width = right[a].shape[1]
            reading.gradients[a], reading.gradients[b] = columns[:, :width], columns[:, width:]
            reading.remarks.append(f"{key} is read as [{a}, {b}], side by side.")
            reading.other_order = len(fits) > 1
            del rest[key]


def _beside(a: Array, b: Array) -> Array | None:
    return np.concatenate([a, b], axis=1) if len(a) == len(b) else None


def _shared(rest: dict[str, Any], right: Mapping[str, Array], reading: Reading) -> None:
    """One bias where PyTorch has two, whose gradients are the same."""
    for key in list(rest):
        value = np.asarray(rest[key])
        missing = [n for n, g in reading.gradients.items() if g is None and right[n].ndim == 1]
        same = [n for n in missing if np.array_equal(right[n], right[missing[0]])]
        if len(same) > 1 and value.shape == right[same[0]].shape:
            reading.gradients.update(dict.fromkeys(same, value))
            reading.remarks.append(f"{key} is read as {' and '.join(same)}, which are the same.")
            del rest[key]


def _transposed(right: Mapping[str, Array], reading: Reading) -> None:
    """All weights the other way round is a layout, seen on those that are not square."""
    matrices = [n for n, g in reading.gradients.items() if g is not None and right[n].ndim == 2]
    oblong = [n for n in matrices if right[n].shape[0] != right[n].shape[1]]
    shapes = {n: np.asarray(reading.gradients[n]).shape for n in oblong}
    if len(oblong) > 1 and all(shapes[n] == right[n].T.shape for n in oblong):
        for n in matrices:
            value = reading.gradients[n]
            reading.gradients[n] = None if value is None else value.T
        reading.remarks.append("All matrices are transposed, and are read as that.")


def _of_shape(
    name: str, value: Array, right: Array, lengths: Mapping[str, int], reading: Reading
) -> Array | None:
    if not np.isfinite(value).all():
        reading.faults[name] = f"has {int((~np.isfinite(value)).sum())} numbers that are NaN or ∞"
        return None
    if value.shape == right.shape:
        return value
    if value.size == right.size and 1 in value.shape and right.ndim == 1:
        return value.reshape(right.shape)
    if right.ndim == 2 and value.shape == right.T.shape:
        reading.faults[name] = f"is transposed: {value.shape}, where {name} is {right.shape}"
        return value.T
    more = value.ndim - right.ndim
    if more > 0 and value.shape[more:] == right.shape:
        axes = [_length(n, lengths) for n in value.shape[:more]]
        reading.faults[name] = (
            f"is not summed over {' and '.join(axes)}: {value.shape}, not {right.shape}"
        )
        summed: Array = value.sum(axis=tuple(range(more)))
        return summed
    what = f"has the shape {value.shape}" if value.ndim else f"is the number {value:.4g}"
    reading.faults[name] = f"{what}, and should have the shape {right.shape}"
    return None


def _length(n: int, lengths: Mapping[str, int]) -> str:
    said: Sequence[str] = [key for key, length in lengths.items() if length == n]
    known = {"T": "the steps", "B": "the batch"}
    return known.get(said[0], said[0]) if said else f"an axis of length {n}"
