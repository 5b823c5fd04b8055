"""A placed picture as ``graphviz.Digraph``: every node, edge and panel with its position.

The text says ``layout=nop2``: whatever Graphviz program reads it draws it as it stands and lays
nothing out again. So the files look the same with every version, and a user can still change
colors, fonts or labels before rendering.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import graphviz  # type: ignore[import-untyped]

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.drawing.marks.colors import (
    FAINTEST,
    arrow_color,
    box_paint,
    head_length,
    label_color,
    line_style,
    opacity,
    panel_paint,
    thickness,
)
from microgrrepresent.drawing.marks.curves import cut_end, parted
from microgrrepresent.drawing.marks.labels import html, width
from microgrrepresent.drawing.marks.picture import (
    POINTS,
    SCISSORS,
    SCISSORS_FONT,
    SMALL_FONT,
    Arrow,
    Box,
    Panel,
    Picture,
    Point,
)
from microgrrepresent.drawing.marks.themes import Theme
from microgrrepresent.drawing.output import rendering
from microgrrepresent.drawing.output.svg import FAMILY, Manner, svg
from microgrrepresent.drawing.output.xdot import background, xdot
from microgrrepresent.errors import DrawingError
from microgrrepresent.files import write_file
from microgrrepresent.graph import Graph
from microgrrepresent.prompt import in_a_cell

RENDER_TIMEOUT = 120.0
WIDEST_PNG = 32_767
"""Pixels; Graphviz (through cairo) shrinks a larger picture without a word."""


@dataclass(frozen=True)
class Drawn:
    """What was drawn, for those who say more of it than the picture does.

    Attributes
    ----------
    graph : Graph
    gradients : Adjoints or None
    labels : str or mapping from str to str
        A course's notation, or letters for names.
    """

    graph: Graph
    gradients: Adjoints | None
    labels: str | Mapping[str, str]


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A ``graphviz.Digraph`` that knows the picture it was made from. Made by `draw`.

    In the rendered SVG, box number i of ``picture.boxes`` (from 1) has the id ``b<i>`` and arrow
    number i of ``picture.arrows`` the id ``e<i>``.

    Attributes
    ----------
    picture : Picture
        Boxes and arrows with their places; each knows the graph's nodes or edges it stands for.
    theme : Theme
        Its colors.
    drawn : Drawn
        The graph, the gradients and the letters that `draw` was given.
    """

    picture: Picture
    theme: Theme
    drawn: Drawn
    written: str
    """The DOT text as `draw` wrote it."""

    def __repr__(self) -> str:
        boxes, arrows = len(self.picture.boxes), len(self.picture.arrows)
        return (
            f"<Drawing of {boxes} boxes and {arrows} arrows; save(drawing, 'name.svg') writes it>"
        )

    @property
    def is_as_written(self) -> bool:
        """Whether the DOT text is still that of `draw`."""
        return bool(self.source == self.written)

    def svg(self, manner: Manner | None = None) -> str:
        """The drawing as SVG, with a title and a description for screen readers.

        Where the user has changed the DOT text, it is Graphviz that draws it, in its own manner.

        Raises
        ------
        GraphvizMissing
            If the text was changed, and there is no Graphviz.
        """
        if self.is_as_written:
            return svg(self.picture, self.theme, manner)
        return self.rendered("svg").decode()

    def rendered(self, format: str, dpi: float | None = None) -> bytes:
        """The drawing in one of Graphviz's formats.

        Raises
        ------
        GraphvizMissing
            If there is no Graphviz.
        """
        layout = "nop2" if self.engine == "neato" else self.engine
        return rendering.run(_at(self.source, dpi), format, layout, RENDER_TIMEOUT)

    def painted(self, format: str, dpi: float | None = None) -> bytes:
        """The drawing as the SVG shows it, painted by Graphviz; in its own manner if changed.

        Raises
        ------
        GraphvizMissing
            If there is no Graphviz.
        """
        if not self.is_as_written:
            return self.rendered(format, dpi)
        source = xdot(self.picture, self.theme, _size(self.picture))
        return rendering.run(_at(source, dpi), format, "nop2", RENDER_TIMEOUT)

    def png(self, dpi: float) -> bytes:
        """The drawing as PNG.

        Raises
        ------
        DrawingError
            If it is too large for the format.
        GraphvizMissing
            If there is no Graphviz.
        """
        if self.picture.page is not None:
            dpi = 72 / POINTS
        left, bottom, right, top = self.picture.frame()
        pixels = max(right - left, top - bottom) * self.picture.enlargement * dpi / 72
        if pixels > WIDEST_PNG:
            raise DrawingError(
                f"save: as PNG at {dpi:g} dpi this picture is {pixels:,.0f} pixels wide, and "
                f"Graphviz can write {WIDEST_PNG:,}; save it as .svg or .pdf, or draw part of the "
                f"steps with window=(3, 2), or take dpi={int(dpi * WIDEST_PNG / pixels)}"
            )
        return self.painted("png", dpi)

    def inline_svg(self, manner: Manner | None = None) -> str:
        """The SVG element alone, as it can stand in an HTML page."""
        text = self.svg(manner)
        return text[text.index("<svg") :]

    def svg_among_others(self) -> str:
        """The SVG element for a page that shows several drawings: all of its ids are its own."""
        text = self.inline_svg()
        key = f"{crc32(text.encode()):08x}"
        return re.sub(r' id="([be]\d+)"', rf' id="{key}-\1"', text)

    def pipe(self, format: str | None = None, *others: Any, **options: Any) -> Any:
        """As of ``graphviz.Digraph``; SVG has a title and a description for screen readers."""
        encoding = options.get("encoding")
        if (format or self.format) != "svg" or others or options.keys() - {"encoding"}:
            return super().pipe(format, *others, **options)
        return self.svg() if encoding else self.svg().encode()

    def render(self, *arguments: Any, **options: Any) -> str:
        """As of ``graphviz.Digraph``; SVG has a title and a description for screen readers."""
        path: str = super().render(*arguments, **options)
        if path.endswith(".svg") and self.is_as_written:
            write_file(path, self.svg().encode())
        return path

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None, **_: Any
    ) -> dict[str, str]:
        """What a notebook shows: the picture, or the sentence that says why there is none."""
        try:
            return {
                "image/svg+xml": in_a_cell(self.svg_among_others()),
                "text/plain": self.picture.description,
            }
        except DrawingError as error:
            return {"text/plain": str(error)}


def digraph(picture: Picture, theme: Theme, drawn: Drawn) -> Drawing:
    """Write a placed picture in the DOT language."""
    made = Drawing("drawing", engine="neato", format="svg")
    made.picture, made.theme, made.drawn = picture, theme, drawn
    made.attr(
        "graph",
        layout="nop2",
        bgcolor=theme.background,
        outputorder="nodesfirst",
        fontname=FAMILY,
        pad="0",
        margin="0",  # a PDF has one of half an inch
        _background=background(picture, theme),
        size=_size(picture),
    )
    made.attr("node", fontname=FAMILY, fontsize="14", fixedsize="true", shape="box")
    made.attr("edge", fontname=FAMILY, fontsize=f"{SMALL_FONT:g}")
    lines = made.body  # verbatim lines: Digraph.node and .edge take ten times as long
    for panel in picture.panels:
        lines += _panel(panel, theme)
    for i, box in enumerate(picture.boxes, 1):
        lines.append(f"\t{_quoted(box.name)} [id=b{i} {_written(_box(box, theme))}]\n")
    for i, arrow in enumerate(picture.arrows, 1):
        ends = f"{_quoted(arrow.tail.name)} -> {_quoted(arrow.head.name)}"
        lines.append(f"\t{ends} [id=e{i} {_written(_arrow(arrow, theme))}]\n")
    made.written = made.source
    return made


def _at(source: str, dpi: float | None) -> str:
    """A DOT text that says how many dots an inch has."""
    return source if dpi is None else source.replace("graph [", f"graph [dpi={dpi:g} ", 1)


def _size(picture: Picture) -> str:
    """How large the picture is shown, in inches."""
    left, bottom, right, top = picture.frame()
    scale = picture.enlargement / 72
    return f"{(right - left) * scale:.5f},{(top - bottom) * scale:.5f}!"


def _quoted(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _written(attributes: dict[str, str]) -> str:
    """Attributes in the DOT language: HTML-like labels bare, everything else in quotes."""
    return " ".join(
        f"{key}={value}" if value[:1] == "<" else f'{key}="{value}"'
        for key, value in attributes.items()
    )


def _xy(points: Sequence[Point]) -> str:
    return " ".join([f"{x:.2f},{y:.2f}" for x, y in points])


def _panel(panel: Panel, theme: Theme) -> list[str]:
    paint = panel_paint(panel, theme)
    frame = {
        "bb": f"{panel.left:.2f},{panel.bottom:.2f},{panel.right:.2f},{panel.top:.2f}",
        "label": html(panel.title, 14, paint.text),
        "lp": f"{panel.title_left + width(panel.title, 14) / 2:.2f},{panel.top - 12:.2f}",
        "style": "rounded,filled" + (",dashed" if paint.dashes == "dashed" else ""),
        "fillcolor": paint.fill,
        "color": paint.line,
        "penwidth": f"{paint.weight:g}",
    }
    corner = {  # nop2 leaves out a cluster that has no node
        "pos": f"{panel.left + 1:.2f},{panel.bottom + 1:.2f}",
        "style": "invis",
        "label": "",
        "width": "0",
        "height": "0",
    }
    return [
        f"\tsubgraph {_quoted('cluster_' + panel.name)} {{\n",
        *(
            f"\t\t{key}={value if value[0] == '<' else _quoted(value)}\n"
            for key, value in frame.items()
        ),
        f"\t\t{_quoted('panel ' + panel.name)} [{_written(corner)}]\n",
        "\t}\n",
    ]


def _box(box: Box, theme: Theme) -> dict[str, str]:
    paint = box_paint(box, theme)
    size = box.font
    attributes = {
        "label": html(box.label, size, paint.text) if box.label else "",
        "pos": f"{box.x:.2f},{box.y:.2f}",
        "width": f"{box.width / 72:.4f}",
        "height": f"{box.height / 72:.4f}",
        "style": "rounded,filled" if box.rounding and not box.is_round else "filled",
        "fillcolor": paint.fill,
        "color": paint.line,
        "penwidth": f"{paint.weight:g}",
        "class": box.kind,
    }
    if box.is_round:
        attributes["shape"] = "ellipse"
    if size != 14:
        attributes["fontsize"] = f"{size:g}"
    if paint.dashes == "dashed":
        attributes["style"] += ",dashed"
    return attributes


def _splines(arrow: Arrow, head: float) -> str:
    """The path of an arrow in the DOT language: one spline for each piece between its gaps."""
    pieces = [_xy(piece) for piece in parted(cut_end(arrow.path, head), arrow.gaps)]
    pieces[-1] = f"e,{_xy(arrow.path[-1:])} {pieces[-1]}"
    return ";".join(pieces)


def _arrow(arrow: Arrow, theme: Theme) -> dict[str, str]:
    color, thick = arrow_color(arrow, theme), thickness(arrow)
    head = head_length(arrow)
    attributes = {
        "pos": _splines(arrow, head),
        "color": color,
        "penwidth": f"{thick:.3g}",
        "arrowsize": f"{head / 10:.3g}",
        "class": arrow.flow,
    }
    style = line_style(arrow, theme)
    if style != "solid":
        attributes["style"] = style
    if arrow.flow in FAINTEST:
        attributes["color"] = f"{color}{int(255 * opacity(arrow)):02x}"
    if arrow.label and arrow.label_at:
        attributes["label"] = html(arrow.label, SMALL_FONT, label_color(arrow, theme))
        attributes["lp"] = _xy([arrow.label_at])
    if arrow.cut_at:
        attributes |= {"taillabel": SCISSORS, "tail_lp": _xy([arrow.cut_at])}
        attributes |= {"labelfontcolor": color, "labelfontsize": f"{SCISSORS_FONT:g}"}
    return attributes
