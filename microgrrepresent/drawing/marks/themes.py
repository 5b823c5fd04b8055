"""Themes: the colors of a drawing. Hues are Okabe and Ito's, which color-blind readers can tell.

Okabe and Ito (2008), "Color Universal Design", https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from microgrrepresent.drawing.marks.picture import Flow, Kind


@dataclass(frozen=True)
class Paint:
    """Fill, outline and text of a kind of box."""

    fill: str
    line: str
    text: str
    weight: float = 1.2
    dashes: str = "solid"


class Hue(NamedTuple):
    """The color of a parameter: of its box, of the text in it, and of its arrows."""

    fill: str
    text: str
    line: str


@dataclass(frozen=True)
class Theme:
    """How a drawing looks."""

    name: str
    background: str
    text: str
    panel: Paint
    boxes: dict[Kind, Paint]
    flows: dict[Flow, str]
    palette: tuple[Hue, ...]
    """The colors of parameters, in order."""
    patterns: tuple[str, ...] = field(default=("solid",))
    """Line styles of parameters' arrows, where colors cannot tell them apart."""


_OKABE_ITO = (
    Hue("#56b4e9", "#000000", "#2f8fc8"),
    Hue("#e69f00", "#000000", "#b97f00"),
    Hue("#cc79a7", "#000000", "#b75d90"),
    Hue("#009e73", "#000000", "#00845f"),
    Hue("#f0e442", "#000000", "#9a8e00"),  # yellow itself cannot be seen on white
    Hue("#0072b2", "#ffffff", "#0072b2"),
    Hue("#d55e00", "#000000", "#c25400"),
)
_ON_BLACK = tuple(Hue(hue.fill, hue.text, hue.fill) for hue in _OKABE_ITO)

LIGHT = Theme(
    "light",
    "#ffffff",
    "#333333",
    Paint("#f5f7fa", "#c3cad6", "#333333", 1.0),
    {
        "op": Paint("#ffffff", "#767676", "#222222"),
        "function": Paint("#fff2c4", "#b58900", "#222222"),
        "state": Paint("#d6e8f8", "#0072b2", "#222222", 1.6),
        "input": Paint("#dff0df", "#2e7d32", "#222222"),
        "output": Paint("#dff0df", "#2e7d32", "#222222"),
        "loss": Paint("#fbd9d6", "#c0392b", "#222222", 1.4),
        "variable": Paint("#ffffff", "#555555", "#222222"),
        "constant": Paint("#ffffff", "#bbbbbb", "#444444", 0.8),
        "parameter": Paint("#eeeeee", "#777777", "#222222"),
        "chip": Paint("#eeeeee", "#777777", "#222222"),
        "cell": Paint("#f5f7fa", "#5b6b86", "#222222", 1.4),
        "elision": Paint("none", "#8a94a6", "#333333", 1.0, "dashed"),
        "delay": Paint("#000000", "#000000", "#ffffff"),
        "note": Paint("none", "none", "#333333"),
        "bar": Paint("#222222", "#ffffff", "#ffffff", 0.6),
        "halo": Paint("#ffd966", "none", "#222222"),
    },
    {
        "value": "#333333",
        "state": "#0072b2",
        "parameter": "#777777",
        "weight": "#b75d90",
        "gradient": "#d55e00",
        "backward": "#b34f00",
        "delay": "#0072b2",
        "cut": "#c0392b",
    },
    _OKABE_ITO,
)

DARK = Theme(
    "dark",
    "#10151c",
    "#e6e6e6",
    Paint("#1a212b", "#3b4658", "#e6e6e6", 1.0),
    {
        "op": Paint("#2c3440", "#7c8798", "#f0f0f0"),
        "function": Paint("#4a3b06", "#b58900", "#fdf3d3"),
        "state": Paint("#123a5a", "#3d9be0", "#e8f3fc", 1.6),
        "input": Paint("#1b3a1e", "#4c9a50", "#e5f4e6"),
        "output": Paint("#1b3a1e", "#4c9a50", "#e5f4e6"),
        "loss": Paint("#4b1815", "#d9534a", "#fde8e6", 1.4),
        "variable": Paint("#2c3440", "#9aa5b5", "#f0f0f0"),
        "constant": Paint("#1a212b", "#566173", "#c9d1dc", 0.8),
        "parameter": Paint("#39424f", "#8c97a7", "#f0f0f0"),
        "chip": Paint("#39424f", "#8c97a7", "#f0f0f0"),
        "cell": Paint("#1a212b", "#7c8798", "#f0f0f0", 1.4),
        "elision": Paint("none", "#7c8798", "#e6e6e6", 1.0, "dashed"),
        "delay": Paint("#e6e6e6", "#e6e6e6", "#000000"),
        "note": Paint("none", "none", "#e6e6e6"),
        "bar": Paint("#e6e6e6", "#10151c", "#000000", 0.6),
        "halo": Paint("#7a6210", "none", "#f0f0f0"),
    },
    {
        "value": "#d8dee6",
        "state": "#3d9be0",
        "parameter": "#8c97a7",
        "weight": "#cc79a7",
        "gradient": "#f0722a",
        "backward": "#f0722a",
        "delay": "#3d9be0",
        "cut": "#ff6f61",
    },
    _ON_BLACK,
)

_INK = Paint("#ffffff", "#000000", "#000000", 1.0)
_BOLD = Paint("#ffffff", "#000000", "#000000", 2.0)

PRINT = Theme(
    "print",
    "#ffffff",
    "#000000",
    Paint("#ffffff", "#888888", "#000000", 0.8, "dashed"),
    {
        "op": _INK,
        "function": Paint("#e4e4e4", "#000000", "#000000", 1.0),
        "state": _BOLD,
        "input": _INK,
        "output": _INK,
        "loss": _BOLD,
        "variable": _INK,
        "constant": Paint("#ffffff", "#888888", "#000000", 0.8),
        "parameter": Paint("#e4e4e4", "#000000", "#000000", 1.0),
        "chip": Paint("#e4e4e4", "#000000", "#000000", 1.0),
        "cell": Paint("#ffffff", "#000000", "#000000", 1.4),
        "elision": Paint("none", "#000000", "#000000", 1.0, "dashed"),
        "delay": Paint("#000000", "#000000", "#ffffff"),
        "note": Paint("none", "none", "#000000"),
        "bar": Paint("#000000", "#ffffff", "#ffffff", 0.6),
        "halo": Paint("#cfcfcf", "none", "#000000"),
    },
    {
        "value": "#000000",
        "state": "#000000",
        "parameter": "#000000",
        "weight": "#000000",
        "gradient": "#000000",
        "backward": "#000000",
        "delay": "#000000",
        "cut": "#000000",
    },
    (Hue("#e4e4e4", "#000000", "#000000"),),
    ("solid", "dashed", "dotted", "dashed,bold", "dotted,bold", "bold"),
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK, PRINT)}
