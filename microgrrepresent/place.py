"""Where a node is made: in which scope, at which time step, and whether it is recorded at all.

    with scope("encoder"):
        for t, x in steps(xs):
            h = tanh(x @ U + h @ W)     # each node says: encoder, t = 1, 2, 3, ...

The place of the running code is one immutable value in a context variable, so every thread and
every asyncio task has a place of its own.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from microgrrepresent.errors import located

if TYPE_CHECKING:
    from microgrrepresent.node import Node

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Place(NamedTuple):
    """Where a node is made."""

    scope: str = ""
    step: int | None = None
    forward: Node | None = None
    """The node whose derivative is computed here."""
    recorded: bool = True
    """False inside of `no_grad`: results have no history."""


here: ContextVar[Place] = ContextVar("here", default=Place())  # noqa: B039 (a Place is immutable)


class Block(ContextDecorator):
    """A ``with`` block, or a decorated function, whose nodes are made at another place.

    A block may be kept, used again, inside itself, and by several threads, because what it has to
    set back is remembered by the running thread or task. At its end the place is what it was
    before, whatever happened inside: if a generator was left half-way in a block of its own, that
    block ends too.
    """

    def __init__(self, moved: Callable[[Place], Place]) -> None:
        self._moved = moved

    def __enter__(self) -> None:
        before = here.get()
        _entered.set((self, before, _entered.get()))
        here.set(self._moved(before))

    def __exit__(self, *_: object) -> None:
        entry = _entered.get()
        while entry is not None:  # else it has ended already, with the block around it
            block, before, outer = entry
            if block is self:
                _entered.set(outer)
                here.set(before)
                return
            entry = outer

    def __call__(self, function: F) -> F:
        """Run the whole body of a function inside this block."""
        if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
            raise TypeError(
                f"{function.__name__} runs after the call that makes it, and so outside of the "
                "block that decorates it; write the with block into its body"
            )
        return super().__call__(function)


# A block that is being run, the place before it, and so on for the blocks around it.
_entered: ContextVar[tuple[Block, Place, Any] | None] = ContextVar("entered", default=None)


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
        outer, t, forward, recorded = place
        return Place(f"{outer}/{name}" if outer else name, t, forward, recorded)

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
    return Block(lambda p: Place(p.scope, t, p.forward, p.recorded))


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
    if reverse:
        items: Any = xs if hasattr(xs, "__getitem__") else list(xs)
        last = start + len(items) - 1
        return _walk(reversed(items), itertools.count(last, -1), here.get().step)
    return _walk(iter(xs), itertools.count(start), here.get().step)


def _walk(xs: Iterator[T], ts: Iterator[int], outside: int | None) -> Iterator[tuple[int, T]]:
    # Only the step is set, and set back only where it is still the one of this loop: so two loops
    # may be zipped together, and one that is left half-way may be closed at any time.
    place = None
    try:
        for t in ts:
            scope, _, forward, recorded = here.get()
            place = Place(scope, t, forward, recorded)
            here.set(place)
            try:
                x = next(xs)
            except StopIteration:
                return
            yield t, x
    finally:
        if here.get() is place:
            here.set(place._replace(step=outside))


def running(op: str) -> str:
    """Name an operation that runs here and now, for a message: ``softmax in lstm at t=3``."""
    place = here.get()
    return located(op, place.scope, place.step)
