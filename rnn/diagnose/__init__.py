"""Backpropagation through time, taken apart: what a graph knows about its own gradient."""

from rnn.diagnose.by_time import PairTerms, gradient_by_lag, gradient_by_step
from rnn.diagnose.gamma import Gamma, gamma
from rnn.diagnose.nonfinite import Nonfinite, find_nonfinite
from rnn.diagnose.rtrl import rtrl
from rnn.diagnose.states import (
    StateGradients,
    StateJacobian,
    state_gradients,
    state_jacobian,
    trajectory,
)

__all__ = [
    "Gamma",
    "Nonfinite",
    "PairTerms",
    "StateGradients",
    "StateJacobian",
    "find_nonfinite",
    "gamma",
    "gradient_by_lag",
    "gradient_by_step",
    "rtrl",
    "state_gradients",
    "state_jacobian",
    "trajectory",
]
