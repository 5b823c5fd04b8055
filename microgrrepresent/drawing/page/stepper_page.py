"""The stepper: a page on which to run a graph forward and backward, node by node.

It holds the drawing as SVG, the numbers as JSON, and style and script from the files in ``page/``.
"""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from string import Template

from microgrrepresent.adjoints import Adjoints, backward
from microgrrepresent.arguments import one_node
from microgrrepresent.drawing.output.scene import draw
from microgrrepresent.drawing.page.array_data import each_array_once
from microgrrepresent.drawing.page.colors import light_or_dark
from microgrrepresent.drawing.page.page_svg import Shared, page_svg
from microgrrepresent.drawing.page.parts import page, part
from microgrrepresent.drawing.page.stepper_data import stepper_data
from microgrrepresent.errors import DrawingError, GradientError
from microgrrepresent.files import as_path, write_file
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

LARGEST = 5_000
"""Nodes; a page has about 2 kB for each, and one with more would be too slow to step through."""


def stepper(
    loss: Node,
    path: str | os.PathLike[str],
    title: str | None = None,
    adjoints: Adjoints | None = None,
) -> Path:
    """Write a page on which to step through a forward pass and its reverse sweep.

    At each stop it shows the node, its value, its local derivatives, what flows along each of its
    edges, and the gradient of every parameter so far, time step by time step.

    Parameters
    ----------
    loss : Tensor
        A scalar that depends on a parameter.
    path : path
        Where to write the page, ``.html``.
    title : str, optional
        The page's heading.
    adjoints : Adjoints, optional
        The result of ``backward(loss)``, if it is there already.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    GradientError
        If the loss is not a scalar or depends on no parameter, or the adjoints are not its own.
    DrawingError
        If the graph is too large to be stepped through, or the path is not that of a page.
    """
    target = as_path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise DrawingError(f"stepper: writes HTML, to a path that ends in .html, got {path}")
    graph = Graph(one_node(loss, "stepper", "the loss"))
    if len(graph) > LARGEST:
        raise DrawingError(
            f"stepper: the graph has {len(graph):,} nodes, and a page can show {LARGEST:,}; take "
            "fewer time steps, which show all that more of them would"
        )
    swept = backward(loss) if adjoints is None else _of(loss, adjoints)
    drawing = draw(graph, "operations")
    shared = Shared()
    svg = page_svg(drawing, shared)
    title = str(title or _title(graph))
    body = Template(part("stepper.html")).substitute(
        title=escape(title),
        through=" through time" if graph.steps else "",
        each=", by time step" if graph.steps else "",
        drawing=svg,
    )
    written = page(
        title,
        light_or_dark() + shared.style() + part("arrays.css") + part("stepper.css"),
        body,
        part("arrays.js") + part("stepper.js"),
        each_array_once(stepper_data(graph, swept, drawing.picture)),
    )
    return write_file(target, written)


def _of(loss: Node, adjoints: Adjoints) -> Adjoints:
    """See that these are the adjoints of this loss, as the formulas beside them say."""
    if not isinstance(adjoints, Adjoints):
        raise TypeError(
            f"stepper: adjoints is the result of backward(loss), got {type(adjoints).__name__}"
        )
    if next(iter(adjoints), None) is not loss or not (adjoints[loss] == 1).all():
        raise GradientError(
            "stepper: these adjoints are not those of backward(loss), but of another output or "
            "seed; leave them away, or give backward(loss)"
        )
    return adjoints


def _title(graph: Graph) -> str:
    through = " through time" if graph.steps else ""
    return f"Backpropagation{through}, step by step"
