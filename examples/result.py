"""What an example gives back, and how it is run from the command line.

    python examples/adding.py                   the full settings; picture into examples/pictures
    python examples/adding.py --quick           small settings, some seconds
    python examples/adding.py --out DIR --seed 3

Every example has a function `main(quick, seed, out)` that returns a list of `Result`: a number, the
bar it is held against, and a picture. Whether it passed follows from the two numbers.
"""

from __future__ import annotations

import math
import operator
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PICTURES = Path(__file__).parent / "pictures"
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}


@dataclass(frozen=True)
class Result:
    """One line of the table: what was measured, and the bar it is held against.

    Attributes
    ----------
    system : str
        The system and its setting: ``adding T=100, LSTM``.
    metric : str
        What the value is: ``test MSE``.
    value, comparison, threshold
        Passed if ``value comparison threshold``; the comparison is one of < <= > >= =.
    picture : Path or None
        The file that shows it.
    """

    system: str
    metric: str
    value: float
    comparison: str
    threshold: float
    picture: Path | None = None

    @property
    def passed(self) -> bool:
        """Whether the value stands on the right side of the threshold; never true for NaN."""
        return not math.isnan(self.value) and _COMPARISONS[self.comparison](
            self.value, self.threshold
        )

    def cells(self) -> list[str]:
        """The line of the table, as texts."""
        bar = f"{self.comparison} {self.threshold:.4g}"
        return [self.system, self.metric, f"{self.value:.4g}", bar, "yes" if self.passed else "NO"]


def seeds_of(n: int) -> str:
    """``1 seed``, ``3 seeds``: over how many runs a value was taken."""
    return f"{n} seed{'s' if n > 1 else ''}"


Main = Callable[[bool, int, Path], list[Result]]


def run(main: Main, arguments: Sequence[str] | None = None) -> None:
    """Run an example as a command: read --quick, --seed N and --out DIR, print its results.

    Ends the process with status 1 if a result misses its bar, and 2 for a wrong argument.
    """
    quick, seed, out = options(sys.argv[1:] if arguments is None else arguments)
    began = time.perf_counter()
    results = main(quick, seed, out)
    for result in results:
        print("  ".join(result.cells()))
    for picture in sorted({str(r.picture) for r in results if r.picture}):
        print(picture)
    print(f"{time.perf_counter() - began:.1f} s")
    sys.exit(0 if all(result.passed for result in results) else 1)


def options(arguments: Sequence[str]) -> tuple[bool, int, Path]:
    """Read the three options that every example takes, and make the folder for its pictures."""
    quick, seed, out = False, 0, None
    rest = iter(arguments)
    for argument in rest:
        if argument == "--quick":
            quick = True
        elif argument == "--seed" and (given := next(rest, "")).isdigit():
            seed = int(given)
        elif argument == "--out" and (given := next(rest, "")):
            out = Path(given)
        else:
            print(f"{argument}: the options are --quick, --seed N and --out DIR", file=sys.stderr)
            sys.exit(2)
    out = out or (PICTURES / "quick" if quick else PICTURES)
    out.mkdir(parents=True, exist_ok=True)
    return quick, seed, out
