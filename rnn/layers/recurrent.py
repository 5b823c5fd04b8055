"""A recurrent layer: cells that are run over time, stacked, in one direction or two.

Layer l takes what layer l-1 shows. In two directions each layer is a pair of cells, one run from
the first step to the last and one from the last to the first; what they show stands side by side.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent import ShapeError, Tensor, concatenate, scope, stack, step
from microgrrepresent.equations import Equations, step_equations
from microgrrepresent.equations.notations import NotationName
from rnn.cells.cell import Cell
from rnn.inputs import Side, flags, integer, lengths_of, valid_steps, values_of
from rnn.layers.dense import Dropout
from rnn.layers.grid import CellGrid
from rnn.layers.unrolling import Unrolled, unroll

S = TypeVar("S")


class Recurrent(CellGrid[S]):
    """What the layers share: a grid of cells, num_layers times one or two directions.

    Parameters
    ----------
    make_cell : callable
        ``make_cell(input_size) -> Cell``: makes the cell of one layer and direction.
    input_size, num_layers, batch_first, dropout, bidirectional, reverse, learn_initial_state, rng
        As in `LSTM`.
    """

    def __init__(
        self,
        make_cell: Callable[[int], Cell[S]],
        input_size: int,
        num_layers: int,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        reverse: bool,
        learn_initial_state: bool,
        rng: np.random.Generator,
    ) -> None:
        name = type(self).__name__
        num_layers = integer(num_layers, 1, f"{name}: num_layers")
        flags(name, batch_first=batch_first, bidirectional=bidirectional, reverse=reverse)
        if bidirectional and reverse:
            raise ValueError(
                f"{name}: bidirectional=True runs both ways, reverse=True only from the last step "
                "to the first; choose one"
            )
        self.dropout = Dropout(dropout, rng=rng)
        if self.dropout.p and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} acts between layers, after all but the last; with "
                "num_layers=1 it does nothing",
                stacklevel=3,
            )
        self.num_layers, self.bidirectional, self.reverse = num_layers, bidirectional, reverse
        self.batch_first = batch_first
        self.input_size = input_size
        self.directions = 2 if bidirectional else 1
        self.cells = []
        seen = input_size
        for _ in range(num_layers):
            self.cells += [make_cell(seen) for _ in range(self.directions)]
            seen = self.cells[-1].output_size * self.directions
        if learn_initial_state:
            for cell in self.cells:
                cell.learn_initial_state()
        first = self.cells[0]
        if any(cell.state_sizes() != first.state_sizes() for cell in self.cells):
            raise ValueError(
                f"{name}: the state of {first!r} is of other sizes in the layer above, and the two "
                "cannot stand in one array; use num_layers=1"
            )
        self.hidden_size, self.dtype, self.scope = first.hidden_size, first.dtype, first.scope
        if len(self.cells) > 1:
            for k, cell in enumerate(self.cells):
                cell.scope = f"{self.scope}/{self._suffix(k)[1:]}"
                for tensor in cell.parameters():
                    tensor.named(f"{tensor.name}{self._suffix(k)}")

    def _tell_apart(self) -> None:
        """Nothing: the cells of a layer are told apart by its numbers, gru/l0 and gru/l1."""

    @property
    def output_size(self) -> int:
        """Length of the last axis of the output."""
        return self.cells[-1].output_size * self.directions

    # --- running ---------------------------------------------------------------------------------

    def __call__(
        self,
        x: Tensor | ArrayLike,
        state: Any = None,
        lengths: ArrayLike | None = None,
        side: Side = "right",
    ) -> tuple[Tensor, S]:
        """Run the layer over a sequence, or a batch of sequences.

        Parameters
        ----------
        x : Tensor or array, shape (T, B, input_size), (B, T, input_size) or (T, input_size)
            The inputs: time first, batch first if ``batch_first``, or one sequence.
        state : optional
            The initial state: h, or for an LSTM (h, c), each of shape
            (num_layers * directions, B, size), without B for one sequence.
        lengths : array of int, shape (B,), optional
            Number of valid steps of each sequence of a padded batch, in any order; 0 for an empty
            one. Padding may hold anything: it has no influence on outputs, states and gradients.
        side : {"right", "left"}
            Whether padding stands behind the shorter sequences, or before them.

        Returns
        -------
        output : Tensor
            What the last layer showed at each step, in the form of x; both directions side by
            side. It is 0 where x is padding.
        state
            The final state, in the form of the initial one, so that an LSTM gives a pair in a pair,
            ``output, (h, c) = lstm(x)``: after the last valid step of the
            forward direction, after the first one of the backward one. See `final_states`. Of an
            empty sequence, it is the initial one.

        Raises
        ------
        ShapeError, DTypeError, ValueError
            In sentences, for inputs, states and lengths that do not fit.
        """
        xs, batch = self._steps(x)
        before = self._initial(state, batch, len(xs))
        if not len(xs):
            if lengths is not None:
                valid_steps(lengths_of(lengths, 0, () if batch is None else (batch,)), 0, side)
            return self._nothing(before, batch)
        xs, after = self._run(xs, before, lengths, side)
        with scope(self.scope):
            output = stack(xs, axis=1 if self.batch_first and batch is not None else 0)
            parts = [stack(rows) for rows in zip(*after, strict=True)]
        return output, self.cells[0].state_of(*parts)

    def by_step(self, xs: Sequence[Tensor]) -> list[Tensor]:
        """What the layer shows at t = 1, 2, ..., T, as a node for each step.

        The numbers are those of a call, which puts them into one array; as nodes of their own they
        are drawn where they come about.

        Parameters
        ----------
        xs : sequence of Tensor, shape (B, input_size) or (input_size,)

        Examples
        --------
        >>> from microgrrepresent import Tensor
        >>> from rnn import GRU
        >>> shown = GRU(3, 4, 2, rng=0).by_step([Tensor([1.0, 2.0, 3.0]), Tensor([0.0, 1.0, 0.0])])
        >>> [h.shape for h in shown]
        [(4,), (4,)]
        """
        return self._run(xs, [None] * len(self.cells), None, "right")[0]

    def _run(
        self, xs: Any, before: list[Any], lengths: ArrayLike | None, side: Side
    ) -> tuple[list[Tensor], list[tuple[Tensor, ...]]]:
        """What the last layer shows at each step, and the final state of each cell, in parts."""
        after = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(self.directions):
                k = layer * self.directions + direction
                run: Unrolled[S] = unroll(
                    self.cells[k], xs, before[k],
                    reverse=self._is_backward(k), lengths=lengths, side=side,
                )  # fmt: skip
                outputs.append(run.outputs)
                after.append(self.cells[k].parts_of(run.state))
            last = layer == self.num_layers - 1
            thinned = self.dropout.p > 0 and self.training and not last
            if self.bidirectional or thinned:
                xs = [
                    self._shown(parts, t, thinned)
                    for t, parts in enumerate(zip(*outputs, strict=True), start=1)
                ]
            else:
                xs = outputs[0]
        return xs, after

    def _shown(self, outputs: tuple[Tensor, ...], t: int, thinned: bool) -> Tensor:
        """What a layer shows at step t: its directions side by side, thinned by dropout."""
        with scope(self.scope), step(t):
            y: Tensor = outputs[0]
            if len(outputs) > 1:
                y = concatenate(outputs, axis=-1).named("y")
            return self.dropout(y) if thinned else y

    def _nothing(self, before: list[Any], batch: int | None) -> tuple[Tensor, S]:
        """What comes of no steps: no outputs, and the initial state."""
        shape = [self.output_size] if batch is None else [batch, self.output_size]
        shape.insert(1 if self.batch_first and batch is not None else 0, 0)
        states = [
            cell.parts_of(cell.initial_state(batch) if state is None else state)
            for cell, state in zip(self.cells, before, strict=True)
        ]
        with scope(self.scope):
            parts = [stack(rows) for rows in zip(*states, strict=True)]
            return Tensor(np.zeros(shape, self.dtype)), self.cells[0].state_of(*parts)

    def _steps(self, x: Any) -> tuple[Any, int | None]:
        """The inputs, time first, and the batch size, or None for one sequence."""
        x = values_of(x, self.dtype, self)
        form = f"(B, T, {self.input_size})" if self.batch_first else f"(T, B, {self.input_size})"
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{self!r}: expected x of shape {form}, or (T, {self.input_size}) for one "
                f"sequence, got {x.shape}; the last axis is input_size: change x, or make the "
                "layer with another input_size"
            )
        time = 1 if self.batch_first and x.ndim == 3 else 0
        batch = x.shape[1 - time] if x.ndim == 3 else None
        if not isinstance(x, Tensor) and not self.bidirectional:  # two directions share their nodes
            return x.swapaxes(0, time), batch
        xs = []
        for t in range(x.shape[time]):  # outside of the scope: the inputs are no part of the layer
            with step(t + 1):
                xs.append(_leaf(x[:, t] if time else x[t], "x"))
        return xs, batch

    def _initial(self, state: Any, batch: int | None, T: int) -> list[Any]:
        """The initial state of each cell, or Nones."""
        n = len(self.cells)
        if state is None:
            return [None] * n
        sizes = self.cells[0].state_sizes()
        parts = self.cells[0].parts_of(state, repr(self))
        rows: list[list[Tensor]] = []
        for part, (letter, size) in zip(parts, sizes.items(), strict=True):
            whole = values_of(part, self.dtype, self, letter)
            expected = (n, size) if batch is None else (n, batch, size)
            if whole.shape != expected:
                raise ShapeError(self._misfit(letter, whole.shape, expected))
            rows.append([self._row(whole, k, letter, T) for k in range(n)])
        return [self.cells[k].state_of(*row) for k, row in enumerate(zip(*rows, strict=True))]

    def _row(self, whole: Any, k: int, letter: str, T: int) -> Tensor:
        with scope(self.cells[k].scope), step(T + 1 if self._is_backward(k) else 0):
            return _leaf(whole[k], letter)

    def _misfit(self, letter: str, given: tuple[int, ...], expected: tuple[int, ...]) -> str:
        rank = (
            "(num_layers * directions, B, size)"
            if len(expected) == 3
            else ("(num_layers * directions, size), because x has no batch axis")
        )
        reason = f"its axes are {rank}; give such an array, or None for zeros"
        if len(given) == len(expected) == 3 and given[0] == expected[0] and given[2] == expected[2]:
            reason = (
                f"the state is of a batch of {given[1]}, x of one of {expected[1]}; "
                "begin a new batch with state=None"
            )
        return f"{self!r}: expected {letter} of shape {expected}, got {given}; {reason}"

    def equations(self, notation: NotationName = "pytorch") -> Equations:
        """The equations of one step of all cells, and what their letters stand for.

        Layers have numbers, directions arrows: h^(1)_t, h→_t, h←_t.

        Parameters
        ----------
        notation : {"pytorch", "nndl", "ng", "nankai", "task05", "d2l"}
            In whose letters; see `microgrrepresent.equations.notations`.

        Examples
        --------
        >>> from rnn import RNN
        >>> print(RNN(2, 3, bias=False).equations("nankai"))
        h_t = tanh(W h_{t-1} + U x_t)
        where
          W = weight_hh_l0
          U = weight_ih_l0
        """
        with step(1):
            x = Tensor(np.zeros(self.input_size), dtype=self.dtype, name="x")
        made = self.recorded_step(x)
        return step_equations(made, notation, {p: name for name, p in self.named_tensors()})

    def recorded_step(self, x: Tensor) -> list[Tensor]:
        """What a step of all cells makes of x, as `Cell.recorded_step`; what it shows is the last.

        Parameters
        ----------
        x : Tensor, shape (input_size,)
        """
        made: list[Tensor] = []
        below = x
        for layer in range(self.num_layers):
            shown = []
            for k in range(layer * self.directions, (layer + 1) * self.directions):
                new = self.cells[k].recorded_step(below, self._is_backward(k))
                made += new
                shown.append(new[0])
            below = shown[0]
            if self.bidirectional:
                with scope(f"{self.scope}/l{layer}"), step(1):
                    below = concatenate(shown, axis=-1).named("y")
        return [*(node for node in made if node is not below), below]

    # --- states ----------------------------------------------------------------------------------

    def initial_state(self, batch: int | None = None) -> S:
        """The state before the first step: zeros, or what was learned.

        Parameters
        ----------
        batch : int, optional
            B; without it the state is that of one sequence.

        Returns
        -------
        state
            In the form that the layer, and PyTorch's, takes.
        """
        rows = [cell.parts_of(cell.initial_state(batch)) for cell in self.cells]
        return self.cells[0].state_of(*[stack(parts) for parts in zip(*rows, strict=True)])

    def final_states(self) -> list[str]:
        """Say what each row of the final state is.

        Examples
        --------
        >>> from rnn import GRU
        >>> for row in GRU(3, 5, num_layers=2, bidirectional=True).final_states():
        ...     print(row)
        layer 0, forward: after the last valid step
        layer 0, backward: after the first step
        layer 1, forward: after the last valid step
        layer 1, backward: after the first step
        """
        ends = ("forward: after the last valid step", "backward: after the first step")
        return [
            f"layer {k // self.directions}, {ends[self._is_backward(k)]}"
            for k in range(len(self.cells))
        ]

    def top_state(self, state: S) -> Tensor:
        """One vector for a sequence: what the highest layer shows in the final state.

        Of a bidirectional layer, both directions side by side: (B, output_size).
        """
        h = self.cells[0].parts_of(state)[0]
        last: Tensor = concatenate([h[-2], h[-1]], axis=-1) if self.bidirectional else h[-1]
        return last

    def _is_backward(self, k: int) -> bool:
        return self.reverse or (self.bidirectional and k % 2 == 1)

    def __repr__(self) -> str:
        more = f", num_layers={self.num_layers}" if self.num_layers > 1 else ""
        more += ", bidirectional=True" if self.bidirectional else ""
        more += ", reverse=True" if self.reverse else ""
        name, cell = type(self).__name__, type(self.cells[0]).__name__
        more += f", cell={cell}" if cell != f"{name}Cell" else ""
        more += self.cells[0].variant()
        return f"{name}({self.input_size}, {self.hidden_size}{more})"


def _leaf(part: Any, name: str) -> Tensor:
    """A part that was cut out of an array, which becomes a leaf, or out of a Tensor."""
    return part.named(name) if isinstance(part, Tensor) else Tensor(part, name=name)
