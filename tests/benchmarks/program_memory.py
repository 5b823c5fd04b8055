"""The memory of a training step over 10,000 steps: a program keeps arrays, a graph keeps nodes too.

    python -m tests.benchmarks program_memory

An LSTM of 64 units over 16 sequences, in float32, each contestant in a process of its own. What is
counted is by how much the process grows; a program is made of 20 steps, and run over all.
"""

import json
import resource
import subprocess
import sys

from tests.benchmarks.contest import formatted
from tests.benchmarks.training_step import ours, peers
from tests.benchmarks.training_step.problem import Problem, Size, problem

SIZE = Size(10_000, 16, 32, 64, 32)
MADE_OF = 20


def by_program(backend):
    """The program, made of a few steps."""

    def contestant(given):
        short = Problem(
            given.cell, given.size, given.X[:MADE_OF], given.y[:MADE_OF], given.parameters
        )
        step = ours.program_of(short, backend)
        return lambda: step(X=given.X, y=given.y)

    return contestant


CONTESTANTS = {
    "torch composed": peers.torch_composed,
    "ours layer": ours.layer,
    "ours program": by_program("numpy"),
    "ours program numba": by_program("numba"),
}


def peak_mebibytes():
    """The most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, KiB here


def measured(name):
    """By how many MiB a process grows in two steps of a contestant; None if it is not installed."""
    command = [sys.executable, "-m", "tests.benchmarks.program_memory", name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def table():
    rows = []
    for name in CONTESTANTS:
        grown = measured(name)
        rows.append([name, "?" if grown is None else f"{grown:.0f} MiB"])
    return formatted(f"program_memory: a step of an LSTM, {SIZE}, float32", ["", "grows by"], rows)


def main(name):
    given = problem("lstm", SIZE)
    try:
        run = CONTESTANTS[name](given)
    except ImportError:
        print("null")
        return
    before = peak_mebibytes()
    run()
    run()
    print(json.dumps(peak_mebibytes() - before))


if __name__ == "__main__":
    main(sys.argv[1])
