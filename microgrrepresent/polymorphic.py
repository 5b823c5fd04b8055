"""The type of functions that take arrays and Tensors alike, for those who check types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, overload

from numpy.typing import ArrayLike

from microgrrepresent.node import Array, N

P = ParamSpec("P")


class Operation(Protocol[P]):
    """The type of a function that gives a Tensor for a Tensor, and an array for an array."""

    @overload
    def __call__(self, x: N, /, *args: P.args, **kwargs: P.kwargs) -> N: ...
    @overload
    def __call__(self, x: ArrayLike, /, *args: P.args, **kwargs: P.kwargs) -> Array: ...


def operation(function: Callable[Concatenate[Any, P], Any]) -> Operation[P]:
    """Tell type checkers so of a function whose code is polymorphic."""
    return function
