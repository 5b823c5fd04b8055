r"""softmax and its kin in plain NumPy: what the operations run, and what a printed program calls.

exp overflows at 710, so each function first subtracts the row's maximum, which the result does
not depend on. A row of -inf only, such as a fully masked row of attention scores, has nothing to
share out: its softmax is 0.
"""

from __future__ import annotations

import numpy as np

from microgrrepresent.node import Array


def largest(x: Array, axis: int = -1) -> Array:
    """What to subtract from each row before exp: its (real) maximum, a finite one if it is not."""
    ends = np.finfo(x.dtype)
    top: Array = np.minimum(np.max(x.real, axis, keepdims=True, initial=ends.min), ends.max)
    return top


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) divided by its sum along an axis."""
    e = np.exp(x - largest(x, axis))
    total = np.sum(e, axis=axis, keepdims=True)
    shares: Array = e / np.maximum(total, np.finfo(x.dtype).tiny)  # of nothing, 0
    return shares


def logsumexp(x: Array, axis: int = -1, keepdims: bool = False) -> Array:
    """log(sum(exp(x))) along an axis."""
    top = largest(x, axis)
    with np.errstate(divide="ignore"):  # the log of an empty sum is -inf
        y: Array = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """Logarithm of softmax; not x - logsumexp(x): log 2 would drown in 1000 + log 2."""
    z = x - largest(x, axis)
    total = np.sum(np.exp(z), axis=axis, keepdims=True)
    y: Array = z - np.log(np.maximum(total, np.finfo(x.dtype).tiny))
    return y


def binary_cross_entropy(x: Array, t: Array) -> Array:
    """-t log σ(x) - (1 - t) log(1 - σ(x)), without the logarithm of a rounded probability.

    It is how far the wrong side of 0 is reached, times the share of it that the target misses; a
    share of 0 costs nothing even if x is infinite.
    """
    missed = np.where(x > 0, 1 - t, t)
    with np.errstate(invalid="ignore"):  # 0 · inf
        cost = np.where(missed == 0, 0, missed * np.abs(x))
    y: Array = cost + np.log1p(np.exp(-np.abs(x)))
    return y


def cross_entropy(x: Array, t: Array) -> Array:
    """Negative log-probability of the target class of each row."""
    rows = log_softmax(x).reshape(t.size, x.shape[-1])
    y: Array = -rows[np.arange(t.size), t.reshape(-1)].reshape(t.shape)
    return y
