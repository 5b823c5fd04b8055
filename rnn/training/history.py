"""The history of a training: a few numbers for each of its steps."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from microgrrepresent.node import Array
    from rnn.figures import Figure


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

    def __repr__(self) -> str:
        if not self.losses:
            return "<History: no steps yet>"
        text = f"{self.steps} steps, loss {_short(self.losses[0])} -> {_short(self.losses[-1])}"
        if self.best is not None:
            at, loss = self.best
            text += f", best validation {_short(loss)} after {at} steps"
        return f"<History: {text}{'' if self.stopped == 'done' else ', stopped ' + self.stopped}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the learning curve, if matplotlib is there to draw it."""
        try:
            return {"text/plain": repr(self), "image/svg+xml": self.figure()._repr_svg_()}
        except ModuleNotFoundError:
            return {"text/plain": repr(self)}

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        """The losses, one for each step, so that ``plt.plot(history)`` is the learning curve."""
        return np.array(self.losses, dtype)

    def figure(self) -> Figure:
        """Draw the learning curve, as a figure of matplotlib; ``.write(path)`` puts it in a file.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        from rnn.training.curve import learning_curve

        return learning_curve(self)

    @property
    def steps(self) -> int:
        """How many steps have been taken."""
        return len(self.losses)

    @property
    def steps_of_an_epoch(self) -> int | None:
        """How many steps the first epoch took, once the second has begun."""
        return bisect_right(self.epochs, 1) if self.epochs and self.epochs[-1] > 1 else None

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


def _short(number: float) -> str:
    return f"{number:.4g}"
