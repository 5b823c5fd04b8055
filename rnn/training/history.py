"""The history of a training: kept in memory, shown on a progress bar, written as a CSV file."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from microgrrepresent.files import append_to_file, write_file

More = Mapping[str, Callable[[float], float]]
"""Further columns, as functions of the loss."""


@dataclass
class History:
    """What happened in a training, from its first step on, also over interruptions.

    Attributes
    ----------
    losses, norms, rates : list of float
        For each step the loss, the gradient's norm before clipping, and the learning rate.
    validations : dict of int to float
        The loss on validation data, by the number of steps before it.
    epochs : list of int
        For each step the epoch that it belonged to, counted from 1.
    stopped : {"done", "early", "interrupted"}
        Why it ended.
    """

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    validations: dict[int, float] = field(default_factory=dict)
    stopped: Literal["done", "early", "interrupted"] = "done"

    @property
    def steps(self) -> int:
        """How many steps have been taken."""
        return len(self.losses)

    @property
    def best(self) -> tuple[int, float] | None:
        """Steps and loss of the best validation, if there was one."""
        good = [(at, loss) for at, loss in self.validations.items() if not math.isnan(loss)]
        return min(good, key=lambda item: item[1], default=None)

    @property
    def since_best(self) -> int:
        """How many validations have come after the best one."""
        best_at = self.best[0] if self.best else -1
        return sum(at > best_at for at in self.validations)


def shown(history: History, more: More) -> str:
    """What a progress bar says of the newest step."""
    loss = history.losses[-1]
    extra = "".join(f", {name}={f(loss):.3g}" for name, f in more.items())
    return f"loss={loss:.3f}{extra}, gradient norm={history.norms[-1]:.2g}"


def log_to(path: str | Path | None, history: History, more: More) -> Callable[[], None]:
    """Write a CSV file with the steps so far, and give a function that adds the newest one.

    Each row is on the disk when its step is done: a log is there to be looked at meanwhile.
    """
    if path is None:
        return lambda: None

    def row(k: int) -> list[Any]:
        loss = history.losses[k - 1]
        return [
            k,
            history.epochs[k - 1],
            loss,
            *(f(loss) for f in more.values()),
            history.norms[k - 1],
            history.rates[k - 1],
            history.validations.get(k, ""),
        ]

    head = ["step", "epoch", "loss", *more, "gradient_norm", "lr", "validation"]
    write_file(path, _csv([head, *(row(k) for k in range(1, history.steps + 1))]))
    return lambda: append_to_file(path, _csv([row(history.steps)]))


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
