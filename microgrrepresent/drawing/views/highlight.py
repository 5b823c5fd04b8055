"""What a drawing is to point at: some nodes and what joins them strong, all else faint."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture
from microgrrepresent.errors import DrawingError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

Highlight: TypeAlias = "Node | int | str | Sequence[Node]"


def path(start: Node, end: Node) -> list[Node]:
    """All nodes on the ways from one node to another: how x_1 reaches L.

    Parameters
    ----------
    start, end : Tensor
        The end is made from the start, through any number of others.

    Returns
    -------
    list of Tensor
        Both, and all between them, in the order in which they were made.

    Raises
    ------
    DrawingError
        If no way leads from the start to the end.

    Examples
    --------
    >>> from microgrrepresent import Tensor
    >>> from microgrrepresent.drawing import path
    >>> x, y = Tensor(2.0, name="x"), Tensor(3.0, name="y")
    >>> product = (x * y).named("z")
    >>> loss = (product + 1.0).named("L")
    >>> [node.name for node in path(x, loss)]
    ['x', 'z', 'L']
    """
    graph = Graph(end)
    found = {start}
    for node in graph:
        if not found.isdisjoint(node.parents):
            found.add(node)
    if end not in found or start not in set(graph):
        raise DrawingError(
            f"path: no way leads from {graph_label(start)} to {graph_label(end)}; give the earlier "
            "node first"
        )
    back = {end}
    for node in reversed(list(graph)):
        if node in back:
            back.update(node.parents)
    return [node for node in graph if node in found and node in back]


def graph_label(node: Node) -> str:
    """What an error calls a node."""
    return node.name or "a node without a name"


def chosen(graph: Graph, highlight: object) -> frozenset[Node]:
    """The nodes that a highlight means: itself, those of a step, or those of a name.

    Raises
    ------
    DrawingError
        If it is none of these, or the graph has no such nodes.
    """
    found: Iterable[Node]
    if isinstance(highlight, Node):
        found = [node for node in graph if node is highlight]
    elif isinstance(highlight, bool):
        found = []
    elif isinstance(highlight, int):
        found = [node for node in graph if node.step == highlight]
    elif isinstance(highlight, str):
        found = [node for node in graph if node.name in (highlight, f'"{highlight}"')]
    elif isinstance(highlight, Collection) and all(isinstance(n, Node) for n in highlight):
        inside = set(highlight)
        found = [node for node in graph if node in inside]
    else:
        found = []
    nodes = frozenset(found)
    if not nodes:
        raise DrawingError(
            "draw: highlight is a Tensor of this graph, a sequence of them such as "
            "microgrrepresent.drawing.path(x, L), a step, or a name such as 'f'; given "
            f"{_said(highlight)}, of which there is none here"
        )
    return nodes


def point_at(picture: Picture, nodes: Collection[Node]) -> None:
    """Make everything faint that does not belong to some nodes, in place."""
    strong = {box for box in picture.boxes if not nodes or _holds(box, nodes)}
    for box in picture.boxes:
        box.faint = box not in strong
    for arrow in picture.arrows:
        arrow.faint = arrow.tail.faint or arrow.head.faint
    for panel in picture.panels:
        panel.faint = not any(panel.holds(box) for box in strong)


def emphasize(picture: Picture, lag: int) -> None:
    """Make the arrows strong that read a state of so many steps before, in place.

    Raises
    ------
    DrawingError
        If no arrow does.
    """
    found = [arrow for arrow in picture.arrows if _lag(arrow) == lag]
    if not found:
        raise DrawingError(f"draw: emphasis is a number of steps; no arrow here reads {lag} back")
    for arrow in found:
        arrow.strong = True


def _lag(arrow: Arrow) -> int:
    """How many steps before its own an arrow reads; 0 within a step, and where there are none."""
    steps = [
        child.step - source.step
        for child, i in arrow.edges
        if child.step is not None and (source := child.parents[i]).step is not None
    ]
    return max(steps, key=abs, default=0)


def _holds(box: Box, nodes: Collection[Node]) -> bool:
    return any(node in nodes for node in box.nodes)


def _said(given: object) -> str:
    words = repr(given)
    return words if len(words) < 40 else f"a {type(given).__name__}"
