"""The figure of one network's flow: gradients and gates of every unit at every step, as heat maps.

A row of maps for each layer and direction, the upper layer on top; a column for each state and
gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from microgrrepresent.node import Array
from rnn.diagnosis.flow_figure import gate_limits, scale_ends
from rnn.figures import LETTERS, SMALL, Figure, below, color_scale, slide

if TYPE_CHECKING:
    from rnn.diagnosis.flow import Trace


def figure(trace: Trace, title: str | None) -> Figure:
    """Draw a slide."""
    layers = list(dict.fromkeys(map(_layer, trace.units)))[::-1]
    states = list(dict.fromkeys(map(_letter, trace.units)))
    gates = list(dict.fromkeys(map(_letter, trace.gates)))
    drawing = slide()
    drawing.suptitle(title or "Every unit at every step: gradients, and gates", fontsize=18)
    grid = drawing.subplots(
        len(layers), len(states) + len(gates), squeeze=False, sharex=True, sharey="row"
    )
    norms = np.concatenate([norms.ravel() for norms in trace.units.values()])
    scale = color_scale(norms)
    low, high = gate_limits(list(trace.gates.values()))
    images: dict[str, Any] = {}
    for row, layer in zip(grid, layers, strict=True):
        for axes, letter in zip(row, [*states, *gates], strict=True):
            name = f"{layer}/{letter}" if layer else letter
            is_gate = letter not in states
            values = (trace.gates if is_gate else trace.units).get(name)
            if values is None:  # this layer has no such gate
                axes.set_axis_off()
                continue
            known = trace.gradients.get(name)
            first = min(known) if known and not is_gate else 1
            if is_gate:
                look: dict[str, Any] = {"cmap": "viridis", "vmin": low, "vmax": high}
            else:
                look = {"cmap": "magma", "norm": scale}
            images["gates" if is_gate else "states"] = _map(axes, values, first, look)
        row[0].set_ylabel(f"{layer}\nunit" if layer else "unit", fontsize=SMALL)
        for axes in row[1:]:
            axes.tick_params(axis="y", length=0)
    for axes, letter in zip(grid[0], [*states, *gates], strict=True):
        words = rf"$|\partial L/\partial {letter}_t|$" if letter in states else f"${letter}_t$"
        axes.set_title(words, fontsize=LETTERS)
    for axes in grid[-1]:
        axes.set_xlabel("time step t", fontsize=SMALL)
    place: dict[str, Any] = {"location": "right", "pad": 0.012, "aspect": 34, "fraction": 0.04}
    if "gates" in images:
        bar = drawing.colorbar(images["gates"], ax=grid, extend=scale_ends(low, high), **place)
        bar.set_label("gate, mean over the batch", fontsize=SMALL)
        bar.ax.tick_params(labelsize=SMALL)
    bar = drawing.colorbar(images["states"], ax=grid, extend=below(norms, scale), **place)
    bar.set_label("gradient, norm over the batch (white: 0)", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    return drawing


def _map(axes: Any, values: Array, first: int, look: dict[str, Any]) -> Any:
    units, steps = values.shape
    shown = np.where(np.isfinite(values), values, np.nan)
    axes.tick_params(labelsize=SMALL)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes.imshow(
        shown,
        aspect="auto",
        interpolation="nearest",
        extent=(first - 0.5, first + steps - 0.5, units + 0.5, 0.5),
        **look,
    )


def _layer(name: str) -> str:
    return name.rpartition("/")[0]


def _letter(name: str) -> str:
    return name.rpartition("/")[2]
