"""Several drawings in one file: a page each, or one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from microgrrepresent.drawing.output.digraph import Drawing

SECONDS = 1.2
"""For which a frame of a GIF is shown; the last one stays twice as long."""


def gif(drawings: Sequence[Drawing], dpi: float) -> bytes:
    """Write an animated GIF, which runs for ever. Needs Graphviz and Pillow."""
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "save: a GIF needs Pillow: pip install 'microgrrepresent[slides]'"
        ) from error
    images = [Image.open(BytesIO(drawing.png(dpi))).convert("RGB") for drawing in drawings]
    # one palette for all: a color that changes from frame to frame flickers
    palette = images[-1].quantize(128)
    pages = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    content = BytesIO()
    durations = [round(1000 * SECONDS)] * len(pages)
    durations[-1] *= 2
    pages[0].save(
        content, "GIF", save_all=True, append_images=pages[1:], duration=durations, loop=0
    )
    return content.getvalue()


def pdf(drawings: Sequence[Drawing]) -> bytes:
    """Write a PDF with a page for each drawing. Needs Graphviz and pypdf."""
    try:
        from pypdf import PdfWriter
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "save: a PDF of several pages needs pypdf: pip install 'microgrrepresent[slides]'"
        ) from error
    content, pages = BytesIO(), PdfWriter()
    for drawing in drawings:
        pages.append(BytesIO(drawing.rendered("pdf")))
    pages.write(content)
    return content.getvalue()
