r"""A placed picture as TikZ, for papers: the same positions, LaTeX's own letters.

The file is a document of its own; what stands between ``\begin{tikzpicture}`` and its end can be
copied into a paper that loads tikz. A unit is a big point, the point that Graphviz counts in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
from microgrrepresent.drawing.marks.labels import is_wide, text
from microgrrepresent.drawing.marks.picture import (
    FONT,
    SCISSORS,
    SCISSORS_FONT,
    SMALL_FONT,
    Arrow,
    Box,
    Panel,
    Picture,
)
from microgrrepresent.drawing.marks.themes import Theme
from microgrrepresent.drawing.output.tex import CHINESE, PREAMBLE, tex

HEAD = r"""\RequirePackage{fix-cm}
\documentclass[tikz]{standalone}
\usepackage{amsmath,amssymb}
\newcommand\setsize[1]{\fontsize{#1bp}{#1bp}\selectfont}
"""


def tikz(picture: Picture, theme: Theme) -> str:
    """Write a picture as a LaTeX document."""
    body = list(_lines(picture, theme))
    colors = sorted({word for line in body for word in re.findall(r"\bc([0-9a-f]{6})\b", line)})
    size = picture.enlargement
    cjk = any(is_wide(c) for line in body for c in line)
    return "\n".join(
        [
            f"% {' '.join(picture.title.split())}",
            HEAD + PREAMBLE + (CHINESE if cjk else "") + r"\begin{document}",
            *(rf"\definecolor{{c{color}}}{{HTML}}{{{color.upper()}}}" for color in colors),
            *([] if size == 1 else [rf"\scalebox{{{size:.5f}}}{{%"]),
            r"\begin{tikzpicture}[x=1bp, y=1bp,",
            r"  box/.style={rectangle, rounded corners=6bp, draw, inner sep=0pt},",
            r"  round/.style={circle, draw, inner sep=0pt}]",
            *body,
            r"\end{tikzpicture}",
            *([] if size == 1 else ["}"]),
            r"\end{document}",
            "",
        ]
    )


def _lines(picture: Picture, theme: Theme) -> Iterator[str]:
    left, bottom, right, top = picture.frame()
    corners = f"{_at(left, bottom)} rectangle {_at(right, top)}"
    yield rf"\fill[{_ink(theme.background)}] {corners};"
    for panel in picture.panels:
        yield _panel(panel, theme)
    for box in picture.boxes:
        yield _box(box, theme)
    for arrow in picture.arrows:
        yield _arrow(arrow, theme)


def _panel(panel: Panel, theme: Theme) -> str:
    paint = panel_paint(panel, theme)
    style = f"draw={_ink(paint.line)}, fill={_ink(paint.fill)}, rounded corners=10bp"
    corners = f"{_at(panel.left, panel.bottom)} rectangle {_at(panel.right, panel.top)}"
    style_of_title = f"anchor=west, inner sep=0pt, text={_ink(paint.text)}"
    at, words = _at(panel.title_left, panel.top - 12), tex(panel.title, FONT)
    return rf"\draw[{style}] {corners}; \node[{style_of_title}] at {at} {{{words}}};"


def _box(box: Box, theme: Theme) -> str:
    paint = box_paint(box, theme)
    styles = [
        "round" if box.is_round else "box",
        f"draw={_ink(paint.line)}",
        f"fill={_ink(paint.fill)}",
        f"text={_ink(paint.text)}",
        f"line width={paint.weight:g}bp",
        f"minimum width={box.width:.2f}bp",
        f"minimum height={box.height:.2f}bp",
    ]
    if not box.rounding:
        styles.append("sharp corners")
    styles += _dashes(paint.dashes)
    label = rf"\makebox[0pt]{{{tex(box.label, box.font)}}}" if box.label else ""
    if box.flush:
        at, words = _at(box.left, box.y), tex(box.label, box.font)
        style = f"anchor=west, inner sep=0pt, text={_ink(paint.text)}"
        return rf"\node[{style}] at {at} {{{words}}};"
    return rf"\node[{', '.join(styles)}] at {_at(box.x, box.y)} {{{label}}};"


def _dashes(style: str) -> list[str]:
    return ["dash pattern=on {:g}bp off {:g}bp".format(*DASHES[style])] if style in DASHES else []


def _arrow(arrow: Arrow, theme: Theme) -> str:
    ink, (style, thick) = _ink(arrow_color(arrow, theme)), pen(arrow, theme)
    styles = [ink, f"line width={thick:.3g}bp"]
    styles += _dashes(style)
    faint = f"opacity={opacity(arrow):.2f}" if opacity(arrow) < 1 else ""
    path, head = arrow_head(arrow.path, head_length(arrow))
    curves = " ".join(map(_curve, parted(path, arrow.gaps)))
    line = rf"\draw[{', '.join(filter(None, [*styles, faint]))}] {curves};"
    corners = " -- ".join(_at(*point) for point in head)
    line += rf" \fill[{', '.join(filter(None, [ink, faint]))}] {corners} -- cycle;"
    for point in arrow.forks:
        line += rf" \fill[{ink}] {_at(*point)} circle[radius={dot_radius(arrow):.3g}bp];"
    if arrow.label and arrow.label_at:
        words, own = tex(arrow.label, SMALL_FONT), _ink(label_color(arrow, theme))
        line += rf" \node[text={own}] at {_at(*arrow.label_at)} {{{words}}};"
    if arrow.cut_at:
        words = tex((text(SCISSORS),), SCISSORS_FONT)
        line += rf" \node[text={ink}] at {_at(*arrow.cut_at)} {{{words}}};"
    return line


def _curve(path: Path) -> str:
    words = [_at(*path[0])]
    for i in range(1, len(path) - 2, 3):
        b, c, d = (_at(*point) for point in path[i : i + 3])
        words.append(f".. controls {b} and {c} .. {d}")
    return " ".join(words)


def _at(x: float, y: float) -> str:
    return f"({x:.2f},{y:.2f})"


def _ink(color: str) -> str:
    """The name of a color: ``#0072b2`` is defined as ``c0072b2``."""
    return "none" if color == "none" else f"c{color[1:]}"
