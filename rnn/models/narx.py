"""Networks that remember by delay lines: the time-delay network and NARX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent import ShapeError, Tensor, concatenate, linear, scope, step
from microgrrepresent.arrays import plain_array
from rnn.cells.activations import activation
from rnn.cells.cell import Cell, other_form
from rnn.cells.simple import Nonlinearity
from rnn.initialize import Rng, uniform
from rnn.inputs import integer
from rnn.layers.unrolling import Unrolled, unroll


class DelayState(NamedTuple):
    """What a delay line holds after step t: the latest outputs and inputs, newest first.

    ``ys`` are y_t, ..., y_{t-Ky+1} (y_t alone where Ky = 0); ``xs`` are x_t, ..., x_{t-Kx+1}.
    """

    ys: tuple[Tensor, ...]
    xs: tuple[Tensor, ...]


class NARX(Cell[DelayState]):
    r"""A nonlinear autoregressive model with exogenous inputs (Leontaritis and Billings 1985).

        y_t = f(x_t, ..., x_{t-Kx}, y_{t-1}, ..., y_{t-Ky})

    where f is affine, or a network with one hidden layer: f(v) = W_2 φ(W_1 v + b_1) + b_2.
    `unroll` runs it freely, on its own outputs; `teacher_forced` gives it the true ones.

    Parameters
    ----------
    input_size, output_size : int
        Length of x (0: no inputs, a plain autoregressive model) and of y.
    input_delays, output_delays : int
        Kx and Ky.
    hidden_size : int, optional
        Length of the hidden layer; None for an affine f.
    nonlinearity : {"tanh", "relu", "sigmoid", "identity"}
        φ.
    dtype : data type
        Of the parameters.
    rng : Generator or int, optional
        Where first values come from: U(-k, k) with k = 1/sqrt(length of what a layer sees).

    Attributes
    ----------
    weight, bias : Tensor
        Of the layer that sees the delay line: (hidden_size or output_size, window).
        The window is x_t, ..., x_{t-Kx}, then y_{t-1}, ..., y_{t-Ky}.
    weight_out, bias_out : Tensor or None
        Of the layer above a hidden layer.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import NARX, unroll
    >>> model = NARX(1, 1, input_delays=2, output_delays=2, hidden_size=5, rng=0)
    >>> run = unroll(model, np.zeros((6, 1)))
    >>> run.stacked().shape
    (6, 1)
    """

    scope = "narx"

    def __init__(
        self,
        input_size: int,
        output_size: int,
        input_delays: int = 0,
        output_delays: int = 1,
        hidden_size: int | None = None,
        nonlinearity: Nonlinearity = "tanh",
        *,
        dtype: DTypeLike | None = None,
        rng: Rng = None,
    ) -> None:
        super().__init__(input_size, output_size, dtype=dtype, rng=rng)
        self.input_delays = integer(input_delays, 0, f"{self._kind}: input_delays")
        self.output_delays = integer(output_delays, 0, f"{self._kind}: output_delays")
        self.phi = activation(nonlinearity, self._kind)
        window = (input_delays + 1) * input_size + output_delays * output_size
        if not window:
            raise ValueError("NARX: without inputs it needs at least one output delay")
        if hidden_size is not None:
            hidden_size = integer(hidden_size, 1, f"{self._kind}: hidden_size")
        width = hidden_size or output_size
        self.weight, self.bias = self._layer(width, window, "")
        self.weight_out: Tensor | None = None
        self.bias_out: Tensor | None = None
        if hidden_size:
            self.weight_out, self.bias_out = self._layer(output_size, hidden_size, "_out")

    def _layer(self, rows: int, columns: int, suffix: str) -> tuple[Tensor, Tensor]:
        k = float(1 / np.sqrt(columns))
        return (
            uniform((rows, columns), k, f"W{suffix}", self.dtype, self._rng),
            uniform((rows,), k, f"b{suffix}", self.dtype, self._rng),
        )

    def state_sizes(self) -> dict[str, int]:
        """Letter and length of each part of the state: y, y_1, y_2, ..., x, x_1, x_2, ..."""
        ys = {f"y_{i}" if i else "y": self.hidden_size for i in range(max(self.output_delays, 1))}
        return ys | {f"x_{i}" if i else "x": self.input_size for i in range(self.input_delays)}

    def _past(self) -> list[tuple[str, int]]:
        ys = [("y", i + 1) for i in range(max(self.output_delays, 1))]
        return ys + [("x", i + 1) for i in range(self.input_delays)]

    def state_of(self, *parts: Tensor) -> DelayState:
        """The state made of its parts."""
        n = max(self.output_delays, 1)
        return DelayState(parts[:n], parts[n:])

    def parts_of(self, state: Any, who: str = "") -> tuple[Any, ...]:
        """The parts that a state is made of: the outputs, then the inputs.

        Raises
        ------
        ShapeError
            If it is no pair of as many outputs and inputs as the delay line holds.
        """
        ys, xs = max(self.output_delays, 1), self.input_delays
        lines = (tuple, list)
        if not isinstance(state, lines) or not all(isinstance(line, lines) for line in state):
            held: list[int] = []
        else:
            held = [len(line) for line in state]
        if held != [ys, xs]:
            form = f"DelayState(ys, xs) of {ys} outputs and {xs} inputs, newest first"
            raise ShapeError(f"{who or self._here()}: {other_form(form, state)}")
        return (*state[0], *state[1])

    def output(self, state: DelayState) -> Tensor:
        """The latest output y_t."""
        return state.ys[0]

    def forward(self, x: Tensor, state: DelayState) -> DelayState:
        """The equation."""
        past_ys = state.ys[: self.output_delays]
        window = concatenate([x, *state.xs, *past_ys], axis=-1)
        y = linear(window, self.weight) + self.bias
        if self.weight_out is not None and self.bias_out is not None:
            y = linear(self.phi(y), self.weight_out) + self.bias_out
        return self._shifted(y.named("y"), x, state)

    def _shifted(self, y: Tensor, x: Tensor, state: DelayState) -> DelayState:
        ys, xs = (y, *state.ys)[: len(state.ys)], (x, *state.xs)[: len(state.xs)]
        return DelayState(ys, xs)

    def teacher_forced(
        self, xs: Tensor | ArrayLike | Sequence[Tensor], ys: Tensor | ArrayLike
    ) -> Unrolled[DelayState]:
        """Predict each y_t from the true outputs before it, not from its own predictions.

        Parameters
        ----------
        xs : Tensor or array, shape (T, B, input_size) or (T, input_size)
        ys : Tensor or array, shape (T, B, output_size) or (T, output_size)
            The true outputs y_1, ..., y_T; those before y_1 are taken to be 0.

        Returns
        -------
        Unrolled
            Its outputs are the predictions; its states hold the true outputs.
        """
        targets = ys if isinstance(ys, Tensor) else plain_array(ys, self.dtype)
        if targets.ndim not in (2, 3) or targets.shape[-1] != self.hidden_size:
            raise ShapeError(
                f"{self!r}: expected ys, the true outputs, of shape (T, B, {self.hidden_size}) or "
                f"(T, {self.hidden_size}), got {targets.shape}"
            )
        steps = len(xs) if isinstance(xs, (Tensor, Sequence)) else len(plain_array(xs))
        if steps != len(targets):
            raise ShapeError(
                f"{self!r}: {steps} inputs need {steps} true outputs, got {len(targets)}"
            )
        with scope(self.scope), step(0):
            first = self.initial_state(targets.shape[1] if targets.ndim == 3 else None)
        first = DelayState(tuple(y.named("y*") for y in first.ys), first.xs)  # true ones, too
        outputs: list[Tensor] = []

        def forced(x: Tensor, state: DelayState) -> DelayState:
            predicted = self(x, state)
            y = targets[len(outputs)]
            outputs.append(predicted.ys[0])
            with scope(self.scope):
                true = y if isinstance(y, Tensor) else Tensor(y, name="y*")
            return DelayState((true, *predicted.ys[1:]), predicted.xs)

        run = unroll(forced, xs, first)
        return Unrolled(outputs, run.states, run.state)


class TimeDelayCell(NARX):
    r"""The time-delay network (Waibel et al. 1989): a window that slides over the inputs.

        y_t = φ(W [x_t; ...; x_{t-K}] + b)

    Its memory reaches K steps back and no further; run over a sequence it is a convolution over
    time. Inputs before the first are taken to be 0.

    Parameters
    ----------
    input_size, output_size : int
        Length of x and of y.
    delays : int
        K.
    nonlinearity, dtype, rng
        As in `NARX`.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import TimeDelayCell, unroll
    >>> unroll(TimeDelayCell(2, 3, delays=4, rng=0), np.zeros((6, 2))).stacked().shape
    (6, 3)
    """

    scope = "time_delay"

    def __init__(
        self,
        input_size: int,
        output_size: int,
        delays: int = 1,
        nonlinearity: Nonlinearity = "tanh",
        *,
        dtype: DTypeLike | None = None,
        rng: Rng = None,
    ) -> None:
        super().__init__(
            input_size, output_size, delays, 0, None, nonlinearity, dtype=dtype, rng=rng
        )

    def forward(self, x: Tensor, state: DelayState) -> DelayState:
        """The equation."""
        window = concatenate([x, *state.xs], axis=-1)
        y = self.phi(linear(window, self.weight) + self.bias)
        return self._shifted(y.named("y"), x, state)
