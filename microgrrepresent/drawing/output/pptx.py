"""A placed picture as a PowerPoint slide: shapes and lines that can be moved and typed over.

Boxes are native shapes with text runs, subscripts included. An arrow that is straight, or has one
or two right-angled bends, is a connector; where it ends on a side of a shape it is glued to that,
and follows when it is moved. Any other arrow is a free-form line. Nothing is a
picture, so everything can be edited.

python-pptx is an extra; it is imported when a slide is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, NamedTuple

from lxml import etree  # type: ignore[import-untyped]
from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.dml import MSO_LINE
from pptx.enum.shapes import MSO_CONNECTOR, MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from microgrrepresent.drawing.marks.colors import (
    arrow_color,
    box_paint,
    dot_radius,
    opacity,
    pen,
)
from microgrrepresent.drawing.marks.curves import Path, corners_of, parted
from microgrrepresent.drawing.marks.labels import Label, height, plain, text, width
from microgrrepresent.drawing.marks.picture import (
    SCISSORS,
    SCISSORS_FONT,
    SMALL_FONT,
    Arrow,
    Box,
    Panel,
    Picture,
    Point,
)
from microgrrepresent.drawing.marks.themes import Paint, Theme
from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.output.pptx_sites import site

WIDE, HIGH = Emu(12192000), Emu(6858000)
"""A slide of 16:9, 13.33 by 7.5 inches."""
DASHES = {"dashed": MSO_LINE.DASH, "dotted": MSO_LINE.SQUARE_DOT}


class _Scale(NamedTuple):
    """From the picture's points, y upwards, to a slide's units, y downwards."""

    left: float
    top: float
    factor: float

    def x(self, value: float) -> int:
        return round((value - self.left) * self.factor)

    def y(self, value: float) -> int:
        return round((self.top - value) * self.factor)

    def length(self, value: float) -> Any:
        return Emu(round(value * self.factor))

    def font(self, size: float) -> Any:
        return Pt(round(4 * size * self.factor / Pt(1)) / 4)


def presentation(drawings: Sequence[Drawing]) -> bytes:
    """Write drawings as a presentation, one a slide.

    Parameters
    ----------
    drawings : sequence of Drawing
        The title of each is the name of its slide, its description the alternative text.

    Returns
    -------
    bytes
        A .pptx file.
    """
    made = Presentation()
    made.slide_width, made.slide_height = WIDE, HIGH
    for drawing in drawings:
        slide = made.slides.add_slide(made.slide_layouts[6])  # an empty one
        _paint_background(slide, drawing.theme)
        _write(slide, drawing.picture, drawing.theme)
        slide.notes_slide.notes_text_frame.text = drawing.picture.description
    content = BytesIO()
    made.save(content)
    return content.getvalue()


def _scale_of(picture: Picture) -> _Scale:
    """How a picture fits into a slide, in its middle."""
    left, bottom, right, top = picture.frame()
    factor = min(WIDE / (right - left), HIGH / (top - bottom))
    across, down = WIDE / factor - (right - left), HIGH / factor - (top - bottom)
    return _Scale(left - across / 2, top + down / 2, factor)


def _paint_background(slide: Any, theme: Theme) -> None:
    fill = slide.background.fill
    fill.solid()
    fill.fore_color.rgb = _rgb(theme.background)


def _write(slide: Any, picture: Picture, theme: Theme) -> None:
    scale = _scale_of(picture)
    for panel in picture.panels:
        _panel(slide, panel, theme, scale)
    shapes = {box: _box(slide, box, theme, scale) for box in picture.boxes}
    for arrow in picture.arrows:
        _arrow(slide, arrow, theme, scale, shapes)


def _panel(slide: Any, panel: Panel, theme: Theme, scale: _Scale) -> None:
    x, y = scale.x(panel.left), scale.y(panel.top)
    width, height = scale.length(panel.right - panel.left), scale.length(panel.top - panel.bottom)
    shape = slide.shapes.add_shape(MSO_SHAPE.ROUNDED_RECTANGLE, x, y, width, height)
    shape.adjustments[0] = min(10 * scale.factor / max(min(width, height), 1), 0.5)
    _paint(shape, theme.panel, scale)
    frame = _text(shape, panel.title, 14.0, theme.panel.text, scale)
    frame.vertical_anchor = MSO_ANCHOR.TOP
    frame.margin_left, frame.margin_top = scale.length(panel.title_left - panel.left), 0
    for paragraph in frame.paragraphs:
        paragraph.alignment = PP_ALIGN.LEFT
    _describe(shape, plain(panel.title) or "panel", "")


def _box(slide: Any, box: Box, theme: Theme, scale: _Scale) -> Any:
    kind = MSO_SHAPE.OVAL if box.is_round else MSO_SHAPE.ROUNDED_RECTANGLE
    if not box.rounding:
        kind = MSO_SHAPE.RECTANGLE
    width, height = scale.length(box.width), scale.length(box.height)
    shape = slide.shapes.add_shape(kind, scale.x(box.left), scale.y(box.top), width, height)
    if kind == MSO_SHAPE.ROUNDED_RECTANGLE:
        shape.adjustments[0] = min(box.rounding * scale.factor / max(min(width, height), 1), 0.5)
    paint = box_paint(box, theme)
    _paint(shape, paint, scale, dashed=box.pending)
    _text(shape, box.label, box.font, paint.text, scale)
    _describe(shape, plain(box.label) or box.kind, f"{box.kind} {plain(box.label)}")
    return shape


def _arrow(slide: Any, arrow: Arrow, theme: Theme, scale: _Scale, shapes: dict[Box, Any]) -> None:
    color, (style, thick) = arrow_color(arrow, theme), pen(arrow, theme)
    corners = corners_of(arrow.path)
    if corners is not None and len(corners) <= 4 and not arrow.gaps:
        lines = [_connector(slide, [(scale.x(x), scale.y(y)) for x, y in corners])]
        _glue(lines[0], "stCxn", shapes[arrow.tail], arrow.tail, corners[0])
        _glue(lines[0], "endCxn", shapes[arrow.head], arrow.head, corners[-1])
    else:
        lines = [_free_form(slide, piece, scale) for piece in parted(arrow.path, arrow.gaps)]
    for line in lines:
        line.line.color.rgb = _rgb(color)
        line.line.width = scale.length(thick)
        if opacity(arrow) < 1:
            color_of_line = line.line._get_or_add_ln().find(f".//{qn('a:srgbClr')}")
            etree.SubElement(color_of_line, qn("a:alpha"), val=str(round(1e5 * opacity(arrow))))
        if style != "solid":
            line.line.dash_style = DASHES[style]
        _describe(line, f"{arrow.tail.name} -> {arrow.head.name}", arrow.flow)
    etree.SubElement(lines[-1].line._get_or_add_ln(), qn("a:tailEnd"), type="triangle")
    r = dot_radius(arrow)
    for x, y in arrow.forks:
        at = scale.x(x - r), scale.y(y + r), scale.length(2 * r), scale.length(2 * r)
        dot = slide.shapes.add_shape(MSO_SHAPE.OVAL, *at)
        _paint(dot, Paint(color, color, color, 0.1), scale)
        _describe(dot, "fork", "")
    if arrow.label and arrow.label_at:
        _words(slide, arrow.label, arrow.label_at, SMALL_FONT, theme.text, scale)
    if arrow.cut_at:
        _words(slide, (text(SCISSORS),), arrow.cut_at, SCISSORS_FONT, color, scale)


# --- lines ----------------------------------------------------------------------------------------


def _connector(slide: Any, corners: list[tuple[int, int]]) -> Any:
    """A connector through two, three or four corners, in a slide's units.

    An elbow connector begins level in its own frame. One that begins upright is the same, turned by
    a right angle about its middle.
    """
    (x0, y0), (x1, y1) = corners[0], corners[-1]
    line = slide.shapes.add_connector(MSO_CONNECTOR.STRAIGHT, x0, y0, x1, y1)
    if len(corners) == 2:
        return line
    geometry = line._element.spPr.find(qn("a:prstGeom"))
    geometry.set("prst", f"bentConnector{len(corners) - 1}")
    upright = corners[0][0] == corners[1][0]
    if len(corners) == 4:
        axis = 1 if upright else 0
        way = corners[-1][axis] - corners[0][axis]
        share = (corners[1][axis] - corners[0][axis]) / way if way else 0.5
        values = geometry.find(qn("a:avLst"))
        etree.SubElement(values, qn("a:gd"), name="adj1", fmla=f"val {round(100000 * share)}")
    if upright:
        frame = line._element.spPr.find(qn("a:xfrm"))
        width, height = abs(x1 - x0), abs(y1 - y0)
        frame.attrib.clear()
        frame.set("rot", "5400000")
        if y1 < y0:
            frame.set("flipH", "1")
        if x1 > x0:
            frame.set("flipV", "1")
        middle = (x0 + x1) // 2, (y0 + y1) // 2
        offset, extent = frame.find(qn("a:off")), frame.find(qn("a:ext"))
        offset.set("x", str(middle[0] - height // 2))
        offset.set("y", str(middle[1] - width // 2))
        extent.set("cx", str(height))
        extent.set("cy", str(width))
    return line


def _glue(line: Any, end: str, shape: Any, box: Box, at: Point) -> None:
    """Tie an end of a connector to its shape, if it ends on a side of that."""
    number = site(shape, box, at)
    if number is not None:
        properties = line._element.find(qn("p:nvCxnSpPr")).find(qn("p:cNvCxnSpPr"))
        tie = {"id": str(shape.shape_id), "idx": str(number)}
        etree.SubElement(properties, qn(f"a:{end}"), tie)


def _free_form(slide: Any, path: Path, scale: _Scale) -> Any:
    """A line along cubic curves."""
    points = [(scale.x(x), scale.y(y)) for x, y in path]
    builder = slide.shapes.build_freeform(*points[0])
    builder.add_line_segments(points[1:], close=False)
    line = builder.convert_to_shape()
    drawn = line._element.spPr.find(qn("a:custGeom")).find(qn("a:pathLst")).find(qn("a:path"))
    for segment in drawn.findall(qn("a:lnTo")):
        drawn.remove(segment)
    left, top = min(x for x, _ in points), min(y for _, y in points)
    for k in range(1, len(points) - 2, 3):
        curve = etree.SubElement(drawn, qn("a:cubicBezTo"))
        for x, y in points[k : k + 3]:
            etree.SubElement(curve, qn("a:pt"), x=str(x - left), y=str(y - top))
    line.fill.background()
    _plain(line)
    return line


# --- paint and words ------------------------------------------------------------------------------


def _plain(shape: Any) -> None:
    """Take away what the theme adds to a shape: a shadow, among others."""
    style = shape._element.find(qn("p:style"))
    if style is not None:
        shape._element.remove(style)


def _rgb(color: str) -> Any:
    return RGBColor(*bytes.fromhex(color.lstrip("#")))  # type: ignore[no-untyped-call]


def _paint(shape: Any, paint: Paint, scale: _Scale, dashed: bool = False) -> None:
    _plain(shape)
    if paint.fill == "none":
        shape.fill.background()
    else:
        shape.fill.solid()
        shape.fill.fore_color.rgb = _rgb(paint.fill)
    if paint.line == "none":
        shape.line.fill.background()
        return
    shape.line.color.rgb = _rgb(paint.line)
    shape.line.width = scale.length(paint.weight)
    if dashed or paint.dashes == "dashed":
        shape.line.dash_style = MSO_LINE.DASH


def _text(shape: Any, label: Label, size: float, color: str, scale: _Scale) -> Any:
    """Write a label into a shape, a paragraph a line, subscripts as such."""
    frame = shape.text_frame
    frame.word_wrap = False
    frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for i, line in enumerate(label):
        paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.CENTER
        for run in line:
            made = paragraph.add_run()
            made.text = run.text
            font = made.font
            font.italic, font.color.rgb = run.italic, _rgb(color)
            font.size = scale.font(size if run.level != "base" else size * run.size)
            if run.level != "base":  # PowerPoint makes it small by itself
                font._element.set("baseline", "-25000" if run.level == "sub" else "30000")
    return frame


def _words(slide: Any, label: Label, at: Point, size: float, color: str, scale: _Scale) -> None:
    """Words without a frame, their middle at a point."""
    wide, high = width(label, size), height(label, size)
    x, y = scale.x(at[0] - wide / 2), scale.y(at[1] + high / 2)
    box = slide.shapes.add_textbox(x, y, scale.length(wide), scale.length(high))
    _text(box, label, size, color, scale)
    _describe(box, plain(label), "")


def _describe(shape: Any, name: str, description: str) -> None:
    """A name for the selection pane, and an alternative text for screen readers."""
    shape.name = name
    if description:
        shape._element._nvXxPr.cNvPr.set("descr", description)
