"""One to many: from one note, a melody.

The network is given a seed note, and from then on hears only itself (free running; in training it
hears the true melody, which is teacher forcing): the note that it draws from
softmax(V h_t + b) is its next input, until it draws the end. The corpus is generated: melodies
that begin on the seed note, walk up and down a scale on it in small steps and come home to it.
Seed notes low in the range stand for the major scale, the others for the pentatonic, so the first
note decides which of the twelve notes belong, and the network has to keep it in mind.

What does one choose at each step? The softmax gives every note a probability, and that is not yet
a note. The likeliest note makes of each seed the same melody every time. A draw makes melodies as
varied as the corpus, and now and then takes an unlikely, wrong note. A draw at temperature 0.5,
from softmax(scores / 0.5), is between the two: fewer wrong notes, and fewer different melodies.

Settings: 24 notes and <eos>; seeds C4 to B4; embedding 24, LSTM with 64 hidden units, batches of
32, Adam 5e-3, clipping at 1, 800 iterations; 500 melodies drawn, and cut at 40 notes. The figure
has three of them, and as the fourth the first one with a note outside of its scale.

Measured, seed 0:

    melody, 500 drawn                   share of notes in the scale  0.9847
    melody, 500 drawn                   share that ends on the seed  0.92
    melody, 500 drawn                   different melodies           493
    melody, 500 at temperature 0.5      share of notes in the scale  1
    melody, 500 at temperature 0.5      different melodies           419
    melody, 500 of the likeliest notes  different melodies           12

    python examples/melody.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from descent import descent
from figure import figure
from matplotlib.patches import Patch
from result import Result, run

from microgrrepresent import Tensor, cross_entropy
from rnn import Adam, LanguageModel, pad, sequence_loss
from rnn.sequences.decoding import Decoded, greedy, sample

NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"]
MAJOR, PENTATONIC = (0, 2, 4, 5, 7, 9, 11, 12), (0, 2, 4, 7, 9, 12)
END = 24  # notes 0..23 are C4..B5


def scale(seed_note: int) -> np.ndarray:
    """The notes of the scale on a seed note 0..11: major below F sharp, pentatonic from there."""
    return seed_note + np.array(MAJOR if seed_note < 6 else PENTATONIC)


def melody(rng: np.random.Generator) -> list[int]:
    """A walk on a scale: from the seed note, in steps of one or two places, and home again."""
    notes = scale(int(rng.integers(0, 12)))
    place, walk = 0, [0]
    while len(walk) < 8 or (place != 0 and len(walk) < 24):
        place = int(np.clip(place + rng.choice([-2, -1, -1, 1, 1, 2]), 0, len(notes) - 1))
        walk.append(place)
    while place > 0:
        place -= 1
        walk.append(place)
    return [int(notes[i]) for i in walk]


def learn(iterations: int, rng: np.random.Generator) -> LanguageModel:
    """Train on melodies that are made anew for every step."""
    model = LanguageModel(25, 64, 24, dtype=np.float32, rng=rng)

    def loss_of(i: int) -> Tensor:
        melodies = pad([[*melody(rng), END] for _ in range(32)], END)
        x, y = melodies.values[:-1], melodies.values[1:]
        return sequence_loss(cross_entropy, model(x)[0], y, mask=melodies.mask[1:])

    for _ in descent(loss_of, Adam(model.parameters(), lr=5e-3), iterations):
        pass
    return model


def belonging(drawn: list[Decoded], seeds: np.ndarray) -> list[np.ndarray]:
    """For every note of every melody, whether it is of the seed note's scale."""
    return [np.isin(d.tokens, scale(s)) for d, s in zip(drawn, seeds, strict=True)]


def different(drawn: list[Decoded], seeds: np.ndarray) -> int:
    """How many of the melodies are different ones."""
    return len({(s, *d.tokens) for s, d in zip(seeds, drawn, strict=True)})


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Train; count the notes that belong to the seed's scale, and the melodies that come home."""
    rng = np.random.default_rng(seed)
    model = learn(150 if quick else 800, rng)
    seeds = rng.integers(0, 12, 100 if quick else 500)
    drawn = sample(model.step, seeds, 40, rng, stop=END)
    cooler = sample(model.step, seeds, 40, rng, temperature=0.5, stop=END)
    likeliest = greedy(model.step, seeds, 40, stop=END)
    belongs = belonging(drawn, seeds)
    home = [d.ended and d.tokens[-1:] == [s] for d, s in zip(drawn, seeds, strict=True)]
    picture = out / "melody.png"
    with figure(picture, rows=2, columns=2, size=(4.4, 2.6)) as axes:
        faulty = next(k for k, inside in enumerate(belongs) if not inside.all())
        three = np.unique(seeds, return_index=True)[1][:9:3]  # the first of C, D sharp, F sharp
        for ax, k in zip(axes.flat, [*three, faulty], strict=True):
            notes = np.array([seeds[k], *drawn[k].tokens])
            ladder = scale(seeds[k])
            right = np.isin(notes, ladder)
            ax.barh(notes, 0.9, left=np.arange(len(notes)), color=np.where(right, "C0", "C1"))
            ax.set_yticks(ladder, [NOTES[n % 12] for n in ladder], fontsize=8)
            name = "major" if seeds[k] < 6 else "pentatonic"
            end = "" if home[k] else ", does not come home"
            ax.set(title=f"seed {NOTES[seeds[k]]}, {name}{end}", xlabel="step", ylabel="note")
        kinds = [Patch(color="C0", label="in the scale"), Patch(color="C1", label="outside of it")]
        axes[1, 1].legend(handles=kinds)
    name, cool = f"melody, {len(drawn)} drawn", f"melody, {len(drawn)} at temperature 0.5"
    in_scale, varied = float(np.concatenate(belongs).mean()), different(drawn, seeds)
    cooler_in_scale = float(np.concatenate(belonging(cooler, seeds)).mean())
    bars = (0.8, 0.4, 80) if quick else (0.95, 0.85, 400)
    return [
        Result(name, "share of notes in the scale", in_scale, ">", bars[0], picture),
        Result(name, "share that ends on the seed", float(np.mean(home)), ">", bars[1], picture),
        Result(name, "different melodies", varied, ">", bars[2], picture),
        Result(cool, "share of notes in the scale", cooler_in_scale, ">", in_scale, picture),
        Result(cool, "different melodies", different(cooler, seeds), "<", varied, picture),
        Result(
            f"melody, {len(drawn)} of the likeliest notes",
            "different melodies",
            different(likeliest, seeds),
            "<=",
            12,
            picture,
        ),
    ]


if __name__ == "__main__":
    run(main)
