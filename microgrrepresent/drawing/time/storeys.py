"""Loops one after the other, such as an encoder and its decoder: each is a storey of the picture.

A loop ends where nothing goes on: no variable of the steps until then has a counterpart later. What
is made once, between two loops, stands before the second one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Hashable, Mapping, Set

from microgrrepresent.node import Node


def storeys(
    T: int,
    column: Mapping[Node, int],
    slot: Mapping[Node, Hashable],
    shared: Set[Node],
    passes: Collection[Hashable],
) -> tuple[int, ...]:
    """The columns at which loops begin: only the first one, if loops cannot be told apart.

    Parameters
    ----------
    T : int
        Number of steps.
    column, slot, shared, passes
        As in a `Timeline`.
    """
    span: dict[Hashable, tuple[int, int]] = {}
    for node, at in column.items():
        if 0 < at <= T and node.parents and node not in shared:
            first, last = span.get(slot[node], (at, at))
            span[slot[node]] = min(first, at), max(last, at)
    goes_on = {at for first, last in span.values() for at in range(first, last)}
    loops = {span[state][0] for state in passes if state in span}
    found: list[int] = []
    begin = 1
    for at in range(1, T + 1):
        if at not in goes_on and not loops.isdisjoint(range(begin, at + 1)):
            found.append(begin)
            begin = at + 1
    if len(found) < 2:
        return (1,)
    is_upward = all(
        storey_at(found, column[parent]) <= storey_at(found, at)
        and not at <= T < column[parent]
        and not column[parent] < found[-1] <= T < at
        for node, at in column.items()
        for parent in node.parents
        if at and column.get(parent) and parent not in shared
    )
    return tuple(found) if is_upward else (1,)


def storey_at(firsts: tuple[int, ...] | list[int], column: int) -> int:
    """Which of several loops a column belongs to, counted from 0."""
    return max(bisect_right(firsts, column) - 1, 0)
