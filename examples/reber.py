"""The embedded Reber grammar: remember one letter while spelling a word of another grammar.

A string is B T <Reber string> T E or B P <Reber string> P E. The network reads it letter by letter
and gives a score to each letter that may come next. Inside, the automaton of Reber's grammar tells
what may follow; at the end, the letter must be that of the beginning, and nothing in between tells
which it was (Hochreiter and Schmidhuber 1997, section 5.1).

Their criterion is strict: in every string, at every step, the letters that may follow have the
highest scores of all. They report for 256 + 256 strings: Elman's SRN never, LSTM 97 to 100 % of
trials after 8,440 strings and more.

Settings: 256 strings for training and 256 for the test, batches of 8, at most 20,000 strings read;
LSTM with 8 hidden units and forget bias 1, SRN with 15; Adam 1e-2, clipping at 1, five seeds.

    python examples/reber.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from data_reber import SYMBOLS, embedded
from descent import descent
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy, no_grad
from rnn import LSTM, RNN, Adam, Linear, Module, over_time, pad

Strings = list[tuple[str, list[str]]]


class Speller(Module):
    """One-hot letters, a layer, and a linear map to the scores of the next letter."""

    def __init__(self, layer: Module, hidden: int, rng: np.random.Generator) -> None:
        self.layer = layer
        self.head = Linear(hidden, len(SYMBOLS), dtype=np.float32, rng=rng)

    def __call__(self, letters: np.ndarray, lengths: np.ndarray) -> Tensor:
        x = np.eye(len(SYMBOLS), dtype=np.float32)[letters]
        outputs, _ = self.layer(Tensor(x), lengths=lengths)
        return self.head(outputs)


def arrays(strings: Strings) -> tuple[np.ndarray, np.ndarray]:
    """Letters as indices (T, B), and lengths (B,)."""
    letters = pad([[SYMBOLS.index(letter) for letter in string] for string, _ in strings])
    return letters.values, letters.lengths


def mastered(model: Speller, strings: Strings) -> tuple[float, float]:
    """Share of strings with every step right, and share of right letters before the last E."""
    letters, lengths = arrays(strings)
    with no_grad():
        scores = model(letters[:-1], lengths - 1).numpy()
    good, outer = [], []
    for k, (string, following) in enumerate(strings):
        right = []
        for t, possible in enumerate(following[:-1]):
            allowed = [SYMBOLS.index(letter) for letter in possible]
            best = np.argsort(-scores[t, k])[: len(allowed)]
            right.append(set(best) == set(allowed))
        good.append(all(right))
        rivals = scores[len(string) - 3, k, [SYMBOLS.index("T"), SYMBOLS.index("P")]]
        outer.append("TP"[int(rivals.argmax())] == string[1])
    return float(np.mean(good)), float(np.mean(outer))


def learn(cell: str, read: int, seed: int) -> tuple[float, float, int]:
    """Train one network; give `mastered` on all strings, and how many strings it had read."""
    rng = np.random.default_rng(seed)
    train: Strings = [embedded(rng) for _ in range(256)]
    test: Strings = [embedded(rng) for _ in range(256)]
    if cell == "SRN":
        model = Speller(RNN(7, 15, dtype=np.float32, rng=rng), 15, rng)
    else:
        model = Speller(LSTM(7, 8, forget_bias=1.0, dtype=np.float32, rng=rng), 8, rng)

    def loss_of(i: int) -> Tensor:
        letters, lengths = arrays([train[k] for k in rng.integers(0, 256, 8)])
        mask = np.arange(len(letters) - 1)[:, None] < lengths - 1
        scores = model(letters[:-1], lengths - 1)
        return over_time(cross_entropy, scores, letters[1:], mask=mask)

    strings, outer = 0.0, 0.0
    for i, _ in descent(loss_of, Adam(model.parameters(), lr=1e-2), read // 8):
        if i % 50 == 0:
            strings, outer = mastered(model, train + test)
            if strings == 1:
                return strings, outer, 8 * i
    return strings, outer, read


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train both cells with several seeds; count those that master every string."""
    read, seeds = (4000, 1) if quick else (20_000, 5)
    results, picture = [], out / "reber.png"
    with figure(picture) as ax:
        for place, cell in enumerate(("SRN", "LSTM")):
            runs = [learn(cell, read, seed + k) for k in range(seeds)]
            solved = sum(strings == 1 for strings, _, _ in runs)
            outer = float(np.mean([share for _, share, _ in runs]))
            ax.bar(place + np.linspace(-0.3, 0.3, seeds), [r[1] for r in runs], 0.12, label=cell)
            name = f"embedded Reber grammar, {cell}"
            bar = ("=", 0) if cell == "SRN" else (">=", 0 if quick else 1)
            results.append(Result(name, f"mastered, of {seeds} seeds", solved, *bar, picture))
            bar = ("<", 0.75) if cell == "SRN" else (">", 0.75)
            results.append(Result(name, "mean share of outer letters", outer, *bar, picture))
        ax.axhline(0.5, color="grey", linestyle=":")
        ax.set(xticks=[0, 1], xticklabels=["SRN", "LSTM"], ylabel="right outer letters, by seed")
    return results


if __name__ == "__main__":
    run(main)
