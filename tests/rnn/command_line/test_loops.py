"""``python -m rnn code``: the printed loop."""

import runpy

import numpy as np
import pytest

import microgrrepresent as mg
from rnn.command_line.commands import main
from rnn.command_line.illustration import ILLUSTRATED
from rnn.command_line.loops import tagger


@pytest.mark.parametrize("cell", ILLUSTRATED)
def test_the_printed_file_gives_the_gradients_of_the_ordinary_run(cell, capsys):
    assert main(["code", "--cell", cell, "--steps", "any", "-o", "bptt.py"]) == 0
    assert capsys.readouterr().out == "Written: bptt.py\n"
    task = tagger(cell, states=False)
    leaves = task.program().code.leaves  # a cell's constants, too
    data = task.data(3)
    values = {letter: node.value for letter, node in leaves.items()}
    loss, gradients = runpy.run_path("bptt.py")["loss_and_gradients"](**data, **values)
    right = task.f(**{key: mg.Tensor(value) for key, value in data.items()})
    assert loss == pytest.approx(right.item(), rel=1e-12)
    for found, expected in zip(gradients, mg.grad(right, task.parameters.values()), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def test_the_loop_is_printed_in_two_styles(capsys):
    assert main(["code", "--cell", "rnn"]) == 0
    read = capsys.readouterr().out
    assert main(["code", "--cell", "rnn", "--style", "fast"]) == 0
    fast = capsys.readouterr().out
    assert "dW_hh += da.T @ h[t - 1]" in read and "def prepare(" in fast
