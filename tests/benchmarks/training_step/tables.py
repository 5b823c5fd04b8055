"""The race as a table, as JSON and as a plot."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

from tests.benchmarks.contest import formatted
from tests.benchmarks.training_step.problem import CELLS, SIZES
from tests.benchmarks.training_step.race import LIMIT, race
from tests.benchmarks.training_step.worker import CONTESTANTS

ROUNDS = 15
SLOW = {"long": ("autograd",)}
"""Who takes minutes for a round, and is left out where it does."""


def measure(sizes=tuple(SIZES), cells=CELLS, rounds=ROUNDS, contestants=tuple(CONTESTANTS)):
    """All races: a record for each size, cell and contestant."""
    records = []
    for size in sizes:
        for cell in cells:
            found = race(cell, size, rounds, contestants, SLOW.get(size, ()))
            limit = median(found[LIMIT].times or found[LIMIT].interrupted)
            for name, c in found.items():
                times = c.times or c.interrupted
                records.append(
                    {
                        "size": size,
                        "cell": cell,
                        "contestant": name,
                        "missing": c.missing,
                        "kernel": c.kernel,
                        "first_call_s": c.first,
                        "steps_timed": len(times),
                        "interrupted": not c.times,
                        "median_ms": median(times) * 1e3 if times else None,
                        "times_the_limit": median(times) / limit if times else None,
                    }
                )
    return records


def as_text(records):
    """Multiples of the limit's time: a row a contestant, rnn / gru / lstm in each column."""
    sizes = list(dict.fromkeys(r["size"] for r in records))
    cells = list(dict.fromkeys(r["cell"] for r in records))
    names = list(dict.fromkeys(r["contestant"] for r in records))
    by_key = {(r["size"], r["cell"], r["contestant"]): r for r in records}

    def shown(name, size, cell):
        record = by_key.get((size, cell, name))
        if record is None:
            return "-"
        if record["times_the_limit"] is None:
            return "?"
        about = "~" if record["interrupted"] else ""
        if name == LIMIT:
            return f"{about}{record['median_ms']:.3g} ms"
        return f"{about}{record['times_the_limit']:.2f}"

    rows = [
        [name, *(" / ".join(shown(name, size, cell) for cell in cells) for size in sizes)]
        for name in names
    ]
    missing = {r["contestant"]: r["missing"] for r in records if r["missing"]}
    kernels = ", ".join(sorted({r["kernel"] for r in records if r["kernel"]}))
    lines = [
        formatted(
            f"training_step: {' / '.join(cells)}, as multiples of {LIMIT}; float32, one BLAS "
            f"thread, {kernels}",
            ["", *sizes],
            rows,
        ),
        *(f"{size}: {SIZES[size]}" for size in sizes),
        *(f"{name}: {package} is not installed" for name, package in missing.items()),
        *(["~: every step was interrupted by other programs"] if "~" in str(rows) else []),
    ]
    return "\n".join(lines)


def plot(records, path):
    """A dot for each contestant on a log axis, a panel for each size and cell."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    sizes = list(dict.fromkeys(r["size"] for r in records))
    cells = list(dict.fromkeys(r["cell"] for r in records))
    names = list(dict.fromkeys(r["contestant"] for r in records))[::-1]
    figure, panels = plt.subplots(
        len(sizes), len(cells), figsize=(11, 2.4 * len(sizes)), sharex=True, sharey=True
    )
    for panel, (size, cell) in zip(
        panels.ravel() if len(sizes) * len(cells) > 1 else [panels],
        [(size, cell) for size in sizes for cell in cells],
        strict=True,
    ):
        for r in records:
            if (r["size"], r["cell"]) == (size, cell) and r["times_the_limit"]:
                ours = r["contestant"].startswith("ours")
                panel.plot(
                    r["times_the_limit"],
                    names.index(r["contestant"]),
                    "o",
                    color="C1" if ours else "C0",
                )
        panel.axvline(1, color="0.7", lw=0.8)
        panel.set(xscale="log", title=f"{cell}, {size}", yticks=range(len(names)))
        panel.set_yticklabels(names, fontsize=8)
    figure.supxlabel(f"time, as a multiple of {LIMIT}")
    figure.tight_layout()
    figure.savefig(path)


def table():
    """All sizes and cells, as text."""
    return as_text(measure())


def main(arguments=None):
    """The command line."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.training_step")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--json", type=Path, help="write the records to this file")
    parser.add_argument("--plot", type=Path, help="write a plot to this file")
    given = parser.parse_args(arguments)
    contestants = list(dict.fromkeys([LIMIT, *given.contestants]))
    records = measure(given.sizes, given.cells, given.rounds, contestants)
    print(as_text(records))
    if given.json:
        given.json.write_text(json.dumps(records, indent=1), "utf-8")
    if given.plot:
        plot(records, given.plot)
