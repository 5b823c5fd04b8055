"""A drawing as one HTML file, to look around in: it pans, zooms, and says what stands in each box.

It opens from disk, asks the network for nothing, and has the colors of the drawing's theme. Without
scripts it shows the drawing.
"""

from __future__ import annotations

from html import escape
from string import Template

from microgrrepresent.drawing.marks.themes import Theme
from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.page.page_svg import Marked, page_svg
from microgrrepresent.drawing.page.parts import as_script, part
from microgrrepresent.drawing.page.viewer_data import viewer_data


def viewer(drawing: Drawing) -> bytes:
    """Write the page of a drawing.

    Parameters
    ----------
    drawing : Drawing
        If it was drawn with gradients, they are shown; and the lines of code of what was recorded
        inside of `source_lines`.

    Returns
    -------
    bytes
        An HTML file.
    """
    marked = Marked()
    svg = page_svg(drawing, marked)
    page = Template(part("viewer.html")).substitute(
        title=escape(drawing.picture.title),
        colors=_colors(drawing.theme),
        style=marked.style() + part("arrays.css") + part("viewer.css"),
        script=part("arrays.js") + part("viewer.js"),
        drawing=svg + marked.markers(),
        data=as_script(viewer_data(drawing.drawn, drawing.picture)),
    )
    return page.encode(errors="replace")  # half characters


def _colors(theme: Theme) -> str:
    """The theme's colors, as the style calls them."""
    red, green, blue = bytes.fromhex(theme.background.lstrip("#"))
    dark = 0.3 * red + 0.6 * green + 0.1 * blue < 128
    known = {
        "paper": theme.background,
        "ink": theme.text,
        "card": theme.panel.fill,
        "line": theme.panel.line,
        "forward": theme.flows["state"],
        "backward": theme.flows["gradient"],
        "plus": "240, 114, 42" if dark else "213, 94, 0",
        "minus": "86, 180, 233" if dark else "0, 114, 178",
    }
    rules = " ".join(f"--{name}: {color};" for name, color in known.items())
    return f":root {{ {rules} color-scheme: {'dark' if dark else 'light'}; }}"
