"""A finite-state automaton as a recurrent network whose weights are set by hand: parity.

An automaton has states and moves: s_t = g(s_{t-1}, x_t). Parity has two states, even and odd, and
every 1 changes the state. As a recurrent network with two units, each a steep sigmoid:

    h1_t = sigma(k (x_t + p_{t-1} - 1/2))       x or p
    h2_t = sigma(k (x_t + p_{t-1} - 3/2))       x and p
    p_t  = h1_t - h2_t                          one of the two, not both

p is linear in h, so the old p enters through the recurrent weights. One layer could not do it: xor
is not linearly separable, and the two units are the hidden layer that it takes.

Measured, seed 0:

    parity by hand, 2^10 strings  right states  1

    python examples/automaton.py        (all 1,024 strings of length 10)
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, linear, steps
from microgrrepresent.drawing import save
from rnn import RNNCell, unroll

STEEP = 40.0


def parity_cell() -> RNNCell:
    """The network above."""
    cell = RNNCell(1, 2, nonlinearity="sigmoid")
    assert cell.bias_ih is not None and cell.bias_hh is not None
    cell.weight_ih.assign([[STEEP], [STEEP]])
    cell.weight_hh.assign([[STEEP, -STEEP], [STEEP, -STEEP]])
    cell.bias_ih.assign([-STEEP / 2, -3 * STEEP / 2])
    cell.bias_hh.assign([0.0, 0.0])
    return cell


def parities(strings: np.ndarray) -> list[Tensor]:
    """p_t of strings of 0 and 1 (T, B): each (B, 1), 1 if an odd number of 1 has been read."""
    V = Tensor([[1.0, -1.0]], name="V")
    states = unroll(parity_cell(), strings[:, :, None].astype(float)).outputs
    return [linear(h, V).named("p") for _, h in steps(states)]


def show(string: np.ndarray, picture: Path) -> None:
    """Draw the automaton; and a string with the parity that the network gives after each digit."""
    p = np.array([float(y) for y in parities(string[:, None])])
    with figure(picture, columns=2, size=(4.4, 2.6)) as (left, right):
        for x, name, color in ((0, "even", "C0"), (1, "odd", "C1")):
            left.scatter(x, 0, s=2600, color="white", edgecolors=color, linewidths=2, zorder=2)
            left.text(x, 0, name, ha="center", va="center")
            left.text(x, 1.05, "0", ha="center")
        for (start, end), bend, ways in (
            ((0.19, 0.81), 0.25, "->"),
            ((0.19, 0.81), -0.25, "<-"),
            ((-0.1, 0.1), -1.6, "->"),
            ((0.9, 1.1), -1.6, "->"),
        ):
            y = 0.4 if bend < -1 else -0.08 if bend > 0 else 0.08
            shape = {"arrowstyle": ways, "connectionstyle": f"arc3,rad={bend}"}
            left.annotate("", (end, y), (start, y), arrowprops=shape)
        left.text(0.5, 0.34, "1", ha="center")
        left.text(0.5, -0.5, "1", ha="center")
        left.set(title="the automaton", xlim=(-0.5, 1.5), ylim=(-1, 1.4))
        left.axis("off")
        t = np.arange(1, len(string) + 1)
        right.plot(t, p, color="gray", zorder=1)
        right.scatter(t, p, s=60, color=["C1" if odd else "C0" for odd in p > 0.5], zorder=2)
        right.set_xticks(t, string)
        right.set(title="the network", xlabel="x, digit by digit", ylim=(-0.1, 1.1))
        right.set_yticks([0, 1], ["0, even", "1, odd"])
        right.set_ylabel("p after it")


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Run all strings of length 10; draw one of them, and the network over four steps."""
    strings = np.array(list(product([0, 1], repeat=10))).T
    found = np.array([p.numpy()[:, 0] > 0.5 for p in parities(strings)])
    right = float((found == (strings.cumsum(0) % 2 == 1)).mean())
    picture, name = out / "automaton.png", "parity by hand, 2^10 strings"
    show(np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 1]), picture)
    save(parities(np.array([[1], [0], [1], [1]])), out / "automaton.svg", view="gates", time="both")
    return [Result(name, "right states", right, "=", 1, picture)]


if __name__ == "__main__":
    run(main)
