"""Unrolling: one cell, applied at every step of a sequence, with the same parameters.

    s_t = f(s_{t-1}, x_t; θ)

The loop leaves a graph without loops, in which every node knows its step. Goodfellow, Bengio and
Courville, Deep Learning (2016), section 10.1, call it unfolding the computational graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent import (
    ShapeError,
    Tensor,
    scope,
    stack,
    step,
    steps,
    stop_gradient,
    where,
)
from microgrrepresent.arrays import new_array
from microgrrepresent.garbage import collection_paused
from microgrrepresent.node import leaf
from microgrrepresent.place import Place, here
from microgrrepresent.scopes import at
from rnn.cells.cell import Cell
from rnn.inputs import Side, flags, integer, lengths_of, valid_steps
from rnn.layers.heap import keep_heap

S = TypeVar("S")


@dataclass(frozen=True)
class Unrolled(Generic[S]):
    """A cell's run over a sequence.

    Attributes
    ----------
    outputs : list of Tensor
        What the cell showed at t = 1, 2, ..., T, in this order in both directions.
    states : dict of int to state
        The state after each step t, in the order in which they came about, with the initial state
        first: its index is 0, or T+1 in reverse.
    state : state
        The final state.
    """

    outputs: list[Tensor]
    states: dict[int, S]
    state: S

    def __repr__(self) -> str:
        return f"<Unrolled: {len(self.outputs)} steps, outputs {self.outputs[0].shape}>"

    def stacked(self) -> Tensor:
        """The outputs as one Tensor, time first: (T, B, H) or (T, H)."""
        stacked: Tensor = stack(self.outputs)
        return stacked


def unroll(
    cell: Callable[[Tensor, Any], S],
    xs: Tensor | ArrayLike | Sequence[Tensor],
    state: Any = None,
    *,
    reverse: bool = False,
    lengths: ArrayLike | None = None,
    side: Side = "right",
    truncate: int | None = None,
) -> Unrolled[S]:
    """Run a cell over a sequence.

    Parameters
    ----------
    cell : Cell or callable
        ``(x, state) -> state``. A plain function will do; its state is a Tensor, or a tuple, list
        or dict of such, of which the first is what it shows.
    xs : Tensor, array or sequence of Tensor
        The inputs x_1, ..., x_T, time first: (T, B, I), or (T, I) for one sequence.
    state : optional
        The initial state; by default the cell's own, or None for a function.
    reverse : bool
        Run from x_T to x_1.
    lengths : array of int, shape (B,), optional
        Number of valid steps of each sequence of a padded batch; 0 for an empty one. At the other
        steps the state of a sequence stands still, and its outputs are 0. Padding may hold
        anything.
    side : {"right", "left"}
        Whether padding stands behind the shorter sequences, or before them (Keras' default).
    truncate : int, optional
        Cut the graph after every so many steps: the state passes on, its gradient does not
        (truncated BPTT; Williams and Peng 1990).

    Returns
    -------
    Unrolled

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import LSTMCell, unroll
    >>> run = unroll(LSTMCell(3, 5, rng=0), np.zeros((7, 2, 3)))
    >>> len(run.outputs), run.state.h.shape, run.state.h.step
    (7, (2, 5), 7)

    >>> from microgrrepresent import Tensor
    >>> total = unroll(lambda x, s: s + x, Tensor([1.0, 2.0, 3.0]), Tensor(0.0))
    >>> [float(s) for s in total.states.values()]
    [0.0, 1.0, 3.0, 6.0]
    """
    if not callable(cell) or isinstance(cell, type):
        raise TypeError(
            "unroll: the cell is a function (x, state) -> state, such as GRUCell(3, 5), "
            f"got {cell!r}"
        )
    given = _sequence(xs)
    T, dtype = len(given), getattr(cell, "dtype", None)
    rows = isinstance(given, np.ndarray) and given.ndim > 1
    if truncate is not None:
        truncate = integer(truncate, 1, "unroll: truncate")
    flags("unroll", reverse=reverse)
    before = T + 1 if reverse else 0
    show = getattr(cell, "output", _first)
    inside: Any = scope(cell.scope) if isinstance(cell, Cell) else nullcontext()
    outputs, states = {}, {}
    valid = None
    keep_heap()
    outside = here.get()  # where the inputs are made, and where it goes on, also after an error
    with collection_paused(), at(outside), inside:
        run: Any = cell.bound_inside() if isinstance(cell, Cell) else cell
        for i, (t, k) in enumerate(steps(range(T), reverse=reverse)):
            place = Place(outside.scope, t, *outside[2:])
            x = leaf(Tensor, given[k], "x", place) if rows else _input(given, k, dtype, place)
            if i == 0:
                with at(place):
                    valid = _valid(lengths, T, x, side)
                if valid is not None and state is None and not isinstance(cell, Cell):
                    _all_begin(valid[k], t)
                states[before] = state = _initial(cell, state, x, before)
            elif truncate and i % truncate == 0:
                with at(place):
                    state = _each(stop_gradient, state)
            if valid is None:
                states[t] = state = run(x, state)
                outputs[t] = show(state)
                continue
            with at(place):
                goes_on = _leaf(valid[k][:, None], "valid", None)
            # padding may hold anything, and 0 · NaN, in the reverse sweep, is NaN
            new = run(_where(goes_on, x, 0).named(x.name), state)
            if state is not None:  # where a function begins from nothing, all sequences do
                new = _each(partial(_unless_over, goes_on), new, state)
            outputs[t] = _where(goes_on, show(new), 0).named("y")
            states[t] = state = new
    return Unrolled([outputs[t] for t in sorted(outputs)], states, state)


def _input(given: Any, k: int, dtype: Any, place: Place) -> Tensor:
    """An input as a node, at a place outside of the cell's scope: it is no part of the cell."""
    with at(place):
        return _leaf(given[k], "x", dtype)


def _all_begin(valid: Any, t: int) -> None:
    """See that all sequences have begun at the first step that is taken."""
    if not np.asarray(valid).all():
        raise ValueError(
            f"unroll: at t={t}, the first step that is taken, shorter sequences of the padded "
            "batch have not begun, and a function cannot begin from None for some of them only; "
            "give state="
        )


def _unless_over(valid: Tensor, new: Any, old: Any) -> Any:
    """The new state where a sequence goes on, the old one where it has ended."""
    new = _leaf(new, None, None)
    name = new.name
    return _where(valid, new.named(None), old).named(name)


def _where(valid: Tensor, new: Tensor, old: Tensor | int) -> Any:
    """What is new where a sequence goes on; the other axes, one or several, follow."""
    beside = valid if new.ndim == 2 else valid.reshape(-1, *[1] * (new.ndim - 1))
    return where(beside, new, old)


def _sequence(xs: Any) -> Any:
    """The inputs, time first. An array is copied once, and cut before it becomes leaves."""
    given = xs if isinstance(xs, (Tensor, list, tuple)) else new_array(xs)
    if not isinstance(given, (list, tuple)) and not given.ndim:
        raise ShapeError("unroll: the inputs need an axis of time, the first, got a scalar")
    if not len(given):
        raise ShapeError("unroll: the sequence is empty; at least one step is needed")
    return given


def _leaf(x: Any, name: str | None, dtype: Any) -> Tensor:
    if isinstance(x, Tensor):
        return x if x.name or not name else x.named(name)
    return Tensor(x, name=name, dtype=None if isinstance(x, np.ndarray) else dtype)


def _initial(cell: Any, state: Any, x: Tensor, before: int) -> Any:
    """The state before the first step, of Tensors that are named and placed there."""
    if not isinstance(cell, Cell):
        return None if state is None else _each(lambda s: _leaf(s, None, None), state)
    with step(before):
        if state is None:
            return cell.initial_state(x.shape[0] if x.ndim > 1 else None)
        parts = zip(cell.parts_of(state), cell.state_sizes(), strict=True)
        return cell.state_of(*[_leaf(part, letter, cell.dtype) for part, letter in parts])


def _valid(lengths: ArrayLike | None, T: int, x: Tensor, side: Side) -> Any:
    """For every step whether it is valid, (T, B), or None if all are."""
    if lengths is None:
        return None
    given = lengths_of(lengths, T, x.shape[:1] if x.ndim > 1 else ())
    if isinstance(lengths, Tensor):  # an input of the graph: what follows from it is recorded
        return valid_steps(lengths, T, side)
    valid = valid_steps(given, T, side)
    return None if valid.all() else valid


def _first(state: Any) -> Any:
    if isinstance(state, dict):
        return next(iter(state.values()))
    return state[0] if isinstance(state, (tuple, list)) else state


def _each(f: Callable[..., Any], *states: Any) -> Any:
    """Apply f to the Tensors of states of one form: a Tensor, or a tuple, list or dict of such."""
    whole = states[0]
    if isinstance(whole, dict):
        return {key: _each(f, *[state[key] for state in states]) for key in whole}
    if isinstance(whole, (tuple, list)):
        made = [_each(f, *parts) for parts in zip(*states, strict=True)]
        kind = type(whole)
        return kind(*made) if hasattr(kind, "_fields") else kind(made)
    if not isinstance(whole, (Tensor, np.ndarray, np.generic, int, float)):
        raise TypeError(
            "unroll: a state is a Tensor, or a tuple, list or dict of such; a part of it is a "
            f"{type(whole).__name__}"
        )
    return f(*states)
