"""The page of a connectivity: the matrix, a number for each cell, and the text to point at.

One HTML file, which opens from disk and asks the network for nothing.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from microgrrepresent import DrawingError
from microgrrepresent.drawing.page.parts import as_script

if TYPE_CHECKING:
    from rnn.diagnosis.connectivity import Connectivity

LARGEST = 1_000_000
"""Cells of a matrix; each takes about five bytes of the page."""


def page(heard: Connectivity, title: str | None) -> str:
    """Write the page.

    Raises
    ------
    DrawingError
        If the matrix is too large.
    """
    if heard.norms.size > LARGEST:
        rows, columns = heard.norms.shape
        raise DrawingError(
            f"connectivity: a page has at most {LARGEST:,} cells, and this matrix has "
            f"{rows} x {columns}; save it as .png, or take fewer steps"
        )
    data = {
        "norms": [[float(f"{norm:.3g}") for norm in row] for row in heard.norms.tolist()],
        "losses": list(heard.losses),
        "inputs": list(heard.inputs),
        "read": list(heard.read),
        "said": list(heard.said),
    }
    template = Template((files("rnn.diagnosis") / "connectivity.html").read_text("utf-8"))
    return template.substitute(
        title=escape(title or "Which input the loss at each step listens to"),
        data=as_script(data),
    )
