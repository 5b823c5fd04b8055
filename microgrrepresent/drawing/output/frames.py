"""Backpropagation through time in motion: one drawing, frame by frame.

    save(frames(loss), "bptt.gif")         # also .pdf (a page a frame), .pptx, .html

Forward, what is not computed yet is faint; then the loss is there; backward, gradients arrive step
by step, and the sums over time of the parameters grow, as bars below the picture. What a frame is
about has a halo, and a line above says which step it is. All frames have one layout: only colors
and numbers change. Time is that of the computation, so that a layer that reads from right to left
begins at its last step.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from microgrrepresent.adjoints import backward
from microgrrepresent.drawing.layout.page import page_of, warn_of_small_letters
from microgrrepresent.drawing.layout.sums import Sum, add_sums, sums_of
from microgrrepresent.drawing.layout.words import add_heading
from microgrrepresent.drawing.marks.colors import mixed
from microgrrepresent.drawing.marks.labels import printable
from microgrrepresent.drawing.marks.picture import Arrow, Box, Frame, Panel, Picture
from microgrrepresent.drawing.marks.themes import Theme
from microgrrepresent.drawing.output.digraph import Drawing, digraph
from microgrrepresent.drawing.output.scene import draw
from microgrrepresent.drawing.time.playback import Playback, playback
from microgrrepresent.errors import DrawingError
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

HALO = 4.5
"""By how much a halo is larger than its box, on each side; around the part of a bar, half of it."""
BEFORE = 0.15
"""How strong the gradients of earlier frames are, beside those that arrive."""
UNMARKED = frozenset({"chip", "constant", "parameter", "note", "elision", "delay"})
"""The kinds of boxes without a halo: what is used at a step, not computed."""


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
        be given, if they are known; ``size`` is "slide" by default.

    Returns
    -------
    Frames: a list of Drawing
        For T steps, T + 1 frames forward, T + 1 backward, and one with everything; more where
        layers go through the steps one after the other. `save` writes them into one file.

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
    order = playback(graph)
    if not order.steps:
        raise DrawingError(
            "frames: the loss was computed without time steps; record them with "
            "'for t, x in steps(xs):' or 'with step(t):'"
        )
    options["gradients"] = options.get("gradients") or backward(loss)
    with warnings.catch_warnings():  # of small letters: said once, of the frames
        warnings.filterwarnings("ignore", "draw: on this page")
        film = _film(graph, view, order, options)
    page = film.whole.picture.page
    if page is not None:
        warn_of_small_letters(film.frame(_Shot("", 0, inf, None)), page, "frames")
    names = [*map(printable, order.names()), "the loss"]
    shots = [_Shot(f"forward, {name}", k, inf, k) for k, name in enumerate(names, 1)]
    shots += [_Shot(f"backward, {name}", len(names), k, k) for k, name in enumerate(names, 1)][::-1]
    shots.append(_Shot("the sums over time", len(names), 0, None))
    made = Frames()
    for shot in shots:
        picture = film.frame(shot)
        picture.title = shot.title
        made.append(digraph(picture, film.whole.theme, film.whole.drawn))
    return made


@dataclass(frozen=True)
class _Shot:
    """What is there in a frame: what was computed up to a stage, and the gradients back to one."""

    title: str
    until: int
    since: float
    mark: int | None
    """The stage that it is about."""


@dataclass(frozen=True)
class _Film:
    """A drawing of everything, and what it is made of when."""

    whole: Drawing
    stage: Mapping[Box, int]
    parts: Mapping[Box, int]
    """When each part of the bars arrives."""
    sums: Mapping[Box, Sum]
    extent: Frame

    def frame(self, shot: _Shot) -> Picture:
        """The picture as it is in a frame."""
        picture = self.whole.picture
        boxes = {box: self._box(box, shot) for box in picture.boxes}
        marked = [box for box in picture.boxes if self._is_marked(box, shot)]
        halos = [self._halo(box, shot) for box in marked if box not in self.parts]
        grown = [box for box in marked if box in self.parts]
        around = [self._halo(box, shot) for box in grown]
        arrows = []
        for arrow in picture.arrows:
            at = max(self.stage[arrow.tail], self.stage[arrow.head])
            if arrow.flow != "gradient" or at >= shot.since:
                arrows.append(self._arrow(arrow, boxes, at, shot))
        made = replace(
            picture,
            boxes=[
                *halos,
                *(made for box, made in boxes.items() if box not in grown),
                *around,  # not behind the parts beside it
                *(boxes[box] for box in grown),
            ],
            arrows=arrows,
            panels=[_panel(panel, boxes.values()) for panel in picture.panels],
            legend=[boxes[b] for b in picture.legend],
        )
        add_heading(made, shot.title)
        made.extent = self.extent
        return made

    def _box(self, box: Box, shot: _Shot) -> Box:
        label, at = box.label, self.stage.get(box, 0)
        if box in self.sums:
            label = self.sums[box].label(shot.since)
        elif box.kind == "chip" and at < shot.since:
            label = label[:1]
        waits = at > shot.until
        if box in self.parts and (waits := self.parts[box] < shot.since):
            label = ()
        return replace(box, label=label, faint=waits or box.faint)

    def _is_marked(self, box: Box, shot: _Shot) -> bool:
        if box in self.parts:
            return self.parts[box] == shot.mark == shot.since
        return box.kind not in UNMARKED and bool(box.nodes) and self.stage[box] == shot.mark

    def _halo(self, box: Box, shot: _Shot) -> Box:
        """What is behind a box that the frame is about."""
        back = shot.since == shot.mark
        more = HALO / 2 if box in self.parts else HALO
        halo = Box(f"halo {box.name}", "halo", (), x=box.x, y=box.y)
        halo.width, halo.height = box.width + 2 * more, box.height + 2 * more
        halo.corner = halo.width / 2 if box.is_round else box.rounding and box.rounding + more
        if back:
            theme = self.whole.theme
            share = 0.0 if box in self.parts else 0.55
            halo.tint = mixed(theme.flows["gradient"], theme.background, share)
        return halo

    def _arrow(self, arrow: Arrow, boxes: Mapping[Box, Box], at: int, shot: _Shot) -> Arrow:
        made = replace(arrow, tail=boxes[arrow.tail], head=boxes[arrow.head])
        made.faint = arrow.faint or at > shot.until
        if arrow.flow == "gradient" and shot.mark is not None and at > shot.mark:
            made.strength *= BEFORE
        return made


def _film(graph: Graph, view: str, order: Playback, options: dict[str, Any]) -> _Film:
    """The drawing of everything: on its page, room is left for the heading and the bars."""
    options = {"size": "slide", **options}
    page = page_of(options["size"])
    whole = draw(graph, view, **options)
    sums = []
    if options.get("legend", True):
        sums = sums_of(whole.picture, options["gradients"], order.of_step, order.last)
        joined = {box for arrow in whole.picture.arrows for box in (arrow.tail, arrow.head)}
        options["legend"] = not (sums and joined.isdisjoint(whole.picture.legend))
    steps, tints = dict(enumerate(order.steps, 1)), _tints(whole.theme, order.last)
    if page is not None:
        left, low, right, high = whole.picture.bounds()
        add_heading(whole.picture, "t")
        add_sums(whole.picture, sums, steps, tints)
        _, low_with, _, high_with = whole.picture.bounds()
        taken = (high_with - low_with - high + low) * page[0] / (right - left)
        options["size"] = (page[0], max(page[1] - taken, page[1] / 2))
    whole = draw(graph, view, **options)
    own = {box.name: box for box in whole.picture.boxes}
    heads, parts = add_sums(whole.picture, sums, steps, tints)
    heads |= {own[one.box.name]: one for one in sums if one.box.name in own}
    whole.picture.page = page
    stage = {
        box: max((order.stage.get(node, 0) for node in box.nodes), default=0)
        for box in whole.picture.boxes
    }
    used = {arrow.tail: arrow.head for arrow in whole.picture.arrows if arrow.tail.kind == "chip"}
    stage |= {chip: stage[head] for chip, head in used.items()}
    with_heading = replace(whole.picture, boxes=list(whole.picture.boxes))
    add_heading(with_heading, "t")
    return _Film(whole, stage, parts, heads, with_heading.bounds())


def _tints(theme: Theme, count: int) -> dict[int, str]:
    """A color for each stage: the later, the stronger."""
    ink = theme.flows["state"]
    return {k: mixed(ink, theme.background, 0.75 * (1 - k / count)) for k in range(count + 1)}


def _panel(panel: Panel, boxes: Collection[Box]) -> Panel:
    """A panel is faint as long as all that is in it is."""
    return replace(panel, faint=not any(panel.holds(box) and not box.faint for box in boxes))
