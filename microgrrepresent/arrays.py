"""Arrays of what is given: numbers, lists, the arrays of other libraries; never a lost gradient."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy import ndarray
from numpy.typing import DTypeLike

from microgrrepresent.errors import (
    DTypeError,
    GradientError,
    ShapeError,
    gradient_lost,
    shortened,
)
from microgrrepresent.node import Array, Node
from microgrrepresent.place import here

T = TypeVar("T")


def arrayed(x: Any) -> Any:
    """An operand that has axes: a node or an array as it is, a list or a number as an array."""
    return plain(x) if isinstance(x, (Node, ndarray)) else new_array(x)


def mask_of(given: Any, where: str) -> Any:
    """A mask: a node or an array of booleans, or of the integers 0 and 1.

    Raises
    ------
    DTypeError
        If it is of other numbers: weights such as 0.3, which would all count as true.
    """
    mask = arrayed(given)
    values = mask.value if isinstance(mask, Node) else mask
    integers = values.dtype.kind in "iu"
    if values.size and values.dtype != bool and not (integers and np.isin(values, (0, 1)).all()):
        raise DTypeError(
            f"{where}: mask must be of booleans, got {values.dtype}"
            f"{' with others than 0 and 1' if integers else ''}; say which elements count, as in "
            'mask > 0; weights are to be multiplied with the losses of reduction="none"'
        )
    return mask


def new_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """A new array of data that has no history to lose.

    Raises
    ------
    TypeError
        If there are nodes in a list, or what is given is not made of numbers.
    """
    if _holds_nodes(data):
        raise TypeError(
            f"a {type(data).__name__} of Tensors is no operand, because their history would be "
            "lost; join them with stack or concatenate first"
        )
    value = _converted(data, dtype, copy=True)
    if value.dtype.kind not in "biufc":
        raise DTypeError(f"a Tensor holds numbers, got {type(data).__name__} of {value.dtype}")
    return value


def plain(data: T) -> T:
    """What is given, unless it is, or holds, an array that computes otherwise than an array does.

    Raises
    ------
    DTypeError
        Of a masked array, which NumPy makes an array of all its data, also of what is masked; and
        of a ``np.matrix``, whose ``*`` is the matrix product.
    """
    if isinstance(data, np.ma.MaskedArray):
        raise DTypeError(
            "a masked array would lose its mask here; give its data and, where a mask is taken, "
            "the mask beside it, or fill it first: array.filled(0)"
        )
    if isinstance(data, np.matrix):
        raise DTypeError(
            "a np.matrix multiplies matrices by *, which here multiplies elementwise; give "
            "np.asarray(matrix), and write the matrix product as @"
        )
    if isinstance(data, (list, tuple)):
        for part in data:
            if isinstance(part, (list, tuple, np.ma.MaskedArray, np.matrix)):
                plain(part)
    return data


def plain_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """``np.asarray(data, dtype)`` of what is `plain`; of a node its value, as ``np.asarray(t)``.

    Raises
    ------
    GradientError
        If the node requires a gradient, which would end here, and this is recorded.
    """
    if isinstance(data, Node):
        if data.requires_grad and here.get().recorded:
            raise gradient_lost("as an array", data)
        data = data.value
    return _converted(data, dtype, copy=None)


def _converted(data: Any, dtype: DTypeLike | None, copy: bool | None) -> Array:
    to = None if dtype is None else data_type(dtype)
    try:
        return np.array(plain(data), dtype=to, copy=copy)
    except (DTypeError, GradientError):
        raise
    except Exception as error:  # of NumPy, or of the arrays of another library
        given = f"{type(data).__name__} {shortened(data)}"
        if isinstance(error, ValueError) and isinstance(data, (list, tuple)):
            raise ShapeError(
                f"{given} makes no array of numbers: {error}; its parts must be of one length "
                "(rnn.pad makes them so, and says their lengths)"
            ) from error
        raise DTypeError(f"{given} makes no array of numbers: {error}") from error


def overflows(array: Array, dtype: np.dtype[Any]) -> bool:
    """Whether there are finite numbers that are too large for a data type."""
    if array.dtype is dtype or np.can_cast(array.dtype, dtype):
        return False
    with np.errstate(all="ignore"):
        cast = array.astype(dtype)
        if dtype.kind in "fc":
            return bool((np.isfinite(array) & ~np.isfinite(cast)).any())
        return bool((cast != array).any())


def data_type(dtype: Any) -> np.dtype[Any]:
    """The data type of NumPy that is meant; ``torch.float32`` is float32.

    Raises
    ------
    DTypeError
        If NumPy has no such type.
    """
    name = str(dtype)
    try:
        return np.dtype(name.removeprefix("torch.") if name.startswith("torch.") else dtype)
    except (TypeError, ValueError):
        raise DTypeError(
            f"dtype must be a data type of NumPy, such as 'float32', got {shortened(dtype)}"
        ) from None


def _holds_nodes(data: Any) -> bool:
    return isinstance(data, (list, tuple)) and any(
        isinstance(item, Node) or _holds_nodes(item) for item in data
    )
