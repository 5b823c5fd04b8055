"""What a view says of a node: which box it belongs to, and what the box says."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from microgrrepresent.drawing.marks.labels import Label
from microgrrepresent.drawing.marks.picture import Kind
from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.node import Node


@dataclass(frozen=True)
class Glyph:
    """The nodes of one box, and how it looks.

    Attributes
    ----------
    key : hashable
        Equal for the nodes of one box; within a column, for those only. Where one of the nodes
        stands for all, the key is that node.
    kind : str
        See `picture.Kind`.
    label : Label
        What the box says.
    is_variable : bool
        Whether the box is the variable itself, not the operation that makes it.
    value : Label
        What stands on the first arrow that carries the value on: the letter of a gate.
    """

    key: Hashable
    kind: Kind
    label: Label
    is_variable: bool = False
    value: Label = ()


Glyphs = Callable[[Node], Glyph]
View = Callable[[Timeline], Glyphs]
"""A view says for the nodes of a timeline which box each belongs to, and what the box says."""


@dataclass(frozen=True)
class Details:
    """What is shown besides boxes and arrows.

    Attributes
    ----------
    edge_labels : bool
        Operations, or the names of intermediate values, on the arrows.
    rails : bool
        Parameters once, with lines to all uses, in place of chips.
    values : bool
        Shapes, and small arrays in full.
    """

    edge_labels: bool = False
    rails: bool = False
    values: bool = False
