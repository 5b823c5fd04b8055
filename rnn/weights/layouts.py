r"""Weights in the layouts of ONNX and Keras, out and in.

All three put the gates' blocks of rows (or columns) into one matrix; they differ in the order of
the gates, in transposition, and in the number of biases:

=====================  ======================  =======================  ========================
\                       here, PyTorch           ONNX                     Keras
=====================  ======================  =======================  ========================
input weights          weight_ih (G·H, I)      W (D, G·H, I)            kernel (I, G·H)
recurrent weights      weight_hh (G·H, H)      R (D, G·H, H)            recurrent_kernel (H, G·H)
biases                 bias_ih, bias_hh        B (D, 2·G·H), [Wb; Rb]   one, b_ih + b_hh; for a
                                                                        GRU with reset_after two
                                                                        rows (2, 3·H)
gates of an LSTM       i f g o                 i o f c                  i f c o
gates of a GRU         r z n                   z r h                    z r h
peepholes              weight_ci, _cf, _co     P (D, 3·H), i o f        none
directions             suffix ``_reverse``     axis D                   one layer after the other
=====================  ======================  =======================  ========================

So every layout is a way to write down the same `Gate` objects, and a pair of functions here goes
from a cell to its gates and back. Both standards have all gates, and a GRU's update gate that
keeps. A gate that a variant does without is therefore written as one that is always open, with
weights 0 and a bias at which its function is 1; the forget gate of coupled gates, which ONNX does
not read (``input_forget=1``), as zeros.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.node import Array
from rnn.cells.activations import ACTIVATIONS
from rnn.cells.cell import Cell
from rnn.cells.gru import GRUCell
from rnn.cells.lstm import LSTMCell
from rnn.cells.simple import RNNCell
from rnn.errors import StateDictError

OPEN = {"sigmoid": 40.0, "tanh": 40.0, "relu": 1.0, "identity": 1.0}
"""The bias at which a gate is exactly 1 in every data type, by the gate's function."""


class Gate(NamedTuple):
    """The blocks of one gate: W (H, I), U (H, H), two biases and the peephole (H,)."""

    W: Array
    U: Array
    b_ih: Array
    b_hh: Array
    V: Array

    def negated(self) -> Gate:
        """The gate 1 - z instead of z: σ(-a) = 1 - σ(a)."""
        return Gate(*[-block for block in self])

    def is_open(self, function: str) -> bool:
        """Whether the gate is 1 whatever it sees."""
        sees = self.W.any() or self.U.any() or self.V.any()
        always: Any = ACTIVATIONS[function](self.b_ih + self.b_hh)  # type: ignore[arg-type]
        return not sees and bool((always == 1).all())


class OnnxWeights(NamedTuple):
    """The tensors of an ONNX node RNN, GRU or LSTM with D directions; see the table above."""

    W: Array
    R: Array
    B: Array
    P: Array | None


class Form(NamedTuple):
    """What of a cell's form matters to a layout."""

    letters: str
    """The gates that the cell has, in the order of their blocks."""
    standard: str
    """The gates of the standard cell of this kind."""
    activations: Sequence[str]
    """The functions of the gates, of the candidate and of the output, as far as there are any."""
    onnx: dict[str, Any]
    """What else an ONNX node must be told."""
    keras: dict[str, Any]
    """What else a Keras layer must be told."""
    writes: bool = False
    """Whether the update gate writes."""
    coupled: bool = False
    """Whether the forget gate is made of the input gate."""
    peepholes: bool = False

    @property
    def two_biases(self) -> bool:
        """Whether Keras keeps both biases."""
        return bool(self.keras.get("reset_after"))


def form_of(cell: Cell[Any], where: str, layer: object) -> Form:
    """The form of a cell, of a layer that has a counterpart there.

    Raises
    ------
    StateDictError
        If it has none.
    """
    lacks = ""
    if isinstance(cell, LSTMCell):
        if cell.proj_size:
            lacks = "projection"
        elif cell.peephole == "diagonal_previous":
            lacks = "peepholes of the output gate at the memory before"
        elif where == "Keras" and (cell.peephole or cell.coupled):
            lacks = "peepholes or coupled gates"
        functions = (cell.gate_activation, cell.activation, cell.activation)
        onnx = {"input_forget": int(cell.coupled)}
        peepholes = bool(cell.peephole)
        form = Form(cell.gates, "ifgo", functions, onnx, {}, False, cell.coupled, peepholes)
    elif isinstance(cell, GRUCell):
        onnx, keras = (
            {"linear_before_reset": int(cell.reset_after)},
            {"reset_after": cell.reset_after},
        )
        writes = cell.update_gate == "write"
        form = Form(cell.gates, "rzn", ("sigmoid", "tanh"), onnx, keras, writes)
    elif type(cell) is RNNCell:
        form = Form("h", "h", (cell.nonlinearity,), {}, {})
    else:
        lacks = "such cell"
    if lacks:
        raise StateDictError(f"{layer!r}: {where} has no {lacks}")
    return form


# --- a cell and its gates ------------------------------------------------------------------------


def gates_of(cell: Cell[Any], form: Form) -> dict[str, Gate]:
    """All gates of the standard cell of this kind, by letter; an update gate keeps."""
    letters, own, H = form.letters, cell.state_dict(), cell.hidden_size
    zeros = np.zeros(len(letters) * H, cell.dtype)
    arrays = (
        own["weight_ih"],
        own["weight_hh"],
        own.get("bias_ih", zeros),
        own.get("bias_hh", zeros),
        np.concatenate([own.get(f"weight_c{letter}", zeros[:H]) for letter in letters]),
    )
    gates = dict(zip(letters, _cut(len(letters), *arrays), strict=True))
    if form.writes:
        gates["z"] = gates["z"].negated()
    absent = Gate(*[np.zeros_like(block) for block in gates[letters[0]]])
    if not form.coupled:
        absent.b_ih[:] = OPEN[form.activations[0]]
    return {letter: gates.get(letter, absent) for letter in form.standard}


def state_from(
    cell: Cell[Any], form: Form, gates: Mapping[str, Gate], layer: object
) -> dict[str, Array]:
    """The cell's state_dict with these gates in it.

    Raises
    ------
    StateDictError
        If the gates hold what the cell has no place for, so that it would compute something else.
    """
    state = cell.state_dict()
    for letter in form.standard:
        absent = letter not in form.letters and not form.coupled
        if absent and not gates[letter].is_open(form.activations[0]):
            raise StateDictError(
                f"{layer!r} has no gate {letter}, but the given weights have one that is not "
                "always open; make the layer with that gate"
            )
    chosen = {letter: gates[letter] for letter in form.letters}
    if form.writes:
        chosen["z"] = chosen["z"].negated()
    W, U, b_ih, b_hh, _ = _joined(chosen.values())
    if "bias_ih" not in state and (b_ih.any() or b_hh.any()):
        raise StateDictError(f"{layer!r} has no biases, but the given weights do; use bias=True")
    given = {"weight_ih": W, "weight_hh": U, "bias_ih": b_ih, "bias_hh": b_hh}
    given |= {f"weight_c{letter}": gate.V for letter, gate in chosen.items()}
    return state | {name: array for name, array in given.items() if name in state}


def _load(
    layer: object,
    cells: Sequence[Cell[Any]],
    forms: Sequence[Form],
    gates: Sequence[Mapping[str, Gate]],
) -> None:
    """Give cells their gates: all of them, or, if one does not fit, none."""
    states = [state_from(*each, layer) for each in zip(cells, forms, gates, strict=True)]
    for cell, state in zip(cells, states, strict=True):
        cell.load_state_dict(state)


# --- ONNX ----------------------------------------------------------------------------------------

_ONNX_ORDER = {"h": "h", "rzn": "zrn", "ifgo": "iofg"}
_ONNX_NAMES = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "identity": "Affine"}


def onnx_weights(layer: object, cells: Sequence[Cell[Any]]) -> OnnxWeights:
    """The weights of one layer, of its one or two directions, as ONNX has them."""
    parts = []
    for cell in cells:
        form = form_of(cell, "ONNX", layer)
        gates = gates_of(cell, form)
        W, U, b_ih, b_hh, V = _joined(gates[letter] for letter in _ONNX_ORDER[form.standard])
        parts.append((W, U, np.concatenate([b_ih, b_hh]), V[: 3 * cell.hidden_size]))
    W, R, B, P = (np.stack(arrays) for arrays in zip(*parts, strict=True))
    return OnnxWeights(W, R, B, P if form.peepholes else None)


def load_onnx_weights(
    layer: object,
    cells: Sequence[Cell[Any]],
    W: ArrayLike,
    R: ArrayLike,
    B: ArrayLike | None = None,
    P: ArrayLike | None = None,
) -> None:
    """Give one layer, its one or two directions, the weights of an ONNX node."""
    who, cell = "load_onnx_weights", cells[0]
    form = form_of(cell, "ONNX", layer)
    order = _ONNX_ORDER[form.standard]
    D, n, H = len(cells), len(order), cell.hidden_size
    if P is None and form.peepholes:
        raise StateDictError(f"{who}: {layer!r} has peepholes, but P is not given; give zeros or P")
    if P is not None and np.any(P) and not form.peepholes:
        use = "use LSTM(..., peephole='diagonal')" if form.standard == "ifgo" else "leave P out"
        raise StateDictError(f"{who}: {layer!r} has no peepholes, but P is given; {use}")
    W = _array(who, "W", W, (D, n * H, cell.input_size))
    R = _array(who, "R", R, (D, n * H, H))
    B = _array(who, "B", np.zeros((D, 2 * n * H)) if B is None else B, (D, 2 * n * H))
    P = _array(who, "P", np.zeros((D, 3 * H)) if P is None else P, (D, 3 * H))
    V = np.zeros((D, n * H))
    if form.peepholes:
        V[:, : 3 * H] = P  # i, o, f; the candidate, which comes last, has none
    b_ih, b_hh = np.split(B, 2, axis=1)
    directions = zip(W, R, b_ih, b_hh, V, strict=True)
    gates = [dict(zip(order, _cut(n, *one), strict=True)) for one in directions]
    _load(layer, cells, [form] * D, gates)


def onnx_attributes(layer: object, cells: Sequence[Cell[Any]], reverse: bool) -> dict[str, Any]:
    """The attributes with which an ONNX node computes what the layer does."""
    form = form_of(cells[0], "ONNX", layer)
    one_way = "reverse" if reverse else "forward"
    names = [_ONNX_NAMES[name] for name in form.activations] * len(cells)
    attributes: dict[str, Any] = {
        "hidden_size": cells[0].hidden_size,
        "direction": "bidirectional" if len(cells) == 2 else one_way,
        "activations": names,
        **form.onnx,
    }
    if affine := names.count("Affine"):  # α x + β, with the α and β of the identity
        attributes |= {"activation_alpha": [1.0] * affine, "activation_beta": [0.0] * affine}
    return attributes


# --- Keras ---------------------------------------------------------------------------------------

_KERAS_ORDER = {"h": "h", "rzn": "zrn", "ifgo": "ifgo"}


def keras_weights(layer: object, cells: Sequence[Cell[Any]]) -> list[Array]:
    """The arrays of Keras' ``get_weights()``, of each cell in turn: kernels, then bias if any."""
    arrays = []
    for cell in cells:
        form = form_of(cell, "Keras", layer)
        gates = gates_of(cell, form)
        W, U, b_ih, b_hh, _ = _joined(gates[letter] for letter in _KERAS_ORDER[form.standard])
        arrays += [W.T.copy(), U.T.copy()]
        if _biased(cell, form):
            arrays.append(np.stack([b_ih, b_hh]) if form.two_biases else b_ih + b_hh)
    return arrays


def load_keras_weights(
    layer: object, cells: Sequence[Cell[Any]], arrays: Sequence[ArrayLike]
) -> None:
    """Give each cell in turn the arrays of Keras' ``get_weights()``."""
    who = "load_keras_weights"
    if not isinstance(arrays, Sequence):
        raise StateDictError(
            f"{who}: expected a list of arrays, as get_weights() gives, for {layer!r}; "
            f"given a {type(arrays).__name__}"
        )
    each, rest = divmod(len(arrays), len(cells))
    if rest or each not in (2, 3):
        raise StateDictError(
            f"{who}: expected kernel, recurrent_kernel and, unless use_bias=False, bias for each "
            f"of {len(cells)} layers and directions; given {len(arrays)} arrays"
        )
    forms, gates = [form_of(cell, "Keras", layer) for cell in cells], []
    for c, (cell, form) in enumerate(zip(cells, forms, strict=True)):
        order = _KERAS_ORDER[form.standard]
        n, H = len(order), cell.hidden_size
        kernel, recurrent, *bias = arrays[c * each : (c + 1) * each]
        W = _array(who, "kernel", kernel, (cell.input_size, n * H))
        U = _array(who, "recurrent_kernel", recurrent, (H, n * H))
        b_ih, b_hh, V = np.zeros((3, n * H))
        if bias and form.two_biases:
            b_ih, b_hh = _array(who, "bias", bias[0], (2, n * H))
        elif bias:
            b_ih = _array(who, "bias", bias[0], (n * H,))
        gates.append(dict(zip(order, _cut(n, W.T, U.T, b_ih, b_hh, V), strict=True)))
    _load(layer, cells, forms, gates)


def keras_arguments(layer: object, cells: Sequence[Cell[Any]], reverse: bool) -> dict[str, Any]:
    """The arguments with which a Keras layer computes what the layer does."""
    form = form_of(cells[0], "Keras", layer)
    functions = ["linear" if name == "identity" else name for name in form.activations]
    arguments: dict[str, Any] = {
        "units": cells[0].hidden_size,
        "use_bias": _biased(cells[0], form),
        "activation": functions[-1],
        **form.keras,
    }
    if len(functions) > 1:
        arguments["recurrent_activation"] = functions[0]
    if reverse:
        arguments["go_backwards"] = True
    return arguments


def _biased(cell: Cell[Any], form: Form) -> bool:
    """Whether Keras needs a bias: the cell's own, or one that holds a gate open."""
    return getattr(cell, "bias_ih", None) is not None or form.letters != form.standard


# --- arrays --------------------------------------------------------------------------------------


def _cut(n: int, *arrays: Array) -> list[Gate]:
    """The n gates whose blocks lie one below the other in each of W, U, b_ih, b_hh and V."""
    blocks = zip(*[np.split(array, n) for array in arrays], strict=True)
    return [Gate(*gate) for gate in blocks]


def _joined(gates: Any) -> list[Array]:
    """W, U, b_ih, b_hh and V of gates, one below the other."""
    return [np.concatenate(blocks) for blocks in zip(*gates, strict=True)]


def _array(who: str, name: str, given: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = np.asarray(given)
    if array.shape != shape or array.dtype.kind not in "fiu":
        kind = "" if array.dtype.kind in "fiu" else f" of {array.dtype}, which are no real numbers"
        raise StateDictError(
            f"{who}: expected {name} of shape {shape}, given {array.shape}{kind}; "
            "are input_size, hidden_size, directions and the kind of layer the same?"
        )
    return array
