"""What a Tensor has of an array: operators and methods, each a line that names an operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent import ops
from microgrrepresent.absent import Absent
from microgrrepresent.node import Node
from microgrrepresent.numpy_functions import call_function, call_ufunc
from microgrrepresent.ops.elementwise import bitwise_and, bitwise_or, copied
from microgrrepresent.ops.selection import getitem

Axis = int | tuple[int, ...] | None


class ArrayMethods(Node, Absent):
    """A node that is computed with as an array is."""

    __slots__ = ()

    __hash__ = object.__hash__

    # --- operators -------------------------------------------------------------------------------

    def __add__(self, other: ArrayLike) -> Self:
        return ops.add(self, other)

    def __radd__(self, other: ArrayLike) -> Self:
        return ops.add(other, self)

    def __sub__(self, other: ArrayLike) -> Self:
        return ops.sub(self, other)

    def __rsub__(self, other: ArrayLike) -> Self:
        return ops.sub(other, self)

    def __mul__(self, other: ArrayLike) -> Self:
        return ops.mul(self, other)

    def __rmul__(self, other: ArrayLike) -> Self:
        return ops.mul(other, self)

    def __truediv__(self, other: ArrayLike) -> Self:
        return ops.div(self, other)

    def __rtruediv__(self, other: ArrayLike) -> Self:
        return ops.div(other, self)

    def __pow__(self, other: ArrayLike) -> Self:
        return ops.pow(self, other)

    def __rpow__(self, other: ArrayLike) -> Self:
        return ops.pow(other, self)

    def __matmul__(self, other: ArrayLike) -> Self:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: ArrayLike) -> Self:
        return ops.matmul(other, self)

    def __neg__(self) -> Self:
        return ops.neg(self)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return ops.abs(self)

    def __eq__(self, other: object) -> Self:  # type: ignore[override]
        return ops.equal(self, other)

    def __ne__(self, other: object) -> Self:  # type: ignore[override]
        return ops.not_equal(self, other)

    def __lt__(self, other: ArrayLike) -> Self:
        return ops.less(self, other)

    def __le__(self, other: ArrayLike) -> Self:
        return ops.less_equal(self, other)

    def __gt__(self, other: ArrayLike) -> Self:
        return ops.greater(self, other)

    def __ge__(self, other: ArrayLike) -> Self:
        return ops.greater_equal(self, other)

    def __and__(self, other: ArrayLike) -> Self:
        return bitwise_and(self, other)

    def __rand__(self, other: ArrayLike) -> Self:
        return bitwise_and(other, self)

    def __or__(self, other: ArrayLike) -> Self:
        return bitwise_or(self, other)

    def __ror__(self, other: ArrayLike) -> Self:
        return bitwise_or(other, self)

    def __invert__(self) -> Self:
        return ops.invert(self)

    def __getitem__(self, index: Any) -> Self:
        return getitem(self, index)

    # --- methods, as an array has them -----------------------------------------------------------

    @property
    def T(self) -> Self:
        """The transpose."""
        return ops.transpose(self)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """See `microgrrepresent.sum`."""
        return ops.sum(self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """See `microgrrepresent.mean`."""
        return ops.mean(self, axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """See `microgrrepresent.max`."""
        return ops.max(self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """See `microgrrepresent.min`."""
        return ops.min(self, axis, keepdims)

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """See `microgrrepresent.prod`."""
        return ops.prod(self, axis, keepdims)

    def cumsum(self, axis: int | None = None) -> Self:
        """See `microgrrepresent.cumsum`."""
        return ops.cumsum(self, axis)

    def var(self, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Self:
        """See `microgrrepresent.var`."""
        return ops.var(self, axis, ddof, keepdims)

    def std(self, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Self:
        """See `microgrrepresent.std`."""
        return ops.std(self, axis, ddof, keepdims)

    def argmax(self, axis: int | None = None) -> Any:
        """Where the largest element is, as ``np.argmax`` says it; an array, or an integer."""
        return self.value.argmax(axis)

    def argmin(self, axis: int | None = None) -> Any:
        """Where the smallest element is; see `argmax`."""
        return self.value.argmin(axis)

    def exp(self) -> Self:
        """See `microgrrepresent.exp`."""
        return ops.exp(self)

    def log(self) -> Self:
        """See `microgrrepresent.log`."""
        return ops.log(self)

    def sqrt(self) -> Self:
        """See `microgrrepresent.sqrt`."""
        return ops.sqrt(self)

    def abs(self) -> Self:
        """See `microgrrepresent.abs`."""
        return ops.abs(self)

    def tanh(self) -> Self:
        """See `microgrrepresent.tanh`."""
        return ops.tanh(self)

    def sigmoid(self) -> Self:
        """See `microgrrepresent.sigmoid`."""
        return ops.sigmoid(self)

    def relu(self) -> Self:
        """See `microgrrepresent.relu`."""
        return ops.relu(self)

    def reshape(self, *shape: int | Sequence[int]) -> Self:
        """See `microgrrepresent.reshape`."""
        return ops.reshape(self, *shape)

    def transpose(self, *axes: int | Sequence[int]) -> Self:
        """See `microgrrepresent.transpose`."""
        return ops.transpose(self, *axes)

    def dot(self, other: ArrayLike) -> Self:
        """See `microgrrepresent.dot`."""
        return ops.dot(self, other)

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """See `microgrrepresent.swapaxes`."""
        return ops.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Self:
        """See `microgrrepresent.squeeze`."""
        return ops.squeeze(self, axis)

    def clip(self, low: float | None = None, high: float | None = None) -> Self:
        """See `microgrrepresent.clip`."""
        return ops.clip(self, low, high)

    def astype(self, dtype: DTypeLike) -> Self:
        """The same numbers in another data type; the gradient comes back in this one."""
        return ops.astype(self, dtype)

    def flatten(self) -> Self:
        """All elements along one axis."""
        return self.reshape(-1)

    def ravel(self) -> Self:
        """All elements along one axis."""
        return self.reshape(-1)

    def copy(self) -> Self:
        """The same numbers in a node of their own, which an `assign` to this one leaves alone."""
        return copied(self)

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers."""
        return self.value.tolist()

    # --- NumPy's own functions -------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """``np.tanh(t)`` and ``array * t``: see `numpy_functions`."""
        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        """``np.sum(t)``, ``np.concatenate([...])`` and so on: see `numpy_functions`."""
        return call_function(function, args, kwargs)
