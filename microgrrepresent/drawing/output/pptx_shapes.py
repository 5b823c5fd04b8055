"""The shapes of a slide, as XML: boxes, lines and words at their places.

They are written here, and their numbers counted here: a library that looks for a free number and
the place of each property anew for every shape takes minutes for the slides of a backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import count
from typing import NamedTuple

from microgrrepresent.drawing.marks.colors import (
    DASHES,
    arrow_color,
    box_paint,
    dot_radius,
    label_color,
    opacity,
    panel_paint,
    pen,
)
from microgrrepresent.drawing.marks.curves import Path, corners_of, parted
from microgrrepresent.drawing.marks.labels import Label, Line, height, plain, text, width
from microgrrepresent.drawing.marks.picture import (
    FONT,
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
from microgrrepresent.drawing.output.pptx_colors import color, references
from microgrrepresent.drawing.output.pptx_sites import Sites, rounded

POINT = 12700
"""In units of a slide."""
TITLES = frozenset({"heading", "title"})
"""The boxes that are a slide's title."""


class Scale(NamedTuple):
    """From the picture's points, y upwards, to a slide's units, y downwards."""

    left: float
    top: float
    factor: float

    def x(self, value: float) -> int:
        """A place from the left."""
        return round((value - self.left) * self.factor)

    def y(self, value: float) -> int:
        """A place from the top."""
        return round((self.top - value) * self.factor)

    def length(self, value: float) -> int:
        """A length."""
        return round(value * self.factor)

    def frame(self, left: float, top: float, width: float, height: float) -> tuple[int, ...]:
        """A place and an extent."""
        return self.x(left), self.y(top), self.length(width), self.length(height)


@dataclass
class Shapes:
    """Writes the shapes of one picture."""

    theme: Theme
    scale: Scale
    numbers: Iterator[int] = field(default_factory=lambda: count(2))
    """1 is the number of the tree that they stand in."""

    def __post_init__(self) -> None:
        self._known = references(self.theme)

    def all_of(self, picture: Picture) -> Iterator[str]:
        """Every shape, in the order in which they are drawn."""
        for panel in picture.panels:
            yield self._panel(panel)
        sites = {box: Sites(box) for box in picture.boxes}
        ids = {box: next(self.numbers) for box in picture.boxes}
        glued = {
            arrow: self._glue(corners, sites[arrow.tail], sites[arrow.head], ids)
            for arrow in picture.arrows
            if (corners := _level_or_upright(arrow)) is not None
        }
        title = next((box for box in picture.boxes if box.name in TITLES), None)
        for box in picture.boxes:
            yield self._box(box, ids[box], sites[box], box is title)
        for arrow in picture.arrows:
            yield from self._arrow(arrow, glued.get(arrow))

    # --- boxes ------------------------------------------------------------------------------------

    def _panel(self, panel: Panel) -> str:
        paint = panel_paint(panel, self.theme)
        wide, high = panel.right - panel.left, panel.top - panel.bottom
        frame = self.scale.frame(panel.left, panel.top, wide, high)
        geometry = rounded(min(10 / min(wide, high), 0.5))
        inset = f'lIns="{self.scale.length(panel.title_left - panel.left)}" tIns="0"'
        words = self._words(panel.title, FONT, paint.text, f'{inset} anchor="t"', "l")
        name = _Name(next(self.numbers), plain(panel.title) or "panel", "")
        return _shape(name, frame, geometry + self._paint(paint), words)

    def _box(self, box: Box, number: int, sites: Sites, is_title: bool) -> str:
        paint = box_paint(box, self.theme)
        frame = self.scale.frame(box.left, box.top, box.width, box.height)
        look = sites.geometry(*frame[2:]) + self._paint(paint)
        words = self._words(
            box.label, box.font, paint.text, 'lIns="0" tIns="0" anchor="ctr"', "l" * box.flush
        )
        label = plain(box.label)
        name = _Name(number, label or box.kind, f"{box.kind} {label}")
        kind = '<p:ph type="title"/>' if is_title else ""
        return _shape(name, frame, look, words, kind)

    def _paint(self, paint: Paint) -> str:
        fill, line = "<a:noFill/>", "<a:noFill/>"
        if paint.fill != "none":
            fill = self._solid(paint.fill)
        if paint.line == "none":
            return f"{fill}<a:ln>{line}</a:ln>"
        return fill + self._line(paint.line, paint.weight, paint.dashes)

    def _solid(self, value: str, strength: float = 1.0) -> str:
        return f"<a:solidFill>{color(value, self._known, strength)}</a:solidFill>"

    def _line(
        self, value: str, thick: float, style: str, strength: float = 1.0, head: str = ""
    ) -> str:
        dashes = ""
        if style in DASHES:
            on, off = (round(1e5 * length / thick) for length in DASHES[style])
            dashes = f'<a:custDash><a:ds d="{on}" sp="{off}"/></a:custDash>'
        solid = self._solid(value, strength)
        return f'<a:ln w="{self.scale.length(thick)}">{solid}{dashes}{head}</a:ln>'

    # --- arrows -----------------------------------------------------------------------------------

    def _glue(self, corners: Sequence[Point], tail: Sites, head: Sites, ids: dict[Box, int]) -> str:
        """What ties the ends of a connector to the shapes on whose sides they are."""
        ends = (("stCxn", tail, corners[0]), ("endCxn", head, corners[-1]))
        return "".join(
            f'<a:{end} id="{ids[sites.box]}" idx="{number}"/>'
            for end, sites, at in ends
            if (number := sites.number(at)) is not None
        )

    def _arrow(self, arrow: Arrow, glue: str | None) -> Iterator[str]:
        value, (style, thick) = arrow_color(arrow, self.theme), pen(arrow, self.theme)
        name, strength = f"{arrow.tail.name} -> {arrow.head.name}", opacity(arrow)
        pieces = parted(arrow.path, arrow.gaps)
        for piece in pieces:
            head = '<a:tailEnd type="triangle"/>' if piece is pieces[-1] else ""
            line = self._line(value, thick, style, strength, head)
            named = _Name(next(self.numbers), name, arrow.flow)
            if glue is None:
                yield self._free_form(named, piece, line)
            else:
                yield self._connector(named, piece, line, glue)
        r = dot_radius(arrow)
        for x, y in arrow.forks:
            frame = self.scale.frame(x - r, y + r, 2 * r, 2 * r)
            look = f'<a:prstGeom prst="ellipse"><a:avLst/></a:prstGeom>{self._solid(value)}'
            yield _shape(_Name(next(self.numbers), "fork", ""), frame, look, "")
        if arrow.label and arrow.label_at:
            own = label_color(arrow, self.theme)
            yield self._text_box(arrow.label, arrow.label_at, SMALL_FONT, own)
        if arrow.cut_at:
            yield self._text_box((text(SCISSORS),), arrow.cut_at, SCISSORS_FONT, value)

    def _connector(self, name: _Name, path: Path, line: str, glue: str) -> str:
        """A straight line that follows what it is glued to."""
        (x0, y0), (x1, y1) = ((self.scale.x(x), self.scale.y(y)) for x, y in (path[0], path[-1]))
        flips = ' flipH="1"' * (x1 < x0) + ' flipV="1"' * (y1 < y0)
        frame = (min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
        return (
            f"<p:cxnSp><p:nvCxnSpPr>{name.written()}<p:cNvCxnSpPr>{glue}</p:cNvCxnSpPr><p:nvPr/>"
            f"</p:nvCxnSpPr><p:spPr>{_place(frame, flips)}"
            f'<a:prstGeom prst="line"><a:avLst/></a:prstGeom>{line}</p:spPr></p:cxnSp>'
        )

    def _free_form(self, name: _Name, path: Path, line: str) -> str:
        """A line along cubic curves."""
        points = [(self.scale.x(x), self.scale.y(y)) for x, y in path]
        left, top = min(x for x, _ in points), min(y for _, y in points)
        wide, high = max(x for x, _ in points) - left, max(y for _, y in points) - top
        first, *rest = (f'<a:pt x="{x - left}" y="{y - top}"/>' for x, y in points)
        curves = "".join(
            f"<a:cubicBezTo>{''.join(rest[k : k + 3])}</a:cubicBezTo>"
            for k in range(0, len(rest), 3)
        )
        look = (
            '<a:custGeom><a:avLst/><a:gdLst/><a:ahLst/><a:cxnLst/><a:rect l="0" t="0" r="r" b="b"/>'
            f'<a:pathLst><a:path w="{wide}" h="{high}" fill="none"><a:moveTo>{first}</a:moveTo>'
            f"{curves}</a:path></a:pathLst></a:custGeom><a:noFill/>{line}"
        )
        return _shape(name, (left, top, wide, high), look, "")

    # --- words ------------------------------------------------------------------------------------

    def _text_box(self, label: Label, at: Point, size: float, value: str) -> str:
        """Words without a frame, their middle at a point."""
        wide, high = width(label, size), height(label, size)
        frame = self.scale.frame(at[0] - wide / 2, at[1] + high / 2, wide, high)
        look = '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:noFill/>'
        words = self._words(label, size, value, 'lIns="0" tIns="0" anchor="ctr"')
        return _shape(_Name(next(self.numbers), plain(label), ""), frame, look, words)

    def _words(self, label: Label, size: float, value: str, body: str, side: str = "") -> str:
        """A label, a paragraph a line, subscripts as such."""
        fill = self._solid(value)
        paragraphs = "".join(self._paragraph(line, size, fill, side or "ctr") for line in label)
        empty = f'<a:p><a:endParaRPr sz="{self._font(size)}"/></a:p>'
        return (
            f'<p:txBody><a:bodyPr wrap="none" {body} rIns="0" bIns="0"><a:noAutofit/></a:bodyPr>'
            f"<a:lstStyle/>{paragraphs or empty}</p:txBody>"
        )

    def _paragraph(self, line: Line, size: float, fill: str, side: str) -> str:
        runs = ""
        for run in line:
            own = size if run.level != "base" else size * run.size  # small letters by themselves
            shift = {"base": "", "sub": ' baseline="-25000"', "sup": ' baseline="30000"'}[run.level]
            slant = ' i="1"' if run.italic else ' i="0"'
            runs += (
                f'<a:r><a:rPr lang="en-US" sz="{self._font(own)}" b="0"{slant}{shift}>{fill}'
                f"</a:rPr><a:t>{escape(run.text)}</a:t></a:r>"
            )
        style = f'<a:pPr algn="{side}"><a:spcBef><a:spcPts val="0"/></a:spcBef></a:pPr>'
        return f"<a:p>{style}{runs}</a:p>"

    def _font(self, size: float) -> int:
        """A size in hundredths of a point, a multiple of a quarter."""
        return 25 * round(4 * size * self.scale.factor / POINT)


class _Name(NamedTuple):
    """What a shape is called: by its number, in the selection pane, and by screen readers."""

    number: int
    name: str
    description: str

    def written(self) -> str:
        told = f' descr="{escape(self.description)}"' if self.description else ""
        return f'<p:cNvPr id="{self.number}" name="{escape(self.name)}"{told}/>'


def _level_or_upright(arrow: Arrow) -> Sequence[Point] | None:
    """The ends of an arrow that is one line without a bend or gap."""
    corners = corners_of(arrow.path)
    return corners if corners is not None and len(corners) == 2 and not arrow.gaps else None


def _place(frame: Sequence[int], flips: str = "") -> str:
    x, y, wide, high = frame
    return f'<a:xfrm{flips}><a:off x="{x}" y="{y}"/><a:ext cx="{wide}" cy="{high}"/></a:xfrm>'


def _shape(name: _Name, frame: Sequence[int], look: str, words: str, kind: str = "") -> str:
    words = words or "<p:txBody><a:bodyPr/><a:lstStyle/><a:p/></p:txBody>"
    return (
        f"<p:sp><p:nvSpPr>{name.written()}<p:cNvSpPr/><p:nvPr>{kind}</p:nvPr></p:nvSpPr>"
        f"<p:spPr>{_place(frame)}{look}</p:spPr>{words}</p:sp>"
    )
