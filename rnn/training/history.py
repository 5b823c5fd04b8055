"""The history of a training: a few numbers for each of its steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal


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
