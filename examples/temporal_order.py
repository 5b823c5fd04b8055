r"""Temporal order: which came first, X or Y? And why the forget gate can be in the way.

A sequence of T symbols has two that count, each X or Y, one in the second tenth of the way and one
in the sixth; the others are a, b, c, d at random. The class, asked for at the end, is their order:
XX, XY, YX or YY (Hochreiter and Schmidhuber 1997, section 5.6, task 6a). For T = 100 each of them
has to be kept for about 50 steps:

    c_t = f . c_{t-1} + i . g,     so    dc_t/dc_k = f^(t-k)    along the direct path

- The LSTM of 1997 has no forget gate, f = 1, and the path carries the gradient unchanged: 1.
- A forget gate with bias +1 begins at f = sigma(1) = 0.731, and 0.731^50 = 1.6e-7: nothing arrives,
  so nothing is learned, although this cell could do all that the other one can. At T = 50 it is
  0.731^25 = 4e-4, which is enough.
- With bias +5 it begins at sigma(5) = 0.9933, and 0.9933^50 = 0.71.

All three begin with a nearly closed input gate, sigma(-3) = 0.047, as in the paper: otherwise what
the other 98 symbols add to c carries tanh(c) to where its derivative is 0, and that fails too.

Settings: T = 50 and 100, four hidden units, other biases 0, batches of 32, Adam 0.02, clipping at
1, at most 800 iterations, three seeds, stopped at 99 % of 500 new sequences.

Measured, seed 0:

    temporal order T=50, 1997, no forget gate   solved, of 3 seeds  3
    temporal order T=50, forget bias +1         solved, of 3 seeds  3
    temporal order T=50, forget bias +5         solved, of 3 seeds  3
    temporal order T=100, 1997, no forget gate  solved, of 3 seeds  3
    temporal order T=100, forget bias +1        solved, of 3 seeds  0
    temporal order T=100, forget bias +5        solved, of 3 seeds  3

    python examples/temporal_order.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from descent import descent
from figure import figure
from result import Result, run, seeds_of

from microgrrepresent import Tensor, cross_entropy, no_grad
from rnn import LSTM, Adam, SequenceClassifier

SYMBOLS = "XYabcd"


def batch(rng: np.random.Generator, T: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """One-hot sequences (T, size, 6) and their classes 0..3 (size,)."""
    symbols = rng.integers(2, 6, (T, size))
    first, second = rng.integers(0, 2, (2, size))
    everyone = np.arange(size)
    symbols[rng.integers(T // 10, T // 5, size), everyone] = first
    symbols[rng.integers(T // 2, T * 6 // 10, size), everyone] = second
    return np.eye(6, dtype=np.float32)[symbols], 2 * first + second


def judge(forget_bias: float | None, rng: np.random.Generator) -> SequenceClassifier:
    """Four LSTM units, and a linear map of their last output to four classes."""
    layer = LSTM(6, 4, forget_gate=forget_bias is not None, dtype=np.float32, rng=rng)
    biases = np.zeros(layer.bias_ih_l0.shape)
    biases[:4] = -3  # the rows of the input gate come first
    if forget_bias is not None:
        biases[4:8] = forget_bias
    layer.bias_ih_l0.assign(biases)
    layer.bias_hh_l0.assign(np.zeros(biases.shape))
    return SequenceClassifier(layer, 4, rng=rng)


def learn(
    forget_bias: float | None, T: int, iterations: int, seed: int
) -> tuple[int | None, list[tuple[int, float]]]:
    """Train one network; give the iteration at which it was right, or None, and its curve."""
    rng = np.random.default_rng(seed)
    model = judge(forget_bias, rng)

    def loss_of(i: int) -> Tensor:
        x, classes = batch(rng, T, 32)
        loss: Tensor = cross_entropy(model(x), classes)
        return loss

    curve = []
    for i, _ in descent(loss_of, Adam(model.parameters(), lr=0.02), iterations):
        if i % 25 == 0:
            x, classes = batch(rng, T, 500)
            with no_grad():
                share = float((model(x).numpy().argmax(-1) == classes).mean())
            curve.append((i, share))
            if share > 0.99:
                return i, curve
    return None, curve


CELLS = {"1997, no forget gate": None, "forget bias +1": 1.0, "forget bias +5": 5.0}


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train the three cells; count the seeds that solve the task."""
    lengths, seeds, iterations = ([80], 1, 250) if quick else ([50, 100], 3, 800)
    results, picture = [], out / "temporal_order.png"
    with figure(picture, columns=len(lengths), size=(4.8, 3.4)) as axes:
        for T, ax in zip(lengths, np.atleast_1d(axes), strict=True):
            for color, (cell, forget_bias) in enumerate(CELLS.items()):
                solved = 0
                for k in range(seeds):
                    at, curve = learn(forget_bias, T, iterations, seed + k)
                    solved += at is not None
                    label = cell if k == 0 else None
                    ax.plot(*zip(*curve, strict=True), color=f"C{color}", label=label)
                fails = forget_bias == 1 and T > 50
                bar = ("=", 0) if fails else (">=", seeds)
                name = f"temporal order T={T}, {cell}"
                results.append(Result(name, f"solved, of {seeds_of(seeds)}", solved, *bar, picture))
            ax.axhline(0.25, color="gray", linestyle=":", label="chance")
            ax.set(xlabel="iteration", ylabel="accuracy on new sequences", title=f"T = {T}")
        ax.legend()
    return results


if __name__ == "__main__":
    run(main)
