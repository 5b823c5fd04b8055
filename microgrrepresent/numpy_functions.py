"""NumPy's own functions on Tensors: ``np.tanh(t)``, ``array * t``, ``np.sum(t, axis=0)``.

NumPy asks an operand that is not an array what to do. Here is the answer: call the operation of
this package that does the same and records it. Where there is none, or where NumPy's function
is given an argument that ours does not have, the call fails with a sentence, because to do
something slightly different, or to lose the derivative, would both go unnoticed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from microgrrepresent import ops
from microgrrepresent.errors import GradientError
from microgrrepresent.node import Node
from microgrrepresent.primitive import registry

_UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    op.forward: op for op in registry.values() if isinstance(op.forward, np.ufunc)
}
_UFUNCS[np.matmul] = ops.matmul
_UFUNCS[np.square] = lambda x: x * x

# NumPy's function and its arguments, in NumPy's order and with NumPy's names, as far as ours has
# them too: np.sum's third argument is dtype, which is why keepdims can be given by name only.
_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sum: lambda a, axis=None, *, keepdims=False: ops.sum(a, axis, keepdims),
    np.mean: lambda a, axis=None, *, keepdims=False: ops.mean(a, axis, keepdims),
    np.max: lambda a, axis=None, *, keepdims=False: ops.max(a, axis, keepdims),
    np.min: lambda a, axis=None, *, keepdims=False: ops.min(a, axis, keepdims),
    np.linalg.norm: lambda x, *, axis=None, keepdims=False: ops.norm(x, axis, keepdims),
    np.clip: lambda a, a_min=None, a_max=None, *, min=None, max=None: ops.clip(
        a, min if a_min is None else a_min, max if a_max is None else a_max
    ),
    np.where: lambda condition, x, y, /: ops.where(condition, x, y),
    np.reshape: lambda a, /, shape: ops.reshape(a, shape),
    np.transpose: lambda a, axes=None: ops.transpose(a, *(() if axes is None else axes)),
    np.swapaxes: lambda a, axis1, axis2: ops.swapaxes(a, axis1, axis2),
    np.broadcast_to: lambda array, shape: ops.broadcast_to(array, shape),
    np.expand_dims: lambda a, axis: ops.expand_dims(a, axis),
    np.squeeze: lambda a, axis=None: ops.squeeze(a, axis),
    np.flip: lambda m, axis=None: ops.flip(m, axis),
    np.concatenate: lambda arrays, /, axis=0: ops.concatenate(arrays, axis),
    np.stack: lambda arrays, axis=0: ops.stack(arrays, axis),
    np.split: lambda ary, indices_or_sections, axis=0: ops.split(ary, indices_or_sections, axis),
    np.dot: lambda a, b: ops.dot(a, b),
}

# What is asked about a Tensor, or made beside it: the answer has no derivative to lose, and is an
# array, as it is for an array.
_QUESTIONS: set[Callable[..., Any]] = {
    *(np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.full_like),
    *(np.isnan, np.isinf, np.isfinite, np.any, np.all, np.count_nonzero, np.argmax, np.argmin),
    *(np.allclose, np.isclose, np.array_equal, np.argsort, np.nonzero, np.array2string),
    *(np.array_str, np.array_repr),
}


def call_ufunc(ufunc: np.ufunc, method: str, inputs: Any, kwargs: dict[str, Any]) -> Any:
    """Apply the primitive that wraps a universal function such as np.tanh or np.add."""
    if ufunc in _QUESTIONS:
        return getattr(ufunc, method)(*map(_bare, inputs), **kwargs)
    op = _UFUNCS.get(ufunc)
    if op is None or method != "__call__" or kwargs:
        call = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        raise _unrecorded(f"{call}({', '.join(f'{key}=' for key in kwargs)})")
    return op(*inputs)


def call_function(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Apply the operation that does what a function such as np.sum does."""
    if function in _QUESTIONS:
        return function(*map(_bare, args), **{key: _bare(value) for key, value in kwargs.items()})
    ours = _FUNCTIONS.get(function)
    if ours is None:
        raise _unrecorded(function.__name__)
    try:
        inspect.signature(ours).bind(*args, **kwargs)
    except TypeError as error:
        raise _unrecorded(f"{function.__name__} with these arguments ({error})") from None
    return ours(*args, **kwargs)


def _bare(x: Any) -> Any:
    return x.value if isinstance(x, Node) else x


def _unrecorded(call: str) -> GradientError:
    return GradientError(
        f"np.{call} of a Tensor is not recorded, so its derivative would be lost; "
        "use this package's operations, or np.asarray(t) for the bare array"
    )
