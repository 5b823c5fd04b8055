"""The simple recurrent network, and two relatives that add to their state."""

from __future__ import annotations

from typing import Literal

from numpy.typing import DTypeLike

from microgrrepresent import Tensor, linear
from rnn.cells.activations import activation
from rnn.cells.cell import Cell
from rnn.cells.gates import bias_sum
from rnn.initialize import Rng, floating
from rnn.inputs import flags

Nonlinearity = Literal["tanh", "relu", "sigmoid", "identity"]


class RNNCell(Cell[Tensor]):
    r"""The simple recurrent network (Elman 1990).

        h = φ(W_ih x + W_hh h' + b_ih + b_hh)

    where h' is the state before. Courses write it with other letters (NNDL: W x + U h; Nankai
    and Task05: U x + W h; Ng: W_a[a, x]): see ``equations``.

    Parameters
    ----------
    input_size, hidden_size : int
        Length of x and of h.
    bias : bool
        Whether the biases are there.
    nonlinearity : {"tanh", "relu", "sigmoid", "identity"}
        φ.
    dtype : data type, optional
        Of the parameters; float64 if not given.
    device : None or "cpu"
        As in ``torch.nn``.
    rng : Generator or int, optional
        Where first values come from: U(-k, k) with k = 1/sqrt(hidden_size), as in ``torch.nn``.

    Attributes
    ----------
    weight_ih : Tensor, shape (hidden_size, input_size)
    weight_hh : Tensor, shape (hidden_size, hidden_size)
    bias_ih, bias_hh : Tensor, shape (hidden_size,), or None

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import RNNCell
    >>> cell = RNNCell(3, 5, rng=0)
    >>> h = cell(np.zeros((2, 3)))
    >>> cell(np.ones((2, 3)), h).shape
    (2, 5)
    """

    scope = "rnn"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Nonlinearity = "tanh",
        device: object = None,
        dtype: DTypeLike | None = None,
        *,
        rng: Rng = None,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=floating(dtype, device), rng=rng)
        flags(self._kind, bias=bias)
        self.nonlinearity = nonlinearity
        self.phi = activation(nonlinearity, self._kind)
        self.weight_ih = self.parameter("W_ih", hidden_size, input_size)
        self.weight_hh = self.parameter("W_hh", hidden_size, hidden_size)
        self.bias_ih = self.parameter("b_ih", hidden_size) if bias else None
        self.bias_hh = self.parameter("b_hh", hidden_size) if bias else None

    def shared(self) -> tuple[Tensor | None]:
        """The sum of the biases."""
        return (bias_sum(self.bias_ih, self.bias_hh),)

    def forward(self, x: Tensor, h: Tensor, b: Tensor | None) -> Tensor:
        """The equation."""
        a = linear(x, self.weight_ih) + linear(h, self.weight_hh)
        a = (a if b is None else a + b).named("a")
        return self.phi(a).named("h")


class ResidualRNNCell(RNNCell):
    r"""A recurrence that adds to its state, as a residual network adds to its layer (He 2016).

        g = φ(W_ih x + W_hh h' + b_ih + b_hh)
        h = h' + g

    Its Jacobian dh/dh' = I + dg/dh' keeps gradients from vanishing, but with g > 0 the state
    grows without bound. Parameters are those of `RNNCell`.

    Examples
    --------
    >>> from rnn import ResidualRNNCell, unroll
    >>> import numpy as np
    >>> unroll(ResidualRNNCell(1, 4, rng=0), np.ones((3, 1))).state.shape
    (4,)
    """

    scope = "residual"

    def forward(self, x: Tensor, h: Tensor, b: Tensor | None) -> Tensor:
        """The equations."""
        a = linear(x, self.weight_ih) + linear(h, self.weight_hh)
        g = self.phi(a if b is None else a + b).named("g")
        return (h + g).named("h")


class LinearRecurrentCell(Cell[Tensor]):
    r"""A sum over time: the state before passes unchanged.

        g = φ(W_ih x + b)
        h = h' + g

    dh_T/dh_0 is the identity for every T: a gradient neither vanishes nor explodes, and the state
    takes no part in what is added to it.

    Parameters
    ----------
    input_size, hidden_size, bias, dtype, rng
        As in `RNNCell`.
    nonlinearity : {"identity", "tanh", "relu", "sigmoid"}
        φ.

    Attributes
    ----------
    weight_ih : Tensor, shape (hidden_size, input_size)
    bias : Tensor, shape (hidden_size,), or None

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import LinearRecurrentCell
    >>> LinearRecurrentCell(2, 3, rng=0)(np.zeros(2)).shape
    (3,)
    """

    scope = "linear"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Nonlinearity = "identity",
        *,
        dtype: DTypeLike | None = None,
        rng: Rng = None,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype, rng=rng)
        flags(self._kind, bias=bias)
        self.nonlinearity = nonlinearity
        self.phi = activation(nonlinearity, self._kind)
        self.weight_ih = self.parameter("W_ih", hidden_size, input_size)
        self.bias = self.parameter("b", hidden_size) if bias else None

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """The equations."""
        a = linear(x, self.weight_ih)
        g = self.phi(a if self.bias is None else a + self.bias).named("g")
        return (h + g).named("h")
