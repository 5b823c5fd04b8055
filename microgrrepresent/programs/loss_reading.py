"""What is wrong with a student's loss: it is so many times as large, or that of another start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from microgrrepresent.programs.replay import Replay


def read_loss(
    loss: Any,
    replay: Replay,
    lengths: Mapping[str, int],
    initial: Sequence[str],
    tolerance: float,
) -> tuple[str, float | None]:
    """What is wrong with a loss, and how many times too large it is, as far as is seen.

    Parameters
    ----------
    loss : object
        What a student's function gave.
    replay : Replay
        The right program.
    lengths : mapping from str to int
        The steps and sequences, T and B.
    initial : sequence of str
        The initial states that are inputs.
    tolerance : float
    """

    def same(a: float, b: float) -> bool:
        return abs(a - b) <= tolerance * abs(b)

    right = float(replay.loss)
    try:
        given = float(loss)
    except (TypeError, ValueError):
        what = f"an array of shape {s}" if (s := np.shape(loss)) else type(loss).__name__
        return f"The loss must be a number, and is {what}.", 1
    if same(given, right):
        return "", 1
    said = f"The loss is {given:.6g}, and should be {right:.6g}"
    scales = {**lengths, " * ".join(lengths): int(np.prod(list(lengths.values())))}
    if same(given, right * 2) or same(given, right / 2):
        factor = 2 if abs(given) > abs(right) else 0.5
        return f"{said}: it is {factor} times the right one; is a factor 1/2 left out?", factor
    for name, n in scales.items():
        if same(given, right * n):
            return f"{said}: it is {name} times too large, as if summed, not averaged.", n
        if same(given, right / n):
            return f"{said}: it is divided by {name} once too often.", 1 / n
    for letter in initial:
        zeros = {letter: np.zeros_like(replay.arrays[letter])}
        if same(given, float(replace(replay, arrays={**replay.arrays, **zeros}).loss)):
            return f"{said}: it is the loss for {letter} = 0, so {letter} is not read.", None
    return f"{said}: the forward pass is wrong, so look there first.", None
