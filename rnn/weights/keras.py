"""Layers to Keras and back: the arrays of ``get_weights()``, and the arguments beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.errors import shortened
from microgrrepresent.node import Array
from rnn.cells import Cell
from rnn.errors import StateDictError
from rnn.layers.recurrent import Recurrent
from rnn.weights.standard_gates import (
    Form,
    checked,
    cut,
    form_of,
    gates_of,
    joined,
    load,
    stack_of,
)

_ORDER = {"h": "h", "rzn": "zrn", "ifgo": "ifgo"}
_SAID = ("activation", "recurrent_activation", "reset_after", "merge_mode")
"""What the numbers depend on and arrays do not show."""


class KerasLayers(NamedTuple):
    """What Keras' SimpleRNN, GRU or LSTM needs to compute the same, layer by layer.

    Attributes
    ----------
    weights : list of ndarray
        Of all layers and directions in turn: kernel, recurrent_kernel and, unless
        ``use_bias=False``, bias.
    arguments : dict
        With which each of the layers is made.
    """

    weights: list[Array]
    arguments: dict[str, Any]


def to_keras(layer: Recurrent[Any]) -> KerasLayers:
    """The weights of a layer, with all its layers and directions, as Keras has them.

    Raises
    ------
    StateDictError
        If Keras has no such cell.

    Examples
    --------
    >>> from rnn import RNN
    >>> from rnn.weights import to_keras
    >>> to_keras(RNN(2, 3, nonlinearity="relu")).arguments
    {'units': 3, 'use_bias': True, 'activation': 'relu'}
    """
    arrays = []
    for cell in stack_of(layer, "to_keras").cells:
        form = form_of(cell, "Keras", layer)
        gates = gates_of(cell, form)
        W, U, b_ih, b_hh, _ = joined(gates[letter] for letter in _ORDER[form.standard])
        arrays += [W.T.copy(), U.T.copy()]
        if _biased(cell, form):
            arrays.append(np.stack([b_ih, b_hh]) if form.two_biases else b_ih + b_hh)
    return KerasLayers(arrays, _arguments(layer))


def load_keras(
    layer: Recurrent[Any],
    weights: Any,
    config: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Give a layer, with all its layers and directions, the weights of Keras layers.

    Parameters
    ----------
    layer : RNN, GRU or LSTM
    weights : Keras layer, or sequence of Keras layers; or list of array
        The layers themselves, one for each of ours; or what ``get_weights()`` of them gave, one
        after the other.
    config : mapping, or sequence of mappings
        Beside arrays, which do not show it: what ``get_config()`` of the Keras layers gave, of each
        of them, or of one if they are made alike. A layer that computes something else, such as
        with another activation, is refused.

    Raises
    ------
    StateDictError
        If the Keras layer computes something else, or it is not said what; if shapes do not fit; or
        if the weights hold what the layer has no place for. Nothing is changed then.

    Examples
    --------
    >>> from rnn import GRU
    >>> from rnn.weights import load_keras, to_keras
    >>> load_keras(GRU(2, 3), *to_keras(GRU(2, 3)))
    """
    who, cells = "load_keras", stack_of(layer, "load_keras").cells
    weights, configs = _weights_and_configs(layer, weights, config)
    each, rest = divmod(len(weights), len(cells))
    if rest or each not in (2, 3):
        raise StateDictError(
            f"{who}: expected kernel, recurrent_kernel and, unless use_bias=False, bias for each "
            f"of {len(cells)} layers and directions, got {len(weights)} arrays"
        )
    forms, gates = [form_of(cell, "Keras", layer) for cell in cells], []
    for one in configs:
        _check_config(layer, one)
    for c, (cell, form) in enumerate(zip(cells, forms, strict=True)):
        order = _ORDER[form.standard]
        n, H = len(order), cell.hidden_size
        kernel, recurrent, *bias = weights[c * each : (c + 1) * each]
        W = checked(who, "kernel", kernel, (cell.input_size, n * H))
        U = checked(who, "recurrent_kernel", recurrent, (H, n * H))
        b_ih, b_hh, V = np.zeros((3, n * H))
        if bias and form.two_biases:
            b_ih, b_hh = checked(who, "bias", bias[0], (2, n * H))
        elif bias:
            b_ih = checked(who, "bias", bias[0], (n * H,))
        gates.append(dict(zip(order, cut(n, W.T, U.T, b_ih, b_hh, V), strict=True)))
    load(layer, cells, forms, gates)


def _weights_and_configs(
    layer: Recurrent[Any], given: Any, config: Any
) -> tuple[Sequence[ArrayLike], Sequence[Mapping[str, Any]]]:
    """The arrays of the Keras layers, and what these say that they were made with."""
    layers = given if isinstance(given, (list, tuple)) else [given]
    if layers and all(hasattr(one, "get_config") and hasattr(one, "get_weights") for one in layers):
        if len(layers) != layer.num_layers:
            raise StateDictError(
                f"load_keras: expected {layer.num_layers} Keras layers for {layer!r}, "
                f"got {len(layers)}"
            )
        arrays = [array for one in layers for array in one.get_weights()]
        return arrays, [one.get_config() for one in layers]
    if not isinstance(given, Sequence):
        raise StateDictError(
            f"load_keras: expected a Keras layer, or a list of arrays, as get_weights() gives, for "
            f"{layer!r}, got {type(given).__name__}"
        )
    configs = [config] if isinstance(config, Mapping) else config
    if not configs or not all(isinstance(one, Mapping) for one in configs):
        raise StateDictError(
            f"load_keras: config must be what get_config() of the Keras layers gave, got "
            f"{shortened(config)}; arrays do not show the activations. Or give the layers "
            "themselves: load_keras(layer, keras_layer)"
        )
    return given, configs


def _arguments(layer: Recurrent[Any]) -> dict[str, Any]:
    """The arguments with which a Keras layer computes what one of ours does."""
    cell = layer.cells[0]
    form = form_of(cell, "Keras", layer)
    functions = ["linear" if name == "identity" else name for name in form.activations]
    arguments: dict[str, Any] = {
        "units": cell.hidden_size,
        "use_bias": _biased(cell, form),
        "activation": functions[-1],
        **form.keras,
    }
    if len(functions) > 1:
        arguments["recurrent_activation"] = functions[0]
    if layer.reverse:
        arguments["go_backwards"] = True
    return arguments


def _check_config(layer: Recurrent[Any], config: Mapping[str, Any]) -> None:
    """Refuse, by its name, an argument with which the Keras layer computes something else."""
    own = {"go_backwards": False, **_arguments(layer)}
    each = [(own, config)]
    if "layer" in config:  # a Bidirectional, which holds a layer for each direction
        other_way = {**own, "go_backwards": not own["go_backwards"]}
        each = [({"merge_mode": "concat"}, config), (own, config["layer"]["config"])]
        if "backward_layer" in config:
            each.append((other_way, config["backward_layer"]["config"]))
    for ours, theirs in each:
        if unsaid := [name for name in _SAID if name in ours and name not in theirs]:
            raise StateDictError(
                f"load_keras: the config does not say {', '.join(unsaid)}; give what get_config() "
                "of the Keras layer gave"
            )
        for name in ours.keys() & theirs.keys() - {"use_bias"}:  # the arrays show the biases
            if theirs[name] != ours[name]:
                raise StateDictError(
                    f"load_keras: the Keras layer has {name}={theirs[name]!r}; the layer has "
                    f"{name}={ours[name]!r}: {layer!r}"
                )


def _biased(cell: Cell[Any], form: Form) -> bool:
    """Whether Keras needs a bias: the cell's own, or one that holds a gate open."""
    return getattr(cell, "bias_ih", None) is not None or form.letters != form.standard
