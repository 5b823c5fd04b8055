"""From a graph to a drawing: the view, the layout, the words that describe it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.drawing.builder import Details, build
from microgrrepresent.drawing.builder import View as Grouping
from microgrrepresent.drawing.cells import cells, collapsed, layers
from microgrrepresent.drawing.digraph import Drawing, digraph
from microgrrepresent.drawing.folded import folded_timeline, with_totals
from microgrrepresent.drawing.gates import gates
from microgrrepresent.drawing.gradients import draw_back, write_norms
from microgrrepresent.drawing.layout import arrange
from microgrrepresent.drawing.pairs import side_by_side
from microgrrepresent.drawing.picture import Picture
from microgrrepresent.drawing.themes import THEMES, Theme
from microgrrepresent.drawing.timeline import Timeline, numbered, timeline
from microgrrepresent.drawing.views import operations, variables
from microgrrepresent.drawing.window import windowed
from microgrrepresent.folding import fold
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

View = Literal["operations", "variables", "gates", "cells", "layers"]

VIEWS: dict[str, Callable[[Timeline], Grouping]] = {
    "operations": operations,
    "variables": variables,
    "gates": gates,
    "cells": cells,
}

LABELLED = 40
"""Graphs of up to so many nodes show the names of intermediate values on the arrows."""


def draw(
    out: Graph | Node | Sequence[Node],
    view: View = "operations",
    *,
    gradients: Adjoints | None = None,
    time: Literal["unrolled", "folded", "both"] = "unrolled",
    collapse: Collection[str] = (),
    depth: int | None = None,
    window: tuple[int, int] | None = None,
    rails: bool = False,
    values: bool = False,
    theme: str | Theme = "light",
    timeout: float = 30.0,
) -> Drawing:
    """Draw a graph.

    Parameters
    ----------
    out : Tensor, sequence of Tensor, or Graph
        What to draw: these and everything behind them.
    view : {"operations", "variables"}
        Boxes are operations and arrows carry values, or boxes are variables and arrows say by
        which operation.
    gradients : Adjoints, optional
        The result of ``backward(loss)``: draws what flowed back along the arrows.
    theme : {"light", "dark", "print"} or Theme
        Colours.
    timeout : float
        Seconds that Graphviz may take for the layout.

    Returns
    -------
    Drawing
        A ``graphviz.Digraph`` with all positions in it, which a notebook shows as a picture.

    Raises
    ------
    GraphvizMissing
        If there is no Graphviz to lay the picture out.
    DrawingError
        If an option is unknown, or the layout took too long.

    Examples
    --------
    >>> from microgrrepresent import Tensor, draw
    >>> x, y = Tensor(2.0, name="x"), Tensor(3.0, name="y")
    >>> drawing = draw((x * y).named("z"))
    >>> [box.kind for box in drawing.picture.boxes]
    ['input', 'input', 'op', 'output']
    """
    graph = out if isinstance(out, Graph) else Graph(out)
    unrolled = timeline(graph)
    scene = _Scene(view, collapse, depth, Details(False, rails, values), gradients, timeout)
    if time == "unrolled":
        picture = scene.unrolled(unrolled, window)
    elif time == "folded":
        picture = scene.folded(unrolled)
    else:
        picture = side_by_side(scene.folded(unrolled), scene.unrolled(unrolled, window))
    names = ", ".join(graph.label(node) for node in graph.outputs[:3])
    picture.title = f"Computation graph of {names}"
    picture.description = (
        f"{picture.title}: {len(graph)} nodes, {len(graph.parameters)} of them parameters"
        + (f", unrolled over {unrolled.T} steps, {numbered(unrolled.titles)}" if unrolled.T else "")
        + "."
    )
    return digraph(picture, theme if isinstance(theme, Theme) else THEMES[theme])


@dataclass(frozen=True)
class _Scene:
    """Everything about a drawing but the graph and the time."""

    view: View
    collapse: Collection[str]
    depth: int | None
    details: Details
    gradients: Adjoints | None
    timeout: float

    def unrolled(self, time: Timeline, window: tuple[int, int] | None) -> Picture:
        if self.view == "layers":
            view, time = layers(time)
        else:
            view = VIEWS[self.view](time)
        if self.collapse or self.depth is not None:
            view = collapsed(view, time, self.collapse, self.depth)
        if window is not None and sum(window) + 1 < time.T:
            view, time = windowed(time, view, window)
        return self._placed(time, view)

    def folded(self, unrolled: Timeline) -> Picture:
        time = folded_timeline(unrolled, fold(unrolled.graph))
        view = with_totals(VIEWS[self.view](time), time, unrolled)
        if self.collapse or self.depth is not None:
            view = collapsed(view, time, self.collapse, self.depth)
        return self._placed(time, view)

    def _placed(self, time: Timeline, view: Grouping) -> Picture:
        labelled = self.view == "variables" or (not time.T and len(time.nodes) <= LABELLED)
        picture = build(time, view, replace(self.details, edge_labels=labelled))
        if self.gradients is not None and not time.stands_for:
            write_norms(picture, self.gradients)
        arrange(picture, time.titles, self.timeout, "choose a coarser view")
        if self.gradients is not None and not time.stands_for:
            draw_back(picture, self.gradients)
        return picture
