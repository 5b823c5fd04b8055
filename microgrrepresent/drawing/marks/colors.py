"""Which color and how thick: from the kinds of boxes and arrows, by a theme."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from microgrrepresent.drawing.marks.picture import Arrow, Box, Flow, Panel
from microgrrepresent.drawing.marks.themes import Paint, Theme

THICK: dict[Flow, float] = {"state": 2.0, "delay": 2.0, "backward": 1.4, "cut": 1.6}
STRONG = 2.4
"""By how much an arrow is thicker that the drawing points at, in points."""
FAINTEST: dict[Flow, float] = {"gradient": 0.35, "weight": 0.2}
"""What is as thick and as strong in color as it is large, and how strong where it is least."""
DASHED: frozenset[Flow] = frozenset({"gradient", "cut"})
DASHES = {"dashed": (5.0, 2.0), "dotted": (2.0, 3.0)}
"""How long the dashes of a line are, and the spaces behind them, in points."""

FAINT = 0.8
"""How much of the background is in the color of what is not pointed at."""


def box_paint(box: Box, theme: Theme) -> Paint:
    """Fill, outline and text of a box."""
    paint = _own_paint(box, theme)
    if box.pending:
        paint = replace(paint, dashes="dashed")
    return _faded(paint, theme) if box.faint else paint


def panel_paint(panel: Panel, theme: Theme) -> Paint:
    """Fill, outline and text of a panel."""
    return _faded(theme.panel, theme) if panel.faint else theme.panel


def label_color(arrow: Arrow, theme: Theme) -> str:
    """The color of the words at an arrow."""
    return mixed(theme.text, theme.background, FAINT) if arrow.faint else theme.text


def _faded(paint: Paint, theme: Theme) -> Paint:
    colors = (paint.fill, paint.line, paint.text)
    fill, line, words = (mixed(color, theme.background, FAINT) for color in colors)
    return replace(paint, fill=fill, line=line, text=words)


@cache
def mixed(color: str, other: str, share: float) -> str:
    """A color with a share of another one, such as the background, in it."""
    if color == "none":
        return color
    ours, theirs = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (color, other))
    parts = [round(a + (b - a) * share) for a, b in zip(ours, theirs, strict=True)]
    return "#" + "".join(f"{part:02x}" for part in parts)


def _own_paint(box: Box, theme: Theme) -> Paint:
    paint = theme.boxes[box.kind]
    if box.tint is not None:
        return replace(paint, fill=box.tint, text=text_on(box.tint))
    if box.detached:
        return replace(paint, line=theme.flows["cut"], dashes="dashed")
    if box.backward and box.kind in ("op", "function", "variable", "output"):
        return replace(paint, line=theme.flows["backward"], weight=1.6)
    if box.color is None:
        return paint
    fill, text, hue = theme.palette[box.color % len(theme.palette)]
    line = hue if len(theme.palette) > 1 else paint.line
    manner = _round(box.color, theme)
    if manner == 1:
        plain = theme.boxes["op"]
        return replace(paint, fill=plain.fill, line=line, text=plain.text, weight=2.2)
    if manner == 2:
        return replace(paint, fill=fill, line=theme.text, text=text, weight=2.2)
    return replace(paint, fill=fill, line=line, text=text)


def _round(color: int, theme: Theme) -> int:
    """In which manner a parameter is drawn when all hues are used: 0 filled, 1 and 2 framed."""
    return color // max(len(theme.palette), len(theme.patterns)) % 3


def text_on(fill: str) -> str:
    """Black or white: what can be read better on a color (W3C, WCAG 2.2, relative luminance)."""
    parts = [int(fill[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if light > 0.18 else "#ffffff"


def arrow_color(arrow: Arrow, theme: Theme) -> str:
    """The color of an arrow: that of its parameter, or of what flows."""
    color = _own_color(arrow, theme)
    return mixed(color, theme.background, FAINT) if arrow.faint else color


def _own_color(arrow: Arrow, theme: Theme) -> str:
    if arrow.color is not None and len(theme.palette) > 1:
        return theme.palette[arrow.color % len(theme.palette)].line
    return theme.flows[arrow.flow]


def thickness(arrow: Arrow) -> float:
    """The width of an arrow's line, in points."""
    width = arrow.width if arrow.flow in FAINTEST else THICK.get(arrow.flow, 1.1)
    return width + STRONG if arrow.strong else width


def opacity(arrow: Arrow) -> float:
    """How strong a color is: the less flowed back, or is weighed, the fainter."""
    least = FAINTEST.get(arrow.flow, 1.0)
    return least + (1 - least) * arrow.strength


def dot_radius(arrow: Arrow) -> float:
    """The radius of the dot where a line goes off another."""
    return 1.4 + thickness(arrow) / 1.4


def head_length(arrow: Arrow) -> float:
    """The length of an arrow's head: thick lines have large ones."""
    return 4.0 + 2.0 * thickness(arrow)


BOLD = 2.0
"""The width of a line whose style is bold, in points."""


def pen(arrow: Arrow, theme: Theme) -> tuple[str, float]:
    """How a line is drawn: solid, dashed or dotted, and how thick."""
    style, _, more = line_style(arrow, theme).partition(",")
    if style == "bold":
        style, more = "solid", style
    return style, BOLD if more else thickness(arrow)


def line_style(arrow: Arrow, theme: Theme) -> str:
    """Solid, dashed or dotted: where colors cannot tell parameters apart, line styles do."""
    if arrow.flow in DASHED:
        return "dashed"
    if arrow.color is not None and len(theme.patterns) > 1:
        return theme.patterns[arrow.color % len(theme.patterns)]
    if arrow.color is not None and arrow.tail.kind != "chip" and _round(arrow.color, theme):
        return "dotted"
    return "solid"
