"""A placed picture as SVG, written here: no program but this one has a hand in it.

So a picture comes out on every machine, is the same on every machine, and costs little more than
its bytes. Styles are attributes of the elements, which is what slide editors understand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from zlib import crc32

from microgrrepresent.drawing.marks.colors import (
    arrow_color,
    box_paint,
    dot_radius,
    head_length,
    opacity,
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
DASHES = {"dashed": "5,2", "dotted": "2,3"}


def svg(picture: Picture, theme: Theme) -> str:
    """Write a picture as SVG, with a role, a title and a description for screen readers.

    Box number i of the picture (from 1) has the id ``b<i>``, arrow number i the id ``e<i>``; their
    classes say of which kind they are.
    """
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
            *_elements(picture, theme),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _elements(picture: Picture, theme: Theme) -> Iterator[str]:
    for panel in picture.panels:
        yield _panel(panel, theme)
    for i, box in enumerate(picture.boxes, 1):
        yield _box(i, box, theme)
    for i, arrow in enumerate(picture.arrows, 1):
        yield _arrow(i, arrow, theme)


def _panel(panel: Panel, theme: Theme) -> str:
    paint = theme.panel
    dashes = _dashes(paint.dashes)
    title = "".join(_lines(panel.title, panel.title_left, panel.top - 12, FONT, paint.text))
    return (
        f'<g class="cluster"><rect x="{panel.left:.2f}" y="{-panel.top:.2f}"'
        f' width="{panel.right - panel.left:.2f}" height="{panel.top - panel.bottom:.2f}" rx="10"'
        f' fill="{paint.fill}" stroke="{paint.line}" stroke-width="{paint.weight:g}"{dashes}/>'
        f'<g text-anchor="start">{title}</g></g>'
    )


def _box(i: int, box: Box, theme: Theme) -> str:
    paint = box_paint(box, theme)
    if box.is_round:
        shape = f'<circle cx="{box.x:.2f}" cy="{-box.y:.2f}" r="{box.width / 2:.2f}"'
    else:
        shape = (
            f'<rect x="{box.left:.2f}" y="{-box.top:.2f}" width="{box.width:.2f}"'
            f' height="{box.height:.2f}" rx="{box.rounding:g}"'
        )
    dashes = _dashes("dashed" if box.pending else paint.dashes)
    return (
        f'<g id="b{i}" class="node {box.kind}"><title>{_escaped(box.name)}</title>'
        f'{shape} fill="{paint.fill}" stroke="{paint.line}" stroke-width="{paint.weight:g}"{dashes}'
        f"/>{_words(box, paint)}</g>"
    )


def _words(box: Box, paint: Paint) -> str:
    if not box.flush:
        return "".join(_lines(box.label, box.x, box.y, box.font, paint.text))
    words = "".join(_lines(box.label, box.left, box.y, box.font, paint.text))
    return f'<g text-anchor="start">{words}</g>'


def _arrow(i: int, arrow: Arrow, theme: Theme) -> str:
    color, (style, thick) = arrow_color(arrow, theme), pen(arrow, theme)
    line, head = arrow_head(arrow.path, head_length(arrow))
    faint = opacity(arrow)
    seen = f' opacity="{faint:.2f}"' if faint < 1 else ""
    words = ""
    if arrow.label and arrow.label_at:
        words = "".join(_lines(arrow.label, *arrow.label_at, SMALL_FONT, theme.text))
    if arrow.cut_at:
        words += "".join(_lines((text(SCISSORS),), *arrow.cut_at, SCISSORS_FONT, color))
    corners = " ".join([f"{x:.2f},{-y:.2f}" for x, y in head])
    words += "".join(
        f'<circle cx="{x:.2f}" cy="{-y:.2f}" r="{dot_radius(arrow):g}" fill="{color}"/>'
        for x, y in arrow.forks
    )
    return (
        f'<g id="e{i}" class="edge {arrow.flow}"><title>'
        f"{_escaped(f'{arrow.tail.name}->{arrow.head.name}')}</title>"
        f'<path d="{_curves(line, arrow.gaps)}" fill="none" stroke="{color}"'
        f' stroke-width="{thick:.3g}"{_dashes(style)}{seen}/>'
        f'<polygon points="{corners}" fill="{color}"{seen}/>{words}</g>'
    )


def _curves(path: Path, gaps: Sequence[Point]) -> str:
    return " ".join(map(_curve, parted(path, gaps)))


def _curve(path: Path) -> str:
    x, y = path[0]
    words = [f"M{x:.2f},{-y:.2f}C"]
    words += [f"{x:.2f},{-y:.2f}" for x, y in path[1:]]
    return " ".join(words)


def _lines(label: Label, x: float, y: float, size: float, color: str) -> Iterator[str]:
    """The lines of a label whose middle is at a point."""
    for below, words in svg_lines(label, size):
        at = f'x="{x:.2f}" y="{below - y:.2f}"'
        small = f' font-size="{size:g}"' if size != FONT else ""
        yield f'<text {at}{small} fill="{color}">{words}</text>'


def _dashes(style: str) -> str:
    return f' stroke-dasharray="{DASHES[style]}"' if style in DASHES else ""


def _escaped(words: str) -> str:
    return escape(words, quote=False)
