"""Figures of matplotlib that a notebook shows by themselves, and that are written at once.

matplotlib is an extra: what imports this file does it when a figure is asked for.
"""

from __future__ import annotations

import os
from io import BytesIO

from microgrrepresent.files import as_path, write_file

try:
    from matplotlib import rc_context
    from matplotlib.figure import Figure as _Figure
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "a figure needs matplotlib: pip install 'microgrrepresent[plot]'"
    ) from error


class Figure(_Figure):
    """A figure of its own, without pyplot, its windows and its list of open figures."""

    def svg(self) -> str:
        """The figure as an SVG element."""
        text = self._written("svg").decode()
        return text[text.index("<svg") :]

    def _repr_svg_(self) -> str:
        return self.svg()

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
        # without a date, and with ids that do not change: the same run gives the same bytes
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format, {})
        with rc_context({"svg.hashsalt": "microgrrepresent"}):
            self.savefig(content, format=format, dpi=150, metadata=undated)
        return content.getvalue()
