"""What a training shows while it runs: a progress bar, and a log with one row a step."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from microgrrepresent.files import append_to_file, write_file
from rnn.training.history import History


@dataclass(frozen=True)
class Report:
    """What `fit` shows of a training.

    Attributes
    ----------
    log : path, optional
        A CSV file with one row a step. Each row is on the disk when its step is done.
    show : mapping of str to callable
        More numbers for bar and log, as functions of the loss, such as `perplexity`.
    progress : bool
        Whether to show a progress bar.
    """

    log: str | Path | None = None
    show: Mapping[str, Callable[[float], float]] = field(default_factory=dict)
    progress: bool = True

    @contextmanager
    def following(self, history: History, total: int | None) -> Iterator[Callable[[], None]]:
        """Begin bar and log with the steps so far, and give a function that adds the newest one.

        Raises
        ------
        FileError
            If the log cannot be written.
        """
        from tqdm.auto import tqdm  # here, because it takes a fifth as long to import as all of rnn

        if self.log is not None:
            head = ["step", "epoch", "loss", *self.show, "gradient_norm", "lr", "validation"]
            before = [self._row(history, k) for k in range(1, history.steps + 1)]
            write_file(self.log, _csv([head, *before]))
        off = not self.progress
        with tqdm(total=total, initial=history.steps, unit="step", disable=off) as bar:

            def add() -> None:
                if self.log is not None:
                    append_to_file(self.log, _csv([self._row(history, history.steps)]))
                bar.set_postfix_str(self._shown(history), refresh=False)
                bar.update()

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

    def _shown(self, history: History) -> str:
        """What a progress bar says of the newest step."""
        loss = history.losses[-1]
        more = "".join(f", {name}={f(loss):.3g}" for name, f in self.show.items())
        return f"loss={loss:.3f}{more}, gradient norm={history.norms[-1]:.2g}"


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
