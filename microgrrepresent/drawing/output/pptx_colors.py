"""The theme of a presentation: colors of the drawing's theme, and the letters of its other formats.

PowerPoint's theme has ten colors that a user exchanges together. They are the drawing's own here,
and what has one of them refers to it; all other colors, such as the fills, are written as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from microgrrepresent.drawing.marks.themes import Theme

LETTERS = "Arial"
_SHOWN = {"dk1": "tx1", "lt1": "bg1", "dk2": "tx2", "lt2": "bg2"}
"""What the first four slots are called where they are used."""


def slots(theme: Theme) -> dict[str, str]:
    """The color of each slot of PowerPoint's theme, the first of several slots for one color."""
    accents = (theme.flows["state"], theme.flows["gradient"], *(hue.fill for hue in theme.palette))
    shown = {
        "dk1": theme.text,
        "lt1": theme.background,
        "dk2": theme.boxes["op"].text,
        "lt2": theme.panel.fill,
    }
    return shown | {f"accent{n}": c for n, c in enumerate(dict.fromkeys(accents), 1) if n <= 6}


def written_into(scheme: bytes, theme: Theme) -> bytes:
    """PowerPoint's theme, as XML, with the colors of a drawing's theme and its letters."""
    text = scheme.decode()
    for slot, color in slots(theme).items():
        own = f'<a:{slot}><a:srgbClr val="{color[1:].upper()}"/></a:{slot}>'
        text = re.sub(rf"<a:{slot}>.*?</a:{slot}>", own, text, count=1, flags=re.DOTALL)
    text = re.sub(r'<a:latin typeface="[^"]*"/>', f'<a:latin typeface="{LETTERS}"/>', text)
    return text.encode()


def references(theme: Theme) -> dict[str, str]:
    """What refers to each color that has a slot."""
    found: dict[str, str] = {}
    for slot, color in slots(theme).items():
        found.setdefault(color, f'a:schemeClr val="{_SHOWN.get(slot, slot)}"')
    return found


def color(value: str, known: Mapping[str, str], opacity: float = 1.0) -> str:
    """A color as XML."""
    element = known.get(value, f'a:srgbClr val="{value[1:].upper()}"')
    if opacity >= 1:
        return f"<{element}/>"
    name = element.partition(" ")[0]
    return f'<{element}><a:alpha val="{round(1e5 * opacity)}"/></{name}>'
