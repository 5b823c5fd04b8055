"""The protocol of a recurrent cell: ``cell(x, state=None) -> state``, one step of time.

A subclass says how its parameters are made, and its mathematics in ``forward(x, state)``, which
reads like the equations in the class's docstring. This base class does what is the same for all:
it enters the cell's scope, checks what it is given, and makes the initial state.

What depends on parameters only, such as the sum of two biases, need not be worked out again at
every step. A cell that has such parts returns them from `shared`, and gets them as further
arguments of ``forward``; `bound` works them out once for a whole loop:

    step = cell.bound()
    for t, x in steps(xs):
        h = step(x, h)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from inspect import signature
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent import ShapeError, Tensor, broadcast_to, scope, step
from microgrrepresent.equations import Equations, step_equations
from microgrrepresent.equations.notations import NotationName
from microgrrepresent.errors import located, operand
from microgrrepresent.node import Array
from microgrrepresent.place import here
from rnn.initialize import Rng, floating, generator, uniform
from rnn.inputs import integer, tensor_of
from rnn.module import Module

S = TypeVar("S")


class Cell(Module, Generic[S]):
    """Base class of the cells.

    Attributes
    ----------
    input_size, hidden_size : int
        Length of x and of h.
    output_size : int
        Length of what `output` gives.
    scope : str
        The scope of the nodes that the cell makes: ``lstm``.
    initial : mapping of str to Tensor
        The learned initial state, by letter; empty until `learn_initial_state`.
    """

    scope: str = "cell"
    input_size: int
    hidden_size: int
    dtype: np.dtype[Any]
    initial: Mapping[str, Tensor] = MappingProxyType({})
    per_gate: bool = False

    forward: Callable[..., S]
    """The equations, as ``forward(x, state, *shared) -> state``; a subclass says them."""

    def __init__(
        self, input_size: int, hidden_size: int, *, dtype: DTypeLike | None, rng: Rng
    ) -> None:
        self.input_size = integer(input_size, 0, f"{self._kind}: input_size")
        self.hidden_size = integer(hidden_size, 1, f"{self._kind}: hidden_size")
        self.dtype = floating(dtype)
        self._rng = generator(rng)

    # --- what a subclass says --------------------------------------------------------------------

    def shared(self) -> tuple[Any, ...]:
        """What all steps share, made of parameters only: the further arguments of ``forward``."""
        return ()

    def state_sizes(self) -> dict[str, int]:
        """Letter and length of each part of the state."""
        return {"h": self.hidden_size}

    def state_of(self, *parts: Tensor) -> S:
        """The state made of its parts."""
        return parts[0]  # type: ignore[return-value]

    def parts_of(self, state: Any, who: str = "") -> tuple[Any, ...]:
        """The parts that a state is made of.

        Raises
        ------
        ShapeError
            If it is of another form. The message begins with `who`, the cell if not given.
        """
        letters = list(self.state_sizes())
        several = (tuple, list) if len(letters) > 1 else tuple  # a list may be one array
        parts = tuple(state) if isinstance(state, several) else (state,)
        if len(parts) != len(letters):
            form = (
                f"the pair ({', '.join(letters)})" if len(letters) > 1 else f"{letters[0]} itself"
            )
            raise ShapeError(f"{who or self._here()}: {other_form(form, state)}")
        return parts

    def output(self, state: S) -> Tensor:
        """What the cell shows of its state to the layer above: its first part."""
        shown: Any = state[0] if isinstance(state, tuple) else state
        return shown  # type: ignore[no-any-return]

    @property
    def output_size(self) -> int:
        """Length of what `output` gives."""
        return next(iter(self.state_sizes().values()))

    # --- running ---------------------------------------------------------------------------------

    def __call__(self, x: Tensor | ArrayLike, state: S | None = None) -> S:
        """Take one step.

        Parameters
        ----------
        x : Tensor or array, shape (B, input_size) or (input_size,)
            The input of this step.
        state : optional
            The state before it; by default, `initial_state`.

        Returns
        -------
        state
            The state after it.
        """
        return self.bound()(x, state)

    def bound(self) -> Callable[[Any, S | None], S]:
        """Work out `shared`, and return the cell to be called at every step of a loop."""
        inside = scope(self.scope)
        with inside:
            run = self.bound_inside()

        def one_step(x: Any, state: S | None = None) -> S:
            with inside:
                return run(x, state)

        return one_step

    def bound_inside(self) -> Callable[[Any, S | None], S]:
        """As `bound`, for a loop that runs in the cell's scope: it is not entered at each step."""
        shared = self.shared()
        forward, dtype = self.forward, self.dtype
        latest: Any = object()  # a state that was made here needs no check beside such an input
        shape: tuple[int, ...] = ()

        def one_step(x: Any, state: S | None = None) -> S:
            nonlocal latest, shape
            if (
                state is not latest
                or not isinstance(x, Tensor)
                or x.value.shape != shape
                or x.value.dtype is not dtype
            ):
                x = self._input(x)
                state = self._before(x) if state is None else self._checked(state, x)
                shape = x.value.shape
            new = latest = forward(x, state, *shared)
            return new

        return one_step

    def equations(self, notation: NotationName = "pytorch") -> Equations:
        """The equations of one step, gate by gate, and what their letters stand for.

        They are read off the graph that one step records, so any cell has them.

        Parameters
        ----------
        notation : {"pytorch", "nndl", "ng", "nankai", "task05", "d2l"}
            In whose letters; see `microgrrepresent.equations.notations`.

        Examples
        --------
        >>> from rnn import RNNCell
        >>> print(RNNCell(2, 3).equations("nndl"))
        z_t = U h_{t-1} + W x_t + b
        h_t = tanh(z_t)
        where
          U = weight_hh
          W = weight_ih
          b = bias_ih + bias_hh
        """
        with step(1), scope(self.scope):
            x = Tensor(self._blank(self.input_size), dtype=self.dtype, name="x")
        outputs = self.recorded_step(x)
        return step_equations(outputs, notation, {p: name for name, p in self.named_tensors()})

    def recorded_step(self, x: Tensor, reverse: bool = False) -> list[Tensor]:
        """What a step makes of x, recorded gate by gate as step 1, from a state of zeros.

        Parameters
        ----------
        x : Tensor, shape (input_size,)
        reverse : bool
            Whether the state before is that of step 2.
        """
        cell = copy(self)
        cell.per_gate = True
        run = cell.bound()
        scopes = [self.scope] * len(self.state_sizes())
        for _ in range(2):  # a state is read under the name that its cell gives to a new one
            past = []
            for where, (letter, lag), size in zip(
                scopes, self._past(), self.state_sizes().values(), strict=True
            ):
                with scope(where), step(1 + lag if reverse else 1 - lag):
                    past.append(Tensor(self._blank(size), dtype=self.dtype, name=letter))
            with step(1):
                new = self.parts_of(run(x, cell.state_of(*past)))
            scopes = [part.scope for part in new]
        return [part for part in new if part.step == 1 and part.op is not None]

    def _blank(self, size: int) -> Array:
        """Zeros to record a step with."""
        return np.zeros(size)

    def _past(self) -> list[tuple[str, int]]:
        """The letter of each part of the state, and how many steps ago it was made."""
        return [(letter, 1) for letter in self.state_sizes()]

    def initial_state(self, batch: int | None = None) -> S:
        """The state before the first step: zeros, or what was learned.

        Parameters
        ----------
        batch : int, optional
            Number of sequences; without it the state has no batch axis.
        """
        lead = () if batch is None else (integer(batch, 0, "the batch", self),)
        sizes = self.state_sizes().items()
        if self.initial:
            return self.state_of(
                *[
                    broadcast_to(self.initial[letter], (*lead, size)).named(letter)
                    for letter, size in sizes
                ]
            )
        zeros = [Tensor(np.zeros((*lead, n), self.dtype), name=letter) for letter, n in sizes]
        return self.state_of(*zeros)

    def learn_initial_state(self) -> None:
        """Make the initial state a parameter, which begins as zeros: ``initial.h`` and so on."""
        self.initial = {
            letter: Tensor(np.zeros(size, self.dtype), True, f"{letter}_init")
            for letter, size in self.state_sizes().items()
        }

    def _before(self, x: Tensor) -> S:
        """The initial state beside x, at the step before."""
        t = here.get().step
        with step(None if t is None else t - 1):
            return self.initial_state(x.shape[0] if x.ndim == 2 else None)

    def _input(self, x: Any) -> Tensor:
        if not isinstance(x, Tensor) or x.value.dtype is not self.dtype:
            x = tensor_of(x, self.dtype, self)
        node: Tensor = x
        shape = node.value.shape
        if len(shape) not in (1, 2) or shape[-1] != self.input_size:
            raise ShapeError(
                f"{self._here()}: expected x of shape (batch, {self.input_size}) or "
                f"({self.input_size},), got {shape}; the last axis is input_size: change x, or "
                "make the cell with another input_size"
            )
        return node

    def _checked(self, state: Any, x: Tensor) -> S:
        sizes = self.state_sizes()
        checked = []
        for part, (letter, size) in zip(self.parts_of(state), sizes.items(), strict=True):
            node = part
            if not isinstance(part, Tensor) or part.dtype is not self.dtype:
                node = tensor_of(part, self.dtype, self, letter)
            expected = (*x.shape[:-1], size)
            if node.shape != expected:
                reason = "; give such an array, or None for zeros"
                if node.ndim == 2 == x.ndim and node.shape[-1] == size:
                    reason = (
                        f"; the state is of a batch of {node.shape[0]}, x of one of {x.shape[0]}: "
                        "begin a new batch with state=None"
                    )
                raise ShapeError(
                    f"{self._here()}: expected {letter} of shape {expected} beside "
                    f"{operand('x', x)}, got {node.shape}{reason}"
                )
            checked.append(node)
        return self.state_of(*checked)

    def _here(self) -> str:
        place = here.get()
        return located(repr(self), place.scope, place.step)

    # --- making parameters -----------------------------------------------------------------------

    def parameter(self, name: str, *shape: int) -> Tensor:
        """A parameter drawn from U(-k, k) with k = 1/sqrt(hidden_size), as in ``torch.nn``."""
        return uniform(shape, 1 / np.sqrt(self.hidden_size), name, self.dtype, self._rng)

    @property
    def _kind(self) -> str:
        """What the cell and its layer have in common: LSTM, of an LSTMCell."""
        return type(self).__name__.removesuffix("Cell")

    def variant(self) -> str:
        """The arguments that differ from their defaults, as they are written behind others."""
        chosen = (
            (name, getattr(self, name, None), known.default)
            for name, known in signature(type(self)).parameters.items()
            if known.default is not known.empty and name != "hidden_size"
        )
        return "".join(
            f", {name}={value!r}"
            for name, value, default in chosen
            if isinstance(value, (bool, int, float, str)) and value != default
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.input_size}, {self.hidden_size}{self.variant()})"


def made(
    cell: Callable[..., Cell[Any]], who: str, input_size: int, hidden_size: int, **arguments: Any
) -> Cell[Any]:
    """The cell that the argument ``cell=`` of a module makes.

    Raises
    ------
    TypeError
        If it makes none, or not from these arguments.
    """
    name = getattr(cell, "__name__", repr(cell))
    try:
        signature(cell).bind(input_size, hidden_size, **arguments)
    except TypeError as error:
        raise TypeError(
            f"{who}: cell= makes a cell from (input_size, hidden_size, "
            f"{', '.join(f'{key}=' for key in arguments)}), as a cell's class or a partial of one "
            f"does; {name} does not: {error}"
        ) from None
    new = cell(input_size, hidden_size, **arguments)
    if not isinstance(new, Cell):
        raise TypeError(
            f"{who}: cell= makes a cell, such as GRUCell does; {name} made {new!r}, which is none"
        )
    return new


def other_form(form: str, state: Any) -> str:
    """Say that a state is not of the form that it should be of."""
    shape = getattr(state, "shape", None)
    given = f"a {type(state).__name__}"
    given = f"one array {shape}" if shape is not None else given
    given += f" of {len(state)}" if isinstance(state, (tuple, list)) else ""
    return f"its state is {form}, got {given}; give {form}, or None for zeros"
