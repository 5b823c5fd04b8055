"""Recurrent cells: one step of time, a function of the input and the state."""

from rnn.cells.cell import Cell
from rnn.cells.ctrnn import CTRNNCell
from rnn.cells.gru import GRUCell
from rnn.cells.lstm import LSTMCell, LSTMState
from rnn.cells.simple import LinearRecurrentCell, ResidualRNNCell, RNNCell

__all__ = [
    "CTRNNCell",
    "Cell",
    "GRUCell",
    "LSTMCell",
    "LSTMState",
    "LinearRecurrentCell",
    "RNNCell",
    "ResidualRNNCell",
]
