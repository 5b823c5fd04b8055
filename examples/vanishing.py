r"""Vanishing and exploding gradients: a product of as many factors as there are steps.

    dL/dh_k = dL/dh_T  prod_{t=k+1}^{T} diag(f'(z_t)) U

In a linear network whose U is gamma times a rotation, each factor multiplies the length by gamma:
|dh_T/dh_k| = gamma^(T-k) exactly, a straight line on a logarithmic axis. Beside it the cells at the
start of training, on random inputs: the SRN, whose factors are below 1; the GRU; and the LSTM,
whose direct path has the factor f_t = sigma(bias), so that a bias of 5 lets through what a bias of
1 stops.

Settings: T = 100, 32 units, float64; gamma = 0.9, 1, 1.1.

Measured, seed 0:

    vanishing, linear               relative error of γ^(T-t)  8.771e-15
    vanishing, SRN                  gradient at t=1 / t=100    9.377e-28
    vanishing, GRU                  gradient at t=1 / t=100    5.813e-20
    vanishing, LSTM, forget bias 1  gradient at t=1 / t=100    2.849e-09
    vanishing, LSTM, forget bias 5  gradient at t=1 / t=100    2.521

    python examples/vanishing.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, steps
from rnn import Cell, GRUCell, LSTMCell, RNNCell, unroll
from rnn.diagnosis import state_gradients

T, H = 100, 32


def rotation(rng: np.random.Generator) -> np.ndarray:
    """A random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((H, H)))[0]


def linear_norms(gamma: float, rng: np.random.Generator) -> dict[int, float]:
    """|dL/dh_t| of h_t = U h_{t-1}, U = gamma Q, for a loss with |dL/dh_T| = 1."""
    U = Tensor(gamma * rotation(rng), requires_grad=True, name="U")
    states = [Tensor(rng.standard_normal(H), name="h")]
    for _ in steps(range(T)):
        states.append((U @ states[-1]).named("h"))
    direction = rotation(rng)[0]
    return state_gradients((states[-1] * direction).sum(), states).norms()


def cell_norms(cell: Cell[Any], rng: np.random.Generator) -> dict[int, float]:
    """|dL/d(state_t)| of a cell on random inputs; of c, if it has one, since that is its memory."""
    run = unroll(cell, rng.standard_normal((T, 8)))
    gradients = state_gradients((run.outputs[-1] * rotation(rng)[0]).sum(), run)
    return gradients.norms("c" if "c" in gradients.parts else "h")


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Measure the slopes of the linear networks, and what reaches the first step in each cell."""
    rng = np.random.default_rng(seed)
    worst, picture = 0.0, out / "vanishing.png"
    arrived = {}
    with figure(picture, columns=2, size=(4.8, 3.4)) as (left, right):
        for gamma in (0.9, 1.0, 1.1):
            norms = linear_norms(gamma, rng)
            worst = max(worst, *(abs(n / gamma ** (T - t) - 1) for t, n in norms.items()))
            left.plot(list(norms), list(norms.values()), label=f"γ = {gamma}")
        cells: dict[str, Cell[Any]] = {
            "SRN": RNNCell(8, H, rng=rng),
            "GRU": GRUCell(8, H, rng=rng),
            "LSTM, forget bias 1": LSTMCell(8, H, forget_bias=1.0, rng=rng),
            "LSTM, forget bias 5": LSTMCell(8, H, forget_bias=5.0, rng=rng),
        }
        for name, cell in cells.items():
            norms = cell_norms(cell, rng)
            arrived[name] = norms[1] / norms[T]
            right.plot(list(norms)[1:], list(norms.values())[1:], label=name)
        for ax, title in ((left, "linear, U = γ Q"), (right, "cells, at the start of training")):
            ax.set(yscale="log", xlabel="step t", title=title)
            ax.legend()
        left.set_ylabel(r"$|\partial L/\partial h_t|$")
        right.set_ylabel(r"$|\partial L/\partial h_t|$; LSTM: $c_t$")
    results = [Result("vanishing, linear", "relative error of γ^(T-t)", worst, "<", 1e-11, picture)]
    for name, share in arrived.items():
        bar = (">", 1e-3) if name.endswith("5") else ("<", 1e-6)
        results.append(
            Result(f"vanishing, {name}", "gradient at t=1 / t=100", share, *bar, picture)
        )
    return results


if __name__ == "__main__":
    run(main)
