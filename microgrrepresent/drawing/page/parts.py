"""What pages are put together from: files of this folder, drawings, and data for a script."""

from __future__ import annotations

import json
import re
from importlib.resources import files

from microgrrepresent.drawing.page.array_data import Data


def part(name: str) -> str:
    """A template, style or script of this folder."""
    return (files("microgrrepresent.drawing") / "page" / name).read_text(encoding="utf-8")


def lean(svg: str) -> str:
    """A drawing without what a page does not need: comments, keys as titles, long numbers."""
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>[^<]*</title>\n?", "", svg)  # the whole drawing's own has an id
    svg = re.sub(r' font-family="[^"]*"', "", svg)
    return re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d+\.\d)\d+", r"\1", tag[0]), svg)


def as_script(data: Data) -> str:
    """Data as JSON that can stand in a page: nothing in it ends or opens a script."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
