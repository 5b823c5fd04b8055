"""The time of an import, each in a fresh process, beside that of NumPy, which it contains."""

import os
import subprocess
import sys
import tempfile
from statistics import median

from tests.benchmarks.contest import Ratio, formatted, verdict

ROUNDS = 25
PROGRAM = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def seconds(module, environment):
    command = [sys.executable, "-c", PROGRAM.format(module)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout)


def table():
    modules = ("numpy", "microgrrepresent", "rnn")
    with tempfile.TemporaryDirectory() as cache:
        # Compiled modules are kept, as after an installation, also where the sources are read-only.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for module in modules:
            seconds(module, environment)
        rounds = [[seconds(module, environment) for module in modules] for _ in range(ROUNDS)]
    numpy, *others = zip(*rounds, strict=True)
    rows = [["import numpy", f"{median(numpy) * 1e3:.0f}", "", "", ""]]
    for module, times in zip(modules[1:], others, strict=True):
        ratio = Ratio(times, numpy)
        bar = module == "microgrrepresent"
        rows.append(
            [
                f"import {module}",
                f"{median(times) * 1e3:.0f}",
                str(ratio),
                "under 1.5x" if bar else "",
                verdict(ratio.median < 1.5) if bar else "",
            ]
        )
    return formatted(
        f"imports: each in a fresh process, {ROUNDS} rounds",
        ["", "ms", "against numpy", "bar", ""],
        rows,
    )
