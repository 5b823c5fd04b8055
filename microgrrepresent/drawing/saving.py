"""Writing a drawing to a file: the ending of the name says the format."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from microgrrepresent.drawing.output import animated
from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.output.scene import draw
from microgrrepresent.drawing.output.tikz import tikz
from microgrrepresent.drawing.page.frames_page import frames_page
from microgrrepresent.drawing.page.viewer_page import viewer
from microgrrepresent.errors import DrawingError
from microgrrepresent.files import as_path, write_file
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node


def save(
    out: Drawing | Sequence[Drawing] | Graph | Node | Sequence[Node],
    path: str | os.PathLike[str],
    **options: Any,
) -> Path:
    """Draw a graph and write it to a file.

    Parameters
    ----------
    out : Drawing, sequence of Drawing, or what `draw` takes
        A finished drawing; several, such as `frames` makes; or Tensors or a Graph to be drawn
        first.
    path : path
        Where to. The ending says the format: .svg .tex .dot (or .gv); .html, a page to move and
        zoom, which says of each box its value, its gradient, its formula and, if it was recorded
        inside of `source_lines`, its line of code; .png or .pdf, which need Graphviz; .pptx, an
        editable slide, which needs python-pptx. Several drawings make an .html, a .pdf of a page
        each, a .pptx of a slide each, or a .gif that moves.
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
    if options and (isinstance(out, Drawing) or _several(out)):
        raise DrawingError(
            f"save: this drawing is finished, and {', '.join(options)}= came too late; give it to "
            "draw(...)"
        )
    target = as_path(path)
    ending = target.suffix.lower().lstrip(".")
    several = _several(out)
    formats: dict[str, Any] = _FORMATS if several is None else _FORMATS_OF_SEVERAL
    write = formats.get(ending)
    if write is None:
        known = " ".join(f".{name}" for name in formats)
        of = "" if several is None else " of several drawings"
        raise DrawingError(
            f"save: the file's ending says its format: one of {known}{of}, got {path}"
        )
    if several is None:
        several = out if isinstance(out, Drawing) else draw(out, **options)
    return write_file(target, write(several, float(dpi)))


def _several(out: Any) -> list[Drawing] | None:
    """The drawings, if it is several of them."""
    if isinstance(out, Sequence) and out and all(isinstance(one, Drawing) for one in out):
        return list(out)
    return None


def _dot(drawing: Drawing, dpi: float) -> bytes:
    source: str = drawing.source
    return source.encode()


def _svg(drawing: Drawing, dpi: float) -> bytes:
    return drawing.svg().encode()


def _png(drawing: Drawing, dpi: float) -> bytes:
    return drawing.png(dpi)


def _pdf(drawing: Drawing, dpi: float) -> bytes:
    return drawing.painted("pdf")


def _pptx(drawings: Sequence[Drawing]) -> bytes:
    try:
        from microgrrepresent.drawing.output.pptx import presentation
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "save: a slide needs python-pptx: pip install 'microgrrepresent[slides]'"
        ) from error
    return presentation(drawings)


def _tex(drawing: Drawing, dpi: float) -> bytes:
    return tikz(drawing.picture, drawing.theme).encode()


_FORMATS: dict[str, Callable[[Drawing, float], bytes]] = {
    "svg": _svg,
    "png": _png,
    "pdf": _pdf,
    "html": lambda drawing, dpi: viewer(drawing),
    "pptx": lambda drawing, dpi: _pptx([drawing]),
    "tex": _tex,
    "dot": _dot,
    "gv": _dot,
}
_FORMATS_OF_SEVERAL: dict[str, Callable[[Sequence[Drawing], float], bytes]] = {
    "html": lambda drawings, dpi: frames_page(drawings),
    "gif": animated.gif,
    "pdf": lambda drawings, dpi: animated.pdf(drawings),
    "pptx": lambda drawings, dpi: _pptx(drawings),
}
