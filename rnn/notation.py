"""A layer's equations, in the letters of each course.

The courses write the same networks with other letters, and the same letters for other things:

===========  ===========  ===============  ==========================  ==========================
notation     W x + b      U h              candidate                   update gate of a GRU
===========  ===========  ===============  ==========================  ==========================
pytorch      W_i·, b_i·   W_h·, b_h·       g_t, n_t                    z_t keeps the state
nndl         W_·, b_·     U_·              c̃_t, h̃_t                    z_t keeps the state
nankai       U_·, b_·     W_·              c̃_t, h̃_t                    z_t keeps the state
ng           W_· of [a<t-1>, x<t>], b_·    c̃<t>                        Γu writes the candidate
===========  ===========  ===============  ==========================  ==========================

Where a layer's update gate goes the other way than the course's, the course's letter stands for
one minus the layer's gate, so that the line that is known from the course stays as it is.

A matrix next to a vector is their product, ⊙ the product of elements, [a, b] the one vector above
the other, A[i:j] rows i to j-1 of A, and [A, B] the one matrix beside the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from rnn.cells.cell import Cell
from rnn.cells.gru import GRUCell
from rnn.cells.lstm import LSTMCell
from rnn.cells.simple import LinearRecurrentCell, ResidualRNNCell, RNNCell

Notation = Literal["pytorch", "nndl", "ng", "nankai"]

_FUNCTIONS = {"tanh": "tanh", "sigmoid": "σ", "relu": "ReLU", "identity": ""}

_SUBSCRIPTS: dict[str, dict[str, str]] = {
    "pytorch": {},
    "nndl": {"g": "c", "n": "h"},
    "nankai": {"g": "c", "n": "h"},
    "ng": {"i": "u", "g": "c", "z": "u", "n": "c"},
}
"""What a course calls the weights of a gate, where not by the gate's letter."""


def equations(cell: Cell[Any], notation: Notation, suffix: str = "", backward: bool = False) -> str:
    """The equations of a cell of the courses, and what their letters stand for.

    Parameters
    ----------
    cell : RNNCell, ResidualRNNCell, LinearRecurrentCell, GRUCell or LSTMCell
        Whose equations.
    notation : {"pytorch", "nndl", "ng", "nankai"}
        In whose letters.
    suffix : str
        What the parameters' names end with, such as ``_l0``.
    backward : bool
        Whether the cell runs from the last step to the first.

    Examples
    --------
    >>> from rnn import RNNCell
    >>> from rnn.notation import equations
    >>> print(equations(RNNCell(2, 3), "nndl"))
    z_t = U h_{t-1} + W x_t + b
    h_t = tanh(z_t)
    where
      W = weight_ih
      U = weight_hh
      b = bias_ih + bias_hh
    """
    if notation not in get_args(Notation):
        known = ", ".join(repr(name) for name in get_args(Notation))
        raise ValueError(f"equations: notation is one of {known}; given {notation!r}")
    write = _Writer(cell, notation, suffix, backward)
    if isinstance(cell, LSTMCell):
        _lstm(cell, write)
    elif isinstance(cell, GRUCell):
        _gru(cell, write)
    elif isinstance(cell, LinearRecurrentCell):
        _linear(cell, write)
    elif type(cell) in (RNNCell, ResidualRNNCell):
        _rnn(cell, write)
    else:
        raise ValueError(
            "equations: the courses' letters are for RNN, with its cells that add to their state, "
            f"GRU and LSTM; given {cell!r}"
        )
    by_kind = sorted(write.letters.items(), key=lambda item: "WUVbd".index(item[0][0]))
    letters = [f"  {letter} = {meaning}" for letter, meaning in by_kind]
    return "\n".join([*write.lines, "where", *letters])


@dataclass
class _Writer:
    """Lines of equations, and the letters that they have used."""

    cell: Any
    notation: Notation
    suffix: str
    backward: bool
    lines: list[str] = field(default_factory=list)
    letters: dict[str, str] = field(default_factory=dict)

    def line(self, left: str, right: str) -> None:
        self.lines.append(f"{left} = {right}")

    def now(self, letter: str) -> str:
        return f"{letter}<t>" if self.notation == "ng" else f"{letter}_t"

    def before(self, letter: str) -> str:
        t = "t+1" if self.backward else "t-1"
        return f"{letter}<{t}>" if self.notation == "ng" else f"{letter}_{{{t}}}"

    def gate(self, letter: str) -> str:
        """The letter of a gate at t."""
        if self.notation == "pytorch":
            return f"{letter}_t"
        s = _SUBSCRIPTS[self.notation].get(letter, letter)
        if letter in "gn":
            return self.now(f"{s}\u0303")  # with a tilde
        return f"Γ{s}" if self.notation == "ng" else f"{s}_t"

    def rows(self, name: str, gate: str) -> str:
        """The block of a parameter that belongs to a gate: ``weight_ih_l0[5:10]``."""
        gates, H = getattr(self.cell, "gates", gate), self.cell.hidden_size
        whole = f"{name}{self.suffix}"
        k = gates.index(gate)
        return whole if len(gates) == 1 else f"{whole}[{k * H}:{(k + 1) * H}]"

    def parameter(self, letter: str, meaning: str) -> str:
        self.letters[letter] = meaning
        return letter

    def _named(self, gate: str) -> tuple[str, str, str]:
        """The letters of a gate's input weights, recurrent weights and bias."""
        s = _SUBSCRIPTS[self.notation].get(gate, gate)
        W, U = ("U", "W") if self.notation == "nankai" else ("W", "U")
        if gate == "a":  # the one block of an RNN has no subscript
            return W, U, "b_h" if self.notation == "nankai" else "b"
        return f"{W}_{s}", f"{U}_{s}", f"b_{s}"

    def seen(self, gate: str) -> str:
        """What a gate sees of the input, with its bias in PyTorch's letters."""
        if self.notation == "pytorch":
            s = "h" if gate == "a" else gate
            W = self.parameter(f"W_i{s}", self.rows("weight_ih", gate))
            b = self._bias(f"b_i{s}", self.rows("bias_ih", gate))
            return f"{W} x_t{b}"
        W = self.parameter(self._named(gate)[0], self.rows("weight_ih", gate))
        return f"{W} {self.now('x')}"

    def remembered(self, gate: str, h: str) -> str:
        """What a gate sees of the state h, with its bias in PyTorch's letters."""
        if self.notation == "pytorch":
            s = "h" if gate == "a" else gate
            U = self.parameter(f"W_h{s}", self.rows("weight_hh", gate))
            b = self._bias(f"b_h{s}", self.rows("bias_hh", gate))
            return f"{U} {h}{b}"
        U = self.parameter(self._named(gate)[1], self.rows("weight_hh", gate))
        return f"{U} {h}"

    def sum(self, gate: str, h: str, peephole: str = "") -> str:
        """W x + U h + b, and the peephole if there is one."""
        if self.notation == "pytorch":
            return f"{self.seen(gate)} + {self.remembered(gate, h)}{peephole}"
        bias = self._bias(
            "b_a" if (self.notation, gate) == ("ng", "a") else self._named(gate)[2],
            f"{self.rows('bias_ih', gate)} + {self.rows('bias_hh', gate)}",
        )
        if self.notation == "ng":
            s = _SUBSCRIPTS["ng"].get(gate, gate)
            blocks = f"[{self.rows('weight_hh', gate)}, {self.rows('weight_ih', gate)}]"
            W = self.parameter(f"W_{s}", blocks)
            return f"{W} [{h.removeprefix('(').removesuffix(')')}, x<t>]{peephole}{bias}"
        if gate == "a":
            return f"{self.remembered(gate, h)} + {self.seen(gate)}{bias}"
        return f"{self.seen(gate)} + {self.remembered(gate, h)}{peephole}{bias}"

    def _bias(self, letter: str, meaning: str) -> str:
        if self.cell.bias_ih is None:
            return ""
        return f" + {self.parameter(letter, meaning)}"


def _rnn(cell: Any, write: _Writer) -> None:
    state, phi = "a" if write.notation == "ng" else "h", _FUNCTIONS[cell.nonlinearity]
    total = write.sum("a", write.before(state))
    if write.notation == "nndl":
        write.line("z_t", total)
        total = "z_t"
    if isinstance(cell, ResidualRNNCell):
        _added(write, state, _applied(phi, total))
    else:
        write.line(write.now(state), _applied(phi, total))


def _linear(cell: LinearRecurrentCell, write: _Writer) -> None:
    W = write.parameter("U" if write.notation == "nankai" else "W", f"weight_ih{write.suffix}")
    total = f"{W} {write.now('x')}"
    if cell.bias is not None:
        total += f" + {write.parameter('b', f'bias{write.suffix}')}"
    state = "a" if write.notation == "ng" else "h"
    _added(write, state, _applied(_FUNCTIONS[cell.nonlinearity], total))


def _added(write: _Writer, state: str, g: str) -> None:
    """A state to which g is added."""
    write.line(write.now("g"), g)
    write.line(write.now(state), f"{write.before(state)} + {write.now('g')}")


def _applied(function: str, argument: str) -> str:
    return f"{function}({argument})" if function else argument


def _gru(cell: GRUCell, write: _Writer) -> None:
    state = "c" if write.notation == "ng" else "h"
    h = write.before(state)
    r, z, n = (write.gate(letter) for letter in "rzn")
    if cell.reset_gate:
        write.line(r, f"σ({write.sum('r', h)})")
    writes = write.notation == "ng"
    turned = "1 - " if writes != (cell.update_gate == "write") else ""
    write.line(z, f"{turned}σ({write.sum('z', h)})")
    if not cell.reset_gate:
        write.line(n, f"tanh({write.sum('n', h)})")
    elif cell.reset_after:
        write.line(n, f"tanh({_reset_after(write, r, h)})")
    else:
        write.line(n, f"tanh({write.sum('n', f'({r} ⊙ {h})')})")
    kept, written = (n, h) if writes else (h, n)
    write.line(write.now(state), f"{z} ⊙ {kept} + (1 - {z}) ⊙ {written}")
    if write.notation == "ng":
        write.line("a<t>", "c<t>")


def _reset_after(write: _Writer, r: str, h: str) -> str:
    """W x + b + r ⊙ (U h + d): the two biases do not go together."""
    if write.notation == "pytorch":
        return f"{write.seen('n')} + {r} ⊙ ({write.remembered('n', h)})"
    if write.notation == "ng":
        W = write.parameter("W_cx", write.rows("weight_ih", "n"))
        U = write.parameter("W_cc", write.rows("weight_hh", "n"))
        seen, remembered, s = f"{W} x<t>", f"{U} {h}", "c"
    else:
        seen, remembered, s = write.seen("n"), write.remembered("n", h), "h"
    b = write._bias(f"b_{s}", write.rows("bias_ih", "n"))
    d = write._bias(f"d_{s}", write.rows("bias_hh", "n"))
    return f"{seen}{b} + {r} ⊙ ({remembered}{d})"


def _lstm(cell: LSTMCell, write: _Writer) -> None:
    sigma, phi = _FUNCTIONS[cell.gate_activation], _FUNCTIONS[cell.activation]
    state = "a" if write.notation == "ng" else "h"
    h, c, c_before = write.before(state), write.now("c"), write.before("c")
    i, f, g, o = (write.gate(letter) for letter in "ifgo")

    def gate(letter: str, memory: str) -> str:
        sees = ""
        if cell.peephole:
            s = _SUBSCRIPTS[write.notation].get(letter, letter)
            V = write.parameter(f"V_{s}", f"weight_c{letter}{write.suffix}")
            sees = f" + {V} ⊙ {memory}"
        return _applied(sigma, write.sum(letter, h, sees))

    write.line(i, gate("i", c_before))
    if cell.coupled:
        write.line(f, f"1 - {i}")
    elif cell.forget_gate:
        write.line(f, gate("f", c_before))
    write.line(g, _applied(phi, write.sum("g", h)))
    if cell.peephole == "diagonal_previous":
        write.line(o, gate("o", c_before))
    kept = f"{f} ⊙ {c_before}" if cell.forget_gate else c_before
    write.line(c, f"{kept} + {i} ⊙ {g}")
    if cell.peephole != "diagonal_previous":
        write.line(o, gate("o", c))
    shown = f"{o} ⊙ {_applied(phi, c)}"
    if cell.proj_size:
        shown = f"{write.parameter('W_hr', f'weight_hr{write.suffix}')} ({shown})"
    write.line(write.now(state), shown)
