"""Where connectors are glued to the shapes of a slide: connection sites.

A rectangle of PowerPoint's has four, in the middles of its sides. Where an arrow ends elsewhere,
the rectangle becomes a geometry of its own that looks the same and has a site there, too. It is
said as a share of the width or height, so that it stays in its place when the shape is drawn
larger.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from microgrrepresent.drawing.marks.picture import Box, Point

NEAR = 2.0
"""Points between the end of an arrow and the site that it is glued to, at the most."""

_MIDDLES = (
    ("t", "hc", "t", 0.5, 0.0),
    ("l", "l", "vc", 0.0, 0.5),
    ("b", "hc", "b", 0.5, 1.0),
    ("r", "r", "vc", 1.0, 0.5),
)
"""The middles of the sides, counter-clockwise from the top: the side, as guides, and as shares."""
_ANGLES = {"t": 16200000, "l": 10800000, "b": 5400000, "r": 0}
"""In which direction a connector leaves a side, in 1/60000 of a degree."""


@dataclass
class Sites:
    """The sites of a box: the middles of its sides, and those that arrows asked for."""

    box: Box
    own: list[tuple[str, int]] = field(default_factory=list)
    """The side of each, and the share of its length, in 1/100000."""

    def number(self, at: Point) -> int | None:
        """The number of the site at a point, which is made if there is none.

        None if the point is not on a side of the shape: glued elsewhere, a connector would jump as
        soon as somebody moves the shape.
        """
        box = self.box
        across, down = at[0] - box.left, box.top - at[1]
        for n, (*_, x, y) in enumerate(_MIDDLES):
            if abs(x * box.width - across) + abs(y * box.height - down) < NEAR:
                return 2 * n if box.is_round else n  # a circle has eight sites
        away = {"t": down, "l": across, "b": box.height - down, "r": box.width - across}
        side = min(away, key=lambda name: abs(away[name]))
        inside = -NEAR < across < box.width + NEAR and -NEAR < down < box.height + NEAR
        if box.is_round or abs(away[side]) > NEAR or not inside:
            return None
        share = across / box.width if side in "tb" else down / box.height
        asked = (side, round(100000 * min(max(share, 0.0), 1.0)))
        if asked not in self.own:
            self.own.append(asked)
        return len(_MIDDLES) + self.own.index(asked)

    def geometry(self, w: int, h: int) -> str:
        """A shape of a width and height, with its own sites if it has any."""
        box = self.box
        if box.is_round:
            return '<a:prstGeom prst="ellipse"><a:avLst/></a:prstGeom>'
        share = min(box.rounding / max(min(box.width, box.height), 1.0), 0.5)
        if self.own:
            return self._own_geometry(w, h, round(share * min(w, h)))
        if not box.rounding:
            return '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        return rounded(share)

    def _own_geometry(self, w: int, h: int, r: int) -> str:
        """A rounded rectangle, line by line."""
        guides, sites = "", ""
        for side, x, y, *_ in _MIDDLES:
            sites += _site(side, x, y)
        for n, (side, share) in enumerate(self.own, len(_MIDDLES)):
            length = "w" if side in "tb" else "h"
            guides += f'<a:gd name="p{n}" fmla="*/ {length} {share} 100000"/>'
            sites += _site(side, *((f"p{n}", side) if side in "tb" else (side, f"p{n}")))
        corners = ((0, r, 10800000), (w - r, 0, 16200000), (w, h - r, 0), (r, h, 5400000))
        lines = ""
        for n, (left, top, angle) in enumerate(corners):  # a line to a corner, and around it
            line = "lnTo" if n else "moveTo"
            lines += (
                f'<a:{line}><a:pt x="{left}" y="{top}"/></a:{line}>'
                f'<a:arcTo wR="{r}" hR="{r}" stAng="{angle}" swAng="5400000"/>'
            )
        return (
            f"<a:custGeom><a:avLst/><a:gdLst>{guides}</a:gdLst><a:ahLst/><a:cxnLst>{sites}"
            '</a:cxnLst><a:rect l="l" t="t" r="r" b="b"/>'
            f'<a:pathLst><a:path w="{w}" h="{h}">{lines}<a:close/></a:path></a:pathLst>'
            "</a:custGeom>"
        )


def rounded(share: float) -> str:
    """A rectangle with corners that take a share of its shorter side."""
    value = f'<a:gd name="adj" fmla="val {round(100000 * share)}"/>'
    return f'<a:prstGeom prst="roundRect"><a:avLst>{value}</a:avLst></a:prstGeom>'


def _site(side: str, x: str, y: str) -> str:
    return f'<a:cxn ang="{_ANGLES[side]}"><a:pos x="{x}" y="{y}"/></a:cxn>'
