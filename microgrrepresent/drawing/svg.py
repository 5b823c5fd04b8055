"""Finishing touches on the SVG that Graphviz writes.

For screen readers the picture gets a role, a title and a description. Subscripts are moved by
``dy``, because not every browser knows the ``baseline-shift`` that Graphviz uses.
"""

from __future__ import annotations

import re
from html import escape

_SHIFTS = {"sub": "0.28em", "super": "-0.45em"}


def accessible(svg: str, title: str, description: str) -> str:
    """Give an SVG its role, title and description, and portable subscripts."""
    start = svg.index("<svg")
    end = svg.index(">", start)
    opening = svg[start:end] + ' role="img" aria-labelledby="drawing-title drawing-desc">'
    words = (
        f'\n<title id="drawing-title">{escape(title, quote=False)}</title>'
        f'\n<desc id="drawing-desc">{escape(description, quote=False)}</desc>'
    )
    body = re.sub(
        r' baseline-shift="(sub|super)"', lambda m: f' dy="{_SHIFTS[m[1]]}"', svg[end + 1 :]
    )
    return svg[:start] + opening + words + body


def inline(svg: str) -> str:
    """The SVG element alone, as it can stand in an HTML page."""
    return svg[svg.index("<svg") :]


def page(svg: str, title: str, background: str, color: str) -> str:
    """A self-contained HTML page that shows a drawing as large as the window allows."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
html {{ background: {background}; color: {color}; font-family: Helvetica, Arial, sans-serif; }}
body {{ margin: 1rem; }}
figure {{ margin: 0; overflow-x: auto; }}
svg {{ max-width: 100%; height: auto; }}
</style>
</head>
<body>
<figure>
{inline(svg)}
</figure>
</body>
</html>
"""
