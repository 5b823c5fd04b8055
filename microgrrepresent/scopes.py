"""The blocks that say where nodes are made: `scope`, `step`, `no_grad`, and the loop `steps`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import numpy as np

from microgrrepresent.blocks import Block, enter, entered_blocks, leave, place_and_line
from microgrrepresent.errors import shortened
from microgrrepresent.place import Place, here
from microgrrepresent.source import line_here

T = TypeVar("T")


def at(place: Place) -> Block:
    """A block whose nodes are made at a given place."""
    return Block(lambda _: place)


def scope(name: str) -> Block:
    """Stamp the nodes made inside ``with scope(name):``; scopes nest as paths do.

    Examples
    --------
    >>> from microgrrepresent import Tensor, scope
    >>> with scope("encoder"), scope("lstm"):
    ...     y = Tensor(1.0) + 1
    >>> y.scope
    'encoder/lstm'
    """
    if not isinstance(name, str):
        raise TypeError(f"scope: a scope has a name, such as 'encoder', got {name!r}")

    def moved(place: Place) -> Place:
        outer, t, derivative_of, recorded, line = place
        return Place(f"{outer}/{name}" if outer else name, t, derivative_of, recorded, line)

    return Block(moved)


def step(t: int | None) -> Block:
    """Stamp the nodes made inside ``with step(t):`` with the time index t.

    Examples
    --------
    >>> from microgrrepresent import Tensor, step
    >>> with step(3):
    ...     y = Tensor(1.0) + 1
    >>> y.step
    3
    """
    if t is not None and not hasattr(t, "__index__"):
        raise TypeError(f"step: a time index is an integer, or None, got {t!r}")
    return Block(lambda p: Place(p.scope, t, p.derivative_of, p.recorded, p.line))


def no_grad() -> Block:
    """Record nothing inside ``with no_grad():``; every result is a leaf that has no history.

    Also decorates a function, ``@no_grad()``, whose whole body then runs so. It holds for the
    thread or asyncio task in which it is entered.

    Examples
    --------
    >>> from microgrrepresent import Tensor, no_grad
    >>> with no_grad():
    ...     y = Tensor(2.0, requires_grad=True) * 3
    >>> y.is_leaf, y.requires_grad
    (True, False)
    """
    return Block(lambda place: place._replace(recorded=False))


def source_lines() -> Block:
    """Stamp the nodes made inside ``with source_lines():`` with the line of code that made each.

    ``node.line`` says it then, and a drawing that is saved as an HTML page shows it. To find the
    line takes as long as a small operation, so it is asked for here, and a program that never asks
    pays nothing for it.

    Examples
    --------
    >>> from microgrrepresent import Tensor, source_lines
    >>> x, y = Tensor(2.0), Tensor(3.0)
    >>> with source_lines():
    ...     z = x * y + 1
    >>> z.line.number
    2
    """

    def moved(place: Place) -> Place:
        here.get = place_and_line
        return place._replace(line=line_here())

    return Block(moved)


def steps(xs: Iterable[T], start: int = 1, reverse: bool = False) -> Iterator[tuple[int, T]]:
    """Run a loop over time: yield ``(t, x_t)`` with the loop's body inside ``step(t)``.

    Parameters
    ----------
    xs : iterable
        The inputs, first one first. A Tensor is cut along its first axis, each cut inside its step.
    start : int
        Time index of the first input. Sequences begin at t = 1, so that h_0 is the initial state.
    reverse : bool
        Run from the last input to the first. Each input keeps its time index.

    Examples
    --------
    >>> from microgrrepresent import Tensor, steps
    >>> s = Tensor(1.0)
    >>> for t, x in steps(Tensor([0.5, 2.0])):
    ...     s = s * x
    >>> s.step, float(s)
    (2, 1.0)
    """
    if not isinstance(xs, Iterable):
        raise TypeError(f"steps: the inputs must be a sequence, got {shortened(xs)}")
    if not isinstance(start, (int, np.integer)):
        raise TypeError(f"steps: start must be an integer, got {shortened(start)}")
    if reverse:
        items: Any = xs if hasattr(xs, "__getitem__") else list(xs)
        last = start + len(items) - 1
        return _walk(reversed(items), itertools.count(last, -1))
    return _walk(iter(xs), itertools.count(start))


def _walk(xs: Iterator[T], ts: Iterator[int]) -> Iterator[tuple[int, T]]:
    def moved(place: Place) -> Place:
        return Place(place.scope, t, place.derivative_of, place.recorded, place.line)

    try:
        for t in ts:  # which `moved` reads
            entered = entered_blocks.get()
            if entered and entered[-1].block is moved:
                here.set(moved(entered[-1].before))
            else:  # the first step, or one beside another loop
                leave(moved, 0)
                enter(moved, moved, 0)
            try:
                x = next(xs)
            except StopIteration:
                return
            yield t, x
    finally:
        leave(moved, 0)
