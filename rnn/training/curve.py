"""The learning curve: the loss over the steps of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnn.figures import Figure

if TYPE_CHECKING:
    from rnn.training.history import History

_POINTS = 400


def learning_curve(history: History) -> Figure:
    """Draw the loss of each step, and the validations.

    A long training has more steps than a figure has pixels: what is drawn is then the mean of
    each of 400 stretches, in a band from the smallest to the largest loss of the stretch. The
    axis is logarithmic where the loss falls to less than a thirtieth.
    """
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    losses = np.array(history.losses)
    stretches = np.array_split(losses, min(len(losses), _POINTS) or 1)
    ends = np.cumsum([len(part) for part in stretches])
    if len(losses):
        if len(losses) > _POINTS:
            low, high = [p.min() for p in stretches], [p.max() for p in stretches]
            axes.fill_between(ends, low, high, color="#0072B2", alpha=0.2, linewidth=0)
        axes.plot(ends, [p.mean() for p in stretches], color="#0072B2", label="training")
    if history.validations:
        at = sorted(history.validations)
        values = [history.validations[step] for step in at]
        axes.plot(at, values, "o-", color="#D55E00", markersize=4, label="validation")
        axes.legend(frameon=False)
    if len(losses) and losses.min() > 0 and losses.max() > 30 * losses.min():
        axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.grid(True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
