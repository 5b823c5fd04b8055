"""Figures of matplotlib that a notebook shows by themselves, and that are written at once.

matplotlib is an extra: what imports this file does it when a figure is asked for.
"""

from __future__ import annotations

import os
from io import BytesIO
from typing import Any

import numpy as np

from microgrrepresent.files import as_path, write_file
from microgrrepresent.node import Array
from microgrrepresent.prompt import in_a_cell

try:
    from matplotlib import rc_context
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.figure import Figure as _Figure
    from matplotlib.font_manager import get_font_names
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.text import Text
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "a figure needs matplotlib: pip install 'microgrrepresent[plot]'"
    ) from error


SLIDE = (40 / 3, 7.5)
"""Inches of a slide of 16:9; at 120 dots an inch it has 1600 x 900 pixels."""

LETTERS, SMALL = 14.0, 11.5
"""Sizes of letters on a slide, in points: 23 and 19 of its 900 pixels."""

FAMILIES = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Noto Sans CJK JP", "Source Han Sans SC", "PingFang SC"),
    *("Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei", "Arial Unicode MS"),
)
"""Fonts for the letters that the figure's own lacks: what a network reads may be Chinese."""

DECADES = 6
"""Powers of ten that a scale of colors has at the most."""


class Figure(_Figure):
    """A figure of its own, without pyplot, its windows and its list of open figures."""

    def svg(self) -> str:
        """The figure as an SVG element."""
        text = self._written("svg").decode()
        return text[text.index("<svg") :]

    def _repr_svg_(self) -> str:
        return in_a_cell(self.svg())

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the figure to a file, in the format that its ending names: .svg, .png, .pdf.

        Raises
        ------
        FileError
            If the file cannot be written.
        ValueError
            If matplotlib has no such format.
        """
        target = as_path(path)
        write_file(target, self._written(target.suffix.lstrip(".")))

    def _written(self, format: str) -> bytes:
        content = BytesIO()
        known = [family for family in FAMILIES if family in get_font_names()]
        for text in self.findobj(Text):
            text.set_fontfamily([*dict.fromkeys([*text.get_fontfamily(), *known])])
        # without a date, and with ids that do not change: the same run gives the same bytes
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format, {})
        with rc_context({"svg.hashsalt": "microgrrepresent"}):
            self.savefig(content, format=format, dpi=150, metadata=undated)
        return content.getvalue()


def slide() -> Figure:
    """An empty figure of the size of a slide, with margins."""
    return Figure(figsize=SLIDE, layout=ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.14))


def bare(axes: Any) -> None:
    """Take away what is not needed of a frame, and make the numbers beside it readable."""
    axes.tick_params(labelsize=SMALL)
    axes.grid(True, which="major", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def color_scale(norms: Array) -> Normalize:
    """A logarithmic scale for norms, from the largest down to the smallest or six powers of ten."""
    known = norms[np.isfinite(norms) & (norms > 0)]
    high = float(known.max(initial=0.0)) or 1.0
    low = max(float(known.min(initial=high)), high * 10.0**-DECADES)
    return LogNorm(low if low < high else high / 10, high)


def below(norms: Array, scale: Normalize) -> str:
    """Which end of a scale of colors has values beyond it."""
    return "min" if (norms[norms > 0] < scale.vmin).any() else "neither"
