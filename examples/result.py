"""What an example gives back, and how it is run from the command line.

    python examples/adding.py                   the full settings; picture into examples/pictures
    python examples/adding.py --quick           small settings, some seconds
    python examples/adding.py --out DIR --seed 3

Every example has a function `main(quick, seed, out)` that returns a list of `Result`: a number, the
bar it is held against, and a picture. Whether it passed follows from the two numbers.
"""

from __future__ import annotations

import argparse
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
    quick, seed, out, _ = options(arguments, sys.modules[main.__module__].__doc__)
    began = time.perf_counter()
    results = main(quick, seed, out)
    for result in results:
        print("  ".join(result.cells()))
    for picture in sorted({str(r.picture) for r in results if r.picture}):
        print(picture)
    print(f"{time.perf_counter() - began:.1f} s")
    sys.exit(0 if all(result.passed for result in results) else 1)


def options(
    arguments: Sequence[str] | None = None, about: str | None = None, examples: Sequence[str] = ()
) -> tuple[bool, int, Path, list[str]]:
    """Read the three options that every example takes, and make the folder for its pictures.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the command line.
    about : str, optional
        What --help says before the options.
    examples : sequence of str
        The names that may be given beside the options, got names come back in this order.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )

    def name(given: str) -> str:
        if given not in examples:
            raise argparse.ArgumentTypeError(f"no example {given!r}; choose {', '.join(examples)}")
        return given

    if examples:
        parser.add_argument("names", nargs="*", type=name, metavar="NAME", help="only these")
    parser.add_argument("--quick", action="store_true", help="small settings, some seconds")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="another seed than 0")
    parser.add_argument("--out", type=Path, metavar="DIR", help="another folder for the pictures")
    given = parser.parse_args(arguments)
    out: Path = given.out or (PICTURES / "quick" if given.quick else PICTURES)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"argument --out: cannot make the folder {out}: {error.strerror}")
    named = set(given.names) if examples else set()
    return given.quick, given.seed, out, [name for name in examples if name in named]


def _seed(given: str) -> int:
    if not given.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, got {given!r}")
    return int(given)
