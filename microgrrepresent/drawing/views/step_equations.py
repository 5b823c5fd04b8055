"""The equations of a step, as lines of mathematics that stand beside its picture."""

from __future__ import annotations

import re

from microgrrepresent.drawing.marks.labels import Line, formula
from microgrrepresent.equations import step_equations
from microgrrepresent.errors import DrawingError
from microgrrepresent.graph import Graph


def equation_lines(graph: Graph, course: str) -> tuple[Line, ...]:
    """The equations of the step in the middle of a graph, in the letters of a course.

    Raises
    ------
    DrawingError
        If the graph has no steps.
    """
    if not graph.steps:
        raise DrawingError(
            "draw: equations are those of a step, and this graph has none; run its loop inside of "
            "steps(...), or leave out equations"
        )
    now = graph.steps[len(graph.steps) // 2]
    ends = [
        node
        for node in graph
        if node.step == now
        and node.parents
        and all(user.step != now for user in graph.consumers(node))
    ]
    written = step_equations(ends, course)  # type: ignore[arg-type]
    lines = written.split("\n")
    if "where" in lines:
        lines = lines[: lines.index("where")]
    return tuple(map(formula, _renumbered(lines)))


def _renumbered(lines: list[str]) -> list[str]:
    """The lines with results that have no name counted from 1."""
    number: dict[str, str] = {}

    def called(found: re.Match[str]) -> str:
        return number.setdefault(found[0], f"u^({len(number) + 1})")

    return [re.sub(r"u\^\(\d+\)|u⁽[⁰¹²³⁴-⁹]+⁾", called, line) for line in lines]
