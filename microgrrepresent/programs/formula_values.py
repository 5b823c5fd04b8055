"""What a formula comes to: mathematics has fewer words than NumPy, and some by other names.

A formula leaves out along which axes a function goes, and changes of shape. To be held against
`forward`, it is computed with these put back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from microgrrepresent.description import names_in
from microgrrepresent.node import Array
from microgrrepresent.sums import fitted

LETTERS: dict[str, Callable[..., Any]] = {
    "Σ": np.sum,
    "Π": np.prod,
    "ln": np.log,
    "σ": lambda x: 1 / (1 + np.exp(-x)),
    "ReLU": lambda x: np.maximum(x, 0),
    "cut": lambda x: x,
}
"""Functions that NumPy has by another name, or not at all."""


def functions(
    text: str,
    helpers: Sequence[Callable[..., Any]],
    params: Mapping[str, Any],
    shape: tuple[int, ...],
) -> dict[str, Callable[..., Any]]:
    """The functions that a formula calls, as far as they are known.

    Parameters
    ----------
    text : str
        The formula.
    helpers : sequence of callable
        What else its operation calls.
    params : mapping
        The operation's static arguments, among them the axis.
    shape : tuple of int
        What `place` makes.

    Examples
    --------
    >>> import numpy as np
    >>> from microgrrepresent.programs.formula_values import functions
    >>> sorted(functions("Σ(tanh(x)) + CE(x, t)", [], {}, ()))
    ['place', 'tanh', 'transpose', 'Σ']
    """
    helping = {helper.__name__: helper for helper in helpers}
    found: dict[str, Callable[..., Any]] = {}
    for name in names_in(text) - params.keys() - {"np"}:
        function = LETTERS.get(name) or helping.get(name) or getattr(np, name, None)
        if callable(function) and not isinstance(function, type):
            found[name] = partial(_over_axes, function, params)
    return found | {"place": partial(_placed, shape), "transpose": np.transpose}


def _over_axes(
    function: Callable[..., Any], params: Mapping[str, Any], *args: Any, **more: Any
) -> Any:
    """The value along the axes that a formula leaves out, if the function takes any."""
    given = {name: params[name] for name in ("axis", "keepdims") if name in params}
    try:
        return function(*args, **{**given, **more})
    except TypeError:  # it is elementwise
        return function(*args, **more)


def _placed(shape: tuple[int, ...], x: Any, index: Any) -> Array:
    """Zeros of a shape, with elements added where an index says."""
    out = np.zeros(shape)
    np.add.at(out, index, x)
    return out


def joined(value: Any, axis: int, ndim: int) -> Any:
    """What a list of parts beside each other is; anything else as it is."""
    if not isinstance(value, list):
        return value
    parts = [np.asarray(part) for part in value]
    return np.concatenate(parts, axis) if parts[0].ndim == ndim else np.stack(parts, axis)


def like(value: Array, expected: Array, is_contribution: bool) -> Array:
    """The numbers of a formula in the shape that they should have, if they can have it.

    The sweep adds up a contribution over the axes along which the input was broadcast.
    """
    if value.size == expected.size:
        return value.reshape(expected.shape)
    if value.size < expected.size:
        return np.broadcast_to(value, expected.shape)
    made: Array = fitted(value, expected) if is_contribution else value
    return made
