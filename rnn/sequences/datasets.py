"""Texts and numbers to learn from: a file of one's own, or what comes with this package."""

from __future__ import annotations

import csv
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


def read_column(path: str | Path, column: str | None = None) -> Array:
    """Read a time series: one column of a CSV file, a row for each time, oldest first.

    Parameters
    ----------
    path : path
        A UTF-8 file of values between commas (or semicolons, or tabs), with or without a first row
        of names.
    column : str, optional
        The name of the column, or its number from 1. By default the only one that holds numbers.

    Returns
    -------
    ndarray, shape (rows,)

    Raises
    ------
    FileError
        If it cannot be read.
    DataError
        If it has no such column, or one that holds something else than finite numbers.
    """
    text = read_text(path)
    first = text.splitlines()[0]
    separator = max(",;\t", key=first.count)
    rows = [
        (n, [cell.strip() for cell in row])
        for n, row in enumerate(csv.reader(text.splitlines(), delimiter=separator), start=1)
        if any(cell.strip() for cell in row)
    ]
    has_names = all(_number(cell) is None for cell in rows[0][1])
    names = rows[0][1] if has_names else [str(i + 1) for i in range(len(rows[0][1]))]
    rows = rows[has_names:]
    if not rows:
        raise DataError(f"{path} has a row of names, and no numbers below it")
    place = _place_of(path, names, rows[0][1], column)
    values = []
    for n, row in rows:
        cell = row[place] if place < len(row) else ""
        value = _number(cell)
        if value is None:
            raise DataError(
                f"{path}, line {n}: column {names[place]!r} must hold a finite number at every "
                f"time, got {cell!r}; fill the gap or leave the row out"
            )
        values.append(value)
    return np.array(values)


def _place_of(path: str | Path, names: list[str], first: list[str], column: str | None) -> int:
    """Where the column stands, or that of the only numbers."""
    known = ", ".join(names)
    if column is not None:
        if column in names:
            return names.index(column)
        if column.isdigit() and 1 <= int(column) <= len(names):
            return int(column) - 1
        raise DataError(f"{path} has no column {column!r}; its columns are {known}")
    numeric = [i for i, cell in enumerate(first) if i < len(names) and _number(cell) is not None]
    if len(numeric) != 1:
        many = "several columns" if numeric else "no column"
        raise DataError(f"{path} has {many} of numbers; name one of its columns: {known}")
    return numeric[0]


def _number(cell: str) -> float | None:
    """The finite number that a cell of a table holds, or None."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def sunspots() -> tuple[Array, Array]:
    """The mean yearly number of sunspots: the years 1700 to 2008, and one number for each."""
    file = resources.files("rnn") / "data" / "sunspots.csv"
    rows = [line.split(",") for line in file.read_text("utf-8").splitlines()[1:]]
    years, numbers = zip(*rows, strict=True)
    return np.array(years, dtype=np.int64), np.array(numbers, dtype=np.float64)
