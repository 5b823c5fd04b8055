"""What pages are put together from: files of this folder, and data for a script."""

from __future__ import annotations

import json
from importlib.resources import files

from microgrrepresent.drawing.page.array_data import Data


def part(name: str) -> str:
    """A template, style or script of this folder."""
    return (files("microgrrepresent.drawing") / "page" / name).read_text(encoding="utf-8")


def as_script(data: Data) -> str:
    """Data as JSON that can stand in a page: nothing in it ends or opens a script."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
