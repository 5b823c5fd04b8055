"""Several drawings as one HTML file, to go through: arrow keys or buttons go on and back."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from microgrrepresent.drawing.output.digraph import Drawing


def frames_page(drawings: Sequence[Drawing]) -> bytes:
    """Write a page that shows one drawing at a time: arrow keys or buttons go on and back."""
    figures = "\n".join(
        f"<figure hidden><figcaption>{escape(drawing.picture.title)}</figcaption>\n"
        f"{drawing.svg_among_others()}</figure>"
        for drawing in drawings
    )
    body = f"{_BUTTONS}\n<main>\n{figures}\n</main>\n<script>\n{_SCRIPT}\n</script>"
    title, theme = drawings[0].picture.title, drawings[0].theme
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
html {{ background: {theme.background}; color: {theme.text}; }}
body {{ margin: 1rem; }}
figure {{ margin: 0; }}
{_STYLE}
</style>
</head>
<body>
{body}
</body>
</html>
""".encode()


_STYLE = """html { font-family: sans-serif; }
figcaption { padding: 0.5rem 0; }
svg { display: block; max-width: 100%; max-height: 82vh; height: auto; margin: auto; }
button { font: inherit; padding: 0.3rem 0.8rem; }"""

_BUTTONS = """<nav aria-label="frames">
<button id="back">Back</button> <button id="on">On</button> <output id="at"></output>
</nav>"""

_SCRIPT = """const frames = document.querySelectorAll("figure");
let at = 0;
function show(k) {
  at = Math.min(Math.max(k, 0), frames.length - 1);
  frames.forEach((frame, i) => { frame.hidden = i !== at; });
  document.getElementById("at").textContent = `${at + 1} / ${frames.length}`;
}
document.getElementById("back").onclick = () => show(at - 1);
document.getElementById("on").onclick = () => show(at + 1);
document.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") show(at - 1);
  if (event.key === "ArrowRight") show(at + 1);
});
show(0);"""
