"""The sums over time of the parameters, as bars: below a drawing in motion, one for each of them.

A bar has a part for each stage of the computation, as wide as the norm of the term that arrives at
it, and in it the step; the sweep goes back, so the last step stands first. Beside it the parameter
says the norm of what has arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, hypot, isfinite

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.drawing.layout.gradients import norm_line, summed, variables_read
from microgrrepresent.drawing.layout.words import note
from microgrrepresent.drawing.marks.labels import Label, formula, text, width
from microgrrepresent.drawing.marks.picture import FONT, Box, Picture
from microgrrepresent.drawing.marks.sizes import fit
from microgrrepresent.node import Array, Node
from microgrrepresent.norms import euclidean_norm

AWAY = 16.0
"""Between the bars and what is above them."""
GAP, ROW_GAP, CLOSE = 18.0, 8.0, 3.0
"""Between two sums, between two rows of them, and from a parameter to its bar."""
HIGH, LEAST, MOST = 18.0, 70.0, 180.0
"""Of a bar: its height, and its width, which is that of its row divided among all."""
THINNEST = 0.5
"""A part of a bar that is narrower than so many points is left out."""
SMALL = 0.85
"""Size of the letters in a bar."""

Terms = dict[int, Array]


@dataclass(frozen=True)
class Sum:
    """A parameter, and the terms of its gradient by the stage at which each arrives."""

    box: Box
    terms: tuple[Terms, ...]
    """Those of each node that the box stands for."""

    def label(self, since: float) -> Label:
        """The parameter's letter, and the norm of the terms that have arrived."""
        sums: list[Array] = []
        for terms in self.terms:
            there = [term for at, term in terms.items() if at >= since]
            sums += [sum(there[1:], there[0])] if there else []
        letter = self.box.label[:1]
        return (*letter, norm_line(hypot(*map(euclidean_norm, sums)))) if sums else letter

    def sizes(self) -> dict[int, float]:
        """The norm of the term of each stage, in the order in which they arrive."""
        found: dict[int, float] = {}
        for terms in self.terms:
            for at, term in terms.items():
                found[at] = hypot(found.get(at, 0.0), euclidean_norm(term))
        return dict(sorted(found.items(), reverse=True))


def sums_of(
    picture: Picture, adjoints: Adjoints, when: Callable[[Node], int | None], last: int
) -> list[Sum]:
    """The sums of the parameters of a picture.

    Parameters
    ----------
    picture : Picture
        With the norms of gradients on its parameters.
    adjoints : Adjoints
        The gradients.
    when : function from Tensor to int or None
        The stage of what uses a parameter.
    last : int
        The stage of what is used outside of all steps.
    """
    read = variables_read(picture)
    found = []
    for box in picture.boxes:
        if box.kind != "parameter" or len(box.label) < 2:
            continue
        nodes = [n for n in summed(box, read) if n.requires_grad and n in adjoints]
        terms = tuple(
            {last if at is None else at: g for at, g in adjoints.by_use(node, when).items()}
            for node in nodes
        )
        if nodes:
            found.append(Sum(box, terms))
    return found


def add_sums(
    picture: Picture, sums: Sequence[Sum], steps: Mapping[int, int], tints: Mapping[int, str]
) -> tuple[dict[Box, Sum], dict[Box, int]]:
    """Put the sums below a picture.

    Parameters
    ----------
    picture : Picture
        Everything else in its place.
    sums : sequence of Sum
        Where there are none, nothing is done.
    steps : mapping from int to int
        The step of each stage.
    tints : mapping from int to str
        The color of each stage.

    Returns
    -------
    (dict from Box to Sum, dict from Box to int)
        The box that says each sum, and the stage at which each part of a bar arrives.
    """
    if not sums:
        return {}, {}
    left, low, right, _ = picture.bounds()
    heads = {_head(one): one for one in sums}
    name = note("sums", (formula("sums over t"),))
    x0 = left + name.width + GAP
    least = max(head.width for head in heads) + CLOSE + LEAST + GAP
    rows = ceil(len(sums) / max(1, int((right - x0 + GAP) / least)))
    per_row = ceil(len(sums) / rows)
    room = (right - x0 + GAP) / per_row - GAP
    arrive: dict[Box, int] = {}
    for k, (head, one) in enumerate(heads.items()):
        row, place = divmod(k, per_row)
        high = max(head.height for head in heads) + ROW_GAP
        head.x = x0 + place * (room + GAP) + head.width / 2
        head.y = low - AWAY - row * high - (high - ROW_GAP) / 2
        wide = min(room - head.width - CLOSE, MOST)
        arrive |= _bar(one, head, wide, steps, tints)
    name.flush = True
    name.x, name.y = left + name.width / 2, next(iter(heads)).y
    picture.boxes += [name, *heads, *arrive]
    return heads, arrive


def _head(one: Sum) -> Box:
    """The parameter in front of its bar, large enough for every sum."""
    box = one.box
    head = Box(f"sum {box.name}", "parameter", box.label, box.nodes, color=box.color)
    stages = one.sizes()
    for at in (*stages, 0):
        head.label = one.label(at)
        fit(head)
        box_size = max(head.width, box.width), max(head.height, box.height)
        head.width, head.height = box_size
    return head


def _bar(
    one: Sum, head: Box, wide: float, steps: Mapping[int, int], tints: Mapping[int, str]
) -> dict[Box, int]:
    sizes = one.sizes()
    whole, left = sum(sizes.values()), head.right + CLOSE
    parts: dict[Box, int] = {}
    if not whole or not isfinite(whole):
        return parts
    for at, size in sizes.items():
        share = wide * size / whole
        if share < THINNEST:
            continue
        part = Box(f"{head.name}/{at}", "bar", (), width=share, height=HIGH)
        part.tint = tints[at]
        label = (text(str(steps[at]), size=SMALL),) if at in steps else ()
        if label and width(label, FONT) + 2 < part.width:
            part.label = label
        part.x, part.y = left + part.width / 2, head.y
        left += part.width
        parts[part] = at
    return parts
