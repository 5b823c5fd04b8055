"""Exploding gradients: a step that is too large throws the network into a corner.

The explosion experiment of the NNDL course: the digit sum of length 20 with an SRN, plain gradient
descent with rate 0.2, and a loss that is summed over 64 sequences. The gradient of U is a sum of
products

    dL/dU = sum_t sum_k  (prod_{tau=k}^{t-1} diag(f'(z_tau)) U^T) delta_t  h_{k-1}^T

which grows geometrically where |diag(f') U^T| > 1. After some large steps nearly every tanh is
saturated, f' is nearly 0, and the gradient with it: in 99 of the last 100 steps it is less than a
thousandth of the first one, at times 0 to the last bit, and nothing is learned any more. Clipped by
its norm,

    g <- theta g / |g|   if |g| > theta,

it keeps its direction, the steps stay small, and the gradient stays alive.

Settings: 300 sequences, batches of 64, embedding 32, hidden 32, SGD 0.2, 50 epochs, without
clipping and with theta = 5. The figure has a dot for each step, and the median of 15 as a line.

Measured, seed 0:

    exploding, no clipping   norm of dL/dU, largest / first  65.32
    exploding, no clipping   norm of dL/dU, last 10 / first  2.313e-05
    exploding, no clipping   last 40 %, below first / 1000   0.99
    exploding, clipped at 5  norm of dL/dU, last 10 / first  4.096

    python examples/exploding.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from digit_sum import adder, digits
from figure import figure
from numpy.lib.stride_tricks import sliding_window_view
from result import Result, run

from microgrrepresent import cross_entropy
from rnn import RNN, SGD, clip_grad_norm, grad_norm

FLOOR = 1e-9  # where smaller norms are drawn


def learn(theta: float | None, epochs: int, seed: int) -> tuple[list[float], list[float]]:
    """Train one network; give the norms of dL/dU before clipping, and the losses a sequence."""
    rng = np.random.default_rng(seed)
    x, y = digits(rng, 20, 3)
    model = adder(RNN, rng)
    U = dict(model.named_parameters())["layer.weight_hh_l0"]
    optimizer = SGD(model.parameters(), lr=0.2)
    norms, losses = [], []
    for _ in range(epochs):
        order = rng.permutation(300)
        for start in range(0, 300, 64):
            chosen = order[start : start + 64]
            loss = cross_entropy(model(x[:, chosen]), y[chosen], reduction="sum")
            optimizer.zero_grad()
            loss.backward()
            norms.append(grad_norm([U]))
            losses.append(float(loss) / len(chosen))
            if theta:
                clip_grad_norm(optimizer.parameters, theta)
            optimizer.step()
    return norms, losses


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train without and with clipping; compare the largest and the last gradient norms."""
    epochs = 10 if quick else 50
    free, clipped = learn(None, epochs, seed), learn(5.0, epochs, seed)
    picture = out / "exploding.png"
    with figure(picture, columns=2, size=(4.6, 3.4)) as (left, right):
        for (norms, losses), label in ((free, "no clipping"), (clipped, "clipped at 5")):
            dots = left.plot(np.maximum(norms, FLOOR), ".", markersize=3, alpha=0.4)
            middles = np.median(sliding_window_view(norms, 15), axis=-1)
            left.plot(np.arange(7, 7 + len(middles)), middles, color=dots[0].get_color())
            right.plot(losses, label=label)
        left.set(yscale="log", xlabel="iteration", title="gradient; lines: median of 15 steps")
        left.set_yticks([FLOOR, 1e-6, 1e-3, 1, 1e3], ["less", "$10^{-6}$", "0.001", "1", "1000"])
        left.minorticks_off()
        left.set_ylabel(r"$|\partial L/\partial U|$ before clipping")
        right.set(yscale="log", xlabel="iteration", ylabel="loss of a sequence", title="loss")
        right.legend(loc="center right")
    start = free[0][0]
    last, alive = (float(np.median(norms[-10:])) / start for norms, _ in (free, clipped))
    late = np.array(free[0][-len(free[0]) * 2 // 5 :])
    gone = float((late < start / 1000).mean())
    free_name, metric = "exploding, no clipping", "norm of dL/dU, last 10 / first"
    return [
        Result(free_name, "norm of dL/dU, largest / first", max(free[0]) / start, ">", 10, picture),
        Result(free_name, metric, last, "<", 1e-3, picture),
        Result(
            free_name, "last 40 %, below first / 1000", gone, ">", 0.5 if quick else 0.9, picture
        ),
        Result("exploding, clipped at 5", metric, alive, ">", 0.5, picture),
    ]


if __name__ == "__main__":
    run(main)
