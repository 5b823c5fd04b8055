r"""The gradient of a shared parameter, taken apart: by time step, and by pair of time steps.

A recurrent network uses the same W at every step k, and has a loss L_t at every step t. So dL/dW
is a double sum over the pairs with k <= t, the terms that backpropagation through time adds up:

    dL/dW = Σ_t Σ_{k<=t} (part of dL_t/dW that came from the use of W at step k)

`gradient_by_step` gives the sum over t for each k; `gradient_by_lag` gives every term. A term's
*lag* t - k is how far back in time the loss reached. Where the gradient vanishes, the terms of
long lags are too small to teach W anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from microgrrepresent import GradientError, Node, backward
from microgrrepresent.node import Array

Pair = tuple[int, int | None]  # (step of the loss, step of the use; None: used outside of steps)


def gradient_by_step(loss: Node, W: Node) -> dict[int | None, Array]:
    """What the use of W at each time step contributes to dL/dW.

    Parameters
    ----------
    loss : Tensor
        A scalar.
    W : Tensor
        A parameter, or any node on the way from a parameter to the loss.

    Returns
    -------
    dict from int to ndarray
        ``{k: term}``, each of W's shape; they sum to dL/dW. What was used outside of any step, such
        as in a penalty on the weights, stands under None.

    Examples
    --------
    >>> from microgrrepresent import Tensor, steps
    >>> from rnn.diagnose import gradient_by_step
    >>> w, s = Tensor(2.0, requires_grad=True), Tensor(1.0)
    >>> for t, x in steps(Tensor([0.0, 0.0, 1.0])):
    ...     s = w * s + x
    >>> {k: float(term) for k, term in gradient_by_step(s, w).items()}
    {1: 4.0, 2: 4.0, 3: 4.0}
    """
    return backward(loss).by_step(W)


@dataclass(frozen=True)
class PairTerms:
    """The terms of dL/dW by pair of time steps. Made by `gradient_by_lag`.

    Attributes
    ----------
    terms : dict from (int, int) to ndarray
        ``{(t, k): term}``: what the loss at step t sends to the use of W at step k.
    """

    terms: dict[Pair, Array]

    def __getitem__(self, pair: Pair) -> Array:
        return self.terms[pair]

    def sum(self) -> Array:
        """The double sum: dL/dW for L, the sum of the losses."""
        return _total(self.terms.values())

    def by_loss(self) -> dict[int, Array]:
        """``{t: dL_t/dW}``, the sum over k of each loss: what RTRL knows at time t."""
        return {t: _total(g for (s, _), g in self.terms.items() if s == t) for t, _ in self.terms}

    def by_step(self) -> dict[int | None, Array]:
        """``{k: term}``, the sum over t for each use: what `gradient_by_step` gives."""
        return {k: _total(g for (_, s), g in self.terms.items() if s == k) for _, k in self.terms}

    def by_lag(self) -> dict[int, Array]:
        """``{|t - k|: term}``, the sum over all pairs that are equally far apart."""
        parts: dict[int, list[Array]] = {}
        for (t, k), g in self.terms.items():
            if k is not None:
                parts.setdefault(abs(t - k), []).append(g)
        return {lag: _total(parts[lag]) for lag in sorted(parts)}

    def norms(self) -> dict[int, float]:
        """``{lag: norm}`` of the terms of `by_lag`: the bars of the chart."""
        return {lag: float(np.linalg.norm(g)) for lag, g in self.by_lag().items()}

    def share(self, beyond: int) -> float:
        """The lags above `beyond`: the sum of their norms, divided by that of all lags."""
        norms = self.norms()
        whole = sum(norms.values())
        return sum(n for lag, n in norms.items() if lag > beyond) / whole if whole else 0.0

    def __str__(self) -> str:
        """A table: lag, norm of its term, its share of all norms."""
        norms = self.norms()
        whole = sum(norms.values()) or 1.0
        rows = [f"{lag:>4}  {n:>10.3e}  {n / whole:>7.2%}" for lag, n in norms.items()]
        return "\n".join([f"{'lag':>4}  {'norm':>10}  {'share':>7}", *rows])


def gradient_by_lag(losses: Sequence[Node] | Mapping[int, Node] | Node, W: Node) -> PairTerms:
    """Every term of the double sum that dL/dW is: from the loss at step t, at the use at step k.

    It takes one reverse sweep for each loss.

    Parameters
    ----------
    losses : sequence of Tensor, mapping from int to Tensor, or Tensor
        The loss of each time step, a scalar. In a sequence, a loss counts for the step at which it
        was made or, if it was made outside of any step, for its position, counted from 1. A single
        Tensor has time as its first axis.
    W : Tensor
        A parameter, or any node on the way from a parameter to the losses.

    Returns
    -------
    PairTerms

    Raises
    ------
    GradientError
        If none of the losses depends on W, or two of them were made at the same step.

    Examples
    --------
    >>> from microgrrepresent import Tensor, steps
    >>> from rnn.diagnose import gradient_by_lag
    >>> w, s, losses = Tensor(0.5, requires_grad=True, name="w"), Tensor(1.0), []
    >>> for t, x in steps(Tensor([0.0, 0.0, 0.0])):
    ...     s = w * s
    ...     losses.append(s)
    >>> pairs = gradient_by_lag(losses, w)
    >>> {pair: float(term) for pair, term in pairs.terms.items() if pair[0] == 3}
    {(3, 1): 0.25, (3, 2): 0.25, (3, 3): 0.25}
    >>> float(pairs.sum())
    2.75
    """
    terms: dict[Pair, Array] = {}
    for t, loss, seed in _timed(losses):
        adjoints = backward(loss, seed)
        if W not in adjoints:
            continue
        for k, term in adjoints.by_step(W).items():
            future = k is not None and k > t  # reached only where a direction runs backward in time
            if not future or term.any():
                terms[t, k] = term
    if not terms:
        raise GradientError(
            f"gradient_by_lag: none of the losses depends on {W.name or 'the parameter'} {W.shape}"
        )
    return PairTerms(terms)


def _timed(
    losses: Sequence[Node] | Mapping[int, Node] | Node,
) -> list[tuple[int, Node, Array | None]]:
    """Give each loss its time step, and the seed that picks it."""
    if isinstance(losses, Node):
        if losses.ndim == 0:
            raise GradientError(
                "gradient_by_lag: one scalar loss has no time axis; give the losses of the steps, "
                "as a list or as a Tensor with time as its first axis"
            )
        seeds = np.zeros((len(losses.value), *losses.shape), losses.dtype)
        for t, seed in enumerate(seeds):
            seed[t] = 1
        return [(t, losses, seed) for t, seed in enumerate(seeds, start=1)]
    if isinstance(losses, Mapping):
        return [(t, loss, None) for t, loss in losses.items()]
    made = [loss.step for loss in losses]
    times = [t if t is not None else i for i, t in enumerate(made, start=1)]
    if len(set(times)) < len(times):
        twice = next(t for t in times if times.count(t) > 1)
        raise GradientError(
            f"gradient_by_lag: two losses were made at t={twice}; add up the losses of a step, "
            "or give {t: loss}"
        )
    return [(t, loss, None) for t, loss in zip(times, losses, strict=True)]


def _total(parts: Iterable[Array]) -> Array:
    return np.sum(list(parts), axis=0)  # type: ignore[no-any-return]
