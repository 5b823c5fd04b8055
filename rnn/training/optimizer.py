"""What all optimizers share: parameters, a learning rate, and a memory for each parameter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from microgrrepresent import Tensor
from microgrrepresent.errors import shortened
from microgrrepresent.node import Array
from rnn.inputs import parameters_of

Memory = dict[str, Array]
Parameters = Iterable[Tensor | Mapping[str, Any]]


class Optimizer:
    """A way to turn gradients into steps, and what it remembers of them.

    A new optimizer is a subclass with one method, ``update(w, g, lr, memory) -> w``.

    Parameters
    ----------
    parameters : iterable of Tensor, or of dict
        The leaves to train; each must require a gradient. They keep this order in `state_dict`.
        A dict ``{"params": [...], "lr": 0.01}`` is a group with a learning rate of its own.
    lr : float
        The learning rate η. Assign to ``optimizer.lr`` to change it, as schedules do; the rates of
        groups change in proportion.
    weight_decay : float
        λ: adds λw to the gradient, which is the gradient of the penalty (λ/2) Σ w².

    Raises
    ------
    ValueError
        For no parameters, one that is given twice or needs no gradient, or a setting out of range;
        a rate that a schedule has brought out of range is refused at the next step.
    """

    settings: ClassVar[tuple[str, ...]] = ("lr", "weight_decay")
    """Names of the numbers that `state_dict` keeps beside the memories."""

    def __init__(self, parameters: Parameters, lr: float, weight_decay: float = 0.0) -> None:
        self.require("lr", lr)
        self.require("weight_decay", weight_decay)
        self.parameters: list[Tensor] = []
        self.shares: list[float] = []  # of each parameter: its rate, in parts of `lr`
        for entry in parameters_of(parameters, self._kind):
            found, share = self._group(entry, lr) if isinstance(entry, Mapping) else ([entry], 1.0)
            self.parameters += found
            self.shares += [share] * len(found)
        if not self.parameters:
            raise ValueError(f"{self._kind}: there are no parameters to train")
        for w in self.parameters:
            if not (isinstance(w, Tensor) and w.is_leaf and w.requires_grad):
                raise ValueError(
                    f"{self._kind}: {getattr(w, 'name', None) or 'a parameter'} cannot be trained; "
                    "give leaves made with Tensor(data, requires_grad=True)"
                )
        if len(set(self.parameters)) < len(self.parameters):
            raise ValueError(
                f"{self._kind}: a parameter is given twice, and would be moved twice at each step"
            )
        self.lr = lr
        self.weight_decay = weight_decay
        self.memories: list[Memory] = [{} for _ in self.parameters]

    def __repr__(self) -> str:
        told = "".join(f", {name}={getattr(self, name)!r}" for name in self.settings)
        return f"{self._kind}({len(self.parameters)} parameters{told})"

    def step(self) -> None:
        """Move every parameter that has a gradient by one step against it."""
        self.require("lr", self.lr)
        for w, share, memory in zip(self.parameters, self.shares, self.memories, strict=True):
            if w.grad is not None:
                w.assign(self.update(w.value, w.grad, self.lr * share, memory))

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give the parameter's new value; `memory` is its own and may be written to."""
        raise NotImplementedError(f"{self._kind} has no update rule")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, because ``backward()`` adds to what is there; or let them be 0."""
        for w in self.parameters:
            w.grad = None if set_to_none else np.zeros_like(w.value)

    def state_dict(self) -> dict[str, Any]:
        """What the next step depends on: settings, and arrays under ``<index>.<name>``."""
        state: dict[str, Any] = {"kind": self._kind, "shares": list(self.shares)}
        state.update({name: getattr(self, name) for name in self.settings})
        for i, memory in enumerate(self.memories):
            state.update({f"{i}.{name}": array.copy() for name, array in memory.items()})
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where another optimizer of this class stood.

        Raises
        ------
        ValueError
            If the state is of another class, of parameters of other shapes or number, or not a
            whole one. Then nothing is changed.
        """
        if not isinstance(state, Mapping):
            raise ValueError(
                f"{self._kind}: a state is a dict, as state_dict() gives it, got {shortened(state)}"
            )
        if state.get("kind") != self._kind:
            raise ValueError(
                f"{self._kind}: the state given is that of {state.get('kind', 'no optimizer')}"
            )
        shares = list(state.get("shares", ()))
        if len(shares) != len(self.parameters):
            raise ValueError(
                f"{self._kind}: the state is that of {len(shares)} parameters, "
                f"but {len(self.parameters)} are being trained"
            )
        if missing := [name for name in self.settings if name not in state]:
            raise ValueError(f"{self._kind}: the state has no {', '.join(missing)}")
        for name in self.settings:
            if isinstance(getattr(self, name), Real) != isinstance(state[name], Real):
                raise ValueError(
                    f"{self._kind}: the state's {name} is of another kind than "
                    f"{getattr(self, name)!r}, got {shortened(state[name])}"
                )
        memories: list[Memory] = [{} for _ in self.parameters]
        for key in state:
            if key in ("kind", "shares", *self.settings):
                continue
            index, _, name = key.partition(".")
            if not (name and index.isdecimal() and int(index) < len(memories)):
                raise ValueError(
                    f"{self._kind}: the state has {key!r}, which is neither a setting nor what is "
                    f"remembered of one of {len(memories)} parameters, such as '0.s'"
                )
            array, w = np.array(state[key]), self.parameters[int(index)]
            if array.dtype.kind not in "biuf":
                raise ValueError(
                    f"{self._kind}: the state's {name} for {w.name or f'parameter {index}'} must "
                    f"be of real numbers, got {shortened(state[key])}"
                )
            if array.ndim and array.shape != w.shape:
                raise ValueError(
                    f"{self._kind}: the state's {name} for {w.name or f'parameter {index}'} has "
                    f"shape {array.shape}; the parameter has {w.shape}"
                )
            memories[int(index)][name] = array
        for name in self.settings:
            setattr(self, name, state[name])
        self.shares, self.memories = shares, memories

    @property
    def _kind(self) -> str:
        return type(self).__name__

    def _group(self, group: Mapping[str, Any], lr: float) -> tuple[list[Tensor], float]:
        """The parameters of a group, and their rate in parts of `lr`."""
        if "params" not in group or set(group) - {"params", "lr"}:
            raise ValueError(
                f"{self._kind}: a group of parameters must have 'params' and may have 'lr', "
                f"got {', '.join(map(repr, group)) or 'nothing'}"
            )
        own = group.get("lr", lr)
        self.require("lr of a group", own)
        if own != lr == 0:
            raise ValueError(
                f"{self._kind}: lr of a group must be 0, because groups follow lr in proportion "
                f"and lr is 0, got {own!r}"
            )
        found = parameters_of(group["params"], f"{self._kind}, params of a group")
        return found, own / lr if own != lr else 1.0

    def require(self, name: str, value: object, below: float = math.inf) -> None:
        """Refuse a setting that is not a finite number >= 0, and below a limit."""
        if not (isinstance(value, Real) and 0 <= float(value) < below):
            limit = "a finite number >= 0" if below == math.inf else f"a number >= 0 and < {below}"
            raise ValueError(f"{self._kind}: {name} must be {limit}, got {value!r}")

    def decayed(self, w: Array, g: Array) -> Array:
        """Give the gradient with that of the penalty on w."""
        return g + self.weight_decay * w if self.weight_decay else g
