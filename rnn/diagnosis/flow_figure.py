"""The figure of a gradient flow: curves above, the gates of each network as heat maps below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from microgrrepresent.node import Array
from rnn.figures import Figure

if TYPE_CHECKING:
    from rnn.diagnosis.flow import GradientFlow, Trace

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colors, which remain distinct for color-blind readers."""

MARKERS = ("", "s", "^", "D")
"""Marks on the curves of the networks that take a color for the second time, and so on."""

FEW = 9
"""Curves whose names fit into a corner; those of more stand below the axes, three in a row."""

DASHES = {"h": "-", "c": (0, (5, 2))}


def figure(flow: GradientFlow, title: str | None) -> Figure:
    """Draw the curves above, and a heat map for each network that has gates below."""
    gated = {label: trace for label, trace in flow.traces.items() if trace.gates}
    low, high = _limits([gate for trace in gated.values() for gate in trace.gates.values()])
    heights = [4.2 + _names_below(flow)] + [
        0.5 + 0.62 * len(trace.gates) for trace in gated.values()
    ]
    drawing = Figure(figsize=(9, sum(heights) + 0.4), layout="constrained")
    axes = drawing.subplots(len(heights), 1, height_ratios=heights, squeeze=False, sharex=True)[
        :, 0
    ]
    _curves(axes[0], flow, title)
    for panel, (label, trace) in zip(axes[1:], gated.items(), strict=True):
        image = _heat_map(panel, label, trace, low, high)
    if gated:
        tall = sum(heights[1:])
        place: dict[str, Any] = {"fraction": 0.03, "pad": 0.01, "aspect": 5 * tall}
        ends = "neither" if (low, high) == (0, 1) else "both"
        bar = drawing.colorbar(image, ax=list(axes[1:]), extend=ends, **place)
        bar.set_label("gate, mean over the batch")
    last = max(t for trace in flow.traces.values() for n in trace.gradients.values() for t in n)
    axes[-1].set_xlim(-0.01 * last - 0.5, last + 0.5)
    axes[-1].set_xlabel("time step t")
    return drawing


def _curves(axes: Any, flow: GradientFlow, title: str | None) -> None:
    for i, (label, trace) in enumerate(flow.traces.items()):
        again, place = divmod(i, len(COLORS))
        color, marker = COLORS[place], MARKERS[again % len(MARKERS)]
        for name, norms in trace.gradients.items():
            times = np.array(sorted(norms))
            values = np.array([norms[t] for t in times])
            letter, reached = name[-1], values > 0
            zeros = int((values == 0).sum())
            axes.semilogy(
                times,
                np.where(reached, values, np.nan),
                color=color,
                linestyle=DASHES.get(letter, "-"),
                linewidth=2,
                marker=marker,
                markevery=max(len(times) // 8, 1),
                label=f"{label}: "
                + rf"$|\partial L/\partial {letter}_t|$"
                + _layer(name)
                + (f", 0 at {zeros} of {len(times)} steps" if zeros else ""),
            )
            axes.plot(times[reached][:1], values[reached][:1], "o", color=color, markersize=4)
        for name, factors in trace.direct.items():
            times = np.array(sorted(factors))
            values = np.array([factors[t] for t in times])
            if name[-1] != "c":
                continue
            axes.semilogy(
                times,
                np.where(values > 0, values, np.nan),
                color=color,
                linestyle=":",
                linewidth=1.5,
                label=f"{label}: direct path"
                + (r" $\prod_{\tau>t} f_\tau$" if name[:-1] + "f" in trace.gates else "")
                + _layer(name),
            )
    axes.set_ylabel("norm of the gradient")
    axes.set_title(title or "What arrives of the gradient at step t")
    axes.grid(True, which="major", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if len(axes.get_legend_handles_labels()[0]) <= FEW:
        axes.legend(frameon=False, fontsize=9, loc="lower right")
    else:
        axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.06), ncols=3)


def _names_below(flow: GradientFlow) -> float:
    """Inches that the names of the curves take below the axes."""
    count = sum(
        len(trace.gradients) + sum(name[-1] == "c" for name in trace.direct)
        for trace in flow.traces.values()
    )
    return 0.0 if count <= FEW else 0.3 * -(-count // 3)


def _limits(gates: list[Array]) -> tuple[float, float]:
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
    axes.tick_params(axis="y", length=0)
    axes.set_title(f"gates of {label}, one row a unit", fontsize=10, loc="left")
    for spine in axes.spines.values():
        spine.set_visible(False)
    return image


def _layer(name: str) -> str:
    return f" ({name.rpartition('/')[0]})" if "/" in name else ""
