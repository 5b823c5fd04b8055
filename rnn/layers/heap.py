"""Memory that one graph gives back is there for the next.

Linux's C library returns free memory at the end of its heap to the system, and then gets it back
page by page, each time a page is first written to: of a training step on a graph of 40 MB that is a
third. How much it keeps it learns from the largest block, of up to 32 MiB, that was ever given
back: twice as much. So a block is given back once, of which not a single page was written to.
"""

from __future__ import annotations

from functools import cache

import numpy as np

_LARGEST = 2**25 - 2**16  # bytes; the rest is for what the library itself adds to a block


@cache
def keep_heap() -> None:
    """Let the process keep up to 64 MiB of free memory at the end of its heap."""
    np.empty(_LARGEST, np.uint8)
