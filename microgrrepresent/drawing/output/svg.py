"""A placed picture as SVG, written here: no program but this one has a hand in it.

So a picture comes out on every machine, is the same on every machine, and costs little more than
its bytes. Styles are attributes of the elements, which is what slide editors understand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from zlib import crc32

from microgrrepresent.drawing.marks.colors import (
    DASHES,
    arrow_color,
    box_paint,
    dot_radius,
    head_length,
    label_color,
    opacity,
    panel_paint,
    pen,
)
from microgrrepresent.drawing.marks.curves import Path, arrow_head, parted
from microgrrepresent.drawing.marks.labels import Label, svg_lines, text
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

FAMILY = "Helvetica,Arial,DejaVu Sans,sans-serif"


class Manner:
    """What an element says of itself: here all of it, so that each can be taken out and edited."""

    def at(self, x: float) -> str:
        """A coordinate, to a hundredth of a point."""
        return f"{x:.2f}".rstrip("0").rstrip(".")

    def look(self, attributes: str) -> str:
        """Attributes that many elements share."""
        return attributes

    def title(self, words: str) -> str:
        """What an editor or a pointer over an element shows of it."""
        return f"<title>{_escaped(words)}</title>"

    def words(self, spans: str) -> str:
        """Text, with spans for what is in another style."""
        return spans

    def arrow(self, d: str, line: str, head: Sequence[Point], color: str, seen: str) -> str:
        """A line and its head: the foot's left corner, the tip and the right corner."""
        filled = self.look(f'fill="{color}"')
        corners = " ".join([f"{self.at(x)},{self.at(-y)}" for x, y in head])
        return (
            f'<path d="{d}" {self.look(line)}{seen}/><polygon points="{corners}" {filled}{seen}/>'
        )


def svg(picture: Picture, theme: Theme, manner: Manner | None = None) -> str:
    """Write a picture as SVG, with a role, a title and a description for screen readers.

    Box number i of the picture (from 1) has the id ``b<i>``, arrow number i the id ``e<i>``; their
    classes say of which kind they are.
    """
    write = _Writer(theme, manner or Manner())
    left, low, right, high = picture.frame()
    top, width, height = -high, right - left, high - low
    size = f'width="{width * picture.scale:.0f}pt" height="{height * picture.scale:.0f}pt"'
    if picture.page is not None:
        size = f'width="{picture.page[0]:g}" height="{picture.page[1]:g}"'
    words = f"{picture.title}\n{picture.description}"
    key = f"{crc32(words.encode()):08x}"  # two drawings on one page need ids of their own
    frame = f'x="{left:.2f}" y="{top:.2f}" width="{width:.2f}" height="{height:.2f}"'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}'
            f' viewBox="{left:.2f} {top:.2f} {width:.2f} {height:.2f}" role="img"'
            f' aria-labelledby="title-{key} desc-{key}">',
            f'<title id="title-{key}">{_escaped(picture.title)}</title>',
            f'<desc id="desc-{key}">{_escaped(picture.description)}</desc>',
            f'<rect class="background" {frame} fill="{theme.background}"/>',
            f'<g class="graph" font-family="{FAMILY}" font-size="{FONT:g}" text-anchor="middle"'
            ' xml:space="preserve">',
            *map(write.panel, picture.panels),
            *(write.box(i, box) for i, box in enumerate(picture.boxes, 1)),
            *(write.arrow(i, arrow) for i, arrow in enumerate(picture.arrows, 1)),
            "</g>",
            "</svg>",
            "",
        ]
    )


@dataclass(frozen=True)
class _Writer:
    """Writes elements in the colors of a theme."""

    theme: Theme
    manner: Manner

    def panel(self, panel: Panel) -> str:
        at, paint = self.manner.at, panel_paint(panel, self.theme)
        title = self._lines(panel.title, panel.title_left, panel.top - 12, FONT, paint.text)
        return (
            f'<g class="cluster"><rect x="{at(panel.left)}" y="{at(-panel.top)}"'
            f' width="{at(panel.right - panel.left)}" height="{at(panel.top - panel.bottom)}"'
            f' rx="10" {self._painted(paint)}/><g text-anchor="start">{title}</g></g>'
        )

    def box(self, i: int, box: Box) -> str:
        at, paint = self.manner.at, box_paint(box, self.theme)
        if box.is_round:
            shape = f'<circle cx="{at(box.x)}" cy="{at(-box.y)}" r="{at(box.width / 2)}"'
        else:
            shape = (
                f'<rect x="{at(box.left)}" y="{at(-box.top)}" width="{at(box.width)}"'
                f' height="{at(box.height)}" rx="{box.rounding:g}"'
            )
        return (
            f'<g id="b{i}" class="node {box.kind}">{self.manner.title(box.name)}'
            f"{shape} {self._painted(paint)}/>{self._words(box, paint)}</g>"
        )

    def _painted(self, paint: Paint) -> str:
        return self.manner.look(
            f'fill="{paint.fill}" stroke="{paint.line}" stroke-width="{paint.weight:g}"'
            f"{_dashes(paint.dashes)}"
        )

    def _words(self, box: Box, paint: Paint) -> str:
        if not box.flush:
            return self._lines(box.label, box.x, box.y, box.font, paint.text)
        words = self._lines(box.label, box.left, box.y, box.font, paint.text)
        return f'<g text-anchor="start">{words}</g>'

    def arrow(self, i: int, arrow: Arrow) -> str:
        at, manner = self.manner.at, self.manner
        color, (style, thick) = arrow_color(arrow, self.theme), pen(arrow, self.theme)
        line, head = arrow_head(arrow.path, head_length(arrow))
        faint = opacity(arrow)
        seen = f' opacity="{faint:.2f}"' if faint < 1 else ""
        drawn = f'fill="none" stroke="{color}"{_dashes(style)} stroke-width="{thick:.3g}"'
        words = ""
        if arrow.label and arrow.label_at:
            words = self._lines(
                arrow.label, *arrow.label_at, SMALL_FONT, label_color(arrow, self.theme)
            )
        if arrow.cut_at:
            words += self._lines((text(SCISSORS),), *arrow.cut_at, SCISSORS_FONT, color)
        filled = manner.look(f'fill="{color}"')
        words += "".join(
            f'<circle cx="{at(x)}" cy="{at(-y)}" r="{dot_radius(arrow):g}" {filled}/>'
            for x, y in arrow.forks
        )
        return (
            f'<g id="e{i}" class="edge {arrow.flow}">'
            f"{manner.title(f'{arrow.tail.name}->{arrow.head.name}')}"
            f"{manner.arrow(self._curves(line, arrow.gaps), drawn, head, color, seen)}"
            f"{words}</g>"
        )

    def _curves(self, path: Path, gaps: Sequence[Point]) -> str:
        return "".join(map(self._curve, parted(path, gaps)))

    def _curve(self, path: Path) -> str:
        """A path; what is level or upright in it as a line."""
        at = self.manner.at
        points = [(at(x), at(-y)) for x, y in path]
        written = [f"M{','.join(points[0])}"]
        for k in range(0, len(path) - 3, 3):
            (ax, ay), (bx, by), (cx, cy), (dx, dy) = points[k : k + 4]
            if ay == by == cy == dy:
                line = f"H{dx}"
            elif ax == bx == cx == dx:
                line = f"V{dy}"
            else:
                written.append(f"C{bx},{by} {cx},{cy} {dx},{dy}")
                continue
            if written[-1][0] == line[0] and _goes_on(path[k - 3], path[k], path[k + 3]):
                written.pop()
            written.append(line)
        return "".join(written)

    def _lines(self, label: Label, x: float, y: float, size: float, color: str) -> str:
        """The lines of a label whose middle is at a point."""
        at = self.manner.at
        small = f'font-size="{size:g}" ' if size != FONT else ""
        look = self.manner.look(f'{small}fill="{color}"')
        return "".join(
            f'<text x="{at(x)}" y="{at(below - y)}" {look}>{self.manner.words(words)}</text>'
            for below, words in svg_lines(label, size)
        )


def _goes_on(a: Point, b: Point, c: Point) -> bool:
    """Whether the way from a to b goes on to c, and does not turn back."""
    return (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]) >= 0


def _dashes(style: str) -> str:
    if style not in DASHES:
        return ""
    on, off = DASHES[style]
    return f' stroke-dasharray="{on:g},{off:g}"'


def _escaped(words: str) -> str:
    return escape(words, quote=False)
