"""A placed picture as a PowerPoint slide: shapes and lines that can be moved and typed over.

Boxes are native shapes with text runs, subscripts included. A straight arrow is a connector; where
it ends on a side of a shape it is glued to that, and follows when it is moved. An arrow with bends
is a free-form line, because each program lays the bends of a connector as it likes. Nothing is a
picture, so everything can be edited; the colors are those of the presentation's theme.

python-pptx is an extra; it is imported when a slide is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from pptx import Presentation
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.util import Emu

from microgrrepresent.drawing.marks.picture import Picture
from microgrrepresent.drawing.marks.themes import Theme
from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.output.pptx_colors import color, references, written_into
from microgrrepresent.drawing.output.pptx_shapes import Scale, Shapes

WIDE, HIGH = Emu(12192000), Emu(6858000)
"""A slide of 16:9, 13.33 by 7.5 inches."""
TITLE_ONLY = 5
"""The layout of a slide that has a title and nothing else."""
NAMESPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)


def presentation(drawings: Sequence[Drawing]) -> bytes:
    """Write drawings as a presentation, one a slide.

    Parameters
    ----------
    drawings : sequence of Drawing
        What stands above each is the title of its slide, its description the notes.

    Returns
    -------
    bytes
        A .pptx file.
    """
    made = Presentation()
    made.slide_width, made.slide_height = WIDE, HIGH
    theme = made.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme._blob = written_into(theme.blob, drawings[0].theme)
    for drawing in drawings:
        slide = made.slides.add_slide(made.slide_layouts[TITLE_ONLY])
        _write(slide, drawing.picture, drawing.theme)
        slide.notes_slide.notes_text_frame.text = drawing.picture.description
    content = BytesIO()
    made.save(content)
    return content.getvalue()


def _write(slide: Any, picture: Picture, theme: Theme) -> None:
    tree = slide.shapes._spTree
    for placeholder in list(slide.placeholders):
        tree.remove(placeholder._element)
    shapes = "".join(Shapes(theme, _scale_of(picture)).all_of(picture))
    tree.extend(parse_xml(f"<p:spTree {NAMESPACES}>{shapes}</p:spTree>"))
    fill = color(theme.background, references(theme))
    background = f"<p:bgPr><a:solidFill>{fill}</a:solidFill><a:effectLst/></p:bgPr>"
    tree.addprevious(parse_xml(f"<p:bg {NAMESPACES}>{background}</p:bg>"))


def _scale_of(picture: Picture) -> Scale:
    """How a picture fits into a slide, in its middle."""
    left, bottom, right, top = picture.frame()
    factor = min(WIDE / (right - left), HIGH / (top - bottom))
    across, down = WIDE / factor - (right - left), HIGH / factor - (top - bottom)
    return Scale(left - across / 2, top + down / 2, factor)
