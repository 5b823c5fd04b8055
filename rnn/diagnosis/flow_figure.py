"""The figure of a gradient flow, a slide: curves, and beside them each network's gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from microgrrepresent.node import Array
from rnn.figures import LETTERS, SMALL, Figure, bare, slide

if TYPE_CHECKING:
    from rnn.diagnosis.flow import GradientFlow, Trace

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colors, which remain distinct for color-blind readers."""

MARKERS = ("", "s", "^", "D")
"""Marks on the curves of the networks that take a color for the second time, and so on."""

FEW = 9
"""Curves whose names stand in a list; of more, each network has one name, below the axes."""

DASHES = {"h": "-", "c": (0, (5, 2))}
DOTS = ":"
COLUMN = 4
"""Networks whose gates stand one below the other; of more, there are two columns."""


def figure(flow: GradientFlow, title: str | None) -> Figure:
    """Draw the curves on the left, and a heat map for each network that has gates on the right."""
    gated = {label: trace for label, trace in flow.traces.items() if trace.gates}
    drawing = slide()
    if not gated:
        _curves(drawing.subplots(), flow, title)
        return drawing
    columns = 1 if len(gated) <= COLUMN else 2
    rows = -(-len(gated) // columns)
    halves = drawing.add_gridspec(1, 2, width_ratios=(1.25, 1))
    _curves(drawing.add_subplot(halves[0, 0]), flow, title)
    places = halves[0, 1].subgridspec(rows, columns)
    panels = [drawing.add_subplot(places[i % rows, i // rows]) for i in range(len(gated))]
    low, high = gate_limits([gate for trace in gated.values() for gate in trace.gates.values()])
    for panel, (label, trace) in zip(panels, gated.items(), strict=True):
        image = _heat_map(panel, label, trace, low, high)
    panels[rows - 1].set_xlabel("time step t", fontsize=LETTERS)
    ends = scale_ends(low, high)
    bar = drawing.colorbar(image, ax=panels, extend=ends, fraction=0.05, pad=0.02, aspect=30)
    bar.set_label("gates, a row a unit, mean over the batch", fontsize=LETTERS)
    bar.ax.tick_params(labelsize=SMALL)
    return drawing


def _curves(axes: Any, flow: GradientFlow, title: str | None) -> None:
    few = sum(map(_count, flow.traces.values())) <= FEW
    for i, (label, trace) in enumerate(flow.traces.items()):
        again, place = divmod(i, len(COLORS))
        color, marker = COLORS[place], MARKERS[again % len(MARKERS)]
        for n, (name, norms) in enumerate(trace.gradients.items()):
            times = np.array(sorted(norms))
            values = np.array([norms[t] for t in times])
            letter, reached = name[-1], values > 0
            zeros = int((values == 0).sum())
            words = (
                f"{label}: "
                + rf"$|\partial L/\partial {letter}_t|$"
                + _layer(name)
                + (f", 0 at {zeros} of {len(times)} steps" if zeros else "")
            )
            axes.semilogy(
                times,
                np.where(reached, values, np.nan),
                color=color,
                linestyle=DASHES.get(letter, "-"),
                linewidth=2,
                marker=marker,
                markevery=max(len(times) // 8, 1),
                label=words if few else "_" if n else label,
            )
            axes.plot(times[reached][:1], values[reached][:1], "o", color=color, markersize=4)
        for name, factors in trace.direct.items():
            if name[-1] != "c":
                continue
            times = np.array(sorted(factors))
            values = np.array([factors[t] for t in times])
            since = ">" if next(iter(factors)) < list(factors)[-1] else "<"
            gates = rf" $\prod_{{\tau{since}t}} f_\tau$" if name[:-1] + "f" in trace.gates else ""
            words = f"{label}: direct path{gates}{_layer(name)}"
            shown = np.where(values > 0, values, np.nan)
            axes.semilogy(
                times,
                shown,
                color=color,
                linestyle=DOTS,
                linewidth=1.5,
                label=words if few else "_",
            )
    axes.set_xlabel("time step t", fontsize=LETTERS)
    axes.set_ylabel("norm of the gradient", fontsize=LETTERS)
    axes.set_title(title or "What arrives of the gradient at step t", fontsize=18)
    bare(axes)
    _names(axes, flow, few)


def _names(axes: Any, flow: GradientFlow, few: bool) -> None:
    """Say which curve is which, below the axes."""
    handles, labels = axes.get_legend_handles_labels()
    if not few:  # what a network's curves have in common is its color, and its mark
        letters = sorted({name[-1] for trace in flow.traces.values() for name in trace.gradients})
        styles: dict[str, Any] = {}
        for style in {str(DASHES.get(x, "-")): DASHES.get(x, "-") for x in letters}.values():
            same = [x for x in letters if DASHES.get(x, "-") == style]
            styles[", ".join(rf"$|\partial L/\partial {x}_t|$" for x in same)] = style
        if any(name[-1] == "c" for trace in flow.traces.values() for name in trace.direct):
            styles["direct path"] = DOTS
        for words, style in styles.items():
            (line,) = axes.plot([], [], color="#555555", linestyle=style, label=words)
            handles, labels = [*handles, line], [*labels, words]
    columns = 2 if few else 4
    axes.legend(
        handles,
        labels,
        frameon=False,
        fontsize=SMALL,
        loc="upper left",
        bbox_to_anchor=(-0.06, -0.1),
        ncols=columns,
        columnspacing=1.2,
        handlelength=2.4,
    )


def _count(trace: Trace) -> int:
    """How many curves a network has."""
    return len(trace.gradients) + sum(name[-1] == "c" for name in trace.direct)


def gate_limits(gates: list[Array]) -> tuple[float, float]:
    """The ends of the color scale: gates of an untrained network are all near 1/2.

    One in a hundred may lie beyond either end, so that few do not make all others look alike.
    """
    values = np.concatenate([gate.ravel() for gate in gates]) if gates else np.zeros(0)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    least, most = np.percentile(values, (1, 99))
    low, high = np.floor(20 * least) / 20, np.ceil(20 * most) / 20
    return float(low), float(max(high, low + 0.05))


def scale_ends(low: float, high: float) -> str:
    """Where a scale of colors has values beyond its ends."""
    return "neither" if (low, high) == (0, 1) else "both"


def _heat_map(axes: Any, label: str, trace: Trace, low: float, high: float) -> Any:
    rows: list[Array] = []
    marks, names = [], []
    position = 0
    T = max(values.shape[1] for values in trace.gates.values())
    for name, values in trace.gates.items():
        if rows:
            rows.append(np.full((1, T), np.nan))
            position += 1
        padded = np.full((len(values), T), np.nan)
        padded[:, T - values.shape[1] :] = values
        rows.append(padded)
        marks.append(position + (len(values) - 1) / 2)
        names.append(name)
        position += len(values)
    image = axes.imshow(
        np.vstack(rows),
        aspect="auto",
        cmap="viridis",
        vmin=low,
        vmax=high,
        interpolation="nearest",
        extent=(0.5, T + 0.5, position - 0.5, -0.5),
    )
    axes.set_yticks(marks, [f"${name[-1]}_t$" + _layer(name) for name in names])
    axes.tick_params(axis="y", length=0, labelsize=LETTERS if len(names) < 4 else SMALL)
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.set_title(label, fontsize=SMALL, loc="left")
    for spine in axes.spines.values():
        spine.set_visible(False)
    return image


def _layer(name: str) -> str:
    return f" ({name.rpartition('/')[0]})" if "/" in name else ""
