r"""Decoding: from a model of the next token to a sequence of tokens.

A model is used here through one function, `step`: given the token at t and the state, it gives the
scores (logits) of the token at t+1, and the new state. By the chain rule of probability,

    P(y_1, ..., y_T) = Π_t P(y_t | y_1, ..., y_{t-1}),

one such function gives the probability of every sequence (`log_probability`), draws sequences
from that distribution (`sample`), and searches for a likely one (`greedy`, `beam`).

Nothing is recorded here: there is no graph, and no gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from microgrrepresent import Tensor, log_softmax, no_grad, primitive
from microgrrepresent.arrays import plain_array
from microgrrepresent.node import Array
from rnn.errors import DataError, NonFiniteError
from rnn.inputs import integer

Step = Callable[[Any, Any], tuple[Any, Any]]
"""``step(tokens, state) -> (logits, state)``, of tokens (B,) and logits (B, V).

A state of None is the initial one; any other is an array or Tensor with a row for each sequence,
(B, ...), or a tuple of states, or has a method ``rows(which)`` that gives it for some of them. What
comes first may be anything that `step` understands: the index of a token such as ``<eos>`` or a
line break, or a vector of zeros.
"""


@dataclass(frozen=True)
class Decoded:
    """A sequence that was decoded.

    Attributes
    ----------
    tokens : list of int
        Its tokens, without what came first and without the end.
    log_probability : float
        Logarithm of the probability that the model gives it, its end included.
    ended : bool
        Whether it came to its end, or was cut at the length that was asked for.
    """

    tokens: list[int]
    log_probability: float
    ended: bool


likeliest = primitive(
    "likeliest",
    lambda x: _finite(x).argmax(axis=-1),
    (None,),
    symbol="argmax",
    source="np.argmax(x, -1)",
    doc="The most likely index of each row, recorded: what a decoder that runs freely reads next.",
)


def categorical(
    logits: Any, rng: np.random.Generator | None = None, temperature: float = 1.0
) -> Array:
    """Draw an index from softmax(logits / temperature), for each row.

    Adding to each score a random number of Gumbel's distribution and taking the largest draws
    from exactly this softmax (Gumbel 1954), without ever working it out.

    Parameters
    ----------
    logits : array or Tensor, shape (..., V)
        Scores; -inf excludes an index.
    rng : numpy Generator, optional
        Needed unless the temperature is 0.
    temperature : float
        Below 1 sharpens the distribution, above 1 flattens it; 0 takes the most likely index.

    Returns
    -------
    ndarray of int, shape (...)
    """
    scores = _finite(logits)
    if not 0 <= temperature < math.inf:
        raise ValueError(f"categorical: the temperature is a number from 0 up, got {temperature}")
    if temperature > 0:
        if not isinstance(rng, np.random.Generator):
            raise ValueError(
                f"categorical: give a numpy Generator as rng, or temperature=0, got {rng!r}"
            )
        scores = scores / temperature + rng.gumbel(size=scores.shape)
    chosen: Array = scores.argmax(axis=-1)
    return chosen


def sample(
    step: Step,
    first: Any,
    length: int,
    rng: np.random.Generator | None = None,
    *,
    state: Any = None,
    temperature: float = 1.0,
    stop: int | None = None,
) -> list[Decoded]:
    """Draw sequences: each token is drawn, and then read as the next input.

    Parameters
    ----------
    step : callable
        See `Step`.
    first : array_like of int, shape (B,)
        The first inputs, one for each sequence to draw.
    length : int
        Cut sequences that have not ended after so many tokens.
    rng, temperature
        See `categorical`.
    state : optional
        The state before the first input: a context, or what `state_after` gives.
    stop : int, optional
        The token that ends a sequence, usually ``vocabulary.eos``.

    Returns
    -------
    list of Decoded, one for each of `first`
    """
    length = integer(length, 0, "sample: length")
    if not np.ndim(first):
        raise DataError(
            f"sample: first has a token for each sequence to draw, such as [{first}], got {first}"
        )
    x, tokens, scores = first, [], []
    ended_at = np.full(len(first), length)
    with no_grad():
        for t in range(length):
            logits, state = step(x, state)
            x = categorical(logits, rng, temperature)
            tokens.append(x)
            scores.append(_scores(logits, x))
            if stop is not None:
                ended_at = np.where((x == stop) & (ended_at == length), t, ended_at)
                if (ended_at < length).all():
                    break
    shape = (len(tokens), len(first))
    drawn, probabilities = np.reshape(tokens, shape), np.reshape(scores, shape)
    return [
        Decoded(drawn[:n, i].tolist(), float(probabilities[: n + 1, i].sum()), bool(n < length))
        for i, n in enumerate(ended_at)
    ]


def greedy(
    step: Step, first: Any, length: int, *, state: Any = None, stop: int | None = None
) -> list[Decoded]:
    """Take the most likely token each time. Not always the most likely sequence; see `beam`."""
    return sample(step, first, length, state=state, temperature=0, stop=stop)


def beam(
    step: Step,
    first: Any,
    length: int,
    width: int,
    *,
    state: Any = None,
    stop: int | None = None,
    length_penalty: float = 0.0,
) -> list[Decoded]:
    """Keep the `width` most likely beginnings at each step, for one sequence, side by side.

    Parameters
    ----------
    step, first, length, state, stop
        As in `sample`, with B = 1.
    width : int
        How many beginnings are kept. With 1 this is `greedy`; with V^(length-1) it is exact.
    length_penalty : float
        Finished sequences are ranked by log-probability / tokens^penalty: with 0 short ones are
        preferred, because every further token costs; with 1, those with the best mean.

    Returns
    -------
    list of Decoded
        At most `width`, best first.
    """
    length, width = integer(length, 0, "beam: length"), integer(width, 1, "beam: width")
    if np.shape(first)[:1] != (1,):
        raise DataError(
            f"beam: first is one token for one sequence, such as [0], got shape {np.shape(first)}"
        )

    def rank(found: Decoded) -> float:
        tokens = max(len(found.tokens) + found.ended, 1)
        return found.log_probability / math.pow(tokens, length_penalty)

    alive: list[list[int]] = [[]]  # the tokens of each beginning
    x, scores = first, np.zeros(1)
    done: list[Decoded] = []
    with no_grad():
        for _ in range(length):
            logits, state = step(x, state)
            p = scores[:, None] + _log_softmax(logits)
            likeliest = np.argsort(-p, axis=None, kind="stable")[:width]
            before, x = np.unravel_index(likeliest, p.shape)
            scores = p[before, x]
            for i in np.flatnonzero(x == stop):
                done.append(Decoded(alive[before[i]], float(scores[i]), True))
            done = sorted(done, key=rank, reverse=True)[:width]
            on = x != stop
            before, x, scores = before[on], x[on], scores[on]
            alive = [[*alive[i], int(token)] for i, token in zip(before, x, strict=True)]
            state = rows(state, before)
            if not alive or (len(done) == width and not length_penalty and _lost(scores, done)):
                break
    found = [Decoded(tokens, float(p), False) for tokens, p in zip(alive, scores, strict=True)]
    return sorted(done + found, key=rank, reverse=True)[:width]


def _lost(alive: Array, done: list[Decoded]) -> bool:
    """Whether no beginning can still beat a finished sequence: probabilities only fall."""
    return bool(alive.max() <= min(found.log_probability for found in done))


def rows(state: Any, which: Array) -> Any:
    """A state with the given rows of a batch, which may come several times, in that order."""
    if state is None:
        return None
    if hasattr(state, "rows"):
        return state.rows(which)
    if isinstance(state, tuple):
        parts = [rows(part, which) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    if not isinstance(state, (Tensor, np.ndarray)):
        raise TypeError(
            f"beam: a part of the state is {state!r}, of which there are no rows to take; make it "
            "an array with one row for each sequence"
        )
    return state[which]


def state_after(step: Step, tokens: Iterable[Any], state: Any = None) -> Any:
    """Let a model read tokens, and return the state that this leaves.

    Parameters
    ----------
    step : callable
        See `Step`.
    tokens : iterable of array_like of int, shape (B,)
        What to read. Give the last one of a text as `first` to `sample`.
    state : optional
        The state before.
    """
    with no_grad():
        for x in tokens:
            _, state = step(x, state)
    return state


def log_probability(step: Step, first: Any, tokens: Any, state: Any = None) -> Array:
    """Logarithm of the probability of given sequences: Σ_t log P(y_t | y_1, ..., y_{t-1}).

    Parameters
    ----------
    step, first, state
        As in `sample`.
    tokens : array_like of int, shape (T, B)
        The sequences, of one length. Include ``<eos>`` if ending there is part of the event.

    Returns
    -------
    ndarray, shape (B,)

    Raises
    ------
    DataError
        If there is not one token for each row of scores, or one that the model does not know.
    """
    sequences, x = plain_array(tokens), first
    total = np.zeros(sequences.shape[1:])
    with no_grad():
        for token in sequences:
            logits, state = step(x, state)
            total = total + _scores(logits, token)
            x = token
    return total


def _finite(logits: Any) -> Array:
    """Scores as an array, if they are numbers."""
    with no_grad():  # a token that is chosen has no derivative
        scores = plain_array(logits, np.float64)
    if np.isnan(scores).any():
        raise NonFiniteError(
            "the model's scores are NaN, so that no token is likelier than another; look for NaN "
            "in its parameters and inputs"
        )
    return scores


def _log_softmax(logits: Any) -> Array:
    return np.asarray(log_softmax(_finite(logits)))


def _scores(logits: Any, tokens: Array) -> Array:
    """Log-probability of one token a row."""
    *batch, V = np.shape(logits)
    if tokens.shape != (*batch,) or tokens.dtype.kind not in "iu":
        raise DataError(
            f"log_probability: tokens are integers (T, B), for scores {(*batch, V)} at each step, "
            f"got {tokens.dtype} of shape {tokens.shape} at a step"
        )
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < V:
        raise DataError(
            f"log_probability: the model scores tokens 0..{V - 1}, "
            f"got {tokens.min()}..{tokens.max()}"
        )
    return np.take_along_axis(_log_softmax(logits), tokens[..., None], -1)[..., 0]
