"""Layers: a cell run over time, stacked, in one or two directions."""

from rnn.layers.dense import Dropout, Embedding, Linear
from rnn.layers.dynamics import dynamical_system
from rnn.layers.layers import GRU, LSTM, RNN
from rnn.layers.recurrent import Recurrent
from rnn.layers.unrolling import Unrolled, unroll

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Dropout",
    "Embedding",
    "Linear",
    "Recurrent",
    "Unrolled",
    "dynamical_system",
    "unroll",
]
