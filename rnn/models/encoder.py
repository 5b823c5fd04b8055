"""The encoder: one recurrent network reads a sequence, and what it found is a context."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from microgrrepresent import Tensor, scope
from microgrrepresent.node import Array
from rnn.inputs import Side
from rnn.layers.dense import Embedding
from rnn.layers.recurrent import Recurrent
from rnn.models.heads import time_first
from rnn.module import Module
from rnn.sequences.batches import sequence_mask


class Encoded(NamedTuple):
    """What an encoder found in a batch of sequences.

    Attributes
    ----------
    context : Tensor, shape (B, C)
        One vector for a sequence.
    outputs : Tensor, shape (T, B, C), or None
        One vector for each of its steps, for attention.
    mask : ndarray of bool, shape (T, B), or None
        False where there is padding.
    """

    context: Tensor
    outputs: Tensor | None = None
    mask: Array | None = None

    def __repr__(self) -> str:
        outputs = "no outputs" if self.outputs is None else f"outputs {self.outputs.shape}"
        return f"<Encoded: context {self.context.shape}, {outputs}>"

    def rows(self, which: Array) -> Encoded:
        """Some of the sequences, by their places in the batch."""
        return Encoded(
            self.context[which],
            None if self.outputs is None else self.outputs[:, which],
            None if self.mask is None else self.mask[:, which],
        )


class Encoder(Module):
    """Read a sequence; the context C is the final state h_T of the highest layer.

    Parameters
    ----------
    layer : RNN, GRU or LSTM
        Time first. Of a bidirectional one, C is the final states of both directions.
    embedding : Embedding, optional
        Turns tokens into vectors first.

    Examples
    --------
    >>> from rnn import GRU, Embedding, Encoder
    >>> Encoder(GRU(3, 5), Embedding(10, 3))([[1, 2], [3, 4], [5, 0]], lengths=[3, 2]).context.shape
    (2, 5)
    """

    def __init__(self, layer: Recurrent[Any], embedding: Embedding | None = None) -> None:
        self.embedding, self.layer = embedding, time_first(layer)
        self.context_size = layer.output_size

    def __call__(
        self, x: Tensor | ArrayLike, lengths: ArrayLike | None = None, side: Side = "right"
    ) -> Encoded:
        """Encode sequences x (T, B, input_size), or (T, B) with an embedding."""
        with scope("encoder"):
            if self.embedding is not None:
                x = self.embedding(x).named("x")
            outputs, state = self.layer(x, lengths=lengths, side=side)
            context = self.layer.top_state(state).named("C")
        mask = None if lengths is None else sequence_mask(lengths, outputs.shape[0], side)
        return Encoded(context, outputs.named("S"), mask)
