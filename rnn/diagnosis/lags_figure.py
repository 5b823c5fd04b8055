"""The figure of a gradient by lag: a bar for each distance in time that the loss reached back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnn.figures import LETTERS, Figure, bare, slide

if TYPE_CHECKING:
    from rnn.diagnosis.by_time import PairTerms


def figure(pairs: PairTerms, title: str | None) -> Figure:
    """Draw the bars; on a logarithmic axis if the smallest could not be seen otherwise."""
    drawing = slide()
    axes = drawing.subplots()
    norms = pairs.norms()
    axes.bar(list(norms), list(norms.values()), width=0.8, color="#0072B2")
    known = [norm for norm in norms.values() if norm > 0]
    if known and max(known) > 100 * min(known):
        axes.set_yscale("log")
    whole, total = sum(norms.values()) or 1.0, 0.0
    half = next(lag for lag, norm in norms.items() if (total := total + norm) >= whole / 2)
    axes.axvline(half + 0.5, color="#D55E00", linestyle="--", linewidth=2)
    axes.annotate(
        f"half of all norms: lag ≤ {half}",
        (half + 0.5, 1),
        xycoords=("data", "axes fraction"),
        xytext=(8, -8),
        textcoords="offset points",
        va="top",
        color="#B34F00",
        fontsize=LETTERS,
    )
    axes.set_xlim(-0.6, max(norms) + 0.6)
    axes.set_xlabel("lag t − k, in steps, from the loss back to the use of W", fontsize=LETTERS)
    axes.set_ylabel("norm of the sum of the terms", fontsize=LETTERS)
    axes.set_title(title or "From how far back the gradient comes", fontsize=18)
    bare(axes)
    return drawing
