"""The figure of a connectivity: the matrix as a heat map, and the mean of each lag beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnn.figures import LETTERS, SMALL, Figure, bare, below, color_scale, slide

if TYPE_CHECKING:
    from rnn.diagnosis.connectivity import Connectivity

WORDS = 48
"""Of up to so many inputs or losses, each has its word beside the axis."""


def figure(heard: Connectivity, title: str | None) -> Figure:
    """Draw a slide."""
    drawing = slide()
    matrix, lags = drawing.subplots(1, 2, width_ratios=(1.55, 1))
    drawing.suptitle(title or "Which input the loss at each step listens to", fontsize=18)
    _matrix(drawing, matrix, heard)
    _by_lag(lags, heard)
    return drawing


def _matrix(drawing: Figure, axes: Any, heard: Connectivity) -> None:
    scale = color_scale(heard.norms)
    shown = np.where(heard.norms > 0, heard.norms, np.nan)  # no dependence: the paper's own color
    (t0, t1), (k0, k1) = (_ends(heard.losses), _ends(heard.inputs))
    image = axes.imshow(
        shown,
        cmap="viridis",
        norm=scale,
        interpolation="nearest",
        aspect="auto",
        extent=(k0 - 0.5, k1 + 0.5, t1 + 0.5, t0 - 0.5),
    )
    ends = below(heard.norms, scale)
    bar = drawing.colorbar(image, ax=axes, pad=0.015, fraction=0.06, extend=ends)
    bar.set_label(r"$\|\partial L_t/\partial x_k\|$", fontsize=LETTERS)
    bar.ax.tick_params(labelsize=SMALL)
    read, said = ": what is read" * bool(heard.read), ": what is predicted" * bool(heard.said)
    axes.set_xlabel("input at step k" + read, fontsize=LETTERS)
    axes.set_ylabel("loss at step t" + said, fontsize=LETTERS)
    axes.tick_params(labelsize=SMALL)
    for axis, times, words in (
        (axes.xaxis, heard.inputs, heard.read),
        (axes.yaxis, heard.losses, heard.said),
    ):
        if words and len(words) <= WORDS:
            axis.set_ticks(times, [visible(word) for word in words])
            axis.set_tick_params(length=0)
    if heard.read and len(heard.read) <= WORDS and max(map(len, heard.read)) > 1:
        axes.tick_params(axis="x", rotation=60)


def _by_lag(axes: Any, heard: Connectivity) -> None:
    lags = heard.by_lag()
    known = {lag: norm for lag, norm in lags.items() if norm > 0}
    axes.plot(list(known), list(known.values()), "o-", color="#0072B2", markersize=4)
    if known and max(known.values()) > 30 * min(known.values()):
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlabel("lag t − k, in steps", fontsize=LETTERS)
    axes.set_ylabel(r"mean of $\|\partial L_t/\partial x_k\|$", fontsize=LETTERS)
    bare(axes)


def _ends(times: tuple[int, ...]) -> tuple[int, int]:
    return min(times), max(times)


def visible(word: str) -> str:
    """A word as it can be seen: a blank has a sign."""
    return word.replace(" ", "·").replace("\n", "⏎").replace("\t", "⇥").replace("$", r"\$")
