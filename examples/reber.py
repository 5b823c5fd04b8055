"""The embedded Reber grammar: remember one letter while spelling a word of another grammar.

A string is B T <Reber string> T E or B P <Reber string> P E. The network reads it letter by letter
and gives a score to each letter that may come next. Inside, the automaton of Reber's grammar tells
what may follow; at the end, the letter must be that of the beginning, and nothing in between tells
which it was (Hochreiter and Schmidhuber 1997, section 5.1).

Their criterion is strict: in every string, at every step, the letters that may follow have the
highest scores of all. They report for 256 + 256 strings: Elman's SRN never, LSTM 97 to 100 % of
trials after 8,440 strings and more. Trained in batches with Adam, the SRN comes close and at
times succeeds, because most strings are short: half of them have 11 letters or fewer.

Settings: 256 strings for training and 256 for the test, batches of 8, at most 20,000 strings read;
LSTM with 8 hidden units and forget bias 1, SRN with 15; Adam 1e-2, clipping at 1, five seeds.

Measured, seed 0:

    embedded Reber grammar, LSTM  mastered, of 5 seeds         5
    embedded Reber grammar, LSTM  mean share of outer letters  1
    embedded Reber grammar, SRN   mastered, of 5 seeds         3

    python examples/reber.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from data_reber import SYMBOLS, embedded
from descent import descent
from figure import figure
from result import Result, run, seeds_of

from microgrrepresent import Tensor, cross_entropy, no_grad
from rnn import LSTM, RNN, Adam, SequenceTagger, pad, sequence_loss, sequence_mask

Strings = list[tuple[str, list[str]]]


def arrays(strings: Strings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One-hot letters (T, B, 7) but the last, the letters that follow them (T, B), the lengths."""
    letters = pad([[SYMBOLS.index(letter) for letter in string] for string, _ in strings])
    x = np.eye(len(SYMBOLS), dtype=np.float32)[letters.values[:-1]]
    return x, letters.values[1:], letters.lengths - 1


def mastered(model: SequenceTagger, strings: Strings) -> tuple[float, float]:
    """Share of strings with every step right, and share of right letters before the last E."""
    x, _, lengths = arrays(strings)
    with no_grad():
        scores = model(x, lengths).numpy()
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


def learn(cell: str, read: int, lr: float, seed: int) -> tuple[list[tuple[int, float]], float]:
    """Train one network; give `mastered` by strings read, and the last share of outer letters."""
    rng = np.random.default_rng(seed)
    train: Strings = [embedded(rng) for _ in range(256)]
    test: Strings = [embedded(rng) for _ in range(256)]
    options: dict[str, Any] = {"dtype": np.float32, "rng": rng}
    layer = RNN(7, 15, **options) if cell == "SRN" else LSTM(7, 8, forget_bias=1.0, **options)
    model = SequenceTagger(layer, len(SYMBOLS), rng=rng)

    def loss_of(i: int) -> Tensor:
        x, y, lengths = arrays([train[k] for k in rng.integers(0, 256, 8)])
        return sequence_loss(cross_entropy, model(x, lengths), y, mask=sequence_mask(lengths))

    curve, outer = [], 0.0
    for i, _ in descent(loss_of, Adam(model.parameters(), lr=lr), read // 8):
        if i % 50 == 0:
            strings, outer = mastered(model, train + test)
            curve.append((8 * i, strings))
            if strings == 1:
                break
    return curve, outer


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train both cells with several seeds; count those that master every string."""
    read, lr, seeds = (10_000, 2e-2, 1) if quick else (20_000, 1e-2, 5)
    runs = {c: [learn(c, read, lr, seed + k) for k in range(seeds)] for c in ("SRN", "LSTM")}
    picture = out / "reber.png"
    with figure(picture, columns=2, size=(4.6, 3.4)) as axes:
        for color, (ax, (cell, found)) in enumerate(zip(axes, runs.items(), strict=True)):
            for curve, _ in found:
                ax.plot(*zip(*curve, strict=True), color=f"C{color}", alpha=0.6)
                ax.plot(*curve[-1], "o" if curve[-1][1] == 1 else "x", color=f"C{color}")
            ax.set(xlabel="strings read", xticks=[0, read // 2, read], ylim=(0, 1.05))
            ax.set_title(f"{cell}: ● all strings, × not all")
        axes[0].set_ylabel("share of 512 strings mastered")
    solved = {cell: sum(curve[-1][1] == 1 for curve, _ in found) for cell, found in runs.items()}
    outer = float(np.mean([share for _, share in runs["LSTM"]]))
    name, metric = "embedded Reber grammar", f"mastered, of {seeds_of(seeds)}"
    return [
        Result(f"{name}, LSTM", metric, solved["LSTM"], ">=", max(seeds - 1, 1), picture),
        Result(f"{name}, LSTM", "mean share of outer letters", outer, ">", 0.95, picture),
        Result(f"{name}, SRN", metric, solved["SRN"], "<", solved["LSTM"], picture),
    ]


if __name__ == "__main__":
    run(main)
