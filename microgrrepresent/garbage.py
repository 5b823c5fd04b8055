"""Garbage collection stands still while a graph grows, or a drawing of it.

A graph is full of references but has no circles, so there is nothing in it for Python's collector
to find. It looks all the same, over and over while the graph grows: a long forward pass takes twice
as long for it, and a long drawing half as long again.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Keep the collector from running; what it would have found, it finds afterward."""
    if not gc.isenabled():  # as the user, or the block around this one, wants it
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
