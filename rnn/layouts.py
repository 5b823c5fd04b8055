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

In both, a GRU's update gate keeps. A gate that a variant does without is written as one that is
always open: weights 0 and a bias of 40, of which the sigmoid is exactly 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.node import Array
from rnn.cells.cell import Cell
from rnn.cells.gru import GRUCell
from rnn.cells.lstm import LSTMCell
from rnn.cells.simple import RNNCell
from rnn.errors import StateDictError

OPEN = 40.0
"""A bias at which a gate is open: sigmoid(40) is 1 in float32 and float64."""


class Gate(NamedTuple):
    """The blocks of one gate: W (H, I), U (H, H), and two biases (H,)."""

    W: Array
    U: Array
    b_ih: Array
    b_hh: Array

    def negated(self) -> Gate:
        """The gate 1 - z instead of z: σ(-a) = 1 - σ(a)."""
        return Gate(*[-block for block in self])


class OnnxWeights(NamedTuple):
    """The tensors of an ONNX node RNN, GRU or LSTM with D directions; see the table above."""

    W: Array
    R: Array
    B: Array
    P: Array | None


def gates_of(cell: Cell[Any]) -> dict[str, Gate]:
    """The blocks of every gate of a cell, by letter, a GRU's update gate so that it keeps.

    Gates that the variant does without are there too, open.
    """
    letters, standard = _letters(cell)
    H = cell.hidden_size
    own = cell.state_dict()
    rows = len(letters) * H
    zeros = np.zeros(rows, cell.dtype)
    arrays = [
        own["weight_ih"],
        own["weight_hh"],
        own.get("bias_ih", zeros),
        own.get("bias_hh", zeros),
    ]
    blocks = {
        letter: Gate(*[array[k * H : (k + 1) * H] for array in arrays])
        for k, letter in enumerate(letters)
    }
    if isinstance(cell, GRUCell) and cell.update_gate == "write":
        blocks["z"] = blocks["z"].negated()
    some = blocks[letters[0]]
    wide_open = Gate(*[np.zeros_like(block) for block in some])
    wide_open.b_ih[:] = OPEN
    return {letter: blocks.get(letter, wide_open) for letter in standard}


def load_gates(cell: Cell[Any], blocks: Mapping[str, Gate], more: Mapping[str, Array]) -> None:
    """Give a cell the blocks of its gates, and what other parameters it has.

    Raises
    ------
    StateDictError
        If a gate that the cell does without has weights, which would be lost, or shapes differ.
    """
    letters, standard = _letters(cell)
    for letter in standard:
        if letter not in letters and not _coupled(cell) and not _is_open(blocks[letter]):
            raise StateDictError(
                f"{cell!r} has no gate {letter}, but the given weights have one that is not "
                "always open; make the layer with that gate"
            )
    chosen = [blocks[letter] for letter in letters]
    if isinstance(cell, GRUCell) and cell.update_gate == "write":
        z = letters.index("z")
        chosen[z] = chosen[z].negated()
    stacked = Gate(*[np.concatenate(parts) for parts in zip(*chosen, strict=True)])
    state = {"weight_ih": stacked.W, "weight_hh": stacked.U, **more}
    if "bias_ih" in dict(cell.named_tensors()):
        state |= {"bias_ih": stacked.b_ih, "bias_hh": stacked.b_hh}
    elif stacked.b_ih.any() or stacked.b_hh.any():
        raise StateDictError(f"{cell!r} has no biases, but the given weights do; use bias=True")
    cell.load_state_dict(state | {k: v for k, v in cell.state_dict().items() if k not in state})


# --- ONNX ----------------------------------------------------------------------------------------

_ONNX_ORDER = {"h": "h", "rzn": "zrn", "ifgo": "iofg"}
_ONNX_NAMES = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "identity": "Affine"}


def onnx_weights(cells: Sequence[Cell[Any]]) -> OnnxWeights:
    """The weights of one layer, of its one or two directions, as ONNX has them."""
    parts = []
    for cell in cells:
        _expressible(cell, "ONNX")
        gates = gates_of(cell)
        order = [gates[letter] for letter in _ONNX_ORDER["".join(gates)]]
        W, U, b_ih, b_hh = (np.concatenate(blocks) for blocks in zip(*order, strict=True))
        parts.append((W, U, np.concatenate([b_ih, b_hh])))
    W, R, B = (np.stack(arrays) for arrays in zip(*parts, strict=True))
    peepholes = [_peepholes(cell) for cell in cells]
    P = None if peepholes[0] is None else np.stack([p for p in peepholes if p is not None])
    return OnnxWeights(W, R, B, P)


def load_onnx_weights(
    cells: Sequence[Cell[Any]],
    W: ArrayLike,
    R: ArrayLike,
    B: ArrayLike | None = None,
    P: ArrayLike | None = None,
) -> None:
    """Give one layer, its one or two directions, the weights of an ONNX node."""
    given = {"W": np.asarray(W), "R": np.asarray(R)}
    D, H = len(cells), cells[0].hidden_size
    standard = _letters(cells[0])[1]
    n = len(standard)
    expected: dict[str, tuple[int, ...]] = {
        "W": (D, n * H, cells[0].input_size),
        "R": (D, n * H, H),
    }
    if B is not None:
        given["B"], expected["B"] = np.asarray(B), (D, 2 * n * H)
    if P is not None:
        given["P"], expected["P"] = np.asarray(P), (D, 3 * H)
    _check_shapes("load_onnx_weights", given, expected)
    for d, cell in enumerate(cells):
        _expressible(cell, "ONNX")
        seen = _peepholes(cell) is not None
        if seen != (P is not None) and not (P is not None and not given["P"].any()):
            has = "peepholes, but P is not given" if seen else "no peepholes, but P is given"
            raise StateDictError(f"load_onnx_weights: {cell!r} has {has}")
        biases = given["B"][d] if B is not None else np.zeros(2 * n * H, cell.dtype)
        blocks = {
            letter: Gate(
                *[
                    array[k * H : (k + 1) * H]
                    for array in (given["W"][d], given["R"][d], biases[: n * H], biases[n * H :])
                ]
            )
            for k, letter in enumerate(_ONNX_ORDER[standard])
        }
        more = {}
        if seen:
            i, o, f = np.split(given["P"][d], 3)
            more = {"weight_ci": i, "weight_cf": f, "weight_co": o}
            if _coupled(cell):
                del more["weight_cf"]
        load_gates(cell, blocks, more)


def onnx_attributes(cells: Sequence[Cell[Any]]) -> dict[str, Any]:
    """The attributes with which an ONNX node computes what the layer does."""
    cell = cells[0]
    attributes: dict[str, Any] = {
        "hidden_size": cell.hidden_size,
        "direction": "bidirectional" if len(cells) == 2 else "forward",
    }
    if isinstance(cell, LSTMCell):
        names = [cell.gate_activation, cell.activation, cell.activation]
        attributes["input_forget"] = int(cell.coupled)
    elif isinstance(cell, GRUCell):
        names = ["sigmoid", "tanh"]
        attributes["linear_before_reset"] = int(cell.reset_after)
    else:
        assert isinstance(cell, RNNCell)
        names = [cell.nonlinearity]
    attributes["activations"] = [_ONNX_NAMES[name] for name in names] * len(cells)
    return attributes


# --- Keras ---------------------------------------------------------------------------------------

_KERAS_ORDER = {"h": "h", "rzn": "zrn", "ifgo": "ifgo"}


def keras_weights(cells: Sequence[Cell[Any]]) -> list[Array]:
    """The arrays of Keras' ``get_weights()``, of each cell in turn: kernels, then bias if any."""
    arrays = []
    for cell in cells:
        _expressible(cell, "Keras")
        gates = gates_of(cell)
        order = [gates[letter] for letter in _KERAS_ORDER["".join(gates)]]
        W, U, b_ih, b_hh = (np.concatenate(blocks) for blocks in zip(*order, strict=True))
        arrays += [W.T.copy(), U.T.copy()]
        if _has_bias(cell):
            arrays.append(np.stack([b_ih, b_hh]) if _two_biases(cell) else b_ih + b_hh)
    return arrays


def load_keras_weights(cells: Sequence[Cell[Any]], arrays: Sequence[ArrayLike]) -> None:
    """Give each cell in turn the arrays of Keras' ``get_weights()``."""
    each = 3 if _has_bias(cells[0]) else 2
    if len(arrays) != each * len(cells):
        raise StateDictError(
            f"load_keras_weights: expected {each * len(cells)} arrays, "
            f"{'kernel, recurrent_kernel and bias' if each == 3 else 'kernel, recurrent_kernel'} "
            f"for each of {len(cells)} layers and directions; given {len(arrays)}"
        )
    for c, cell in enumerate(cells):
        _expressible(cell, "Keras")
        standard = _letters(cell)[1]
        H, n = cell.hidden_size, len(standard)
        mine = [np.asarray(array) for array in arrays[c * each : (c + 1) * each]]
        two = _two_biases(cell)
        names = ("kernel", "recurrent_kernel", "bias")
        shapes = ((cell.input_size, n * H), (H, n * H), (2, n * H) if two else (n * H,))
        _check_shapes(
            "load_keras_weights",
            dict(zip(names, mine, strict=False)),
            dict(zip(names[:each], shapes, strict=False)),
        )
        zeros = np.zeros(n * H, cell.dtype)
        b_ih, b_hh = (zeros, zeros) if each == 2 else mine[2] if two else (mine[2], zeros)
        blocks = {
            letter: Gate(
                *[
                    array[k * H : (k + 1) * H]
                    for array in (mine[0].T, mine[1].T, np.asarray(b_ih), np.asarray(b_hh))
                ]
            )
            for k, letter in enumerate(_KERAS_ORDER[standard])
        }
        load_gates(cell, blocks, {})


# --- what fits what ------------------------------------------------------------------------------


def _letters(cell: Cell[Any]) -> tuple[str, str]:
    """The gates that a cell has, and those of the standard cell of its kind."""
    if isinstance(cell, LSTMCell):
        return cell.gates, "ifgo"
    if isinstance(cell, GRUCell):
        return cell.gates, "rzn"
    if type(cell) is RNNCell:
        return "h", "h"
    raise StateDictError(f"{cell!r} has no counterpart in ONNX or Keras")


def _expressible(cell: Cell[Any], where: str) -> None:
    reason = ""
    if isinstance(cell, LSTMCell):
        if cell.proj_size:
            reason = "projection"
        elif cell.peephole == "diagonal_previous":
            reason = "peepholes of the output gate at the memory before"
        elif where == "Keras" and (cell.peephole or cell.coupled):
            reason = "peepholes or coupled gates"
    if reason:
        raise StateDictError(f"{cell!r}: {where} has no {reason}")


def _coupled(cell: Cell[Any]) -> bool:
    return isinstance(cell, LSTMCell) and cell.coupled


def _has_bias(cell: Cell[Any]) -> bool:
    return any(name == "bias_ih" for name, _ in cell.named_tensors())


def _two_biases(cell: Cell[Any]) -> bool:
    return isinstance(cell, GRUCell) and cell.reset_after


def _is_open(gate: Gate) -> bool:
    return not gate.W.any() and not gate.U.any() and bool((gate.b_ih + gate.b_hh >= OPEN).all())


def _peepholes(cell: Cell[Any]) -> Array | None:
    if not isinstance(cell, LSTMCell) or not cell.peephole:
        return None
    zero = np.zeros(cell.hidden_size, cell.dtype)
    seen = (cell.weight_ci, cell.weight_co, cell.weight_cf)
    return np.concatenate([zero if V is None else V.numpy() for V in seen])


def _check_shapes(
    who: str, given: Mapping[str, Array], expected: Mapping[str, tuple[int, ...]]
) -> None:
    for name, shape in expected.items():
        if given[name].shape != shape:
            raise StateDictError(
                f"{who}: expected {name} of shape {shape}, given {given[name].shape}"
            )
