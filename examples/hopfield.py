"""A Hopfield network remembers patterns, and finds them again from a spoiled start.

    W = (1/N) sum_p x_p x_p^T,  w_ii = 0          what is stored (Hebb)
    s_i <- sgn(sum_j w_ij s_j)                    recall, one unit after another
    E = -1/2 s^T W s                              never rises, so recall comes to rest

Stored patterns are valleys of E, as long as they are not too many: about 0.138 N random ones
(Amit, Gutfreund and Sompolinsky 1985). Beyond that, all are lost at once. The overlap of a state
with a pattern, (1/N) s . x, is 1 where it is found and 0 where it is not.

Settings: letters, N = 64, a quarter of the bits turned; capacity, N = 500, started at the pattern,
P/N = 0.04 to 0.24, five networks each, six recalls each.

Measured, seed 0:

    Hopfield, letters              right bits after recall     1
    Hopfield, letters              largest rise of the energy  0
    Hopfield, N = 500, P/N = 0.10  mean overlap                0.9989
    Hopfield, N = 500, P/N = 0.24  mean overlap                0.406

    python examples/hopfield.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from figure import figure
from result import Result, run

from rnn import HopfieldNetwork

LETTERS = """
..####.. ######.. #......#
.#....#. #.....#. ##....##
#......# #.....#. #.#..#.#
#......# ######.. #..##..#
######## #.....#. #......#
#......# #.....#. #......#
#......# #.....#. #......#
#......# ######.. #......#
"""


def letters() -> np.ndarray:
    """A, B and M as vectors of 64 units, +1 where there is ink."""
    rows = [line.split() for line in LETTERS.strip().splitlines()]
    return np.array([[1 if c == "#" else -1 for row in rows for c in row[k]] for k in range(3)])


def overlap_at(load: float, N: int, networks: int, rng: np.random.Generator) -> float:
    """Mean overlap after recall with the pattern it started from, for P = load N patterns."""
    overlaps = []
    for _ in range(networks):
        patterns = rng.choice([-1, 1], (round(load * N), N))
        network = HopfieldNetwork(N)
        network.store(patterns)
        for pattern in patterns[:6]:
            overlaps.append(network.recall(pattern, rng=rng).state @ pattern / N)
    return float(np.mean(overlaps))


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Recall spoiled letters; measure the capacity curve."""
    rng = np.random.default_rng(seed)
    N, networks = (200, 2) if quick else (500, 5)
    stored = letters()
    network = HopfieldNetwork(64)
    network.store(stored)
    spoiled = stored * np.where(rng.random(stored.shape) < 0.25, -1, 1)
    recalls = [network.recall(start, rng=rng) for start in spoiled]
    found = float(np.mean([(r.state == x).mean() for r, x in zip(recalls, stored, strict=True)]))
    rise = max(float(np.diff(r.energies).max()) for r in recalls)

    loads = [0.04, 0.10, 0.24] if quick else [0.04, 0.08, 0.1, 0.12, 0.138, 0.16, 0.18, 0.2, 0.24]
    curve = {load: overlap_at(load, N, networks, rng) for load in loads}
    picture = out / "hopfield.png"
    with figure(picture, columns=2, size=(4.6, 3.2)) as (left, right):
        states = [*spoiled, *(r.state for r in recalls)]
        tiles = [np.pad(state.reshape(8, 8), 1) for state in states]
        left.imshow(np.block([tiles[:3], tiles[3:]]), cmap="Greys")
        left.set_title("above: started from; below: came to rest at")
        left.axis("off")
        right.plot(list(curve), list(curve.values()), marker="o")
        right.axvline(0.138, color="gray", linestyle=":", label="theory: 0.138")
        right.set(xlabel="patterns stored / units, P/N", xticks=np.arange(0, 0.26, 0.05))
        right.set(ylabel="mean overlap with the pattern", ylim=(0, 1.05), title=f"N = {N} units")
        right.legend(loc="lower left")
    name = f"Hopfield, N = {N}"
    return [
        Result("Hopfield, letters", "right bits after recall", found, "=", 1, picture),
        Result("Hopfield, letters", "largest rise of the energy", rise, "<=", 1e-9, picture),
        Result(f"{name}, P/N = 0.10", "mean overlap", curve[0.1], ">", 0.97, picture),
        Result(f"{name}, P/N = 0.24", "mean overlap", curve[0.24], "<", 0.7, picture),
    ]


if __name__ == "__main__":
    run(main)
