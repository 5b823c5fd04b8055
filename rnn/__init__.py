"""Recurrent networks that are composed of the primitives of `microgrrepresent`.

    cells       one step of time: RNNCell, GRUCell, LSTMCell, ...
    layers      a cell run over time, as in PyTorch: RNN, GRU, LSTM; unroll for cells of your own
    models      classifier, tagger, language model, encoder and decoder, attention, trees, graphs
    sequences   vocabularies, batches, decoding
    training    losses, optimizers, clipping, truncated BPTT, fit
    diagnosis   gradients taken apart: `from rnn.diagnosis import ...`
    weights     the layouts of PyTorch, Keras and ONNX: `from rnn.weights import ...`

Every system of the lecture notes is found by its English or Chinese name, with formula, call and
picture: ``python -m rnn systems peephole``, or here ``print(rnn.systems.find("窥视孔")[0])``. The
other commands: ``python -m rnn --help``.

>>> import rnn
>>> print(rnn.systems.find("LSTM without forget gate")[0].formula)
c_t = c_{t-1} + i_t ∘ c̃_t

What a user may import is listed once, in the `__init__` of each room.
"""

# ruff: noqa: F403 (names come by the lists of the rooms)

from microgrrepresent import FileError, explain
from rnn import cells, layers, models, sequences, systems, training
from rnn.cells import *
from rnn.errors import CheckpointError, DataError, GrowthWarning, NonFiniteError, StateDictError
from rnn.layers import *
from rnn.models import *
from rnn.module import Module
from rnn.sequences import *
from rnn.training import *

__all__ = [
    *(name for room in (cells, layers, models, sequences, training) for name in room.__all__),
    "CheckpointError",
    "DataError",
    "FileError",
    "GrowthWarning",
    "Module",
    "NonFiniteError",
    "StateDictError",
    "explain",
    "systems",
]
