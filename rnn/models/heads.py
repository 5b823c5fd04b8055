"""Models of sequences: a recurrent layer with what stands below and above it.

======================  ================================  ==============================
form                    model                             example
======================  ================================  ==============================
sequence to class       `SequenceClassifier`              sentiment of a sentence
synchronous             `SequenceTagger`                  one tag for each word
asynchronous            `Encoder` and `Decoder`           translation
one to many             `Decoder`                         a melody from a mood
======================  ================================  ==============================
"""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import ArrayLike

from microgrrepresent import Tensor
from rnn.initialize import Rng
from rnn.inputs import Side
from rnn.layers.dense import Embedding, Linear
from rnn.layers.recurrent import Recurrent
from rnn.models.pooling import mean_state
from rnn.module import Module


class SequenceClassifier(Module):
    """Sequence to class: the scores of classes, from the last state or from the mean of all.

    Parameters
    ----------
    layer : RNN, GRU or LSTM
        Reads the sequence; time first. Of a bidirectional one, "last" takes the end of each
        direction.
    classes : int
        Number of classes.
    pooling : {"last", "mean"}
        Which vector stands for the sequence.
    embedding : Embedding, optional
        Turns tokens into vectors first.
    rng
        Of the head.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import GRU, SequenceClassifier
    >>> model = SequenceClassifier(GRU(3, 5), 2, pooling="mean")
    >>> model(np.zeros((7, 4, 3)), lengths=[7, 2, 5, 1]).shape
    (4, 2)
    """

    def __init__(
        self,
        layer: Recurrent[Any],
        classes: int,
        pooling: Literal["last", "mean"] = "last",
        embedding: Embedding | None = None,
        *,
        rng: Rng = None,
    ) -> None:
        if pooling not in ("last", "mean"):
            raise ValueError(f"SequenceClassifier: pooling is 'last' or 'mean', got {pooling!r}")
        self.embedding, self.layer, self.pooling = embedding, time_first(layer), pooling
        self.head = Linear(layer.output_size, classes, dtype=layer.dtype, rng=rng)

    def __call__(
        self, x: Tensor | ArrayLike, lengths: ArrayLike | None = None, side: Side = "right"
    ) -> Tensor:
        """Scores (B, classes) of sequences x (T, B, input_size), or (T, B) with an embedding."""
        outputs, state = self.layer(_embedded(self.embedding, x), lengths=lengths, side=side)
        if self.pooling == "mean":
            return self.head(mean_state(outputs, lengths, side))
        return self.head(self.layer.top_state(state))


class SequenceTagger(Module):
    """Synchronous sequence to sequence: the scores of tags at every step.

    Parameters
    ----------
    layer : RNN, GRU or LSTM
        Reads the sequence; time first. A bidirectional one sees what comes after, too.
    tags : int
        Number of tags.
    embedding, rng
        As in `SequenceClassifier`.

    Examples
    --------
    >>> from rnn import LSTM, Embedding, SequenceTagger
    >>> model = SequenceTagger(LSTM(3, 5, bidirectional=True), 4, Embedding(10, 3))
    >>> model([[1, 2], [3, 4], [5, 6]]).shape
    (3, 2, 4)
    """

    def __init__(
        self,
        layer: Recurrent[Any],
        tags: int,
        embedding: Embedding | None = None,
        *,
        rng: Rng = None,
    ) -> None:
        self.embedding, self.layer = embedding, time_first(layer)
        self.head = Linear(layer.output_size, tags, dtype=layer.dtype, rng=rng)

    def __call__(
        self, x: Tensor | ArrayLike, lengths: ArrayLike | None = None, side: Side = "right"
    ) -> Tensor:
        """Scores (T, B, tags) of sequences x (T, B, input_size), or (T, B) with an embedding."""
        outputs, _ = self.layer(_embedded(self.embedding, x), lengths=lengths, side=side)
        return self.head(outputs)


def time_first(layer: Recurrent[Any]) -> Recurrent[Any]:
    """The layer, if time is the first axis of what it takes.

    Raises
    ------
    TypeError, ValueError
        If it is no layer, or was made with ``batch_first=True``.
    """
    if not isinstance(layer, Recurrent):
        raise TypeError(f"a sequence is read by a layer: RNN, GRU or LSTM, got {layer!r}")
    if layer.batch_first:
        raise ValueError(f"{layer!r}: give a layer with batch_first=False; time is the first axis")
    return layer


def _embedded(embedding: Embedding | None, x: Tensor | ArrayLike) -> Tensor | ArrayLike:
    return x if embedding is None else embedding(x)
