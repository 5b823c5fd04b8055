"""Graphs that have nothing in common: they were given to be drawn together, and stand apart."""

from __future__ import annotations

from collections import defaultdict

from microgrrepresent.graph import Graph
from microgrrepresent.node import Node


def apart(graph: Graph) -> list[Graph]:
    """The parts of a graph that no edge joins, by their outputs; the graph itself if it is one.

    Without steps it is one, too: there are no columns that the parts would have to share.
    """
    if len(graph.outputs) < 2 or not graph.steps:
        return [graph]
    root: dict[Node, Node] = {}

    def top(node: Node) -> Node:
        while root[node] is not node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for node in graph:
        root[node] = node
        for parent in node.parents:
            root[top(parent)] = node
    outputs: dict[Node, list[Node]] = defaultdict(list)
    for node in graph.outputs:
        outputs[top(node)].append(node)
    return [Graph(own) for own in outputs.values()] if len(outputs) > 1 else [graph]
