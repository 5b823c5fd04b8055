"""Texts and numbers to learn from: a file of one's own, or what comes with this package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np

from microgrrepresent.files import read_file
from microgrrepresent.node import Array
from rnn.errors import DataError


def read_text(path: str | Path) -> str:
    """Read a UTF-8 text file.

    Raises
    ------
    FileError
        If it cannot be read.
    DataError
        If it is empty, or is not UTF-8.
    """
    data = read_file(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8: byte {data[error.start]:#04x} at position {error.start}; "
            "save it as UTF-8 text first"
        ) from error
    if not text.strip():
        raise DataError(f"{path} is empty: there is nothing to learn from")
    return text.replace("\r\n", "\n")


def bundled_text(name: str = "declaration") -> str:
    """A public-domain text that comes with this package.

    Parameters
    ----------
    name : {"declaration"}
        ``declaration``: the United States' Declaration of Independence, 9,330 characters.

    Raises
    ------
    DataError
        If there is no such text.
    """
    file = resources.files("rnn") / "data" / f"{name}.txt"
    if not file.is_file():
        raise DataError(f"there is no bundled text {name!r}; there is 'declaration'")
    return file.read_text("utf-8")


def sunspots() -> tuple[Array, Array]:
    """The mean yearly number of sunspots: the years 1700 to 2008, and one number for each."""
    file = resources.files("rnn") / "data" / "sunspots.csv"
    rows = [line.split(",") for line in file.read_text("utf-8").splitlines()[1:]]
    years, numbers = zip(*rows, strict=True)
    return np.array(years, dtype=np.int64), np.array(numbers, dtype=np.float64)
