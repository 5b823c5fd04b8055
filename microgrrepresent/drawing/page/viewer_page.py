"""A drawing as one HTML file, to look around in: it pans, zooms, and says what stands in each box.

It opens from disk, asks the network for nothing, and has the colors of the drawing's theme. Without
scripts it shows the drawing.
"""

from __future__ import annotations

from html import escape
from string import Template

from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.page.colors import colors
from microgrrepresent.drawing.page.page_svg import Marked, page_svg
from microgrrepresent.drawing.page.parts import page, part
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
    title = drawing.picture.title
    return page(
        title,
        colors(drawing.theme) + marked.style() + part("arrays.css") + part("viewer.css"),
        Template(part("viewer.html")).substitute(
            title=escape(title), drawing=svg + marked.markers()
        ),
        part("arrays.js") + part("viewer.js"),
        viewer_data(drawing.drawn, drawing.picture),
    )
