"""Attention: a context of its own for every output, instead of one for all of them.

e_k = score(q, s_k)          how well the state s_k of the encoder answers the query q
α   = softmax(e)             shares that sum to 1
C   = Σ_k α_k s_k            the context
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent import ShapeError, Tensor, expand_dims, linear, softmax, tanh, where
from microgrrepresent import sum as total
from microgrrepresent.arrays import plain_array
from microgrrepresent.errors import DTypeError
from rnn.initialize import Rng, floating, generator, uniform
from rnn.inputs import integer, tensor_of
from rnn.module import Module

Score = Literal["dot", "general", "additive"]


class Attention(Module):
    r"""Soft attention over a sequence, with one of three scores.

        dot         e_k = qᵀ s_k                            (Luong et al. 2015)
        general     e_k = qᵀ W_a s_k                        (Luong et al. 2015)
        additive    e_k = v_aᵀ tanh(W_a q + U_a s_k)        (Bahdanau et al. 2015)

    Parameters
    ----------
    query_size, key_size : int
        Length of q and of s_k; for ``dot`` they are equal.
    score : {"dot", "general", "additive"}
        See above.
    hidden_size : int, optional
        Length of v_a, for ``additive``; query_size if not given.
    dtype : data type
        Of the parameters.
    rng : Generator or int, optional
        Where first values come from: U(-k, k) with k = 1/sqrt(length of what a matrix sees).

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import Attention
    >>> context, weights = Attention(4, 4)(np.zeros((2, 4)), np.ones((7, 2, 4)))
    >>> context.shape, weights.shape
    ((2, 4), (7, 2))
    """

    def __init__(
        self,
        query_size: int,
        key_size: int,
        score: Score = "dot",
        hidden_size: int | None = None,
        *,
        dtype: DTypeLike | None = None,
        rng: Rng = None,
    ) -> None:
        if score not in ("dot", "general", "additive"):
            raise ValueError(f"Attention: score is 'dot', 'general' or 'additive', got {score!r}")
        if score == "dot" and query_size != key_size:
            raise ValueError(
                f"Attention: the dot product needs query and key of one length, got {query_size} "
                f"and {key_size}; score='general' puts a matrix between them"
            )
        self.query_size = integer(query_size, 1, "Attention: query_size")
        self.key_size, self.score = integer(key_size, 1, "Attention: key_size"), score
        self.dtype = floating(dtype)
        rng = generator(rng)
        width = query_size
        if hidden_size is not None:
            width = integer(hidden_size, 1, "Attention: hidden_size")

        def matrix(rows: int, columns: int, name: str) -> Tensor:
            return uniform((rows, columns), float(1 / np.sqrt(columns)), name, dtype, rng)

        if score == "general":
            self.weight = matrix(query_size, key_size, "W_a")
        elif score == "additive":
            self.weight = matrix(width, query_size, "W_a")
            self.weight_key = matrix(width, key_size, "U_a")
            self.v = uniform((width,), float(1 / np.sqrt(width)), "v_a", dtype, rng)

    def __call__(
        self,
        query: Tensor | ArrayLike,
        keys: Tensor | ArrayLike,
        mask: ArrayLike | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Look at a sequence.

        Parameters
        ----------
        query : Tensor or array, shape (B, query_size) or (query_size,)
            q.
        keys : Tensor or array, shape (T, B, key_size) or (T, key_size)
            s_1, ..., s_T: what a recurrent layer gives out.
        mask : array of bool, shape (T, B) or (T,), optional
            False where there is padding, which gets no share; see `sequence_mask`. Of every
            sequence at least one step is True.

        Returns
        -------
        context : Tensor, shape (B, key_size) or (key_size,)
            C.
        weights : Tensor, shape (T, B) or (T,)
            α; they sum to 1 over time.

        Raises
        ------
        ShapeError, DTypeError, ValueError
            For what does not fit; a mask of numbers, as others add to the scores; and a sequence
            of which there is nothing to look at.
        """
        q, s = tensor_of(query, self.dtype, self, "q"), tensor_of(keys, self.dtype, self, "s")
        if q.shape[-1:] != (self.query_size,) or s.shape[1:] != (*q.shape[:-1], self.key_size):
            raise ShapeError(
                f"{self!r}: expected a query of shape (B, {self.query_size}) and keys of shape "
                f"(T, B, {self.key_size}), time first, or both without B, got {q.shape} and "
                f"{s.shape}"
            )
        if not len(s):
            raise ShapeError(f"{self!r}: keys {s.shape} have no steps; at least one is needed")
        allowed = None if mask is None else Tensor(plain_array(mask), name="mask")
        if allowed is not None:
            self._check_mask(allowed, s)
            # padding may hold anything, and 0 · NaN, here and in the reverse sweep, is NaN
            s = where(expand_dims(allowed, -1), s, 0)
        e = self.scores(q, s)
        if allowed is not None:
            e = where(allowed, e, -np.inf)
        weights: Tensor = softmax(e, axis=0).named("α")
        context: Tensor = total(expand_dims(weights, -1) * s, axis=0).named("C")
        return context, weights

    def _check_mask(self, allowed: Tensor, s: Tensor) -> None:
        if allowed.shape != s.shape[:-1]:
            raise ShapeError(
                f"{self!r}: expected a mask of shape {s.shape[:-1]}, got {allowed.shape}"
            )
        if allowed.dtype != bool:
            raise DTypeError(
                f"{self!r}: expected a mask of bool, True where to look, got {allowed.dtype}; "
                "of numbers to be added to the scores, 0 and -inf, give mask == 0"
            )
        if not allowed.data.any(axis=0).all():
            raise ValueError(
                f"{self!r}: the mask is False at every step of a sequence, of which there is "
                "nothing to look at; leave out empty sequences"
            )

    def scores(self, q: Tensor, s: Tensor) -> Tensor:
        """The score of each key: (T, B) or (T,)."""
        e: Tensor
        if self.score == "additive":
            e = total(self.v * tanh(linear(q, self.weight) + linear(s, self.weight_key)), axis=-1)
        else:
            e = total((q if self.score == "dot" else q @ self.weight) * s, axis=-1)
        return e.named("e")

    def __repr__(self) -> str:
        return f"Attention({self.query_size}, {self.key_size}, {self.score!r})"
