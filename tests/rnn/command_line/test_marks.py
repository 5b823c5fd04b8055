"""``python -m rnn exercise`` and ``mark``: what a student is given, and what comes back."""

import csv
import io
import re
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from microgrrepresent import Tensor
from microgrrepresent.programs import Marker
from rnn.command_line import marks
from rnn.command_line.commands import main
from rnn.command_line.exercises import Exercise
from rnn.command_line.illustration import ILLUSTRATED
from rnn.command_line.loops import tagger


@cache
def exercise(cell, seed=7, blanks=None):
    return Exercise(tagger(cell, states=True), cell, seed, blanks).text("exercise.py")


@cache
def solved(cell, seed=7):
    """An exercise, with the lines of the printed loop put in."""
    right = tagger(cell, states=True).program().source()
    right = right.partition("# back through time\n")[2].rpartition("    return ")[0]
    head, _, rest = exercise(cell, seed).partition("    # back through time\n")
    return f"{head}{right}    return L{rest.partition('    return L')[2]}"


@pytest.fixture
def mark(capsys, monkeypatch):
    """Mark a text as a file; the program and its mistakes are made once for all tests."""
    monkeypatch.setattr(marks, "Marking", lambda limit: Sharing(limit, KNOWN))

    def marked(text, *options):
        Path("exercise.py").write_text(text, "utf-8")
        capsys.readouterr()
        status = main(["mark", "exercise.py", *options])
        return status, capsys.readouterr().out

    return marked


Sharing = marks.Marking
KNOWN: dict = {}


@pytest.mark.parametrize("cell", ILLUSTRATED)
def test_an_exercise_names_the_numbers_that_it_is_marked_with(cell):
    Path("exercise.py").write_text(exercise(cell), "utf-8")
    given = runpy.run_path("exercise.py")["data"]()
    task = tagger(cell, states=True)
    data = task.data(7)
    assert list(given)[: len(data) + len(task.parameters)] == [*task.shapes, "y"]
    for name, array in (data | {n: p.value for n, p in task.parameters.items()}).items():
        np.testing.assert_array_equal(given[name], array)


@pytest.mark.parametrize("cell", [c for c in ILLUSTRATED if c not in ("rnn", "gru", "lstm")])
def test_any_cell_can_be_set_and_marked(cell, mark):
    assert mark(solved(cell))[0] == 0


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_an_exercise_is_marked(cell, mark):
    empty = exercise(cell)
    assert empty.count("# ∂L/∂") > 5
    status, said = mark(solved(cell))
    assert status == 0 and "All gradients are right: " in said
    status, said = mark(empty)
    assert status == 1 and "a value is still to be written, in lines " in said
    numbers = [int(n) for n in re.findall(r"\d+", said)]
    assert all("= ..." in empty.splitlines()[n - 1] for n in numbers)
    assert len(numbers) == empty.count("= ...\n")
    status, said = mark(solved(cell).replace("+ dh_next", ""))
    assert status == 1 and "it should be    dh = dH[t - 1] + dh_next" in said


def test_an_exercise_is_marked_with_the_numbers_of_its_seed(mark):
    task, text = tagger("rnn", states=True), solved("rnn")
    right = task.f(**{name: Tensor(array) for name, array in task.data(7).items()})
    _, said = mark(text.replace("    return L, ", "    return 0.0, "))
    assert f"The loss is 0, and should be {float(right):.6g}" in said


def test_so_many_lines_of_the_loop_are_left_out(capsys):
    assert exercise("gru", blanks=3).count("= ...\n") == 3
    assert exercise("gru", 8, 3) != exercise("gru", 7, 3).replace('"gru", 7', '"gru", 8')
    assert exercise("rnn", blanks=99).count("= ...\n") == 6
    assert "dy_ = (softmax" in exercise("rnn", blanks=99)
    assert "dy_ = ..." in exercise("rnn")
    assert main(["exercise", "--cell", "rnn", "--blanks", "2"]) == 0
    assert "To mark it: python -m rnn mark exercise.py" in capsys.readouterr().out
    text = Path("exercise.py").read_text("utf-8")
    assert text.count("= ...\n") == 2 and "2 lines are missing" in text
    assert max(map(len, text.splitlines())) <= 100
    with pytest.raises(SystemExit):
        main(["exercise", "--blanks", "none"])
    assert "--blanks" in capsys.readouterr().err


def test_an_exercise_is_not_written_where_it_would_hide_a_module(capsys):
    for name in ("rnn.py", "random.py", "numpy.py"):
        assert main(["exercise", "-o", name]) == 2
        assert "choose another name" in capsys.readouterr().err and not Path(name).exists()


BREAKS = {
    "no end": ("# forward", "while True: pass", "still running after 2 seconds"),
    "it leaves": ("# forward", "raise SystemExit(0)", "SystemExit: 0, in line"),
    "it leaves at once": ("# forward", "import os; os._exit(3)", "with exit status 3"),
    "it asks": ("# forward", "input()", "EOFError"),
    "another name": ("dh = dH", "dh = dK", "NameError: name 'dK' is not defined, in line"),
    "shapes": ("da.T @ X[t - 1]", "da @ X[t - 1]", "da is (3, 4), X is (6, 3, 2)"),
    "nothing": ("return L, {", "{", "it returned None: is there a return at its end?"),
    "only gradients": ("return L, {", "return {", "it returned a value of type dict"),
    "a list": ("return L, {", "return L, db, {", "it returned 3 values: float64, ndarray, dict"),
    "an argument": ("(X, h_0", "(X, Z, h_0", "it asks for Z, which is none of X, "),
    "no function": ("def loss_and_gradients", "def f", "no function loss_and_gradients"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_file_may_fail_as_it_likes(name, mark):
    before, after, says = BREAKS[name]
    assert before in solved("rnn")
    limit = ("--limit", "2") if name == "no end" else ()
    status, said = mark(solved("rnn").replace(before, after, 1), *limit)
    assert status == 1 and said.startswith("Not marked: ") and says in said


def test_what_a_file_prints_and_starts_does_not_matter(mark):
    noise = "import subprocess, sys; print('x' * 10**6, file=sys.stderr); print('x' * 10**6)"
    started = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])"
    assert mark(solved("rnn").replace("# forward", f"{noise}; {started}"))[0] == 0


def test_what_is_no_array_is_said_to_be_none(mark):
    text = solved("rnn").replace('"V": dV', '"V": None, "dh": {1: da}')
    status, said = mark(text.replace('"b_y": db_y', '"b_y": [[1.0], [2.0, 3.0]]'))
    assert status == 1 and "V is no array of real numbers, but NoneType" in said
    assert "b_y is no array of real numbers, but list" in said
    status, said = mark(solved("rnn").replace("return L, {", "return 'L', {"))
    assert status == 1 and "The loss must be a number, and is str." in said


def test_adjoints_come_through(mark):
    text = solved("rnn").replace("dh_next = np.zeros_like(h[T])", "dh_next = 0 * h[T]; dhs = {}")
    text = text.replace("+ dh_next", "").replace(
        "        da = dh", "        dhs[t] = dh\n        da = dh"
    )
    status, said = mark(text.replace('"V": dV', '"V": dV, "dh": dhs'))
    assert status == 1 and "dh is right at t = 6, and wrong from t = 5 on." in said


def test_a_class_is_marked_each_with_a_seed(mark, capsys):
    Path("class").mkdir()
    for seed, text in {
        1: solved("rnn", 1),
        2: solved("rnn", 2).replace("+ dh_next", ""),
        3: solved("gru", 3),
        4: "x = = 1",
    }.items():
        Path("class", f"student_{seed}.py").write_text(text, "utf-8")
    assert main(["mark", "class", "--csv"]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["file"] for row in rows] == [f"student_{n}.py" for n in (1, 2, 3, 4)]
    assert [row["right"] for row in rows] == ["yes", "no", "yes", "no"]
    assert [row["seed"] for row in rows] == ["1", "2", "3", ""]
    assert rows[1]["why"].startswith("the term dh_next, which comes from step t + 1")
    assert rows[1]["wrong"] == "b_ih b_hh W_hh W_ih" and rows[1]["correct"] == "V b_y"
    assert "invalid syntax, line 1: x = = 1" in rows[3]["error"]
    assert main(["mark", "class"]) == 1
    assert capsys.readouterr().out.count("class/student_") == 5
    Path("none").mkdir()
    assert main(["mark", "none"]) == 2 and "no file that ends in .py" in capsys.readouterr().err


def test_the_numbers_of_another_seed_are_other_numbers(mark):
    mark(solved("rnn"))
    task, marker = KNOWN["rnn"]
    one, other = (marker.on(**task.data(seed)).trials for seed in (1, 2))
    assert isinstance(marker, Marker) and one.broken is other.broken
    assert not np.allclose(one.arrays["W_hh"], other.arrays["W_hh"])


@pytest.mark.parametrize("content", ["import numpy as np\n", "def (\n", 'CELL, SEED = "x", 1\n'])
def test_another_file_is_refused_in_one_line(content, capsys):
    Path("other.py").write_text(content, "utf-8")
    assert main(["mark", "other.py"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "other.py is no " in error
    assert main(["mark", "absent.py"]) == 2


def test_a_line_that_changes_another_variable_in_place_is_named(mark):
    Path("mine.py").write_text("", "utf-8")  # what stands beside the file is found again
    text = "import mine\n" + solved("lstm")
    wrong = text.replace("do = dh * np.tanh(c[t])", "do = dh; do *= np.tanh(c[t])")
    assert wrong != text
    status, said = mark(wrong)
    assert status == 1 and said.startswith(
        "The loss is right, but `do *= np.tanh(c[t])` changes dh in place. "
        "After `do = dh`, do is dh itself, and no copy of it.\n"
    )
