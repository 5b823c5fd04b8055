"""A language model of characters: the smallest network that learns to spell.

min-char-rnn (Karpathy 2015) on the Declaration of Independence. At each step the network reads a
character and gives a probability to every character that may come next:

    h_t = tanh(W x_t + U h_{t-1} + b)        x_t one-hot, of 63 characters
    P(x_{t+1} | x_1, ..., x_t) = softmax(V h_t + c)

The text is read 25 characters at a time; the state goes on into the next 25, its gradient does not
(truncated BPTT). What it costs to say the next character, in bits, falls from log2 63 = 5.98. The
figure shows that, and texts drawn from the trained model after the words "When in the Course": at
temperature 0.5, where P^2 takes the place of P and likely characters become likelier; and at
temperature 1, from P itself.

Settings: 100 hidden units, T = 25, one text (B = 1), Adagrad 0.1, gradients clipped at 5 each,
weights from N(0, 0.01^2), 20,000 steps; the bits are min-char-rnn's smooth loss, whose memory is
about a thousand steps. 400 characters drawn; common words are the share of twelve words that make
0.30 of the Declaration itself.

Measured, seed 0:

    character model, 20000 steps  bits a character               2.132
    character model, 20000 steps  common words, temperature 0.5  0.4868
    character model, 20000 steps  common words, temperature 1    0.2273

    python examples/character_model.py
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, cross_entropy
from rnn import Adagrad, Linear, Module, RNNCell, Vocabulary, clip_grad_value, unroll
from rnn.sequences.datasets import bundled_text
from rnn.sequences.decoding import sample, state_after

T = 25
PROMPT = "When in the Course "
TEMPERATURES = (0.5, 1.0)
COMMON_WORDS = {"the", "of", "and", "to", "in", "for", "our", "their", "has", "that", "he", "by"}


class CharacterModel(Module):
    """One-hot characters, a plain RNN, and a linear map to the scores of the next one."""

    def __init__(self, vocabulary: Vocabulary, hidden: int, rng: np.random.Generator) -> None:
        self.vocabulary = vocabulary
        self.cell = RNNCell(len(vocabulary), hidden, dtype=np.float32)
        self.head = Linear(hidden, len(vocabulary), dtype=np.float32)
        for weight in self.parameters():
            small = 0.01 * rng.standard_normal(weight.shape)
            weight.assign(small if weight.ndim == 2 else np.zeros(weight.shape))

    def step(self, characters: Any, state: Any = None) -> tuple[Tensor, Any]:
        """Scores of the next character, and the new state; what decoding asks for."""
        state = self.cell(self.vocabulary.one_hot(characters, np.float32), state)
        return self.head(state), state

    def loss(self, x: np.ndarray, y: np.ndarray, state: Any) -> tuple[Tensor, Any]:
        """Sum of the cross-entropies of y (T,) after x (T,), and the state at the end."""
        run = unroll(self.cell, self.vocabulary.one_hot(x, np.float32), state)
        return cross_entropy(self.head(run.stacked()), y, reduction="sum"), run.state.detach()


def learn(hidden: int, steps: int, seed: int) -> tuple[list[float], dict[float, str]]:
    """Train; give the smooth loss in bits a character, and texts drawn from it by temperature."""
    rng = np.random.default_rng(seed)
    text = bundled_text()
    vocabulary = Vocabulary.of(text, special=())
    indices = vocabulary.encode(text)
    model = CharacterModel(vocabulary, hidden, rng)
    optimizer = Adagrad(model.parameters(), lr=0.1)
    smooth, curve = math.log(len(vocabulary)) * T, []
    at, state = 0, None
    for _ in range(steps):
        if at + T + 1 > len(indices):
            at, state = 0, None
        loss, state = model.loss(indices[at : at + T], indices[at + 1 : at + T + 1], state)
        at += T
        optimizer.zero_grad()
        loss.backward()
        clip_grad_value(optimizer.parameters, 5)
        optimizer.step()
        smooth = 0.999 * smooth + 0.001 * float(loss)
        curve.append(smooth / T / math.log(2))
    beginning = vocabulary.encode(PROMPT)
    state = state_after(model.step, beginning[:-1, None])
    drawn = {
        temperature: sample(
            model.step, beginning[-1:], 400, rng, state=state, temperature=temperature
        )[0]
        for temperature in TEMPERATURES
    }
    return curve, {temperature: vocabulary.decode(d.tokens) for temperature, d in drawn.items()}


def common(text: str) -> float:
    """The share of a text's words that are among the common ones."""
    words = "".join(c if c.isalpha() else " " for c in text.lower()).split()
    return sum(word in COMMON_WORDS for word in words) / max(len(words), 1)


def entropy(text: str) -> float:
    """Bits a character for who knows how frequent characters are, but no order."""
    shares = np.array(list(Counter(text).values())) / len(text)
    return float(-(shares * np.log2(shares)).sum())


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train; hold the bits a character against 2.5, and the sample against common words."""
    hidden, steps = (64, 2000) if quick else (100, 20_000)
    curve, texts = learn(hidden, steps, seed)
    frequencies = entropy(bundled_text())
    picture = out / "character_model.png"
    with figure(picture, columns=2, size=(5.2, 3.8)) as (left, right):
        left.plot(curve)
        left.axhline(frequencies, color="gray", linestyle=":", label="character frequencies only")
        left.set(xlabel="step", ylabel="bits a character (smooth)")
        left.legend()
        style: Any = {"family": "monospace", "fontsize": 9}
        for top, (temperature, text) in zip((1.0, 0.5), texts.items(), strict=True):
            whole = (PROMPT + text).splitlines()
            lines = [part for line in whole for part in textwrap.wrap(line, 52) or [""]]
            right.text(0, top, f"drawn at temperature {temperature:g}", va="top")
            for k, line in enumerate(lines[:8]):
                shown = " " * len(PROMPT) + line[len(PROMPT) :] if k == 0 else line
                right.text(0, top - 0.11 - 0.046 * k, shown, **style)
            right.text(0, top - 0.11, PROMPT, color="C0", **style)
        right.axis("off")
    name = f"character model, {steps} steps"
    bars = (frequencies, 0.1, 0.05) if quick else (2.5, 0.2, 0.1)
    return [
        Result(name, "bits a character", curve[-1], "<", bars[0], picture),
        *(
            Result(name, f"common words, temperature {t:g}", common(text), ">=", bar, picture)
            for (t, text), bar in zip(texts.items(), bars[1:], strict=True)
        ),
    ]


if __name__ == "__main__":
    run(main)
