"""A chain of 100,000 steps: forward, backward and free, in a process of its own.

Run as a program it does the work and prints its measurements as JSON.
"""

import json
import resource
import subprocess
import sys
from statistics import median
from time import perf_counter

import numpy as np

from microgrrepresent import Tensor, tanh
from tests.benchmarks.contest import formatted, verdict

SHORT, LONG, ROUNDS = 10_000, 100_000, 5


def seconds(steps):
    """Time of forward, backward and the freeing of the graph."""
    rng = np.random.default_rng(0)
    W = Tensor(rng.normal(0, 0.3, (8, 8)), requires_grad=True)
    b = Tensor(np.zeros(8), requires_grad=True)
    h = Tensor(rng.normal(size=(4, 8)))
    start = perf_counter()
    for _ in range(steps):
        h = tanh(h @ W + b)
    h.sum().backward()
    del h
    return perf_counter() - start


def peak_megabytes():
    """The most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)  # bytes there, KiB here


def table():
    command = [sys.executable, "-m", "tests.benchmarks.long_chain"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    peak, growth = found["peak"], found["growth"]
    return formatted(
        f"long_chain: {LONG:,} steps of h = tanh(h @ W + b), forward, backward and free",
        ["", "measured", "bar", ""],
        [
            ["peak memory of the process", f"{peak:.0f} MB", "under 300 MB", verdict(peak < 300)],
            [
                f"time, {LONG:,} steps against {SHORT:,}",
                f"{growth:.1f}x",
                "within 12x",
                verdict(growth <= 12),
            ],
        ],
    )


if __name__ == "__main__":
    growth = median(seconds(LONG) / seconds(SHORT) for _ in range(ROUNDS))
    print(json.dumps({"peak": peak_megabytes(), "growth": growth}))
