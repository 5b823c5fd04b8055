"""Run a student's function: here, or as a program of its own, which can be stopped.

    python -P student.py FILE FUNCTION GIVEN.npz FOUND FOLDER

needs NumPy only. It writes FOUND.npz, with an array for each value that the function returns, and
FOUND.json, which says what they are called; or FOUND.json alone, with what went wrong. The file
finds the modules in FOLDER.
"""

from __future__ import annotations

import inspect
import json
import re
import runpy
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

MOST = 6
"""So many shapes are listed beside a line that raises."""

WANTED = "it must return the loss and a dict of gradients, such as `return loss, {'W': dW}`"


def called(function: Callable[..., Any], arrays: Mapping[str, Any]) -> tuple[Any, dict[Any, Any]]:
    """The loss and the gradients, for copies of those arrays that the function names.

    Raises
    ------
    TypeError
        If it asks for something else, or returns something else.
    """
    asked = inspect.signature(function).parameters.values()
    everything = any(p.kind is p.VAR_KEYWORD for p in asked)
    needed = [p.name for p in asked if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    unknown = [name for name in needed if name not in arrays]
    if unknown:
        raise TypeError(f"it asks for {unknown[0]}, which is none of {', '.join(arrays)}")
    names = [name for name in arrays if everything or name in {p.name for p in asked}]
    found = function(**{name: np.array(arrays[name]) for name in names})
    match found:
        case (loss, dict() as gradients):
            return loss, gradients
        case tuple() | list():
            kinds = ", ".join(type(part).__name__ for part in found)
            raise TypeError(f"{WANTED}; it returned {len(found)} values: {kinds}")
    nothing = "; it returned None: is there a return at its end?"
    raise TypeError(WANTED + (nothing if found is None else f"; it returned {_a(found)}"))


def _a(value: Any) -> str:
    return f"a value of type {type(value).__name__}"


def described(error: BaseException, file: str) -> str:
    """What was raised, and in which line of the student's file, with the shapes in that line."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg}, in line {error.lineno}: {(error.text or '').strip()}"
    said = " ".join(f"{type(error).__name__}: {error}".split())
    frames = [tb for tb in _frames(error.__traceback__) if tb.tb_frame.f_code.co_filename == file]
    if not frames:  # raised here, on what the function asks for or returns
        return str(error) if isinstance(error, TypeError) else said
    last = frames[-1]
    line = traceback.extract_tb(last)[0].line
    said += f", in line {last.tb_lineno}" + (f": {line}" if line else "")
    if line and isinstance(error, ValueError):
        shapes = _shapes(line, last.tb_frame.f_locals)
        said += f", where {', '.join(shapes)}" if shapes else ""
    return said


def _frames(trace: TracebackType | None) -> list[TracebackType]:
    found = []
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found


def _shapes(line: str, variables: Mapping[str, Any]) -> list[str]:
    """The shapes of the arrays in a line: "da is (3, 4)"."""
    arrays = {
        name: variables[name]
        for name in re.findall(r"[^\W\d]\w*", line)
        if isinstance(variables.get(name), np.ndarray)
    }
    return [f"{name} is {array.shape}" for name, array in list(arrays.items())[:MOST]]


def run(file: str, name: str, given: str, found: str, folder: str) -> None:
    """Call a function of a file, and write what it returns or raises."""
    sys.path.insert(0, folder)
    try:
        functions = runpy.run_path(file)
        if not callable(functions.get(name)):
            raise TypeError(f"the file has no function {name}")
        with np.load(given) as arrays:
            loss, gradients = called(functions[name], arrays)
    except BaseException as error:  # whatever a student's file raises is its result
        Path(f"{found}.json").write_text(json.dumps(described(error, file)), "utf-8")
        return
    values: dict[str, Any] = {}
    says = [_packed(str(i), v, values) for i, v in enumerate([loss, *gradients.values()])]
    np.savez(f"{found}.npz", **values)
    names = list(map(str, gradients))
    Path(f"{found}.json").write_text(json.dumps([says, names]), "utf-8")


def _packed(name: str, value: Any, values: dict[str, Any]) -> Any:
    """Put a value among those that are written; what it is: True, its steps, or its type."""
    if isinstance(value, dict) and value and all(isinstance(k, (int, np.integer)) for k in value):
        arrays = {int(k): np.asarray(v) for k, v in value.items()}
        if all(_is_numeric(array) for array in arrays.values()):
            values.update({f"{name} {k}": array for k, array in arrays.items()})
            return list(arrays)
    try:
        array = np.asarray(value)
    except ValueError:  # rows of several lengths
        return type(value).__name__
    if not _is_numeric(array):
        return type(value).__name__
    values[name] = array
    return True


def _is_numeric(array: np.ndarray[Any, Any]) -> bool:
    return array.dtype.kind in "biufc"


def unpacked(found: tuple[Any, Any], values: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The loss and the gradients, from what was written."""
    says, names = found

    def value(i: int, what: Any) -> Any:
        if isinstance(what, str):
            return type(what, (), {})()  # nothing is known of it but its type
        return values[str(i)] if what is True else {k: values[f"{i} {k}"] for k in what}

    loss, *gradients = [value(i, what) for i, what in enumerate(says)]
    return loss, dict(zip(names, gradients, strict=True))


if __name__ == "__main__":
    run(*sys.argv[1:])
