"""A training run between two of its steps: everything that the next step depends on.

What is not here does not matter to what comes next; all that is here is saved in a checkpoint.
So a run that is loaded goes on to the last bit as if it had never been stopped.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from microgrrepresent import Tensor, no_grad
from microgrrepresent.errors import operand
from microgrrepresent.node import Array
from rnn.diagnosis import find_nonfinite
from rnn.errors import DataError, NonFiniteError
from rnn.module import Module
from rnn.training.clipping import Clipping, clip_grad_norm, grad_norm
from rnn.training.compiling import CompiledLoss
from rnn.training.graph_growth import GrowthWatch
from rnn.training.history import History
from rnn.training.optimizer import Optimizer
from rnn.training.saved_form import COLUMNS, check_form
from rnn.training.schedules import Schedule
from rnn.training.settings import check_parts, differences, settings_of
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
        check_parts(model, optimizer, schedule, rng)
        self.model = model
        self.optimizer = optimizer
        self.schedule = schedule
        self.rng = rng
        self.settings = settings_of(optimizer, schedule)
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
        epochs: int | None,
        over: Callable[[], bool],
    ) -> Iterator[tuple[Any, bool]]:
        """Yield the batches until it is over, each with whether it is its epoch's last.

        An epoch's batches come from a Generator of their own. So they are the same when a
        training that was stopped in the middle of the epoch makes them again.
        """
        while not over() and (epochs is None or self.epoch < epochs):
            if self.seed is None:
                self.seed = int(self.rng.integers(2**63))
            found = source(np.random.default_rng(self.seed)) if callable(source) else source
            rest = _with_last(itertools.islice(found, self.index, None))
            none = True
            for batch, last in rest:
                none = False
                yield batch, last
                if over():
                    return
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
        compiled: CompiledLoss | None = None,
    ) -> None:
        """Take one step, or raise `NonFiniteError` and leave everything as it was before it."""
        self.optimizer.zero_grad()
        with np.errstate(all="ignore"):  # an overflow is explained where it is found
            if compiled is not None:
                value, state = compiled(batch, self.optimizer.parameters), None
                recorded = partial(loss, batch)
                self._require_finite("loss", value, recorded)
            else:
                L, state = _scalar(loss(batch, self.state) if carry else (loss(batch), None), carry)
                value, recorded = float(L), partial(_same, L)
                self._require_finite("loss", value, recorded)
                self.watch(L).backward()
            norm = self._clip(clip)
            self._require_finite("norm of the gradient", norm, recorded)
            self._update(value, norm)
        self._note(value, norm)
        if self.schedule is not None and not self.schedule.after_validation:
            self.schedule.step()
        if last:
            self.epoch, self.index, self.seed, self.state = self.epoch + 1, 0, None, None
        else:
            self.index, self.state = self.index + 1, detach(state)

    def _clip(self, clip: Clip | None) -> float:
        """Clip the gradients, and give their norm before."""
        parameters = self.optimizer.parameters
        if callable(clip):
            return _number(clip(parameters), "clip(parameters)")
        return grad_norm(parameters) if clip is None else float(clip_grad_norm(parameters, clip))

    def _note(self, loss: float, norm: float) -> None:
        history = self.history
        history.losses.append(loss)
        history.norms.append(norm)
        history.rates.append(self.optimizer.lr)
        history.epochs.append(self.epoch + 1)

    def _require_finite(self, what: str, value: float, recorded: Callable[[], Tensor]) -> None:
        if not math.isfinite(value):
            where = find_nonfinite(recorded())
            raise NonFiniteError(
                f"the {what} of step {self.history.steps + 1} is {value}: {where}. " + _UNDONE
            )

    def _update(self, loss: float, norm: float) -> None:
        """Let the optimizer take its step, and take it back if it leaves the numbers."""
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
            "history": {name: np.array(getattr(history, name)) for name in COLUMNS},
            "validations": dict(history.validations),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state_dict` gave, or change nothing and raise what is in the way."""
        if different := differences(state["settings"], self.settings):
            raise ValueError(f"{different}; give the settings that it was made with")
        check_form(state, self.model.state_dict())
        before = self.state_dict()
        try:
            self._set(state)
        except BaseException:
            self._set(before)
            raise

    def _set(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        for g, drawn in zip(self._generators(), state["generators"], strict=True):
            g.bit_generator.state = drawn
        self.epoch, self.index, self.seed = state["position"]
        self.state, self.best = state["state"], state["best"]
        columns = {name: state["history"][name].tolist() for name in COLUMNS}
        self.history = History(**columns, validations=state["validations"])

    def _generators(self) -> list[np.random.Generator]:
        """The given Generator, and those that modules such as dropout have kept."""
        found = [self.rng]
        for module in self.model.modules():
            found += _generators_in(list(vars(module).values()))
        return [g for i, g in enumerate(found) if all(g is not before for before in found[:i])]


_UNDONE = "The parameters are those before this step. A lower learning rate or clip=1.0 may help"


def _generators_in(held: Any) -> list[np.random.Generator]:
    """The Generators in nested lists, tuples and dicts, where parameters are looked for, too."""
    if isinstance(held, np.random.Generator):
        return [held]
    parts = held.values() if isinstance(held, dict) else held
    if not isinstance(held, (list, tuple, dict)):
        return []
    return [generator for part in parts for generator in _generators_in(part)]


def _scalar(result: Any, carry: bool) -> tuple[Tensor, Any]:
    """What a loss function gave, (L, state), if it can be trained on."""
    L, state = result if isinstance(result, tuple) and len(result) == 2 else (None, None)
    if not isinstance(L, Tensor) or L.ndim:
        form = "loss(batch, state) must give (L, state)" if carry else "loss(batch) must give L"
        given = getattr(L, "shape", type(L).__name__)
        raise DataError(f"fit: {form}, where L is a scalar Tensor, got {given}")
    return L, state


def _same(L: Tensor) -> Tensor:
    """The loss that has been recorded anyway."""
    return L


def _number(given: Any, who: str) -> float:
    """What a function of the caller's gave, if it is a number."""
    try:
        return float(given)
    except (TypeError, ValueError) as error:
        raise DataError(f"fit: {who} must give a number, got {given!r}") from error


def _with_last(items: Iterable[Any]) -> Iterator[tuple[Any, bool]]:
    """Yield each item with whether it is the last."""
    iterator = iter(items)
    for item in iterator:
        for following in iterator:
            yield item, False
            item = following
        yield item, True
