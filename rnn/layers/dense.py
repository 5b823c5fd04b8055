"""What stands below and above a recurrent layer: Linear, Embedding and Dropout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent import Tensor, linear, take, where
from microgrrepresent.errors import DTypeError, ShapeError
from rnn.initialize import Rng, floating, generator, uniform
from rnn.inputs import flags, integer, probability, tensor_of
from rnn.module import Module


class Linear(Module):
    r"""An affine map of the last axis: y = W x + b.

    Parameters
    ----------
    in_features, out_features : int
        Length of the last axis of x and of y.
    bias : bool
        Whether b is there.
    dtype : data type, optional
        Of the parameters; float64 if not given.
    device : None or "cpu"
        As in ``torch.nn``.
    rng : Generator or int, optional
        Where first values come from: U(-k, k) with k = 1/sqrt(in_features), as in ``torch.nn``.

    Attributes
    ----------
    weight : Tensor, shape (out_features, in_features)
    bias : Tensor, shape (out_features,), or None

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import Linear
    >>> Linear(3, 2)(np.zeros((4, 5, 3))).shape
    (4, 5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: object = None,
        dtype: DTypeLike | None = None,
        *,
        rng: Rng = None,
    ) -> None:
        dtype = floating(dtype, device)
        self.in_features = integer(in_features, 0, "Linear: in_features")
        self.out_features = integer(out_features, 1, "Linear: out_features")
        self.dtype = floating(dtype)
        rng = generator(rng)
        k = 1 / np.sqrt(max(in_features, 1))
        self.weight = uniform((out_features, in_features), k, "W", self.dtype, rng)
        flags("Linear", bias=bias)
        self.bias = uniform((out_features,), k, "b", self.dtype, rng) if bias else None

    def __call__(self, x: Tensor | ArrayLike) -> Tensor:
        """Apply the map to an array of shape (..., in_features)."""
        x = tensor_of(x, self.dtype, self)
        if not x.ndim or x.shape[-1] != self.in_features:
            raise ShapeError(
                f"{self!r}: expected x of shape (..., {self.in_features}), got {x.shape}"
            )
        y = linear(x, self.weight)
        return y if self.bias is None else y + self.bias

    def __repr__(self) -> str:
        return f"Linear({self.in_features}, {self.out_features})"


class Embedding(Module):
    """A table of vectors, one for each symbol: a product with one-hot vectors, by look-up.

    Parameters
    ----------
    num_embeddings : int
        Number of symbols.
    embedding_dim : int
        Length of a vector.
    padding_idx : int, optional
        The symbol of padding: its row begins as zeros and gets no gradient. One below 0 counts
        from the end.
    max_norm, norm_type, scale_grad_by_freq, sparse
        In their places of ``torch.nn``; nothing else than its defaults can be given.
    dtype : data type, optional
        Of the table; float64 if not given.
    device : None or "cpu"
        As in ``torch.nn``.
    rng : Generator or int, optional
        Where first values come from: N(0, 1), as in ``torch.nn``.

    Attributes
    ----------
    weight : Tensor, shape (num_embeddings, embedding_dim)

    Examples
    --------
    >>> from rnn import Embedding
    >>> Embedding(10, 4)([[1, 2, 3]]).shape
    (1, 3, 4)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        *,
        device: object = None,
        dtype: DTypeLike | None = None,
        rng: Rng = None,
    ) -> None:
        for name, given, off in (
            ("max_norm", max_norm, None),
            ("norm_type", norm_type, 2.0),
            ("scale_grad_by_freq", scale_grad_by_freq, False),
            ("sparse", sparse, False),
        ):
            if given is not off and given != off:
                raise ValueError(
                    f"Embedding: {name} must be {off}, as it is in torch.nn if not given, got "
                    f"{given!r}: a row is what the table says, and its gradient what it is"
                )
        dtype = floating(dtype, device)
        self.num_embeddings = integer(num_embeddings, 1, "Embedding: num_embeddings")
        self.embedding_dim = integer(embedding_dim, 1, "Embedding: embedding_dim")
        table = generator(rng).standard_normal((num_embeddings, embedding_dim))
        self.padding_idx = None if padding_idx is None else self._row(padding_idx)
        if self.padding_idx is not None:
            table[self.padding_idx] = 0
        self.weight = Tensor(table, True, "E", dtype)

    def _row(self, padding_idx: int) -> int:
        n = self.num_embeddings
        row = integer(padding_idx, -n, "Embedding: padding_idx")
        if row >= n:
            raise ValueError(f"Embedding: padding_idx must be in {-n}..{n - 1}, got {row}")
        return row % n

    def __call__(self, indices: Tensor | ArrayLike) -> Tensor:
        """Look up the vectors of an array of integers: shape (...) gives (..., embedding_dim)."""
        ids = indices if isinstance(indices, Tensor) else Tensor(indices)
        if ids.dtype.kind not in "iu":
            raise DTypeError(
                f"{self!r}: expected integers, the numbers of symbols, got {ids.dtype}"
            )
        if ids.size and not 0 <= ids.data.min() <= ids.data.max() < self.num_embeddings:
            raise ValueError(
                f"{self!r}: symbols are numbered 0..{self.num_embeddings - 1}, "
                f"got {ids.data.min()}..{ids.data.max()}"
            )
        rows: Tensor = take(self.weight, ids)
        if self.padding_idx is None:
            return rows
        padding = Tensor(self.weight.numpy()[self.padding_idx].copy(), name="padding")
        return where((ids == self.padding_idx)[..., None], padding, rows)

    def __repr__(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"Embedding({self.num_embeddings}, {self.embedding_dim}{padding})"


class Dropout(Module):
    """Set each element to 0 with probability p in training, and scale the others by 1/(1-p).

    The scaling (*inverted* dropout, Srivastava et al. 2014) keeps the expected value, so that
    after ``eval()`` everything passes as it is.

    Parameters
    ----------
    p : float
        Probability of dropping, 0 <= p < 1 (or 1: everything).
    inplace : False
        As in ``torch.nn``; no value is ever overwritten here.
    rng : Generator or int, optional
        Where the masks come from.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import Dropout
    >>> sorted(set(Dropout(0.5, rng=0)(np.ones(100)).numpy().tolist()))
    [0.0, 2.0]
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, *, rng: Rng = None) -> None:
        self.p = probability(p, "Dropout: p")
        if inplace is not False:
            raise ValueError(
                f"Dropout: inplace must be False, got {inplace!r}: the graph keeps every value, "
                "so none is overwritten"
            )
        self.rng = generator(rng)

    def __call__(self, x: Tensor | ArrayLike) -> Tensor:
        """Drop elements of x, in training only."""
        x = x if isinstance(x, Tensor) else Tensor(x)
        if x.dtype.kind != "f":
            raise DTypeError(
                f"{self!r}: expected x of floating-point numbers, which can be scaled, got "
                f"{x.dtype}; convert it with .astype(float)"
            )
        if not self.training or self.p == 0:
            return x
        kept: Any = self.rng.random(x.shape) >= self.p
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        return x * Tensor(kept * scale, name="mask", dtype=x.dtype)

    def __repr__(self) -> str:
        return f"Dropout({self.p})"
