"""Cloze: the word that is missing in the middle of a sentence, read from both sides.

    我 想 上 ___ 学习       I want to go to ___ to study          大学, the university

What comes before the gap, 我 想 上, leaves any place open; what comes behind it, 学习, does not. A
network that reads from left to right stands at the gap and has not heard the end. One that reads in
both directions has its state h→ from the left and h← from the right side by side,

    y = softmax(V [h→_t, h←_t] + c)

and knows. The sentences are generated: someone wants to go somewhere and do something there, with
or without a friend and a time; the place is what is asked for. New sentences are the test.

Settings: embedding 12, GRU with 16 units a direction, batches of 32, Adam 1e-2, clipping at 1,
150 iterations; 500 sentences for the test.

Measured, seed 0:

    cloze, one direction   share of right words  0.172
    cloze, two directions  share of right words  1
    cloze, 我 想 上 ___ 学习    it says 大学            1

    python examples/cloze.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from descent import descent
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy, no_grad, softmax
from rnn import GRU, Adam, Embedding, Linear, Module, Vocabulary, pad

WHO = ["我", "你", "他", "她", "我们", "他们"]
WHEN = ["", "今天", "明天", "现在"]
WITH = ["", "和 朋友", "和 老师", "和 同学"]
THERE = {
    "大学": ["学习", "学 历史", "研究 语言"],
    "图书馆": ["看 书", "还 书", "借 书"],
    "火车站": ["买 票", "坐 火车", "等 车"],
    "公园": ["打 篮球", "跑步", "散步"],
    "电影院": ["看 电影"],
    "饭馆": ["吃 饭", "吃 面条", "喝 茶"],
}
PLACES = list(THERE)
GAP = "___"
WORDS = " ".join([*WHO, *WHEN, *WITH, *(d for deeds in THERE.values() for d in deeds), "想 上"])
VOCABULARY = Vocabulary.of([*WORDS.split(), GAP], "word", special=())


def question(rng: np.random.Generator) -> tuple[list[str], int]:
    """A sentence with a gap, and the number of the place that is missing."""
    place = int(rng.integers(len(PLACES)))
    parts = [rng.choice(WHO), rng.choice(WHEN), rng.choice(WITH), "想 上", GAP]
    return " ".join([*parts, rng.choice(THERE[PLACES[place]])]).split(), place


class Reader(Module):
    """Reads a sentence in one direction or in both, and names the place at the gap."""

    def __init__(self, bidirectional: bool, rng: np.random.Generator) -> None:
        self.embedding = Embedding(len(VOCABULARY), 12, rng=rng)
        self.layer = GRU(12, 16, bidirectional=bidirectional, rng=rng)
        self.readout = Linear(self.layer.output_size, len(PLACES), rng=rng)

    def forward(self, texts: list[list[str]]) -> Tensor:
        """The scores of the places, (B, places)."""
        x = pad([VOCABULARY.encode(text) for text in texts])
        output, _ = self.layer(self.embedding(x.values), lengths=x.lengths)
        gaps = [text.index(GAP) for text in texts]
        scores: Tensor = self.readout(output[gaps, np.arange(len(texts))])
        return scores


def learn(bidirectional: bool, iterations: int, seed: int) -> tuple[Reader, float]:
    """Train one network; give it, and its share of right places in new sentences."""
    rng = np.random.default_rng(seed)
    model = Reader(bidirectional, rng)

    def loss_of(i: int) -> Tensor:
        texts, places = zip(*[question(rng) for _ in range(32)], strict=True)
        loss: Tensor = cross_entropy(model(list(texts)), np.array(places)).mean()
        return loss

    for _ in descent(loss_of, Adam(model.parameters(), lr=1e-2), iterations):
        pass
    texts, places = zip(*[question(rng) for _ in range(500)], strict=True)
    with no_grad():
        return model, float((model(list(texts)).numpy().argmax(-1) == places).mean())


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train in one direction and in both; draw what each says of 我 想 上 ___ 学习."""
    picture, results, asked = out / "cloze.png", [], "我 想 上 ___ 学习"
    with figure(picture, columns=2, size=(4.4, 2.8)) as axes:
        for ax, both in zip(axes, (False, True), strict=True):
            model, share = learn(both, 60 if quick else 150, seed)
            name = "two directions" if both else "one direction"
            with no_grad():
                shares = softmax(model([asked.split()]))[0].numpy()
            ax.barh(PLACES, shares)
            ax.invert_yaxis()
            ax.set(xlim=(0, 1), xlabel=f"probability, {name}", title=asked)
            bar = (">", 0.95) if both else ("<", 0.3)
            results.append(Result(f"cloze, {name}", "share of right words", share, *bar, picture))
    said = PLACES[int(shares.argmax())]
    results.append(
        Result("cloze, 我 想 上 ___ 学习", "it says 大学", said == "大学", "=", 1, picture)
    )
    return results


if __name__ == "__main__":
    run(main)
