"""To which earlier tokens a language model listens: ``python -m rnn connectivity``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from microgrrepresent import cross_entropy, step
from rnn.diagnosis import Connectivity, connectivity
from rnn.layers.unrolling import unroll
from rnn.models.language_model import LanguageModel
from rnn.sequences.vocabulary import Vocabulary


def connectivity_of_text(
    model: LanguageModel, vocabulary: Vocabulary, words: Sequence[str]
) -> Connectivity:
    """Let a model read all tokens but the last, and predict all but the first.

    Parameters
    ----------
    model : LanguageModel
    vocabulary : Vocabulary
        Its tokens.
    words : sequence of str
        Two or more.
    """
    tokens = vocabulary.encode(words)
    vectors = model.vectors(tokens[:-1, None])
    losses = {}
    for t, h in enumerate(unroll(model.cell, vectors).outputs, start=1):
        with step(t):
            losses[t] = cross_entropy(model.head(h), np.array([tokens[t]]))
    return connectivity(losses, vectors, read=words[:-1], said=words[1:])
