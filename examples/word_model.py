"""A language model of words: which word comes next, and when the sentence ends.

Trained on Chinese sentences that are cut into words, and on the clauses of the Declaration of
Independence. The target is the input, shifted by one:

    input     <eos>  南开  大学  很   好
    target    南开   大学  很   好   <eos>

A sentence begins after an <eos> and ends with one, so that a sentence drawn from the model, word by
word, knows when to stop. A rare word is read as <unk>, and so <unk> is drawn, too: by the model of
the Declaration, a short text, at every third place. The probability of a sentence is the product of
those of its words; exp of the mean cross-entropy, the perplexity, says among how many words the
model wavers.

Settings: words seen twice at least; embedding 24, GRU with 48 hidden units, batches of about 11
sentences, Adam 5e-3, clipping at 1. Chinese: the sentences of data_segmentation.py, 25 epochs.
English: the bundled text in lower case, cut at . ; : and commas, every eighth clause held out,
12 epochs. Trained by `rnn.fit`, which keeps the parameters that are best on the held-out sentences;
their perplexity is a little flattered by this choice. 200 sentences drawn from each.

Measured, seed 0:

    word model, Chinese      held-out perplexity        7.874
    word model, Chinese      share of samples that end  1
    word model, Chinese      novel sentences of 200     159
    word model, Chinese      share of <unk> in samples  0.0525
    word model, 南开 大学 很 ...  next word is 好             1
    word model, English      held-out perplexity        14.83
    word model, English      share of samples that end  0.975
    word model, English      novel sentences of 200     184
    word model, English      share of <unk> in samples  0.3481

    python examples/word_model.py
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from data_segmentation import TEST, TRAIN, sentences
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy
from rnn import (
    Adam,
    GRUCell,
    History,
    LanguageModel,
    Validation,
    Vocabulary,
    fit,
    pad,
    perplexity,
    sequence_loss,
    tokenize,
)
from rnn.sequences.datasets import bundled_text
from rnn.sequences.decoding import greedy, sample, state_after

Texts = list[list[str]]


def clauses() -> tuple[Texts, Texts]:
    """The clauses of the Declaration, as lists of words: for training, and held out."""
    parts = re.split(r"[.;:,]", bundled_text().lower())
    found = [words for part in parts if len(words := tokenize(part, "word")) > 2]
    return [c for i, c in enumerate(found) if i % 8], found[::8]


def shifted(vocabulary: Vocabulary, texts: Texts) -> tuple[np.ndarray, ...]:
    """Inputs, targets (T, B), and which of them are no padding."""
    targets = pad([vocabulary.encode(text, eos=True) for text in texts])
    start = np.full((1, len(texts)), vocabulary.eos)
    return np.vstack([start, targets.values[:-1]]), targets.values, targets.mask


def unigram(vocabulary: Vocabulary, train: Texts, test: Texts) -> float:
    """Perplexity of who knows how frequent words are (one added to each count), but no order."""
    (_, seen, valid), (_, unseen, asked) = (shifted(vocabulary, texts) for texts in (train, test))
    counts = np.bincount(seen[valid], minlength=len(vocabulary)) + 1
    return float(np.exp(-np.log(counts / counts.sum())[unseen[asked]].mean()))


def learn(
    train: Texts, test: Texts, epochs: int, rng: np.random.Generator
) -> tuple[LanguageModel, Vocabulary, History]:
    """Train a model of the words that are seen twice."""
    corpus = [word for text in train for word in text]
    vocabulary = Vocabulary.of(corpus, "word", min_count=2, special=("<unk>", "<eos>"))
    model = LanguageModel(len(vocabulary), 48, 24, cell=GRUCell, dtype=np.float32, rng=rng)

    def loss_of(texts: Texts) -> Tensor:
        x, y, mask = shifted(vocabulary, texts)
        return sequence_loss(cross_entropy, model(x)[0], y, mask=mask)

    def batches(rng: np.random.Generator) -> Iterator[Texts]:
        for part in np.array_split(rng.permutation(len(train)), len(train) // 11):
            yield [train[k] for k in part]

    optimizer = Adam(model.parameters(), lr=5e-3)
    history = fit(
        model,
        batches,
        loss_of,
        optimizer,
        rng,
        epochs=epochs,
        clip=1.0,
        validation=Validation(lambda: float(loss_of(test))),
        every=5,
        report=None,
    )
    return model, vocabulary, history


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train two models; measure perplexity on held-out sentences, and draw new sentences."""
    rng = np.random.default_rng(seed)
    picture, results = out / "word_model.png", []
    corpora = {
        "Chinese": (sentences(TRAIN), sentences(TEST), 15 if quick else 25),
        "English": (*clauses(), 8 if quick else 12),
    }
    with figure(picture, rows=2, columns=2, size=(4.8, 3.2)) as axes:
        for (left, right), (language, (train, test, epochs)) in zip(
            axes, corpora.items(), strict=True
        ):
            model, vocabulary, history = learn(train, test, epochs, rng)
            assert history.best is not None and vocabulary.eos is not None
            frequent = unigram(vocabulary, train, test)
            start = np.array([vocabulary.eos])
            drawn = sample(model.step, np.repeat(start, 200), 25, rng, stop=vocabulary.eos)
            texts = [[vocabulary.tokens[i] for i in d.tokens] for d in drawn if d.ended]
            unknown = np.mean(np.concatenate([d.tokens for d in drawn]) == vocabulary.unk)
            read = [[vocabulary.tokens[i] for i in vocabulary.encode(text)] for text in train]
            novel = sorted({tuple(text) for text in texts if text and text not in read})
            left.plot([perplexity(loss) for loss in history.losses], label="training, one batch")
            held = {at: perplexity(loss) for at, loss in history.validations.items()}
            left.plot(list(held), list(held.values()), label="held-out sentences")
            left.axhline(frequent, color="gray", linestyle=":", label="word frequencies only")
            left.set(yscale="log", xlabel="iteration", ylabel="perplexity", title=language)
            ticks = [5, 10, 20, 50, 100]
            left.set_yticks(ticks, [str(tick) for tick in ticks])
            left.minorticks_off()
            right.set_title("drawn, and not in the text", loc="left")
            blank = "" if language == "Chinese" else " "
            some = novel[:: max(len(novel) // 11, 1)][:11]
            lines = [textwrap.shorten(blank.join(text), 50, placeholder=" …") for text in some]
            right.text(0, 0.97, "\n".join(lines), va="top", fontsize=9)
            right.axis("off")
            name, best = f"word model, {language}", perplexity(history.best[1])
            results += [
                Result(name, "held-out perplexity", best, "<", frequent, picture),
                Result(name, "share of samples that end", len(texts) / 200, ">", 0.8, picture),
                Result(name, "novel sentences of 200", len(novel), ">=", 10, picture),
                Result(name, "share of <unk> in samples", float(unknown), "<", 0.5, picture),
            ]
            if language == "Chinese":
                heard = vocabulary.encode("南开 大学 很")
                state = state_after(model.step, [start, *heard[:-1, None]])
                following = greedy(model.step, heard[-1:], 1, state=state)[0].tokens
                name, good = "word model, 南开 大学 很 ...", vocabulary["好"] in following
                results.append(Result(name, "next word is 好", good, "=", 1, picture))
        axes[0, 0].legend()
    return results


if __name__ == "__main__":
    run(main)
