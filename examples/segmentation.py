"""Synchronous sequence to sequence: a tag for every character cuts Chinese into words.

B begins a word, M is in its middle, E ends it, S is a word by itself: 我/喜欢/音乐 has the tags
S BE BE. Whether 究 ends a word depends on what follows: 研究/生命, but 研究生/在. So the network
reads in both directions, and a tag is worked out from both states:

    y_t = V [forward h_t, backward h_t] + b

Settings: 55 sentences for training, 16 for the test (data_segmentation.py); embedding 24, 24
hidden units, batches of 11, Adam 1e-2, clipping at 1, 300 iterations, three seeds, for an LSTM in
one direction and in both.

    python examples/segmentation.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from accuracy import accuracy
from data_segmentation import TAGS, TEST, TRAIN, sentences, tags, words
from descent import descent
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy, no_grad, softmax
from rnn import LSTM, Adam, Embedding, SequenceTagger, Vocabulary, over_time, pad, sequence_mask

TRAINING, TESTING = sentences(TRAIN), sentences(TEST)
VOCABULARY = Vocabulary.of("".join(w for sentence in TRAINING for w in sentence))


def arrays(texts: list[list[str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Characters and tags (T, B) as indices, and the lengths (B,)."""
    x = pad([VOCABULARY.encode("".join(text)) for text in texts])
    y = pad([[TAGS.index(tag) for tag in tags(text)] for text in texts])
    return x.values, y.values, x.lengths


def learn(bidirectional: bool, iterations: int, seed: int) -> tuple[SequenceTagger, float]:
    """Train one network; give it, and its share of right tags in the test sentences."""
    rng = np.random.default_rng(seed)
    embedding = Embedding(len(VOCABULARY), 24, dtype=np.float32, rng=rng)
    layer = LSTM(24, 24, bidirectional=bidirectional, dtype=np.float32, rng=rng)
    model = SequenceTagger(layer, len(TAGS), embedding, rng=rng)

    def loss_of(i: int) -> Tensor:
        chosen = rng.choice(len(TRAINING), 11, replace=False)
        x, y, lengths = arrays([TRAINING[k] for k in chosen])
        return over_time(cross_entropy, model(x, lengths), y, mask=sequence_mask(lengths))

    for _ in descent(loss_of, Adam(model.parameters(), lr=1e-2), iterations):
        pass
    x, y, lengths = arrays(TESTING)
    with no_grad():
        return model, accuracy(model(x, lengths), y, sequence_mask(lengths))


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train in one direction and in both; draw the tags of one test sentence."""
    iterations, seeds = (60, 1) if quick else (300, 3)
    picture, results, model = out / "segmentation.png", [], None
    for both in (False, True):
        runs = [learn(both, iterations, seed + k) for k in range(seeds)]
        share, model = float(np.mean([share for _, share in runs])), runs[0][0]
        name = f"segmentation, {'two directions' if both else 'one direction'}, {seeds} seeds"
        bar = 0.85 if both else 0.7
        results.append(Result(name, "mean share of right tags", share, ">", bar, picture))
    assert model is not None
    text = "".join(TESTING[3])
    with no_grad():
        shares = softmax(model(VOCABULARY.encode(text)[:, None]))[:, 0].numpy()
    found = words(text, "".join(TAGS[k] for k in shares.argmax(-1)))
    with figure(picture) as ax:
        ax.imshow(shares.T, cmap="Blues", vmin=0, vmax=1)
        ax.set_xticks(range(len(text)), list(text))
        ax.set_yticks(range(len(TAGS)), list(TAGS))
        ax.set_title("/".join(found))
    return results


if __name__ == "__main__":
    run(main)
