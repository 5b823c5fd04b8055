"""One to many: from an image to words. The image is the decoder's first state.

A vector of 64 pixels is mapped to the first state of an LSTM, which then spells what it sees, one
letter after another, each fed back as the next input, until it says <eos>:

    h_0, c_0 = tanh(A x + a)
    P(y_{t+1} | y_1, ..., y_t, x) = softmax(V h_t + b)

So are captions made, with a convolutional network in place of A and words in place of letters.

Settings: 1,347 images of scikit-learn's digits for training, 450 for the test; the ten English
names; embedding 16, 48 hidden units, batches of 32, Adam 5e-3, clipping at 1, 25 epochs.

    python examples/caption.py            (needs scikit-learn)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from descent import descent
from figure import figure
from result import Result, run
from sequential_digits import images

from microgrrepresent import Tensor, cross_entropy, no_grad, tanh
from rnn import (Adam, Embedding, Linear, LSTMCell, LSTMState, Module, Vocabulary, over_time, pad, unroll)
from rnn.decoding import greedy

NAMES = "zero one two three four five six seven eight nine".split()
VOCABULARY = Vocabulary.of("".join(NAMES), special=("<eos>",))


class Captioner(Module):
    """An image to a first state, an LSTM cell, and a linear map to the next letter's scores."""

    def __init__(self, hidden: int, rng: np.random.Generator) -> None:
        options: dict[str, Any] = {"dtype": np.float32, "rng": rng}
        self.see = Linear(64, 2 * hidden, **options)
        self.embedding = Embedding(len(VOCABULARY), 16, **options)
        self.cell = LSTMCell(16, hidden, **options)
        self.head = Linear(hidden, len(VOCABULARY), **options)

    def first_state(self, pictures: np.ndarray) -> LSTMState:
        """The state that pictures (B, 8, 8) leave."""
        seen = tanh(self.see(pictures.reshape(len(pictures), 64)))
        half = seen.shape[1] // 2
        return LSTMState(seen[:, :half].named("h"), seen[:, half:].named("c"))

    def step(self, letters: Any, state: Any) -> tuple[Tensor, Any]:
        """Scores of the next letter, and the new state."""
        state = self.cell(self.embedding(letters), state)
        return self.head(state.h), state

    def loss(self, pictures: np.ndarray, names: list[str]) -> Tensor:
        """Mean cross-entropy of the letters of the names."""
        y = pad([VOCABULARY.encode(name, eos=True) for name in names])
        x = np.vstack([np.full((1, len(names)), VOCABULARY.eos), y.values[:-1]])
        run = unroll(self.cell, self.embedding(x), self.first_state(pictures))
        return over_time(cross_entropy, self.head(run.stacked()), y.values, mask=y.mask)


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train; count the test images whose name is spelled without a fault."""
    rng = np.random.default_rng(seed)
    x, y = images(rng)
    train = 1347
    model = Captioner(48, rng)

    def loss_of(i: int) -> Tensor:
        chosen = rng.integers(0, train, 32)
        return model.loss(x[chosen], [NAMES[k] for k in y[chosen]])

    for _ in descent(loss_of, Adam(model.parameters(), lr=5e-3), (8 if quick else 25) * 42):
        pass
    with no_grad():
        state = model.first_state(x[train:])
    first = np.full(len(x) - train, VOCABULARY.eos)
    said = [VOCABULARY.decode(d.tokens) for d in greedy(
        model.step, first, 8, state=state, stop=VOCABULARY.eos)]
    right = float(np.mean([name == NAMES[k] for name, k in zip(said, y[train:], strict=True)]))
    picture = out / "caption.png"
    with figure(picture, rows=2, columns=6, size=(1.3, 1.5)) as axes:
        for ax, image, name in zip(axes.flat, x[train:], said, strict=False):
            ax.imshow(image, cmap="Greys")
            ax.set_title(name)
            ax.axis("off")
    bar = 0.8 if quick else 0.93
    return [Result("caption of 8x8 digits", "names without a fault", right, ">", bar, picture)]


if __name__ == "__main__":
    run(main)
