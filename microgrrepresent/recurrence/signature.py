"""What nodes have in common: the form of an operation, with or without the numbers that may grow.

Time is in a graph in two ways: as the step that a node was stamped with, and as an integer in an
index, the t of ``X[t]`` and ``X[:, t]``. All else has to be equal from step to step.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np

from microgrrepresent.node import Node


def signature(node: Node) -> tuple[Any, ...]:
    """What two nodes of one strand have in common, their names aside; see also `index_numbers`."""
    params: Hashable = ()
    if node.params:
        index = node.op.index if node.op else ""
        params = tuple((k, _form(v, k == index)) for k, v in node.params.items())
    op = node.op.name if node.op else ""
    return op, node.shape, node.dtype.str, node.scope, len(node.parents), params


def exact(node: Node) -> tuple[Any, ...]:
    """All that two nodes of isomorphic graphs have in common, parents aside."""
    form = tuple((k, _form(v, False)) for k, v in node.params.items())
    wanted = node.is_leaf and node.requires_grad
    return *signature(node)[:-1], form, node.name, node.step, wanted, node.derivative_of is None


def index_numbers(node: Node) -> list[int]:
    """The integers in a selection's index, which may grow with the step: ``X[t]``, ``X[:, t]``."""
    return integers(index_of(node)) if selects(node) else []


def selects(node: Node) -> bool:
    """Whether one of a node's static arguments is an index."""
    return node.op is not None and node.op.index in node.params


def index_of(node: Node) -> Any:
    """The index by which a node selects."""
    assert node.op is not None
    return node.params[node.op.index]


def integers(index: Any) -> list[int]:
    """The integers in an index, in order."""
    if type(index) is int:
        return [index]
    if isinstance(index, slice):
        index = (index.start, index.stop, index.step)
    return [n for part in index for n in integers(part)] if isinstance(index, tuple) else []


def with_index_numbers(node: Node, numbers: Iterable[int]) -> dict[str, Any]:
    """The node's static arguments with other integers in the index."""
    if node.op is None or not selects(node):
        return node.params
    new = iter(numbers)
    return {**node.params, node.op.index: _visit_numbers(index_of(node), lambda _: next(new))}


def _visit_numbers(index: Any, visit: Callable[[int], int]) -> Any:
    if type(index) is int:
        return visit(index)
    if isinstance(index, tuple):
        return tuple(_visit_numbers(part, visit) for part in index)
    if isinstance(index, slice):
        return slice(*(_visit_numbers(end, visit) for end in (index.start, index.stop, index.step)))
    return index


def _form(value: Any, free_numbers: bool) -> Hashable:
    """A static argument in a form that can be compared; without its integers, if they are free."""
    if type(value) is int and free_numbers:
        return "integer"
    if isinstance(value, (tuple, list)):
        return type(value).__name__, tuple(_form(part, free_numbers) for part in value)
    if isinstance(value, slice):
        ends = value.start, value.stop, value.step
        return "slice", tuple(_form(end, free_numbers) for end in ends)
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    return type(value).__name__, repr(value)
