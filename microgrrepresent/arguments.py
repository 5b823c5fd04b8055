"""Arguments that are nodes or functions: taken as they are, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

from microgrrepresent.errors import shortened
from microgrrepresent.node import Node

T = TypeVar("T")


def one_node(x: Any, asker: str, role: str) -> Node:
    """See that an argument is a node."""
    if not isinstance(x, Node):
        raise TypeError(
            f"{asker}: {role} must be a Tensor, a variable of the recorded graph, "
            f"got {type(x).__name__}"
        )
    return x


def each_node(given: Any, asker: str, role: str) -> list[Node]:
    """One node, or a sequence of them, as a list, repeats kept."""
    several = isinstance(given, Iterable) and not isinstance(given, (Node, np.ndarray, str))
    return [one_node(x, asker, role) for x in (given if several else [given])]


def function(f: T, asker: str, what: str = "f") -> T:
    """A function, or whatever else can be called.

    Raises
    ------
    TypeError
        If it cannot.
    """
    if not callable(f):
        raise TypeError(f"{asker}: {what} must be a function, got {shortened(f)}")
    return f
