r"""Checkpoints: nested data with arrays in it, in one .npz file that is never half written.

A checkpoint is made of dicts, lists, tuples, numbers, strings, None, arrays and Tensors. Its arrays
become the arrays of the file; the rest, with a number in each array's place, is kept as JSON in an
array of bytes. A Tensor is kept as pickle would keep it: a leaf with its name, and with whether it
requires a gradient; a result that requires one would lose its history, and is refused. There is no
pickle: loading a file from somebody else runs none of their code.
"""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from microgrrepresent import Tensor
from microgrrepresent.arrays import plain_array
from microgrrepresent.errors import FileError, shortened
from microgrrepresent.files import read_arrays, write_arrays
from microgrrepresent.node import Array
from rnn.errors import CheckpointError

_FORMAT = "microgrrepresent checkpoint 1"
_DEEPEST = 100
"""Levels of lists and dicts: Python's JSON gives up at some hundreds."""
_LONGEST = 4096
"""Bits of an integer: Python turns none of 4,300 digits into text."""


def save_checkpoint(path: str | Path, data: dict[str, Any]) -> None:
    """Write a checkpoint; a file that is there is replaced at once or not at all.

    Raises
    ------
    FileError
        If the file cannot be written.
    CheckpointError
        If the data hold something that a checkpoint is not made of, such as an array of words, or
        themselves. The old file stays.
    GradientError, DTypeError
        If they hold a result that requires a gradient, while recording, or a masked array.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from rnn import load_checkpoint, save_checkpoint
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "run.npz"
    ...     save_checkpoint(path, {"step": 3, "state": (np.zeros(2), None)})
    ...     load_checkpoint(path)
    {'step': 3, 'state': (array([0., 0.]), None)}
    """
    outline, arrays = _in_parts(data, "checkpoint")
    text = json.dumps({"format": _FORMAT, "data": outline})
    members = {f"array{i}": array for i, array in enumerate(arrays)}
    write_arrays(path, {"outline": np.frombuffer(text.encode(), np.uint8)} | members)


def check_data(data: Any, where: str) -> None:
    """See that data can be put into a checkpoint, and be got out of it again.

    Raises
    ------
    CheckpointError
        If they cannot; the message begins with `where`.
    """
    _in_parts(data, where)


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote.

    Raises
    ------
    CheckpointError
        If there is no such file, or it is no checkpoint.
    """
    try:
        members = read_arrays(path)
    except FileError as error:
        raise CheckpointError(str(error)) from error
    try:
        outline = json.loads(bytes(members["outline"]))
        arrays = [members[f"array{i}"] for i in range(len(members) - 1)]
        if outline["format"] != _FORMAT:
            raise ValueError(outline["format"])
        return dict(_put_together(outline["data"], arrays))
    except Exception as error:  # of JSON, or of an outline of another form
        raise CheckpointError(f"{path} is damaged, or no checkpoint of this package") from error


def _in_parts(data: Any, where: str) -> tuple[Any, list[Array]]:
    """What JSON can say of data, and the arrays in them."""
    arrays: list[Array] = []
    return _taken_apart(data, arrays, where, 0), arrays


def _taken_apart(x: Any, arrays: list[Array], where: str, depth: int) -> Any:
    """What JSON can say of x; its arrays are appended to `arrays`."""
    if isinstance(x, Tensor):  # as a copy of it would be
        _, (value, requires_grad, name) = x.__reduce__()
        return {"tensor": [_placed(value, arrays, where), requires_grad, name]}
    if isinstance(x, (np.ndarray, np.generic)) and not isinstance(x, (str, float)):
        return {"array": _placed(x, arrays, where)}
    if isinstance(x, (dict, list, tuple)):
        if depth == _DEEPEST:
            raise CheckpointError(
                f"{shortened(where)} is nested more than {_DEEPEST} deep, or holds itself; a "
                "checkpoint holds lists and dicts that end"
            )
        if isinstance(x, dict):
            return {"dict": [_item(k, v, arrays, f"{where}[{k!r}]", depth) for k, v in x.items()]}
        parts = [_taken_apart(v, arrays, f"{where}[{i}]", depth + 1) for i, v in enumerate(x)]
        return {"tuple" if isinstance(x, tuple) else "list": parts}
    return _written(x, where)


def _item(key: Any, value: Any, arrays: list[Array], where: str, depth: int) -> list[Any]:
    if isinstance(key, (np.generic, Tensor)) and not isinstance(key, (str, float)):
        raise CheckpointError(
            f"the key of {where} is a {type(key).__name__}; give int(key), float(key) or str(key), "
            "as keys must be Python's own"
        )
    apart = partial(_taken_apart, arrays=arrays, where=where, depth=depth + 1)
    return [apart(key), apart(value)]


def _written(x: Any, where: str) -> Any:
    if isinstance(x, float):
        return float(x) if math.isfinite(x) else {"float": repr(float(x))}
    if isinstance(x, int) and x.bit_length() > _LONGEST:
        raise CheckpointError(
            f"{where} is an integer of {x.bit_length():,} bits; a checkpoint holds integers of up "
            f"to {_LONGEST:,}; as text, hex(n), it can be kept"
        )
    if x is None or isinstance(x, (bool, int, str)):
        return x
    raise CheckpointError(f"{where} is a {type(x).__name__}, which a checkpoint cannot hold")


def _placed(x: Any, arrays: list[Array], where: str) -> int:
    """Append an array, and give its number."""
    array = plain_array(x)
    if array.dtype.kind not in "biufc":
        raise CheckpointError(
            f"{where} is an array of {array.dtype}; a checkpoint holds arrays of numbers, and "
            "words as strings in lists: array.tolist()"
        )
    arrays.append(array)
    return len(arrays) - 1


def _put_together(x: Any, arrays: list[Array]) -> Any:
    if not isinstance(x, dict):
        return x
    ((kind, value),) = x.items()
    if kind == "float":
        return float(value)
    if kind == "array":
        return arrays[value]
    if kind == "tensor":
        i, requires_grad, name = value
        return Tensor(arrays[i], requires_grad, name)
    if kind == "dict":
        return {_put_together(k, arrays): _put_together(v, arrays) for k, v in value}
    parts = [_put_together(v, arrays) for v in value]
    return tuple(parts) if kind == "tuple" else parts
