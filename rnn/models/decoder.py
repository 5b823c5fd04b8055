r"""The decoder: a recurrent network writes a sequence, from what an encoder has read.

The two sequences need not be of one length. What passes between them is a vector C, the context,
of one size however long the input is (Cho et al. 2014; Sutskever et al. 2014); or, with
attention, a context of its own for every output (Bahdanau et al. 2015).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from microgrrepresent import ShapeError, Tensor, concatenate, no_grad, scope, stack, step, tanh
from microgrrepresent.arrays import plain_array
from microgrrepresent.node import Array
from rnn.cells import Cell, GRUCell
from rnn.cells.cell import made
from rnn.initialize import Rng, generator
from rnn.inputs import probability, tensor_of
from rnn.layers.dense import Embedding, Linear
from rnn.models.attention import Attention
from rnn.models.encoder import Encoded
from rnn.module import Module
from rnn.sequences.decoding import Decoded, beam, likeliest, rows, sample


class DecoderState(NamedTuple):
    """The state of a decoder: its cell's, what it was given, and where it looked last."""

    cell: Any
    encoded: Encoded
    weights: Tensor | None = None
    run: Callable[[Any, Any], Any] | None = None
    """The cell, with what all steps share worked out."""

    def __repr__(self) -> str:
        looked = "" if self.weights is None else f", weights {self.weights.shape}"
        return f"<DecoderState: {self.encoded!r}{looked}>"

    def rows(self, which: Array) -> DecoderState:
        """The states of some of the sequences, for a beam search to go on from."""
        weights = None if self.weights is None else self.weights[:, which]
        return DecoderState(rows(self.cell, which), self.encoded.rows(which), weights, self.run)


class Decoder(Module):
    r"""Write a sequence of tokens, each from the one before, the state, and the context.

        h_0 = C, or tanh(W C + b) if their lengths differ        context_init
        h_t = f([E[y_{t-1}]; C], h_{t-1})                        context_every_step, or
        h_t = f([E[y_{t-1}]; C_t], h_{t-1})                      attention, C_t from h_{t-1}
        P(y_t | y_1, ..., y_{t-1}, C) = softmax(V h_t + b_y)

    A context can be anything: what an `Encoder` found, or any vector, which makes a model from one
    to many.

    Parameters
    ----------
    tokens : int
        Number of tokens y.
    hidden_size : int
        Length of h.
    context_size : int
        Length of C.
    embedding_size : int, optional
        Length of a token's vector; hidden_size if not given.
    context_init : bool
        Whether C makes the first state; else it is 0.
    context_every_step : bool
        Whether C is part of every step's input.
    attention : {"dot", "general", "additive"}, optional
        Look at all of the encoder's outputs before every step, with this score.
    cell : callable
        Makes the cell f from its input and hidden size: a cell's class.
    dtype, rng
        As for the cells.

    Examples
    --------
    >>> import numpy as np
    >>> from rnn import Decoder
    >>> decoder = Decoder(6, 8, context_size=3, rng=0)
    >>> decoder(np.zeros((2, 3)), np.array([[0, 0], [1, 2], [4, 4]])).shape
    (3, 2, 6)
    """

    def __init__(
        self,
        tokens: int,
        hidden_size: int,
        context_size: int,
        embedding_size: int | None = None,
        *,
        context_init: bool = True,
        context_every_step: bool = False,
        attention: Literal["dot", "general", "additive"] | None = None,
        cell: Callable[..., Cell[Any]] = GRUCell,
        dtype: DTypeLike | None = None,
        rng: Rng = None,
    ) -> None:
        if not (context_init or context_every_step or attention):
            raise ValueError(
                "Decoder: without context_init, context_every_step and attention it would see "
                "nothing of the context; choose at least one"
            )
        rng = generator(rng)
        width = embedding_size or hidden_size
        self.tokens, self.hidden_size, self.context_size = tokens, hidden_size, context_size
        self.context_init, self.context_every_step = context_init, context_every_step
        self.embedding = Embedding(tokens, width, dtype=dtype, rng=rng)
        seen = width + context_size * (context_every_step + bool(attention))
        self.cell = made(cell, "Decoder", seen, hidden_size, dtype=dtype, rng=rng)
        shown = self.cell.output_size
        self.bridge = (
            Linear(context_size, shown, dtype=dtype, rng=rng)
            if context_init and context_size != shown
            else None
        )
        self.attention = (
            Attention(shown, context_size, attention, dtype=dtype, rng=rng) if attention else None
        )
        self.head = Linear(shown, tokens, dtype=dtype, rng=rng)

    def start(self, encoded: Encoded | Tensor | ArrayLike) -> DecoderState:
        """The state before the first step.

        Parameters
        ----------
        encoded : Encoded, or Tensor or array of shape (B, context_size)
            What an encoder found; or a context, if there is no attention.
        """
        if not isinstance(encoded, Encoded):
            encoded = Encoded(encoded)  # type: ignore[arg-type]
        encoded = encoded._replace(context=tensor_of(encoded.context, self.cell.dtype, self, "C"))
        if encoded.context.ndim != 2 or encoded.context.shape[1] != self.context_size:
            raise ShapeError(
                f"{self!r}: expected a context of shape (B, {self.context_size}), "
                f"got {encoded.context.shape}"
            )
        if self.attention is not None and encoded.outputs is None:
            raise ShapeError(
                f"{self!r}: attention looks at the outputs of an encoder; give what an Encoder "
                "returns, not a context alone"
            )
        with scope("decoder"), step(0):
            state = self.cell.initial_state(len(encoded.context))
            if self.context_init:
                h = encoded.context
                if self.bridge is not None:
                    h = tanh(self.bridge(h)).named("h")
                state = self.cell.state_of(h, *self.cell.parts_of(state)[1:])
        with scope("decoder"):
            run = self.cell.bound()
        return DecoderState(state, encoded, run=run)

    def step(self, tokens: Tensor | ArrayLike, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Scores (B, tokens) of what follows the tokens (B,), and the new state.

        This is the function that `rnn.sequences.decoding` works with.
        """
        cell_state, encoded, weights, run = state
        with scope("decoder"):
            run = run or self.cell.bound()
            seen = [encoded.context] if self.context_every_step else []
            if self.attention is not None and encoded.outputs is not None:
                query = self.cell.output(cell_state)
                context, weights = self.attention(query, encoded.outputs, encoded.mask)
                seen.append(context)
            with scope("embedding"):
                x = self.embedding(tokens).named("x")
            both = concatenate([x, *seen], axis=-1) if seen else x
            cell_state = run(both, cell_state)
            logits = self.head(self.cell.output(cell_state)).named("y")
        return logits, DecoderState(cell_state, encoded, weights, run)

    def __call__(
        self,
        encoded: Encoded | Tensor | ArrayLike,
        inputs: ArrayLike,
        teacher_forcing: float = 1.0,
        rng: np.random.Generator | None = None,
    ) -> Tensor:
        """Scores of every token of given sequences, for training.

        Parameters
        ----------
        encoded
            As in `start`.
        inputs : array of int, shape (T, B)
            y_0, ..., y_{T-1}: what is read at each step, beginning with a start symbol.
        teacher_forcing : float
            Probability of reading the given token at a step, rather than the likeliest one by the
            model's own scores (Bengio et al. 2015). With 0 it runs freely from y_0 on. What it
            reads of its own is part of the graph, ŷ_{t-1}, though no derivative passes there.
        rng : numpy Generator, optional
            Needed for a probability between 0 and 1.

        Returns
        -------
        Tensor, shape (T, B, tokens)
            Scores of y_1, ..., y_T.
        """
        given = inputs if isinstance(inputs, Tensor) else plain_array(inputs)
        state = self.start(encoded)
        batch = len(state.encoded.context)
        if given.ndim != 2 or given.shape[1] != batch or not len(given):
            raise ShapeError(
                f"{self!r}: expected tokens of shape (T, {batch}), time first, as many sequences "
                f"as contexts, got {given.shape}"
            )
        teacher_forcing = probability(teacher_forcing, f"{self!r}: teacher_forcing")
        if 0 < teacher_forcing < 1 and rng is None:
            raise ValueError(
                f"{self!r}: teacher_forcing={teacher_forcing} is left to chance, and needs a numpy "
                "Generator as rng"
            )
        scores: list[Tensor] = []
        read = given[0]
        if teacher_forcing == 0:
            with scope("decoder"), step(0):
                read = Tensor(read, name="ŷ")
        for t in range(1, len(given) + 1):
            free = teacher_forcing < 1 and (rng is None or rng.random() >= teacher_forcing)
            if free and scores:
                with scope("decoder"), step(t - 1):
                    read = likeliest(scores[-1]).named("ŷ")
            elif scores:
                read = given[t - 1]
            with step(t):
                logits, state = self.step(read, state)
                scores.append(logits)
        stacked: Tensor = stack(scores)
        return stacked

    def generate(
        self,
        encoded: Encoded | Tensor | ArrayLike,
        first: int,
        length: int,
        stop: int | None = None,
        *,
        strategy: Literal["greedy", "sample", "beam"] = "greedy",
        temperature: float = 1.0,
        width: int = 4,
        length_penalty: float = 0.0,
        rng: np.random.Generator | None = None,
    ) -> list[Decoded]:
        """Write a sequence for each context; nothing is recorded.

        Parameters
        ----------
        encoded
            As in `start`.
        first : int
            The start symbol y_0.
        length : int
            Cut sequences that have not ended after so many tokens.
        stop : int, optional
            The token that ends a sequence.
        strategy : {"greedy", "sample", "beam"}
            Always the likeliest token; a random one, by the scores divided by `temperature`; or
            the likeliest sequence of a search that keeps `width` beginnings.
        temperature, width, length_penalty, rng
            As in `rnn.sequences.decoding`.
        """
        for token in (first, stop):
            if token is not None and token not in range(self.tokens):
                raise ValueError(
                    f"{self!r}: first and stop are tokens, numbered 0..{self.tokens - 1}, "
                    f"got {token!r}"
                )
        with no_grad():
            state = self.start(encoded)
            batch = len(state.encoded.context)
            each = [state.rows(np.array([i])) for i in range(batch)]
        if strategy == "beam":
            found = []
            for alone in each:
                found += beam(
                    self.step, np.array([first]), length, width, state=alone, stop=stop,
                    length_penalty=length_penalty,
                )[:1]  # fmt: skip
            return found
        if strategy not in ("greedy", "sample"):
            raise ValueError(
                f"{self!r}: strategy is 'greedy', 'sample' or 'beam', got {strategy!r}"
            )
        heat = temperature if strategy == "sample" else 0.0
        firsts = np.full(batch, first)
        return sample(self.step, firsts, length, rng, state=state, temperature=heat, stop=stop)

    def __repr__(self) -> str:
        return f"Decoder({self.tokens}, {self.hidden_size}, context_size={self.context_size})"
