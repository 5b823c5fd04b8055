"""NARX: the next value from the last few, and what happens if it lives on its own predictions.

    y_t = f(x_t, ..., x_{t-Kx}, y_{t-1}, ..., y_{t-Ky})

In training the true values y_{t-1}, ... are known (teacher forcing). Used to look far ahead, the
network has to be given its own predictions (free running), and its errors feed on themselves.

1. A linear f on a generated series y_t = 1.5 y_{t-1} - 0.9 y_{t-2} + x_t finds the coefficients.
2. Yearly sunspot numbers: trained on 1700-1920, tested on 1921-2008. The squared error one year
   ahead is compared with that of who says last year's number again; the one of the free run, with
   that one year ahead.

Settings: 1. SGD 0.02 with momentum 0.9, 32 series of 20 values, 1,000 iterations. 2. Ky = 9, four
hidden units, Adam 5e-3 with weight decay 1e-4, clipping at 1, 800 iterations.

Measured, seed 0:

    NARX, linear, AR(2)     largest coefficient error  0
    NARX, sunspots, 1 year  error / that of no change  0.4288
    NARX, sunspots, free    error / that 1 year ahead  10.03

    python examples/narx.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from descent import descent
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, no_grad
from rnn import NARX, SGD, Adam, mse_loss, sunspots, unroll

A = np.array([1.0, 1.5, -0.9])  # of x_t, y_{t-1}, y_{t-2}
TRAIN = 221  # years from 1700 to 1920


def recovered(iterations: int, rng: np.random.Generator) -> float:
    """Largest error of the three coefficients that a linear NARX finds."""
    x = rng.standard_normal((20, 32, 1))
    y = np.zeros((22, 32, 1))
    for t in range(20):
        y[t + 2] = A[0] * x[t] + A[1] * y[t + 1] + A[2] * y[t]
    model = NARX(1, 1, output_delays=2, rng=rng)

    def loss_of(i: int) -> Tensor:
        return mse_loss(model.teacher_forced(x, y[2:]).stacked(), y[2:])

    for _ in descent(loss_of, SGD(model.parameters(), lr=0.02, momentum=0.9), iterations, 100):
        pass
    return float(np.abs(model.weight.numpy()[0] - A).max())


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Recover an AR(2); forecast sunspots one year ahead, and from 1921 on with nothing else."""
    rng = np.random.default_rng(seed)
    error = recovered(500 if quick else 1000, rng)
    years, numbers = sunspots()
    mean, spread = numbers[:TRAIN].mean(), numbers[:TRAIN].std()
    y = ((numbers - mean) / spread)[:, None]
    nothing = np.zeros((len(y), 0))
    model = NARX(0, 1, output_delays=9, hidden_size=4, rng=rng)

    def loss_of(i: int) -> Tensor:
        return mse_loss(model.teacher_forced(nothing[:TRAIN], y[:TRAIN]).stacked(), y[:TRAIN])

    optimizer = Adam(model.parameters(), lr=5e-3, weight_decay=1e-4)
    for _ in descent(loss_of, optimizer, 300 if quick else 800):
        pass
    with no_grad():
        forced = model.teacher_forced(nothing, y)
        one_ahead = forced.stacked().numpy()[TRAIN:]
        free = unroll(model, nothing[TRAIN:], forced.states[TRAIN]).stacked().numpy()
    picture = out / "narx.png"
    with figure(picture, size=(8, 3.2)) as ax:
        ax.plot(years[150:], numbers[150:], color="black", label="observed")
        ax.plot(years[TRAIN:], mean + spread * one_ahead, label="one year ahead (teacher-forced)")
        ax.plot(years[TRAIN:], mean + spread * free, "--", label="free running from 1921")
        ax.set(xlabel="year", ylabel="sunspot number, yearly mean")
        ax.legend(loc="upper left")
    ahead, alone, same = (
        float(((p - y[TRAIN:]) ** 2).mean()) for p in (one_ahead, free, y[TRAIN - 1 : -1])
    )
    bar = 0.7 if quick else 0.5
    return [
        Result("NARX, linear, AR(2)", "largest coefficient error", error, "<", 1e-6),
        Result(
            "NARX, sunspots, 1 year", "error / that of no change", ahead / same, "<", bar, picture
        ),
        Result(
            "NARX, sunspots, free", "error / that 1 year ahead", alone / ahead, ">", 1.5, picture
        ),
    ]


if __name__ == "__main__":
    run(main)
