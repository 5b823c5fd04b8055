"""What a notebook shows for a graph: the picture, or one sentence where there is none."""

from __future__ import annotations

from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.output.scene import draw
from microgrrepresent.errors import DrawingError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

MANY_STEPS = 6


def shown(out: Graph | Node) -> dict[str, str]:
    """The MIME bundle of a graph, or of the graph behind a Tensor.

    A long sequence is shown through a window. Nothing is raised: where there is no picture, the
    text says why.
    """
    text = repr(out)
    if isinstance(out, Node) and not out.parents:
        return {"text/plain": text}
    try:
        return {"text/plain": text, "image/svg+xml": _picture(out).svg_among_others()}
    except DrawingError as error:
        return {"text/plain": f"{text}\n(no picture: {error})"}


def _picture(out: Graph | Node) -> Drawing:
    graph = out if isinstance(out, Graph) else Graph(out)
    steps = len(graph.steps)
    return draw(
        graph,
        "gates" if steps else "operations",
        window=(3, 2) if steps > MANY_STEPS else None,
    )
