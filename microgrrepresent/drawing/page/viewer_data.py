"""What a drawing's page says of each box: the variables in it, their numbers and lines of code."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from microgrrepresent.drawing.marks.labels import plain
from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture
from microgrrepresent.drawing.output.digraph import Drawn
from microgrrepresent.drawing.page.array_data import Data, numbers
from microgrrepresent.drawing.page.node_data import (
    Wording,
    is_plain_number,
    where,
    wording,
)
from microgrrepresent.drawing.time.timeline import is_cut
from microgrrepresent.equations import NOTATIONS, Notation
from microgrrepresent.errors import DescriptionError
from microgrrepresent.listing import expression
from microgrrepresent.node import Array, Node

MOST = 12
"""Variables that a box tells of; of one that has more, the last ones."""


def viewer_data(drawn: Drawn, picture: Picture) -> Data:
    """Everything the page says.

    Parameters
    ----------
    drawn : Drawn
        What was drawn.
    picture : Picture
        Its picture.

    Returns
    -------
    dict
        ``nodes``, those that a box tells of; ``boxes``, by id, with the indices of their nodes;
        ``arrows``, by id, with the boxes that they join.
    """
    record = _Record(drawn, wording(drawn.graph, _notation(drawn), by="save"), {}, [])
    ids = {box: f"b{i}" for i, box in enumerate(picture.boxes, 1)}
    used: dict[Box, list[Arrow]] = defaultdict(list)
    for arrow in picture.arrows:
        used[arrow.tail].append(arrow)
    return {
        "boxes": {key: record.box(box, used[box]) for box, key in ids.items()},
        "nodes": record.nodes,
        "arrows": {
            f"e{i}": [ids[arrow.tail], ids[arrow.head]] for i, arrow in enumerate(picture.arrows, 1)
        },
    }


def _notation(drawn: Drawn) -> Notation:
    if isinstance(drawn.labels, str):
        names = {node.name for node in drawn.graph if node.name}
        return NOTATIONS[drawn.labels].fitted(names)
    return Notation(adjoint="partial", letters=drawn.labels)


@dataclass(frozen=True)
class _Record:
    drawn: Drawn
    words: Wording
    index: dict[Node, int]
    nodes: list[Data]

    def box(self, box: Box, arrows: list[Arrow]) -> Data:
        """A box: what it is called, which nodes it tells of, and what a chip's use sends back."""
        told = _told(box)
        data: Data = {"kind": box.kind, "nodes": [self._index(node) for node in told]}
        if box.kind == "elision" or not told:
            data["words"] = " ".join(plain(box.label).split(", ")) or box.kind
        if len(told) < len(box.nodes):
            data["of"] = len(box.nodes)
        part = _sent_back(arrows, self.drawn) if box.kind == "chip" and len(told) == 1 else None
        if part is not None:
            data["part"] = numbers(part)
        return data

    def _index(self, node: Node) -> int:
        if node not in self.index:
            self.index[node] = len(self.nodes)
            self.nodes.append(self._node(node))
        return self.index[node]

    def _node(self, node: Node) -> Data:
        data: Data = {"where": where(node), "value": numbers(node.value)}
        if is_plain_number(node):
            return {**data, "where": "a number in the code", "plain": str(node.value)}
        data |= {"name": self.words.name(node), "plain": self.words.plain(node)}
        if node.op is not None and node.parents:
            data |= self._equation(node)
        gradients = self.drawn.gradients
        if gradients is not None and node in gradients:
            data["gradient"] = self.words.gradient(node)
            data["adjoint"] = numbers(gradients[node])
        if node.line is not None:
            data |= {"at": node.line.where, "code": list(node.line.parts)}
        return data

    def _equation(self, node: Node) -> Data:
        try:
            whole = self.words.whole(node)
            return {"equation": self.words.equation(node)} if whole is None else {"whole": whole}
        except (DescriptionError, SyntaxError):  # such as of an operation called "two times"
            parents = [self.drawn.graph.label(parent) for parent in node.parents]
            return {"call": expression(node, parents)}


def _told(box: Box) -> tuple[Node, ...]:
    """The nodes that a box tells of: those with names, or the one that comes out of it."""
    if box.kind == "elision":
        return ()
    nodes = [node for node in box.nodes if not (is_cut(node) and len(box.nodes) > 1)]
    named = [node for node in nodes if node.name is not None]
    return tuple(sorted(named[-MOST:] or nodes[-1:], key=lambda node: node.id))


def _sent_back(arrows: list[Arrow], drawn: Drawn) -> Array | None:
    """What came back along the arrows of a chip: the part of the gradient that is of this use."""
    if drawn.gradients is None:
        return None
    edges = [edge for arrow in arrows for edge in arrow.edges]
    parts = [drawn.gradients.along(child, i) for child, i in edges]
    found = [part for part in parts if part is not None]
    return sum(found[1:], found[0]) if found else None
