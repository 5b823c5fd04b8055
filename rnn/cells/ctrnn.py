"""The continuous-time recurrent network."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent import Tensor, linear
from microgrrepresent.arrays import plain, plain_array
from rnn.cells.activations import activation
from rnn.cells.cell import Cell
from rnn.cells.simple import Nonlinearity
from rnn.initialize import Rng
from rnn.inputs import tensor_of


class CTRNNCell(Cell[Tensor]):
    r"""The continuous-time recurrent network (Beer 1995, equation 1), one Euler step of it.

        τ dy/dt = −y + W_hh φ(y + θ) + W_ih x
        y = y' + (dt/τ) (−y' + W_hh φ(y' + θ) + W_ih x)

    where y' is the state before. With dt = τ, y' is forgotten at once, and φ(y + θ) is the state of
    an `RNNCell` with bias θ.

    Parameters
    ----------
    input_size, hidden_size : int
        Length of x and of y.
    tau : float or array, shape (hidden_size,)
        Time constants τ, in the unit of dt. A leaf Tensor that requires a gradient is learned.
    dt : float
        Length of a step. Euler's method needs dt well below the smallest τ to follow the equation.
    nonlinearity : {"sigmoid", "tanh", "relu"}
        φ, the firing rate.
    dtype : data type
        Of the parameters.
    rng : Generator or int, optional
        Where first values come from: U(-k, k) with k = 1/sqrt(hidden_size).

    Attributes
    ----------
    weight_ih : Tensor, shape (hidden_size, input_size)
    weight_hh : Tensor, shape (hidden_size, hidden_size)
    bias : Tensor, shape (hidden_size,)
        θ.
    tau : Tensor, shape () or (hidden_size,)
        Requires a gradient if it was given as a Tensor that does.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import CTRNNCell
    >>> CTRNNCell(1, 2, tau=1.0, dt=0.1, rng=0)(np.zeros(1)).shape
    (2,)
    """

    scope = "ctrnn"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        tau: ArrayLike = 1.0,
        dt: float = 0.1,
        nonlinearity: Nonlinearity = "sigmoid",
        *,
        dtype: DTypeLike | None = None,
        rng: Rng = None,
    ) -> None:
        super().__init__(input_size, hidden_size, dtype=dtype, rng=rng)
        plain(tau)
        learned = tau if isinstance(tau, Tensor) and tau.is_leaf and tau.requires_grad else None
        try:
            times = plain_array(tau if learned is None else learned.numpy(), self.dtype)
            length = plain_array(dt, float)
        except (TypeError, ValueError):
            times = length = np.zeros(())
        one_or_each = times.shape in ((), (hidden_size,)) and length.shape == ()
        if not one_or_each or not (times > 0).all() or not length > 0:
            raise ValueError(
                f"CTRNN: dt must be a positive number, and tau one or {hidden_size} "
                f"(hidden_size) of them, got dt={dt!r}, tau={tau!r}"
            )
        self.dt = float(length)  # a NumPy number has a data type, which would become that of y
        self.nonlinearity = nonlinearity
        self.phi = activation(nonlinearity, self._kind)
        self.weight_ih = self.parameter("W_ih", hidden_size, input_size)
        self.weight_hh = self.parameter("W_hh", hidden_size, hidden_size)
        self.bias = self.parameter("θ", hidden_size)
        if learned is None:
            self.tau = Tensor(times, name="τ")
        else:
            self.tau = tensor_of(learned, self.dtype, self, "tau")
            self.tau.name = learned.name or "τ"

    def state_sizes(self) -> dict[str, int]:
        """Letter and length of the state."""
        return {"y": self.hidden_size}

    def shared(self) -> tuple[Tensor]:
        """dt/τ."""
        return ((self.dt / self.tau).named("dt/τ"),)

    def forward(self, x: Tensor, y: Tensor, dt_over_tau: Tensor) -> Tensor:
        """The equation."""
        rate = self.phi(y + self.bias).named("φ")
        goal = linear(rate, self.weight_hh) + linear(x, self.weight_ih)
        return (y + dt_over_tau * (goal - y)).named("y")
