"""Recurrent networks that are composed of the primitives of `microgrrepresent`."""

from rnn.attention import Attention
from rnn.batches import Padded, language_model_batches, pad, padded_batches, sequence_mask
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
from rnn.checkpoint import load_checkpoint, save_checkpoint
from rnn.clipping import Clipping, clip_grad_norm, clip_grad_value, clip_tensor_norms, grad_norm
from rnn.decoding import Decoded, beam, choose, greedy, log_probability, prompt, sample
from rnn.dense import Dropout, Embedding, Linear
from rnn.dynamics import dynamical_system
from rnn.encoder_decoder import Decoder, DecoderState, Encoded, Encoder
from rnn.errors import CheckpointError, DataError, NonFiniteError, StateDictError
from rnn.explanation import explain
from rnn.files import bundled_text, read_text, sunspots
from rnn.graph_network import GraphRecurrentCell
from rnn.heads import SequenceClassifier, SequenceTagger
from rnn.history import History
from rnn.hopfield import HopfieldNetwork
from rnn.language_model import LanguageModel
from rnn.layers import GRU, LSTM, RNN
from rnn.losses import bits_per_character, over_time, perplexity, squared_error
from rnn.module import Module
from rnn.narx import NARX, DelayState, TimeDelayCell
from rnn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from rnn.pooling import last_state, mean_state
from rnn.recurrent import Recurrent
from rnn.recursive import RecursiveCell
from rnn.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    ReduceLROnPlateau,
    Schedule,
    StepLR,
)
from rnn.training import fit
from rnn.truncated import Window, detach, tbptt
from rnn.unrolling import Unrolled, unroll
from rnn.vocabulary import Vocabulary, tokenize

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
