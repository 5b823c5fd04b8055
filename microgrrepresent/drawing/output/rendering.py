"""Running Graphviz: ``dot`` where it is on PATH, else the Graphviz inside of pygraphviz's wheels.

It gets all positions from us, and only writes them down. Both run in a process of their own, so
that they can be stopped: Graphviz has no timeout, and a drawing that its user has changed may ask
it for a layout, with which some innocent graphs keep it busy for minutes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from typing import Literal

from microgrrepresent.errors import DrawingError, GraphvizMissing

Route = Literal["dot", "pygraphviz"]

HOW_TO_GET_IT = (
    "install it with your package manager (Debian, Ubuntu: apt install graphviz; macOS: brew "
    "install graphviz), or with pip install pygraphviz, whose wheels carry it"
)

_PYGRAPHVIZ = """
import sys, pygraphviz
layout, format = sys.argv[1:]
text = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(pygraphviz.AGraph(string=text).draw(format=format, prog=layout))
"""


@cache
def route() -> Route | None:
    """Which Graphviz there is: a ``dot`` on PATH, pygraphviz 2, or none."""
    if shutil.which("dot"):
        return "dot"
    return "pygraphviz" if find_spec("pygraphviz") else None


def run(text: str, format: str, layout: str, timeout: float) -> bytes:
    """Let Graphviz read a DOT text and write it in a format.

    Parameters
    ----------
    text : str
        The graph.
    format : str
        A Graphviz output format, such as ``png``.
    layout : str
        ``nop2`` to take all positions from the text, or the engine that is to find them.
    timeout : float
        Seconds.

    Raises
    ------
    GraphvizMissing
        If there is no Graphviz.
    DrawingError
        If it fails, or takes longer than the timeout.
    """
    way = route()
    if way is None:
        raise GraphvizMissing(
            f"a picture as {format} needs Graphviz, which is not on this machine: {HOW_TO_GET_IT}; "
            "or write .svg, .html, .tex or .dot, which need none"
        )
    command = [sys.executable, "-c", _PYGRAPHVIZ, layout, format]
    if way == "dot":
        command = ["dot", f"-K{layout}", f"-T{format}"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise DrawingError(
            f"Graphviz did not finish within {timeout:g} s, and was stopped; write .svg, or draw "
            "part of the steps with window=(3, 2)"
        ) from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").split("\n")
        why = next((line for line in reversed(said) if line.strip()), f"exit {done.returncode}")
        raise DrawingError(f"Graphviz could not draw this as {format}: {why.strip()}")
    return done.stdout
