"""How the parts of an adjoint are added up: late to its shape, and in place where nobody sees it.

The chain rule only says ``adjoint[parent] += part``. Done as it stands, every ``+`` of a parameter
that is used at each step would copy the whole parameter. Here, an array is copied only if it may
belong to somebody else, broadcasting is undone once for the sum instead of once for each part, and
`parts` that are no arrays yet are added without making arrays of each: what comes from a selection
``x[index]`` goes to its place in the sum, and outer products wait until many can be taken at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from microgrrepresent.errors import complex_on_the_way
from microgrrepresent.node import Array, Node
from microgrrepresent.ops.elementwise import astype
from microgrrepresent.ops.reductions import unbroadcast
from microgrrepresent.parts import Outer, Selected

ROWS = 256
"""So many rows of outer products wait for each other: enough for a matrix product to be efficient,
too few to leave the cache."""


class Sums:
    """The adjoints that are being added up.

    Parts are added up as the rules gave them, and the sum is fitted to its node when it is
    complete: so the adjoint of a bias is summed over the steps first, and over the batch once.

    What arrives first may be an array that others hold too, such as g itself on its way through an
    addition. A sum that was made here belongs to nobody else, and is added to in place.
    """

    def __init__(self) -> None:
        self._sums: dict[int, Any] = {}
        self._made_here: set[int] = set()
        self._waiting: dict[int, list[Outer]] = {}

    def add(self, node: Node, part: Any) -> None:
        """Add a part to the adjoint of a node."""
        key, kind = node.id, type(part)
        if kind is Outer:
            self._wait(node, part)
            return
        if kind is Selected:
            scatter, g, xs, params = part
            scatter(self._own(node), g, *xs, **params)
            return
        if key not in self._sums:
            self._sums[key] = part
            return
        total = self._sums[key]
        if total.shape != part.shape or total.dtype is not part.dtype:
            total, part = fitted(total, node.value), fitted(part, node.value)
        if key in self._made_here:
            total += part
        else:
            total = total + part
            self._made_here.add(key)
        self._sums[key] = total

    def take(self, node: Node) -> Any:
        """The adjoint of a node, complete, of its shape and dtype; None if nothing was added."""
        if node.id in self._waiting:
            self._multiply(node)
        if node.id not in self._sums:
            return None
        g, value = self._sums.pop(node.id), node.value
        if g.shape != value.shape or g.dtype is not value.dtype:
            g = fitted(g, value)
        return g

    def _wait(self, node: Node, part: Outer) -> None:
        """Let outer products wait until there are enough of them for one matrix product."""
        waiting = self._waiting.setdefault(node.id, [])
        waiting.append(part)
        if len(waiting) * len(part[0]) >= ROWS:
            self._multiply(node)

    def _multiply(self, node: Node) -> None:
        """Add the outer products that wait to the adjoint of a node."""
        (left, right), *more = waiting = self._waiting.pop(node.id)
        if more:
            left, right = (np.concatenate(rows) for rows in zip(*waiting, strict=True))
        total = left.T.dot(right)
        if node.id in self._sums:
            self.add(node, total)
        else:
            self._sums[node.id] = total
            self._made_here.add(node.id)

    def _own(self, node: Node) -> Array:
        """The adjoint of a node, so far, as an array that may be added to in place."""
        key, value = node.id, node.value
        total = self._sums.get(key)
        if total is None:
            total = np.zeros(value.shape, value.dtype)
        elif key in self._made_here and type(total) is ndarray and total.shape == value.shape:
            return total
        else:  # somebody else's, one that is to be fitted, or a scalar
            total = np.array(fitted(total, value))
        self._sums[key] = total
        self._made_here.add(key)
        return total


def fitted(contribution: Any, value: Array) -> Any:
    """Undo broadcasting and promotion, so that a contribution has its parent's shape and dtype."""
    if contribution.shape != value.shape:
        contribution = unbroadcast(contribution, value.shape)
    if contribution.dtype is not value.dtype:
        if contribution.dtype.kind == "c" and value.dtype.kind != "c":
            raise complex_on_the_way(contribution, value)
        contribution = astype(contribution, dtype=value.dtype)
    return contribution
