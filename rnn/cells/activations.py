"""The nonlinearities of cells, by name."""

from __future__ import annotations

from collections.abc import Callable

from microgrrepresent import Tensor, relu, sigmoid, tanh

Activation = Callable[[Tensor], Tensor]


def _identity(x: Tensor) -> Tensor:
    return x


ACTIVATIONS: dict[str, Activation] = {
    "tanh": tanh,
    "relu": relu,
    "sigmoid": sigmoid,
    "identity": _identity,
}


def activation(name: str, who: str) -> Activation:
    """The function of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if not isinstance(name, str) or name not in ACTIVATIONS:
        known = ", ".join(repr(known) for known in ACTIVATIONS)
        raise ValueError(f"{who}: unknown nonlinearity {name!r}; choose one of {known}")
    return ACTIVATIONS[name]
