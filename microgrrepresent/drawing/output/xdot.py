"""A placed picture for Graphviz to paint, as the SVG has it: for PNG, PDF and GIF.

The DOT text that a user may edit leaves to Graphviz how corners are rounded and where heads end,
and it draws the outline of a head as thick as its line. Here each shape is an operation of xdot,
the language in which Graphviz's layouts speak to its painters; only words are nodes, because where
a subscript begins depends on the font.

See https://graphviz.org/docs/outputs/canon/#xdot for the operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from microgrrepresent.drawing.marks.colors import (
    DASHES,
    arrow_color,
    box_paint,
    dot_radius,
    head_length,
    label_color,
    opacity,
    panel_paint,
    pen,
)
from microgrrepresent.drawing.marks.curves import (
    Path,
    arrow_head,
    dashed,
    is_straight,
    parted,
    straight,
)
from microgrrepresent.drawing.marks.labels import Label, html, svg_lines, text, width
from microgrrepresent.drawing.marks.picture import (
    FONT,
    SCISSORS,
    SCISSORS_FONT,
    SMALL_FONT,
    Arrow,
    Frame,
    Picture,
    Point,
)
from microgrrepresent.drawing.marks.themes import Paint, Theme
from microgrrepresent.drawing.output.svg import FAMILY

LONGEST = 16_000
"""Of a string in the DOT language, in characters; above 16,384 Graphviz looks for its end."""
ROUND = 4 / 3 * (2**0.5 - 1)
"""How far the control points of a quarter of a circle are from its ends, in radii."""
MIDDLE = 0.27
"""How far Graphviz takes the middle of a line to be above its base line, in units of its size."""


def xdot(picture: Picture, theme: Theme, size: str) -> str:
    """Write a picture in the DOT language, its shapes as operations."""
    shapes = '" +\n"'.join(_strings((background(picture, theme), *_shapes(picture, theme))))
    nodes = "\n".join(f"n{k} [{node}]" for k, node in enumerate(_words(picture, theme)))
    return (
        f'digraph {{\ngraph [layout=nop2 pad=0 margin=0 size="{size}"'
        f' bgcolor="{theme.background}" fontname="{FAMILY}" _background="{shapes}"]\n'
        f'node [shape=none fixedsize=true fontname="{FAMILY}"]\n{nodes}\n}}\n'
    )


def background(picture: Picture, theme: Theme) -> str:
    """What is behind the picture and its margins.

    So they are counted, and the picture comes out in the size of its page, whatever is on it.
    """
    left, low, right, high = picture.frame()
    corners = [(left, low), (right, low), (right, high), (left, high)]
    color = f"{len(theme.background)} -{theme.background}"
    return f"c {color} C {color} {_through('P', corners)}"


def _strings(shapes: Iterable[str]) -> Iterator[str]:
    """The shapes in strings as long as Graphviz reads them: it is slow at joining many."""
    string = ""
    for shape in shapes:
        if string and len(string) + len(shape) >= LONGEST:
            yield string
            string = ""
        string += f"{shape} "
    yield string


# --- shapes ---------------------------------------------------------------------------------------


def _shapes(picture: Picture, theme: Theme) -> Iterator[str]:
    for panel in picture.panels:
        frame = (panel.left, panel.bottom, panel.right, panel.top)
        yield from _painted(frame, 10.0, panel_paint(panel, theme))
    for box in picture.boxes:
        frame = (box.left, box.bottom, box.right, box.top)
        rounding = box.width / 2 if box.is_round else box.rounding
        yield from _painted(frame, rounding, box_paint(box, theme))
    for arrow in picture.arrows:
        yield from _arrow(arrow, theme)


def _painted(frame: Frame, rounding: float, paint: Paint) -> Iterator[str]:
    """A rectangle with round corners: filled, and its outline on top."""
    outline = _outline(frame, rounding)
    if paint.fill != "none":
        yield _pens(paint.fill, paint.fill, 0.0) + _through("b", outline)
    if paint.line != "none":
        yield _pens(paint.line, "", paint.weight)
        yield from _line(outline, paint.dashes)


def _arrow(arrow: Arrow, theme: Theme) -> Iterator[str]:
    style, thick = pen(arrow, theme)
    own = arrow_color(arrow, theme)
    color = own + (f"{round(255 * opacity(arrow)):02x}" if opacity(arrow) < 1 else "")
    line, head = arrow_head(arrow.path, head_length(arrow))
    yield _pens(color, color, thick)
    for piece in parted(line, arrow.gaps):
        yield from _line(piece, style)
    yield _pens("#00000000", color, 0.0) + _through("P", head)
    r = dot_radius(arrow)
    for x, y in arrow.forks:
        yield _pens("#00000000", own, 0.0) + f"E {x:.2f} {y:.2f} {r:.2f} {r:.2f}"


def _line(path: Path, style: str) -> Iterator[str]:
    pieces = dashed(path, *DASHES[style]) if style in DASHES else [path]
    for piece in pieces:
        if len(piece) == 4 and is_straight(piece):
            yield _through("L", (piece[0], piece[-1]))
        else:
            yield _through("B", piece)


def _outline(frame: Frame, r: float) -> Path:
    """The outline of a rectangle with round corners, as curves."""
    left, low, right, high = frame
    r = min(r, (right - left) / 2, (high - low) / 2)
    k = r * (1 - ROUND)
    corners = (
        ((right - r, high), (right - k, high), (right, high - k), (right, high - r)),
        ((right, low + r), (right, low + k), (right - k, low), (right - r, low)),
        ((left + r, low), (left + k, low), (left, low + k), (left, low + r)),
        ((left, high - r), (left, high - k), (left + k, high), (left + r, high)),
    )
    path: Path = [corners[-1][-1]]
    for corner in corners:
        path += [*straight(path[-1], corner[0])[1:], *corner[1:]]
    return path


def _pens(line: str, fill: str, thick: float) -> str:
    """The color of lines, that of areas, and how thick a line is."""
    width = f"setlinewidth({thick:.3g})"
    colors = f"c {len(line)} -{line} " + (f"C {len(fill)} -{fill} " if fill else "")
    return f"{colors}S {len(width)} -{width} "


def _through(operation: str, points: Sequence[Point]) -> str:
    """An operation on points: a line, a polygon, or a curve with its control points."""
    return f"{operation} {len(points)} " + " ".join([f"{x:.2f} {y:.2f}" for x, y in points])


# --- words ----------------------------------------------------------------------------------------


def _words(picture: Picture, theme: Theme) -> Iterator[str]:
    for panel in picture.panels:
        at, ink = (panel.title_left, panel.top - 12), panel_paint(panel, theme).text
        yield from _lines(panel.title, at, FONT, ink, True)
    for box in picture.boxes:
        ink = box_paint(box, theme).text
        yield from _lines(
            box.label, (box.left if box.flush else box.x, box.y), box.font, ink, box.flush
        )
    for arrow in picture.arrows:
        if arrow.label and arrow.label_at:
            yield from _lines(arrow.label, arrow.label_at, SMALL_FONT, label_color(arrow, theme))
        if arrow.cut_at:
            ink = arrow_color(arrow, theme)
            yield from _lines((text(SCISSORS),), arrow.cut_at, SCISSORS_FONT, ink)


def _lines(label: Label, at: Point, size: float, ink: str, flush: bool = False) -> Iterator[str]:
    """The lines of a label whose middle, or the middle of whose left side, is at a point."""
    for line, (below, _) in zip(label, svg_lines(label, size), strict=True):
        if not line:
            continue
        largest = size * max(run.size for run in line)
        x, y = at[0], at[1] - below + MIDDLE * largest
        words, wide = html((line,), size, ink), width((line,), size)
        if flush:
            x += wide / 2
            cell = f'<TD ALIGN="LEFT" WIDTH="{wide:.0f}">'
            table = '<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0">'
            words = f"<{table}<TR>{cell}{words[1:-1]}</TD></TR></TABLE>>"
        yield (
            f'pos="{x:.2f},{y:.2f}" width="{1.4 * wide / 72:.4f}" height="{2 * largest / 72:.4f}"'
            f' fontsize="{size:g}" label={words}'
        )
