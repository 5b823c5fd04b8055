"""The exercises' checks: they take what is right, refuse what is wrong, and can be run twice.

An answer is what stands below ``# your lines``. Each is put there and checked twice; after it the
notebook's own answer has to pass, in the same session. No check raises anything but "Not yet".
"""

import contextlib
import io
from functools import cache
from importlib import import_module
from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.examples.course_answers import RIGHT, WRONG

COURSE = Path(__file__).parents[2] / "examples" / "course"
pytestmark = pytest.mark.slow

CASES = [
    pytest.param(
        exercise,
        answer,
        answers is RIGHT,
        id=f"{exercise} {'right' if answers is RIGHT else 'wrong'} {i}",
    )
    for answers in (RIGHT, WRONG)
    for exercise, texts in answers.items()
    for i, answer in enumerate(texts)
]


@pytest.fixture(autouse=True)
def course(monkeypatch):
    pytest.importorskip("myst_nb", reason="pip install '.[docs]'")
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.syspath_prepend(COURSE)


@cache
def exercises(number):
    """For each exercise of a notebook: the names known before it, its answer and its check."""
    (path,) = (COURSE / "notebooks").glob(f"{number}_*.md")
    cells = [c for c in import_module("handout").read(path).cells if c.cell_type == "code"]
    names, found = {}, []
    for cell, check in zip(cells, [*cells[1:], None], strict=True):
        if "answer" in cell.metadata.get("tags", ()):
            found.append((dict(names), cell.source, check.source))
        run(cell.source, names)
    return found


def run(code, names):
    """What a cell says: printed, or as the error of an assertion."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            exec(compile(code, "<cell>", "exec"), names)
        except AssertionError as error:
            print(error)
    return said.getvalue()


def answered(cell, answer):
    """The cell with another answer; what is less indented than the answer stays as it is."""
    lines = cell.splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip() == "# your lines")
    margin = lines[at][: lines[at].index("#")]
    end = at + 1
    while end < len(lines) and lines[end].startswith(margin):
        end += 1
    return "\n".join([*lines[: at + 1], indent(dedent(answer), margin), *lines[end:]])


def passes(said):
    if "The loss" in said:  # it was marked
        return "All gradients are right" in said
    return "Right" in said and "Not yet" not in said


@pytest.mark.parametrize(("exercise", "answer", "is_right"), CASES)
def test_a_check_takes_what_is_right_and_refuses_what_is_wrong(exercise, answer, is_right):
    number, _, which = exercise.partition(".")
    names, own, check = exercises(number)[int(which) - 1]
    names = dict(names)
    run(answered(own, answer), names)
    for _ in range(2):
        said = run(check, names)
        assert said and passes(said) == is_right, said
    run(own, names)
    assert passes(run(check, names))


def test_every_exercise_has_right_and_wrong_answers():
    every = {f"{notebook}.{exercise}" for notebook in range(1, 9) for exercise in range(1, 6)}
    assert WRONG.keys() == every
    assert RIGHT.keys() == every - {"8.4", "8.5"}  # whose own answers are long enough
