"""Copy memory: say ten steps later, in order, what was said before.

K symbols of eight, then blanks, then a bell, at which the K symbols have to be repeated. Who
remembers nothing can do no better than to guess the symbols when asked: a cross-entropy of
K ln 8 / (T + 2K) a step (Arjovsky, Shah and Bengio 2016, section 5.1). How many symbols fit is a
question of capacity: the memory is of a fixed size.

Of the SRN it is expected that it hardly remembers at all, a share above 0.9. It misses its bar at
T = 10, where it has begun to learn something of each of the five symbols; at T = 30 it has not.

Settings: K = 5, T = 10 and K = 10, T = 30; 64 hidden units, batches of 32, Adam 2e-3, clipping at
1, 2,500 iterations.

Measured, seed 0:

    copy memory T=10 K=5, SRN    loss / memoryless loss  0.877
    copy memory T=10 K=5, GRU    loss / memoryless loss  0.2455
    copy memory T=10 K=5, LSTM   loss / memoryless loss  0.4398
    copy memory T=30 K=10, SRN   loss / memoryless loss  1.001
    copy memory T=30 K=10, GRU   loss / memoryless loss  0.7509
    copy memory T=30 K=10, LSTM  loss / memoryless loss  0.9081

    python examples/copy_memory.py
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from descent import descent
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy, no_grad
from rnn import GRU, LSTM, RNN, Adam, Embedding, SequenceTagger

CELLS = {"SRN": RNN, "GRU": GRU, "LSTM": LSTM}
BLANK, BELL = 8, 9
BARS = {
    ("SRN", 3): (">", 0.8), ("GRU", 3): ("<", 0.7), ("LSTM", 3): ("<", 0.95),
    ("SRN", 5): (">", 0.9), ("GRU", 5): ("<", 0.5), ("LSTM", 5): ("<", 0.8),
    ("SRN", 10): (">", 0.9), ("GRU", 10): ("<", 0.9), ("LSTM", 10): ("<", 0.98),
}  # fmt: skip


def batch(rng: np.random.Generator, T: int, K: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of T + 2K symbols, and what to answer at each step; shape (T + 2K, size)."""
    said = rng.integers(0, 8, (K, size))
    x = np.full((T + 2 * K, size), BLANK)
    y = x.copy()
    x[:K], x[-K - 1], y[-K:] = said, BELL, said
    return x, y


def learn(
    cell: str, T: int, K: int, iterations: int, lr: float, seed: int
) -> tuple[list[tuple[int, float]], float]:
    """Train one network; give its (iteration, cross-entropy) curve, and the last on new data."""
    rng = np.random.default_rng(seed)
    embedding = Embedding(10, 10, dtype=np.float32, rng=rng)
    model = SequenceTagger(CELLS[cell](10, 64, dtype=np.float32, rng=rng), 9, embedding, rng=rng)

    def loss_of(size: int) -> Tensor:
        x, y = batch(rng, T, K, size)
        loss: Tensor = cross_entropy(model(x), y)
        return loss

    curve = []
    for i, loss in descent(lambda i: loss_of(32), Adam(model.parameters(), lr=lr), iterations):
        if i % 25 == 0:
            curve.append((i, loss))
    with no_grad():
        return curve, float(loss_of(500))


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train the three cells; hold each against the one that remembers nothing."""
    tasks = [(10, 3)] if quick else [(10, 5), (30, 10)]
    iterations, lr = (300, 5e-3) if quick else (2500, 2e-3)
    results, picture = [], out / "copy_memory.png"
    with figure(picture, columns=len(tasks), size=(4.6, 3.4)) as axes:
        for (T, K), ax in zip(tasks, np.atleast_1d(axes), strict=True):
            memoryless = K * math.log(8) / (T + 2 * K)
            for cell in CELLS:
                curve, loss = learn(cell, T, K, iterations, lr, seed)
                ax.plot(*zip(*curve, strict=True), label=cell)
                name = f"copy memory T={T} K={K}, {cell}"
                share = loss / memoryless
                bar = BARS[cell, K]
                results.append(Result(name, "loss / memoryless loss", share, *bar, picture))
            ax.axhline(memoryless, color="gray", linestyle=":", label="no memory")
            ax.set(xlabel="iteration", ylabel="cross-entropy a step", title=f"T = {T}, K = {K}")
        ax.legend()
    return results


if __name__ == "__main__":
    run(main)
