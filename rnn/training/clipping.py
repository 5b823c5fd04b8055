r"""Gradient clipping: three ways to keep an exploding gradient from throwing the parameters away.

    by global norm    if ‖g‖ > θ:   g ← θ g / ‖g‖      g is all gradients, taken as one vector
    by tensor norm    the same for each parameter's gradient on its own
    by value          g ← min(max(g, −θ), θ)           each element on its own

Only the first keeps the direction of the step (Pascanu, Mikolov and Bengio 2013). Each function
changes ``.grad`` of the parameters and returns a `Clipping`, which says what it did.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Real

import numpy as np

from microgrrepresent import Tensor
from microgrrepresent.errors import shortened
from microgrrepresent.node import Array
from microgrrepresent.norms import euclidean_norm
from rnn.inputs import parameters_of


@dataclass(frozen=True)
class Clipping:
    """What a clipping function did; ``float(clipping)`` is the norm before.

    Attributes
    ----------
    before, after : float
        Norm of all gradients, taken as one vector, before and after.
    changed, total : int
        How many of how many `units` were changed.
    units : str
        ``"gradients"`` (one for each parameter) or ``"elements"``.
    """

    before: float
    after: float
    changed: int
    total: int
    units: str

    def __float__(self) -> float:
        return self.before

    def __str__(self) -> str:
        return (
            f"gradient norm {self.before:.4g} -> {self.after:.4g}, "
            f"{self.changed} of {self.total} {self.units} clipped"
        )


def grad_norm(parameters: Iterable[Tensor]) -> float:
    """Euclidean norm of all gradients, taken as one vector; parameters without one count as 0."""
    found = parameters_of(parameters, "grad_norm")
    return math.hypot(*(euclidean_norm(w.grad) for w in found if w.grad is not None))


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float) -> Clipping:
    """Scale all gradients by one factor, so that their common norm is at most `max_norm`.

    A norm that is NaN or infinite cannot be scaled: the gradients are left alone, and ``before``
    shows it.

    Raises
    ------
    ValueError
        If `max_norm` is not positive.

    Examples
    --------
    >>> from microgrrepresent import Tensor
    >>> from rnn import clip_grad_norm
    >>> w = Tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> print(clip_grad_norm([w], 5.0))
    gradient norm 10 -> 5, 1 of 1 gradients clipped
    >>> w.grad.tolist()
    [3.0, 4.0]
    """
    _check(max_norm, "clip_grad_norm: max_norm")
    trained = _trained(parameters, "clip_grad_norm")
    before = grad_norm(trained)
    if not math.isfinite(before) or before <= max_norm:
        return Clipping(before, before, 0, len(trained), "gradients")
    for w in trained:
        w.grad = _scaled(w.grad, max_norm, before)
    return Clipping(before, grad_norm(trained), len(trained), len(trained), "gradients")


def clip_tensor_norms(parameters: Iterable[Tensor], max_norm: float) -> Clipping:
    """Scale each parameter's gradient on its own, so that its norm is at most `max_norm`.

    Raises
    ------
    ValueError
        If `max_norm` is not positive.
    """
    _check(max_norm, "clip_tensor_norms: max_norm")

    def clipped(g: Array) -> Array:
        norm = euclidean_norm(g)
        return _scaled(g, max_norm, norm) if math.isfinite(norm) and norm > max_norm else g

    return _each(_trained(parameters, "clip_tensor_norms"), clipped, "gradients")


def clip_grad_value(parameters: Iterable[Tensor], limit: float) -> Clipping:
    """Bring each element of each gradient into [-limit, limit]. The direction may change.

    NaN stays NaN, and does not count as clipped.

    Raises
    ------
    ValueError
        If `limit` is not positive.
    """
    _check(limit, "clip_grad_value: limit")
    trained = _trained(parameters, "clip_grad_value")
    return _each(trained, lambda g: np.clip(g, -limit, limit), "elements")


def _trained(parameters: Iterable[Tensor], who: str) -> list[Tensor]:
    """The parameters that have a gradient."""
    given = parameters_of(parameters, who)
    for w in given:
        if not isinstance(w, Tensor):
            raise ValueError(f"{who}: parameters must be Tensors, got {shortened(w)}")
    return [w for w in given if w.grad is not None]


def _each(trained: list[Tensor], clipped: Callable[[Array], Array], units: str) -> Clipping:
    before, changed, total = grad_norm(trained), 0, 0
    for w in trained:
        assert w.grad is not None
        new = clipped(w.grad)
        differs = (new != w.grad) & ~np.isnan(w.grad)  # NaN differs from itself, and stays
        changed += int(differs.sum() if units == "elements" else differs.any())
        total += new.size if units == "elements" else 1
        w.grad = new
    return Clipping(before, grad_norm(trained), changed, total, units)


def _scaled(g: Array | None, to: float, norm: float) -> Array:
    """The gradient times to/norm; divided first, so that a huge norm does not round that to 0."""
    assert g is not None
    return (g / norm) * to


def _check(threshold: float, name: str) -> None:
    if not (isinstance(threshold, Real) and threshold > 0):
        raise ValueError(f"{name} must be a number > 0, got {threshold!r}")
