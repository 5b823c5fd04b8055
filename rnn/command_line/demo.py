r"""The demonstration: from a text to a trained network to a picture of its unrolled graph.

    python -m rnn demo

trains a character-level LSTM on the United States' Declaration of Independence by truncated
backpropagation through time. It writes `unrolled.svg`, the graph of the first few steps with the
gradients that flow back through it, and `loss.csv`, one row for each step of the training.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from microgrrepresent import Tensor, backward
from microgrrepresent.drawing import save
from microgrrepresent.node import Array
from rnn.models.language_model import LanguageModel
from rnn.sequences.batches import language_model_batches
from rnn.sequences.datasets import bundled_text
from rnn.sequences.decoding import sample, state_after
from rnn.sequences.vocabulary import Vocabulary
from rnn.training.fit import fit
from rnn.training.losses import bits_per_character, perplexity
from rnn.training.optimizers import Adam
from rnn.training.report import Report
from rnn.training.schedules import LambdaLR

HIDDEN, EMBEDDING = 128, 64  # lengths of h and of a character's vector
BATCH, STEPS = 16, 32  # pieces of the text side by side, and steps between two cuts of BPTT
DRAWN = 4  # steps in the picture
OPENING = "We hold "  # what the samples begin with


def demo(out: str | Path = "demo", steps: int = 1200, seed: int = 0, progress: bool = True) -> bool:
    """Train on the bundled text, print samples from before and after, draw the unrolled graph.

    Parameters
    ----------
    out : path
        The folder for `unrolled.svg` and `loss.csv`; it is made if it is not there.
    steps : int
        Steps of the training.
    seed : int
        The same seed gives the same numbers.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    bool
        Whether the training came to its end; False after Ctrl-C.
    """
    text = bundled_text("declaration")
    vocabulary = Vocabulary.of(text, special=())
    indices = vocabulary.encode(text)
    rng = np.random.default_rng(seed)
    model = LanguageModel(len(vocabulary), HIDDEN, EMBEDDING, dtype=np.float32, rng=rng)
    optimizer = Adam(model.parameters(), lr=5e-3)
    print(
        f"The Declaration of Independence: {len(text):,} characters, {len(vocabulary)} different "
        f"ones.\nA character-level LSTM, {HIDDEN} units, "
        f"{sum(p.size for p in model.parameters()):,} parameters; truncated backpropagation "
        f"through time, {STEPS} steps.\n\nBefore training it writes:\n"
    )
    print(_sample(model, vocabulary, seed), flush=True)

    def batches(rng: np.random.Generator) -> Iterable[tuple[Array, Array]]:
        return language_model_batches(indices, BATCH, STEPS, rng)

    def loss(batch: tuple[Array, Array], state: Any) -> tuple[Tensor, Any]:
        return model.loss(*batch, state)

    folder = Path(out)
    history = fit(
        model,
        batches,
        loss,
        optimizer,
        rng,
        steps=steps,
        carry=True,
        clip=1.0,
        schedule=LambdaLR(optimizer, lambda k: min(1.0, 2 * (1 - k / steps)) if k < steps else 0),
        report=Report(folder / "loss.csv", {"perplexity": perplexity}, progress),
    )
    done = history.stopped == "done"
    recent = float(np.mean(history.losses[-20:]))
    print(
        f"\nAfter {history.steps} steps{'' if done else ' (interrupted)'}: "
        f"perplexity {perplexity(recent):.2f}, or {bits_per_character(recent):.2f} bits per "
        f"character, on the text it learns from; before, {perplexity(history.losses[0]):.1f}. "
        "It writes:\n"
    )
    print(_sample(model, vocabulary, seed))
    picture = _picture(model, indices, folder)
    print(f"\nWritten: {picture} (the unrolled graph and its gradients), {folder / 'loss.csv'}")
    return done


def _sample(model: LanguageModel, vocabulary: Vocabulary, seed: int, length: int = 300) -> str:
    """Let the model go on from the opening words; indented and wrapped, to be found and read."""
    opening = vocabulary.encode(OPENING)[:, None]
    state = state_after(model.step, opening[:-1])
    rng = np.random.default_rng(seed)
    drawn = sample(model.step, opening[-1], length, rng, state=state, temperature=0.5)[0]
    lines = (OPENING + vocabulary.decode(drawn.tokens)).splitlines()
    wrapped = textwrap.TextWrapper(80, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(map(wrapped.fill, lines))


def _picture(model: LanguageModel, indices: Array, folder: Path) -> Path:
    """Draw the unrolled graph of the text's first steps, with the gradients."""
    L, _ = model.loss_by_step(indices[:DRAWN], indices[1 : DRAWN + 1])
    return save(L, folder / "unrolled.svg", view="gates", gradients=backward(L))
