"""From a graph to a drawing: the view, the layout, the words that describe it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.drawing.builder import Details, build
from microgrrepresent.drawing.builder import View as Grouping
from microgrrepresent.drawing.cells import cells, collapsed, layers
from microgrrepresent.drawing.digraph import Drawing, digraph
from microgrrepresent.drawing.gates import gates
from microgrrepresent.drawing.gradients import draw_back, write_norms
from microgrrepresent.drawing.layout import arrange
from microgrrepresent.drawing.themes import THEMES, Theme
from microgrrepresent.drawing.timeline import Timeline, numbered, timeline
from microgrrepresent.drawing.window import windowed
from microgrrepresent.drawing.views import operations, variables
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

View = Literal["operations", "variables", "gates", "cells", "layers"]

VIEWS: dict[str, Callable[[Graph, Timeline], Grouping]] = {
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
    time = timeline(graph)
    if view == "layers":
        shown, time = layers(graph, time)
    else:
        shown = VIEWS[view](graph, time)
    if collapse or depth is not None:
        shown = collapsed(shown, time, collapse, depth)
    if window is not None and sum(window) + 1 < time.T:
        shown, time = windowed(graph, time, shown, window)
    labelled = view == "variables" or (not time.T and len(graph) <= LABELLED)
    picture = build(graph, time, shown, Details(labelled, rails, values))
    if gradients is not None:
        write_norms(picture, gradients)
    arrange(picture, time.titles, timeout, "choose a coarser view")
    if gradients is not None:
        draw_back(picture, gradients)
    names = ", ".join(graph.label(node) for node in graph.outputs)
    picture.title = f"Computation graph of {names}"
    picture.description = (
        f"{picture.title}: {len(graph)} nodes, {len(graph.parameters)} of them parameters"
        + (f", unrolled over {time.T} steps, {numbered(time.titles)}" if time.T else "")
        + "."
    )
    return digraph(picture, theme if isinstance(theme, Theme) else THEMES[theme])
