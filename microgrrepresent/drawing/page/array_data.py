"""Arrays as a page has them: small ones in full, large ones as heat maps; extremes and norms.

``arrays.js`` shows them, and ``arrays.css`` says how they look.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import numpy as np

from microgrrepresent.node import Array
from microgrrepresent.norms import euclidean_norm

FULL = 36
"""Arrays of up to so many elements are shown in full, larger ones as a heat map."""

CELLS = 24
"""A heat map has at most so many rows and columns; larger arrays are averaged over blocks."""

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


def numbers(array: Array) -> Data:
    """An array for the page: in full if it is small, else a heat map; its extremes and norm."""
    array = array.astype(np.float64)
    data: Data = {"shape": list(array.shape)}
    width = array.shape[-1] if array.ndim else 1
    flat = array.reshape(array.size // width if width else 0, width)
    with np.errstate(all="ignore"):  # a mean of ∞ and -∞ is NaN, and shown as that
        data["norm"] = _short(euclidean_norm(array))
        if array.size <= FULL:
            data["full"] = [[_short(x) for x in row] for row in flat.tolist()] or [[]]
        else:
            blocks = _averaged(flat)
            top = np.abs(blocks[np.isfinite(blocks)]).max(initial=0.0) or 1.0
            data |= {"map": _shades(blocks / top), "top": _short(top), "width": blocks.shape[1]}
            data |= {"min": _short(array.min()), "max": _short(array.max())}
            data["mean"] = _short(array.mean())
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


def _short(x: Any) -> float | str:
    """A number of few digits; JSON has none for NaN and infinity."""
    value = float(f"{x:.6g}")
    return value if np.isfinite(value) else str(value)
