"""How often the marker is right, on mistakes that it knows nothing of.

    python -m tests.microgrrepresent.programs.rates [EVERY]

Each backward pass of `students` is broken in hundreds of ways by editing its syntax tree (`edits`).
What is true is found without the marker: gradients are wrong if they are not those of the
unbroken function, and the right line is one of those that a table here has for the student's line.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

import numpy as np

from microgrrepresent.programs import Marker, Report, program
from tests.microgrrepresent.programs.edits import broken, rewritten
from tests.microgrrepresent.programs.students import SOLUTIONS, task

READOUT = ("V", "b_y")
"""Their gradients come first; all others are sums over the steps of one loop."""

LINES = {
    "rnn": {
        "dscores ds s": "dy_",
        "dV": "dW",
        "db_y": "db_2",
        "dh": "dh dH dh_next",
        "draw da": "da",
        "dW_ih": "dW_ih",
        "dW_hh": "dW_hh",
        "dW": "dW_ih dW_hh",
        "db b_ih b_hh b": "db_1 db_ih db_hh",
        "dh_next dhn dz": "dh_next dh",
    },
    "gru": {
        "dscores ds s": "dy_",
        "dV": "dW",
        "db_y": "db",
        "dh": "dh dH dh_next",
        "dn": "dn",
        "dan an": "dn da_n",
        "dz": "dz",
        "daz az": "dz da_z",
        "dr": "dr",
        "dar ar": "dr da_r",
        "dih dgx": "du_1",
        "dhh dgh": "du_2",
        "a": "du_1 du_2",
        "dW_ih dWr dWz dWn": "dW_ih",
        "dW_hh dUr dUz dUn": "dW_hh",
        "db_ih b_ih dbn": "db_ih",
        "db_hh b_hh dcn": "db_hh",
        "dbr dbz": "db_ih db_hh",
        "dh_next dhn dv": "dh_next dh",
        "(unpacked)": "dn dz da_n da_z da_r du_2 dh_next",
    },
    "lstm": {
        "dscores ds dy": "dy_",
        "dV": "dW",
        "db_y": "db_2",
        "dh": "dh dH dh_next",
        "tc": "do dc",
        "do": "do",
        "dc": "dc dc_next",
        "di": "di",
        "df": "df",
        "dg": "dg",
        "dao": "do da_o",
        "dai": "di da_i",
        "daf": "df da_f",
        "dag": "dg da_g",
        "da": "da da_i da_f da_g da_o di df dg do",
        "dW_ih": "dW_ih",
        "dW_hh": "dW_hh",
        "dW": "dW_ih dW_hh",
        "db": "db_1 db_ih db_hh",
        "dh_next dhn dz": "dh_next dh",
        "dc_next dcn": "dc_next dc",
    },
}
"""For the variable that a student's line computes, those of the printed lines that do the same."""


@dataclass
class Rates:
    """Counts of what was found, and what was not.

    Attributes
    ----------
    counts : Counter
        ``broken``: mistakes that change a gradient; ``equal``: edits that do not; and of the broken
        ones those that were found, and so on.
    missed : list of (str, str, str, Report)
        The solution, the line before and after, and the report, where the right line was not named.
    """

    counts: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[str, str, str, Report]] = field(default_factory=list)

    def add(self, name: str, before: str, source: str) -> None:
        """Mark one broken source."""
        cell = name.partition(",")[0]
        report = marker(cell)(function(source))
        if report.error:
            self.counts["raises"] += 1
            return
        wrong = really_wrong(name, source)
        if not wrong:
            self.counts["equal"] += 1
            self.counts["false alarms"] += not report.right
            return
        self.counts["broken"] += 1
        self.counts["found"] += not report.right
        self.counts["all"] += set(report.wrong) == wrong
        first = wrong & set(READOUT) or wrong
        self.counts["first"] += report.first_wrong in first
        self.counts["named"] += bool(report.mistakes)
        right = lines_of(cell, before)
        named = [
            {_target(line) for m in way for line in m.right.splitlines()} for way in report.ways
        ]
        self.counts["line"] += any(right & targets for targets in named)
        self.counts["shown"] += any(right & targets for targets in named[:3])
        if not any(right & targets for targets in named):
            self.missed.append((name, before, _changed(name, source), report))

    def __str__(self) -> str:
        c = self.counts
        share = {k: f"{c[k]:5} of {c['broken']} ({c[k] / max(1, c['broken']):.1%})" for k in c}
        return "\n".join(
            [
                f"{c['broken']} mistakes, {c['raises']} more that raise, and {c['equal']} edits "
                "that change no gradient",
                f"found wrong                    {share['found']}",
                f"exactly the wrong gradients    {share['all']}",
                f"the first wrong gradient       {share['first']}",
                f"a reason is given              {share['named']}",
                f"the reason has the right line  {share['line']}",
                f"among the three that are shown {share['shown']}",
                f"false alarms                   {c['false alarms']:5} of {c['equal']}",
            ]
        )


@cache
def marker(cell: str, dtype: type = np.float64) -> Marker:
    """The marker of a cell, whose trials are run once."""
    f, wrt, data = task(cell, dtype)
    return Marker(program(f, wrt, **data), data)


def function(source: str):
    """A student's function from its source."""
    names = {"np": np}
    exec(source, names)
    return names["student"]


def really_wrong(name: str, source: str) -> set[str]:
    """The parameters whose gradients are not those of the unbroken function."""
    right, given = (_gradients(name, text) for text in (SOLUTIONS[name], source))
    found = set()
    for key, value in right.items():
        if np.shape(given[key]) != value.shape:
            found |= _parameters(key)
        elif key == "W":  # [h, x]
            for part, columns in (("W_hh", slice(0, 4)), ("W_ih", slice(4, None))):
                found |= {part} if _differ(given[key][:, columns], value[:, columns]) else set()
        elif _differ(given[key], value):
            found |= _parameters(key)
    return found


def _changed(name: str, source: str) -> str:
    """The lines that are not in the unbroken source."""
    known = set(ast.unparse(ast.parse(SOLUTIONS[name])).splitlines())
    return " / ".join(line.strip() for line in source.splitlines() if line not in known)


def _differ(a, b) -> bool:
    return not np.linalg.norm(a - b) <= 1e-6 * np.linalg.norm(b)


def _parameters(key: str) -> set[str]:
    key = key if key in ("b_y", "b_ih", "b_hh", "b") else key.removeprefix("d")
    return {"W": {"W_hh", "W_ih"}, "b": {"b_ih", "b_hh"}}.get(key, {key})


def _gradients(name: str, source: str):
    found = marker(name.partition(",")[0])
    arrays = dict(found.trials.arrays)
    arrays |= {n: arrays[letter] for n, letter in found.letters.items()}
    student = function(source)
    asked = student.__code__.co_varnames[: student.__code__.co_argcount]
    return student(*(np.array(arrays[n]) for n in asked))[1]


def lines_of(cell: str, before: str) -> set[str]:
    """The variables of the printed lines that do what a student's line does."""
    if before.startswith("for "):
        return {"for"}
    variable = _target(before)
    for names, targets in LINES[cell].items():
        if variable in names.split():
            return set(targets.split())
    raise KeyError(variable)


def _target(line: str) -> str:
    """``dW`` of ``dW[:H] += ...``; ``W_ih`` of ``grads["W_ih"] += ...``; ``for`` of a loop."""
    if line.startswith("for "):
        return "for"
    statement = ast.parse(line).body[0]
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    if isinstance(target, ast.Subscript):
        if isinstance(target.slice, ast.Constant):
            key = target.slice.value
            return f"d{key}" if key in ("V", "b_y", "W_ih", "W_hh") else key
        target = target.value
    return "(unpacked)" if isinstance(target, ast.Tuple) else target.id


def measured(names=tuple(SOLUTIONS), every: int = 1) -> Rates:
    """The rates on every so-manieth way to break some of the solutions."""
    rates = Rates()
    for name in names:
        for _, before, source in islice(broken(SOLUTIONS[name]), 0, None, every):
            rates.add(name, before, source)
        for source in [SOLUTIONS[name], *rewritten(SOLUTIONS[name])][::every]:
            rates.add(name, "", source)
    return rates


if __name__ == "__main__":
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print(measured(every=every))
