"""Writing a drawing to a file: the ending of the name says the format."""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.output.scene import draw
from microgrrepresent.drawing.output.tikz import tikz
from microgrrepresent.errors import DrawingError
from microgrrepresent.files import write_file
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

WIDEST_PNG = 32_767
"""Pixels; Graphviz (through cairo) shrinks a larger picture without a word."""


def save(
    out: Drawing | Graph | Node | list[Node], path: str | os.PathLike[str], **options: Any
) -> Path:
    """Draw a graph and write it to a file.

    Parameters
    ----------
    out : Drawing, or what `draw` takes
        A finished drawing, or Tensors or a Graph to be drawn first.
    path : path
        Where to. The ending says the format: .svg .html .tex .dot (or .gv), or .png or .pdf,
        which need Graphviz.
    **options
        For `draw`; and ``dpi`` for PNG, 144 by default.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    DrawingError
        If the format or an option is unknown, or the picture is too large for PNG.
    GraphvizMissing
        If there is no Graphviz and the format needs it.
    FileError
        If the file cannot be written.
    """
    dpi = options.pop("dpi", 144)
    if not isinstance(dpi, (int, float)) or not dpi > 0:
        raise DrawingError(f"save: dpi is a number of dots per inch above 0, got {dpi!r}")
    if options and isinstance(out, Drawing):
        raise DrawingError(
            f"save: this drawing is finished, and {', '.join(options)}= came too late; give it to "
            "draw(...)"
        )
    target = Path(path)
    ending = target.suffix.lower().lstrip(".")
    write = _FORMATS.get(ending)
    if write is None:
        known = " ".join(f".{name}" for name in _FORMATS)
        raise DrawingError(f"save: the file's ending says its format: one of {known}, got {path}")
    drawing = out if isinstance(out, Drawing) else draw(out, **options)
    return write_file(target, write(drawing, float(dpi)))


def _dot(drawing: Drawing, dpi: float) -> bytes:
    source: str = drawing.source
    return source.encode()


def _svg(drawing: Drawing, dpi: float) -> bytes:
    return drawing.svg().encode()


def _html(drawing: Drawing, dpi: float) -> bytes:
    return page(drawing).encode()


def _png(drawing: Drawing, dpi: float) -> bytes:
    picture = drawing.picture
    left, bottom, right, top = picture.frame()
    if picture.page is not None:
        dpi = 72 * picture.page[0] / (right - left)
    pixels = max(right - left, top - bottom) * dpi / 72
    if pixels > WIDEST_PNG:
        raise DrawingError(
            f"save: as PNG at {dpi:g} dpi this picture is {pixels:,.0f} pixels wide, and Graphviz "
            f"can write {WIDEST_PNG:,}; save it as .svg or .pdf, or draw part of the steps with "
            f"window=(3, 2), or take dpi={int(dpi * WIDEST_PNG / pixels)}"
        )
    return drawing.rendered("png", dpi)


def _pdf(drawing: Drawing, dpi: float) -> bytes:
    return drawing.rendered("pdf")


def _tex(drawing: Drawing, dpi: float) -> bytes:
    return tikz(drawing.picture, drawing.theme).encode()


def page(drawing: Drawing) -> str:
    """A self-contained HTML page that shows a drawing as large as the window allows."""
    theme = drawing.theme
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(drawing.picture.title)}</title>
<style>
html {{ background: {theme.background}; color: {theme.text}; }}
body {{ margin: 1rem; }}
figure {{ margin: 0; overflow-x: auto; }}
svg {{ max-width: 100%; height: auto; }}
</style>
</head>
<body>
<figure>
{drawing.inline_svg()}
</figure>
</body>
</html>
"""


_FORMATS: dict[str, Callable[[Drawing, float], bytes]] = {
    "svg": _svg,
    "png": _png,
    "pdf": _pdf,
    "html": _html,
    "tex": _tex,
    "dot": _dot,
    "gv": _dot,
}
