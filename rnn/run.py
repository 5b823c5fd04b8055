"""A training run between two of its steps: everything that the next step depends on.

What is not here does not matter to what comes next; all that is here is saved in a checkpoint.
So a run that is loaded goes on to the last bit as if it had never been stopped.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from microgrrepresent import Tensor, no_grad
from microgrrepresent.node import Array
from rnn.checkpoint import load_checkpoint, save_checkpoint
from rnn.clipping import Clipping, clip_grad_norm, grad_norm
from rnn.diagnose import find_nonfinite
from rnn.errors import CheckpointError, DataError, NonFiniteError
from rnn.history import History
from rnn.module import Module
from rnn.optim import Optimizer
from rnn.schedules import Schedule
from rnn.truncated import detach

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
        self.model = model
        self.optimizer = optimizer
        self.schedule = schedule
        self.rng = rng
        self.history = History()
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
                    f"fit: there is no batch number {self.index + 1} in epoch {self.epoch + 1}; "
                    "an iterator is used up after one epoch, so give a list, or a function of a "
                    "Generator that makes the batches anew"
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
            L.backward()
            if callable(clip):
                norm = float(clip(optimizer.parameters))
            elif clip is not None:
                norm = float(clip_grad_norm(optimizer.parameters, clip))
            else:
                norm = grad_norm(optimizer.parameters)
            if not math.isfinite(norm):
                raise self._diagnosed("norm of the gradient", norm, L)
        history.losses.append(float(L))
        history.norms.append(norm)
        history.rates.append(optimizer.lr)
        history.epochs.append(self.epoch + 1)
        optimizer.step()
        if self.schedule is not None and not self.schedule.after_validation:
            self.schedule.step()
        if last:
            self.epoch, self.index, self.seed, self.state = self.epoch + 1, 0, None, None
        else:
            self.index, self.state = self.index + 1, detach(state)

    def validate(self, validate: Callable[[], float]) -> None:
        """Validate, and keep the parameters if they are the best so far."""
        self.model.eval()
        with no_grad():
            loss = float(validate())
        self.model.train()
        self.history.validations[self.history.steps] = loss
        if self.schedule is not None and self.schedule.after_validation:
            self.schedule.step(loss)
        if self.history.best and self.history.best[0] == self.history.steps:
            self.best = self.model.state_dict()

    def _diagnosed(self, what: str, value: float, L: Tensor) -> NonFiniteError:
        return NonFiniteError(
            f"the {what} of step {self.history.steps + 1} is {value}: {find_nonfinite(L)}. The "
            "parameters are those before this step. A lower learning rate or clip=1.0 may help"
        )

    # --- checkpoints -----------------------------------------------------------------------------

    def save(self, path: str | Path, extra: dict[str, Any]) -> None:
        """Write everything to a file."""
        history = self.history
        data = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict() if self.schedule else None,
            "generators": [g.bit_generator.state for g in self._generators()],
            "position": (self.epoch, self.index, self.seed),
            "state": self.state,
            "best": self.best,
            "history": {name: np.array(getattr(history, name)) for name in _COLUMNS},
            "validations": history.validations,
            "extra": extra,
        }
        save_checkpoint(path, data)

    def load(self, path: str | Path) -> None:
        """Go back to what `save` wrote."""
        data = load_checkpoint(path)
        try:
            self.model.load_state_dict(data["model"])
            self.optimizer.load_state_dict(data["optimizer"])
            if self.schedule is not None:
                self.schedule.load_state_dict(data["schedule"] or {})
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
        held = [value for module in self.model.modules() for value in vars(module).values()]
        found = [self.rng, *(value for value in held if isinstance(value, np.random.Generator))]
        return [g for i, g in enumerate(found) if all(g is not before for before in found[:i])]


_COLUMNS = ("losses", "norms", "rates", "epochs")


def _scalar(result: Any, carry: bool) -> tuple[Tensor, Any]:
    """What a loss function gave, (L, state), if it can be trained on."""
    L, state = result if isinstance(result, tuple) and len(result) == 2 else (None, None)
    if not isinstance(L, Tensor) or L.ndim:
        form = "loss(batch, state) must give (L, state)" if carry else "loss(batch) must give L"
        given = getattr(L, "shape", type(L).__name__)
        raise DataError(f"fit: {form}, where L is a scalar Tensor; given {given}")
    return L, state


def _with_last(items: Iterable[Any]) -> Iterator[tuple[Any, bool]]:
    """Yield each item with whether it is the last."""
    iterator = iter(items)
    for item in iterator:
        for following in iterator:
            yield item, False
            item = following
        yield item, True
