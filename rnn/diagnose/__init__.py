"""Backpropagation through time, taken apart: what a graph knows about its own gradient."""

from rnn.diagnose.by_time import PairTerms, gradient_by_lag, gradient_by_step
from rnn.diagnose.nonfinite import Nonfinite, find_nonfinite
from rnn.diagnose.rtrl import rtrl

__all__ = [
    "Nonfinite",
    "PairTerms",
    "find_nonfinite",
    "gradient_by_lag",
    "gradient_by_step",
    "rtrl",
]
