"""The clock: steps are counted, and time stamps and years are as good as 1, 2, 3, ...

A lag counts steps, whatever numbers these bear: after 1990 and 2000 comes 2010, and no year between
them costs anything.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property

from microgrrepresent.errors import GraphError
from microgrrepresent.node import Node


class Clock:
    """The steps of a graph, in order, and how they count.

    Steps that follow each other count as the numbers that they are. Others count from 1, and what
    stands before the first result, as an initial state may, counts down from 0.

    Attributes
    ----------
    stamps : tuple of int
        The steps at which something is computed.

    Examples
    --------
    >>> from microgrrepresent import Graph, Tensor, step
    >>> from microgrrepresent.recurrence.clock import Clock
    >>> def run(years):
    ...     h = Tensor(2.0)
    ...     for year in years:
    ...         with step(year):
    ...             h = h * h
    ...     return Graph(h)
    >>> clock = Clock(run([1990, 2000, 2015]))
    >>> clock.count(2000), clock.stamp(3), Clock(run([4, 5])).count(5)
    (2, 2015, 5)
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        stamps: set[int] = set()
        every: set[int] = set()
        for node in nodes:
            if node.step is not None:
                every.add(node.step)
                if node.parents:
                    stamps.add(node.step)
        self.stamps = tuple(sorted(stamps))
        self._all = self.stamps if self.are_consecutive else tuple(sorted(every))

    @cached_property
    def are_consecutive(self) -> bool:
        """Whether the steps follow each other, so that they count as what they are."""
        return not self.stamps or self.stamps[-1] - self.stamps[0] == len(self.stamps) - 1

    @cached_property
    def _before(self) -> int:
        """How many steps come before the second one that is computed."""
        return bisect_left(self._all, self.stamps[0]) - 1

    def count(self, stamp: int) -> int:
        """Which step it is: equal numbers apart mean equally many steps apart."""
        if self.are_consecutive:
            return stamp
        return bisect_left(self._all, stamp) - self._before

    def stamp(self, t: int) -> int:
        """The number that the t-th step bears.

        Raises
        ------
        GraphError
            If there is no such step, and the others do not tell what its number would be.
        """
        if self.are_consecutive:
            return t
        i = t + self._before
        if 0 <= i < len(self._all):
            return self._all[i]
        apart = {b - a for a, b in zip(self.stamps, self.stamps[1:], strict=False)}
        if len(apart) > 1:
            raise GraphError(
                f"the steps {_short(self.stamps)} are not evenly spaced, so they do not tell what "
                "comes before the first or after the last one"
            )
        return self.stamps[0] + (t - 1) * apart.pop()


def _short(stamps: tuple[int, ...]) -> str:
    shown = [*map(str, stamps)]
    return ", ".join(shown if len(shown) < 7 else [*shown[:3], "…", shown[-1]])
