"""From a graph to a drawing: which nodes share a box, where the boxes stand, what it is called."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.drawing.layout.gaps import cut_crossings
from microgrrepresent.drawing.layout.gradients import draw_back, write_norms
from microgrrepresent.drawing.layout.layout import arrange
from microgrrepresent.drawing.layout.side_by_side import side_by_side
from microgrrepresent.drawing.marks.labels import printable
from microgrrepresent.drawing.marks.picture import Picture
from microgrrepresent.drawing.marks.sizes import fit_alike
from microgrrepresent.drawing.marks.themes import Theme
from microgrrepresent.drawing.output.digraph import Drawing, digraph
from microgrrepresent.drawing.time.describing import describe, title
from microgrrepresent.drawing.time.timeline import Timeline, timeline
from microgrrepresent.drawing.views.builder import Details, Glyphs, View, build
from microgrrepresent.drawing.views.cells import collapsed, layers
from microgrrepresent.drawing.views.choices import (
    Time,
    advice,
    check_details,
    check_form,
    check_gradients,
    check_scopes,
    check_size,
    graph_of,
    theme_of,
)
from microgrrepresent.drawing.views.folded import folded_timeline, with_totals
from microgrrepresent.drawing.views.parameters import tell_apart
from microgrrepresent.drawing.views.views import VIEWS
from microgrrepresent.drawing.views.window import windowed
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence import fold

LABELLED = 40
"""Graphs of up to so many nodes show the names of intermediate values on the arrows."""
LONG = 3
"""Beside its folded form, a sequence of more steps is shown through a window."""


def draw(
    out: Graph | Node | Sequence[Node],
    view: str | View = "operations",
    *,
    time: Time = "unrolled",
    gradients: Adjoints | None = None,
    collapse: Collection[str] = (),
    depth: int | None = None,
    window: tuple[int, int] | None = None,
    rails: bool = False,
    values: bool = False,
    theme: str | Theme = "light",
) -> Drawing:
    """Draw a graph.

    Time runs from left to right, a column a step. What comes in enters from below, states run
    horizontally, and outputs and losses stand above. A parameter that all steps share stands once,
    on the left, and as a colored chip at each of its uses. The nodes of a symbolic backward pass
    stand above the forward nodes whose derivatives they compute: values flow upwards there, too,
    and the gradients come out at the top, as all outputs do.

    Parameters
    ----------
    out : Tensor, sequence of Tensor, or Graph
        What to draw: these and everything behind them.
    view : {"operations", "variables", "gates", "cells", "layers"} or function
        ``operations``: boxes are operations, arrows carry values. ``variables``: boxes are
        variables, arrows say by which operation. ``gates``: a cell's named gates and states, with
        affine maps inside of the gates. ``cells``: one box a cell and step. ``layers``: one box a
        cell for all of time. A function is a view of your own (CONTRIBUTING.md has one).
    time : {"unrolled", "folded", "both"}
        Every step, or one step with delays (see `fold`), or both side by side.
    gradients : Adjoints, optional
        The result of ``backward(loss)``: draws what flowed back beside each arrow, dashed, the
        wider the larger, and writes its norm on chips and parameters.
    collapse : collection of str
        Scopes to draw as one box each: ``{"encoder"}``.
    depth : int, optional
        Draw scopes that are nested more deeply than this as one box each; 0: all scopes.
    window : (int, int), optional
        Show so many steps at the beginning and at the end, and the others as one box; (1, 1) if
        ``time="both"`` and there are more than 3.
    rails : bool
        Join parameters to their uses by lines, in place of chips.
    values : bool
        Show shapes, and small arrays in full.
    theme : {"light", "dark", "print"} or Theme
        Colors; ``print`` is black and white, with dash patterns.

    Returns
    -------
    Drawing
        A ``graphviz.Digraph`` with all positions in it, which a notebook shows as a picture.

    Raises
    ------
    DrawingError
        If an option is unknown, or the graph is too large: the message says what to choose.
    GraphError
        If the graph is to be folded and its steps differ.

    Examples
    --------
    >>> from microgrrepresent import Tensor, draw
    >>> x, y = Tensor(2.0, name="x"), Tensor(3.0, name="y")
    >>> drawing = draw((x * y).named("z"))
    >>> [box.kind for box in drawing.picture.boxes]
    ['input', 'input', 'op', 'output']
    >>> print(drawing.picture.description)
    Computation graph of z: 1 operation on 2 inputs.
    """
    check_form(view, time, window)
    check_details(depth, rails, values)
    theme, graph = theme_of(theme), graph_of(out)
    check_scopes(collapse, graph)
    check_gradients(gradients, graph, time)
    if time == "unrolled" and window is None and view != "layers":
        check_size(graph)
    unrolled = timeline(graph)
    scene = _Scene(view, collapse, depth, Details(False, rails, values), gradients)
    if time == "unrolled":
        picture = scene.unrolled(unrolled, window)
    elif time == "folded":
        picture = scene.folded(unrolled)
    else:
        window = window or ((1, 1) if unrolled.T > LONG else None)
        picture = side_by_side(scene.folded(unrolled), scene.unrolled(unrolled, window))
    picture.title = printable(title(graph))
    picture.description = printable(describe(unrolled, time, gradients is not None, window))
    return digraph(picture, theme)


@dataclass(frozen=True)
class _Scene:
    """Everything about a drawing but the graph and the time."""

    view: str | View
    collapse: Collection[str]
    depth: int | None
    details: Details
    gradients: Adjoints | None

    def unrolled(self, time: Timeline, window: tuple[int, int] | None) -> Picture:
        if self.view == "layers":
            glyphs, time = layers(time)
        else:
            glyphs = self._view(time)
        glyphs = self._collapsed(glyphs, time)
        if window is not None and sum(window) + 1 < time.T:
            glyphs, time = windowed(time, glyphs, window)
        return self._placed(time, glyphs)

    def folded(self, unrolled: Timeline) -> Picture:
        folded = fold(unrolled.graph)
        time = folded_timeline(unrolled, folded)
        glyphs = with_totals(self._view(time), folded)
        return self._placed(time, self._collapsed(glyphs, time))

    def _view(self, time: Timeline) -> Glyphs:
        view = VIEWS[self.view] if isinstance(self.view, str) else self.view
        return view(time)

    def _collapsed(self, glyphs: Glyphs, time: Timeline) -> Glyphs:
        if not self.collapse and self.depth is None:
            return glyphs
        return collapsed(glyphs, time, self.collapse, self.depth)

    def _placed(self, time: Timeline, glyphs: Glyphs) -> Picture:
        labelled = self.view == "variables" or (not time.T and len(time.nodes) <= LABELLED)
        picture = build(time, glyphs, replace(self.details, edge_labels=labelled))
        tell_apart(picture, time)
        shown = self.gradients if not time.delayed else None  # a fold has no numbers of its own
        if shown is not None:
            write_norms(picture, shown)
        fit_alike(picture, time.T)
        arrange(picture, time.titles, advice(bool(time.T)))
        if shown is not None:
            draw_back(picture, shown)
        cut_crossings(picture)
        return picture
