"""Running Graphviz: ``dot`` where it is on PATH, else the Graphviz inside of pygraphviz's wheels.

Both run in a process of their own, because a layout must be stoppable: Graphviz has no timeout,
and some innocent graphs keep it busy for minutes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any, Literal

from microgrrepresent.errors import DrawingError, GraphvizMissing

Route = Literal["dot", "pygraphviz"]

HOW_TO_GET_IT = (
    "install it with your package manager (Debian, Ubuntu: apt install graphviz; macOS: brew "
    "install graphviz), or with pip install pygraphviz, whose wheels carry it"
)

_PYGRAPHVIZ = """
import sys, pygraphviz
layout, format = sys.argv[1:]
for text in sys.stdin.buffer.read().decode().split("\\0"):
    sys.stdout.buffer.write(pygraphviz.AGraph(string=text).draw(format=format, prog=layout))
"""


@cache
def route() -> Route | None:
    """Which Graphviz there is: a ``dot`` on PATH, pygraphviz 2, or none."""
    if shutil.which("dot"):
        return "dot"
    return "pygraphviz" if find_spec("pygraphviz") else None


def run(texts: Sequence[str], format: str, layout: str, timeout: float, advice: str = "") -> bytes:
    """Let Graphviz read DOT texts and write them in a format.

    Parameters
    ----------
    texts : sequence of str
        The graphs.
    format : str
        A Graphviz output format, such as ``svg``; several graphs come out one behind the other.
    layout : str
        ``dot`` to find positions; ``nop2`` to take all positions from the text.
    timeout : float
        Seconds.
    advice : str
        What the user could do instead, for the message of a timeout.

    Raises
    ------
    GraphvizMissing
        If there is no Graphviz.
    DrawingError
        If it fails, or takes longer than the timeout.
    """
    way = route()
    if way is None:
        what = "the layout of so many boxes" if layout == "dot" else f"a picture as {format}"
        instead = advice or "or write .svg, .html, .tex or .dot, which need none"
        raise GraphvizMissing(
            f"{what} needs Graphviz, which is not on this machine: {HOW_TO_GET_IT}; {instead}"
        )
    if way == "dot":
        command, joined = ["dot", f"-K{layout}", f"-T{format}"], "\n".join(texts)
    else:
        command = [sys.executable, "-c", _PYGRAPHVIZ, layout, format]
        joined = "\0".join(texts)
    try:
        done = subprocess.run(command, input=joined.encode(), capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise DrawingError(
            f"Graphviz did not finish within {timeout:g} s, and was stopped"
            + (f"; {advice}" if advice else "")
        ) from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").split("\n")
        why = next((line for line in reversed(said) if line.strip()), f"exit {done.returncode}")
        raise DrawingError(f"Graphviz could not draw this as {format}: {why.strip()}")
    return done.stdout


@lru_cache(maxsize=256)
def _layouts(texts: tuple[str, ...], timeout: float, advice: str) -> tuple[dict[str, Any], ...]:
    written = run(texts, "json0", "dot", timeout, advice).decode()
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(written):
        graph, at = decoder.raw_decode(written, at)
        found.append(graph)
        while at < len(written) and written[at].isspace():
            at += 1
    return tuple(found)


def layouts(texts: Sequence[str], timeout: float, advice: str) -> tuple[dict[str, Any], ...]:
    """Let dot lay out graphs, all in one run; what it answered, read from JSON.

    Answers are remembered, so a notebook that draws the same cell again does not wait for dot.
    """
    return _layouts(tuple(texts), timeout, advice)
