"""The form of a saved training: looked at as a whole, before any of it is used."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from microgrrepresent.errors import shortened
from microgrrepresent.node import Array

COLUMNS = ("losses", "norms", "rates", "epochs")
"""What a history has of each step."""


def check_form(saved: Mapping[str, Any], parameters: Mapping[str, Array]) -> None:
    """See that what is saved of a run, beside its model and optimizer, is of the right form.

    Raises
    ------
    ValueError, KeyError
        If something is of another form, or is not there.
    """
    for name, fits, form in (
        ("position", _is_position, "(epoch, batch, seed)"),
        ("best", lambda best: best is None or _alike(best, parameters), "the model's parameters"),
        ("validations", _are_validations, "losses by numbers of steps"),
        ("history", _are_columns, f"a number for each step in {', '.join(COLUMNS)}"),
    ):
        if not fits(saved[name]):
            raise ValueError(f"its {name} must be {form}, got {shortened(saved[name])}")
    saved["state"]  # of any form: the loss function knows which


def is_number(x: object) -> bool:
    """Whether it is a real number, and no bool."""
    return isinstance(x, Real) and not isinstance(x, bool)


def _is_count(x: object) -> bool:
    return isinstance(x, int) and not isinstance(x, bool) and x >= 0


def _is_position(position: Any) -> bool:
    if not isinstance(position, tuple) or len(position) != 3:
        return False
    epoch, index, seed = position
    return _is_count(epoch) and _is_count(index) and (seed is None or _is_count(seed))


def _alike(best: Any, parameters: Mapping[str, Array]) -> bool:
    return (
        isinstance(best, dict)
        and best.keys() == parameters.keys()
        and all(
            isinstance(array, np.ndarray)
            and (array.shape, array.dtype) == (parameters[name].shape, parameters[name].dtype)
            for name, array in best.items()
        )
    )


def _are_validations(validations: Any) -> bool:
    return isinstance(validations, dict) and all(
        _is_count(at) and is_number(loss) for at, loss in validations.items()
    )


def _are_columns(history: Any) -> bool:
    if not isinstance(history, dict):
        return False
    columns = [np.asarray(history[name]) for name in COLUMNS]
    return all(column.ndim == 1 and column.dtype.kind in "iuf" for column in columns) and (
        len({len(column) for column in columns}) == 1
    )
