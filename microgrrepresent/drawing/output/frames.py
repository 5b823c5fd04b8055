"""Backpropagation through time in motion: one drawing, frame by frame.

    save(frames(loss), "bptt.gif")         # also .pdf (a page a frame), .pptx, .html

Forward, what is not computed yet is faint; then the loss is there; backward, gradients arrive step
by step, and the sums over time of the parameters grow: their norm, and a bar with a part for each
step, as wide as its term is large. All frames have one layout: only colors and
numbers change. Time is that of the computation, so that a layer that reads from right to left
begins at its last step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import hypot, inf, isfinite
from typing import Any

from microgrrepresent.adjoints import Adjoints, backward
from microgrrepresent.drawing.layout.gradients import norm_line
from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture
from microgrrepresent.drawing.output.digraph import Drawing, digraph
from microgrrepresent.drawing.output.scene import draw
from microgrrepresent.errors import DrawingError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Array, Node
from microgrrepresent.norms import euclidean_norm

SIDE, BELOW, HIGH, THINNEST = 4.5, 3.3, 3.2, 0.5
"""Of the bar in a parameter's box, in points: how far it stands from the sides, and its middle from
the lower side; its height; and how narrow a part may be."""

Moments = dict[Box, int]
"""When each box is computed: 0 before the first step, then a number for each step, the end last."""


class Frames(list[Drawing]):
    """What `frames` gives: the drawings in their order, for `save` to write into one file."""

    def __repr__(self) -> str:
        return f"<Frames: {len(self)} drawings; save(frames, 'name.gif') writes them>"


def frames(loss: Node, /, view: str = "gates", **options: Any) -> Frames:
    """Draw a backward pass as a sequence of frames.

    Parameters
    ----------
    loss : Tensor
        A scalar that was computed over time steps.
    view : str
        As for `draw`.
    **options
        For `draw`; but `time` and `window`, because every step has to be there. ``gradients=`` may
        be given, if they are known.

    Returns
    -------
    Frames: a list of Drawing
        For T steps, T + 1 frames forward and T + 1 backward; `save` writes them into one file.

    Raises
    ------
    DrawingError
        If the loss was computed without steps, or an option does not fit.
    GradientError
        If nothing behind the loss requires a gradient.

    Examples
    --------
    >>> from microgrrepresent import Tensor, frames, steps, tanh
    >>> w, h = Tensor(0.5, requires_grad=True, name="w"), Tensor(1.0, name="h")
    >>> for t, x in steps([1.0, 2.0, 3.0]):
    ...     h = tanh(w * h + x).named("h")
    >>> [drawing.picture.title for drawing in frames((h * h).named("L"))][2:5]
    ['forward, t = 3', 'forward, the loss', 'backward, the loss']
    """
    for name in ("time", "window"):
        if name in options:
            raise DrawingError(f"frames: every step is drawn, so {name}= cannot be given")
    graph = Graph(loss)
    made_at_a_step = [node for node in graph if node.parents and node.step is not None]
    steps = list(dict.fromkeys(node.step for node in made_at_a_step))
    if not steps:
        raise DrawingError(
            "frames: the loss was computed without time steps; record them with "
            "'for t, x in steps(xs):' or 'with step(t):'"
        )
    adjoints: Adjoints = options.pop("gradients", None) or backward(loss)
    whole = draw(graph, view, gradients=adjoints, **options)
    begun: dict[int | None, int] = {step: k for k, step in enumerate(steps, 1)}
    first = made_at_a_step[0].id
    last = len(steps) + 1

    def moment(node: Node) -> int:
        if node.step is not None:
            return begun.get(node.step, 0)
        return 0 if not node.parents or node.id < first else last

    when = _moments(whole.picture, moment)
    when |= _add_bars(whole.picture, adjoints, begun, last)
    names = [*(f"t = {step}" for step in steps), "the loss"]
    passes = [("forward", k, inf) for k in range(1, last + 1)]
    passes += [("backward", last, k) for k in range(last, 0, -1)]
    made = Frames()
    for way, until, since in passes:
        picture = _frame(whole.picture, when, until, since)
        _write_sums(picture, adjoints, begun, last, since)
        picture.title = f"{way}, {names[int(min(until, since)) - 1]}"
        made.append(digraph(picture, whole.theme, whole.drawn))
    return made


def _moments(picture: Picture, moment: Any) -> Moments:
    """When each box is there: with the last of its nodes; a chip with what it is used for."""
    used = {arrow.tail: arrow.head for arrow in picture.arrows if arrow.tail.kind == "chip"}
    legend = set(picture.legend)
    when = {
        box: 0 if box in legend else max(map(moment, box.nodes), default=0) for box in picture.boxes
    }
    return when | {chip: when[head] for chip, head in used.items()}


def _frame(picture: Picture, when: Moments, until: int, since: float) -> Picture:
    """The picture with what is there until one moment, and the gradients back to another."""
    boxes = {}
    for box in picture.boxes:
        chip_waits = box.kind == "chip" and when[box] < since and len(box.label) > 1
        label = (*box.label[:-1], ()) if chip_waits else box.label
        waits = when[box] < since if box.kind == "bar" else when[box] > until
        boxes[box] = replace(box, label=label, faint=box.faint or waits)
    arrows = []
    for arrow in picture.arrows:
        at = max(when[arrow.tail], when[arrow.head])
        if arrow.flow != "gradient" or at >= since:
            arrows.append(_copied(arrow, boxes, faint=arrow.faint or at > until))
    return replace(
        picture,
        boxes=list(boxes.values()),
        arrows=arrows,
        legend=[boxes[b] for b in picture.legend],
    )


def _copied(arrow: Arrow, boxes: Mapping[Box, Box], faint: bool) -> Arrow:
    return replace(arrow, tail=boxes[arrow.tail], head=boxes[arrow.head], faint=faint)


def _add_bars(
    picture: Picture, adjoints: Adjoints, begun: Mapping[int | None, int], last: int
) -> Moments:
    """Put a bar into each parameter of the legend, and say when each part of it arrives."""
    arrive: dict[Box, int] = {}
    for box in picture.legend:
        sizes: dict[int, float] = {}
        for node in _wanted(box, adjoints):
            for t, term in adjoints.by_step(node).items():
                at = last if t is None else begun.get(t, 0)
                sizes[at] = hypot(sizes.get(at, 0.0), euclidean_norm(term))
        whole, left = sum(sizes.values()), box.left + SIDE
        if not isfinite(whole) or not whole:
            continue
        for at in sorted(sizes, reverse=True):
            wide = (box.width - 2 * SIDE) * sizes[at] / whole
            if wide < THINNEST:
                continue
            part = Box(f"{box.name}/{at}", "bar", (), width=wide, height=HIGH)
            part.x, part.y = left + wide / 2, box.bottom + BELOW
            left += wide
            arrive[part] = at
    picture.boxes += arrive
    return arrive


def _wanted(box: Box, adjoints: Adjoints) -> list[Node]:
    """The nodes of a box that have a gradient."""
    return [node for node in box.nodes if node.requires_grad and node in adjoints]


def _write_sums(
    picture: Picture, adjoints: Adjoints, begun: Mapping[int | None, int], last: int, since: float
) -> None:
    """Write on each parameter of the legend the norm of the part of its sum that has arrived."""
    for box in picture.legend:
        wanted = _wanted(box, adjoints)
        if len(box.label) < 2 or not wanted:
            continue
        sums = [_arrived(adjoints.by_step(node), begun, last, since) for node in wanted]
        norms = [euclidean_norm(total) for total in sums if total is not None]
        number = norm_line(hypot(*norms)) if norms else ()
        box.label = (*box.label[:-1], number)


def _arrived(
    terms: Mapping[int | None, Array], begun: Mapping[int | None, int], last: int, since: float
) -> Array | None:
    """The sum of the terms of those steps that the sweep has been to."""
    there: Sequence[Array] = [
        term for t, term in terms.items() if (last if t is None else begun.get(t, 0)) >= since
    ]
    return sum(there[1:], there[0]) if there else None
