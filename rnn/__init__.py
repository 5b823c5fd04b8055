"""Recurrent networks that are composed of the primitives of `microgrrepresent`."""

from rnn.batches import Padded, language_model_batches, pad, padded_batches, sequence_mask
from rnn.cells import Cell, LSTMCell, LSTMState
from rnn.clipping import Clipping, clip_grad_norm, clip_grad_value, clip_tensor_norms, grad_norm
from rnn.decoding import Decoded, beam, choose, greedy, log_probability, prompt, sample
from rnn.dense import Dropout, Embedding, Linear
from rnn.errors import CheckpointError, DataError, NonFiniteError, StateDictError
from rnn.files import bundled_text, read_text, sunspots
from rnn.language_model import LanguageModel
from rnn.losses import bits_per_character, over_time, perplexity, squared_error
from rnn.module import Module
from rnn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from rnn.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    ReduceLROnPlateau,
    Schedule,
    StepLR,
)
from rnn.unroll import Unrolled, unroll
from rnn.vocabulary import Vocabulary, tokenize

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Cell",
    "CheckpointError",
    "Clipping",
    "CosineAnnealingLR",
    "DataError",
    "Decoded",
    "Dropout",
    "Embedding",
    "ExponentialLR",
    "LSTMCell",
    "LSTMState",
    "LambdaLR",
    "LanguageModel",
    "Linear",
    "LinearLR",
    "Module",
    "NonFiniteError",
    "Optimizer",
    "Padded",
    "RMSprop",
    "ReduceLROnPlateau",
    "Schedule",
    "StateDictError",
    "StepLR",
    "Unrolled",
    "Vocabulary",
    "beam",
    "bits_per_character",
    "bundled_text",
    "choose",
    "clip_grad_norm",
    "clip_grad_value",
    "clip_tensor_norms",
    "grad_norm",
    "greedy",
    "language_model_batches",
    "log_probability",
    "over_time",
    "pad",
    "padded_batches",
    "perplexity",
    "prompt",
    "read_text",
    "sample",
    "sequence_mask",
    "squared_error",
    "sunspots",
    "tokenize",
    "unroll",
]
