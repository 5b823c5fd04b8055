"""A narrow block: where many boxes with chips stand in a row, half of them move up.

Each gate of a cell that has products of its own takes the width of its chips, which in one row make
a block wider than a page is. In two rows it is half as wide. Boxes that are read together stay
together, and those go up which nothing above waits for.

    [f]      [o]
      [i] [g]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from microgrrepresent.drawing.layout.outlines import End, Outline, Wire

STOREY = 2
"""So many ranks they move up: one for the boxes, one for their chips."""


def chips_under(wires: Sequence[Wire], rank: Mapping[End, int]) -> dict[int, int]:
    """For each box that has a row of chips right below it, that row."""
    made = {wire.head for wire in wires}
    return {
        head: tail
        for tail, head, *_ in wires
        if isinstance(tail, int)
        and isinstance(head, int)
        and tail not in made
        and rank[tail] == rank[head] - 1
    }


def raised(
    outlines: Sequence[Outline], wires: Sequence[Wire], rank: Mapping[End, int]
) -> list[int]:
    """The outlines that move up: those with half of the chips of each row, at most."""
    chips = chips_under(wires, rank)
    readers: dict[End, set[End]] = defaultdict(set)
    for wire in wires:
        readers[wire.tail].add(wire.head)
    rows: dict[int, dict[frozenset[End], list[int]]] = defaultdict(lambda: defaultdict(list))
    for box in chips:
        rows[rank[box]][frozenset(readers[box])].append(box)
    slack = _slack(range(len(outlines)), readers, rank)
    found: list[int] = []
    for groups in rows.values():
        *free, _ = sorted(groups.values(), key=lambda group: -min(slack[box] for box in group))
        room = sum(outlines[chips[box]].width for group in groups.values() for box in group) / 2
        for group in free:
            room -= sum(outlines[chips[box]].width for box in group)
            if room < 0:
                break
            found += group
    return found


def _slack(
    boxes: Sequence[int], readers: Mapping[End, set[End]], rank: Mapping[End, int]
) -> dict[int, int]:
    """How many ranks each box could move up, and nothing that reads it would have to."""
    latest: dict[int, int] = {}
    for box in sorted(boxes, key=lambda box: -rank[box]):
        above = [end for end in readers.get(box, ()) if isinstance(end, int) and end in latest]
        above = [end for end in above if rank[end] > rank[box]]
        latest[box] = min((latest[end] - 1 for end in above), default=rank[box])
    return {box: late - rank[box] for box, late in latest.items()}
