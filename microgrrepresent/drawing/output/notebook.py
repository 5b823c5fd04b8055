"""What a notebook shows for a graph: the picture, or one sentence where there is none."""

from __future__ import annotations

from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.output.scene import draw
from microgrrepresent.errors import DrawingError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.prompt import in_a_cell

MANY_STEPS = 6
MANY_NODES = 10_000
"""A notebook shows the last value of every cell, and should not take seconds for it unasked."""


def shown(out: Graph | Node) -> dict[str, str]:
    """The MIME bundle of a graph, or of the graph behind a Tensor.

    A long sequence is shown through a window. Nothing is raised: where there is no picture, the
    text says why.
    """
    text = repr(out)
    if isinstance(out, Node) and not out.parents:
        return {"text/plain": text}
    graph = out if isinstance(out, Graph) else Graph(out)
    if len(graph) > MANY_NODES:
        return {
            "text/plain": f"{text}\n(no picture by itself, because the graph has {len(graph):,} "
            "nodes; draw(..., window=(3, 2)) takes a while)"
        }
    try:
        return {"text/plain": text, "image/svg+xml": in_a_cell(_picture(graph).svg_among_others())}
    except DrawingError as error:
        return {"text/plain": f"{text}\n(no picture: {error})"}


def _picture(graph: Graph) -> Drawing:
    steps = len(graph.steps)
    return draw(
        graph,
        "gates" if steps else "operations",
        window=(3, 2) if steps > MANY_STEPS else None,
    )
