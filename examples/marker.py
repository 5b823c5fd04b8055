r"""A hand-written LSTM backward pass, broken as people break it, and marked.

    dc_t = dh_t o_t (1 - tanh(c_t)^2) + dc_{t+1} f_{t+1}      the line that goes wrong most often

The right function is SOURCE below. Each of MISTAKES is one edit of its text, three of them bugs of
public code: dc without the part through tanh(c_t), dh_next forgotten, the old cell
state in the output gate's gradient. The marker knows none of these texts. It breaks the printed
loop in some hundred ways, and says which line gives the student's numbers.

The picture shows which gradients each mistake leaves right: a first look at a wrong gradient says
where not to search.

Settings: T = 6, 3 sequences, 2 inputs, 4 units, float64; h_0 and c_0 are not 0.

Measured, seed 0:

    marker, LSTM, 10 mistakes  named with the right line  10
    marker, LSTM, no mistake   gradients marked wrong     0

    python examples/marker.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from figure import figure
from result import Result, run

from microgrrepresent import Tensor, program
from microgrrepresent.programs import Marker
from rnn import LSTMCell, unroll

SOURCE = """
def student(X, h_0, c_0, W_ih, W_hh, b_ih, b_hh):
    T, H = len(X), h_0.shape[1]
    sigmoid = lambda a: 1 / (1 + np.exp(-a))
    h, c, gates = {0: h_0}, {0: c_0}, {}
    for t in range(1, T + 1):
        a = X[t - 1] @ W_ih.T + h[t - 1] @ W_hh.T + b_ih + b_hh
        i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H:2 * H]), sigmoid(a[:, 3 * H:])
        g = np.tanh(a[:, 2 * H:3 * H])
        c[t] = f * c[t - 1] + i * g
        h[t] = o * np.tanh(c[t])
        gates[t] = i, f, g, o
    dW_ih, dW_hh, db = np.zeros_like(W_ih), np.zeros_like(W_hh), np.zeros_like(b_ih)
    dh, dc = 2 * h[T], 0
    for t in range(T, 0, -1):
        i, f, g, o = gates[t]
        dc = dc + dh * o * (1 - np.tanh(c[t]) ** 2)
        da_i = dc * g * i * (1 - i)
        da_f = dc * c[t - 1] * f * (1 - f)
        da_g = dc * i * (1 - g ** 2)
        da_o = dh * np.tanh(c[t]) * o * (1 - o)
        da = np.hstack([da_i, da_f, da_g, da_o])
        dW_ih += da.T @ X[t - 1]
        dW_hh += da.T @ h[t - 1]
        db += da.sum(axis=0)
        dh = da @ W_hh
        dc = dc * f
    return np.sum(h[T] ** 2), {"W_ih": dW_ih, "W_hh": dW_hh, "b_ih": db, "b_hh": db}
"""

MISTAKES = {
    "dc without tanh'(c)": (" * (1 - np.tanh(c[t]) ** 2)", "", "dc"),
    "dh_next forgotten": ("        dh = da @ W_hh\n", "        dh = 0 * dh\n", "dh_next"),
    "the old c in da_o": ("dh * np.tanh(c[t])", "dh * np.tanh(c[t - 1])", "do"),
    "the new c in da_f": ("dc * c[t - 1]", "dc * c[t]", "df"),
    "dc_next not times f": ("        dc = dc * f\n", "", "dc_next"),
    "gates i and f swapped": ("[da_i, da_f,", "[da_f, da_i,", "da"),
    "σ' for tanh' in g": ("(1 - g ** 2)", "g * (1 - g)", "da_g"),
    "h[t] for h[t - 1]": ("da.T @ h[t - 1]", "da.T @ h[t]", "dW_hh"),
    "dW_ih overwritten": ("dW_ih += da.T", "dW_ih = da.T", "dW_ih"),
    "the mean for the sum": ("da.sum(axis=0)", "da.mean(axis=0)", "db"),
}
"""The right text, the wrong one, and what the line computes that has to be named."""


def function(source: str) -> Any:
    """A student's function from its text."""
    names: dict[str, Any] = {"np": np}
    exec(source, names)
    return names["student"]


def main(quick: bool, seed: int, out: Path) -> list[Result]:
    """Mark the right function, then the ten wrong ones."""
    rng = np.random.default_rng(seed)
    cell = LSTMCell(2, 4, rng=rng)
    parameters = {str(p.name): p for p in cell.parameters()}
    data = {"X": rng.normal(size=(6, 3, 2))}
    data |= {name: rng.normal(size=(3, 4)) for name in ("h_0", "c_0")}

    def f(X: Tensor, h_0: Tensor, c_0: Tensor) -> Tensor:
        h = unroll(cell, X, cell.state_of(h_0, c_0)).outputs[-1]
        return (h * h).sum()

    marker = Marker(program(f, parameters, **data), data)
    arrays = data | {name: p.numpy() for name, p in parameters.items()}
    right = function(SOURCE)(**arrays)[1]
    false_alarms = len(marker(function(SOURCE)).wrong)
    named = 0
    off = np.zeros((len(MISTAKES), len(right)))
    for row, (title, (before, after, line)) in zip(off, MISTAKES.items(), strict=True):
        wrong = function(SOURCE.replace(before, after))
        report = marker(wrong)
        named += any(m.right.partition(" ")[0].startswith(line) for m in report.mistakes)
        gradients = wrong(**arrays)[1]
        for k, (name, g) in enumerate(right.items()):
            row[k] = np.linalg.norm(gradients[name] - g) / np.linalg.norm(g)
        if not quick:
            print(f"--- {title}\n{report}\n")
    picture = out / "marker.png"
    with figure(picture, size=(5.6, 4.2)) as ax:
        image = ax.imshow(off, cmap="Reds", vmin=0, vmax=1, aspect="auto")
        ax.set_xticks(range(len(right)), list(right))
        ax.set_yticks(range(len(MISTAKES)), list(MISTAKES))
        ax.set_title("which gradients a mistake changes")
        for y, x in np.ndindex(*off.shape):
            text = "right" if off[y, x] < 1e-9 else f"{off[y, x]:.0%}"
            ax.text(x, y, text, ha="center", va="center", color="w" if off[y, x] > 0.6 else "k")
        ax.figure.colorbar(image, label="off, as a share of the norm", extend="max")
    n = len(MISTAKES)
    return [
        Result(f"marker, LSTM, {n} mistakes", "named with the right line", named, "=", n, picture),
        Result("marker, LSTM, no mistake", "gradients marked wrong", false_alarms, "=", 0, picture),
    ]


if __name__ == "__main__":
    run(main)
