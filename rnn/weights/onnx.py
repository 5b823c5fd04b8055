"""Layers to ONNX and back: the tensors and the attributes of a node RNN, GRU or LSTM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

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

_ORDER = {"h": "h", "rzn": "zrn", "ifgo": "iofg"}
_NAMES = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "identity": "Affine"}
_STANDARD = {"h": ["Tanh"], "rzn": ["Sigmoid", "Tanh"], "ifgo": ["Sigmoid", "Tanh", "Tanh"]}

_OFF: dict[str, Any] = {
    "activation_alpha": [],
    "activation_beta": [],
    "clip": None,
    "output_sequence": 0,
}
"""What may be written for an attribute that a node does not have; a clip of 0 is a clip."""


class OnnxNode(NamedTuple):
    """What an ONNX node with D directions holds; the shapes are in `rnn.weights.standard_gates`."""

    W: Array
    R: Array
    B: Array
    P: Array | None
    attributes: dict[str, Any]


def to_onnx(layer: Recurrent[Any], number: int = 0) -> OnnxNode:
    """One layer of a stack, with its one or two directions, as an ONNX node.

    Parameters
    ----------
    layer : RNN, GRU or LSTM
    number : int
        Which layer of the stack.

    Returns
    -------
    OnnxNode
        The node's inputs W, R, B and P (None without peepholes), and its attributes. Its X, its
        states and its Y have time first.

    Raises
    ------
    StateDictError
        If ONNX has no such cell.

    Examples
    --------
    >>> from rnn import GRU
    >>> from rnn.weights import to_onnx
    >>> node = to_onnx(GRU(2, 3))
    >>> node.W.shape, node.attributes["linear_before_reset"]
    ((1, 9, 2), 1)
    """
    cells = stack_of(layer, "to_onnx").directions_of(number)
    form = form_of(cells[0], "ONNX", layer)
    parts = []
    for cell in cells:
        gates = gates_of(cell, form)
        W, U, b_ih, b_hh, V = joined(gates[letter] for letter in _ORDER[form.standard])
        parts.append((W, U, np.concatenate([b_ih, b_hh]), V[: 3 * cell.hidden_size]))
    W, R, B, P = (np.stack(arrays) for arrays in zip(*parts, strict=True))
    return OnnxNode(W, R, B, P if form.peepholes else None, _attributes(layer, form, cells))


def load_onnx(
    layer: Recurrent[Any],
    attributes: Mapping[str, Any],
    W: ArrayLike,
    R: ArrayLike,
    B: ArrayLike | None = None,
    P: ArrayLike | None = None,
    *,
    number: int = 0,
) -> None:
    """Give one layer of a stack the weights of an ONNX node that computes the same.

    Parameters
    ----------
    layer : RNN, GRU or LSTM
    attributes : mapping
        All attributes of the node: ``{a.name: onnx.helper.get_attribute_value(a) for a in
        node.attribute}``. Those that are left out have ONNX's defaults.
    W, R, B, P : array
        The inputs of these names.
    number : int
        Which layer of the stack.

    Raises
    ------
    StateDictError
        If the node computes something else than the layer, such as with a ``clip``; if shapes do
        not fit; or if the weights hold what the layer has no place for. Nothing is changed then.
    """
    who, cells = "load_onnx", stack_of(layer, "load_onnx").directions_of(number)
    cell = cells[0]
    form = form_of(cell, "ONNX", layer)
    _check_attributes(layer, attributes, _attributes(layer, form, cells), form)
    order = _ORDER[form.standard]
    D, n, H = len(cells), len(order), cell.hidden_size
    if P is None and form.peepholes:
        raise StateDictError(f"{who}: {layer!r} has peepholes, but P is not given; give zeros or P")
    if P is not None and np.any(P) and not form.peepholes:
        use = "use LSTM(..., peephole='diagonal')" if form.standard == "ifgo" else "leave P out"
        raise StateDictError(f"{who}: {layer!r} has no peepholes, but P is given; {use}")
    W = checked(who, "W", W, (D, n * H, cell.input_size))
    R = checked(who, "R", R, (D, n * H, H))
    B = checked(who, "B", np.zeros((D, 2 * n * H)) if B is None else B, (D, 2 * n * H))
    P = checked(who, "P", np.zeros((D, 3 * H)) if P is None else P, (D, 3 * H))
    V = np.zeros((D, n * H))
    if form.peepholes:
        V[:, : 3 * H] = P  # i, o, f; the candidate, which comes last, has none
    b_ih, b_hh = np.split(B, 2, axis=1)
    directions = zip(W, R, b_ih, b_hh, V, strict=True)
    gates = [dict(zip(order, cut(n, *one), strict=True)) for one in directions]
    load(layer, cells, [form] * D, gates)


def _attributes(layer: Recurrent[Any], form: Form, cells: list[Cell[Any]]) -> dict[str, Any]:
    """The attributes with which an ONNX node computes what the layer does."""
    one_way = "reverse" if layer.reverse else "forward"
    names = [_NAMES[name] for name in form.activations] * len(cells)
    attributes: dict[str, Any] = {
        "hidden_size": cells[0].hidden_size,
        "direction": "bidirectional" if len(cells) == 2 else one_way,
        "activations": names,
        **form.onnx,
    }
    if affine := names.count("Affine"):  # α x + β, with the α and β of the identity
        attributes |= {"activation_alpha": [1.0] * affine, "activation_beta": [0.0] * affine}
    return attributes


def _check_attributes(
    layer: Recurrent[Any], given: Mapping[str, Any], own: dict[str, Any], form: Form
) -> None:
    """Refuse, by its name, an attribute with which the node computes something else."""
    if not isinstance(given, Mapping):
        raise StateDictError(
            "load_onnx: attributes must be a mapping of names to values, all that the node has, "
            f"got {type(given).__name__}"
        )
    node = {
        "hidden_size": own["hidden_size"],
        "direction": "forward",
        "activations": _STANDARD[form.standard] * (2 if layer.bidirectional else 1),
        **dict.fromkeys(form.onnx, 0),
        **{name: _plain(value) for name, value in given.items()},
    }
    if node.get("layout") in (0, int(layer.batch_first)):
        del node["layout"]
    for name in [*own, *node]:
        theirs, ours = node.get(name), own.get(name)
        if _lower(theirs) != _lower(ours) and not (name in _OFF and theirs == _OFF[name]):
            has = f"the layer has {name}={ours!r}" if name in own else "the layer has no such thing"
            raise StateDictError(f"load_onnx: the node has {name}={theirs!r}; {has}: {layer!r}")


def _plain(value: Any) -> Any:
    """An attribute's value as Python writes it: text of bytes, lists of sequences."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")  # of what is no text, it is no name either
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _lower(value: Any) -> Any:
    """Names of functions are the same in capitals."""
    if isinstance(value, list):
        return [_lower(item) for item in value]
    return value.lower() if isinstance(value, str) else value
