r"""Checkpoints: nested data with arrays in it, in one .npz file that is never half written.

A checkpoint is made of dicts, lists, tuples, numbers, strings, None, arrays and Tensors. Its arrays
become the arrays of the file; the rest, with a number in each array's place, is kept as JSON in an
array of bytes. There is no pickle: loading a file from somebody else runs none of their code.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from microgrrepresent import Tensor
from microgrrepresent.errors import FileError
from microgrrepresent.files import read_arrays, write_arrays
from microgrrepresent.node import Array
from microgrrepresent.operands import plain_array
from rnn.errors import CheckpointError

_FORMAT = "microgrrepresent checkpoint 1"


def save_checkpoint(path: str | Path, data: dict[str, Any]) -> None:
    """Write a checkpoint; a file that is there is replaced at once or not at all.

    Raises
    ------
    FileError
        If the file cannot be written.
    CheckpointError
        If the data hold something that a checkpoint is not made of.

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
    arrays: list[Array] = []
    outline = json.dumps({"format": _FORMAT, "data": _taken_apart(data, arrays, "checkpoint")})
    members = {f"array{i}": array for i, array in enumerate(arrays)}
    write_arrays(path, {"outline": np.frombuffer(outline.encode(), np.uint8)} | members)


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


def _taken_apart(x: Any, arrays: list[Array], where: str) -> Any:
    """What JSON can say of x; its arrays are appended to `arrays`."""
    if x is None or isinstance(x, (bool, int, str)):
        return x
    if isinstance(x, float):
        return x if math.isfinite(x) else {"float": repr(x)}
    if isinstance(x, (np.ndarray, np.generic, Tensor)):
        arrays.append(plain_array(x))
        return {"tensor" if isinstance(x, Tensor) else "array": len(arrays) - 1}
    if isinstance(x, dict):
        items = [(k, _taken_apart(v, arrays, f"{where}[{k!r}]")) for k, v in x.items()]
        return {"dict": [[_taken_apart(k, arrays, where), v] for k, v in items]}
    if isinstance(x, (list, tuple)):
        parts = [_taken_apart(v, arrays, f"{where}[{i}]") for i, v in enumerate(x)]
        return {"tuple" if isinstance(x, tuple) else "list": parts}
    raise CheckpointError(f"{where} is a {type(x).__name__}, which a checkpoint cannot hold")


def _put_together(x: Any, arrays: list[Array]) -> Any:
    if not isinstance(x, dict):
        return x
    ((kind, value),) = x.items()
    if kind == "float":
        return float(value)
    if kind == "array":
        return arrays[value]
    if kind == "tensor":
        return Tensor(arrays[value])
    if kind == "dict":
        return {_put_together(k, arrays): _put_together(v, arrays) for k, v in value}
    parts = [_put_together(v, arrays) for v in value]
    return tuple(parts) if kind == "tuple" else parts
