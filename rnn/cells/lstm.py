"""The long short-term memory, in all its published variants."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from microgrrepresent import Tensor, linear
from rnn.cells.activations import activation as function
from rnn.cells.cell import Cell
from rnn.cells.gates import Composition, Gates, GateSums, bias_sum, gate_sums, is_per_gate
from rnn.cells.simple import Nonlinearity
from rnn.initialize import Rng, floating
from rnn.inputs import flags, integer

Peephole = Literal[False, "diagonal", "diagonal_previous"]


class LSTMState(NamedTuple):
    """The state of an LSTM: what it shows, h, and what it remembers, c."""

    h: Tensor
    c: Tensor


class LSTMCell(Cell[LSTMState]):
    r"""Long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

        i = σ(W_i x + U_i h' + b_i)         input gate
        f = σ(W_f x + U_f h' + b_f)         forget gate
        g = tanh(W_g x + U_g h' + b_g)      candidate
        o = σ(W_o x + U_o h' + b_o)         output gate
        c = f ∘ c' + i ∘ g
        h = o ∘ tanh(c)

    where h' and c' are the state before, and each b is a sum of b_ih and b_hh. Variants:

    * ``forget_gate=False``: f is 1, the cell of 1997 (a forget gate came with Gers et al. 2000);
    * ``coupled=True``: f = 1 − i (Greff et al. 2017, "CIFG");
    * ``peephole="diagonal"``: i and f also see V_i ∘ c' and V_f ∘ c', and o sees V_o ∘ c (Gers
      and Schmidhuber 2000); with ``"diagonal_previous"``, o sees c' as well;
    * ``proj_size=P``: h = W_hr (o ∘ tanh(c)), of length P (Sak et al. 2014).

    Parameters
    ----------
    input_size, hidden_size : int
        Length of x and of c.
    bias : bool
        Whether the biases are there.
    forget_gate, coupled, peephole, proj_size
        See above.
    forget_bias : float, optional
        First value of b_f, such as 1 (Jozefowicz et al. 2015); by default drawn like the others.
    gate_activation, activation : str
        Other functions than σ for the gates, and than tanh for g and c.
    composition : {"fused", "per_gate"}
        Whether all gates share one product with x and one with h', or each has its own.
    dtype : data type, optional
        Of the parameters; float64 if not given.
    device : None or "cpu"
        As in ``torch.nn``.
    rng : Generator or int, optional
        Where first values come from: U(-k, k) with k = 1/sqrt(hidden_size), as in ``torch.nn``.

    Attributes
    ----------
    weight_ih : Tensor, shape (4 * hidden_size, input_size)
        W_i, W_f, W_g, W_o, one below the other (without W_f where f is no gate of its own).
    weight_hh : Tensor, shape (4 * hidden_size, proj_size or hidden_size)
        U_i, U_f, U_g, U_o.
    bias_ih, bias_hh : Tensor, shape (4 * hidden_size,), or None
    weight_hr : Tensor, shape (proj_size, hidden_size), or None
    weight_ci, weight_cf, weight_co : Tensor, shape (hidden_size,), or None
        The peepholes V_i, V_f, V_o.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import LSTMCell
    >>> h, c = LSTMCell(3, 5, rng=0)(np.zeros((2, 3)))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    scope = "lstm"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: object = None,
        dtype: DTypeLike | None = None,
        *,
        forget_gate: bool = True,
        coupled: bool = False,
        peephole: Peephole = False,
        proj_size: int = 0,
        forget_bias: float | None = None,
        gate_activation: Nonlinearity = "sigmoid",
        activation: Nonlinearity = "tanh",
        composition: Composition = "fused",
        rng: Rng = None,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=floating(dtype, device), rng=rng)
        flags("LSTM", bias=bias, forget_gate=forget_gate, coupled=coupled)
        self.forget_gate, self.coupled, self.peephole = forget_gate, coupled, peephole
        self.proj_size = proj_size
        self._check(bias, forget_bias)
        self.gate_activation, self.activation = gate_activation, activation
        self.sigma = function(gate_activation, self._kind)
        self.phi = function(activation, self._kind)
        self.per_gate = is_per_gate(composition, self._kind)
        self.gates = "ifgo" if forget_gate and not coupled else "igo"
        rows = len(self.gates) * hidden_size
        self.weight_ih = self.parameter("W_ih", rows, input_size)
        self.weight_hh = self.parameter("W_hh", rows, proj_size or hidden_size)
        self.bias_ih = self.parameter("b_ih", rows) if bias else None
        self.bias_hh = self.parameter("b_hh", rows) if bias else None
        self.weight_hr = self.parameter("W_hr", proj_size, hidden_size) if proj_size else None
        seen = [gate for gate in "ifo" if gate in self.gates] if peephole else []
        self.weight_ci, self.weight_cf, self.weight_co = (
            self.parameter(f"V_{gate}", hidden_size) if gate in seen else None for gate in "ifo"
        )
        if forget_bias is not None and self.bias_ih is not None and self.bias_hh is not None:
            self.bias_ih.assign(self._with_forget_block(self.bias_ih, forget_bias))
            self.bias_hh.assign(self._with_forget_block(self.bias_hh, 0.0))

    def _check(self, bias: bool, forget_bias: float | None) -> None:
        if integer(self.proj_size, 0, "LSTM: proj_size") >= self.hidden_size:
            raise ValueError(
                f"LSTM: proj_size must be smaller than hidden_size {self.hidden_size}, because "
                f"it shortens h, or 0 for no projection, got {self.proj_size}"
            )
        if self.peephole not in (False, "diagonal", "diagonal_previous"):
            raise ValueError(
                "LSTM: peephole is False, 'diagonal' (o sees the new c) or "
                f"'diagonal_previous' (o sees the c before), got {self.peephole!r}"
            )
        if self.coupled and not self.forget_gate:
            raise ValueError(
                "LSTM: coupled=True makes the forget gate 1 - i, forget_gate=False makes it 1; "
                "choose one"
            )
        if forget_bias is not None and not np.isfinite(forget_bias):
            raise ValueError(f"LSTM: forget_bias is a finite number, got {forget_bias}")
        if forget_bias is not None and not (bias and self.forget_gate and not self.coupled):
            raise ValueError(
                f"LSTM: forget_bias={forget_bias} needs a forget gate with a bias of its own "
                "(bias=True, forget_gate=True, coupled=False)"
            )

    def _with_forget_block(self, bias: Tensor, value: float) -> NDArray[Any]:
        filled = bias.numpy().copy()
        filled[self.hidden_size : 2 * self.hidden_size] = value
        return filled

    def state_sizes(self) -> dict[str, int]:
        """Letter and length of each part of the state."""
        return {"h": self.proj_size or self.hidden_size, "c": self.hidden_size}

    def state_of(self, *parts: Tensor) -> LSTMState:
        """The pair (h, c)."""
        return LSTMState(*parts)

    def shared(self) -> tuple[GateSums]:
        """W x + U h + b of the gates."""
        weights = {"W": self.weight_ih, "U": self.weight_hh}
        b = bias_sum(self.bias_ih, self.bias_hh)
        return (gate_sums(self.gates, weights, b, self.per_gate),)

    def forward(self, x: Tensor, state: LSTMState, sums: GateSums) -> LSTMState:
        """The equations."""
        h, c = state
        a = sums(x, h)
        i = self._gate("i", a, c)
        if self.coupled:
            kept = (1 - i).named("f") * c
        elif self.forget_gate:
            kept = self._gate("f", a, c) * c
        else:
            kept = c
        g = self.phi(a["g"]).named("g")
        c_new = (kept + i * g).named("c")
        o = self._gate("o", a, c if self.peephole == "diagonal_previous" else c_new)
        h = o * self.phi(c_new)
        if self.weight_hr is not None:
            h = linear(h, self.weight_hr)
        return LSTMState(h.named("h"), c_new)

    def _gate(self, letter: str, a: Gates, c: Tensor) -> Tensor:
        """σ(a), or with peepholes σ(a + V ∘ c)."""
        V = {"i": self.weight_ci, "f": self.weight_cf, "o": self.weight_co}[letter]
        return self.sigma(a[letter] if V is None else a[letter] + V * c).named(letter)
