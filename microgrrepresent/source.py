"""Which line of code made a node: noted while somebody asks for it, looked up when it is shown.

What is noted is a code object and the instruction in it that was running, which costs little more
than a walk up the stack; file, line and text are found out of them later. The code is the innermost
outside of this package (and of NumPy, by which an operator may have come here): the equation of a
cell, or the user's own formula.
"""

from __future__ import annotations

import linecache
import sys
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from textwrap import dedent
from types import CodeType, FrameType

import numpy as np

MOST = 6
"""Lines of an operation that are shown; of one that takes more, the first."""

_INSIDE = tuple(f"{Path(module).parent}/" for module in (__file__, str(np.__file__)))


class Line:
    """Where in the code an operation stands, and what is written there.

    Attributes
    ----------
    code : CodeType
        The function, or the module, that was running.
    instruction : int
        Where in its bytes.
    """

    def __init__(self, code: CodeType, instruction: int) -> None:
        self.code, self.instruction = code, instruction

    def __repr__(self) -> str:
        return f"<Line {self.where}: {self.operation}>"

    @property
    def file(self) -> str:
        """The file's name, as Python knows it; of a notebook's cell, one that was made up."""
        return self.code.co_filename

    @property
    def number(self) -> int:
        """The line at which the operation begins, counted from 1."""
        return self._span[0]

    @property
    def where(self) -> str:
        """``rnn/cells/lstm.py:180 in LSTMCell.forward``, without the folders of this machine."""
        function = self.code.co_qualname.replace("<locals>.", "")
        inside = "" if function == "<module>" else f" in {function}"
        return f"{_without_folders(self.file)}:{self.number}{inside}"

    @property
    def text(self) -> str:
        """What is written on the lines that the operation takes; "" where that is not known."""
        return "".join(self.parts)

    @property
    def operation(self) -> str:
        """The operation alone: ``f * c`` of ``c = f * c + i * g``."""
        return self.parts[1]

    @cached_property
    def parts(self) -> tuple[str, str, str]:
        """The text before the operation, the operation, and the text behind it."""
        first, last, left, right = self._span
        lines = [linecache.getline(self.file, n).rstrip("\n") for n in range(first, last + 1)]
        if not lines[0]:
            return "", "", ""
        text = dedent("\n".join(lines))
        indent = len(lines[0]) - len(text.partition("\n")[0])
        begin = len(_columns(lines[0], left)) - indent
        end = len(text) - len(lines[-1]) + len(_columns(lines[-1], right))
        return text[:begin], text[begin:end], text[end:]

    @cached_property
    def _span(self) -> tuple[int, int, int, int | None]:
        """The first line and the last, where in the first it begins, and in the last it ends."""
        position = next(islice(self.code.co_positions(), self.instruction // 2, None), (None,) * 4)
        first, last, left, right = position
        if first is None:
            first = self.code.co_firstlineno
        if last is None or last - first >= MOST:
            return first, first, left or 0, None
        return first, last, left or 0, right


def line_here() -> Line | None:
    """The line that is running; None if there is none outside of the package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_INSIDE):
        frame = frame.f_back
    return None if frame is None else Line(frame.f_code, frame.f_lasti)


def _columns(line: str, bytes: int | None) -> str:
    """The beginning of a line; Python counts its columns in bytes."""
    return line.encode()[:bytes].decode(errors="ignore")


@cache
def _without_folders(file: str) -> str:
    """A file's name without the folders that Python looks for modules in, or without any."""
    path = Path(file)
    roots = [Path(entry).absolute() for entry in sys.path]
    inside = [str(path.relative_to(root)) for root in roots if path.is_relative_to(root)]
    return min(inside, key=len, default=path.name)
