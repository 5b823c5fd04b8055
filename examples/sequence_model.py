"""The model of most examples: symbols to vectors, a recurrent layer, a linear map to classes.

    symbols (T, B) -> embedding (T, B, E) -> layer (T, B, H) -> one row a step, or one a sequence

What is read of the layer's outputs makes the kind of task: *every* one (a tag or a next symbol for
each input), the *last* one, or their *mean* (one class for the sequence).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from microgrrepresent import Tensor
from rnn import Embedding, Linear, Module

Read = Literal["every", "last", "mean"]


class SequenceModel(Module):
    """Embedding, recurrent layer, linear map.

    Parameters
    ----------
    layer : type
        `RNN`, `GRU` or `LSTM`.
    symbols, embedding, hidden, classes : int
        Number of input symbols, length of their vectors, hidden units, number of classes.
    read : {"every", "last", "mean"}
        Which outputs of the layer the linear map sees.
    rng : Generator
        Where first values come from.
    **options
        What else the layer is to be, such as ``bidirectional=True``.
    """

    def __init__(
        self,
        layer: type,
        symbols: int,
        embedding: int,
        hidden: int,
        classes: int,
        read: Read,
        rng: np.random.Generator,
        **options: Any,
    ) -> None:
        self.read = read
        self.embedding = Embedding(symbols, embedding, dtype=np.float32, rng=rng)
        self.layer = layer(embedding, hidden, dtype=np.float32, rng=rng, **options)
        directions = 2 if options.get("bidirectional") else 1
        self.head = Linear(directions * hidden, classes, dtype=np.float32, rng=rng)

    def __call__(self, symbols: np.ndarray, lengths: np.ndarray | None = None) -> Tensor:
        """Logits for symbols of shape (T, B): (T, B, classes), or (B, classes)."""
        outputs, _ = self.layer(self.embedding(symbols), lengths=lengths)
        T, B = symbols.shape
        ends = np.full(B, T) if lengths is None else lengths
        if self.read == "last":
            outputs = outputs[ends - 1, np.arange(B)]
        elif self.read == "mean":  # the outputs of padding are 0
            outputs = outputs.sum(0) / ends[:, None].astype(np.float32)
        return self.head(outputs)


def accuracy(logits: Tensor, targets: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Share of rows whose largest logit is that of the target class."""
    right = logits.numpy().argmax(-1) == targets
    return float(right.mean() if mask is None else right[mask].mean())
