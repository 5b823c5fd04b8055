"""What a module is given: made a Tensor of its data type, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent import GradientError, ShapeError, Tensor
from microgrrepresent.arrays import plain, plain_array
from microgrrepresent.errors import DTypeError, shortened
from microgrrepresent.node import Array

Side = Literal["right", "left"]
"""Where the padding of a batch stands: behind the shorter sequences, or before them."""


def tensor_of(x: Any, dtype: np.dtype[Any], who: object, name: str = "x") -> Tensor:
    """Make x a Tensor of the given data type.

    Lists of numbers are converted; an array or Tensor has a data type, and must have this one,
    and so must a list of arrays.

    Raises
    ------
    DTypeError
        If an array or Tensor is of another data type.
    ShapeError
        If a list makes no array, for instance because its parts differ in length.
    """
    given = values_of(x, dtype, who, name)
    return given if isinstance(given, Tensor) else Tensor(given, name=name)


def values_of(x: Any, dtype: np.dtype[Any], who: object, name: str = "x") -> Tensor | Array:
    """What `tensor_of` gives, but an array where x is no Tensor: to be cut into leaves."""
    if isinstance(x, Tensor):
        given: Tensor | Array = x
    else:
        if hasattr(x, "values") and hasattr(x, "lengths"):
            raise ShapeError(
                f"{who!r}: {name} is a padded batch, as pad gives it; give its parts: "
                "layer(batch.values, lengths=batch.lengths, side=batch.side)"
            )
        part = plain(x)
        while isinstance(part, (list, tuple)) and part:
            part = part[0]
        if part is None:
            raise ShapeError(f"{who!r}: {name} is None, or holds it; give an array")
        if isinstance(part, Tensor):  # an array of them would forget how they were made
            raise ShapeError(
                f"{who!r}: {name} is a list of Tensors; make one of them, as stack({name}) does"
            )
        if getattr(part, "requires_grad", False):
            raise GradientError(
                f"{who!r}: {name} is a {type(part).__module__}.{type(part).__name__} that requires "
                f"a gradient, which would end here without a word; give {name}.detach()"
            )
        try:
            given = np.asarray(x, dtype=None if hasattr(part, "dtype") else dtype)
        except (TypeError, ValueError):
            raise ShapeError(
                f"{who!r}: {name} is no array of numbers; if its parts differ in length, rnn.pad "
                "makes one array of them, and says their lengths"
            ) from None
    if given.dtype != dtype:
        convert = f".astype({str(dtype)!r})" if hasattr(x, "astype") else f".to(torch.{dtype})"
        hint = f"convert it with {convert}"
        if given.dtype.kind in "iub":
            hint += "; symbols are embedded with Embedding or one_hot first"
        elif given.dtype.kind == "f":
            hint += f", or make the module with dtype={str(given.dtype)!r}"
        elif given.dtype.kind == "c":
            hint = "modules are of real numbers; give the real and imaginary parts as features"
        raise DTypeError(f"{who!r}: expected {name} of {dtype}, got {given.dtype}; {hint}")
    return given


def parameters_of(parameters: Any, who: str) -> list[Any]:
    """Parameters as a list.

    Raises
    ------
    ValueError
        If a model or a single Tensor stands in the place of a list.
    """
    if isinstance(parameters, (Tensor, Mapping)) or not isinstance(parameters, Iterable):
        raise ValueError(
            f"{who}: parameters must be a list, such as model.parameters(); write [w] for a "
            f"single w, got a {type(parameters).__name__}"
        )
    return list(parameters)


def lengths_of(lengths: ArrayLike, T: int, batch: tuple[int, ...]) -> Array:
    """The lengths of the sequences of a padded batch: (B,).

    Raises
    ------
    ShapeError, ValueError
        If there is not one length a sequence, or one is not in 0..T.
    """
    try:
        given = plain_array(lengths)
    except ValueError:
        given = np.asarray(lengths, dtype=object)
    if not batch:
        raise ShapeError("lengths are for a batch of sequences; cut a single one: xs[:length]")
    if given.shape != batch or given.dtype.kind not in "iu":
        raise ShapeError(
            f"lengths: expected {batch[0]} integers, one for each sequence of the batch, "
            f"got shape {given.shape} of {given.dtype}"
        )
    if given.size and not 0 <= given.min() <= given.max() <= T:
        raise ValueError(
            f"lengths: a sequence has between 0 and T = {T} valid steps, got "
            f"{given.min()}..{given.max()}; pad x to the longest"
        )
    return given


def valid_steps(lengths: Any, T: int, side: Side = "right") -> Any:
    """True at the steps that each sequence has, False where there is padding: (T, B).

    Of lengths in a Tensor it is recorded.

    Raises
    ------
    ValueError
        For a side that is neither "right" nor "left".
    """
    if not isinstance(side, str) or side not in ("right", "left"):
        raise ValueError(f"side must be 'right' or 'left', where the padding is, got {side!r}")
    t = np.arange(T)[:, None]
    return t < lengths if side == "right" else t + lengths >= T


def integer(value: Any, least: int, what: str, who: object = None) -> int:
    """The value as an int; a message begins with `who`, if given.

    Raises
    ------
    ValueError
        If it is no integer, or below `least`.
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        asked = what if who is None else f"{who!r}: {what}"
        raise ValueError(f"{asked} must be an integer >= {least}, got {shortened(value)}")
    return int(value)


def number(value: Any, what: str) -> float:
    """The value as a float.

    Raises
    ------
    ValueError
        If it is no number.
    """
    try:
        if not isinstance(value, (str, bytes)):
            return float(value)
    except (TypeError, ValueError, RuntimeError):
        pass
    raise ValueError(f"{what} must be a number, got {shortened(value)}")


def flags(who: str, **given: Any) -> None:
    """Refuse what is neither True nor False: the word "no" would be True.

    Raises
    ------
    ValueError
        If one is of another kind.
    """
    for name, value in given.items():
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{who}: {name} is True or False, got {shortened(value)}")


def probability(value: Any, what: str) -> float:
    """The value as a float.

    Raises
    ------
    ValueError
        If it is no number between 0 and 1.
    """
    if not isinstance(value, (int, float, np.integer, np.floating)) or not 0 <= value <= 1:
        raise ValueError(f"{what} is a probability, between 0 and 1, got {shortened(value)}")
    return float(value)
