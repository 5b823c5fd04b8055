"""Sequence to class: is a review good or bad? Read by the last state, or by the mean of all states.

A generated review has some words of praise and of blame, some of them turned round by "not", at
random places among neutral words; its class is the sign of the sum. Read by its *last* state, a
network has to carry the sum to the end. Read by the *mean* of its states, each step has a short
way to the loss:

    last    y = V h_T + b                  mean    y = V (1/T) sum_t h_t + b

Reviews differ in length, so they are padded, and the padding must not count.

Settings: 5 to 60 words, embedding 8, SRN with 16 hidden units, batches of 32, Adam 1e-2, clipping
at 1, 1,500 iterations, three seeds.

Measured, seed 0:

    sentiment, SRN, 3 seeds, mean of states  mean accuracy                0.9707
    sentiment, SRN, 3 seeds                  accuracy, mean - last state  0.1957

    python examples/sentiment.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from accuracy import accuracy
from descent import descent
from figure import figure
from result import Result, run, seeds_of

from microgrrepresent import Tensor, cross_entropy, no_grad
from rnn import RNN, Adam, Embedding, Padded, SequenceClassifier, pad

WORDS = [
    "<pad>",
    "good",
    "lovely",
    "witty",
    "moving",
    "bad",
    "dull",
    "silly",
    "flat",
    "the",
    "film",
    "story",
    "is",
    "and",
    "it",
    "was",
    "a",
    "not",
]
FIRST_BAD, FIRST_NEUTRAL, NOT = (WORDS.index(word) for word in ("bad", "the", "not"))


def review(rng: np.random.Generator, longest: int) -> tuple[list[int], int]:
    """The words of a review as indices, and its class: 1 for good, 0 for bad."""
    words = rng.integers(FIRST_NEUTRAL, NOT, rng.integers(5, longest + 1)).tolist()
    places = rng.choice(len(words), 1 + 2 * int(rng.integers(3)), replace=False)
    total = 0
    for place in sorted(places.tolist(), reverse=True):  # from the end, as "not" moves the rest
        word, turned = int(rng.integers(1, FIRST_NEUTRAL)), rng.random() < 0.3
        words[place : place + 1] = [NOT, word] if turned else [word]
        total += 1 if (word < FIRST_BAD) != turned else -1
    return words, int(total > 0)


Read = Literal["last", "mean"]


def batch(rng: np.random.Generator, longest: int, size: int) -> tuple[Padded, np.ndarray]:
    """Padded reviews, and their classes."""
    texts, classes = zip(*(review(rng, longest) for _ in range(size)), strict=True)
    return pad(texts), np.array(classes)


def learn(read: Read, longest: int, iterations: int, seed: int) -> tuple[float, list[float]]:
    """Train one network; give its accuracy on 2,000 new reviews, and its losses."""
    rng = np.random.default_rng(seed)
    embedding = Embedding(len(WORDS), 8, dtype=np.float32, rng=rng)
    layer = RNN(8, 16, dtype=np.float32, rng=rng)
    model = SequenceClassifier(layer, 2, read, embedding, rng=rng)

    def loss_of(i: int) -> Tensor:
        x, classes = batch(rng, longest, 32)
        loss: Tensor = cross_entropy(model(x.values, x.lengths), classes)
        return loss

    losses = [loss for _, loss in descent(loss_of, Adam(model.parameters(), lr=1e-2), iterations)]
    x, classes = batch(rng, longest, 2000)
    with no_grad():
        return accuracy(model(x.values, x.lengths), classes), losses


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train both readers; the mean of the states shall do better than the last one."""
    longest, iterations, seeds = (40, 300, 1) if quick else (60, 1500, 3)
    picture, reached = out / "sentiment.png", {}
    with figure(picture) as ax:
        readers: tuple[Read, Read] = ("last", "mean")
        for read in readers:
            runs = [learn(read, longest, iterations, seed + k) for k in range(seeds)]
            reached[read] = float(np.mean([share for share, _ in runs]))
            smooth = np.convolve(runs[0][1], np.ones(50) / 50, "valid")
            name = "last state" if read == "last" else "mean of states"
            ax.plot(smooth, label=f"{name}, test accuracy {reached[read]:.2f}")
        ax.set(xlabel="iteration", ylabel="cross-entropy, mean of 50 batches")
        ax.legend()
    name = f"sentiment, SRN, {seeds_of(seeds)}"
    lead = reached["mean"] - reached["last"]
    bar = 0.8 if quick else 0.9
    return [
        Result(f"{name}, mean of states", "mean accuracy", reached["mean"], ">", bar, picture),
        Result(name, "accuracy, mean - last state", lead, ">", 0.05, picture),
    ]


if __name__ == "__main__":
    run(main)
