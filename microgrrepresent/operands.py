"""Operands: what an operation is applied to, made a node, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent.errors import (
    DTypeError,
    GradientError,
    ShapeError,
    gradient_lost,
    listed,
    operand,
    shortened,
)
from microgrrepresent.node import Array, N, Node, dtype_name, leaf, make
from microgrrepresent.place import here, running

if TYPE_CHECKING:
    from microgrrepresent.primitive import Primitive

P = ParamSpec("P")
T = TypeVar("T")


class Operation(Protocol[P]):
    """The type of a function that gives a Tensor for a Tensor, and an array for an array."""

    @overload
    def __call__(self, x: N, /, *args: P.args, **kwargs: P.kwargs) -> N: ...
    @overload
    def __call__(self, x: ArrayLike, /, *args: P.args, **kwargs: P.kwargs) -> Array: ...


def operation(function: Callable[Concatenate[Any, P], Any]) -> Operation[P]:
    """Tell type checkers so of a function whose code is polymorphic."""
    return function


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


def nodes_of(given: Any, what: str) -> list[Any]:
    """One node or several as a list, each once.

    Raises
    ------
    TypeError
        If something else is given, or among them.
    """
    several = [given] if isinstance(given, Node) or not isinstance(given, Iterable) else list(given)
    for node in several:
        if not isinstance(node, Node):
            raise TypeError(f"{what} must be Tensors, got {shortened(node)}")
    return list(dict.fromkeys(several))


def function(f: T, asker: str, what: str = "f") -> T:
    """A function, or whatever else can be called.

    Raises
    ------
    TypeError
        If it cannot.
    """
    if not callable(f):
        raise TypeError(f"{asker}: {what} must be a function, got {shortened(f)}")
    return f


def _holds_nodes(data: Any) -> bool:
    return isinstance(data, (list, tuple)) and any(
        isinstance(item, Node) or _holds_nodes(item) for item in data
    )


def as_nodes(
    op: Primitive, operands: tuple[Any, ...], params: dict[str, Any], constant: Primitive
) -> list[Node] | None:
    """Make nodes of all operands, if one is a node: of a number a `constant`, of an array a leaf.

    A number takes the data type of the operands beside it, as in NumPy: ``2.0 * x`` is float32
    where x is. One that is too large for the integers beside it is what NumPy takes it for: it can
    be compared with them or divide them, but not be added to them.
    """
    for x in operands:
        if isinstance(x, Node):
            kind = x.result_class
            break
    else:
        return None

    try:
        return [_lifted(x, kind, operands, constant) for x in operands]
    except OverflowError:
        try:
            op.forward(*[x.value if isinstance(x, Node) else x for x in operands], **params)
        except OverflowError as error:
            raise misuse(op, operands, params, error) from None
        return [_lifted(x, kind, operands, constant, widen=True) for x in operands]


def _lifted(
    x: Any, kind: type[Node], operands: tuple[Any, ...], constant: Primitive, widen: bool = False
) -> Node:
    """An operand as a node; widened, if it is a number too large for the integers beside it."""
    if isinstance(x, Node):
        return x
    types = [y.dtype for y in operands if y is not x and hasattr(y, "dtype")]
    if isinstance(x, np.generic) and _result_type(x.dtype, *types) == _result_type(
        number := x.item(), *types
    ):
        x = number  # it is no wider than what stands beside it
    if not isinstance(x, (bool, int, float, complex)) or isinstance(x, np.generic):
        return leaf(kind, new_array(x))
    dtype = _result_type(x, *types)
    if widen:
        own = np.min_scalar_type(x)
        dtype = np.result_type(dtype, own if own.kind in "iu" else np.float64)
    written = {"value": x, "dtype": dtype_name(dtype)}
    return make(kind, constant, (), written, np.array(x, dtype=dtype), False)


# Code has few numbers in it, such as the 1 of ``1 - z``, but uses them again at every step.
_result_type = lru_cache(maxsize=256, typed=True)(np.result_type)


def misuse(
    op: Primitive, parents: Sequence[Any], params: dict[str, Any], error: Exception
) -> Exception:
    """Say what was applied to what, and where, when `forward` refused its operands."""
    names = [
        operand(getattr(p, "name", None), p) if hasattr(p, "shape") else shortened(p)
        for p in parents
    ]
    if isinstance(error, OverflowError):
        given = listed(names)
        return DTypeError(
            f"{running(op.name)}: {op.name}({given}): {error}; give the operands more room first, "
            "as in t.astype(int) or t.astype(float)"
        )
    if op.many is None and len(parents) != len(op.vjp):
        return TypeError(
            f"{running(op.name)}: {op.name} has {len(op.vjp)} operand{'s' * (len(op.vjp) > 1)}, "
            f"got {len(parents)}: {listed(names)}"
        )
    infix = len(names) == 2 and len(op.symbol) == 1
    text = f" {op.symbol} ".join(names) if infix else f"{op.name}({listed(names)})"
    if params:
        text += " with " + ", ".join(f"{key}={value!r}" for key, value in params.items())
    shapes = [p.shape for p in parents if hasattr(p, "shape")]
    broken = op.mismatch(shapes) if op.mismatch and len(shapes) == len(parents) else None
    message = f"{running(op.name)}: {text}: {broken or error}"
    if isinstance(error, ValueError):
        return ShapeError(message)
    return IndexError(message) if isinstance(error, IndexError) else TypeError(message)
