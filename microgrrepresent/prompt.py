"""What Python's prompt and a notebook show of a large result: what has room there.

The prompt shows the beginning of what is long, and that ``print()`` shows all. A notebook shows a
picture no wider than its cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from microgrrepresent.node import Array

SHORT = 340
"""Characters that the prompt shows."""

K = TypeVar("K")


class Printed(str):
    """A text of several lines, which the prompt shows as they are printed."""

    def __repr__(self) -> str:
        return _beginning(self.split("\n"), "\n", "lines")


class ByTime(dict[K, Array]):
    """Arrays by step, or by lag: a dict, of which the prompt shows no more than fits."""

    def __repr__(self) -> str:
        items = [f"{key}: {array!r}" for key, array in self.items()]
        return "{" + _beginning(items, ", ", "arrays") + "}"

    def __str__(self) -> str:
        return super().__repr__()


def in_a_cell(svg: str) -> str:
    """An SVG element, made as small as the cell of a notebook is wide."""
    return svg.replace("<svg", '<svg style="max-width: 100%; height: auto"', 1)


def _beginning(parts: Sequence[str], between: str, what: str) -> str:
    """As many parts as the prompt shows; what they are called, if some are left."""
    shown = 0
    while shown < len(parts) and len(between.join(parts[: shown + 1])) <= SHORT:
        shown += 1
    left = len(parts) - shown
    more = [f"... {left} more {what}; print() shows all"] if left else []
    return between.join([*parts[:shown], *more])
