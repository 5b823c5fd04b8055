"""The size of a gradient, also where it is as small or as large as gradients through time become.

The textbook's formula squares first, so that |1e-180| would be 0 and |1e180| infinite.
"""

from __future__ import annotations

import math

import numpy as np

from microgrrepresent.node import Array


def euclidean_norm(g: Array) -> float:
    """Root of the sum of squares, in double precision; inf and NaN come out as they are.

    Examples
    --------
    >>> import numpy as np
    >>> euclidean_norm(np.array([3e-180, 4e-180]))
    5e-180
    """
    wide = np.abs(g).astype(np.float64).ravel()
    top = float(wide.max(initial=0.0))
    if top == 0 or not math.isfinite(top):
        return top
    return top * float(np.linalg.norm(wide / top))
