"""First values of parameters: small random numbers, drawn from a Generator that is passed in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from microgrrepresent import Tensor
from microgrrepresent.arrays import data_type
from microgrrepresent.errors import DTypeError, shortened

Rng = np.random.Generator | int | None
"""A numpy Generator, a seed for one, or None for a fresh one."""


def uniform(
    shape: tuple[int, ...],
    bound: float,
    name: str,
    dtype: DTypeLike | None,
    rng: np.random.Generator,
) -> Tensor:
    """A parameter with elements drawn evenly from [-bound, bound].

    A matrix lies in memory column by column: what is needed of it at every step is W x for each
    row x of a batch, which is then a product of two matrices that lie row by row, X and Wᵀ. In
    small sizes OpenBLAS takes that several times as fast as the product with a transpose.
    """
    drawn = rng.uniform(-bound, bound, shape).astype(floating(dtype))
    return Tensor(np.asfortranarray(drawn) if drawn.ndim == 2 else drawn, True, name)


def generator(rng: Any) -> np.random.Generator:
    """The Generator that is given, or one of a seed, or a fresh one.

    Raises
    ------
    ValueError
        If there is none of what is given.
    """
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ValueError(
            "rng must be a numpy Generator, an integer >= 0 as its seed, or None, "
            f"got {shortened(rng)}"
        ) from None


def floating(dtype: Any, device: object = None) -> np.dtype[Any]:
    """The data type, if parameters can be of it: float64 for None; ``torch.float32`` is float32.

    Raises
    ------
    DTypeError
        If it is not one of real floating-point numbers.
    ValueError
        If the device is another than the CPU.
    """
    if device is not None and str(device) != "cpu":
        raise ValueError(f"device must be None or 'cpu', where NumPy computes, got {device!r}")
    made = data_type(dtype)
    if made.kind != "f":
        raise DTypeError(f"parameters need a floating-point dtype such as float32, got {made}")
    return made
