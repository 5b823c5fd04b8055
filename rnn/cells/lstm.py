"""The long short-term memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from microgrrepresent import Tensor, sigmoid, tanh
from rnn.cells.cell import Cell
from rnn.cells.gates import Affine, Composition, affine, sums
from rnn.initialise import Rng


class LSTMState(NamedTuple):
    """The state of an LSTM: what it shows, h, and what it remembers, c."""

    h: Tensor
    c: Tensor


class LSTMCell(Cell[LSTMState]):
    r"""Long short-term memory with a forget gate (Gers, Schmidhuber and Cummins 2000).

        i = σ(W_i x + U_i h' + b_i)       input gate
        f = σ(W_f x + U_f h' + b_f)       forget gate
        g = tanh(W_g x + U_g h' + b_g)    candidate
        o = σ(W_o x + U_o h' + b_o)       output gate
        c = f ∘ c' + i ∘ g
        h = o ∘ tanh(c)

    where h' and c' are the state before. The rows of the parameters are those of i, f, g, o.
    """

    scope = "lstm"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        composition: Composition = "fused",
        dtype: DTypeLike = np.float64,
        rng: Rng = None,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype, rng=rng)
        self.composition = composition
        self.gates = "ifgo"
        rows = len(self.gates) * hidden_size
        self.weight_ih = self.parameter("W_ih", rows, input_size)
        self.weight_hh = self.parameter("W_hh", rows, hidden_size)
        self.bias_ih = self.parameter("b_ih", rows) if bias else None
        self.bias_hh = self.parameter("b_hh", rows) if bias else None

    def state_sizes(self) -> dict[str, int]:
        """Letter and length of each part of the state."""
        return {"h": self.hidden_size, "c": self.hidden_size}

    def state_of(self, *parts: Tensor) -> LSTMState:
        """The pair (h, c)."""
        return LSTMState(*parts)

    def shared(self) -> list[Affine]:
        """The gates' weights and biases."""
        b = None
        if self.bias_ih is not None and self.bias_hh is not None:
            b = (self.bias_ih + self.bias_hh).named("b")
        return affine(self.gates, self.weight_ih, self.weight_hh, b, self.composition)

    def forward(self, x: Tensor, state: LSTMState, shared: list[Affine]) -> LSTMState:
        """The equations."""
        h, c = state
        i, f, g, o = sums(shared, self.gates, x, h)
        i = sigmoid(i).named("i")
        f = sigmoid(f).named("f")
        g = tanh(g).named("g")
        o = sigmoid(o).named("o")
        c = (f * c + i * g).named("c")
        h = (o * tanh(c)).named("h")
        return LSTMState(h, c)
