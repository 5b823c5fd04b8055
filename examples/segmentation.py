"""Synchronous sequence to sequence: a tag for every character cuts Chinese into words.

B begins a word, M is in its middle, E ends it, S is a word by itself: 我/喜欢/音乐 has the tags
S BE BE. Whether 究 ends a word depends on what follows: 研究/生命, but 研究生/在. So the network
reads in both directions, and a tag is worked out from both states:

    y_t = V [forward h_t, backward h_t] + b

Settings: 55 sentences for training, 16 for the test (data_segmentation.py); embedding 24, 24
hidden units, batches of 11, Adam 1e-2, clipping at 1, 300 iterations, three seeds, for an LSTM in
one direction and in both.

Measured, seed 0:

    segmentation, one direction, 3 seeds   mean share of right tags  0.9216
    segmentation, two directions, 3 seeds  mean share of right tags  1

    python examples/segmentation.py
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from accuracy import accuracy
from data_segmentation import TAGS, TEST, TRAIN, sentences, tags, words
from descent import descent
from figure import figure
from result import Result, run, seeds_of

from microgrrepresent import Tensor, cross_entropy, no_grad, softmax
from rnn import LSTM, Adam, Embedding, SequenceTagger, Vocabulary, pad, sequence_loss, sequence_mask

TRAINING, TESTING = sentences(TRAIN), sentences(TEST)
VOCABULARY = Vocabulary.of("".join(w for sentence in TRAINING for w in sentence))


def arrays(texts: list[list[str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Characters and tags (T, B) as indices, and the lengths (B,)."""
    x = pad([VOCABULARY.encode("".join(text)) for text in texts])
    y = pad([[TAGS.index(tag) for tag in tags(text)] for text in texts])
    return x.values, y.values, x.lengths


def looked_up() -> float:
    """Share of right tags of who gives each character its most frequent tag, and knows no order."""
    seen: dict[str, Counter[str]] = {}
    for text in TRAINING:
        for character, tag in zip("".join(text), tags(text), strict=True):
            seen.setdefault(character, Counter())[tag] += 1
    right = [
        seen[character].most_common(1)[0][0] == tag
        for text in TESTING
        for character, tag in zip("".join(text), tags(text), strict=True)
    ]
    return float(np.mean(right))


def learn(bidirectional: bool, iterations: int, seed: int) -> tuple[SequenceTagger, float]:
    """Train one network; give it, and its share of right tags in the test sentences."""
    rng = np.random.default_rng(seed)
    embedding = Embedding(len(VOCABULARY), 24, dtype=np.float32, rng=rng)
    layer = LSTM(24, 24, bidirectional=bidirectional, dtype=np.float32, rng=rng)
    model = SequenceTagger(layer, len(TAGS), embedding, rng=rng)

    def loss_of(i: int) -> Tensor:
        chosen = rng.choice(len(TRAINING), 11, replace=False)
        x, y, lengths = arrays([TRAINING[k] for k in chosen])
        return sequence_loss(cross_entropy, model(x, lengths), y, mask=sequence_mask(lengths))

    for _ in descent(loss_of, Adam(model.parameters(), lr=1e-2), iterations):
        pass
    x, y, lengths = arrays(TESTING)
    with no_grad():
        return model, accuracy(model(x, lengths), y, sequence_mask(lengths))


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train in one direction and in both; draw the tags of two test sentences."""
    iterations, seeds = (60, 1) if quick else (300, 3)
    picture, results, models = out / "segmentation.png", [], {}
    for both in (False, True):
        runs = [learn(both, iterations, seed + k) for k in range(seeds)]
        share = float(np.mean([share for _, share in runs]))
        models["two directions" if both else "one direction"] = runs[0][0]
        name = f"segmentation, {'two directions' if both else 'one direction'}, {seeds_of(seeds)}"
        bar = 0.95 if both else looked_up()
        results.append(Result(name, "mean share of right tags", share, ">", bar, picture))
    with figure(picture, rows=2, columns=2, size=(4.4, 2.3)) as axes:
        for row, text in zip(axes, ("她研究生命", "研究生在公园打篮球"), strict=True):
            for ax, (name, model) in zip(row, models.items(), strict=True):
                with no_grad():
                    shares = softmax(model(VOCABULARY.encode(text)[:, None]))[:, 0].numpy()
                found = words(text, "".join(TAGS[k] for k in shares.argmax(-1)))
                drawn = ax.imshow(shares.T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
                ax.set_xticks(range(len(text)), list(text))
                ax.set_yticks(range(len(TAGS)), list(TAGS))
                ax.set_title(f"{name}: {'/'.join(found)}", fontsize=11)
        axes[0, 0].figure.colorbar(drawn, ax=axes, label="probability of the tag")
    return results


if __name__ == "__main__":
    run(main)
