"""Progress on standard error: a bar in a terminal, a line now and then anywhere else.

A file, a pipe or a notebook keeps every state of a bar that redraws itself, one behind the other;
there, ten plain lines say the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

_BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}, {remaining} left{postfix}"
_ENDLESS = "{n_fmt} steps in {elapsed}{postfix}"  # nobody knows yet how many there will be

Advance = Callable[[str, int | None], None]
"""``advance(text, total)``: one step is done; what to say of it, and how many there will be."""


@contextmanager
def progress(done: int, total: int | None) -> Iterator[Advance]:
    """Show how far a training has come.

    Parameters
    ----------
    done : int
        The steps that were taken before.
    total : int or None
        How many it will be; None if that is not known yet.
    """
    with (_bar if sys.stderr.isatty() else _lines)(done, total) as advance:
        yield advance


@contextmanager
def _bar(done: int, total: int | None) -> Iterator[Advance]:
    from tqdm import tqdm  # here, because it takes a fifth as long to import as all of rnn

    def form(total: int | None) -> str:
        return _BAR if total else _ENDLESS

    known = all(os.get_terminal_size(sys.stderr.fileno()))
    columns, rows = (None, None) if known else (80, 24)  # 0 rows have no room for tqdm's bar
    with tqdm(
        initial=done,
        total=total,
        bar_format=form(total),
        dynamic_ncols=known,
        ncols=columns,
        nrows=rows,
    ) as bar:

        def advance(text: str, total: int | None) -> None:
            bar.total, bar.bar_format = total, form(total)
            bar.set_postfix_str(text, refresh=False)
            bar.update()

        yield advance


@contextmanager
def _lines(done: int, total: int | None) -> Iterator[Advance]:
    began, first, step = monotonic(), done, done

    def advance(text: str, total: int | None) -> None:
        nonlocal step
        step += 1
        if not _is_due(step, total):
            return
        how_far = "1 step" if step == 1 else f"{step} steps"
        if total:
            each = (monotonic() - began) / (step - first)
            how_far = f"{step}/{total} steps, {_clock(each * (total - step))} left"
        print(f"{how_far}, {text}", file=sys.stderr, flush=True)

    yield advance


def _is_due(step: int, total: int | None) -> bool:
    """Whether a step has a line: the first, each tenth of all; or the 1st, 2nd, 4th, 8th, ..."""
    if total is None:
        return step & (step - 1) == 0
    return step in (1, total) or 10 * step // total > 10 * (step - 1) // total


def _clock(seconds: float) -> str:
    """The form in which a bar says how long: 00:07, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
