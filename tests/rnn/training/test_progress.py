"""Progress: a bar in a terminal, plain lines where every state of a bar would be kept."""

import io
import os
import pty
import re
import select
import subprocess
import sys
import termios

import numpy as np
import pytest

from rnn import Adam, Linear, Report, Validation, fit, mse_loss

TRAINING = """
import numpy as np
from rnn import *
rng = np.random.default_rng(0)
model = Linear(1, 1, rng=rng)
batches = lambda rng: ([np.ones((1, 1))] * 5)
fit(model, batches, lambda x: mse_loss(model(x), x), Adam(model.parameters()), rng, epochs=4,
    validation=Validation(lambda: 0.125), report=Report(show={"perplexity": perplexity}))
"""


def trained(batches, monkeypatch, **settings):
    """What a training writes to standard error, where that is no terminal."""
    rng = np.random.default_rng(0)
    model = Linear(1, 1, rng=rng)
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    fit(
        model,
        batches,
        lambda x: mse_loss(model(x), x),
        Adam(model.parameters()),
        rng,
        report=Report(),
        **settings,
    )
    return written.getvalue().splitlines()


def test_there_are_a_dozen_lines_whatever_the_number_of_steps(monkeypatch):
    lines = trained([np.ones((1, 1))], monkeypatch, steps=200)
    steps = [int(line.partition("/")[0]) for line in lines]
    assert steps == [1, *range(20, 201, 20)]
    assert all(re.fullmatch(r"\d+/200 steps, 00:0\d left, loss \S+", line) for line in lines)


def test_a_training_of_few_steps_has_a_line_for_each(monkeypatch):
    assert len(trained([np.ones((1, 1))], monkeypatch, steps=3)) == 3


@pytest.mark.parametrize("bounds", [{"steps": 7, "epochs": 4}, {"steps": 100, "epochs": 1}])
def test_the_end_is_the_earlier_of_two(monkeypatch, bounds):
    lines = trained([np.ones((1, 1))] * 5, monkeypatch, **bounds)
    steps = min(bounds["steps"], 5 * bounds["epochs"])
    assert lines[0].startswith(f"1/{steps} steps") and lines[-1].startswith(f"{steps}/{steps} ")


def test_the_last_validation_is_said(monkeypatch):
    lines = trained(
        [np.ones((1, 1))], monkeypatch, steps=4, every=2, validation=Validation(lambda: 0.125)
    )
    assert ["validation 0.125" in line for line in lines] == [False, True, True, True]


def test_batches_that_are_made_have_an_end_after_the_first_epoch(monkeypatch):
    lines = trained(lambda rng: iter([np.ones((1, 1))] * 8), monkeypatch, epochs=3)
    assert [line.split(",")[0] for line in lines[:4]] == [
        "1 step",
        *(f"{n} steps" for n in (2, 4, 8)),
    ]
    assert lines[-1].startswith("24/24 steps, 00:00 left")


@pytest.mark.parametrize("rows, columns", [(24, 80), (24, 120), (0, 80), (0, 0)])
def test_in_a_terminal_there_is_a_bar_with_loss_validation_and_time_left(rows, columns):
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (rows, columns))
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINING],
        stderr=follower,
    )
    os.close(follower)
    written = b""
    while select.select([leader], [], [], 60)[0]:
        try:
            part = os.read(leader, 4096)
        except OSError:  # the process has closed its end
            break
        written += part
    assert process.wait() == 0 and b"\x1b" not in written  # no color that NO_COLOR would turn off
    last = next(line for line in reversed(written.decode().split("\r")) if "20/20" in line).strip()
    assert re.fullmatch(
        r"100%\|█{6,}\| 20/20, 00:00 left, loss \S+, perplexity \S+, validation 0.125", last
    )
    assert len(last) <= (columns or 80)
