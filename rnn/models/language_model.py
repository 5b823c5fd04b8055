r"""A recurrent language model: at each step the next token, given all tokens so far.

    x_t = E[token at t]                   a row of the embedding table
    h_t, c_t = LSTM(x_t, h_{t-1}, c_{t-1})
    y_t = V h_t + b_y                     P(token at t+1 | tokens up to t) = softmax(y_t)
    L_t = -log softmax(y_t)[token at t+1]

The mean of L_t is the cross-entropy in nats; its exponential is the perplexity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import DTypeLike

from microgrrepresent import Tensor, cross_entropy, step, steps
from microgrrepresent.arrays import plain_array
from rnn.cells import Cell, LSTMCell
from rnn.errors import DataError
from rnn.initialize import Rng, generator
from rnn.layers.dense import Embedding, Linear
from rnn.layers.unrolling import Unrolled, unroll
from rnn.module import Module
from rnn.training.losses import sequence_loss


class LanguageModel(Module):
    """An embedding, a recurrent cell, and a linear map to the scores of the next token.

    Parameters
    ----------
    tokens : int
        V, the size of the vocabulary.
    hidden_size : int
        H, the length of the state h.
    embedding_size : int, optional
        The length of a token's vector; H if not given.
    cell : callable
        Makes the cell from its input and hidden size: a cell's class, such as `LSTMCell`.
    dtype, rng
        As for the cells.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import LanguageModel
    >>> model = LanguageModel(5, 8, rng=0)
    >>> L, state = model.loss(np.array([[0], [1], [2]]), np.array([[1], [2], [3]]))
    >>> L.shape, state.h.shape
    ((), (1, 8))
    """

    def __init__(
        self,
        tokens: int,
        hidden_size: int,
        embedding_size: int | None = None,
        *,
        cell: Callable[..., Cell[Any]] = LSTMCell,
        dtype: DTypeLike | None = None,
        rng: Rng = None,
    ) -> None:
        rng = generator(rng)
        width = embedding_size or hidden_size
        self.embedding = Embedding(tokens, width, dtype=dtype, rng=rng)
        self.cell = cell(width, hidden_size, dtype=dtype, rng=rng)
        self.head = Linear(self.cell.output_size, tokens, dtype=dtype, rng=rng)
        self.head.weight.named("V")
        assert self.head.bias is not None
        self.head.bias.named("b_y")

    def run(self, x: Any, state: Any = None) -> Unrolled[Any]:
        """Run the cell over tokens x, (T, B) or (T,), and keep every state."""
        return unroll(self.cell, self.vectors(x), state)

    def vectors(self, x: Any) -> list[Tensor]:
        """The vector of the token of each step."""
        x = x if isinstance(x, Tensor) else plain_array(x)
        if not x.size:
            raise DataError("a language model needs at least one token to read")
        return [self.embedding(Tensor(x_t, name="token")).named("x") for _, x_t in steps(x)]

    def __call__(self, x: Any, state: Any = None) -> tuple[Tensor, Any]:
        """Scores (T, B, V) of the tokens that follow x (T, B), and the state at the end."""
        run = self.run(x, state)
        return self.head(run.stacked()), run.state

    def loss(self, x: Any, y: Any, state: Any = None) -> tuple[Tensor, Any]:
        """Mean cross-entropy of the tokens y (T, B) that follow x (T, B), and the last state."""
        logits, state = self(x, state)
        return sequence_loss(cross_entropy, logits, y), state

    def loss_by_step(self, x: Any, y: Any, state: Any = None) -> tuple[Tensor, Unrolled[Any]]:
        """The same loss with an output y_t and a loss L_t at each step, as one would draw it."""
        run = self.run(x, state)
        outputs = []
        for t, h in enumerate(run.outputs, start=1):
            with step(t):
                outputs.append(self.head(h).named("y"))
        return sequence_loss(cross_entropy, outputs, y), run

    def step(self, tokens: Any, state: Any = None) -> tuple[Tensor, Any]:
        """Scores (B, V) of what follows tokens (B,), and the new state; see `rnn.sequences`."""
        state = self.cell(self.embedding(tokens), state)
        return self.head(self.cell.output(state)), state
