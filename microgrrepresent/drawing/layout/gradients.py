"""The reverse sweep on a drawing: what flowed back along each arrow.

Beside every arrow that a derivative came back along there is a second one, dashed, against its
direction; the larger the norm of what flowed, on a logarithmic scale, the wider and the stronger
in color. A chip says the norm of its own term, the parameter that of their sum. Where nothing was
computed the chip has a dash, never a 0; where exactly 0 came back it says 0, and no arrow is drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from math import hypot, log10

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.drawing.marks.curves import beside, cut_end, cut_start
from microgrrepresent.drawing.marks.labels import Line, Run
from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture
from microgrrepresent.drawing.marks.sizes import fit
from microgrrepresent.node import Array, Node
from microgrrepresent.norms import euclidean_norm
from microgrrepresent.pullbacks import numbers
from microgrrepresent.sums import fitted

DECADES = 4.0
"""Norms that are so many powers of ten below the largest are all drawn alike."""
THINNEST, WIDEST = 0.9, 3.6
OFFSET = 5.0
"""Distance of the two directions, in points."""


def write_norms(picture: Picture, adjoints: Adjoints) -> None:
    """Write the norm of its term on every chip, and that of their sum on every parameter."""
    used = {arrow.tail: arrow for arrow in picture.arrows if arrow.tail.kind == "chip"}
    read = variables_read(picture)
    for box in picture.boxes:
        if box.kind not in ("chip", "parameter") or not any(n.requires_grad for n in box.nodes):
            continue
        arrow = used.get(box)
        found = flowed(arrow, adjoints) if arrow else adjoint(summed(box, read), adjoints)
        box.pending = found is None
        box.label = (*box.label, norm_line(found))
        fit(box)


def draw_back(picture: Picture, adjoints: Adjoints) -> None:
    """Add the arrows of the reverse sweep to a picture that is laid out."""
    norms = {
        arrow: norm
        for arrow in picture.arrows
        if arrow.flow != "parameter" and (norm := flowed(arrow, adjoints)) is not None
    }
    reads: dict[Box, list[Arrow]] = defaultdict(list)
    onward: dict[Box, list[Box]] = defaultdict(list)
    for arrow in picture.arrows:
        if arrow.edges:
            reads[arrow.tail].append(arrow)
        elif arrow.flow != "parameter":
            onward[arrow.tail].append(arrow.head)
    for arrow in picture.arrows:
        if arrow.edges or arrow.flow == "parameter":
            continue
        places = [arrow.head]  # from an operation to its variable, from there to taps of it
        for box in places:
            places += onward[box]
        parts = [read for box in places for read in reads[box]]
        norm = together(parts, adjoints)
        if norm is None and not parts and not reads[arrow.tail]:
            norm = adjoint(arrow.head.nodes[:1], adjoints)  # the output itself
        if norm is not None:
            norms[arrow] = norm
    largest = max(norms.values(), default=0.0)
    for arrow, norm in norms.items():
        if norm == 0:
            continue
        strength = _strength(norm, largest)
        path = beside(arrow.path, -OFFSET)[::-1]
        back = Arrow(arrow.head, arrow.tail, "gradient", path=cut_start(cut_end(path, 1), 1))
        back.width = THINNEST + (WIDEST - THINNEST) * strength
        back.strength = strength
        picture.arrows.append(back)


def flowed(arrow: Arrow, adjoints: Adjoints) -> float | None:
    """Norm of what came back along an arrow; None if nothing was computed there."""
    return together([arrow], adjoints)


def together(arrows: Iterable[Arrow], adjoints: Adjoints) -> float | None:
    """Norm of what came back along several arrows, added up for each variable."""
    sums: dict[Node, Array] = {}
    for arrow in arrows:
        for way in arrow.ways or [(edge,) for edge in arrow.edges]:
            part = _led_back(way, adjoints)
            if part is not None:
                child, i = way[0]
                parent = child.parents[i]
                sums[parent] = sums[parent] + part if parent in sums else part
    if not sums:
        return None
    return hypot(*map(euclidean_norm, sums.values()))


def _led_back(way: Sequence[tuple[Node, int]], adjoints: Adjoints) -> Array | None:
    """What flowed back along the last of some edges, one after the other, led back to the first."""
    part = adjoints.along(*way[-1])
    for child, i in reversed(way[:-1]):
        if part is None:
            return None
        rules, args = numbers(child, part)
        rule = rules[i]
        part = None if rule is None else fitted(rule(*args), child.parents[i].value)
    return part


def adjoint(nodes: Iterable[Node], adjoints: Adjoints) -> float | None:
    """Norm of the adjoints of some nodes together; None if there is none."""
    norms = [euclidean_norm(adjoints[node]) for node in nodes if node in adjoints]
    return hypot(*norms) if norms else None


def variables_read(picture: Picture) -> set[Node]:
    """What the arrows of a picture lead away from."""
    return {child.parents[i] for arrow in picture.arrows for child, i in arrow.edges}


def summed(box: Box, read: Set[Node]) -> tuple[Node, ...]:
    """What of a box its arrows lead away from: the variables whose terms the chips show.

    What is made of one of them, as a block of a matrix, counts in that one's adjoint already; of
    two biases and their sum, all three have the same adjoint.
    """
    ends = [n for n in box.nodes if n in read and not any(p in read for p in n.parents)]
    return tuple(ends) or box.nodes


def _strength(norm: float, largest: float) -> float:
    if norm <= 0 or largest <= 0:
        return 0.0
    return min(max(1 + log10(norm / largest) / DECADES, 0.0), 1.0)


def norm_line(norm: float | None) -> Line:
    """A norm in two digits: ``0.031``, ``1.2e-7``; a dash where there is none."""
    if norm is None:
        return (Run("—"),)
    words = f"{norm:.2g}" if norm == 0 or 1e-3 <= norm < 1e4 else f"{norm:.1e}"
    mantissa, e, power = words.partition("e")
    return (Run(mantissa + (f"e{int(power)}" if e else "")),)
