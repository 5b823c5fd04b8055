"""A network in continuous time: two neurons that oscillate by themselves.

    tau dy_i/dt = -y_i + sum_j w_ij sigma(y_j + theta_j) + I_i        (Beer 1995)

Each neuron leaks and is driven by the firing of both. One excites itself and the other; the other
inhibits the first: with these weights the point of rest is unstable, and the network runs round a
limit cycle for ever, from wherever it starts. Taken in Euler steps it is a recurrent network; with
dt = tau the leak forgets all of the old y, and the firing rates are those of a plain RNN.

Settings: w = [[4.5, 1], [-1, 4.5]], theta = [-2.75, -1.75], tau = 1, dt = 0.1, 3,000 steps from
two starting points.

Measured, seed 0:

    CTRNN, two neurons  swing of y1 after t = 200             2.945
    CTRNN, two neurons  its change since t = 100..200         8.475e-06
    CTRNN, two neurons  spread of the periods, of their mean  0
    CTRNN, dt = tau     difference from a plain RNN           0

    python examples/ctrnn.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, no_grad
from rnn import CTRNNCell, RNNCell, unroll

W = np.array([[4.5, 1.0], [-1.0, 4.5]])
THETA = np.array([-2.75, -1.75])
DT = 0.1


def oscillator(dt: float) -> CTRNNCell:
    """The two neurons; there is one input, which they do not feel."""
    cell = CTRNNCell(1, 2, tau=1.0, dt=dt)
    cell.weight_ih.assign(np.zeros((2, 1)))
    cell.weight_hh.assign(W)
    cell.bias.assign(THETA)
    return cell


def difference_from_rnn() -> float:
    """How far sigma(y + theta) with dt = tau is from the states of an RNN of the same weights."""
    plain = RNNCell(1, 2, nonlinearity="sigmoid")
    for weight, value in zip(
        plain.parameters(), (np.zeros((2, 1)), W, THETA, np.zeros(2)), strict=True
    ):
        weight.assign(value)
    y0 = np.array([0.3, -0.2])
    silent = np.zeros((20, 1))
    ys = unroll(oscillator(1.0), silent, Tensor(y0)).stacked().numpy()
    h0 = Tensor(1 / (1 + np.exp(-(y0 + THETA))))
    hs = unroll(plain, silent, h0).stacked().numpy()
    return float(np.abs(1 / (1 + np.exp(-(ys + THETA))) - hs).max())


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Run the network from two points; measure how steady the oscillation is, and its period."""
    starts = np.array([[0.0, 0.0], [6.0, 2.0]])
    with no_grad():
        run_ = unroll(oscillator(DT), np.zeros((3000, 2, 1)), Tensor(starts))
        y = run_.stacked().numpy()
    swing = [float(np.ptp(y[part, 0, 0])) for part in (slice(1000, 2000), slice(2000, 3000))]
    late = y[1000:, 0, 0] - y[1000:, 0, 0].mean()
    periods = np.diff(np.flatnonzero((late[:-1] < 0) & (late[1:] >= 0))) * DT
    picture = out / "ctrnn.png"
    with figure(picture, columns=2, size=(4.6, 3.2)) as (left, right):
        left.plot(np.arange(1000) * DT, y[:1000, 0], label=["y₁", "y₂"])
        left.set(xlabel="time / τ", ylabel="activity y", title="over time, from (0, 0)")
        left.legend()
        for k, color in enumerate(("C6", "C3")):
            label = f"from ({starts[k, 0]:g}, {starts[k, 1]:g})"
            right.plot(y[:, k, 0], y[:, k, 1], color=color, label=label)
            right.plot(*starts[k], "o", color=color)
        right.set(xlabel="y₁", ylabel="y₂", title="in the plane: one cycle")
        right.legend(loc="upper right")
    steady, spread = abs(swing[1] / swing[0] - 1), float(np.ptp(periods) / periods.mean())
    name = "CTRNN, two neurons"
    return [
        Result(name, "swing of y1 after t = 200", swing[1], ">", 1, picture),
        Result(name, "its change since t = 100..200", steady, "<", 0.01, picture),
        Result(name, "spread of the periods, of their mean", spread, "<", 0.02, picture),
        Result("CTRNN, dt = tau", "difference from a plain RNN", difference_from_rnn(), "<", 1e-12),
    ]


if __name__ == "__main__":
    run(main)
