"""A Tensor: a node that reads like a NumPy array, with the `array_methods` of one.

A Tensor owns its array and hands it out read-only, so that a recorded graph cannot be changed
behind its back. A leaf gets a new value by `Tensor.assign` only.

What becomes an array leaves the graph, and a derivative cannot follow it there. So a Tensor that
requires a gradient does not become an array by itself while recording is on: ``np.asarray(t)``,
``array.dot(t)``, ``np.array([t, u])``, ``rows[i] = t`` and whatever else NumPy, SciPy or matplotlib
do by way of ``__array__`` raise a `GradientError`. ``t.numpy()``, ``t.data``, ``t.item()``,
``float(t)`` and ``int(t)`` say that the value alone is meant, and give it. Note that Python's own
numbers are made by ``float(t)``: ``math.exp(t)``, and ``out[i] = t`` for a single element of an
array, cannot be told from it, and have no derivative. Tensors that require no gradient, and all
Tensors under `no_grad`, become arrays wherever NumPy wants one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent.array_methods import ArrayMethods
from microgrrepresent.arrays import new_array, overflows, plain_array
from microgrrepresent.errors import (
    DTypeError,
    GradientError,
    ImmutableError,
    ShapeError,
    gradient_lost,
    operand,
)
from microgrrepresent.gradients import leaf_gradients
from microgrrepresent.node import Array, Node, make, may_require, next_id
from microgrrepresent.place import here

_adding = threading.Lock()  # of gradients, by threads whose graphs share leaves

_SHORT = 280
"""Characters of numbers that Python's prompt shows of a Tensor, at the most."""


class Tensor(ArrayMethods):
    """A variable of the graph, made from data (a leaf) or by an operation on other Tensors.

    Parameters
    ----------
    data : array_like
        Its value; copied.
    requires_grad : bool
        Whether ``backward()`` shall leave a gradient in ``.grad``. Floating-point data only.
    name : str, optional
        The letter that drawings and listings show.
    dtype : data type, optional
        As for ``np.array``.

    Notes
    -----
    While recording is on, a Tensor that requires a gradient does not become an array by itself:
    ``np.asarray(t)``, ``array.dot(t)``, ``np.array([t, u])`` and ``rows[i] = t`` raise a
    `GradientError`, as the derivative could not follow. ``t.numpy()`` and ``float(t)`` give the
    value. A single element ``out[i] = t`` is written by ``float(t)``, too: collect such results in
    a list, and join them with `stack`.

    Examples
    --------
    >>> from microgrrepresent import Tensor
    >>> x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> loss = (x * x).sum()
    >>> loss.backward()
    >>> x.grad.tolist()
    [2.0, 4.0]
    """

    __slots__ = ("__weakref__", "_grad")

    _grad: Array | None

    def __new__(
        cls,
        data: ArrayLike,
        requires_grad: bool = False,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ) -> Self:
        """Make a leaf; see the class."""
        value = new_array(data, dtype)
        wanted = may_require(requires_grad, value.dtype, name)
        return make(cls, None, (), {}, value, wanted, name)

    # --- reading ---------------------------------------------------------------------------------

    @property
    def data(self) -> Array:
        """The value, read-only; ``t.data = array`` gives a leaf a new one, as `assign` does."""
        return self.value

    @data.setter
    def data(self, data: ArrayLike) -> None:
        self.assign(data)

    def numpy(self) -> Array:
        """The value as an array, read-only; ``t.numpy().copy()`` can be written to."""
        return self.value

    def item(self) -> Any:
        """The value of a Tensor with one element, as a Python number."""
        return self._only("item")

    def _only(self, asker: str) -> Any:
        if self.size != 1:
            raise ValueError(
                f"{asker}: {operand(self.name or 'a Tensor', self)} has {self.size} elements, not "
                "one; index it, or take .sum() or .mean()"
            )
        return self.value.item()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if self.requires_grad and here.get().recorded:
            raise gradient_lost("as an array", self)
        return np.array(self.value, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a Tensor without axes has no len()")
        return len(self.value)

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise TypeError("a Tensor without axes cannot be iterated over")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"the truth of a Tensor with {self.size} elements is ambiguous; "
                "use where(condition, a, b), or ask the array: t.numpy().any(), t.numpy().all()"
            )
        return bool(self.value)

    def __float__(self) -> float:
        """The value, without its history.

        Whatever wants a number asks for it by this name, and cannot be told from a user who does:

        - one element of an array: ``out[i] = t``, ``out.flat[0] = t``, ``out.fill(t)``,
          ``np.fromiter``, the fields of a structured array, ``array.array``;
        - a number given to NumPy beside arrays: ``np.sum(a, initial=t)``;
        - Python's own mathematics: ``math.exp(t)``, ``math.fsum``;
        - what calls a function of yours and reads a number: ``scipy.integrate.quad``, ``brentq``.

        The derivative ends there, without a word. Join results with `stack`, and compute with the
        functions of this package.
        """
        return float(self._only("float"))

    def __int__(self) -> int:
        return int(self._only("int"))

    def __index__(self) -> int:
        if self.ndim or self.dtype.kind not in "iu":
            raise TypeError(
                f"only a Tensor of one integer, without axes, is an index; "
                f"{operand(self.name or 'a Tensor', self)} is of {self.dtype}"
            )
        return int(self.value)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.op is not None and self.requires_grad and here.get().recorded:
            raise gradient_lost("in a copy (Graph(t).to_json() saves both)", self)
        return type(self), (self.value, self.requires_grad and self.is_leaf, self.name)

    def __repr__(self) -> str:
        text = np.array2string(self.value, separator=", ", prefix="Tensor(", threshold=50)
        if len(text) > _SHORT:
            text = np.array2string(
                self.value, separator=", ", prefix="Tensor(", threshold=0, edgeitems=1
            )
        text = f"shape={self.shape}" if len(text) > _SHORT else text
        if self.dtype not in (np.float64, np.int64, np.bool_):
            text += f", dtype={self.dtype}"
        if self.name:
            text += f", name={self.name!r}"
        if self.op is not None:
            text += f", op={self.op.name}"
        return f"Tensor({text}{', requires_grad=True' if self.requires_grad else ''})"

    __hash__ = object.__hash__

    # --- changing --------------------------------------------------------------------------------

    def named(self, name: str | None) -> Tensor:
        """Set the name and return the Tensor: ``h = tanh(z).named("h")``."""
        self.name = name
        return self

    def assign(self, data: ArrayLike) -> None:
        """Give a leaf a new value of the same shape; its data type stays.

        An assigned leaf counts as a new variable: it gets a new id. A graph recorded before has
        then a parent that is younger than its child, which is how a sweep over it knows that the
        recorded values are no longer those of this leaf.

        Raises
        ------
        ImmutableError
            If this is not a leaf: its value follows from its parents.
        ShapeError
            If the shapes differ.
        DTypeError
            If the new numbers are of another kind, such as floats for a leaf of integers, or too
            large for its data type.
        """
        if self.op is not None:
            raise ImmutableError(
                f"assign: {self.name or 'this Tensor'} is the result of {self.op.name}, "
                "so its value follows from its parents; assign to a leaf"
            )
        value = data.value if isinstance(data, Node) else new_array(data)
        if value.shape != self.shape:
            raise ShapeError(
                f"assign: {self.name or 'this Tensor'} has shape {self.shape}, got {value.shape}"
            )
        if not np.can_cast(value.dtype, self.dtype, "same_kind"):
            raise DTypeError(
                f"assign: {self.name or 'this Tensor'} holds {self.dtype}, got {value.dtype}"
            )
        if overflows(value, self.dtype):
            raise DTypeError(
                f"assign: {self.name or 'this Tensor'} holds {self.dtype}, got numbers that are "
                "too large for it"
            )
        fresh = np.empty_like(self.value)  # in the memory layout that this leaf was made with
        fresh[...] = value
        fresh.setflags(write=False)
        self.value, self.id = fresh, next_id()

    def detach(self) -> Tensor:
        """A leaf with the same value and no history, which the graph behind it is free to leave.

        It remembers that it was detached, so that a drawing can show where the graph was cut.
        """
        return make(Tensor, None, (), {"detached": True}, self.value, False, self.name)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise ImmutableError(
            "a Tensor cannot be changed in place, because the graph has recorded its value; "
            "make a new one with where(mask, new, t) or concatenate, "
            "or give a leaf a whole new value with t.assign(array)"
        )

    # --- differentiating -------------------------------------------------------------------------

    def backward(self, seed: ArrayLike | None = None, retain_graph: bool | None = None) -> None:
        """Add d(self)/d(leaf) to ``.grad`` of every leaf that requires a gradient.

        May be called again, and then adds again. See `microgrrepresent.backward`.

        Threads and asyncio tasks may each record and differentiate graphs of their own. Those
        graphs may share leaves: what several threads add to one ``.grad`` adds up. A leaf may be
        assigned to when all of them are done.

        Parameters
        ----------
        seed : array_like, optional
            The adjoint of this Tensor, of its shape. A Tensor of one element needs none: it is 1.
        retain_graph : bool, optional
            As in PyTorch, where it lets a graph be used again; here it always can be.
        """
        found = leaf_gradients(self, seed)
        with _adding:
            for leaf, g in found:
                leaf.grad = np.array(g) if leaf.grad is None else np.asarray(leaf.grad + g)

    @property
    def grad(self) -> Array | None:
        """What ``backward()`` accumulated here, of this shape and dtype; None before it ran.

        Raises
        ------
        GradientError
            If this is not a leaf: gradients of results are not kept, unless asked for.
        """
        if self.op is not None:
            raise GradientError(
                f"{self.name or 'this Tensor'} is the result of {self.op.name}, and backward() "
                "leaves gradients at leaves only; use grad(loss, node), or backward(loss)[node]"
            )
        return getattr(self, "_grad", None)

    @grad.setter
    def grad(self, value: ArrayLike | None) -> None:
        if value is None:
            self._grad = None
            return
        given = plain_array(value)
        if given.shape != self.shape:
            raise ShapeError(
                f"grad: the gradient of {operand(self.name or 'a leaf', self)} has its shape, "
                f"got {given.shape}"
            )
        if not np.can_cast(given.dtype, self.dtype, "same_kind"):
            raise DTypeError(
                f"grad: the gradient of {operand(self.name or 'a leaf', self)} is of its "
                f"{self.dtype}, got {given.dtype}"
            )
        self._grad = given.astype(self.dtype, copy=False)


Tensor.result_class = Tensor
