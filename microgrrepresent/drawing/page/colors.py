"""The colors of a theme, as the style sheets of pages call them."""

from __future__ import annotations

from microgrrepresent.drawing.marks.picture import Kind
from microgrrepresent.drawing.marks.themes import DARK, LIGHT, Theme

_KINDS: tuple[Kind, ...] = "function", "state", "input", "loss"


def colors(theme: Theme) -> str:
    """Rules for a page that has the colors of one theme."""
    return f":root {{ {_declarations(theme)} }}\n"


def light_or_dark() -> str:
    """Rules for a page as its reader wants it, by the system or by ``data-theme``."""
    light, dark = _declarations(LIGHT), _declarations(DARK)
    system = "@media (prefers-color-scheme: dark)"
    return (
        f":root {{ {light} }}\n"
        f'{system} {{ :root:not([data-theme="light"]) {{ {dark} }} }}\n'
        f':root[data-theme="dark"] {{ {dark} }}\n'
    )


def _declarations(theme: Theme) -> str:
    red, green, blue = bytes.fromhex(theme.background.lstrip("#"))
    dark = 0.3 * red + 0.6 * green + 0.1 * blue < 128
    known: dict[str, str] = {
        "paper": theme.background,
        "ink": theme.text,
        "card": theme.panel.fill,
        "line": theme.panel.line,
        "arrow": theme.flows["value"],
        "forward": theme.flows["state"],
        "backward": theme.flows["backward"],
        "box": theme.boxes["op"].fill,
        **{kind: theme.boxes[kind].fill for kind in _KINDS},
        **{f"{kind}-line": theme.boxes[kind].line for kind in _KINDS},
        "plus": "240, 114, 42" if dark else "213, 94, 0",
        "minus": "86, 180, 233" if dark else "0, 114, 178",
    }
    rules = " ".join(f"--{name}: {color};" for name, color in known.items())
    return f"{rules} color-scheme: {'dark' if dark else 'light'};"
