"""Where connectors are glued to the shapes of a slide: connection sites.

A rectangle of PowerPoint's has four, in the middles of its sides. Where an arrow ends elsewhere,
the rectangle becomes a geometry of its own that looks the same and has a site there, too. It is
said as a share of the width or height, so that it stays in its place when the shape is drawn
larger.
"""

from __future__ import annotations

from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from pptx.oxml.ns import qn

from microgrrepresent.drawing.marks.picture import Box, Point

NEAR = 2.0
"""Points between the end of an arrow and the site that it is glued to, at the most."""

_MIDDLES = (
    ("hc", "t", 0.5, 0.0),
    ("l", "vc", 0.0, 0.5),
    ("hc", "b", 0.5, 1.0),
    ("r", "vc", 1.0, 0.5),
)
"""The middles of the sides, counter-clockwise from the top: as guides, and as shares."""
_ANGLES = {"t": 16200000, "l": 10800000, "b": 5400000, "r": 0}
"""In which direction a connector leaves a side, in 1/60000 of a degree."""


def site(shape: Any, box: Box, at: Point) -> int | None:
    """The number of the site at a point, which is made if there is none.

    None if the point is not on a side of the shape: glued elsewhere, a connector would jump as soon
    as somebody moves the shape.
    """
    across, down = at[0] - box.left, box.top - at[1]
    for n, (_, _, x, y) in enumerate(_MIDDLES):
        if abs(x * box.width - across) + abs(y * box.height - down) < NEAR:
            return 2 * n if box.is_round else n  # a circle has eight sites
    away = {"t": down, "l": across, "b": box.height - down, "r": box.width - across}
    side = min(away, key=lambda name: abs(away[name]))
    inside = -NEAR < across < box.width + NEAR and -NEAR < down < box.height + NEAR
    if box.is_round or abs(away[side]) > NEAR or not inside:
        return None
    geometry = _own_geometry(shape, box)
    sites, guides = geometry.find(qn("a:cxnLst")), geometry.find(qn("a:gdLst"))
    level = side in "tb"
    share = across / box.width if level else down / box.height
    formula = f"*/ {'w' if level else 'h'} {round(100000 * min(max(share, 0.0), 1.0))} 100000"
    own = "y" if level else "x"
    for n, guide in enumerate(guides, start=len(_MIDDLES)):
        if guide.get("fmla") == formula and sites[n].find(qn("a:pos")).get(own) == side:
            return n
    name = f"p{len(sites)}"
    etree.SubElement(guides, qn("a:gd"), name=name, fmla=formula)
    _add(sites, side, *((name, side) if level else (side, name)))
    return len(sites) - 1


def _add(sites: Any, side: str, x: str, y: str) -> None:
    made = etree.SubElement(sites, qn("a:cxn"), ang=str(_ANGLES[side]))
    etree.SubElement(made, qn("a:pos"), x=x, y=y)


def _own_geometry(shape: Any, box: Box) -> Any:
    """The geometry of a shape as one that can have sites: a rounded rectangle, line by line."""
    properties = shape._element.spPr
    known = properties.find(qn("a:custGeom"))
    if known is not None:
        return known
    w, h = shape.width, shape.height
    r = round(min(box.rounding / box.width * w, w / 2, h / 2))
    made = etree.Element(qn("a:custGeom"))
    for name in ("avLst", "gdLst", "ahLst", "cxnLst"):
        etree.SubElement(made, qn(f"a:{name}"))
    for x, y, *_ in _MIDDLES:
        _add(made.find(qn("a:cxnLst")), y if y in "tb" else x, x, y)
    etree.SubElement(made, qn("a:rect"), l="l", t="t", r="r", b="b")
    paths = etree.SubElement(made, qn("a:pathLst"))
    path = etree.SubElement(paths, qn("a:path"), w=str(w), h=str(h))
    corners = ((0, r, 10800000), (w - r, 0, 16200000), (w, h - r, 0), (r, h, 5400000))
    for n, (x, y, angle) in enumerate(corners):  # a line to where a corner begins, and around it
        line = etree.SubElement(path, qn("a:lnTo" if n else "a:moveTo"))
        etree.SubElement(line, qn("a:pt"), x=str(x), y=str(y))
        around = {"wR": str(r), "hR": str(r), "stAng": str(angle), "swAng": "5400000"}
        etree.SubElement(path, qn("a:arcTo"), around)
    etree.SubElement(path, qn("a:close"))
    preset = properties.find(qn("a:prstGeom"))
    preset.getparent().replace(preset, made)
    return made
