"""A placed picture as ``graphviz.Digraph``: every node, edge and panel with its position.

The text says ``layout=nop2``: whatever Graphviz program reads it draws it as it stands and lays
nothing out again. So the files look the same with every version, and a user can still change
colours, fonts or labels before rendering.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphviz

from microgrrepresent.drawing import engine
from microgrrepresent.drawing.curves import cut_end
from microgrrepresent.drawing.labels import html
from microgrrepresent.drawing.picture import ROUND, Arrow, Box, Panel, Picture, Point
from microgrrepresent.drawing.svg import accessible, inline
from microgrrepresent.drawing.themes import Paint, Theme
from microgrrepresent.errors import DrawingError

FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"
RENDER_TIMEOUT = 120.0


class Drawing(graphviz.Digraph):
    """A ``graphviz.Digraph`` that knows the picture it was made from. Made by `draw`.

    In the rendered SVG, box number i of ``picture.boxes`` (from 1) has the id ``b<i>`` and arrow
    number i of ``picture.arrows`` the id ``e<i>``.

    Attributes
    ----------
    picture : Picture
        Boxes and arrows with their places; each knows the graph's nodes or edges it stands for.
    theme : Theme
        Its colours.
    """

    picture: Picture
    theme: Theme

    def svg(self) -> str:
        """The drawing as SVG, with a title and a description for screen readers.

        Raises
        ------
        GraphvizMissing
            If there is no Graphviz.
        """
        written = engine.run([self.source], "svg", self._layout(), RENDER_TIMEOUT).decode()
        return accessible(written, self.picture.title, self.picture.description)

    def _layout(self) -> str:
        return "nop2" if self.engine == "neato" else self.engine

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None, **_: Any
    ) -> dict[str, str]:
        """What a notebook shows: the picture, or the sentence that says why there is none."""
        try:
            return {"image/svg+xml": inline(self.svg()), "text/plain": self.picture.description}
        except DrawingError as error:
            return {"text/plain": str(error)}


def digraph(picture: Picture, theme: Theme) -> Drawing:
    """Write a placed picture in the DOT language."""
    made = Drawing("drawing", engine="neato", format="svg")
    made.picture, made.theme = picture, theme
    made.attr(
        "graph",
        layout="nop2",
        bgcolor=theme.background,
        outputorder="nodesfirst",
        fontname=FONT,
        pad="0.15",
    )
    made.attr("node", fontname=FONT, fontsize="14", fixedsize="true", shape="box")
    made.attr("edge", fontname=FONT, fontsize="11")
    for panel in picture.panels:
        _panel(made, panel, theme)
    for i, box in enumerate(picture.boxes, 1):
        made.node(box.key, id=f"b{i}", **_box(box, theme))
    for i, arrow in enumerate(picture.arrows, 1):
        made.edge(arrow.tail.key, arrow.head.key, id=f"e{i}", **_arrow(arrow, theme))
    return made


def _xy(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _panel(made: Drawing, panel: Panel, theme: Theme) -> None:
    paint = theme.panel
    with made.subgraph(name=f"cluster_{panel.key}") as cluster:
        cluster.attr(
            bb=f"{panel.left:.2f},{panel.bottom:.2f},{panel.right:.2f},{panel.top:.2f}",
            label=html(panel.title, 14, paint.text),
            lp=f"{panel.left + 28:.2f},{panel.top - 12:.2f}",
            style=f"rounded,filled{',dashed' if paint.dashes == 'dashed' else ''}",
            fillcolor=paint.fill,
            color=paint.line,
            penwidth=f"{paint.weight:g}",
        )
        # nop2 leaves out a cluster that has no node
        corner = f"{panel.left + 1:.2f},{panel.bottom + 1:.2f}"
        cluster.node(f"panel {panel.key}", "", pos=corner, style="invis", width="0", height="0")


def _paint(box: Box, theme: Theme) -> Paint:
    paint = theme.boxes[box.kind]
    if box.color is None:
        return paint
    fill, text = theme.palette[box.color % len(theme.palette)]
    line = fill if len(theme.palette) > 1 else paint.line
    return Paint(fill, line, text, paint.weight, paint.dashes)


def _box(box: Box, theme: Theme) -> dict[str, str]:
    paint = _paint(box, theme)
    is_round = box.kind in ROUND and box.width == box.height
    size = 11 if box.kind in ("chip", "constant") else 14
    attributes = {
        "label": html(box.label, size, paint.text) if box.label else "",
        "pos": _xy([(box.x, box.y)]),
        "width": f"{box.width / 72:.4f}",
        "height": f"{box.height / 72:.4f}",
        "style": "filled" if is_round else "rounded,filled",
        "fillcolor": paint.fill,
        "color": paint.line,
        "penwidth": f"{paint.weight:g}",
        "class": box.kind,
    }
    if is_round:
        attributes["shape"] = "ellipse"
    if size != 14:
        attributes["fontsize"] = str(size)
    return attributes


def _arrow(arrow: Arrow, theme: Theme) -> dict[str, Any]:
    color = theme.flows[arrow.flow]
    if arrow.color is not None and len(theme.palette) > 1:
        color = theme.palette[arrow.color % len(theme.palette)][0]
    thick = {"state": 2.0, "gradient": arrow.width}.get(arrow.flow, 1.1)
    attributes: dict[str, Any] = {
        "color": color,
        "penwidth": f"{thick:.3g}",
        "class": arrow.flow,
    }
    size = 0.6 if arrow.flow != "gradient" else 0.4 + 0.1 * thick
    tip, path = arrow.path[-1], cut_end(arrow.path, 10.0 * size)
    attributes["pos"] = f"e,{_xy([tip])} {_xy(path)}"
    attributes["arrowsize"] = f"{size:.3g}"
    if arrow.flow == "gradient":
        attributes["style"] = "dashed"
        attributes["color"] = f"{color}{int(90 + 165 * arrow.strength):02x}"
    if arrow.label and arrow.label_at:
        attributes["label"] = html(arrow.label, 11, theme.text)
        attributes["lp"] = _xy([arrow.label_at])
    return attributes
