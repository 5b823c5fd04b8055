"""The levels of a long sequence, from a few of its steps: the others look like them.

A level belongs to a slot, which corresponding nodes of all steps share. So it is enough to look at
each slot at three steps, and to build the picture of those steps only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable
from dataclasses import replace

from microgrrepresent.drawing.time.timeline import Slot, Timeline
from microgrrepresent.drawing.views.builder import Details, build
from microgrrepresent.drawing.views.levels import Level, levels
from microgrrepresent.drawing.views.views import operations

ENOUGH = 3


def slot_levels(time: Timeline) -> dict[Hashable, Level]:
    """The level of each slot in the view of operations, as `levels` finds it."""
    sample = _sampled(time)
    return levels(build(sample, operations(sample), Details()), range(1, sample.T + 1))


def _sampled(time: Timeline) -> Timeline:
    """The same timeline, without steps all of whose slots are at three steps on either side."""
    slots: dict[int, set[Slot]] = defaultdict(set)
    for node in time.nodes:
        slots[time.column[node]].add(time.slot[node])
    kept = {column for column in slots if not 0 < column <= time.T}
    for columns in (sorted(slots), sorted(slots, reverse=True)):
        seen: Counter[Slot] = Counter()
        for column in columns:
            if any(seen[slot] < ENOUGH for slot in slots[column]):
                kept.add(column)
                seen.update(slots[column])
    if len(kept) == len(slots):
        return time
    nodes = tuple(node for node in time.nodes if time.column[node] in kept)
    return replace(
        time,
        nodes=nodes,
        column={node: time.column[node] for node in nodes},
        shared=time.shared.intersection(nodes),
    )
