"""What pages are put together from: files of this folder, and data for a script."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

FOLDER = files("microgrrepresent.drawing") / "page"


def page(title: str, style: str, body: str, script: str, data: Any = None) -> bytes:
    """Write a page: one HTML file, which opens from disk and asks the network for nothing.

    Parameters
    ----------
    title : str
        Of the window.
    style : str
        Style sheets, behind the one that all pages share.
    body : str
        HTML.
    script : str
        What runs at the end of the body; it finds the data in the element ``data``.
    data : optional
        Anything that JSON can say.

    Returns
    -------
    bytes
        The file; of half characters, which UTF-8 does not have, question marks are left.
    """
    written = Template(part("page.html")).substitute(
        title=escape(title),
        style=part("page.css") + style,
        body=body,
        script=script,
        data=as_script(data),
    )
    return written.encode(errors="replace")


def part(name: str) -> str:
    """A template, style or script of this folder."""
    return (FOLDER / name).read_text(encoding="utf-8")


def as_script(data: Any) -> str:
    """Data as JSON that can stand in a page: nothing in it ends or opens a script."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
