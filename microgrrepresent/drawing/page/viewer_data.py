"""What a drawing's page says of each box: the variables in it, their numbers and lines of code."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from types import CodeType

from microgrrepresent.drawing.marks.labels import plain
from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture
from microgrrepresent.drawing.output.digraph import Drawn
from microgrrepresent.drawing.page.array_data import FULL, Arrays, Data
from microgrrepresent.drawing.page.node_data import STEP, Wording, is_plain_number, wording
from microgrrepresent.drawing.time.timeline import is_cut
from microgrrepresent.equations import NOTATIONS, Notation
from microgrrepresent.errors import DescriptionError
from microgrrepresent.listing import expression
from microgrrepresent.node import Array, Node
from microgrrepresent.source import Line

MOST = 12
"""Variables that a box tells of; of one that has more, the last ones."""

MANY = 50_000
"""Numbers; a page of more of them shows arrays of more than a `FEW` as heat maps."""

FEW = 8


def viewer_data(drawn: Drawn, picture: Picture) -> Data:
    """Everything the page says. What holds at every step is said once.

    Parameters
    ----------
    drawn : Drawn
        What was drawn.
    picture : Picture
        Its picture.

    Returns
    -------
    dict
        ``texts``, what is said of a variable at any step: name, equation, line of code. A text is
        a string, or the pieces of one, with numbers between them that the step is added to.

        ``nodes``, those that a box tells of: index of the texts, step, index of the value among
        the arrays, index of the gradient.

        ``boxes``, the indices of the nodes of each; ``more``, by the number of the box, the words
        in it, of how many variables it is one, and the part of the gradient that its use sends
        back.

        ``arrows``, the numbers of the boxes that they join; boxes are counted from 1.

        ``shapes`` and ``arrays``, as `Arrays` has them.
    """
    words = wording(drawn.graph, _notation(drawn), by="save", any_step=True)
    size = sum(node.size for node in drawn.graph) * (1 if drawn.gradients is None else 2)
    record = _Record(drawn, words, Arrays(FULL if size < MANY else FEW))
    number = {box: i for i, box in enumerate(picture.boxes, 1)}
    used: dict[Box, list[Arrow]] = defaultdict(list)
    for arrow in picture.arrows:
        used[arrow.tail].append(arrow)
    more = {i: record.more(box, used[box]) for box, i in number.items()}
    return {
        "boxes": [[record.node(node) for node in _told(box)] for box in picture.boxes],
        "more": {i: data for i, data in more.items() if data},
        "arrows": [number[end] for arrow in picture.arrows for end in (arrow.tail, arrow.head)],
        "nodes": record.nodes,
        "texts": list(record.texts),
        "shapes": record.arrays.shapes,
        "arrays": record.arrays.rows,
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
    arrays: Arrays
    nodes: list[list[int | None]] = field(default_factory=list)
    texts: list[Data] = field(default_factory=list)
    index: dict[Node, int] = field(default_factory=dict)
    known: dict[tuple[str, ...], int] = field(default_factory=dict)
    lines: dict[tuple[CodeType, int], Line] = field(default_factory=dict)

    def more(self, box: Box, arrows: list[Arrow]) -> Data:
        """What is said of a box beside its nodes."""
        told = _told(box)
        data: Data = {}
        if box.kind == "elision" or not told:
            data["words"] = " ".join(plain(box.label).split(", ")) or box.kind
        if len(told) < len(box.nodes):
            data["of"] = len(box.nodes)
        part = _sent_back(arrows, self.drawn) if box.kind == "chip" and len(told) == 1 else None
        if part is not None:
            data["part"] = self.arrays.index(part)
        return data

    def node(self, node: Node) -> int:
        """The index of a node."""
        if node not in self.index:
            self.index[node] = len(self.nodes)
            told = [self._said(node), node.step, self.arrays.index(node.value)]
            gradients = self.drawn.gradients
            if gradients is not None and node in gradients:
                told.append(self.arrays.index(gradients[node]))
            self.nodes.append(told)
        return self.index[node]

    def _said(self, node: Node) -> int:
        """The index of what is said of a node."""
        texts = self._texts(node)
        line = node.line
        if line is not None:
            line = self.lines.setdefault((line.code, line.instruction), line)
            texts |= {"at": line.where}
        key = (*texts, *texts.values(), *(() if line is None else line.parts))
        if key not in self.known:
            self.known[key] = len(self.texts)
            pieces: Data = {name: _pieces(text) for name, text in texts.items()}
            self.texts.append(pieces if line is None else {**pieces, "code": line.parts})
        return self.known[key]

    def _texts(self, node: Node) -> dict[str, str]:
        if is_plain_number(node):
            return {"where": "a number in the code", "plain": str(node.value)}
        words = self.words
        texts = {"where": words.where(node), "name": words.name(node), "plain": words.plain(node)}
        if node.op is not None and node.parents:
            texts |= self._equation(node)
        if self.drawn.gradients is not None and node in self.drawn.gradients:
            texts["gradient"] = words.gradient(node)
        return texts

    def _equation(self, node: Node) -> dict[str, str]:
        try:
            whole = self.words.whole(node)
            return {"equation": self.words.equation(node)} if whole is None else {"whole": whole}
        except (DescriptionError, SyntaxError):  # such as of an operation called "two times"
            parents = [self.drawn.graph.label(parent) for parent in node.parents]
            return {"call": expression(node, parents)}


def _pieces(text: str) -> str | list[str | int]:
    """A text, or its pieces and between them how far the times in it are from the step."""
    first, *rest = re.split(f"{STEP}(-?[0-9]+){STEP}", text)
    pieces = [int(piece) if i % 2 == 0 else piece for i, piece in enumerate(rest)]
    return [first, *pieces] if rest else first


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
