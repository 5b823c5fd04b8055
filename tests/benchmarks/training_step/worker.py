"""A contestant in a process of its own: it waits for orders and answers with numbers.

    python -m tests.benchmarks.training_step.worker CONTESTANT CELL SIZE

Orders come a line each: ``solve PATH`` saves the loss and the gradients, ``run N`` runs N training
steps and answers with their times; each answer is a line of JSON. Times are those of the processor.
A step during which the system took it away from this process is told apart: it comes back to cold
caches. On a busy machine all long steps are such.
"""

from __future__ import annotations

import gc
import importlib
import json
import resource
import sys
import time

import numpy as np

from tests.benchmarks.training_step.problem import SIZES, problem

CONTESTANTS = {
    "NumPy by hand": ("numpy_by_hand", "contestant"),
    "numba by hand": ("numba_by_hand", "contestant"),
    "jax jit scan": ("peers", "jax_scan"),
    "torch fused": ("peers", "torch_fused"),
    "torch composed": ("peers", "torch_composed"),
    "autograd": ("peers", "hips_autograd"),
    "ours composed": ("ours", "composed"),
    "ours layer": ("ours", "layer"),
    "ours program": ("ours", "printed"),
    "ours program numba": ("ours", "compiled"),
}


def contestant(name, cell, size):
    """The function that runs a training step."""
    module, function = CONTESTANTS[name]
    module = importlib.import_module(f"tests.benchmarks.training_step.{module}")
    return getattr(module, function)(problem(cell, SIZES[size]))


def kernel():
    """The kernels that NumPy's BLAS runs here."""
    import threadpoolctl

    return ", ".join(
        f"{library['internal_api']} {library.get('architecture', '')}".strip()
        for library in threadpoolctl.threadpool_info()
        if library["user_api"] == "blas" and "numpy" in library["filepath"]
    )


def _lost():
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def timed(run, n):
    """Seconds of n steps: of those that kept the core, and of those that lost it."""
    kept, interrupted = [], []
    for _ in range(n):
        lost, start = _lost(), time.process_time()
        run()
        elapsed = time.process_time() - start
        (kept if _lost() == lost else interrupted).append(elapsed)
    return {"times": kept, "interrupted": interrupted}


def main(name, cell, size):
    """Answer orders until there are no more."""
    try:
        run = contestant(name, cell, size)
    except ImportError as error:
        print(json.dumps({"missing": error.name}), flush=True)
        return
    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    run()
    gc.collect()
    gc.freeze()
    print(json.dumps({"first": first, "kernel": kernel()}), flush=True)
    for line in sys.stdin:
        order, argument = line.split(maxsplit=1)
        if order == "solve":
            loss, gradients = run()
            arrays = {key: np.asarray(value) for key, value in gradients.items()}
            np.savez(argument.strip(), loss=float(loss), **arrays)
            print(json.dumps({"saved": True}), flush=True)
        else:
            print(json.dumps(timed(run, int(argument))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
