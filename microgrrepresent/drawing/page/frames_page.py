"""Several drawings as one HTML file, to go through: arrow keys or buttons go on and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.page.colors import colors
from microgrrepresent.drawing.page.page_svg import Marked, page_svg
from microgrrepresent.drawing.page.parts import page, part


def frames_page(drawings: Sequence[Drawing]) -> bytes:
    """Write a page that shows one drawing at a time: arrow keys or buttons go on and back."""
    marked = Marked()
    figures = "\n".join(
        f"<figure hidden><figcaption>{escape(drawing.picture.title)}</figcaption>\n"
        f"{_ID.sub('', page_svg(drawing, marked))}</figure>"
        for drawing in drawings
    )
    return page(
        drawings[0].picture.title,
        colors(drawings[0].theme) + marked.style() + part("frames.css"),
        f"{_BUTTONS}\n<main>\n{figures}\n</main>{marked.markers()}",
        part("frames.js"),
    )


_ID = re.compile(r' id="[be]\d+"')
"""Of a box or an arrow, which every frame has and nobody asks for here."""

_BUTTONS = """<nav aria-label="frames">
<button id="back">Back</button> <button id="next">Next</button>
<button id="play">Play</button> <output id="at"></output>
</nav>"""
