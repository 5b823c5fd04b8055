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

import numpy as np

from microgrrepresent.node import Array
from rnn.inputs import flags
from rnn.training.optimizer import Memory, Optimizer, Parameters


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
        self.require("momentum", momentum)
        flags("SGD", nesterov=nesterov)
        if nesterov and (momentum == 0 or dampening != 0):
            raise ValueError("SGD: Nesterov's form needs momentum > 0 and dampening = 0")

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give w − η v, or without momentum w − η g."""
        g = self.decayed(w, g)
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
            self.require(name, getattr(self, name))

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give w − η g / (√s + ε)."""
        g = self.decayed(w, g)
        k = _step_count(memory)
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
        self.require("alpha", alpha, below=1)
        self.require("eps", eps)
        self.require("momentum", momentum)

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give w − η g / (√s + ε)."""
        g = self.decayed(w, g)
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
        if np.size(betas) != 2:
            raise ValueError(f"{type(self).__name__}: betas must be two numbers, got {betas!r}")
        for name, beta in zip(("beta1", "beta2"), betas, strict=True):
            self.require(name, beta, below=1)
        self.require("eps", eps)

    def update(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        """Give w − η m̂ / (√ŝ + ε)."""
        return self._moved(w, self.decayed(w, g), lr, memory)

    def _moved(self, w: Array, g: Array, lr: float, memory: Memory) -> Array:
        beta1, beta2 = self.betas
        k = _step_count(memory)
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


def _running_mean(mean: Array | None, new: Array, keep: float) -> Array:
    return (1 - keep) * new if mean is None else keep * mean + (1 - keep) * new


def _step_count(memory: Memory) -> int:
    """Count this step; k is kept as an array so that it is saved with the others."""
    k = int(memory.get("k", 0)) + 1
    memory["k"] = np.array(k)
    return k
