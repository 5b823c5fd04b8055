"""The benchmarks, each a table of ratios within one run.

    python -m tests.benchmarks              all of them, about twenty minutes
    python -m tests.benchmarks chain        one of them

A time says more about the machine than about the program, so what is measured are ratios: the
contestants take turns, round after round, and each round gives a ratio. The tables show the median
of these ratios and, in brackets, the smallest and the largest. A peer that is not installed is
named and left out; ``pip install -e ".[bench]"`` brings them.
"""

import argparse
import importlib
import os

# One thread for everybody, which the libraries read when they are first imported.
for library in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

BENCHMARKS = {
    "training_step": "a training step of RNN, GRU and LSTM, against the limit and the field",
    "chain": "a step of h = tanh(h @ W + b), against NumPy by hand, autograd and PyTorch",
    "lstm_layer": "an LSTM layer, against the same cell in autograd and PyTorch",
    "long_chain": "100,000 steps: memory, and time linear in the steps",
    "program_memory": "an LSTM over 10,000 steps: the memory of a program, a graph, and PyTorch",
    "freed": "graphs are freed without the garbage collector",
    "imports": "import microgrrepresent, against import numpy",
}


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Run the benchmarks and print their tables.",
        epilog="\n".join(f"{name:14} {about}" for name, about in BENCHMARKS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="name", help="which ones (default: all)")
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    for name in names:
        print(importlib.import_module(f"tests.benchmarks.{name}").table(), flush=True)
        print()


main()
