"""Graphs hold no reference cycles: dropping the output frees them without the garbage collector."""

import gc

import numpy as np

from microgrrepresent import Tensor, tanh
from tests.benchmarks.contest import formatted, verdict

GRAPHS, STEPS = 1_000, 10


def alive():
    return sum(type(x) is Tensor for x in gc.get_objects())


def table():
    W = Tensor(np.eye(8), requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        before = alive()
        for _ in range(GRAPHS):
            h = Tensor(np.ones((4, 8)))
            for _ in range(STEPS):
                h = tanh(h @ W)
            h.sum().backward()
        held = alive() - before  # the last graph is still there: proof that the count counts
        del h
        left = alive() - before
    finally:
        gc.enable()
    return formatted(
        f"freed: {GRAPHS:,} graphs of {STEPS} steps, differentiated and dropped, collector off",
        ["", "measured", "bar", ""],
        [
            ["Tensors, the last graph held", str(held), "", ""],
            ["Tensors, the last graph dropped", str(left), "0", verdict(left == 0 < held)],
        ],
    )
