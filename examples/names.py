"""Name finding: is "Teddy" a name? In one direction nobody can know.

    he said, "Teddy bears are on sale!"                0 0 0 0 0 0 0
    he said, "Teddy Roosevelt was a great president!"  0 0 1 1 0 0 0 0

The example of Ng's course: up to "Teddy" the sentences are the same, and what decides comes after
it. A network that reads from left to right has to guess at that word, and is right half of the
time; one that reads in both directions has seen the word that follows.

Settings: sentences generated from the lists below; embedding 8, LSTM with 16 hidden units, batches
of 32, Adam 1e-2, clipping at 1, 150 iterations.

Measured, seed 0:

    names, LSTM in one direction   accuracy at the word in question  0.477
    names, LSTM in one direction   accuracy at other words           1
    names, LSTM in two directions  accuracy at the word in question  1
    names, LSTM in two directions  accuracy at other words           1

    python examples/names.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from accuracy import accuracy
from descent import descent
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy, no_grad, sigmoid
from rnn import LSTM, Adam, Embedding, Padded, SequenceTagger, Vocabulary, pad, sequence_loss

BEGINNINGS = ["he said", "she told me", "i heard that", "we know"]
EITHER = ["teddy", "rose", "mark", "frank", "grace"]  # a first name, or just a word
NAMED = ["roosevelt was a great president", "miller won a prize", "brown lives in town"]
PLAIN = ["bears are on sale", "gardens need much water", "letters come too late"]
VOCABULARY = Vocabulary.of(" ".join([*BEGINNINGS, *EITHER, *NAMED, *PLAIN]), unit="word")


def sentence(rng: np.random.Generator) -> tuple[list[str], list[int], int]:
    """Words; for each whether it is part of a name; and where the word is that may be either."""
    beginning = str(rng.choice(BEGINNINGS)).split()
    named = bool(rng.random() < 0.5)
    rest = str(rng.choice(NAMED if named else PLAIN)).split()
    tags = [0] * len(beginning) + [int(named)] * 2 + [0] * (len(rest) - 1)
    return [*beginning, str(rng.choice(EITHER)), *rest], tags, len(beginning)


def batch(rng: np.random.Generator, size: int) -> tuple[Padded, np.ndarray, np.ndarray]:
    """Padded sentences (T, size), their tags, and the places in question (size,)."""
    texts, tags, places = zip(*(sentence(rng) for _ in range(size)), strict=True)
    return pad([VOCABULARY.encode(text) for text in texts]), pad(tags).values, np.array(places)


def learn(bidirectional: bool, iterations: int, seed: int) -> tuple[SequenceTagger, float, float]:
    """Train one network; give its accuracy at the word in question, and at all other words."""
    rng = np.random.default_rng(seed)
    embedding = Embedding(len(VOCABULARY), 8, dtype=np.float32, rng=rng)
    layer = LSTM(8, 16, bidirectional=bidirectional, dtype=np.float32, rng=rng)
    model = SequenceTagger(layer, 2, embedding, rng=rng)

    def loss_of(i: int) -> Tensor:
        x, y, _ = batch(rng, 32)
        return sequence_loss(cross_entropy, model(x.values, x.lengths), y, mask=x.mask)

    for _ in descent(loss_of, Adam(model.parameters(), lr=1e-2), iterations):
        pass
    x, y, places = batch(rng, 1000)
    asked = np.arange(len(y))[:, None] == places
    with no_grad():
        logits = model(x.values, x.lengths)
    return model, accuracy(logits, y, asked), accuracy(logits, y, x.mask & ~asked)


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train in one direction and in both; draw what each thinks of Teddy, word by word."""
    iterations = 80 if quick else 150
    picture, results = out / "names.png", []
    shown = ["he said teddy roosevelt was a great president", "we know teddy bears are on sale"]
    with figure(picture, rows=2, size=(6.4, 2.2)) as axes:
        for both in (False, True):
            model, asked, others = learn(both, iterations, seed)
            name = f"names, LSTM in {'two directions' if both else 'one direction'}"
            bar = (">", 0.99) if both else ("<", 0.6)
            results.append(Result(name, "accuracy at the word in question", asked, *bar, picture))
            results.append(Result(name, "accuracy at other words", others, ">", 0.99, picture))
            for ax, text in zip(axes, shown, strict=True):
                with no_grad():
                    logits = model(VOCABULARY.encode(text)[:, None])[:, 0]
                    share = sigmoid(logits[:, 1] - logits[:, 0]).numpy()
                ax.plot(share, marker="o", label="two directions" if both else "one direction")
                ax.set_xticks(range(len(share)), text.split())
                ax.set(ylabel="P(name)", ylim=(-0.05, 1.05))
        for ax in axes:
            ax.legend(loc="upper right")
    return results


if __name__ == "__main__":
    run(main)
