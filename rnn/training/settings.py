"""What a training is made with: whether its parts belong together, and to the run before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from microgrrepresent.errors import operand
from rnn.errors import DataError
from rnn.module import Module
from rnn.training.optimizer import Optimizer
from rnn.training.schedules import Schedule


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """In what two trainings differ, in a few words: ``lr 0.1, not 0.05``."""
    names = list(dict.fromkeys([*now, *before]))
    return "; ".join(
        f"{name} {before.get(name)}, not {now.get(name)}"
        for name in names
        if before.get(name) != now.get(name)
    )


def settings_of(optimizer: Optimizer, schedule: Schedule | None) -> dict[str, Any]:
    """What optimizer and schedule were made with: with other settings, other numbers follow."""
    settings: dict[str, Any] = {"optimizer": type(optimizer).__name__}
    settings |= {name: getattr(optimizer, name) for name in optimizer.settings}
    if schedule is not None:
        settings |= {"schedule": type(schedule).__name__, **schedule.arguments()}
        settings["lr"] = schedule.base_lr
    return settings


def check_parts(
    model: Module, optimizer: Optimizer, schedule: Schedule | None, rng: np.random.Generator
) -> None:
    """Refuse what would train nothing, or something else."""
    for name, given, kind in (
        ("model", model, Module),
        ("optimizer", optimizer, Optimizer),
        ("rng", rng, np.random.Generator),
    ):
        if not isinstance(given, kind):
            raise DataError(f"fit: {name} must be a {kind.__name__}, got {given!r}")
    own = set(model.parameters())
    for w in optimizer.parameters:
        if w not in own:
            raise DataError(
                f"fit: the optimizer moves {operand(w.name or 'a parameter', w)}, which is not "
                "one of the model's; make it anew, of model.parameters()"
            )
    if schedule is not None and getattr(schedule, "optimizer", None) is not optimizer:
        raise DataError(
            "fit: the schedule does not set the rate of this optimizer; make it anew, as "
            "StepLR(optimizer, 100)"
        )
