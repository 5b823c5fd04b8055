"""A language model of words: which word comes next, and when the sentence ends.

Trained on Chinese sentences that are cut into words. The target is the input, shifted by one:

    input     <eos>  南开  大学  很   好
    target    南开   大学  很   好   <eos>

A rare word is read as <unk>. A sentence begins after an <eos> and ends with one, so that a sentence
drawn from the model, word by word, knows when to stop. Its probability is the product of those of
its words; exp of the mean cross-entropy, the perplexity, says among how many words the model
wavers.

Settings: sentences of data_segmentation.py, words seen twice at least; embedding 24, GRU with 48
hidden units, batches of 11, Adam 5e-3, clipping at 1, 100 iterations.

Measured, seed 0:

    word model               held-out perplexity        8.756
    word model               share of samples that end  1
    word model               novel sentences of 200     133
    word model, 南开 大学 很 ...  next word is 好             1

    python examples/word_model.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from data_segmentation import TEST, TRAIN, sentences
from descent import descent
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy, no_grad
from rnn import Adam, GRUCell, LanguageModel, Vocabulary, over_time, pad, perplexity
from rnn.decoding import greedy, prompt, sample


def shifted(vocabulary: Vocabulary, texts: list[list[str]]) -> tuple[np.ndarray, ...]:
    """Inputs, targets (T, B), and which of them are no padding."""
    targets = pad([vocabulary.encode(text, eos=True) for text in texts])
    start = np.full((1, len(texts)), vocabulary.eos)
    return np.vstack([start, targets.values[:-1]]), targets.values, targets.mask


def unigram(vocabulary: Vocabulary, train: np.ndarray, test: np.ndarray) -> float:
    """Perplexity of who knows how frequent words are (one added to each count), but no order."""
    counts = np.bincount(train, minlength=len(vocabulary)) + 1
    return float(np.exp(-np.log(counts / counts.sum())[test].mean()))


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train; measure perplexity on sentences that were held out, and draw new sentences."""
    rng = np.random.default_rng(seed)
    train, test = sentences(TRAIN), sentences(TEST)
    corpus = [word for sentence in train for word in sentence]
    vocabulary = Vocabulary.of(corpus, "word", min_count=2, special=("<unk>", "<eos>"))
    model = LanguageModel(len(vocabulary), 48, 24, cell=GRUCell, dtype=np.float32, rng=rng)

    def loss_of(texts: list[list[str]]) -> Tensor:
        x, y, mask = shifted(vocabulary, texts)
        return over_time(cross_entropy, model(x)[0], y, mask=mask)

    def chosen(i: int) -> list[list[str]]:
        return [train[k] for k in rng.choice(len(train), 11, replace=False)]

    epochs = 15 if quick else 20
    seen, curve = [], []
    steps = descent(lambda i: loss_of(chosen(i)), Adam(model.parameters(), lr=5e-3), epochs * 5)
    for i, loss in steps:
        seen.append(perplexity(loss))
        if i % 5 == 0:
            with no_grad():
                curve.append((i, perplexity(loss_of(test))))

    (_, train_y, train_mask), (_, test_y, test_mask) = (
        shifted(vocabulary, texts) for texts in (train, test)
    )
    frequent = unigram(vocabulary, train_y[train_mask], test_y[test_mask])
    assert vocabulary.eos is not None
    start = np.array([vocabulary.eos])
    heard = vocabulary.encode("南开 大学 很")
    state = prompt(model.step, [start, *heard[:-1, None]])
    following = greedy(model.step, heard[-1:], 1, state=state)[0].tokens
    drawn = sample(model.step, np.repeat(start, 200), 12, rng, stop=vocabulary.eos)
    texts = [[vocabulary.tokens[i] for i in d.tokens] for d in drawn if d.ended]
    novel = sorted({"".join(t) for t in texts if t not in train and "<unk>" not in t})

    picture = out / "word_model.png"
    with figure(picture, columns=2, size=(4.6, 3.4)) as (left, right):
        left.plot(seen, label="training, one batch")
        left.plot(*zip(*curve, strict=True), label="held-out sentences")
        left.axhline(frequent, color="grey", linestyle=":", label="word frequencies only")
        left.set(yscale="log", xlabel="iteration", ylabel="perplexity")
        left.set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
        left.minorticks_off()
        left.legend(loc="lower left")
        right.set_title("drawn, and not in the text", loc="left")
        right.text(0, 0.97, "\n".join(novel[::5][:13]), va="top")
        right.axis("off")
    return [
        Result("word model", "held-out perplexity", curve[-1][1], "<", frequent, picture),
        Result("word model", "share of samples that end", len(texts) / 200, ">", 0.8, picture),
        Result("word model", "novel sentences of 200", len(novel), ">=", 10, picture),
        Result(
            "word model, 南开 大学 很 ...", "next word is 好", vocabulary["好"] in following, "=", 1
        ),
    ]


if __name__ == "__main__":
    run(main)
