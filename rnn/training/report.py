"""What a training shows while it runs: its progress, and a log with one row a step."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from microgrrepresent.files import append_to_file, write_file
from rnn.training.history import History
from rnn.training.progress import progress


@dataclass(frozen=True)
class Report:
    """What `fit` shows of a training.

    Attributes
    ----------
    log : path, optional
        A CSV file with one row a step. Each row is on the disk when its step is done.
    show : mapping of str to callable
        More numbers for progress and log, as functions of the loss, such as `perplexity`.
    progress : bool
        Whether to show progress: a bar in a terminal, ten plain lines anywhere else.
    """

    log: str | Path | None = None
    show: Mapping[str, Callable[[float], float]] = field(default_factory=dict)
    progress: bool = True

    @contextmanager
    def following(
        self, history: History, total: Callable[[], int | None]
    ) -> Iterator[Callable[[], None]]:
        """Begin progress and log with the steps so far, and give a function that adds the newest.

        Parameters
        ----------
        history : History
            Of the training.
        total : callable
            How many steps it will be at the most, as far as that is known by now.

        Raises
        ------
        FileError
            If the log cannot be written.
        """
        if self.log is not None:
            head = ["step", "epoch", "loss", *self.show, "gradient_norm", "lr", "validation"]
            before = [self._row(history, k) for k in range(1, history.steps + 1)]
            write_file(self.log, _csv([head, *before]))
        shown = progress(history.steps, total()) if self.progress else nullcontext()
        with shown as advance:

            def add() -> None:
                if self.log is not None:
                    append_to_file(self.log, _csv([self._row(history, history.steps)]))
                if advance is not None:
                    advance(self._said(history), total())

            yield add

    def _row(self, history: History, k: int) -> list[Any]:
        """The k-th step as a row of the log."""
        loss = history.losses[k - 1]
        return [
            k,
            history.epochs[k - 1],
            loss,
            *(f(loss) for f in self.show.values()),
            history.norms[k - 1],
            history.rates[k - 1],
            history.validations.get(k, ""),
        ]

    def _said(self, history: History) -> str:
        """What is said of the newest step."""
        numbers = {"loss": history.losses[-1]}
        numbers |= {name: f(history.losses[-1]) for name, f in self.show.items()}
        if history.validations:
            numbers["validation"] = history.validations[max(history.validations)]
        return ", ".join(f"{name} {number:.4g}" for name, number in numbers.items())


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
