"""What a student calls the variables of a printed program: those that have the same values.

A mistake that gives a student's gradients gives the values on the way to them, too. What is written
as one name or another is told by running the function once more, and looking at its variables.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any

import numpy as np

from microgrrepresent.node import Array
from microgrrepresent.programs.by_step import history
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.expressions import text
from microgrrepresent.programs.lines import lines_of
from microgrrepresent.programs.loop_slips import by_step
from microgrrepresent.programs.mistakes import with_mistakes
from microgrrepresent.programs.report import Report, Words
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.student import called
from microgrrepresent.programs.trial import Trials

MOST = 20_000_000
"""So many numbers are looked at, in all variables together."""

Values = dict[str, list[Array]]
"""The values that each variable had, one after the other."""


def words_of(
    student: Callable[..., Any], arrays: Mapping[str, Any], report: Report, trials: Trials
) -> Words | None:
    """What a student calls what stands in the printed lines, and what the rest of it is.

    None where its code is not here.
    """
    written = written_names(student)
    if written is None:
        return None
    code = trials.broken.code
    meaning = meanings(code, {*written, *report.printed_names})
    letters = [n for n in report.printed_names if n in meaning]
    unknown = {n for n in letters if n not in written}
    names: dict[str, str] = {}
    if report.reproduced:
        program = history(trials.replay, with_mistakes(code, *report.ways[0]).backward, letters)
        own = values_of(student, arrays)
        sought = {n: program[n] for n in letters if n in unknown and n in program}
        names = own_names(sought, own, report.printed_names)
        unknown |= {n for n in letters if n in own and not had(own[n], program.get(n, []))}
    return Words(names, tuple(meaning[n] for n in letters if n in unknown and n not in names))


def written_names(function: Callable[..., Any]) -> set[str] | None:
    """All names that stand in a function; None if its code is not here."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else {*_names(code)}


def _names(code: CodeType) -> Iterator[str]:
    yield from (*code.co_varnames, *code.co_names, *code.co_freevars, *code.co_cellvars)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def values_of(function: Callable[..., Any], arrays: Mapping[str, Any]) -> Values:
    """The values of a function's variables, but for its arguments, while it runs without output."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    found: Values = {}
    looked = 0

    def look(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal looked
        if frame.f_code is not code or looked > MOST:
            return None
        for name, value in frame.f_locals.items():
            if name not in arrays and isinstance(value, np.ndarray | np.number | float):
                looked += np.size(value)
                known = found.setdefault(name, [])
                if not (known and np.array_equal(known[-1], value)):
                    known.append(np.array(value))
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
            called(function, arrays)
    finally:
        sys.settrace(before)
    return found


def own_names(
    program: Mapping[str, Sequence[Array]], student: Values, taken: Collection[str]
) -> dict[str, str]:
    """For variables of a program, those of a student that had all their values.

    Parameters
    ----------
    program : dict from str to list of array
    student : dict from str to list of array
    taken : collection of str
        Names that already stand for something, beside these variables.
    """
    found: dict[str, str] = {}
    for letter, values in program.items():
        state = letter.removesuffix("_next")  # is often one variable with what is handed on
        free = (n for n in student if n == state or n not in {*taken, *found.values()})
        name = next((n for n in free if had(student[n], values)), None)
        if name is not None:
            found[letter] = name
    return found


def had(known: Sequence[Array], values: Sequence[Array]) -> bool:
    """Whether all these values are among those that are known."""
    return all(any(_same(value, one) for one in known) for value in values)


def _same(a: Array, b: Array) -> bool:
    if a.shape != b.shape:
        return False
    tolerance = 1e-3 if np.dtype(np.float32) in (a.dtype, b.dtype) else 1e-6
    with np.errstate(all="ignore"):
        return bool(np.linalg.norm(a - b) <= tolerance * np.linalg.norm(a))


def meanings(code: Code, known: Collection[str]) -> dict[str, str]:
    """What each letter of a printed program stands for, but for the gradients, by the letter.

    Parameters
    ----------
    code : Code
    known : collection of str
        Names that need not be said again.
    """
    found: dict[str, str] = {}
    forward = {line_owner(line): line for line in lines_of(list(code.forward))}
    gradients = {text(gradient) for gradient in code.gradients}
    for line in lines_of(list(code.backward)):
        letter = line_owner(line)
        variable = letter.removeprefix("d")
        if letter in gradients or letter in found:
            continue
        if letter.endswith("_next"):
            state = letter.removesuffix("_next")
            found[letter] = f"{letter} is the part of {state} that comes from step t + 1"
        elif variable in forward:
            where = "" if variable in known else f", where {forward[variable]}"
            found[letter] = f"{letter} is ∂L/∂{variable}{where}"
        else:
            found[letter] = str(line)
    found |= {letter: str(line) for letter, line in forward.items()}
    return found | {
        timed.partition("[")[0]: f"{timed} = {text(value)}"
        for timed, value in by_step(code).items()
    }
