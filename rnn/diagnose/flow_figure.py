"""The figure of a gradient flow: curves above, the gates of each network as heat maps below."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from microgrrepresent.drawing.saving import replace_file
from microgrrepresent.node import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rnn.diagnose.flow import GradientFlow, Trace

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colours, which remain distinct for colour-blind readers."""

MARKERS = ("", "s", "^", "D")
"""Marks on the curves of the networks that take a colour for the second time, and so on."""

FEW = 9
"""Curves whose names fit into a corner; those of more stand beside the axes."""

DASHES = {"h": "-", "c": (0, (5, 2))}


def figure(flow: GradientFlow, title: str | None) -> Figure:
    """Draw the curves above, and a heat map for each network that has gates below."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the figure of a gradient flow needs matplotlib: pip install 'microgrrepresent[plot]'; "
            "the table, print(flow), does not"
        ) from error
    gated = {label: trace for label, trace in flow.traces.items() if trace.gates}
    heights = [4.2] + [0.5 + 0.62 * len(trace.gates) for trace in gated.values()]
    drawing = Figure(figsize=(9, sum(heights) + 0.4), layout="constrained")
    axes = drawing.subplots(len(heights), 1, height_ratios=heights, squeeze=False, sharex=True)[
        :, 0
    ]
    _curves(axes[0], flow, title)
    for panel, (label, trace) in zip(axes[1:], gated.items(), strict=True):
        image = _heat_map(panel, label, trace)
    if gated:
        bar = drawing.colorbar(image, ax=list(axes[1:]), fraction=0.03, pad=0.01)
        bar.set_label("gate, mean over the batch")
    last = max(t for trace in flow.traces.values() for n in trace.gradients.values() for t in n)
    axes[-1].set_xlim(-0.01 * last - 0.5, last + 0.5)
    axes[-1].set_xlabel("time step t")
    return drawing


def write(drawing: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure to a file at once: a reader never sees half of it."""
    from matplotlib import rc_context

    target, content = Path(path), BytesIO()
    with rc_context({"svg.hashsalt": "flow"}):
        ending = target.suffix.lstrip(".")
        drawing.savefig(content, format=ending, dpi=150, metadata=_undated(target.suffix))
    replace_file(target, content.getvalue())


def _curves(axes: Any, flow: GradientFlow, title: str | None) -> None:
    for i, (label, trace) in enumerate(flow.traces.items()):
        again, place = divmod(i, len(COLORS))
        color, marker = COLORS[place], MARKERS[again % len(MARKERS)]
        for name, norms in trace.gradients.items():
            times = np.array(sorted(norms))
            values = np.array([norms[t] for t in times])
            letter = name[-1]
            axes.semilogy(
                times,
                np.where(values > 0, values, np.nan),
                color=color,
                linestyle=DASHES.get(letter, "-"),
                linewidth=2,
                marker=marker,
                markevery=max(len(times) // 8, 1),
                label=f"{label}: " + rf"$|\partial L/\partial {letter}_t|$" + _layer(name),
            )
            axes.plot(times[:1], values[:1], "o", color=color, markersize=4)
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
                label=f"{label}: direct path " + r"$\prod_{\tau>t} f_\tau$" + _layer(name),
            )
    axes.set_ylabel("norm of the gradient")
    axes.set_title(title or "What arrives of the gradient at step t")
    axes.grid(True, which="major", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if len(axes.get_legend_handles_labels()[0]) <= FEW:
        axes.legend(frameon=False, fontsize=9, loc="lower right")
    else:
        axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1.05))


def _heat_map(axes: Any, label: str, trace: Trace) -> Any:
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
        cmap="cividis",
        vmin=0,
        vmax=1,
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


def _undated(suffix: str) -> dict[str, None]:
    """Leave the date out of the file: the same run gives the same bytes."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix, {})
