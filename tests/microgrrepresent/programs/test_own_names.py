"""Printed lines are said in a student's own names; what a letter stands for is said of the rest."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import microgrrepresent.programs.own_names
from microgrrepresent.programs.own_names import (
    had,
    meanings,
    own_names,
    values_of,
    written_names,
)
from tests.microgrrepresent.programs.exercises import exercise
from tests.microgrrepresent.programs.rates import function
from tests.microgrrepresent.programs.test_mark_exercises import report_on, written

SAID = {
    "dz for da": (
        "last",
        ("dz.T @ h[t - 1]", "dz.T @ h[t]"),
        ["dU += dz.T @ h[t - 1]", "dU += dz.T @ h[t]", "at t = 5, in dU"],
    ),
    "dh for dh_next": (
        "last",
        ("dh = dz @ U", "dh = dz @ U.T"),
        ["dh = dz @ U", "dh = dz @ U.T", "at t = 4, in dh"],
    ),
    "du for da_y": (
        "neuron",
        ('"w": du * x', '"w": du * w'),
        ["dw = du * x", "dw = du * w"],
    ),
    "dy for du_1": (
        "neuron",
        ("2 * (y - target)", "2 * y - target"),
        ["dy = 2 * (y - target)", "dy = 2 * y - target"],
    ),
}


def lines(report):
    return [line[20:] for line in str(report).splitlines() if line.startswith("    ")][-9:]


@pytest.mark.parametrize("name", SAID)
def test_lines_are_said_in_the_names_of_the_student(name):
    exercise_name, edit, said = SAID[name]
    assert lines(report_on(exercise_name, edit))[-len(said) :] == said


MEANINGS = {
    "all steps at once": ("every", ("dh_next = 0", "dh_next = 2 * h[-1]"), "dH[t - 1] = 2 * h[t]"),
    "no name forwards": (
        "gate",
        (" * (1 - n[t] ** 2)", ""),
        "a[t] = X[t - 1] @ V.T",
    ),
    "of the same name, but not the same": (
        "gate",
        ("(h[t - 1] - n[t])", "h[t - 1]"),
        "dz is ∂L/∂z; a[t] = X[t - 1] @ V.T",
    ),
    "an adjoint without a name": (
        "neuron",
        ('"b": du', '"b": dy'),
        "da_y is ∂L/∂a_y, where a_y = x @ w + b",
    ),
}


@pytest.mark.parametrize("name", MEANINGS)
def test_what_a_letter_stands_for_is_said(name):
    exercise_name, edit, said = MEANINGS[name]
    report = report_on(exercise_name, edit)
    assert str(report).splitlines()[-1] == f"In these lines, {said}."


def test_what_comes_to_the_same_in_other_names_is_said_once():
    report = report_on("last", ("dh = dz @ U", "dh = dh @ U"))
    assert len(report.ways) == 2  # dh, or dh_next, which the student calls dh too
    assert str(report).count("dh instead of dz") == 1 and "Or: " not in str(report)
    early = "        dh = dh * w\n        dw += np.sum(dh * h[t - 1])\n"
    late = "        dw += np.sum(dh * h[t - 1])\n        dh = dh * w\n"
    said = str(report_on("chain", (late, early)))
    assert "dh = dh\n" not in said and "dh instead of dh" not in said


def test_names_are_those_of_a_function_and_of_what_is_in_it():
    def student(x):
        return [inner + outer for inner in x]

    outer = 1
    assert {"x", "inner", "outer"} <= written_names(student)
    assert written_names(lambda: 0) == set() and written_names(object()) is None


def test_the_values_of_variables_are_looked_at_while_a_function_runs(capsys, monkeypatch):
    def student(x):
        total = 0.0
        for _ in range(100):
            total = total + x
        print("not shown")
        return total, {}

    before = sys.gettrace()
    found = values_of(student, {"x": 1.0})
    assert sys.gettrace() is before and capsys.readouterr().out == ""
    assert list(found) == ["total"] and [float(v) for v in found["total"]] == [*range(101)]
    monkeypatch.setattr(microgrrepresent.programs.own_names, "MOST", 50)
    assert 20 < len(values_of(student, {"x": 1.0})["total"]) <= 51


def test_a_name_stands_for_one_variable_or_for_a_state_and_what_is_handed_on():
    one, two = np.ones(2), 2 * np.ones(2)
    student = {"dz": [one, two], "dh": [two, one]}
    assert own_names({"da": [one], "db": [one]}, student, []) == {"da": "dz", "db": "dh"}
    assert own_names({"da": [one]}, student, ["dz"]) == {"da": "dh"}
    assert own_names({"dh_next": [one]}, {"dh": [one]}, ["dh"]) == {"dh_next": "dh"}
    assert own_names({"da": [3 * one]}, student, []) == {}
    assert had([one, two], [two]) and not had([one], [np.ones(3)])


def test_meanings_name_what_is_not_known():
    code = exercise("last").trials.broken.code
    found = meanings(code, {"h"})
    assert found["dh"] == "dh is ∂L/∂h" and "dU" not in found and "dW" not in found
    assert found["da"] == "da is ∂L/∂a, where a = X[t - 1] @ W.T + h[t - 1] @ U.T"
    assert found["dh_next"] == "dh_next is the part of dh that comes from step t + 1"


KEEP = ("        dz = dh * (1 - h[t] ** 2)\n", "        dz = dzs[t] = dh * (1 - h[t] ** 2)\n")
START = ("    dh = 2 * h[-1]\n", "    dh, dzs = 2 * h[-1], {}\n")
RETURN = ('{"W": dW, "U": dU}', '{"W": dW, "U": dU, "dz": dzs}')


def test_adjoints_are_known_by_their_values_under_any_name():
    report = report_on("last", START, KEEP, RETURN)
    assert report.right and report.adjoints == ("Right at every step: dz.",)
    report = report_on("last", START, KEEP, RETURN, ("dh = dz @ U", "dh = dz @ U.T"))
    assert report.adjoints == ("dz is right at t = 5, and wrong from t = 4 on.",)
    assert not report.remarks


def test_they_name_the_variables_of_a_function_whose_code_is_not_here():
    class Elsewhere:
        def __call__(self, X, W, U):
            return student(X, W, U)

    edits = START, KEEP, RETURN, ("dz.T @ h[t - 1]", "dz.T @ h[t]")
    student = function(written("last", *edits))
    assert lines(exercise("last")(Elsewhere()))[-3:-1] == [
        "dU += dz.T @ h[t - 1]",
        "dU += dz.T @ h[t]",
    ]


def test_what_is_no_adjoint_is_not_looked_at():
    wrong = ("dz = dzs[t] = ", "dz = dh * (1 - h[t] ** 2); dzs[t] = 3.0; _ = ")
    report = report_on("last", START, (KEEP[0], KEEP[1].replace(*wrong)), RETURN)
    assert "Not asked for, and not looked at: dz." in report.remarks
