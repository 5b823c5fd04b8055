"""A graph in the DOT language without places: what can be written where there is no Graphviz.

`draw` settles where everything stands, and needs Graphviz for it. This text leaves that to the
``dot`` that will read it. To keep its layout fast, a parameter is repeated at each of its uses, so
that no node is tied to all steps but the loss.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.errors import GradientError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node


def plain_dot(graph: Graph, gradients: Adjoints | None = None) -> str:
    """Write a graph as DOT: a box a node, a cluster a step, an arrow from parent to child.

    Parameters
    ----------
    graph : Graph
        What to write.
    gradients : Adjoints, optional
        The result of ``backward(loss)``: dashed arrows for what flowed back, with its norm.

    Returns
    -------
    str
        To be drawn by ``dot -Tsvg``.

    Examples
    --------
    >>> from microgrrepresent import Graph, Tensor
    >>> from microgrrepresent.drawing.plain import plain_dot
    >>> x = Tensor(2.0, name="x")
    >>> print(plain_dot(Graph((x * x).named("y"))))
    digraph drawing {
        rankdir=BT
        node [shape=box style=rounded]
        n0 [label="x"]
        n1 [label="y = ×"]
        n0 -> n1
        n0 -> n1
    }
    """
    number = {node: i for i, node in enumerate(graph)}
    clusters: dict[int | None, list[str]] = defaultdict(list)
    arrows = []
    for node in graph:
        here = clusters[node.step]
        if not _repeated(node):
            here.append(f"n{number[node]} [label={_quoted(_label(graph, node))}]")
        for parent in dict.fromkeys(node.parents):
            tail = f"n{number[parent]}"
            if _repeated(parent):
                tail += f"_{number[node]}"
                here.append(f"{tail} [label={_quoted(graph.label(parent))} shape=plain]")
            uses = sum(other is parent for other in node.parents)
            arrows += [f"{tail} -> n{number[node]}"] * uses
            if (norm := _flowed_back(gradients, parent, node)) is not None:
                style = f'style=dashed color="#D55E00" fontcolor="#D55E00" label="{norm:.2g}"'
                arrows.append(f"n{number[node]} -> {tail} [{style} constraint=false]")
    lines = ["rankdir=BT", "node [shape=box style=rounded]"]
    for t, boxes in clusters.items():
        if t is None:
            lines += boxes
        else:
            boxes = [f"label={_quoted(f't = {t}')}", *boxes]
            lines += [
                f"subgraph cluster_{t} {{".replace("-", "m"),
                *(f"    {b}" for b in boxes),
                "}",
            ]
    return "\n".join(["digraph drawing {", *(f"    {line}" for line in lines + arrows), "}"])


def _flowed_back(gradients: Adjoints | None, parent: Node, child: Node) -> float | None:
    """Norm of what flowed from the child to the parent; None where nothing did."""
    if gradients is None or parent not in gradients:
        return None
    try:
        return float(np.linalg.norm(gradients.contribution(parent, child)))
    except GradientError:
        return None


def _repeated(node: Node) -> bool:
    return node.is_leaf and node.requires_grad


def _label(graph: Graph, node: Node) -> str:
    if node.op is None:
        return graph.label(node)
    return f"{graph.label(node)} = {node.op.symbol}" if node.name else node.op.symbol


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
