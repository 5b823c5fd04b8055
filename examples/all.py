"""Run every example and print one table: system, metric, value, threshold, pass.

    python examples/all.py --quick              every example with small settings
    python examples/all.py                      the full run; its table goes to examples/RESULTS.md
    python examples/all.py adding reber         these two only; their lines are replaced

The full run takes more than an hour on two slow cores, so the table is written after every example,
and a run of some examples leaves the lines of the others as they are. With --out or --seed nothing
is written to it. Without scikit-learn, which is optional, two examples are left out; whatever else
is missing is a failure. The exit status is 0 only if every other example ran and reached its bars.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from pathlib import Path

from result import PICTURES, Result, options

from microgrrepresent.files import write_file

EXAMPLES = (
    "graphs",
    "one_hot",
    "automaton",
    "narx",
    "ctrnn",
    "hopfield",
    "character_model",
    "word_model",
    "homophones",
    "cloze",
    "tang_poems",
    "sentiment",
    "digit_sum",
    "sequential_digits",
    "segmentation",
    "names",
    "early_words",
    "dates",
    "translation",
    "melody",
    "caption",
    "vanishing",
    "exploding",
    "marker",
    "adding",
    "temporal_order",
    "copy_memory",
    "reber",
    "continual_reber",
    "agreement",
    "arithmetic_trees",
    "shortest_paths",
)  # in the order of the notes
ROW = "{:42} {:36} {:>9} {:>9}  {:4}"
OPTIONAL = "sklearn"  # the one package that an example may do without
RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# What the examples reach

Each line comes from the full run of one example, `python examples/NAME.py`, seed 0, where NAME is
its first column; `python examples/all.py` runs all of them and writes this table. A bar that was
missed is a NO here, and the example's docstring says why. The last column is the time that the
whole example took, in seconds, on two slow cores shared with other work.

| example | system | metric | value | threshold | pass | seconds |
|---|---|---|---|---|---|---|
"""


def main(names: list[str], quick: bool, seed: int, out: Path, table: Path | None) -> bool:
    """Run the named examples; return whether all ran and every result reached its bar."""
    ran, left_out, bars = 0, 0, []
    print(ROW.format("system", "metric", "value", "threshold", "pass"))
    for name in names:
        began = time.perf_counter()
        try:
            results: list[Result] = import_module(name).main(quick, seed, out)
        except ModuleNotFoundError as error:
            optional = (error.name or "").partition(".")[0] == OPTIONAL
            left_out += optional
            verdict = "is left out" if optional else "FAILED"
            print(f"{'':42} {name} {verdict}: it needs {error.name}", flush=True)
            continue
        seconds = time.perf_counter() - began
        for result in results:
            print(ROW.format(*result.cells()))
        print(f"{'':42} {name}, {seconds:.0f} s", flush=True)
        ran += 1
        bars += [result.passed for result in results]
        if table is not None:
            record(table, name, results, seconds)
    print(f"{ran} of {len(names)} examples ran, {left_out} left out; ", end="")
    print(f"{sum(bars)} of {len(bars)} bars reached")
    return all(bars) and ran + left_out == len(names)


def record(table: Path, name: str, results: list[Result], seconds: float) -> None:
    """Put an example's lines into the table in place of its old ones."""
    lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else []
    kept: dict[str, list[str]] = {}
    for line in lines:
        first = line.split("|")[1].strip() if line.startswith("| ") else ""
        if first in EXAMPLES:
            kept.setdefault(first, []).append(line)
    kept[name] = [f"| {name} | {' | '.join(r.cells())} | {seconds:.0f} |" for r in results]
    body = "\n".join(line for example in EXAMPLES for line in kept.get(example, []))
    write_file(table, f"{HEAD}{body}\n".encode())


if __name__ == "__main__":
    quick, seed, out, named = options(None, __doc__, EXAMPLES)
    table = RESULTS if out == PICTURES and not quick and not seed else None
    sys.exit(0 if main(named or list(EXAMPLES), quick, seed, out, table) else 1)
