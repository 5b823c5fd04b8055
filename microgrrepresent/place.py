"""Where a node is made: in which scope, at which time step, and whether it is recorded at all.

The place of the running code is one immutable value in a context variable, so every thread and
every asyncio task has a place of its own. The blocks in `scopes` set it:

    with scope("encoder"):
        for t, x in steps(xs):
            h = tanh(x @ U + h @ W)     # each node says: encoder, t = 1, 2, 3, ...
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from microgrrepresent.errors import located
from microgrrepresent.source import Line

if TYPE_CHECKING:
    from microgrrepresent.node import Node


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


current: ContextVar[Place] = ContextVar("here", default=Place())  # noqa: B039 (immutable)


class _Here:
    """Read and set the place of the running code, as its context variable does.

    It can be read otherwise once that is needed; see `blocks`.
    """

    __slots__ = ("get", "set")

    def __init__(self) -> None:
        self.get: Callable[[], Place] = current.get
        self.set = current.set


here = _Here()


def running(op: str) -> str:
    """Name an operation that runs here and now, for a message: ``softmax in lstm at t=3``."""
    place = here.get()
    return located(op, place.scope, place.step)
