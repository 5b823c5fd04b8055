"""Keep the memory of a graph that is gone, for the next one.

A step of training makes a graph of a few megabytes, and drops it. The GNU C library gives free
memory at the end of the heap back to the system as soon as there are 128 KB of it, and the next
step has to fetch it again page by page: a sixth of the time of a small LSTM's step.

This limit is not fixed. It becomes twice the size of the largest block (up to 32 MB) that was ever
allocated and freed, see "M_MMAP_THRESHOLD" in mallopt(3). So one such block is allocated here, and
freed. It is never written to, and so never takes any memory. Other C libraries do not care.
"""

import numpy as np

ENOUGH = 16 * 2**20
"""Bytes of the block; up to twice as much is kept."""


def keep_freed_memory() -> None:
    """Let memory that graphs have freed, up to twice `ENOUGH`, stay with the process."""
    np.empty(ENOUGH, np.uint8)
