"""Files: texts that are read with a clear word on what is wrong, and files that are never half.

A file is written under a temporary name beside its own and then put in place in one move, so that
whoever reads it, at whatever moment the writer was stopped, finds the old file or the new one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import IO

import numpy as np

from microgrrepresent.node import Array
from rnn.errors import DataError


def read_text(path: str | Path) -> str:
    """Read a UTF-8 text file.

    Raises
    ------
    DataError
        If it cannot be read, is empty, or is not UTF-8.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
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


@contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a new file for writing that takes the place of `path` when the block ends well.

    Raises
    ------
    DataError
        If the file cannot be written, or not to its end; what was there before is still there.
    """
    target = Path(path)
    temporary = target.parent / f".{target.name}.tmp"  # one name: a killed writer leaves one file
    with writing(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Say which file it is that cannot be written.

    Raises
    ------
    DataError
        In the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write {path}: {reason(error)}") from error


def reason(error: OSError) -> str:
    """What the operating system says, to stand behind a colon."""
    return (error.strerror or str(error)).lower()
