r"""Truncated backpropagation through time: carry the state on, and cut its gradient.

The gradient of a long sequence costs memory for every step of it. BPTT(k₂; k₁) runs forward one
step after another and, every k₁ steps, back over the last k₂ steps only, for the losses of the
last k₁ (Williams and Peng 1990; in Sutskever's thesis of 2013, TBPTT(k₁, k₂)):

    t:       1  2  3  4  5  6  7  8  9 ...        k₁ = 3, k₂ = 5
    losses:           └──4──5──6┘                 the second update counts the losses at 4, 5, 6
    window:     ✂─2──3──4──5──6                   and goes back to t = 2, where the graph is cut

The state passes over the cut as a number, so the network remembers further than it learns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from microgrrepresent import ShapeError, Tensor, steps
from rnn.inputs import integer
from rnn.layers.recurrent import Recurrent


def detach(state: Any) -> Any:
    """A state with the same values and no history, to begin the next batch with.

    Parameters
    ----------
    state : Tensor, or a (named) tuple or list of states, or None

    Examples
    --------
    >>> from rnn import LSTMCell, detach
    >>> state = LSTMCell(2, 3)([1.0, 2.0])
    >>> state.h.is_leaf, detach(state).h.is_leaf
    (False, True)
    """
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, (tuple, list)):
        parts = [detach(part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)
    return state


@dataclass(frozen=True)
class Window:
    """One update of truncated BPTT. Made by `tbptt`.

    Attributes
    ----------
    t : int
        The last step of the window; its losses are those of the steps after the window before.
    start : int
        The first step of the window.
    loss : Tensor
        The sum of the new losses: call its ``backward()``, then step the optimizer.
    states : dict of int to state
        The states that the window went through, beginning with the cut one at ``start - 1``.
    """

    t: int
    start: int
    loss: Tensor
    states: dict[int, Any]

    def __repr__(self) -> str:
        return f"<Window: steps {self.start}..{self.t}, loss {float(self.loss):.4g}>"


def tbptt(
    model: Callable[[Any, Any], Any],
    data: Iterable[tuple[Any, Any]],
    k1: int,
    k2: int,
    *,
    loss: Callable[[Tensor, Any], Tensor],
    state: Any = None,
) -> Iterator[Window]:
    """Run along a sequence; every k1 steps, give the loss of those steps, to be sent back k2 steps.

    A window is computed when it is asked for, with the parameters of that moment: where windows
    overlap (k2 > k1), the steps that they share are run again. With k1 = k2 the windows are those
    of ``unroll(truncate=k1)``; if that is the length of the sequence or more, it is full BPTT.

    Parameters
    ----------
    model : Cell or callable
        ``(x, state) -> state``.
    data : iterable of (x, target)
        What goes in and should come out at t = 1, 2, ...; it may be endless.
    k1 : int
        Steps between two updates.
    k2 : int
        Steps that a window goes back, at least k1, so that every loss is learned from. A last
        window with fewer than k1 new steps goes back k2 - k1 steps behind them, as all others do.
    loss : callable
        ``(output, target) -> scalar``; a readout layer goes in here.
    state : optional
        The initial state; by default the model's own.

    Yields
    ------
    Window

    Raises
    ------
    ValueError
        Unless 1 <= k1 <= k2; a `ShapeError` if a loss is not one number.
    TypeError
        If the model is a layer instead of a cell, or the data are no pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import LSTMCell, tbptt
    >>> cell, xs = LSTMCell(1, 4, rng=0), np.ones((7, 1))
    >>> for window in tbptt(cell, zip(xs, xs), k1=3, k2=5, loss=lambda h, y: ((h - y) ** 2).sum()):
    ...     window.loss.backward()  # then: optimizer.step(); optimizer.zero_grad()
    ...     print(window.start, window.t)
    1 3
    2 6
    5 7
    """
    k1, k2 = integer(k1, 1, "tbptt: k1"), integer(k2, 1, "tbptt: k2")
    if k1 > k2:
        raise ValueError(
            "tbptt: k1 and k2 must be 1 <= k1 <= k2 (update every k1 steps, go back k2), "
            f"got {k1} and {k2}"
        )
    if isinstance(model, Recurrent):
        raise TypeError(
            f"tbptt: {model!r} is a layer, which runs over whole sequences; truncated BPTT goes "
            f"step by step, and wants its cell: {type(model).__name__.lower()}.cells[0], or a "
            "function (x, state) -> state that calls its cells one after the other"
        )
    show = getattr(model, "output", _first)
    items, t = iter(data), 0
    window: list[tuple[Any, Any]] = []  # the data of the last k2 steps
    states: dict[int, Any] = {0: state}
    while new := list(islice(items, k1)):
        shared = window[max(0, len(window) - (k2 - k1)) :]  # run before, and now again
        for i, pair in enumerate(new, start=t + 1):
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(
                    f"tbptt: data is of pairs (x, target), such as zip(xs, targets); what it gave "
                    f"for t={i} is a {type(pair).__name__}"
                )
        window = shared + new
        start, fresh, t = t + 1 - len(shared), t + 1, t + len(new)
        s = detach(states[start - 1])
        states, total = {start - 1: s}, None
        run = model.bound() if hasattr(model, "bound") else model
        for now, (x, target) in steps(window, start=start):
            states[now] = s = run(x, s)
            if now >= fresh:
                part = _one_number(loss(show(s), target), now)
                total = part if total is None else total + part
        assert total is not None
        yield Window(t, start, total, states)


def _one_number(part: Any, t: int) -> Any:
    if getattr(part, "size", 1) != 1:
        raise ShapeError(
            f"tbptt: loss= gives one number, such as a sum; at t={t} it gave shape {part.shape}"
        )
    return part


def _first(state: Any) -> Any:
    return state[0] if isinstance(state, tuple) else state
