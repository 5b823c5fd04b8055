"""Contestants in processes of their own, held against each other before they are timed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.benchmarks.training_step.problem import NAMES
from tests.benchmarks.training_step.worker import CONTESTANTS

LIMIT = "NumPy by hand"
SECONDS_A_TURN = 0.05
"""So long a contestant runs before the next one has its turn."""


class Unequal(AssertionError):
    """A contestant's loss or gradients are not those of the others."""


@dataclass
class Contestant:
    """A process that waits for orders."""

    name: str
    process: subprocess.Popen
    missing: str = ""
    kernel: str = ""
    first: float = 0.0
    times: list[float] = field(default_factory=list)
    interrupted: list[float] = field(default_factory=list)

    def ask(self, order):
        """Give an order and wait for its answer."""
        print(order, file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self):
        """The next answer."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended:\n{self.process.stderr.read()}")
        return json.loads(line)


def started(name, cell, size):
    """A contestant in a process: one BLAS thread, and the kernels that suit this CPU best."""
    environment = dict(os.environ)
    for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        environment.pop(variable, None)
    for library in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM", "NUMBA"):
        environment[f"{library}_NUM_THREADS"] = "1"
    environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    command = [sys.executable, "-m", "tests.benchmarks.training_step.worker", name, cell, size]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment
    )
    contestant = Contestant(name, process)
    answer = contestant.answer()
    contestant.missing = answer.get("missing", "")
    contestant.kernel, contestant.first = answer.get("kernel", ""), answer.get("first", 0.0)
    return contestant


def race(cell, size, rounds, names=tuple(CONTESTANTS), left_out=()):
    """Let contestants solve a problem, then take turns. Gives {name: Contestant}."""
    contestants = [started(name, cell, size) for name in names if name not in left_out]
    try:
        present = [c for c in contestants if not c.missing]
        _check(present)
        turns = {c.name: _steps_a_turn(c) for c in present}
        order = random.Random(0)
        for _ in range(rounds):
            order.shuffle(present)
            for c in present:
                answer = c.ask(f"run {turns[c.name]}")
                c.times += answer["times"]
                c.interrupted += answer["interrupted"]
    finally:
        for c in contestants:
            c.process.kill()
            c.process.wait()
    return {c.name: c for c in contestants}


def _steps_a_turn(contestant):
    answer = contestant.ask("run 3")
    return max(1, min(200, round(SECONDS_A_TURN / min(answer["times"] + answer["interrupted"]))))


def _check(contestants):
    """All losses and gradients are those of the first, to float32's precision."""
    with tempfile.TemporaryDirectory() as folder:
        solved = {}
        for c in contestants:
            path = Path(folder) / f"{len(solved)}.npz"
            c.ask(f"solve {path}")
            with np.load(path) as file:
                solved[c.name] = dict(file)
    first, *_ = solved
    for name, found in solved.items():
        for key in ("loss", *NAMES):
            expected = solved[first][key]
            error = np.linalg.norm(found[key] - expected) / np.linalg.norm(expected)
            if not error < 1e-4:
                raise Unequal(f"{key} of {name} is not that of {first}: off by {error:.1e}")
