"""Several drawings in one file: a page each, a slide each, or one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
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


def html(drawings: Sequence[Drawing]) -> bytes:
    """Write a page that shows one drawing at a time: arrow keys or buttons go on and back."""
    theme = drawings[0].theme
    figures = "\n".join(
        f"<figure hidden><figcaption>{escape(drawing.picture.title)}</figcaption>\n"
        f"{drawing.svg_among_others()}</figure>"
        for drawing in drawings
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(drawings[0].picture.title)}</title>
<style>
html {{ background: {theme.background}; color: {theme.text}; font-family: sans-serif; }}
body {{ margin: 1rem; }}
figure {{ margin: 0; }}
figcaption {{ padding: 0.5rem 0; }}
svg {{ display: block; max-width: 100%; max-height: 82vh; height: auto; margin: auto; }}
button {{ font: inherit; padding: 0.3rem 0.8rem; }}
</style>
</head>
<body>
<nav aria-label="frames">
<button id="back">Back</button> <button id="on">On</button> <output id="at"></output>
</nav>
<main>
{figures}
</main>
<script>
const frames = document.querySelectorAll("figure");
let at = 0;
function show(k) {{
  at = Math.min(Math.max(k, 0), frames.length - 1);
  frames.forEach((frame, i) => {{ frame.hidden = i !== at; }});
  document.getElementById("at").textContent = `${{at + 1}} / ${{frames.length}}`;
}}
document.getElementById("back").onclick = () => show(at - 1);
document.getElementById("on").onclick = () => show(at + 1);
document.addEventListener("keydown", (event) => {{
  if (event.key === "ArrowLeft") show(at - 1);
  if (event.key === "ArrowRight") show(at + 1);
}});
show(0);
</script>
</body>
</html>
""".encode()
