"""What a module is given: made a Tensor of its data type, or refused in a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np

from microgrrepresent import Tensor
from microgrrepresent.errors import DTypeError


def tensor_of(x: Any, dtype: np.dtype[Any], who: object, name: str = "x") -> Tensor:
    """Make x a Tensor of the given data type.

    Lists of numbers are converted; an array or Tensor has a data type, and must have this one.

    Raises
    ------
    DTypeError
        If an array or Tensor is of another data type.
    """
    given: Tensor
    if isinstance(x, Tensor):
        given = x
    else:
        given = Tensor(x if isinstance(x, np.ndarray) else np.asarray(x, dtype=dtype), name=name)
    if given.dtype != dtype:
        hint = (
            "embed symbols with Embedding or one_hot first"
            if given.dtype.kind in "iub"
            else f"convert it with .astype({str(dtype)!r}), or make the module with "
            f"dtype={str(given.dtype)!r}"
        )
        raise DTypeError(f"{who!r}: expected {name} of {dtype}, given {given.dtype}; {hint}")
    return given
