"""One to many: from an image to words. The image is the decoder's first state.

A vector of 64 pixels is mapped to the first state of a GRU, which then spells what it sees, one
letter after another, each fed back as the next input, until it says <eos>:

    h_0 = tanh(A x + a)
    P(y_{t+1} | y_1, ..., y_t, x) = softmax(V h_t + b)

So are captions made, with a convolutional network in place of A and words in place of letters.

Settings: 1,347 images of scikit-learn's digits for training, 450 for the test; the ten English
names; embedding 16, 48 hidden units, batches of 32, Adam 5e-3, clipping at 1, 1,000 iterations.

Measured, seed 0:

    caption of 8x8 digits  names without a fault  0.9844

    python examples/caption.py            (needs scikit-learn)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from descent import descent
from figure import figure
from result import Result, run
from sequential_digits import images

from microgrrepresent import Tensor, cross_entropy
from rnn import Adam, Decoder, Vocabulary, pad, sequence_loss

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
VOCABULARY = Vocabulary.of("".join(NAMES), special=("<eos>",))
END = VOCABULARY["<eos>"]


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train; count the test images whose name is spelled without a fault."""
    rng = np.random.default_rng(seed)
    x, y = images(rng)
    pixels, train = x.reshape(len(x), 64), 1347
    model = Decoder(len(VOCABULARY), 48, 64, 16, dtype=np.float32, rng=rng)

    def loss_of(i: int) -> Tensor:
        chosen = rng.integers(0, train, 32)
        names = pad([VOCABULARY.encode(NAMES[k], eos=True) for k in y[chosen]])
        inputs = np.vstack([np.full((1, 32), END), names.values[:-1]])
        scores = model(pixels[chosen], inputs)
        return sequence_loss(cross_entropy, scores, names.values, mask=names.mask)

    for _ in descent(loss_of, Adam(model.parameters(), lr=5e-3), 250 if quick else 1000):
        pass
    found = model.generate(pixels[train:], END, 8, stop=END)
    said = [VOCABULARY.decode(d.tokens) for d in found]
    right = float(np.mean([name == NAMES[k] for name, k in zip(said, y[train:], strict=True)]))
    picture = out / "caption.png"
    with figure(picture, rows=2, columns=6, size=(1.3, 1.5)) as axes:
        for ax, image, name, k in zip(axes.flat, x[train:], said, y[train:], strict=False):
            ax.imshow(image, cmap="Greys")
            ax.set_title(name, color="C6" if name == NAMES[k] else "C1")
            ax.axis("off")
    bar = 0.8 if quick else 0.93
    return [Result("caption of 8x8 digits", "names without a fault", right, ">", bar, picture)]


if __name__ == "__main__":
    run(main)
