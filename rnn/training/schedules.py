r"""Learning-rate schedules: the rate as a function of how many steps have been taken.

A schedule is made on an optimizer, whose rate at that moment is the base rate η₀, and its `step`
is called after each of the optimizer's (or once an epoch). Names and numbers are those of
`torch.optim.lr_scheduler`; with k for the number of calls,

    StepLR               η = η₀ γ^⌊k / period⌋
    ExponentialLR        η = η₀ γᵏ
    CosineAnnealingLR    η = η_min + (η₀ − η_min) (1 + cos(π k / K)) / 2
    LinearLR             η = η₀ times a factor that goes in a straight line from one to another
    LambdaLR             η = η₀ f(k)
    ReduceLROnPlateau    η ← η γ  whenever a measured loss has not fallen for some calls

The rates of an optimizer's groups follow in proportion.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, ClassVar

from microgrrepresent.arguments import function
from microgrrepresent.errors import shortened
from rnn.inputs import integer, number
from rnn.training.optimizer import Optimizer


class Schedule:
    """What all schedules of the form η = `rate` (k) share.

    Attributes
    ----------
    base_lr : float
        η₀, the optimizer's rate when the schedule was made.
    count : int
        k, the number of calls of `step`.
    """

    after_validation: ClassVar[bool] = False
    """Whether `fit` calls `step` after every validation, rather than after every step."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lr = _rate_of(optimizer)
        self.count = 0
        optimizer.lr = self.rate(0)

    def __repr__(self) -> str:
        told = "".join(f", {name}={value!r}" for name, value in self.arguments().items())
        return f"{type(self).__name__}({type(self.optimizer).__name__}{told})"

    def rate(self, k: int) -> float:
        """Give η after k calls of `step`."""
        raise NotImplementedError(f"{type(self).__name__} has no rule for the rate")

    def step(self, loss: float | None = None) -> None:
        """Set the optimizer's rate for its next step; the loss matters to `ReduceLROnPlateau`."""
        self.count += 1
        self.optimizer.lr = self.rate(self.count)

    def state_dict(self) -> dict[str, Any]:
        """Give what the next rate depends on, beside the arguments of the constructor."""
        return {"kind": type(self).__name__, "base_lr": self.base_lr, "count": self.count}

    def arguments(self) -> dict[str, Any]:
        """Give the numbers and words that the schedule was made with, by their names."""
        state = self.state_dict()
        plain = {k: v for k, v in vars(self).items() if isinstance(v, (bool, int, float, str))}
        return {name: value for name, value in plain.items() if name not in state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where another schedule of this class stood.

        Raises
        ------
        ValueError
            If the state is not that of a schedule of this class.
        """
        own = self.state_dict()
        if state.get("kind") != own["kind"] or set(state) != set(own):
            raise ValueError(
                f"{own['kind']}: the state is that of {state.get('kind', 'no schedule')}, with "
                f"{', '.join(state) or 'nothing'}; it must have {', '.join(own)}"
            )
        for name in own.keys() - {"kind"}:
            if not isinstance(state[name], Real):
                raise ValueError(
                    f"{own['kind']}: the state's {name} must be a number, "
                    f"got {shortened(state[name])}"
                )
        for name in own.keys() - {"kind"}:
            setattr(self, name, state[name])


def _rate_of(optimizer: Optimizer) -> float:
    if not isinstance(optimizer, Optimizer):
        raise ValueError(
            "the optimizer of a schedule must be an Optimizer, such as Adam(model.parameters()), "
            f"got {optimizer!r}"
        )
    return optimizer.lr


class StepLR(Schedule):
    """Multiply the rate by `gamma` once every `step_size` steps."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = integer(step_size, 1, "StepLR: step_size")
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, k: int) -> float:
        """Give η₀ γ^⌊k / step_size⌋."""
        return float(self.base_lr * self.gamma ** (k // self.step_size))


class ExponentialLR(Schedule):
    """Multiply the rate by `gamma` at every step."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, k: int) -> float:
        """Give η₀ γᵏ."""
        return float(self.base_lr * self.gamma**k)


class CosineAnnealingLR(Schedule):
    """Let the rate fall along half a cosine, from the base rate to `eta_min` in `T_max` steps."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = integer(T_max, 1, "CosineAnnealingLR: T_max")
        self.eta_min = eta_min
        super().__init__(optimizer)

    def rate(self, k: int) -> float:
        """Give η_min + (η₀ − η_min) (1 + cos(π k / T_max)) / 2."""
        share = (1 + math.cos(math.pi * k / self.T_max)) / 2
        return self.eta_min + (self.base_lr - self.eta_min) * share


class LinearLR(Schedule):
    """Warm up: a factor goes from `start_factor` to `end_factor` in `total_iters` steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = integer(total_iters, 1, "LinearLR: total_iters")
        super().__init__(optimizer)

    def rate(self, k: int) -> float:
        """Give η₀ times the factor at k, which stays at `end_factor` once it is there."""
        way = min(k, self.total_iters) / self.total_iters
        return self.base_lr * (self.start_factor + (self.end_factor - self.start_factor) * way)


class LambdaLR(Schedule):
    """Any function of k times the base rate.

    Examples
    --------
    >>> from microgrrepresent import Tensor
    >>> from rnn import SGD, LambdaLR
    >>> optimizer = SGD([Tensor(0.0, requires_grad=True)], lr=0.5)
    >>> schedule = LambdaLR(optimizer, lambda k: 1 / (1 + k))
    >>> schedule.step()
    >>> optimizer.lr
    0.25
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float]) -> None:
        self.lr_lambda = function(lr_lambda, "LambdaLR", "lr_lambda")
        super().__init__(optimizer)

    def rate(self, k: int) -> float:
        """Give η₀ f(k)."""
        return self.base_lr * self.lr_lambda(k)


class ReduceLROnPlateau(Schedule):
    """Multiply the rate by `factor` when the loss has not fallen for more than `patience` calls.

    The loss is one on validation data: that of a single batch says too little.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rate to set.
    factor : float
        Below 1.
    patience : int
        How many calls without a new best loss are tolerated.
    threshold : float
        A loss is a new best if it is below (1 - threshold) times the best so far.
    cooldown : int
        For how many calls after a reduction none is counted as bad.
    min_lr : float
        The rate does not go below this.
    """

    after_validation = True

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be > 0 and < 1, got {factor}")
        self.factor = factor
        self.patience = integer(patience, 0, "ReduceLROnPlateau: patience")
        self.threshold = threshold
        self.cooldown = integer(cooldown, 0, "ReduceLROnPlateau: cooldown")
        self.min_lr = min_lr
        self.lr = _rate_of(optimizer)
        self.best = math.inf
        self.bad = 0
        self.resting = 0
        super().__init__(optimizer)

    def rate(self, k: int) -> float:
        """Give the rate as the losses have left it."""
        return self.lr

    def step(self, loss: float | None = None) -> None:
        """Note a loss, and reduce the rate if it has not fallen for too long.

        Raises
        ------
        ValueError
            If no loss is given.
        """
        if loss is None:
            raise ValueError("ReduceLROnPlateau: step(loss) needs the loss that was measured")
        loss = number(loss, "ReduceLROnPlateau: the loss")
        if loss < self.best * (1 - self.threshold):
            self.best, self.bad = loss, 0
        else:
            self.bad += 1
        if self.resting > 0:
            self.resting, self.bad = self.resting - 1, 0
        if self.bad > self.patience:
            self.lr, self.bad, self.resting = self._reduced(), 0, self.cooldown
        super().step()

    def _reduced(self) -> float:
        new = max(self.lr * self.factor, self.min_lr)
        return new if self.lr - new > 1e-8 else self.lr  # as PyTorch: no step too small to matter

    def state_dict(self) -> dict[str, Any]:
        """Give what the next rate depends on, beside the arguments of the constructor."""
        own = {name: getattr(self, name) for name in ("lr", "best", "bad", "resting")}
        return super().state_dict() | own
