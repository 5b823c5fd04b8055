r"""The gates of a cell as other packages store them: what the layouts of ONNX and Keras share.

All of them put the gates' blocks of rows (or columns) into one matrix; they differ in the order of
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

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent import Tensor
from microgrrepresent.arrays import plain_array
from microgrrepresent.errors import shortened
from microgrrepresent.node import Array
from rnn.cells import Cell, GRUCell, LSTMCell, RNNCell
from rnn.cells.activations import ACTIVATIONS
from rnn.errors import StateDictError
from rnn.layers.recurrent import Recurrent

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
    lacks: Mapping[str, str] = {}
    """What the cell has and a layout has no place for, by the layout's name."""

    @property
    def two_biases(self) -> bool:
        """Whether Keras keeps both biases."""
        return bool(self.keras.get("reset_after"))


def _lstm(cell: LSTMCell) -> Form:
    lacks = {}
    if cell.peephole or cell.coupled:
        lacks["Keras"] = "peepholes or coupled gates"
    if cell.peephole == "diagonal_previous":
        lacks["ONNX"] = "peepholes of the output gate at the memory before"
    if cell.proj_size:
        lacks = {"ONNX": "projection", "Keras": "projection"}
    functions = (cell.gate_activation, cell.activation, cell.activation)
    onnx = {"input_forget": int(cell.coupled)}
    peepholes = bool(cell.peephole)
    return Form(cell.gates, "ifgo", functions, onnx, {}, False, cell.coupled, peepholes, lacks)


def _gru(cell: GRUCell) -> Form:
    onnx, keras = {"linear_before_reset": int(cell.reset_after)}, {"reset_after": cell.reset_after}
    return Form(cell.gates, "rzn", ("sigmoid", "tanh"), onnx, keras, cell.update_gate == "write")


def _rnn(cell: RNNCell) -> Form:
    return Form("h", "h", (cell.nonlinearity,), {}, {})


_FORMS: dict[type[Cell[Any]], Callable[[Any], Form]] = {
    LSTMCell: _lstm,
    GRUCell: _gru,
    RNNCell: _rnn,
}


def stack_of(layer: Any, who: str) -> Recurrent[Any]:
    """A recurrent layer, a stack of cells.

    Raises
    ------
    StateDictError
        If something else is given, such as a cell, which has no layers and directions.
    """
    if not isinstance(layer, Recurrent):
        raise StateDictError(
            f"{who}: expected a layer, an RNN, GRU or LSTM, got {shortened(layer)}"
        )
    return layer


def form_of(cell: Cell[Any], layout: str, layer: object) -> Form:
    """The form of a cell, of a layer that has a counterpart in a layout.

    Raises
    ------
    StateDictError
        If it has none.
    """
    form = _FORMS[type(cell)](cell) if type(cell) in _FORMS else None
    lacks = form.lacks.get(layout, "") if form else "such cell"
    if form is None or lacks:
        raise StateDictError(f"{layer!r}: {layout} has no {lacks}")
    return form


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
    gates = dict(zip(letters, cut(len(letters), *arrays), strict=True))
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
    W, U, b_ih, b_hh, _ = joined(chosen.values())
    if "bias_ih" not in state and (b_ih.any() or b_hh.any()):
        raise StateDictError(f"{layer!r} has no biases, but the given weights do; use bias=True")
    given = {"weight_ih": W, "weight_hh": U, "bias_ih": b_ih, "bias_hh": b_hh}
    given |= {f"weight_c{letter}": gate.V for letter, gate in chosen.items()}
    return state | {name: array for name, array in given.items() if name in state}


def load(
    layer: object,
    cells: Sequence[Cell[Any]],
    forms: Sequence[Form],
    gates: Sequence[Mapping[str, Gate]],
) -> None:
    """Give cells their gates: all of them, or, if one does not fit, none."""
    states = [state_from(*each, layer) for each in zip(cells, forms, gates, strict=True)]
    for cell, state in zip(cells, states, strict=True):
        cell.load_state_dict(state)


def cut(n: int, *arrays: Array) -> list[Gate]:
    """The n gates whose blocks lie one below the other in each of W, U, b_ih, b_hh and V."""
    blocks = zip(*[np.split(array, n) for array in arrays], strict=True)
    return [Gate(*gate) for gate in blocks]


def joined(gates: Iterable[Gate]) -> list[Array]:
    """W, U, b_ih, b_hh and V of gates, one below the other."""
    return [np.concatenate(blocks) for blocks in zip(*gates, strict=True)]


def checked(who: str, name: str, given: ArrayLike, shape: tuple[int, ...]) -> Array:
    """What is given, if it is an array of real numbers of this shape."""
    array = plain_array(given.numpy() if isinstance(given, Tensor) else given)
    if array.shape != shape or array.dtype.kind not in "fiu":
        kind = "" if array.dtype.kind in "fiu" else f" of {array.dtype}, which are no real numbers"
        raise StateDictError(
            f"{who}: expected {name} of shape {shape}, got {array.shape}{kind}; "
            "are input_size, hidden_size, directions and the kind of layer the same?"
        )
    return array
