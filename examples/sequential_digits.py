"""Sequence to class: a handwritten digit, read row by row.

The 8 x 8 images of scikit-learn's digits are read as a sequence of eight rows of eight pixels; the
class is told after the last row. Trained by `rnn.fit`: batches, a loss, an optimizer, and how long.

Settings: 1,347 images for training, 450 for the test; LSTM with 32 hidden units, 42 batches an
epoch, Adam 5e-3, clipping at 1, 25 epochs.

Measured, seed 0:

    digits 8x8, row by row, LSTM  test accuracy  0.9889

    python examples/sequential_digits.py            (needs scikit-learn)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy, no_grad, softmax
from rnn import LSTM, Adam, SequenceTagger, fit


def images(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The images, (1797, 8, 8) between 0 and 1, and their classes, in random order."""
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]

    data = load_digits()
    order = rng.permutation(len(data.target))
    return data.images[order].astype(np.float32) / 16, data.target[order]


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train; draw some test images with the class that the network thinks of after each row."""
    rng = np.random.default_rng(seed)
    x, y = images(rng)
    train = 1347
    rows = x.transpose(1, 0, 2)  # time first: (8, 1797, 8)
    model = SequenceTagger(LSTM(8, 32, dtype=np.float32, rng=rng), 10, rng=rng)

    def batches(rng: np.random.Generator) -> list[np.ndarray]:
        return np.array_split(rng.permutation(train), 42)

    def loss_of(chosen: np.ndarray) -> Tensor:
        loss: Tensor = cross_entropy(model(rows[:, chosen])[-1], y[chosen])
        return loss

    optimizer, epochs = Adam(model.parameters(), lr=1e-2 if quick else 5e-3), 8 if quick else 25
    fit(model, batches, loss_of, optimizer, rng, epochs=epochs, clip=1.0, report=None)
    with no_grad():
        scores = model(rows[:, train:])
        right = float((scores.numpy()[-1].argmax(-1) == y[train:]).mean())
        shares = softmax(scores).numpy()
    picture = out / "sequential_digits.png"
    with figure(picture, rows=2, columns=4, size=(2.0, 2.0)) as axes:
        for k in range(4):
            axes[0, k].imshow(x[train + k], cmap="Greys")
            axes[0, k].axis("off")
            seen = axes[1, k].imshow(shares[:, k], cmap="Blues", vmin=0, vmax=1)
            axes[1, k].set(xticks=range(10), xlabel="class", yticks=range(8))
            axes[1, k].set_yticklabels(range(1, 9))
        axes[1, 0].set_ylabel("rows read")
        axes[1, 0].figure.colorbar(seen, ax=axes[1], label="probability")
    bar = 0.85 if quick else 0.95
    return [Result("digits 8x8, row by row, LSTM", "test accuracy", right, ">", bar, picture)]


if __name__ == "__main__":
    run(main)
