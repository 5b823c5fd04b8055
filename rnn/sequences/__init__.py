"""Sequences: texts and data, vocabularies, batches, decoding."""

from rnn.sequences.batches import Padded, language_model_batches, pad, padded_batches, sequence_mask
from rnn.sequences.datasets import bundled_text, read_text, sunspots
from rnn.sequences.decoding import Decoded, beam, greedy, log_probability, sample
from rnn.sequences.tokens import tokenize
from rnn.sequences.vocabulary import Vocabulary

__all__ = [
    "Decoded",
    "Padded",
    "Vocabulary",
    "beam",
    "bundled_text",
    "greedy",
    "language_model_batches",
    "log_probability",
    "pad",
    "padded_batches",
    "read_text",
    "sample",
    "sequence_mask",
    "sunspots",
    "tokenize",
]
