"""``python -m rnn code``, ``exercise`` and ``mark``."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import microgrrepresent as mg
from rnn.command_line.commands import main
from rnn.command_line.illustration import ILLUSTRATED
from rnn.command_line.loops import tagger


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("cell", ILLUSTRATED)
def test_the_printed_file_gives_the_gradients_of_the_ordinary_run(cell, capsys):
    assert main(["code", "--cell", cell, "-o", "bptt.py"]) == 0
    assert capsys.readouterr().out == "Written: bptt.py\n"
    task = tagger(cell, 3, states=False)
    values = {letter: node.value for letter, node in task.program().code.leaves.items()}
    loss, gradients = runpy.run_path("bptt.py")["loss_and_gradients"](**task.data, **values)
    right = task.f(**{key: mg.Tensor(value) for key, value in task.data.items()})
    assert loss == pytest.approx(right.item(), rel=1e-12)
    for found, expected in zip(gradients, mg.grad(right, task.parameters.values()), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def test_the_loop_is_printed_in_two_styles(capsys):
    assert main(["code", "--cell", "rnn"]) == 0
    read = capsys.readouterr().out
    assert main(["code", "--cell", "rnn", "--style", "fast"]) == 0
    fast = capsys.readouterr().out
    assert "dW_hh += da.T @ h[t - 1]" in read and "def prepare(" in fast


def solved(cell):
    """An exercise, with the backward pass of the printed loop put in."""
    assert main(["exercise", "--cell", cell, "--seed", "7", "-o", "exercise.py"]) == 0
    text = Path("exercise.py").read_text("utf-8")
    right = tagger(cell, 7, states=True).program().source()
    right = right.partition("# back through time\n")[2].rpartition("    return ")[0]
    assert "= ..." in text and right.count("\n") > 10
    head, _, rest = text.partition("    # back through time\n")
    return f"{head}{right}    return {rest.rpartition('    return ')[2]}"


def marked(text, capsys, *options):
    Path("exercise.py").write_text(text, "utf-8")
    capsys.readouterr()
    status = main(["mark", "exercise.py", *options])
    return status, capsys.readouterr().out


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_an_exercise_is_marked(cell, capsys):
    text = solved(cell)
    empty = Path("exercise.py").read_text("utf-8")
    assert empty.count("# ∂L/∂") > 5
    status, said = marked(text, capsys)
    assert (status, said.splitlines()[0]) == (0, "The loss is right.")
    status, said = marked(empty, capsys)
    assert status == 1 and said.startswith("The function does not run: ")
    assert said.count("in line") == 1
    status, said = marked(text.replace("+ dh_next", ""), capsys)
    assert status == 1 and "it should be    dh = dH[t - 1] + dh_next" in said


def test_student_code_has_a_time_limit_and_may_fail_as_it_likes(capsys):
    text = solved("rnn")
    forever = text.replace("    # forward", "    while True: pass", 1)
    status, said = marked(forever, capsys, "--limit", "3")
    assert status == 1 and "not done after 3 seconds" in said
    status, said = marked(f"raise SystemExit(0)\n{text}", capsys)
    assert status == 1 and "SystemExit" in said
    status, said = marked(f"{text}\nloss_and_gradients = lambda X: 3\n", capsys)
    assert status == 1 and "must return the loss and a dict of gradients" in said


@pytest.mark.parametrize("content", ["import numpy as np\n", "def (\n", 'CELL, SEED = "x", 1\n'])
def test_another_file_is_refused_in_one_line(content, capsys):
    Path("other.py").write_text(content, "utf-8")
    assert main(["mark", "other.py"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "other.py is no " in error
    assert main(["mark", "absent.py"]) == 2
