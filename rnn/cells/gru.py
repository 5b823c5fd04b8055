"""The gated recurrent unit, in all its published variants."""

from __future__ import annotations

from typing import Literal

from numpy.typing import DTypeLike

from microgrrepresent import Tensor, linear, sigmoid, split, tanh
from rnn.cells.cell import Cell
from rnn.cells.gates import Composition, Gates, GateSums, bias_sum, by_gate, gate_sums, is_per_gate
from rnn.initialize import Rng, floating
from rnn.inputs import flags


class GRUCell(Cell[Tensor]):
    r"""The gated recurrent unit (Cho et al. 2014, equations 5-8).

        r = σ(W_r x + U_r h' + b_r)                 reset gate
        z = σ(W_z x + U_z h' + b_z)                 update gate
        n = tanh(W_n x + b_in + r ∘ (U_n h' + b_hn))     with reset_after (PyTorch; Keras' default)
        n = tanh(W_n x + b_in + U_n (r ∘ h') + b_hn)     without (Cho; the NNDL and Nankai notes)
        h = z ∘ h' + (1 − z) ∘ n                    update_gate="keep" (PyTorch; Cho)
        h = z ∘ n + (1 − z) ∘ h'                    update_gate="write" (Ng; Chung et al. 2014)

    where h' is the state before, and b_r and b_z are sums of b_ih and b_hh. Without the reset gate
    r is 1 (Ng's simplified GRU). The two directions of the update gate are one model: negating
    W_z, U_z and b_z turns one into the other.

    Parameters
    ----------
    input_size, hidden_size : int
        Length of x and of h.
    bias : bool
        Whether the biases are there.
    reset_after : bool
        Whether the reset gate acts on the product U_n h', or on h' before it.
    update_gate : {"keep", "write"}
        What z near 1 does: keep the state before, or write the candidate n.
    reset_gate : bool
        Whether there is a reset gate.
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
    weight_ih : Tensor, shape (3 * hidden_size, input_size)
        W_r, W_z, W_n, one below the other (without W_r where there is no reset gate).
    weight_hh : Tensor, shape (3 * hidden_size, hidden_size)
        U_r, U_z, U_n.
    bias_ih, bias_hh : Tensor, shape (3 * hidden_size,), or None

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import GRUCell
    >>> GRUCell(3, 5, rng=0)(np.zeros((2, 3))).shape
    (2, 5)
    """

    scope = "gru"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: object = None,
        dtype: DTypeLike | None = None,
        *,
        reset_after: bool = True,
        update_gate: Literal["keep", "write"] = "keep",
        reset_gate: bool = True,
        composition: Composition = "fused",
        rng: Rng = None,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=floating(dtype, device), rng=rng)
        flags("GRU", bias=bias, reset_after=reset_after, reset_gate=reset_gate)
        if update_gate not in ("keep", "write"):
            raise ValueError(
                "GRU: update_gate is 'keep' (z near 1 keeps the state) or 'write' "
                f"(z near 1 writes the candidate), got {update_gate!r}"
            )
        self.reset_after, self.update_gate, self.reset_gate = reset_after, update_gate, reset_gate
        self.per_gate = is_per_gate(composition, self._kind)
        self.gates = "rzn" if reset_gate else "zn"
        rows = len(self.gates) * hidden_size
        self.weight_ih = self.parameter("W_ih", rows, input_size)
        self.weight_hh = self.parameter("W_hh", rows, hidden_size)
        self.bias_ih = self.parameter("b_ih", rows) if bias else None
        self.bias_hh = self.parameter("b_hh", rows) if bias else None

    def shared(self) -> tuple[GateSums, GateSums, Tensor | None]:
        """W x + b and U h of the gates; and U_n, if it meets r ∘ h' and not h'."""
        b, b_h = self._biases()
        wx = gate_sums(self.gates, {"W": self.weight_ih}, b, self.per_gate)
        if self.reset_after or not self.reset_gate:
            return wx, gate_sums(self.gates, {"U": self.weight_hh}, b_h, self.per_gate), None
        U_rz, U_n = split(self.weight_hh, [2 * self.hidden_size])
        return wx, gate_sums("rz", {"U": U_rz}, None, self.per_gate), U_n.named("U_n")

    def _biases(self) -> tuple[Tensor | Gates | None, Tensor | Gates | None]:
        """What is added to W x and to U h: one sum, unless r comes between two biases of n."""
        b_ih, b_hh = self.bias_ih, self.bias_hh
        if b_ih is None or b_hh is None or not (self.reset_gate and self.reset_after):
            return bias_sum(b_ih, b_hh), None
        if not self.per_gate:
            return b_ih, b_hh
        i, h = by_gate(self.gates, b_ih, "b_i"), by_gate(self.gates, b_hh, "b_h")
        return {g: (i[g] + h[g]).named(f"b_{g}") for g in "rz"} | {"n": i["n"]}, {"n": h["n"]}

    def forward(
        self, x: Tensor, h: Tensor, wx: GateSums, uh: GateSums, U_n: Tensor | None
    ) -> Tensor:
        """The equations."""
        Wx, Uh = wx(x), uh(h)
        if self.reset_gate:
            r = sigmoid(Wx["r"] + Uh["r"]).named("r")
        z = sigmoid(Wx["z"] + Uh["z"]).named("z")
        if not self.reset_gate:
            past = Uh["n"]
        elif self.reset_after:
            past = r * Uh["n"]
        else:
            past = linear(r * h, U_n)
        n = tanh(Wx["n"] + past).named("n")
        if self.update_gate == "keep":
            return (z * h + (1 - z) * n).named("h")
        return (z * n + (1 - z) * h).named("h")
