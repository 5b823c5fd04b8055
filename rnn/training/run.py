"""A training run between two of its steps: everything that the next step depends on.

What is not here does not matter to what comes next; all that is here is saved in a checkpoint.
So a run that is loaded goes on to the last bit as if it had never been stopped.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from microgrrepresent import Tensor, no_grad
from microgrrepresent.errors import operand
from microgrrepresent.node import Array
from rnn.diagnosis import find_nonfinite
from rnn.errors import CheckpointError, DataError, NonFiniteError
from rnn.module import Module
from rnn.training.checkpoint import load_checkpoint
from rnn.training.clipping import Clipping, clip_grad_norm, grad_norm
from rnn.training.graph_growth import GrowthWatch
from rnn.training.history import History
from rnn.training.optim import Optimizer
from rnn.training.schedules import Schedule
from rnn.training.truncated import detach

Batches = Sequence[Any] | Callable[[np.random.Generator], Iterable[Any]]
Clip = float | Callable[[list[Tensor]], Clipping]


class Run:
    """A training's state between two steps: all that the next step depends on."""

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        schedule: Schedule | None,
        rng: np.random.Generator,
    ) -> None:
        _belongs_together(model, optimizer, schedule, rng)
        self.model = model
        self.optimizer = optimizer
        self.schedule = schedule
        self.rng = rng
        self.settings = _settings(optimizer, schedule)
        self.history = History()
        self.watch = GrowthWatch()
        self.epoch = 0  # epochs that are complete
        self.index = 0  # batches of this epoch that are done
        self.seed: int | None = None  # of this epoch's batches
        self.state: Any = None  # carried from the last batch
        self.best: dict[str, Array] | None = None  # parameters at the best validation

    # --- steps -----------------------------------------------------------------------------------

    def batches(
        self,
        source: Batches,
        steps: int | None,
        epochs: int | None,
    ) -> Iterator[tuple[Any, bool]]:
        """Yield the batches that are still to do, each with whether it is its epoch's last.

        An epoch's batches come from a Generator of their own. So they are the same when a
        training that was stopped in the middle of the epoch makes them again.
        """
        while epochs is None or self.epoch < epochs:
            if self.seed is None:
                self.seed = int(self.rng.integers(2**63))
            found = source(np.random.default_rng(self.seed)) if callable(source) else source
            rest = _with_last(itertools.islice(found, self.index, None))
            none = True
            for batch, last in rest:
                if steps is not None and self.history.steps >= steps:
                    return
                none = False
                yield batch, last
            if none:
                raise DataError(
                    f"fit: there is no batch number {self.index + 1} in epoch {self.epoch + 1}: "
                    "there are none at all, or an iterator is used up after one epoch; give a "
                    "list, or a function of a Generator that makes the batches anew"
                )

    def step(
        self,
        batch: Any,
        last: bool,
        loss: Callable[..., Any],
        carry: bool,
        clip: Clip | None,
    ) -> None:
        """Take one step, or raise `NonFiniteError` and leave everything as it was before it."""
        optimizer, history = self.optimizer, self.history
        optimizer.zero_grad()
        with np.errstate(all="ignore"):  # an overflow is explained below
            L, state = _scalar(loss(batch, self.state) if carry else (loss(batch), None), carry)
            if not math.isfinite(float(L)):
                raise self._diagnosed("loss", float(L), L)
            self.watch(L).backward()
            if callable(clip):
                norm = _number(clip(optimizer.parameters), "clip(parameters)")
            elif clip is not None:
                norm = float(clip_grad_norm(optimizer.parameters, clip))
            else:
                norm = grad_norm(optimizer.parameters)
            if not math.isfinite(norm):
                raise self._diagnosed("norm of the gradient", norm, L)
            self._update(float(L), norm)
        history.losses.append(float(L))
        history.norms.append(norm)
        history.rates.append(optimizer.lr)
        history.epochs.append(self.epoch + 1)
        if self.schedule is not None and not self.schedule.after_validation:
            self.schedule.step()
        if last:
            self.epoch, self.index, self.seed, self.state = self.epoch + 1, 0, None, None
        else:
            self.index, self.state = self.index + 1, detach(state)

    def _update(self, loss: float, norm: float) -> None:
        """Let the optimiser take its step, and take it back if it leaves the numbers."""
        optimizer = self.optimizer
        values = [w.value for w in optimizer.parameters]
        memories = [dict(memory) for memory in optimizer.memories]
        optimizer.step()
        for w, memory in zip(optimizer.parameters, optimizer.memories, strict=True):
            if all(np.isfinite(array).all() for array in (w.value, *memory.values())):
                continue
            for parameter, value in zip(optimizer.parameters, values, strict=True):
                parameter.assign(value)
            optimizer.memories = memories
            raise NonFiniteError(
                f"step {self.history.steps + 1} of {type(optimizer).__name__} overflows in "
                f"{operand(w.name or 'a parameter', w)}: the loss is {loss:.3g}, the norm of the "
                f"gradient {norm:.3g}, the learning rate {optimizer.lr:.3g}. {_UNDONE}"
            )

    def validate(self, validate: Callable[[], float]) -> None:
        """Validate, and keep the parameters if they are the best so far."""
        self.model.eval()
        with no_grad():
            loss = _number(validate(), "validate()")
        self.model.train()
        self.history.validations[self.history.steps] = loss
        if self.schedule is not None and self.schedule.after_validation:
            self.schedule.step(loss)
        if self.history.best and self.history.best[0] == self.history.steps:
            self.best = self.model.state_dict()

    def _diagnosed(self, what: str, value: float, L: Tensor) -> NonFiniteError:
        return NonFiniteError(
            f"the {what} of step {self.history.steps + 1} is {value}: {find_nonfinite(L)}. "
            + _UNDONE
        )

    # --- checkpoints -----------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Give everything that the next step depends on, as a checkpoint takes it."""
        history = self.history
        return {
            "settings": self.settings,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict() if self.schedule else None,
            "generators": [g.bit_generator.state for g in self._generators()],
            "position": (self.epoch, self.index, self.seed),
            "state": self.state,
            "best": self.best,
            "history": {name: np.array(getattr(history, name)) for name in _COLUMNS},
            "validations": dict(history.validations),
        }

    def load(self, path: str | Path) -> None:
        """Go back to what `state_dict` gave, from the checkpoint that keeps it."""
        data = load_checkpoint(path)
        try:
            if different := told_apart(data["settings"], self.settings):
                raise ValueError(f"{different}; give the settings that it was made with")
            self.model.load_state_dict(data["model"])
            self.optimizer.load_state_dict(data["optimizer"])
            if self.schedule is not None:
                self.schedule.load_state_dict(data["schedule"])
            for g, state in zip(self._generators(), data["generators"], strict=True):
                g.bit_generator.state = state
            self.epoch, self.index, self.seed = data["position"]
            self.state, self.best = data["state"], data["best"]
            columns = {name: data["history"][name].tolist() for name in _COLUMNS}
            self.history = History(**columns, validations=data["validations"])
        except (KeyError, ValueError, TypeError) as error:
            raise CheckpointError(
                f"{path} is not a checkpoint of this model and optimiser: {error}"
            ) from error

    def _generators(self) -> list[np.random.Generator]:
        """The given Generator, and those that modules such as dropout have kept."""
        found = [self.rng]
        for module in self.model.modules():
            found += _generators_in(list(vars(module).values()))
        return [g for i, g in enumerate(found) if all(g is not before for before in found[:i])]


_COLUMNS = ("losses", "norms", "rates", "epochs")
_UNDONE = "The parameters are those before this step. A lower learning rate or clip=1.0 may help"


def _generators_in(held: Any) -> list[np.random.Generator]:
    """The Generators in nested lists, tuples and dicts, where parameters are looked for, too."""
    if isinstance(held, np.random.Generator):
        return [held]
    parts = held.values() if isinstance(held, dict) else held
    if not isinstance(held, (list, tuple, dict)):
        return []
    return [generator for part in parts for generator in _generators_in(part)]


def told_apart(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """In what two trainings differ, in a few words: ``lr 0.1, not 0.05``."""
    names = list(dict.fromkeys([*now, *before]))
    return "; ".join(
        f"{name} {before.get(name)}, not {now.get(name)}"
        for name in names
        if before.get(name) != now.get(name)
    )


def _settings(optimizer: Optimizer, schedule: Schedule | None) -> dict[str, Any]:
    """What optimiser and schedule were made with: with other settings, other numbers follow."""
    settings: dict[str, Any] = {"optimizer": type(optimizer).__name__}
    settings |= {name: getattr(optimizer, name) for name in optimizer.settings}
    if schedule is not None:
        settings |= {"schedule": type(schedule).__name__, **schedule.arguments()}
        settings["lr"] = schedule.base_lr
    return settings


def _belongs_together(
    model: Module, optimizer: Optimizer, schedule: Schedule | None, rng: np.random.Generator
) -> None:
    """Refuse what would train nothing, or something else."""
    for name, given, kind in (
        ("model", model, Module),
        ("optimizer", optimizer, Optimizer),
        ("rng", rng, np.random.Generator),
    ):
        if not isinstance(given, kind):
            raise DataError(f"fit: {name} is a {kind.__name__}; given {given!r}")
    own = set(model.parameters())
    for w in optimizer.parameters:
        if w not in own:
            raise DataError(
                f"fit: the optimiser moves {operand(w.name or 'a parameter', w)}, which is not "
                "one of the model's; make it anew, of model.parameters()"
            )
    if schedule is not None and getattr(schedule, "optimizer", None) is not optimizer:
        raise DataError(
            "fit: the schedule does not set the rate of this optimiser; make it anew, as "
            "StepLR(optimizer, 100)"
        )


def _scalar(result: Any, carry: bool) -> tuple[Tensor, Any]:
    """What a loss function gave, (L, state), if it can be trained on."""
    L, state = result if isinstance(result, tuple) and len(result) == 2 else (None, None)
    if not isinstance(L, Tensor) or L.ndim:
        form = "loss(batch, state) must give (L, state)" if carry else "loss(batch) must give L"
        given = getattr(L, "shape", type(L).__name__)
        raise DataError(f"fit: {form}, where L is a scalar Tensor; given {given}")
    return L, state


def _number(given: Any, who: str) -> float:
    """What a function of the caller's gave, if it is a number."""
    try:
        return float(given)
    except (TypeError, ValueError) as error:
        raise DataError(f"fit: {who} must give a number; given {given!r}") from error


def _with_last(items: Iterable[Any]) -> Iterator[tuple[Any, bool]]:
    """Yield each item with whether it is the last."""
    iterator = iter(items)
    for item in iterator:
        for following in iterator:
            yield item, False
            item = following
        yield item, True
