"""Arrays as a page has them: small ones in full, large ones as heat maps; extremes and norms.

``arrays.js`` shows them, and ``arrays.css`` says how they look.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import partial
from math import isfinite
from typing import Any

import numpy as np

from microgrrepresent.node import Array
from microgrrepresent.norms import euclidean_norm

FULL = 36
"""Arrays of up to so many elements are shown in full, larger ones as a heat map."""

CELLS = 24
"""A heat map has at most so many rows and columns; larger arrays are averaged over blocks."""

DIGITS = 4
"""Significant ones, as many as a page shows of a number at a glance."""

Data = dict[str, Any]


def each_array_once(data: Data) -> Data:
    """The data with all arrays in a list and their indices where they were.

    A sum passes its adjoint on as it is, so most arrays are there several times.
    """
    index: dict[str, int] = {}

    def put(value: Any) -> Any:
        if isinstance(value, dict) and "norm" in value:
            return index.setdefault(json.dumps(value, sort_keys=True), len(index))
        if isinstance(value, dict):
            return {key: put(part) for key, part in value.items()}
        return list(map(put, value)) if isinstance(value, list) else value

    told = put(data)
    return {**told, "arrays": [json.loads(array) for array in index]}


class Arrays:
    """The arrays of a page of many: each once, as a row of few digits.

    Attributes
    ----------
    shapes : list of list of int
    rows : list of list
        The index of the shape, the norm, and the numbers; of a larger one, that of a heat map:
        ``map, width, top, min, mean, max``.
    """

    def __init__(self, full: int) -> None:
        self.full = full
        self.shapes: list[list[int]] = []
        self.rows: list[list[Any]] = []
        self._index: dict[tuple[Any, ...], int] = {}

    def index(self, array: Array) -> int:
        """Where the array stands among the rows."""
        key = (array.shape, array.dtype, array.tobytes())
        if key not in self._index:
            self._index[key] = len(self.rows)
            self.rows.append(self._row(numbers(array, self.full, DIGITS)))
        return self._index[key]

    def _row(self, data: Data) -> list[Any]:
        if data["shape"] not in self.shapes:
            self.shapes.append(data["shape"])
        start = [self.shapes.index(data["shape"]), data["norm"]]
        if "full" in data:
            return [*start, [x for row in data["full"] for x in row]]
        return [*start, *(data[key] for key in ("map", "width", "top", "min", "mean", "max"))]


def numbers(array: Array, full: int = FULL, digits: int = 6) -> Data:
    """An array for the page: in full if it is small, else a heat map; its extremes and norm."""
    short = partial(_short, digits=digits)
    array = array.astype(np.float64)
    data: Data = {"shape": list(array.shape)}
    width = array.shape[-1] if array.ndim else 1
    flat = array.reshape(array.size // width if width else 0, width)
    with np.errstate(all="ignore"):  # a mean of ∞ and -∞ is NaN, and shown as that
        data["norm"] = short(euclidean_norm(array))
        if array.size <= full:
            data["full"] = [[short(x) for x in row] for row in flat.tolist()] or [[]]
        else:
            blocks = _averaged(flat)
            top = np.abs(blocks[np.isfinite(blocks)]).max(initial=0.0) or 1.0
            data |= {"map": _shades(blocks / top), "top": short(top), "width": blocks.shape[1]}
            data |= {"min": short(array.min()), "max": short(array.max())}
            data["mean"] = short(array.mean())
    return data


def _shades(levels: Array) -> str:
    """The colors of a heat map, row by row: a byte each, 127 for 1; -128 for what is no number."""
    shades = np.where(np.isnan(levels), -128, np.rint(np.clip(levels, -1, 1) * 127))
    return b64encode(shades.astype(np.int8).tobytes()).decode()


def _averaged(array: Array) -> Array:
    """Means over blocks, so that few enough rows and columns are left."""
    for axis in (0, 1):
        n = array.shape[axis]
        if n > CELLS:
            starts = np.arange(CELLS) * n // CELLS
            counts = np.diff([*starts, n])
            sums = np.add.reduceat(array, starts, axis=axis)
            array = sums / (counts[:, None] if axis == 0 else counts)
    return array


def _short(x: Any, digits: int) -> float | str:
    """A number of few digits; JSON has none for NaN and infinity."""
    value = float(f"{x:.{digits}g}")
    if not isfinite(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
