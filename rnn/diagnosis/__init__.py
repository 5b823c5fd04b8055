"""Backpropagation through time, taken apart: what a graph knows about its own gradient."""

from rnn.diagnosis.by_time import PairTerms, gradient_by_lag, gradient_by_step
from rnn.diagnosis.connectivity import Connectivity, connectivity
from rnn.diagnosis.flow import GradientFlow, Trace, gradient_flow
from rnn.diagnosis.growth import Gamma, gamma
from rnn.diagnosis.nonfinite import Nonfinite, find_nonfinite
from rnn.diagnosis.real_time import rtrl
from rnn.diagnosis.state_gradients import StateGradients, state_gradients
from rnn.diagnosis.state_jacobian import StateJacobian, state_jacobian
from rnn.diagnosis.trajectory import trajectory

__all__ = [
    "Connectivity",
    "Gamma",
    "GradientFlow",
    "Nonfinite",
    "PairTerms",
    "StateGradients",
    "StateJacobian",
    "Trace",
    "connectivity",
    "find_nonfinite",
    "gamma",
    "gradient_by_lag",
    "gradient_by_step",
    "gradient_flow",
    "rtrl",
    "state_gradients",
    "state_jacobian",
    "trajectory",
]
