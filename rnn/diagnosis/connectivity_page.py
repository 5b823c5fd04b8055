"""The page of a connectivity: the matrix, a number for each cell, and the text to point at."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from microgrrepresent import DrawingError
from microgrrepresent.drawing.page import parts
from microgrrepresent.drawing.page.colors import light_or_dark

if TYPE_CHECKING:
    from rnn.diagnosis.connectivity import Connectivity

LARGEST = 1_000_000
"""Cells of a matrix; each takes about five bytes of the page."""


def page(heard: Connectivity, title: str | None) -> bytes:
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
    title = title or "Which input the loss at each step listens to"
    body, style, script = (
        (files("rnn.diagnosis") / f"connectivity.{ending}").read_text("utf-8")
        for ending in ("html", "css", "js")
    )
    return parts.page(
        title,
        light_or_dark() + style,
        Template(body).substitute(title=escape(title)),
        parts.part("arrays.js") + script,
        data,
    )
