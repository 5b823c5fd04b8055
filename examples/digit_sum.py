"""Sequence to class: the sum of the first two digits, after a row of zeros.

The experiment of the NNDL course: a sequence of L digits begins with two digits to be added, then
come zeros, one of which is replaced by a digit that is of no concern. The 19 classes are the sums
0..18. All 100 pairs are seen in training (three times, with another disturbance each); the test
has new disturbances. The longer the row of zeros, the more the SRN forgets; the LSTM's cell

    c_t = f . c_{t-1} + i . g

carries the sum across.

Settings: 300 sequences for training, 100 to choose the best epoch, 100 for the test; embedding 32,
hidden 32, batches of 8, Adam 1e-3, 500 epochs, clipping at 20.

Measured, seed 0:

    digit sum, length 10, SRN   test accuracy              0.49
    digit sum, length 10, GRU   test accuracy              0.66
    digit sum, length 10, LSTM  test accuracy              0.83
    digit sum, length 10        test accuracy, LSTM - SRN  0.34
    digit sum, length 10, LSTM  training accuracy          1
    digit sum, length 20, SRN   test accuracy              0.31
    digit sum, length 20, GRU   test accuracy              0.6
    digit sum, length 20, LSTM  test accuracy              0.88
    digit sum, length 20        test accuracy, LSTM - SRN  0.57
    digit sum, length 20, LSTM  training accuracy          1

    python examples/digit_sum.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from accuracy import accuracy
from descent import descent
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy, no_grad
from rnn import GRU, LSTM, RNN, Adam, Embedding, SequenceClassifier

CELLS = {"SRN": RNN, "GRU": GRU, "LSTM": LSTM}
BARS = {"SRN": 0.2, "GRU": 0.4, "LSTM": 0.6}  # always to say 9, the most frequent sum, has 0.1


def digits(rng: np.random.Generator, length: int, copies: int) -> tuple[np.ndarray, np.ndarray]:
    """All 100 pairs, each `copies` times: sequences (length, 100 copies), and sums."""
    pairs = np.repeat(np.arange(100), copies)
    x = np.zeros((length, pairs.size), dtype=np.int64)
    x[0], x[1] = pairs // 10, pairs % 10
    disturbed = rng.integers(2, length, pairs.size)
    x[disturbed, np.arange(pairs.size)] = rng.integers(0, 10, pairs.size)
    return x, x[0] + x[1]


def adder(layer: type, rng: np.random.Generator) -> SequenceClassifier:
    """Digits to vectors, a recurrent layer, and its last output to the 19 sums."""
    embedding = Embedding(10, 32, dtype=np.float32, rng=rng)
    return SequenceClassifier(
        layer(32, 32, dtype=np.float32, rng=rng), 19, "last", embedding, rng=rng
    )


def learn(
    cell: str, length: int, epochs: int, batch: int, lr: float, seed: int
) -> tuple[float, float, list[tuple[int, float]]]:
    """Accuracies on test and training set at the best epoch of the development set, and a curve."""
    rng = np.random.default_rng(seed)
    x, y = digits(rng, length, 3)
    sets = {"dev": digits(rng, length, 1), "test": digits(rng, length, 1), "train": (x, y)}
    model = adder(CELLS[cell], rng)

    def share(name: str) -> float:
        with no_grad():
            return accuracy(model(sets[name][0]), sets[name][1])

    per_epoch = -(-300 // batch)
    order = rng.permutation(300)

    def loss_of(i: int) -> Tensor:
        start = (i - 1) % per_epoch * batch
        if start == 0:
            rng.shuffle(order)
        chosen = order[start : start + batch]
        loss: Tensor = cross_entropy(model(x[:, chosen]), y[chosen])
        return loss

    best, test, train, curve = -1.0, 0.0, 0.0, []
    optimizer = Adam(model.parameters(), lr=lr)
    for i, _ in descent(loss_of, optimizer, epochs * per_epoch, clip=20):
        if i % (5 * per_epoch) == 0:
            dev = share("dev")
            curve.append((i // per_epoch, dev))
            if dev > best:
                best, test, train = dev, share("test"), share("train")
    return test, train, curve


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train the three cells at each length; the LSTM shall be better than the SRN by 0.2."""
    lengths, epochs, batch, lr = ([10], 120, 30, 5e-3) if quick else ([10, 20], 500, 8, 1e-3)
    results, picture = [], out / "digit_sum.png"
    with figure(picture, columns=len(lengths), size=(4.6, 3.4)) as axes:
        for length, ax in zip(lengths, np.atleast_1d(axes), strict=True):
            test = {}
            for cell in CELLS:
                test[cell], train, curve = learn(cell, length, epochs, batch, lr, seed)
                ax.plot(*zip(*curve, strict=True), label=f"{cell}, test {test[cell]:.2f}")
                name = f"digit sum, length {length}, {cell}"
                bar = BARS[cell]
                results.append(Result(name, "test accuracy", test[cell], ">", bar, picture))
            ax.set(xlabel="epoch", ylabel="accuracy (development set)", title=f"length {length}")
            ax.legend()
            lead = ("test accuracy, LSTM - SRN", test["LSTM"] - test["SRN"], ">=", 0.2)
            results.append(Result(f"digit sum, length {length}", *lead, picture))
            results.append(
                Result(f"digit sum, length {length}, LSTM", "training accuracy", train, ">=", 0.95)
            )
    return results


if __name__ == "__main__":
    run(main)
