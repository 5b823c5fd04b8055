"""All that a printed program consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from microgrrepresent.node import Node
from microgrrepresent.programs.expressions import Expr
from microgrrepresent.programs.lines import Item, Line
from microgrrepresent.programs.texts import Shape


@dataclass(frozen=True)
class Code:
    """All that is printed.

    Attributes
    ----------
    name : str
    inputs : dict from str to (tuple, dtype)
        The shape and data type of each.
    leaves : dict from str to Node
        What else it takes: parameters, and what the function had at hand.
    sizes : tuple of (str, str)
        Each size and where it is read.
    made : tuple of Line
        Leaves that the function made, such as an initial state of zeros.
    forward, backward : tuple of Line or Loop
    loss : str
    gradients : tuple of str
    helpers : tuple of callable
    given : dict from (str, int) to str
        Initial values: the variable and step at which they stand.
    timed : frozenset of str
        The variables that have a value at every step.
    shapes : dict from str to tuple
        The shape of each variable, at a step.
    dtype : dtype
        Of the loss, and of all that the gradient flows through.
    other_types : dict from str to dtype
        Variables of another data type: masks, indices.
    """

    name: str
    inputs: dict[str, tuple[Shape, np.dtype[Any]]]
    leaves: dict[str, Node]
    sizes: tuple[tuple[str, str], ...]
    made: tuple[Line, ...]
    forward: tuple[Item, ...]
    backward: tuple[Item, ...]
    loss: str
    gradients: tuple[Expr, ...]
    helpers: tuple[Callable[..., Any], ...]
    given: dict[str, list[tuple[Expr, str]]]
    timed: frozenset[str]
    shapes: dict[str, Shape]
    dtype: np.dtype[Any]
    other_types: dict[str, np.dtype[Any]]
