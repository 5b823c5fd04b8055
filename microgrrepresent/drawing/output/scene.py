"""From a graph to a drawing: which nodes share a box, where the boxes stand, what it is called."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.drawing.layout.gallery import gallery
from microgrrepresent.drawing.layout.gaps import cut_crossings
from microgrrepresent.drawing.layout.gradients import draw_back, write_norms
from microgrrepresent.drawing.layout.layout import arrange
from microgrrepresent.drawing.layout.legend import place_legend
from microgrrepresent.drawing.layout.page import AS_NEEDED, PAGES, Fit, fitted, page_of
from microgrrepresent.drawing.layout.ribbon import best_rows, wrap
from microgrrepresent.drawing.layout.side_by_side import side_by_side
from microgrrepresent.drawing.layout.storeys import put_up, set_aside
from microgrrepresent.drawing.layout.turning import turn, turn_sizes
from microgrrepresent.drawing.layout.words import add_equations, add_title
from microgrrepresent.drawing.marks.labels import Line, printable, text
from microgrrepresent.drawing.marks.picture import FONT, Picture, Point
from microgrrepresent.drawing.marks.sizes import fit_alike
from microgrrepresent.drawing.marks.themes import Theme
from microgrrepresent.drawing.output.digraph import Drawing, Drawn, digraph
from microgrrepresent.drawing.time.apart import apart
from microgrrepresent.drawing.time.describing import describe, scope_of
from microgrrepresent.drawing.time.describing import title as title_of
from microgrrepresent.drawing.time.timeline import Timeline, timeline
from microgrrepresent.drawing.views.builder import build
from microgrrepresent.drawing.views.cells import collapsed, layers
from microgrrepresent.drawing.views.choices import (
    Time,
    advice,
    check_details,
    check_form,
    check_gradients,
    check_scopes,
    check_size,
    check_switches,
    check_words,
    graph_of,
    letters_of,
    one_of,
    theme_of,
)
from microgrrepresent.drawing.views.contexts import with_contexts
from microgrrepresent.drawing.views.delay_lines import tap
from microgrrepresent.drawing.views.folded import folded_timeline, with_totals
from microgrrepresent.drawing.views.gate_colors import color_gates
from microgrrepresent.drawing.views.glyphs import Details, Glyphs, View
from microgrrepresent.drawing.views.highlight import Highlight, chosen, emphasize, point_at
from microgrrepresent.drawing.views.leaving_out import leave_out, remove
from microgrrepresent.drawing.views.parameters import tell_apart
from microgrrepresent.drawing.views.step_equations import equation_lines
from microgrrepresent.drawing.views.views import COARSE, VIEWS
from microgrrepresent.drawing.views.window import windowed
from microgrrepresent.garbage import collection_paused
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence import fold

Direction = Literal["right", "up"]
LABELED = 40
"""Graphs of up to so many nodes show the names of intermediate values on the arrows."""
LONG = 3
"""Beside its folded form, a sequence of more steps is shown through a window."""


@collection_paused()
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
    size: str | tuple[float, float] | None = None,
    direction: Direction = "right",
    font_size: float | None = None,
    title: str | None = None,
    labels: str | Mapping[str, str] | None = None,
    legend: bool = True,
    loss: bool = True,
    targets: bool = True,
    highlight: Highlight | None = None,
    emphasis: int | None = None,
    gate_colors: bool | Mapping[str, str] = False,
    equations: bool = False,
) -> Drawing:
    """Draw a graph.

    Time runs from left to right, a column a step. What comes in enters from below, states run
    horizontally, and outputs and losses stand above. A parameter that all steps share stands once,
    on the left, and as a colored chip at each of its uses. The nodes of a symbolic backward pass
    stand above the forward nodes whose derivatives they compute: values flow upwards there, too,
    and the gradients come out at the top, as all outputs do.

    A loop that begins when another is over, as a decoder does, stands above that one. In the views
    ``gates`` and ``cells`` what it computes from all states of the other, as attention does, is one
    box, with an arrow from each state, the wider the more weight the state has. What no edge joins
    stands in frames of its own, without a legend.

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
    size : {"slide", "paper"} or (float, float), optional
        Fit the picture to a page: 1600 x 900 pixels, or 12 x 9 cm, or so many pixels. Columns and
        rows are parted until they fill it, and a long sequence is wrapped into rows. Letters that
        come out too small to be read are a warning.
    direction : {"right", "up"}
        Where time runs to.
    font_size : float, optional
        Size of the letters in the file, in points, instead of 14.
    title : str, optional
        Words above the picture.
    labels : mapping from str to str, or name of a notation
        Other letters for variables, ``{"h": "hidden"}``, or those of a course (see `explain`).
    legend, loss, targets : bool
        Whether to show the parameters beside their chips, the loss and all that leads to nothing
        else, and what the outputs are compared with.
    highlight : Tensor, sequence of Tensor, int or str, optional
        What to point at, all else is faint: nodes, such as ``path(x_1, L)``, the nodes of a step,
        or those of a name, such as a gate's.
    emphasis : int, optional
        Thick arrows for what is read so many steps later: 1 for the state, 2 for a second lag.
    gate_colors : bool or mapping from str to str
        Each gate in a color of its own; or in the given ones: ``{"f": "#ffcc99"}``.
    equations : bool
        The equations of a step, beside the picture or below it, in the letters of ``labels`` if it
        is the name of a notation, else of "nndl", which is the default of both then.

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
    check_switches(legend=legend, loss=loss, targets=targets, equations=equations)
    check_words(title, labels, font_size, size)
    one_of("direction", direction, get_args(Direction))
    theme, graph = theme_of(theme), graph_of(out)
    check_scopes(collapse, graph)
    check_gradients(gradients, graph, time)
    if time == "unrolled" and window is None and view != "layers":
        check_size(graph)
    page = page_of(size)
    if labels is None:
        labels = "nndl" if equations else {}  # with equations, the letters that they are short in
    unrolled = replace(timeline(graph), letters=letters_of(labels, graph))
    if rails:  # lines from one place to uses in all steps
        unrolled = replace(unrolled, storeys=(1,))
    longest = LONG * (2 if unrolled.delay_lines else 1)  # a window would cut those
    if time == "both" and window is None and longest < unrolled.T:
        window = (1, 1)
    details = Details(False, rails, values)
    shown = _Shown(legend, loss, targets, direction == "up", gate_colors, emphasis, title)
    if highlight is not None:
        shown = replace(shown, highlight=chosen(graph, highlight))
    if equations:
        course = labels if isinstance(labels, str) else "pytorch"
        shown = replace(shown, equations=equation_lines(graph, course))
    scene = _Scene(view, collapse, depth, details, gradients, shown, page=page)
    if page is None:
        picture = scene.picture(unrolled, time, window)
    else:
        picture = fitted(lambda fit: replace(scene, fit=fit).picture(unrolled, time, window), page)
    picture.scale = 1.0 if font_size is None else font_size / FONT
    picture.title = printable(title or title_of(graph))
    picture.description = printable(describe(unrolled, time, gradients is not None, window))
    return digraph(picture, theme, Drawn(graph, gradients, labels))


@dataclass(frozen=True)
class _Shown:
    """What is shown, left out or pointed at."""

    legend: bool = True
    loss: bool = True
    targets: bool = True
    upwards: bool = False
    gate_colors: bool | Mapping[str, str] = False
    emphasis: int | None = None
    title: str | None = None
    highlight: frozenset[Node] = frozenset()
    equations: tuple[Line, ...] = ()


@dataclass(frozen=True)
class _Scene:
    """Everything about a drawing but the graph and the time."""

    view: str | View
    collapse: Collection[str]
    depth: int | None
    details: Details
    gradients: Adjoints | None
    shown: _Shown
    page: Point | None = None
    fit: Fit = AS_NEEDED

    def picture(self, time: Timeline, form: Time, window: tuple[int, int] | None) -> Picture:
        """Everything in its place."""
        if form == "unrolled":
            picture = self.unrolled(time, window)
        elif form == "folded":
            picture = self.folded(time)
        else:
            picture = side_by_side(self.folded(time), self.unrolled(time, window))
        page = self.page or PAGES["slide"]
        if not self.shown.legend:
            remove(picture, set(picture.legend))
        place_legend(picture, page)
        cut_crossings(picture)
        if self.shown.emphasis is not None:
            emphasize(picture, self.shown.emphasis)
        if self.shown.highlight:
            point_at(picture, self.shown.highlight)
        if self.shown.equations:
            add_equations(picture, self.shown.equations, page)
        if self.shown.title:
            add_title(picture, self.shown.title)
        picture.page = self.page
        return picture

    def unrolled(self, time: Timeline, window: tuple[int, int] | None) -> Picture:
        """The unrolled graph; what is joined by no edge in frames of its own, without a legend."""
        parts = apart(time.graph)
        if len(parts) == 1 or self.view == "layers":
            return self._unrolled(time, window)
        one = replace(self, fit=AS_NEEDED, page=None)
        pictures, titles = [], []
        for part in parts:
            own = replace(timeline(part), letters=time.letters)
            picture = one._unrolled(own, window)
            remove(picture, set(picture.legend))
            pictures.append(picture)
            titles.append(text(scope_of(part)) if scope_of(part) else ())
        return gallery(pictures, titles, self.page or PAGES["slide"])

    def _unrolled(self, time: Timeline, window: tuple[int, int] | None) -> Picture:
        if self.view == "layers":
            glyphs, time = layers(time)
        else:
            glyphs = self._view(time)
        glyphs = self._collapsed(glyphs, time)
        if window is not None and sum(window) + 1 < time.T:
            glyphs, time = windowed(time, glyphs, window)
        elif self.view in COARSE:
            glyphs = with_contexts(glyphs, time)
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
        labeled = self.view == "variables" or (not time.T and len(time.nodes) <= LABELED)
        picture = build(time, glyphs, replace(self.details, edge_labels=labeled))
        tap(picture, time)
        leave_out(picture, self.shown.loss, self.shown.targets)
        if self.shown.gate_colors:
            color_gates(picture, self.shown.gate_colors)
        tell_apart(picture, time)
        shown = self.gradients if not time.delayed else None  # a fold has no numbers of its own
        if shown is not None:
            write_norms(picture, shown)
        fit_alike(picture, time.T)
        if self.shown.upwards:
            turn_sizes(picture)
        between, double = set_aside(picture), shown is not None
        arrange(picture, time.titles, advice(bool(time.T)), self.fit, double)
        if len(time.storeys) > 1:
            put_up(picture, time.storeys, between)
        elif self.page is not None and not self.shown.upwards:
            wrap(picture, time.T, self.fit.lines or best_rows(picture, time.T, self.page))
        if shown is not None:
            draw_back(picture, shown)
        if self.shown.upwards:
            turn(picture)
        return picture
