"""Recurrent cells: one step of time, a function of the input and the state."""

from rnn.cells.cell import Cell
from rnn.cells.lstm import LSTMCell, LSTMState

__all__ = ["Cell", "LSTMCell", "LSTMState"]
