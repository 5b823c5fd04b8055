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
    return tuple(formula(line) for line in lines if not _is_past(line))


def _is_past(line: str) -> bool:
    """Whether a line says how a state of an earlier step came about."""
    return re.search(r"_\{t[-−]\d+\}", line.partition(" = ")[0]) is not None
