"""Number agreement at a distance: "the cats, which ..., were full", "the cat, which ..., was full".

The first word is a noun, singular or plural. A clause of k words follows, in which there are nouns
of both numbers that are of no concern, then the verb has to be chosen: was or were. The network
sees the verb's number at the end only, so the gradient has to travel k steps back to the noun:

    dL/dh_1 = dL/dh_k  prod_t diag(f'(z_t)) U

which shrinks geometrically for an SRN, and at first for a GRU, whose gates start half open:
0.5^20 = 1e-6. The LSTM begins with a forget gate that is open (bias 5: sigma(5)^40 = 0.76). The
figure shows how far each of them gets.

Settings: k = 5, 10, 20, 40; embedding 8, hidden 16, batches of 32, Adam 1e-2, clipping at 1, at
most 1,500 iterations for each k, stopped once accuracy on 500 new sentences is above 0.99.

Measured, seed 0:

    agreement, SRN                  longest distance learned  10
    agreement, GRU                  longest distance learned  20
    agreement, LSTM, forget bias 5  longest distance learned  40

    python examples/agreement.py
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from accuracy import accuracy
from descent import descent
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy, no_grad
from rnn import GRU, LSTM, RNN, Adam, Embedding, SequenceClassifier, Vocabulary

SINGULAR, PLURAL = ["cat", "dog", "bird", "child"], ["cats", "dogs", "birds", "children"]
OTHER = ["which", "that", "we", "saw", "heard", "near", "already", "often", "in", "the", "garden"]
VOCABULARY = Vocabulary([*SINGULAR, *PLURAL, *OTHER], "word")
CELLS: dict[str, Callable[..., RNN | GRU | LSTM]] = {
    "SRN": RNN,
    "GRU": GRU,
    "LSTM, forget bias 5": partial(LSTM, forget_bias=5.0),
}


def sentences(rng: np.random.Generator, k: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Nouns followed by k words, as indices (k + 1, size); and 0 for "was", 1 for "were"."""
    number = rng.integers(0, 2, size)
    subject = number * len(SINGULAR) + rng.integers(0, len(SINGULAR), size)
    return np.vstack([subject, rng.integers(0, len(VOCABULARY), (k, size))]), number


def learn(cell: str, k: int, iterations: int, seed: int) -> float:
    """Train one network; give its accuracy on 2,000 new sentences."""
    rng = np.random.default_rng(seed)
    embedding = Embedding(len(VOCABULARY), 8, dtype=np.float32, rng=rng)
    layer = CELLS[cell](8, 16, dtype=np.float32, rng=rng)
    model = SequenceClassifier(layer, 2, "last", embedding, rng=rng)

    def loss_of(i: int) -> Tensor:
        x, number = sentences(rng, k, 32)
        loss: Tensor = cross_entropy(model(x), number)
        return loss

    def tested(size: int) -> float:
        x, number = sentences(rng, k, size)
        with no_grad():
            return accuracy(model(x), number)

    for i, _ in descent(loss_of, Adam(model.parameters(), lr=1e-2), iterations):
        if i % 100 == 0 and tested(500) > 0.99:
            break
    return tested(2000)


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train each cell at each distance, and draw accuracy against distance."""
    distances, iterations = ([5, 25], 300) if quick else ([5, 10, 20, 40], 1500)
    picture = out / "agreement.png"
    reached = {c: [learn(c, k, iterations, seed) for k in distances] for c in CELLS}
    with figure(picture) as ax:
        for cell, accuracies in reached.items():
            ax.plot(distances, accuracies, marker="o", label=cell)
        ax.axhline(0.5, color="gray", linestyle=":", label="chance")
        ax.set(xscale="log", xticks=distances, xticklabels=distances)
        ax.minorticks_off()
        ax.set(xlabel="words between noun and verb", ylabel="accuracy on new sentences")
        ax.legend()
    results = []
    for cell, accuracies in reached.items():
        far = max([k for k, a in zip(distances, accuracies, strict=True) if a > 0.95], default=0)
        if cell.startswith("LSTM"):
            bar = (">=", distances[-1])
        else:
            bar = ("<", distances[-1]) if cell == "SRN" else (">=", distances[0])
        results.append(Result(f"agreement, {cell}", "longest distance learned", far, *bar, picture))
    return results


if __name__ == "__main__":
    run(main)
