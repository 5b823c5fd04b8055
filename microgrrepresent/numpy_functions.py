"""NumPy's own functions on Tensors: ``np.tanh(t)``, ``array * t``, ``np.sum(t, axis=0)``.

NumPy asks an operand that is not an array what to do. Here is the answer: call the operation of
this package that does the same and records it. Where there is none, or where NumPy's function
is given an argument that ours does not have, the derivative of what requires a gradient would be
lost, and the call fails with a sentence. For Tensors that require none, and under `no_grad`, NumPy
computes with their arrays and gives an array: ``np.round``, ``np.unique``, ``np.histogram``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from microgrrepresent import ops
from microgrrepresent.errors import DTypeError, GradientError, ImmutableError, ShapeError, listed
from microgrrepresent.node import Node
from microgrrepresent.ops.elementwise import copied
from microgrrepresent.place import here
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
    np.prod: lambda a, axis=None, *, keepdims=False: ops.prod(a, axis, keepdims),
    np.cumsum: lambda a, axis=None: ops.cumsum(a, axis),
    np.var: lambda a, axis=None, *, ddof=0, keepdims=False: ops.var(a, axis, ddof, keepdims),
    np.std: lambda a, axis=None, *, ddof=0, keepdims=False: ops.std(a, axis, ddof, keepdims),
    np.linalg.norm: lambda x, *, axis=None, keepdims=False: ops.norm(x, axis, keepdims),
    np.clip: lambda a, a_min=None, a_max=None, *, min=None, max=None: ops.clip(
        a, min if a_min is None else a_min, max if a_max is None else a_max
    ),
    np.where: lambda condition, x, y, /: ops.where(condition, x, y),
    np.reshape: lambda a, /, shape: ops.reshape(a, shape),
    np.ravel: lambda a: ops.reshape(a, -1),
    np.copy: lambda a: copied(a),
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
    *(np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like),
    *(np.isnan, np.isinf, np.isfinite, np.any, np.all, np.count_nonzero, np.argmax, np.argmin),
    *(np.allclose, np.isclose, np.array_equal, np.argsort, np.nonzero, np.array2string),
    *(np.array_str, np.array_repr, np.signbit, np.iscomplexobj, np.result_type, np.argwhere),
    *(np.flatnonzero, np.argpartition, np.searchsorted, np.digitize, np.array_equiv),
}


def call_ufunc(ufunc: np.ufunc, method: str, inputs: Any, kwargs: dict[str, Any]) -> Any:
    """Apply the primitive that wraps a universal function such as np.tanh or np.add."""
    op = _UFUNCS.get(ufunc)
    if op is not None and method == "__call__" and not kwargs:
        return op(*inputs)
    if any(isinstance(out, Node) for out in kwargs.get("out", ())):
        raise ImmutableError(
            f"{_full_name(ufunc)}(out=) would change a Tensor in place, and the graph has recorded "
            "its value; write into an array, or give a leaf a new value with t.assign(array)"
        )
    if ufunc not in _QUESTIONS:
        call = _full_name(ufunc) + ("" if method == "__call__" else f".{method}")
        named = f"{call}({', '.join(f'{key}=' for key in kwargs)})" if kwargs else call
        _needs_no_gradient(named, ufunc.__name__, (inputs, kwargs))
    try:
        return getattr(ufunc, method)(*_values(inputs), **_values(kwargs))
    except (TypeError, ValueError) as error:
        given = listed([f"{type(x).__name__} {np.shape(x)}" for x in inputs])
        kind = ShapeError if isinstance(error, ValueError) else DTypeError
        raise kind(f"{_full_name(ufunc)} of {given}: {error}") from error


def call_function(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Apply the operation that does what a function such as np.sum does."""
    ours, call = _FUNCTIONS.get(function), _full_name(function)
    if ours is not None:
        try:
            inspect.signature(ours).bind(*args, **kwargs)
        except TypeError as error:
            call += f" with these arguments ({error})"
        else:
            return ours(*args, **kwargs)
    if function is np.full_like:  # it asks the first for its shape only, and is made of the second
        _needs_no_gradient(call, "full_like", (args[1:], kwargs.get("fill_value")))
    elif function not in _QUESTIONS:
        _needs_no_gradient(call, function.__name__, (args, kwargs))
    return function(*_values(args), **_values(kwargs))


def _values(given: Any) -> Any:
    """Arguments with the arrays of Tensors in their place, also inside lists and dicts."""
    if isinstance(given, Node):
        return given.value
    if type(given) in (list, tuple):
        return type(given)(map(_values, given))
    if type(given) is dict:
        return {key: _values(value) for key, value in given.items()}
    return given


def _needs_no_gradient(call: str, name: str, given: Any) -> None:
    """See that no derivative is lost when NumPy computes with the bare arrays."""
    if here.get().recorded and _requires_gradient(given):
        ours = f"microgrrepresent.{name}" if name in ops.__all__ else "an operation of this package"
        raise GradientError(
            f"{call} of a Tensor that requires a gradient is not recorded, so that its derivative "
            f"would be lost; use {ours}, or t.numpy() for the value alone"
        )


def _requires_gradient(given: Any) -> bool:
    if isinstance(given, Node):
        return given.requires_grad
    if isinstance(given, dict):
        given = given.values()
    elif not isinstance(given, (list, tuple)):
        return False
    return any(map(_requires_gradient, given))


def _full_name(function: Callable[..., Any]) -> str:
    """``np.sum``, ``np.linalg.norm``, ``expit``."""
    name = function.__name__
    home = getattr(function, "__module__", None) or ("numpy" if hasattr(np, name) else "")
    return ".".join(["np", *home.split(".")[1:], name]) if home.startswith("numpy") else name
