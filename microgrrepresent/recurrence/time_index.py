"""Time in an index: the t of ``X[t]``, and how long X has to be for another number of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from microgrrepresent.node import Array, Node
from microgrrepresent.recurrence.signature import index_numbers, index_of, integers
from microgrrepresent.recurrence.strands import Strand


def numbers_at(strand: Strand, t: int, more: int) -> list[int]:
    """The integers in the index of a selection at step t, if there are `more` steps than recorded.

    An index that grows counts from the start, as X[t] does; one that shrinks counts from the end,
    as X[T-t] does; and those below 0 the other way round.
    """
    numbers = index_numbers(strand.nodes[strand.first])
    found = []
    for number, slope in zip(numbers, strand.slopes, strict=True):
        late = more if (slope < 0) != (number < 0) else 0
        found.append(number + slope * (t - late - strand.first))
    return found


def resized_inputs(
    strands: Sequence[Strand], ranges: Sequence[tuple[int, int]], nodes: Sequence[Node], more: int
) -> dict[Node, Array]:
    """New values for the leaves that are cut into steps and nothing else, of the length needed.

    Parameters
    ----------
    strands, ranges
        The strands, and the first and the last step of each among the new steps.
    nodes
        All nodes of the graph.
    more
        By how much the number of steps grows.
    """
    lengths: dict[tuple[Node, int], list[int]] = {}  # axis of a leaf: lengths before and after
    cut: set[Node] = set()
    for strand, (first, last) in zip(strands, ranges, strict=True):
        leaf = strand.reads[0].shared if any(strand.slopes) else None
        if leaf is None or not leaf.is_leaf:
            continue
        cut |= set(strand.nodes.values())
        for axis, before, after in _reach(strand, first, last, more):
            known = lengths.setdefault((leaf, axis), [0, 0])
            known[:] = max(known[0], before), max(known[1], after)
    others = {parent for node in nodes if node not in cut for parent in node.parents}
    resized: dict[Node, Array] = {}
    for (leaf, axis), (before, after) in lengths.items():
        length = leaf.shape[axis]
        if after > length or (before == length and leaf not in others and not leaf.requires_grad):
            again = np.arange(after) % length
            resized[leaf] = resized.get(leaf, leaf.value).take(again, axis)
    return resized


def _reach(strand: Strand, first: int, last: int, more: int) -> Iterator[tuple[int, int, int]]:
    """For each axis with time in its index, how much of it was selected from, and would be."""
    index = index_of(strand.nodes[strand.first])
    before = [numbers_at(strand, t, 0) for t in (strand.first, strand.last)]
    after = [numbers_at(strand, t, more) for t in (first, last)]
    axis = position = 0
    for part in index if isinstance(index, tuple) else (index,):
        if part is None:
            continue
        if not isinstance(part, (int, slice)):
            return  # what follows does not stand for one axis each
        end = position + len(integers(part))
        if any(strand.slopes[position:end]):
            reach = (
                max(-n if n < 0 else n + isinstance(part, int) for n in row[position:end])
                for row in (*before, *after)
            )
            yield axis, max(next(reach), next(reach)), max(reach)
        axis, position = axis + 1, end
