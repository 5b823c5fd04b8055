"""Exercises marked: what a student's file returns is compared with the right loop.

    python -m rnn mark exercise.py
    python -m rnn mark FOLDER --csv > class.csv

A student's file is run in a process of its own, with a time limit. A program is made once for each
cell, and its mistakes are listed once; the numbers are those of each student's seed.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from microgrrepresent.errors import FileError
from microgrrepresent.files import read_arrays, read_file, write_arrays, write_file
from microgrrepresent.node import Array
from microgrrepresent.programs import Marker, Report, StudentError, sources_on_copies, student
from microgrrepresent.programs.copies import Change
from rnn.command_line.exercises import FUNCTION
from rnn.command_line.illustration import ILLUSTRATED
from rnn.command_line.loops import Task, tagger
from rnn.errors import DataError

COLUMNS = ("file", "cell", "seed", "right", "loss", "correct", "wrong", "missing", "why", "error")


def mark(options: argparse.Namespace) -> int:
    """``python -m rnn mark``: print the report on a file or a folder; 0 if all is right, else 1."""
    path = Path(options.file)
    files = sorted(path.glob("*.py")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} has no file that ends in .py")
    marking = Marking(options.limit)
    table = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n") if options.csv else None
    if table is not None:
        table.writeheader()
    all_right = True
    for file in files:
        set_as: tuple[str, int] | None = None
        try:
            set_as = named(file)
            report = marking.report(file, *set_as)
        except (DataError, FileError) as error:
            if not path.is_dir():
                raise
            report = Report(error=str(error))
        all_right &= report.right
        if table is not None:
            table.writerow(_row(file, set_as, report))
        else:
            print(f"{file}\n{report}\n" if path.is_dir() else report)
    return 0 if all_right else 1


def _row(file: Path, set_as: tuple[str, int] | None, report: Report) -> dict[str, object]:
    return {
        "file": file.name,
        "cell": set_as[0] if set_as else "",
        "seed": set_as[1] if set_as else "",
        "right": "yes" if report.right else "no",
        "loss": report.loss,
        "correct": " ".join(report.correct),
        "wrong": " ".join(report.wrong),
        "missing": " ".join(report.missing),
        "why": report.why,
        "error": report.error,
    }


@dataclass
class Marking:
    """Marks files, with one program for each cell.

    Attributes
    ----------
    limit : float
        Seconds that a file may run.
    """

    limit: float
    _known: dict[str, tuple[Task, Marker]] = field(default_factory=dict)

    def report(self, file: Path, cell: str, seed: int) -> Report:
        """The report on a file."""
        if cell not in self._known:
            task = tagger(cell, states=True)
            self._known[cell] = task, Marker(task.program(), task.data(seed))
        task, marker = self._known[cell]
        marker = marker.on(**task.data(seed))
        student = _File(file, self.limit)
        return marker(student, student.again)


@dataclass(frozen=True)
class _File:
    """The function in a student's file, or in another source in its place."""

    path: Path
    limit: float
    source: str = ""

    def __call__(self, **arrays: Array) -> tuple[Any, dict[str, Any]]:
        return run(self.path, arrays, self.limit, self.source)

    def again(self) -> Iterator[tuple[Change | None, _File]]:
        """With what it changes in place done on copies."""
        for change, source in sources_on_copies(read_file(self.path)):
            yield change, replace(self, source=source)


def named(path: Path) -> tuple[str, int]:
    """The cell and the seed that an exercise's file names; the file is not run for that.

    Raises
    ------
    DataError
        If it is no exercise, or has values that are still to be written.
    """
    try:
        tree = ast.parse(read_file(path))
    except SyntaxError as error:
        line = f", line {error.lineno}: {(error.text or '').strip()}" if error.lineno else ""
        raise DataError(f"{path} is no Python file: {error.msg}{line}") from None
    except ValueError as error:
        raise DataError(f"{path} is no Python file: {error}") from None
    for statement in tree.body:
        match statement:
            case ast.Assign(
                [ast.Tuple([ast.Name("CELL"), ast.Name("SEED")])],
                ast.Tuple([ast.Constant(str(cell)), ast.Constant(int(seed))]),
            ) if cell in ILLUSTRATED and seed >= 0:
                return cell, seed
    raise DataError(
        f'{path} is no exercise: it must have a line CELL, SEED = "lstm", 0; '
        "python -m rnn exercise writes one"
    )


def _blanks(path: Path) -> Iterator[int]:
    """The lines in which a value is still to be written."""
    for statement in ast.walk(ast.parse(read_file(path))):
        match statement:
            case ast.Assign(_, ast.Constant(value)) | ast.AugAssign(_, _, ast.Constant(value)):
                if value is ...:
                    yield statement.lineno


def run(
    file: Path, arrays: dict[str, Array], limit: float, source: str = ""
) -> tuple[Any, dict[str, Any]]:
    """Run a file's function in a process of its own, or another source in its place.

    Raises
    ------
    StudentError
        If it raises, takes too long, or does not end as a program ends.
    """
    blanks = list(_blanks(file))
    if blanks:
        lines = f"line{'s' * (len(blanks) > 1)} {', '.join(map(str, sorted(blanks)))}"
        raise StudentError(f"in the place of ... a value is still to be written, in {lines}")
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "given.npz"), Path(folder, "found")
        write_arrays(given, arrays)
        beside = file.resolve().parent
        if source:
            file = write_file(Path(folder, file.name), source.encode())
        names = [str(file.resolve()), FUNCTION, str(given), str(found), str(beside)]
        status = _status([sys.executable, "-P", student.__file__, *names], folder, limit)
        if not Path(folder, "found.json").exists():
            raise StudentError(f"it ended without a result, with exit status {status}")
        said = json.loads(read_file(f"{found}.json"))
        if isinstance(said, str):
            raise StudentError(said)
        return student.unpacked(said, read_arrays(f"{found}.npz"))


def _status(command: list[str], folder: str, limit: float) -> int:
    """Run a command, without its output; what it started ends with it."""
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=folder, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True
    )
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        raise StudentError(
            f"it was still running after {limit:g} seconds: is there a loop that does not end?"
        ) from None
    finally:
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
