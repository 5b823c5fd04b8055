"""Sequences: vocabularies, batches, decoding."""

from rnn.sequences.batches import Padded, language_model_batches, pad, padded_batches, sequence_mask
from rnn.sequences.decoding import Decoded, beam, greedy, log_probability, sample
from rnn.sequences.vocabulary import Vocabulary, tokenize

__all__ = [
    "Decoded",
    "Padded",
    "Vocabulary",
    "beam",
    "greedy",
    "language_model_batches",
    "log_probability",
    "pad",
    "padded_batches",
    "sample",
    "sequence_mask",
    "tokenize",
]
