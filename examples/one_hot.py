"""How a word becomes numbers: its index, one-hot, an embedding.

*The index misleads.* As the 3rd, 7th and 30th word of a list, words are points on a line: the 7th
lies between the two others, and w x + b can only rank them by their place in the list. A logistic
regression on the index cannot say which words are animals, unless the list is sorted by that.

*One-hot says nothing false.* The i-th word is e_i, 1 at its own place and 0 at all others: any two
words are √2 apart, their inner product is 0, and every class of words can be told from the others
by a plane. But it costs |V| numbers a word, and all words stay equally strange to each other.

*An embedding picks a column.* W e_i with W of d x |V| is the i-th column of W, so one looks it up
instead of multiplying. (`Embedding` keeps the transpose of W, as PyTorch does: a word picks a row.)
Its gradient reaches the columns that were looked up, and adds up where a
word comes twice. Here each column learns to say which words stand next to its word, as in word2vec
(Mikolov et al. 2013, skip-gram, with the full softmax): words with the same neighbors come to lie
together, as the picture shows in the two main directions of the columns.

A column is still one point for a word, the same in *river bank* and *bank account*. Contextual
embeddings (ELMo, BERT) take instead the state of a network that has read the sentence, as the
states of the taggers in this gallery do.

Settings: 24 words of four kinds in random order, in generated sentences of four words; embedding 8,
begun near 0; batches of 64 pairs of neighbors, Adam 1e-2, 400 iterations.

Measured, seed 0:

    index      words told apart                  0.75
    one-hot    words told apart                  1
    one-hot    distance from sqrt(2), at most    0
    embedding  gradient, lookup against product  0
    embedding  nearest word is of the same kind  1

    python examples/one_hot.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from descent import descent
from figure import COLORS, figure
from result import Result, run

from microgrrepresent import Tensor, binary_cross_entropy, cross_entropy, grad, linear
from rnn import Adam, Embedding, Linear

KINDS = {
    "animals": ["dog", "cat", "horse", "bird", "fish", "mouse"],
    "food": ["bread", "rice", "apple", "soup", "cake", "cheese"],
    "cities": ["Tianjin", "Beijing", "Paris", "Rome", "Oslo", "Cairo"],
    "verbs": ["eats", "likes", "sees", "wants", "finds", "takes"],
}


def shuffled(rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """The words in random order, and the number of the kind of each."""
    words = [(word, kind) for kind, members in enumerate(KINDS.values()) for word in members]
    order = rng.permutation(len(words))
    return [words[k][0] for k in order], np.array([words[k][1] for k in order])


def told(x: np.ndarray, is_animal: np.ndarray, iterations: int) -> float:
    """Share of words that a logistic regression tells from the others, after training on all."""
    model = Linear(x.shape[1], 1, rng=0)
    answers = is_animal[:, None].astype(float)

    def loss_of(i: int) -> Tensor:
        loss: Tensor = binary_cross_entropy(model(x), answers).mean()
        return loss

    for _ in descent(loss_of, Adam(model.parameters(), lr=0.1), iterations):
        pass
    return float(((model(x).numpy() > 0) == is_animal[:, None]).mean())


def neighbors(rng: np.random.Generator, words: list[str], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Words of random sentences, and for each a word that stands next to it.

    A sentence is an animal, a verb, food and a city, as in *mouse eats cheese Rome*.
    """
    kinds = list(KINDS.values())
    text = np.array([[words.index(w) for w in rng.choice(kinds[k], n)] for k in (0, 3, 1, 2)])
    at = rng.integers(4, size=n)
    beside = np.where(at == 0, 1, np.where(at == 3, 2, at + rng.choice([-1, 1], n)))
    return text[at, np.arange(n)], text[beside, np.arange(n)]


def gradient_of_columns(rng: np.random.Generator) -> float:
    """How far the gradient of a lookup is from that of the product with one-hot vectors."""
    W, picked = Tensor(rng.normal(size=(24, 8)), requires_grad=True), np.array([3, 7, 3])
    looked_up = (W[picked] ** 2).sum()
    multiplied = (linear(np.eye(24)[picked], W.T) ** 2).sum()
    return float(np.abs(grad(looked_up, W) - grad(multiplied, W)).max())


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Hold the three encodings against each other; draw what an embedding has learned."""
    rng = np.random.default_rng(seed)
    words, kind = shuffled(rng)
    n, is_animal = len(words), kind == 0
    index = (np.arange(n) / n)[:, None]
    by_index, by_one_hot = told(index, is_animal, 200), told(np.eye(n), is_animal, 200)
    apart = np.linalg.norm(np.eye(n)[:, None] - np.eye(n)[None], axis=-1)[~np.eye(n, dtype=bool)]

    embedding, readout = Embedding(n, 8, rng=rng), Linear(8, n, rng=rng)
    embedding.weight.assign(0.1 * embedding.weight.numpy())

    def loss_of(i: int) -> Tensor:
        word, beside = neighbors(rng, words, 64)
        loss: Tensor = cross_entropy(readout(embedding(word)), beside).mean()
        return loss

    optimizer = Adam([*embedding.parameters(), *readout.parameters()], lr=1e-2)
    for _ in descent(loss_of, optimizer, 200 if quick else 400):
        pass
    columns = embedding.weight.numpy()
    unit = columns / np.linalg.norm(columns, axis=1, keepdims=True)
    near = unit @ unit.T - 2 * np.eye(n)
    alike = float((kind[near.argmax(axis=1)] == kind).mean())

    centered = columns - columns.mean(axis=0)
    plane = centered @ np.linalg.svd(centered)[2][:2].T
    picture = out / "one_hot.png"
    with figure(picture, columns=2, size=(4.8, 3.6)) as (left, right):
        left.bar(["index", "one-hot"], [by_index, by_one_hot], color=[COLORS[1], COLORS[0]])
        left.axhline(1 - is_animal.mean(), color="gray", linestyle=":")
        left.text(-0.4, 1 - is_animal.mean() + 0.01, "always 'no animal'", color="gray")
        left.set(ylim=(0, 1.05), ylabel="animals told from other words")
        for k, (name, members) in enumerate(KINDS.items()):
            x, y = plane[kind == k].T
            right.scatter(x, y, color=COLORS[k], s=14)
            to_the_right, up = x.mean() < 0, y.mean() < 0
            right.annotate(
                "\n".join([name.upper(), *members]),
                (x.mean(), y.mean()),
                (14 if to_the_right else -14, 0),
                textcoords="offset points",
                ha="left" if to_the_right else "right",
                va="bottom" if up else "top",
                fontsize=8,
                color=COLORS[k],
            )
        right.set(xticks=[], yticks=[], title="an embedding, its two main directions")
    return [
        Result("index", "words told apart", by_index, "<", 0.9, picture),
        Result("one-hot", "words told apart", by_one_hot, "=", 1, picture),
        Result("one-hot", "distance from sqrt(2), at most", float(np.abs(apart - 2**0.5).max()),
               "<", 1e-15, picture),
        Result("embedding", "gradient, lookup against product", gradient_of_columns(rng), "<",
               1e-12, picture),
        Result("embedding", "nearest word is of the same kind", alike, ">", 0.9, picture),
    ]  # fmt: skip


if __name__ == "__main__":
    run(main)
