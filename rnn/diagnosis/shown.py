"""What a diagnosis has in common: a table when it is printed, a figure in a notebook or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

    from rnn.figures import Figure


class Shown:
    """A result with a `figure`; its ``str`` is a table."""

    def figure(self, title: str | None = None) -> Figure:
        """Draw it, on a slide of 16:9."""
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str], title: str | None = None) -> None:
        """Write the figure to a file, in the format that its ending names (.svg, .png, .pdf).

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        FileError
            If the file cannot be written.
        """
        self.figure(title).write(path)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the figure, or the table if there is no matplotlib."""
        try:
            return {"text/plain": str(self), "image/svg+xml": self.figure()._repr_svg_()}
        except ModuleNotFoundError:
            return {"text/plain": str(self)}
