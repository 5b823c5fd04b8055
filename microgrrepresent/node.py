"""A node: one variable of the computation graph.

The graph is data. A node says which operation made it, from which nodes, with which static
arguments, and what came out; it says it in fields that can be read, printed, saved and
replayed, never in a closure. Nodes point to their parents only, so nothing points in a circle:
when the last name for an output goes away, the whole graph behind it goes with it.

Ids count up as nodes are made. A node can only be made from nodes that exist, so every parent
has a smaller id than its child, and *ordering nodes by id is a topological order* of any graph.

A node also remembers where it was made: in which `scope` (a path such as ``encoder/lstm``) and
at which `step` (the time index t of an unrolled recurrence).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from microgrrepresent.errors import located

if TYPE_CHECKING:
    from microgrrepresent.primitive import Primitive

Array = NDArray[Any]
T = TypeVar("T")
N = TypeVar("N", bound="Node")

next_id = itertools.count(1).__next__


class Place(NamedTuple):
    """Where a node is made: its scope, its time step, and the node whose derivative it computes."""

    scope: str = ""
    step: int | None = None
    forward: Node | None = None


here: ContextVar[Place] = ContextVar("place", default=Place())  # noqa: B039 (a Place is immutable)
recording: ContextVar[bool] = ContextVar("recording", default=True)


class Node:
    """A variable of the graph: plain fields, no mathematics.

    Attributes
    ----------
    op : Primitive or None
        The operation that made this node; None for a leaf.
    parents : tuple of Node
        The operation's inputs, in order, repeats kept: ``x * x`` has parents ``(x, x)``.
    params : dict
        The operation's static arguments, such as ``axis``.
    value : ndarray
        What the operation gave. Always read-only.
    id : int
        Creation order; a parent's id is smaller than its child's.
    name : str or None
        The letter a drawing shows: ``h``, ``W_hh``, ``ŷ``.
    place : Place
        Where it was made; see `scope`, `step` and `forward`.
    requires_grad : bool
        Whether a leaf wants a gradient, or a result depends on a leaf that does.
    """

    __slots__ = ("id", "name", "op", "params", "parents", "place", "requires_grad", "value")

    op: Primitive | None
    parents: tuple[Node, ...]
    params: dict[str, Any]
    value: Array
    id: int
    name: str | None
    place: Place
    requires_grad: bool

    result_class: ClassVar[type[Node]]
    """The class of what operations on this node make: its own, unless a subclass says otherwise."""

    @property
    def scope(self) -> str:
        """Path of the scopes around the code that made this node: ``encoder/lstm``, or ``""``."""
        return self.place.scope

    @property
    def step(self) -> int | None:
        """Time index t at which this node was made, or None outside of any step."""
        return self.place.step

    @property
    def forward(self) -> Node | None:
        """For a node of a symbolic backward pass: the node whose derivative it helps to compute."""
        return self.place.forward

    @property
    def is_leaf(self) -> bool:
        """Whether no operation made this node."""
        return self.op is None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value."""
        return self.value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the value."""
        return self.value.dtype

    @property
    def ndim(self) -> int:
        """Number of axes of the value."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """Number of elements of the value."""
        return self.value.size


Node.result_class = Node


def make(
    kind: type[N],
    op: Primitive | None,
    parents: tuple[Node, ...],
    params: dict[str, Any],
    value: Array,
    requires_grad: bool,
    name: str | None = None,
) -> N:
    """Make a node of a class, here and now, and freeze its value."""
    # write=False; by position, because by name it takes twice as long
    value.setflags(False)  # type: ignore[call-arg]
    node = object.__new__(kind)
    node.op = op
    node.parents = parents
    node.params = params
    node.value = value
    node.id = next_id()
    node.name = name
    node.place = here.get()
    node.requires_grad = requires_grad
    return node


class at:
    """A ``with`` block that sends every node made inside it to another place."""

    __slots__ = ("_place", "_token")
    _token: Token[Place]

    def __init__(self, place: Place) -> None:
        self._place = place

    def __enter__(self) -> None:
        self._token = here.set(self._place)

    def __exit__(self, *_: object) -> None:
        here.reset(self._token)


def scope(name: str) -> at:
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
        raise TypeError(f"scope: a scope has a name, such as 'encoder'; given {name!r}")
    outer, t, forward = here.get()
    return at(Place(f"{outer}/{name}" if outer else name, t, forward))


def running(op: str) -> str:
    """Name an operation that runs here and now, for a message: ``softmax in lstm at t=3``."""
    place = here.get()
    return located(op, place.scope, place.step)


def step(t: int | None) -> at:
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
        raise TypeError(f"step: a time index is an integer, or None; given {t!r}")
    outer, _, forward = here.get()
    return at(Place(outer, t, forward))


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
    # Only the step is set, and set back to what it was when `steps` was called: so two loops that
    # are zipped together, or a loop that is left half-way, leave no step or scope behind.
    try:
        for t in ts:
            here.set(here.get()._replace(step=t))
            try:
                x = next(xs)
            except StopIteration:
                return
            yield t, x
    finally:
        here.set(here.get()._replace(step=outside))


class no_grad(ContextDecorator):
    """Record nothing inside ``with no_grad():``; every result is a leaf that has no history.

    Also decorates a function, ``@no_grad()``, whose whole body then runs so.

    Examples
    --------
    >>> from microgrrepresent import Tensor, no_grad
    >>> with no_grad():
    ...     y = Tensor(2.0, requires_grad=True) * 3
    >>> y.is_leaf, y.requires_grad
    (True, False)
    """

    _token: Token[bool]

    def _recreate_cm(self) -> Self:
        return type(self)()  # one for each call, because a decorated function may call itself

    def __enter__(self) -> None:
        self._token = recording.set(False)

    def __exit__(self, *_: object) -> None:
        recording.reset(self._token)
