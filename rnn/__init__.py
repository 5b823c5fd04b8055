"""Recurrent networks that are composed of the primitives of `microgrrepresent`."""

from rnn.cells import Cell, LSTMCell, LSTMState
from rnn.dense import Dropout, Embedding, Linear
from rnn.errors import StateDictError
from rnn.module import Module
from rnn.unroll import Unrolled, unroll

__all__ = [
    "Cell",
    "Dropout",
    "Embedding",
    "LSTMCell",
    "LSTMState",
    "Linear",
    "Module",
    "StateDictError",
    "Unrolled",
    "unroll",
]
