"""A line that changes in place what the forward pass made is found, by doing it on a copy."""

from __future__ import annotations

import linecache
from itertools import count

import numpy as np
import pytest

from microgrrepresent.programs.copies import Change, on_copies, sources_on_copies
from tests.microgrrepresent.programs.exercises import exercise
from tests.microgrrepresent.programs.test_mark_exercises import written

FILES = count()


def function(source):
    """A student's function whose source can be looked up, as in a file or a notebook."""
    file = f"<student {next(FILES)}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    names = {"np": np}
    exec(compile(source, file, "exec"), names)
    return names["student"]


def report_on(name, *edits):
    return exercise(name)(function(written(name, *edits)))


CHANGES = {
    "an alias of the last state": (
        "chain",
        [("dh = dh * w", "dh *= w")],
        Change("dh *= w", "dh", "dh = h[-1]", "h"),
    ),
    "one of several that are assigned at once": (
        "chain",
        [("    dw = 0.0\n    dh = h[-1]", "    dw, dh = 0.0, h[-1]"), ("dh = dh * w", "dh *= w")],
        Change("dh *= w", "dh", "dh = h[-1]", "h"),
    ),
    "the state of a step": (
        "last",
        [("dz = dh * (1 - h[t] ** 2)", "dz = h[t]; dz *= -h[t]; dz += 1; dz *= dh")],
        Change("dz *= -h[t]", "dz", "dz = h[t]", "h"),
    ),
    "an adjoint": (
        "gate",
        [("dn = dh * (1 - z[t])", "dn = dh; dn *= 1 - z[t]; dn = dn")],
        Change("dn *= 1 - z[t]", "dn", "dn = dh", "dh"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_forward_pass_is_named(name):
    exercise_name, edits, change = CHANGES[name]
    report = report_on(exercise_name, *edits)
    assert report.in_place == change and not report.right


def test_what_is_said_of_it():
    report = report_on("chain", ("dh = dh * w", "dh *= w"))
    assert str(report).splitlines()[1:] == [
        "With a copy, this is found:",
        "All gradients are right: w.",
    ]
    first = str(report).splitlines()[0]
    assert first.startswith("The loss is ") and first.endswith(
        ": `dh *= w` changes h in place. After `dh = h[-1]`, dh is h[-1] itself, and no copy of it."
    )
    assert report.why == "`dh *= w` changes h in place"


def test_what_else_is_wrong_is_said_too():
    edits = ("dh = dh * w", "dh *= w"), ("dh * h[t - 1]", "dh * h[t]")
    report = report_on("chain", *edits)
    assert report.in_place and report.reproduced and report.mistakes[0].says.startswith("h[t] ")


def test_a_loss_that_was_computed_before_is_right():
    early = ("    dh = 2 * h[-1]\n", "    L, dh = np.sum(h[-1] ** 2), h[-1]\n    dh *= 2\n")
    report = report_on("last", early, ("return np.sum(h[-1] ** 2),", "return L,"))
    assert str(report).startswith("The loss is right, but `dh *= 2` changes h in place. After")
    assert not report.right and not report.wrong


def test_a_right_solution_may_change_what_it_likes():
    edit = ("    dh = 2 * h[-1]\n", "    dh = h[-1].copy()\n    dh *= 2\n")
    assert report_on("last", edit).right


def test_a_wrong_forward_pass_is_no_change():
    report = report_on("last", ("np.tanh(x @ W.T + h", "np.tanh(x @ W.T - h"))
    assert report.in_place is None and "the forward pass is wrong" in report.loss


def test_a_function_is_run_again_without_its_output(capsys):
    printing = ("    dh = h[-1]\n", "    dh = h[-1]\n    print('once')\n")
    assert report_on("chain", printing, ("dh = dh * w", "dh *= w")).in_place
    assert capsys.readouterr().out == "once\n"


def test_what_stands_around_a_function_is_known_to_its_copies():
    two = 2.0

    def student(x: Unknown) -> Unknown:  # noqa: F821
        y = x
        y *= two
        return y, x

    (none, _), (change, copied) = on_copies(student)
    assert none is None
    assert change == Change("y *= two", "y", "y = x", "x")
    x = np.ones(2)
    assert copied(x)[0].sum() == 4 and x.sum() == 2


def test_a_file_keeps_its_decorators():
    source = "import f\n@f\ndef g(x: int):\n    x *= 2\n"
    (none, _), (change, text) = sources_on_copies(source)
    assert none is None and change.line == "x *= 2"
    assert "@f\ndef g(x: int):\n    x = getattr(x, 'copy', lambda: x)()\n    x *= 2" in text


def test_where_no_source_is_known_nothing_is_tried():
    names = {}
    exec("def student(x):\n    x *= 2\n", names)
    assert not list(on_copies(names["student"])) and not list(on_copies(len))
    assert not list(sources_on_copies("def f(x):\n    other[0] = x\n"))
