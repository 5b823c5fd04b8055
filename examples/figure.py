"""One style for all figures: colors that color-blind readers can tell apart, saved at once.

    with figure(out / "adding.png") as axes:
        axes.plot(...)

The picture is written when the block ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # draw into files; no window is needed
import matplotlib.pyplot as plt
from cycler import cycler

from microgrrepresent.files import write_file

COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]  # Okabe-Ito
_STYLE: Any = {
    "axes.prop_cycle": cycler(color=COLORS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.family": ["DejaVu Sans", "Noto Sans CJK SC", "Noto Serif CJK SC"],
    "legend.frameon": False,
    "savefig.dpi": 120,
}


@contextmanager
def figure(
    path: Path, rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.4, 3.6)
) -> Iterator[Any]:
    """Give the axes of a new figure (an array, if there are several), and save it.

    Parameters
    ----------
    path : Path
        A .png file; never half there.
    rows, columns : int
        Number of axes.
    size : (float, float)
        Width and height of each, in inches.
    """
    with plt.rc_context(_STYLE):
        drawn, axes = plt.subplots(
            rows, columns, figsize=(size[0] * columns, size[1] * rows), layout="constrained"
        )
        yield axes
        content = BytesIO()
        drawn.savefig(content, format="png", metadata={"Software": None})
        write_file(path, content.getbuffer())
        plt.close(drawn)
