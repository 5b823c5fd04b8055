"""Recurrent networks that are composed of the primitives of `microgrrepresent`."""

from rnn.cells import (
    Cell,
    CTRNNCell,
    GRUCell,
    LinearRecurrentCell,
    LSTMCell,
    LSTMState,
    ResidualRNNCell,
    RNNCell,
)
from rnn.errors import CheckpointError, DataError, NonFiniteError, StateDictError
from rnn.explanation import explain
from rnn.files import bundled_text, read_text, sunspots
from rnn.layers.dense import Dropout, Embedding, Linear
from rnn.layers.dynamics import dynamical_system
from rnn.layers.layers import GRU, LSTM, RNN
from rnn.layers.recurrent import Recurrent
from rnn.layers.unrolling import Unrolled, unroll
from rnn.models.attention import Attention
from rnn.models.encoder_decoder import Decoder, DecoderState, Encoded, Encoder
from rnn.models.graph_network import GraphRecurrentCell
from rnn.models.heads import SequenceClassifier, SequenceTagger
from rnn.models.hopfield import HopfieldNetwork
from rnn.models.language_model import LanguageModel
from rnn.models.narx import NARX, DelayState, TimeDelayCell
from rnn.models.pooling import last_state, mean_state
from rnn.models.recursive import RecursiveCell
from rnn.module import Module
from rnn.sequences.batches import Padded, language_model_batches, pad, padded_batches, sequence_mask
from rnn.sequences.decoding import Decoded, beam, choose, greedy, log_probability, prompt, sample
from rnn.sequences.vocabulary import Vocabulary, tokenize
from rnn.training.checkpoint import load_checkpoint, save_checkpoint
from rnn.training.clipping import (
    Clipping,
    clip_grad_norm,
    clip_grad_value,
    clip_tensor_norms,
    grad_norm,
)
from rnn.training.fit import fit
from rnn.training.history import History
from rnn.training.losses import bits_per_character, over_time, perplexity, squared_error
from rnn.training.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from rnn.training.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    ReduceLROnPlateau,
    Schedule,
    StepLR,
)
from rnn.training.truncated import Window, detach, tbptt

__all__ = [
    "GRU",
    "LSTM",
    "NARX",
    "RNN",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Attention",
    "CTRNNCell",
    "Cell",
    "CheckpointError",
    "Clipping",
    "CosineAnnealingLR",
    "DataError",
    "Decoded",
    "Decoder",
    "DecoderState",
    "DelayState",
    "Dropout",
    "Embedding",
    "Encoded",
    "Encoder",
    "ExponentialLR",
    "GRUCell",
    "GraphRecurrentCell",
    "History",
    "HopfieldNetwork",
    "LSTMCell",
    "LSTMState",
    "LambdaLR",
    "LanguageModel",
    "Linear",
    "LinearLR",
    "LinearRecurrentCell",
    "Module",
    "NonFiniteError",
    "Optimizer",
    "Padded",
    "RMSprop",
    "RNNCell",
    "Recurrent",
    "RecursiveCell",
    "ReduceLROnPlateau",
    "ResidualRNNCell",
    "Schedule",
    "SequenceClassifier",
    "SequenceTagger",
    "StateDictError",
    "StepLR",
    "TimeDelayCell",
    "Unrolled",
    "Vocabulary",
    "Window",
    "beam",
    "bits_per_character",
    "bundled_text",
    "choose",
    "clip_grad_norm",
    "clip_grad_value",
    "clip_tensor_norms",
    "detach",
    "dynamical_system",
    "explain",
    "fit",
    "grad_norm",
    "greedy",
    "language_model_batches",
    "last_state",
    "load_checkpoint",
    "log_probability",
    "mean_state",
    "over_time",
    "pad",
    "padded_batches",
    "perplexity",
    "prompt",
    "read_text",
    "sample",
    "save_checkpoint",
    "sequence_mask",
    "squared_error",
    "sunspots",
    "tbptt",
    "tokenize",
    "unroll",
]
