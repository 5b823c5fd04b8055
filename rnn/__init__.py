"""Recurrent networks that are composed of the primitives of `microgrrepresent`.

What a user may import is listed once, in the `__init__` of each room; beside it, `rnn.diagnosis`
takes gradients apart and `rnn.weights` reads and writes the layouts of other packages.
"""

# ruff: noqa: F403 (names come by the lists of the rooms)

from microgrrepresent import FileError, explain
from rnn import cells, layers, models, sequences, training
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
]
