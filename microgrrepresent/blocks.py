"""Blocks: ``with`` statements that move the place where nodes are made, and move it back.

For blocks one inside another this is a stack. Generators make it more: one may stop in the middle
of its block, let other code run, and go on, end or be closed at any time, in another thread or
task. Whatever happens inside, the place is afterwards what it was before.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR, iscoroutinefunction
from types import FrameType
from typing import Any, NamedTuple, TypeVar

from microgrrepresent.place import Place, current, here
from microgrrepresent.source import line_here

F = TypeVar("F", bound=Callable[..., Any])


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


entered_blocks: ContextVar[tuple[_Entered, ...]] = ContextVar("entered", default=())
"""The blocks that are being run, the outermost one first; `here` is where they lead."""


_half_way: dict[tuple[object, int], list[_Began]] = {}
"""The blocks that generators are in, by block and generator, whatever thread runs those next."""


def enter(block: object, moved: Callable[[Place], Place], generator: int | None) -> None:
    """Move the place; inside a generator, until that goes on or ends."""
    before = here.get()
    token = here.set(moved(before))
    began = None
    if generator is not None:
        began = _Began(token)
        _half_way.setdefault((block, generator), []).append(began)
    entered_blocks.set((*entered_blocks.get(), _Entered(block, moved, before, began)))


def leave(block: object, generator: int | None) -> None:
    """Move the place back to where it was before the block, whatever began inside it."""
    entered = entered_blocks.get()
    if generator is None and entered and entered[-1].block is block and not entered[-1].suspended:
        entered_blocks.set(entered[:-1])  # as blocks of functions end, one inside another
        here.set(entered[-1].before)
        return
    began = None
    if generator is not None and (block, generator) in _half_way:
        began = _half_way[block, generator].pop()
        began.ended = True
        if not _half_way[block, generator]:
            del _half_way[block, generator]
        if not _is_here(began) and here.get == current.get:
            # asyncio closes generators in a task of its own, and a pool of threads runs them on
            # wherever one is free. The thread or task in which the block began learns that it has
            # ended when it next reads where it is.
            here.get = _place_now
    entered = entered_blocks.get()
    own = [i for i, entry in enumerate(entered) if entry.block is block]
    i = next((i for i in reversed(own) if entered[i].suspended is began), None)
    if i is not None:  # else it has ended already, with the block around it, or began elsewhere
        _end(i)


def _is_here(began: _Began) -> bool:
    """Whether a block began in this thread and task: Python takes its token back nowhere else."""
    place = current.get()
    try:
        current.reset(began.token)
    except ValueError:
        return False
    current.set(place)
    return True


def _place_now() -> Place:
    """The place, after the end of the blocks that ended in another thread or task."""
    for i, entry in reversed(list(enumerate(entered_blocks.get()))):
        if entry.suspended and entry.suspended.ended:
            _end(i)
    return current.get()


def place_and_line() -> Place:
    """The place, and inside of `source_lines` the line that is running."""
    place = _place_now()
    return place if place.line is None else place._replace(line=line_here())


def _end(i: int) -> None:
    # A block in a function ends after all that began inside of it, so that what is still there is
    # a generator that was left half-way. One in a generator may end at any time: those that others
    # have entered since go on, from where it began.
    entered = entered_blocks.get()
    kept, place = entered[:i], entered[i].before
    if entered[i].suspended:
        for entry in entered[i + 1 :]:
            kept += (entry._replace(before=place),)
            place = entry.moved(place)
    entered_blocks.set(kept)
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
        enter(self, self._moved, _generator())

    def __exit__(self, *_: object) -> None:
        leave(self, _generator())

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
