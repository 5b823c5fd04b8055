r"""Optimizers: each turns a gradient into a step.

With g for dL/dw and η for the learning rate,

    SGD       v ← μ v + g                                       w ← w − η v
    Adagrad   s ← s + g²                                        w ← w − η g / (√s + ε)
    RMSprop   s ← α s + (1−α) g²                                w ← w − η g / (√s + ε)
    Adam      m ← β₁ m + (1−β₁) g,   s ← β₂ s + (1−β₂) g²       w ← w − η m̂ / (√ŝ + ε)
              with m̂ = m / (1−β₁ᵏ),  ŝ = s / (1−β₂ᵏ)  at the k-th step

Names, arguments, defaults and numbers are those of `torch.optim`. What an optimizer remembers
(v, s, m, k) is in its `state_dict`, because training that is resumed without it is not resumed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from microgrrepresent import Tensor
from microgrrepresent.node import Array
from rnn.inputs import parameters_of

Memory = dict[str, Array]
Parameters = Iterable[Tensor | Mapping[str, Any]]


class Optimizer:
    """What all optimizers share: parameters, a learning rate, and a memory for each parameter.

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
        self._require("lr", _within(lr), lr)
        self._require("weight_decay", _within(weight_decay), weight_decay)
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

    def step(self) -> None:
        """Move every parameter that has a gradient by one step against it."""
        self._require("lr", _within(self.lr), self.lr)
        for w, share, memory in zip(self.parameters, self.shares, self.memories, strict=True):
            if w.grad is not None:
                w.assign(self.update(w.value, w.grad, self.lr * share, memory))

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give the parameter's new value; `memory` is its own and may be written to."""
        raise NotImplementedError(f"{self._kind} has no update rule")

    def zero_grad(self) -> None:
        """Forget the gradients, because ``backward()`` adds to what is there."""
        for w in self.parameters:
            w.grad = None

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
                f"{self._kind}: a group of parameters has 'params' and may have 'lr'; "
                f"given {', '.join(map(repr, group)) or 'nothing'}"
            )
        own = group.get("lr", lr)
        self._require("lr of a group", own == lr or (_within(own) and lr > 0), own)
        found = parameters_of(group["params"], f"{self._kind}, params of a group")
        return found, own / lr if own != lr else 1.0

    def _require(
        self, name: str, fine: bool, value: object, expected: str = "a finite number from 0 up"
    ) -> None:
        if not fine:
            raise ValueError(
                f"{self._kind}: {name} = {value!r} is out of range; it must be {expected}"
            )

    def _decayed(self, w: Array, g: Array) -> Array:
        return g + self.weight_decay * w if self.weight_decay else g


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum μ and Nesterov's form of it.

    Parameters
    ----------
    parameters, lr, weight_decay
        See `Optimizer`.
    momentum : float
        μ: the share of the last step's velocity that is kept.
    dampening : float
        The gradient enters the velocity times 1 - dampening, from the second step on.
    nesterov : bool
        Step along g + μv, the gradient after the velocity has been applied, instead of v.

    Examples
    --------
    >>> from microgrrepresent import Tensor
    >>> from rnn import SGD
    >>> w = Tensor(3.0, requires_grad=True)
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> float(w)
    1.5
    """

    settings = ("lr", "momentum", "dampening", "weight_decay", "nesterov")

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.momentum = momentum
        self.dampening = dampening
        self.nesterov = nesterov
        self._require("momentum", _within(momentum), momentum)
        if nesterov and (momentum == 0 or dampening != 0):
            raise ValueError("SGD: Nesterov's form needs momentum > 0 and dampening = 0")

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give w − η v, or without momentum w − η g."""
        g = self._decayed(w, g)
        if self.momentum:
            v = memory.get("v")
            v = np.array(g) if v is None else self.momentum * v + (1 - self.dampening) * g
            memory["v"] = v
            g = g + self.momentum * v if self.nesterov else v
        return w - lr * g


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer 2011): rates shrink with the sum of all squared gradients.

    Parameters
    ----------
    parameters, lr, weight_decay
        See `Optimizer`.
    lr_decay : float
        At the k-th step the rate is lr / (1 + (k-1) lr_decay).
    initial_accumulator_value : float
        What the sum s starts from.
    eps : float
        ε, against division by zero.
    """

    settings = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.lr_decay = lr_decay
        self.initial_accumulator_value = initial_accumulator_value
        self.eps = eps
        for name in ("lr_decay", "initial_accumulator_value", "eps"):
            self._require(name, _within(getattr(self, name)), getattr(self, name))

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give w − η g / (√s + ε)."""
        g = self._decayed(w, g)
        k = _counted(memory)
        if "s" not in memory:
            memory["s"] = np.full_like(w, self.initial_accumulator_value)
        memory["s"] = s = memory["s"] + g * g
        rate = lr / (1 + (k - 1) * self.lr_decay)
        new: Array = w - rate * g / (np.sqrt(s) + self.eps)
        return new


class RMSprop(Optimizer):
    """RMSprop (Hinton 2012): divide by a running root mean square of the gradient.

    Parameters
    ----------
    parameters, lr, weight_decay
        See `Optimizer`.
    alpha : float
        α: how slowly the mean forgets.
    eps : float
        ε, against division by zero.
    momentum : float
        μ: as in `SGD`, on the divided gradient.
    centered : bool
        Divide by the running standard deviation instead.
    """

    settings = ("lr", "alpha", "eps", "weight_decay", "momentum", "centered")

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.alpha = alpha
        self.eps = eps
        self.momentum = momentum
        self.centered = centered
        self._require("alpha", _within(alpha, 1), alpha, "a number from 0 up, below 1")
        self._require("eps", _within(eps), eps)
        self._require("momentum", _within(momentum), momentum)

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give w − η g / (√s + ε)."""
        g = self._decayed(w, g)
        memory["s"] = s = _running_mean(memory.get("s"), g * g, self.alpha)
        if self.centered:
            memory["mean"] = mean = _running_mean(memory.get("mean"), g, self.alpha)
            s = np.maximum(s - mean * mean, 0)  # rounding can take a variance below 0
        step = g / (np.sqrt(s) + self.eps)
        if self.momentum:
            v = memory.get("v")
            memory["v"] = step = step if v is None else self.momentum * v + step
        return w - lr * step


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): running means of the gradient and its square, bias corrected.

    Parameters
    ----------
    parameters, lr, weight_decay
        See `Optimizer`.
    betas : (float, float)
        β₁ and β₂: how slowly the two means forget.
    eps : float
        ε, against division by zero.
    amsgrad : bool
        Divide by the largest mean square so far (Reddi, Kale and Kumar 2018).

    Examples
    --------
    >>> from microgrrepresent import Tensor
    >>> from rnn import Adam
    >>> w = Tensor([3.0, -4.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()  # the first step has the length of the learning rate
    >>> w.numpy().round(6).tolist()
    [2.9, -3.9]
    """

    settings = ("lr", "betas", "eps", "weight_decay", "amsgrad")

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.betas = betas
        self.eps = eps
        self.amsgrad = amsgrad
        pair = np.size(betas) == 2 and all(_within(beta, 1) for beta in betas)
        self._require("betas", pair, betas, "two numbers from 0 up, below 1")
        self._require("eps", _within(eps), eps)

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give w − η m̂ / (√ŝ + ε)."""
        return self._moved(w, self._decayed(w, g), lr, memory)

    def _moved(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        beta1, beta2 = self.betas
        k = _counted(memory)
        memory["m"] = m = _running_mean(memory.get("m"), g, beta1)
        memory["s"] = s = _running_mean(memory.get("s"), g * g, beta2)
        if self.amsgrad:
            memory["top"] = s = np.maximum(memory.get("top", s), s)
        rate = lr / (1 - beta1**k)
        return w - rate * m / (np.sqrt(s) / math.sqrt(1 - beta2**k) + self.eps)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): w ← (1 − ηλ) w, then Adam.

    The decay does not enter the means, so weights with large gradients decay like all others.
    Parameters as in `Adam`.
    """

    def __init__(
        self,
        parameters: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay, amsgrad)

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give (1 − ηλ) w − η m̂ / (√ŝ + ε)."""
        return self._moved((1 - lr * self.weight_decay) * w, g, lr, memory)


def _within(value: object, below: float = math.inf) -> bool:
    """Whether it is a number from 0 up, below a limit."""
    return isinstance(value, Real) and 0 <= float(value) < below


def _running_mean(mean: Array | None, new: Array, keep: float) -> Array:
    return (1 - keep) * new if mean is None else keep * mean + (1 - keep) * new


def _counted(memory: Memory) -> int:
    """Count this step; k is kept as an array so that it is saved with the others."""
    k = int(memory.get("k", 0)) + 1
    memory["k"] = np.array(k)
    return k
