"""A drawing as it stands in a page: what many elements look like is said once, in a style sheet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot

from microgrrepresent.drawing.marks.picture import Point
from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.output.svg import Manner


@dataclass
class Shared(Manner):
    """Elements that share a class; one for all the drawings of a page.

    Attributes
    ----------
    classes : dict from str to str
        The name of the class of elements with these attributes.
    """

    classes: dict[str, str] = field(default_factory=dict)

    def at(self, x: float) -> str:
        """A coordinate, to a tenth of a point."""
        return f"{x:.1f}".removesuffix(".0")

    def look(self, attributes: str) -> str:
        """A class in place of attributes."""
        name = self.classes.setdefault(attributes, f"k{len(self.classes)}")
        return f'class="{name}"'

    def title(self, words: str) -> str:
        """Nothing: a page has more to say of an element, and says it itself."""
        return ""

    def words(self, spans: str) -> str:
        """The styles of spans as classes."""
        return _STYLES.sub(lambda found: " " + self.look(found[0].strip()), spans)

    def style(self) -> str:
        """The rules of the classes, as CSS."""
        return "\n".join(
            f".{name} {{ {_declarations(attributes)} }}"
            for attributes, name in self.classes.items()
        )


_STYLES = re.compile(r'(?: font-(?:size|style)="[^"]*")+')


def _declarations(attributes: str) -> str:
    found = re.findall(r'([\w-]+)="([^"]*)"', attributes)
    return "; ".join(f"{key}: {value}{'px' * (key == 'font-size')}" for key, value in found)


@dataclass
class Marked(Shared):
    """Elements that share a class, and arrows whose class says their heads, too.

    Such a head cannot take another color with its arrow.

    Attributes
    ----------
    heads : dict from (str, str) to str
        The names of the markers that are heads of a length and color.
    """

    heads: dict[tuple[str, str], str] = field(default_factory=dict)

    def arrow(self, d: str, line: str, head: Sequence[Point], color: str, seen: str) -> str:
        """A line whose class says its head."""
        (x, y), (tip_x, tip_y), (other_x, other_y) = head
        length = hypot(tip_x - (x + other_x) / 2, tip_y - (y + other_y) / 2)
        name = self.heads.setdefault((f"{length:.3g}", color), f"h{len(self.heads)}")
        look = self.look(f'{line}{seen} marker-end="url(#{name})"')
        return f'<path d="{d.replace(",-", "-")}" {look}/>'

    def markers(self) -> str:
        """The heads, as an element that a page has once."""
        heads = "".join(
            f'<marker id="{name}" viewBox="0 0 10 8" refY="4" markerWidth="{length}"'
            f' markerHeight="{length}" markerUnits="userSpaceOnUse" orient="auto">'
            f'<path d="M0 0 10 4 0 8z" fill="{color}"/></marker>'
            for (length, color), name in self.heads.items()
        )
        return f'<svg width="0" height="0" style="position: absolute">{heads}</svg>'


def page_svg(drawing: Drawing, shared: Shared) -> str:
    """The SVG element of a drawing. What Graphviz has drawn is only freed of what is long in it."""
    svg = drawing.inline_svg(shared)
    if drawing.is_as_written:
        return svg
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>[^<]*</title>\n?", "", svg)
    svg = re.sub(r' font-family="[^"]*"', "", svg)
    return re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d+\.\d)\d+", r"\1", tag[0]), svg)
