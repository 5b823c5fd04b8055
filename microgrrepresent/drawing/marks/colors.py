"""Which color and how thick: from the kinds of boxes and arrows, by a theme."""

from __future__ import annotations

from dataclasses import replace

from microgrrepresent.drawing.marks.picture import Arrow, Box, Flow
from microgrrepresent.drawing.marks.themes import Paint, Theme

THICK: dict[Flow, float] = {"state": 2.0, "delay": 2.0, "backward": 1.4, "cut": 1.6}
DASHED: frozenset[Flow] = frozenset({"gradient", "cut"})


def box_paint(box: Box, theme: Theme) -> Paint:
    """Fill, outline and text of a box."""
    paint = theme.boxes[box.kind]
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


def arrow_color(arrow: Arrow, theme: Theme) -> str:
    """The color of an arrow: that of its parameter, or of what flows."""
    if arrow.color is not None and len(theme.palette) > 1:
        return theme.palette[arrow.color % len(theme.palette)].line
    return theme.flows[arrow.flow]


def thickness(arrow: Arrow) -> float:
    """The width of an arrow's line, in points."""
    return arrow.width if arrow.flow == "gradient" else THICK.get(arrow.flow, 1.1)


def opacity(arrow: Arrow) -> float:
    """How strong a color is: the less flowed back, the fainter."""
    return 0.35 + 0.65 * arrow.strength if arrow.flow == "gradient" else 1.0


def dot_radius(arrow: Arrow) -> float:
    """The radius of the dot where a line goes off another."""
    return 1.4 + thickness(arrow) / 1.4


def head_length(arrow: Arrow) -> float:
    """The length of an arrow's head: thick lines have large ones."""
    return 4.0 + 2.0 * thickness(arrow)


def line_style(arrow: Arrow, theme: Theme) -> str:
    """Solid, dashed or dotted: where colors cannot tell parameters apart, line styles do."""
    if arrow.flow in DASHED:
        return "dashed"
    if arrow.color is not None and len(theme.patterns) > 1:
        return theme.patterns[arrow.color % len(theme.patterns)]
    if arrow.color is not None and arrow.tail.kind != "chip" and _round(arrow.color, theme):
        return "dotted"
    return "solid"
