"""A node: one variable of the computation graph.

The graph is data. A node says which operation made it, from which nodes, with which static
arguments, and what came out; it says it in fields that can be read, printed, saved and
replayed, never in a closure. Nodes point to their parents only, so nothing points in a circle:
when the last name for an output goes away, the whole graph behind it goes with it. Python's garbage
collector has nothing to do in graphs, but takes half of the time of a very long recording to see
that; `rnn.unroll` and the layers pause it meanwhile, and ``gc.disable()`` does so for other loops.

Ids count up as nodes are made. A node can only be made from nodes that exist, so every parent
has a smaller id than its child, and *ordering nodes by id is a topological order* of any graph.

A node also remembers where it was made; see `place`.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from microgrrepresent.errors import GradientError, no_gradient
from microgrrepresent.place import Place, here

if TYPE_CHECKING:
    from microgrrepresent.primitive import Primitive
    from microgrrepresent.source import Line

Array = NDArray[Any]
N = TypeVar("N", bound="Node")

next_id = itertools.count(1).__next__


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
        Where it was made; see `scope`, `step`, `derivative_of` and `line`.
    requires_grad : bool
        Whether a leaf wants a gradient, or a result depends on a leaf that does. May be set on
        leaves of floating-point numbers.
    """

    __slots__ = ("_requires_grad", "id", "name", "op", "params", "parents", "place", "value")

    op: Primitive | None
    parents: tuple[Node, ...]
    params: dict[str, Any]
    value: Array
    id: int
    name: str | None
    place: Place
    _requires_grad: bool  # the engine reads this one, in a sixth of the time

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
    def derivative_of(self) -> Node | None:
        """For a node of a symbolic backward pass: the node whose derivative it helps to compute."""
        return self.place.derivative_of

    @property
    def line(self) -> Line | None:
        """The line of code that made this node; None outside of `source_lines`."""
        return self.place.line

    @property
    def requires_grad(self) -> bool:
        """Whether a leaf wants a gradient, or a result depends on a leaf that does."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.op is not None:
            raise GradientError(
                f"{self.name or 'this Tensor'} is the result of {self.op.name}, and requires a "
                "gradient if its parents do; set requires_grad at leaves, or cut with t.detach()"
            )
        self._requires_grad = may_require(wanted, self.dtype, self.name)

    @property
    def is_leaf(self) -> bool:
        """Whether no operation made this node."""
        return self.op is None

    @property
    def is_number(self) -> bool:
        """Whether this is a number in the code, such as the 2 of ``2 * x``: made from nothing."""
        return self.op is not None and not self.parents

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


def may_require(wanted: bool, dtype: np.dtype[Any], name: str | None) -> bool:
    """What a leaf's `requires_grad` may be set to; see `no_gradient`."""
    if not isinstance(wanted, (bool, np.bool_)):
        raise TypeError(
            f"{name or 'a Tensor'}: requires_grad must be True or False, got {wanted!r}"
        )
    if wanted and dtype.kind != "f":
        raise no_gradient(name, dtype)
    return bool(wanted)


def make(
    kind: type[N],
    op: Primitive | None,
    parents: tuple[Node, ...],
    params: dict[str, Any],
    value: Array,
    requires_grad: bool,
    name: str | None = None,
    place: Place | None = None,
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
    node.place = here.get() if place is None else place
    node._requires_grad = requires_grad
    return node


def leaf(kind: type[N], value: Array, name: str | None = None, place: Place | None = None) -> N:
    """Make a leaf of an array that nobody else holds; it requires no gradient."""
    return make(kind, None, (), {}, value, False, name, place)


@cache
def dtype_name(dtype: np.dtype[Any]) -> str:
    """``float64``. NumPy takes longer to say that than to multiply two small matrices."""
    return dtype.name
