"""Where a node is made: in which scope, at which time step, and whether it is recorded at all.

    with scope("encoder"):
        for t, x in steps(xs):
            h = tanh(x @ U + h @ W)     # each node says: encoder, t = 1, 2, 3, ...

The place of the running code is one immutable value in a context variable, so every thread and
every asyncio task has a place of its own.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR, iscoroutinefunction
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from microgrrepresent.errors import located, shortened
from microgrrepresent.source import Line, line_here

if TYPE_CHECKING:
    from microgrrepresent.node import Node

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Place(NamedTuple):
    """Where a node is made."""

    scope: str = ""
    step: int | None = None
    derivative_of: Node | None = None
    """The node whose derivative is computed here."""
    recorded: bool = True
    """False inside of `no_grad`: results have no history."""
    line: Line | None = None
    """The line of code, inside of `source_lines`."""


_here: ContextVar[Place] = ContextVar("here", default=Place())  # noqa: B039 (immutable)


class _Here:
    """Read and set the place of the running code, as its context variable does.

    It can be read otherwise once that is needed; see `_leave`.
    """

    __slots__ = ("get", "set")

    def __init__(self) -> None:
        self.get: Callable[[], Place] = _here.get
        self.set = _here.set


here = _Here()


class _Began:
    """Where a generator's block began, and whether it has ended, in whatever thread or task."""

    __slots__ = ("ended", "token")

    def __init__(self, token: Token[Place]) -> None:
        self.token, self.ended = token, False


class _Entered(NamedTuple):
    """A block that is being run."""

    block: object
    moved: Callable[[Place], Place]
    before: Place
    suspended: _Began | None
    """None unless it is a generator's, so that other code may run before it ends."""


_entered: ContextVar[tuple[_Entered, ...]] = ContextVar("entered", default=())
"""The blocks that are being run, the outermost one first; `here` is where they lead."""


_half_way: dict[tuple[object, int], list[_Began]] = {}
"""The blocks that generators are in, by block and generator, whatever thread runs those next."""


def _enter(block: object, moved: Callable[[Place], Place], generator: int | None) -> None:
    before = here.get()
    token = here.set(moved(before))
    began = None
    if generator is not None:
        began = _Began(token)
        _half_way.setdefault((block, generator), []).append(began)
    _entered.set((*_entered.get(), _Entered(block, moved, before, began)))


def _leave(block: object, generator: int | None) -> None:
    entered = _entered.get()
    if generator is None and entered and entered[-1].block is block and not entered[-1].suspended:
        _entered.set(entered[:-1])  # as blocks of functions end, one inside another
        here.set(entered[-1].before)
        return
    began = None
    if generator is not None and (block, generator) in _half_way:
        began = _half_way[block, generator].pop()
        began.ended = True
        if not _half_way[block, generator]:
            del _half_way[block, generator]
        if not _is_here(began) and here.get == _here.get:
            # asyncio closes generators in a task of its own, and a pool of threads runs them on
            # wherever one is free. The thread or task in which the block began learns that it has
            # ended when it next reads where it is.
            here.get = _place_now
    entered = _entered.get()
    own = [i for i, entry in enumerate(entered) if entry.block is block]
    i = next((i for i in reversed(own) if entered[i].suspended is began), None)
    if i is not None:  # else it has ended already, with the block around it, or began elsewhere
        _end(i)


def _is_here(began: _Began) -> bool:
    """Whether a block began in this thread and task: Python takes its token back nowhere else."""
    place = _here.get()
    try:
        _here.reset(began.token)
    except ValueError:
        return False
    _here.set(place)
    return True


def _place_now() -> Place:
    """The place, after the end of the blocks that ended in another thread or task."""
    for i, entry in reversed(list(enumerate(_entered.get()))):
        if entry.suspended and entry.suspended.ended:
            _end(i)
    return _here.get()


def _place_and_line() -> Place:
    """The place, and inside of `source_lines` the line that is running."""
    place = _place_now()
    return place if place.line is None else place._replace(line=line_here())


def _end(i: int) -> None:
    # A block in a function ends after all that began inside of it, so that what is still there is
    # a generator that was left half-way. One in a generator may end at any time: those that others
    # have entered since go on, from where it began.
    entered = _entered.get()
    kept, place = entered[:i], entered[i].before
    if entered[i].suspended:
        for entry in entered[i + 1 :]:
            kept += (entry._replace(before=place),)
            place = entry.moved(place)
    _entered.set(kept)
    here.set(place)


_GENERATOR = CO_GENERATOR | CO_ASYNC_GENERATOR


def _generator() -> int | None:
    """Which generator the code belongs to that enters or leaves a block; None of other code.

    That of a context manager written as a generator is not: it runs for the ``with`` block of its
    caller, and ends with that.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if code.co_filename != contextlib.__file__:
            if not code.co_flags & _GENERATOR:
                return None
            if frame.f_back is None or frame.f_back.f_code.co_filename != contextlib.__file__:
                return id(frame)
        frame = frame.f_back
    return None


class Block(ContextDecorator):
    """A ``with`` block, or a decorated function, whose nodes are made at another place.

    A block may be kept, used again, inside itself, and by several threads, because what it has to
    set back is remembered by the running thread or task. At its end the place is what it was
    before, whatever happened inside: if a generator was left half-way in a block of its own, that
    block ends too.

    A block with a ``yield`` inside holds for the code that runs the generator, too, until it goes
    on, ends or is closed, at any time, in the thread or task in which it began. An asynchronous
    generator that is left half-way is closed by ``await generator.aclose()``, as
    ``contextlib.aclosing`` does; asyncio closes one that nobody holds when the loop runs next.
    """

    def __init__(self, moved: Callable[[Place], Place]) -> None:
        self._moved = moved

    def __enter__(self) -> None:
        _enter(self, self._moved, _generator())

    def __exit__(self, *_: object) -> None:
        _leave(self, _generator())

    def __call__(self, function: F) -> F:
        """Run the whole body of a function inside this block."""
        if isinstance(function, type) or not callable(function):
            raise TypeError(
                f"a block such as no_grad() decorates a function, got {function!r} (of a class, "
                "decorate the methods; @classmethod and @property stand above it)"
            )
        for late in (inspect.isgeneratorfunction, iscoroutinefunction, inspect.isasyncgenfunction):
            if late(function) or late(getattr(function, "__call__", None)):  # noqa: B004
                raise TypeError(
                    f"{getattr(function, '__name__', repr(function))} runs after the call that "
                    "makes it, and so outside of the block that decorates it; write the with block "
                    "into its body"
                )
        return super().__call__(function)


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
        here.get = _place_and_line
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
            entered = _entered.get()
            if entered and entered[-1].block is moved:
                here.set(moved(entered[-1].before))
            else:  # the first step, or one beside another loop
                _leave(moved, 0)
                _enter(moved, moved, 0)
            try:
                x = next(xs)
            except StopIteration:
                return
            yield t, x
    finally:
        _leave(moved, 0)


def running(op: str) -> str:
    """Name an operation that runs here and now, for a message: ``softmax in lstm at t=3``."""
    place = here.get()
    return located(op, place.scope, place.step)
