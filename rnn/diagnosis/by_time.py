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
from typing import TYPE_CHECKING, Any

import numpy as np

from microgrrepresent import Adjoints, GradientError, Node, backward
from microgrrepresent.arguments import one_node
from microgrrepresent.node import Array
from microgrrepresent.norms import euclidean_norm
from microgrrepresent.prompt import ByTime
from rnn.diagnosis.shown import Shown

if TYPE_CHECKING:
    from rnn.figures import Figure

Pair = tuple[int, int | None]  # (step of the loss, step of the use; None: used outside of steps)


def gradient_by_step(loss: Node, W: Node) -> ByTime[int | None]:
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
    >>> from rnn.diagnosis import gradient_by_step
    >>> w, s = Tensor(2.0, requires_grad=True), Tensor(1.0)
    >>> for t, x in steps(Tensor([0.0, 0.0, 1.0])):
    ...     s = w * s + x
    >>> {k: float(term) for k, term in gradient_by_step(s, w).items()}
    {1: 4.0, 2: 4.0, 3: 4.0}
    """
    return backward(loss).by_step(W)


@dataclass(frozen=True)
class PairTerms(Shown):
    """The terms of dL/dW by pair of time steps. Made by `gradient_by_lag`.

    Attributes
    ----------
    terms : dict from (int, int) to ndarray
        ``{(t, k): term}``: what the loss at step t sends to the use of W at step k.
    """

    terms: dict[Pair, Array]

    def __repr__(self) -> str:
        return f"<PairTerms: {len(self.terms)} pairs of a loss's step and a use's step>"

    def __getitem__(self, pair: Pair) -> Array:
        return self.terms[pair]

    def sum(self) -> Array:
        """The double sum: dL/dW for L, the sum of the losses."""
        return _total(self.terms.values())

    def by_loss(self) -> ByTime[int]:
        """``{t: dL_t/dW}``, the sum over k of each loss: what RTRL knows at time t."""
        terms = self.terms.items()
        return ByTime({t: _total(g for (s, _), g in terms if s == t) for t, _ in self.terms})

    def by_step(self) -> ByTime[int | None]:
        """``{k: term}``, the sum over t for each use: what `gradient_by_step` gives."""
        terms = self.terms.items()
        return ByTime({k: _total(g for (_, s), g in terms if s == k) for _, k in self.terms})

    def by_lag(self) -> ByTime[int]:
        """``{|t - k|: term}``, the sum over all pairs that are equally far apart."""
        parts: dict[int, list[Array]] = {}
        for (t, k), g in self.terms.items():
            if k is not None:
                parts.setdefault(abs(t - k), []).append(g)
        return ByTime({lag: _total(parts[lag]) for lag in sorted(parts)})

    def norms(self) -> dict[int, float]:
        """``{lag: norm}`` of the terms of `by_lag`: the bars of the chart."""
        return {lag: euclidean_norm(g) for lag, g in self.by_lag().items()}

    def share(self, beyond: int) -> float:
        """The lags above `beyond`: the sum of their norms, divided by that of all lags."""
        norms = self.norms()
        whole = sum(norms.values())
        return sum(n for lag, n in norms.items() if lag > beyond) / whole if whole else 0.0

    def __str__(self) -> str:
        """A table with a bar chart: lag, norm of its term, its share of all norms."""
        norms = self.norms()
        whole, top = sum(norms.values()) or 1.0, max(norms.values(), default=0.0) or 1.0
        rows = [
            f"{lag:>4}  {n:>10.3e}  {n / whole:>7.2%}  {_bar(n / top)}".rstrip()
            for lag, n in norms.items()
        ]
        return "\n".join([f"{'lag':>4}  {'norm':>10}  {'share':>7}", *rows])

    def figure(self, title: str | None = None) -> Figure:
        """Draw the norm of the terms of each lag as a bar.

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        from rnn.diagnosis.lags_figure import figure

        return figure(self, title)


def gradient_by_lag(losses: Sequence[Node] | Mapping[int, Node] | Node, W: Node) -> PairTerms:
    """Every term of the double sum that dL/dW is: from the loss at step t, at the use at step k.

    It takes one reverse sweep for each loss.

    Parameters
    ----------
    losses : sequence of Tensor, mapping from int to Tensor, or Tensor
        The loss of each time step, a scalar. A loss counts for the step at which it was made or, if
        it was made outside of any step, for that of the outputs that it was made of; where that is
        not one step, ``{t: loss}`` says it. A single Tensor has time as its first axis, from 1.
    W : Tensor
        A parameter, or any node on the way from a parameter to the losses.

    Returns
    -------
    PairTerms

    Raises
    ------
    GradientError
        If none of the losses depends on W, two of them were made at the same step, or the step of
        one is not known or is not that under which it is given.

    Examples
    --------
    >>> from microgrrepresent import Tensor, steps
    >>> from rnn.diagnosis import gradient_by_lag
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
    one_node(W, "gradient_by_lag", "the parameter")
    terms: dict[Pair, Array] = {}
    times: set[int] = set()
    for i, (given, loss, seed) in enumerate(seeded(losses, "gradient_by_lag"), start=1):
        adjoints = backward(loss, seed)
        if W not in adjoints:
            continue
        t = time_of(given, i, loss, adjoints, "gradient_by_lag")
        if t in times:
            raise twice(t, "gradient_by_lag")
        times.add(t)
        for k, term in adjoints.by_step(W).items():
            future = k is not None and k > t  # reached only where a direction runs backward in time
            if not future or term.any():
                terms[t, k] = term
    if not terms:
        raise GradientError(
            f"gradient_by_lag: none of the losses depends on {W.name or 'the parameter'} {W.shape}"
        )
    return PairTerms(terms)


def seeded(
    losses: Sequence[Node] | Mapping[int, Node] | Node, who: str
) -> list[tuple[int | None, Node, Array | None]]:
    """The step under which each loss is given, if it is; the loss, and the seed that picks it."""
    if isinstance(losses, Node):
        if losses.ndim == 0:
            raise GradientError(
                f"{who}: one scalar loss has no time axis; give the losses of the steps, "
                "as a list or as a Tensor with time as its first axis"
            )
        seeds = np.zeros((len(losses.value), *losses.shape), losses.dtype)
        for t, seed in enumerate(seeds):
            seed[t] = 1
        return [(t, losses, seed) for t, seed in enumerate(seeds, start=1)]
    if not isinstance(losses, Iterable):
        raise TypeError(
            f"{who}: the losses of the steps are wanted, as a list, as {{t: loss}} or as a "
            f"Tensor with time as its first axis, got {type(losses).__name__}"
        )
    given: list[tuple[Any, Node]]
    given = list(losses.items()) if isinstance(losses, Mapping) else [(None, x) for x in losses]
    for t, loss in given:
        one_node(loss, who, "every loss")
        if t is not None and not isinstance(t, (int, np.integer)):
            raise TypeError(f"gradient_by_lag: in {{t: loss}}, t is a time step, got {t!r}")
    return [(t, loss, None) for t, loss in given]


def time_of(given: int | None, i: int, loss: Node, adjoints: Adjoints, who: str) -> int:
    """The time step of the i-th loss: as it is given, if the graph does not contradict."""
    made = {loss.step} if loss.step is not None else _steps_of_outputs(loss, adjoints)
    if given is None and len(made) != 1:
        where = f"outputs of {len(made)} steps" if made else "no step"
        raise GradientError(
            f"{who}: the time step of loss {i} is not known, because it was made of "
            f"{where}; give {{t: loss}}"
        )
    if given is not None and made and given < min(made):
        raise GradientError(
            f"{who}: the loss given for t={given} was made of outputs at "
            f"t={min(made)}, which come later; give the losses as "
            "{t: loss}, each with its own step"
        )
    return next(iter(made)) if given is None else given


def twice(t: int, who: str) -> GradientError:
    """The error of two losses of one step."""
    return GradientError(
        f"{who}: two losses were made at t={t}; add up the losses of a step, or give {{t: loss}}"
    )


def _steps_of_outputs(loss: Node, adjoints: Adjoints) -> set[int]:
    """The steps of the outputs that a loss outside of all steps was made of.

    Those to which it sends something: of a layer's outputs, stacked, it may have picked one.
    """
    found: dict[int, bool] = {}
    seen, todo = {loss}, [loss]
    while todo:
        child = todo.pop()
        for i, parent in enumerate(child.parents):
            sent = adjoints.along(child, i)
            if sent is None:
                continue
            if parent.step is not None:
                found[parent.step] = found.get(parent.step, False) or bool(sent.any())
            elif parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return {t for t, reached in found.items() if reached} or set(found)


def _bar(share: float) -> str:
    """A bar of up to 30 characters, in eighths of one; none for NaN."""
    eighths = round(8 * 30 * share) if np.isfinite(share) else 0
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _total(parts: Iterable[Array]) -> Array:
    return np.sum(list(parts), axis=0)  # type: ignore[no-any-return]
