"""Several drawings in one file: a page each, or one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from math import ceil, floor
from typing import Any

from microgrrepresent.drawing.marks.picture import Frame
from microgrrepresent.drawing.output.changes import regions, within
from microgrrepresent.drawing.output.digraph import Drawing, digraph

COLORS = 192
"""Of a GIF, which has 256 at most."""
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
    images = _images(drawings, dpi)
    # one palette for all, of what each part of the film shows: else colors flicker
    shown = [images[k] for k in sorted({0, len(images) // 2, len(images) - 1})]
    wide, high = (length // 2 for length in images[0].size)
    sample = Image.new("RGB", (wide, high * len(shown)))
    for k, image in enumerate(shown):
        sample.paste(image.resize((wide, high), Image.Resampling.NEAREST), (0, k * high))
    palette = sample.quantize(COLORS)
    pages = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    content = BytesIO()
    durations = [round(1000 * SECONDS)] * len(pages)
    durations[-1] *= 2
    pages[0].save(
        content, "GIF", save_all=True, append_images=pages[1:], duration=durations, loop=0
    )
    return content.getvalue()


def _images(drawings: Sequence[Drawing], dpi: float) -> list[Any]:
    """Each drawing as an image; where one is like the one before, it is not drawn again."""
    from PIL import Image

    images: list[Any] = []
    for k, drawing in enumerate(drawings):
        part = None if k == 0 else _change(drawings[k - 1], drawing)
        if part is None:
            images.append(Image.open(BytesIO(drawing.png(dpi))).convert("RGB"))
            continue
        image, (areas, changed) = images[-1].copy(), part
        new = Image.open(BytesIO(changed.png(dpi))).convert("RGB")
        left, _, right, top = drawing.picture.frame()
        scale = image.width / (right - left)
        for x0, y0, x1, y1 in areas:
            corner = max(floor((x0 - left) * scale), 0), max(floor((top - y1) * scale), 0)
            opposite = ceil((x1 - left) * scale), ceil((top - y0) * scale)
            image.paste(new.crop((*corner, *opposite)), corner)
        images.append(image)
    return images


def _change(before: Drawing, after: Drawing) -> tuple[list[Frame], Drawing] | None:
    """Where two drawings of one frame differ, and the second one there; None for others."""
    written = before.is_as_written and after.is_as_written
    alike = before.theme == after.theme and before.picture.frame() == after.picture.frame()
    if not (written and alike):
        return None
    areas = regions(before.picture, after.picture, after.theme)
    return areas, digraph(within(after.picture, areas), after.theme, after.drawn)


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
        pages.append(BytesIO(drawing.painted("pdf")))
    pages.write(content)
    return content.getvalue()
