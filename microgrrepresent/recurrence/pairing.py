"""One line of nodes is laid against a table, so that as many nodes as possible agree.

A node and a column can be paired if they have one signature; how well they agree is a score, and
the pairs are a longest common subsequence by it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from microgrrepresent.node import Node
from microgrrepresent.recurrence.signature import index_numbers

Pair = tuple["Column | None", "int | None"]  # a column and a position in the line


class Operand(NamedTuple):
    """What is known of a node's parent."""

    strand: int | None
    """The strand of the parent, if it is in one that is known already."""
    later: int
    """By how many steps that strand's node is later than the reader."""
    sweep: int
    """For a backward pass, which sweep made it: 0 for none, then 1, 2, ...; -1 for a number."""


class Key(NamedTuple):
    """What a node is compared by: what it is, and for a backward node also its part in the line."""

    signature: Hashable
    name: str | None
    operands: tuple[Operand, ...] = ()
    behind: int = 0
    """A number for the nodes of the line that this one is made from."""
    ahead: int = 0
    """A number for the nodes of the line that are made from this one."""


Fit = Callable[["Column", Key, Node, int], int]


@dataclass(slots=True, eq=False)
class Column:
    """The nodes of one column, by step."""

    key: Key
    t: int
    """The step whose node had this key."""
    nodes: dict[int, Node]

    @property
    def example(self) -> Node:
        """One of the nodes."""
        return next(iter(self.nodes.values()))


def paired(
    table: Sequence[Column],
    kind: Sequence[Key],
    line: Sequence[Node],
    t: int,
    fits: Fit,
) -> list[Pair]:
    """Pair columns and nodes, in order, so that they agree as well as possible.

    What the line shares with the table at both ends is taken off first, and in a regular graph
    that is all of it. Dynamic programming pairs the rest.
    """
    start, end = 0, 0
    shortest = min(len(table), len(kind))
    while start < shortest and _same(table[start], kind[start], line[start]):
        start += 1
    while end < shortest - start and _same(table[-1 - end], kind[-1 - end], line[-1 - end]):
        end += 1
    pairs: list[Pair] = [(table[i], i) for i in range(start)]
    pairs += _in_between(
        table[start : len(table) - end], kind, line, t, fits, start, len(kind) - end
    )
    shift = len(line) - len(table)
    return pairs + [(table[i], i + shift) for i in range(len(table) - end, len(table))]


def _in_between(
    table: Sequence[Column],
    kind: Sequence[Key],
    line: Sequence[Node],
    t: int,
    fits: Fit,
    start: int,
    end: int,
) -> list[Pair]:
    """Pair all columns with the nodes between two positions: a longest common subsequence.

    ``best[a][b]`` is the score of pairing what follows column a and node b.
    """
    m, n = len(table), end - start
    best = [[0] * (n + 1) for _ in range(m + 1)]
    for a in range(m - 1, -1, -1):
        for b in range(n - 1, -1, -1):
            score = fits(table[a], kind[start + b], line[start + b], t)
            together = score + best[a + 1][b + 1] if score else 0
            best[a][b] = max(best[a + 1][b], best[a][b + 1], together)
    pairs: list[Pair] = []
    a = b = 0
    while a < m or b < n:
        if a < m and best[a][b] == best[a + 1][b]:
            pairs.append((table[a], None))
            a += 1
        elif b < n and best[a][b] == best[a][b + 1]:
            pairs.append((None, start + b))
            b += 1
        else:
            pairs.append((table[a], start + b))
            a, b = a + 1, b + 1
    return pairs


def _same(column: Column, key: Key, node: Node) -> bool:
    if column.key != key or not column.nodes:
        return column.key == key
    return index_numbers(column.example) == index_numbers(node)


def agreement(
    column: Column, key: Key, node: Node, t: int, exists: Callable[[int, int], bool]
) -> int:
    """How well a node fits a column; 0 if it does not.

    What it reads counts most, then whether it has the same name and the same place in an array,
    then its part among the other nodes of the line.
    """
    if column.key.signature != key.signature:
        return 0
    reading = 0
    for i, (expected, read) in enumerate(zip(column.key.operands, key.operands, strict=True)):
        if column.example.parents[i] is node.parents[i]:
            reading += 3
            continue
        if expected == read:
            reading += 3 * (read.strand is not None)
            continue
        if expected.sweep != read.sweep:
            return 0
        expects, reads = _binds(expected, t, exists), _binds(read, column.t, exists)
        if (expects or reads) and read.sweep == 0:
            return 0  # both could read the same node of the forward pass, and do not
        reading += not expects
    alike = (column.key.name == key.name) + (index_numbers(column.example) == index_numbers(node))
    part = (column.key.behind == key.behind) + (column.key.ahead == key.ahead)
    return 100_000 + 1_000 * reading + 100 * alike + 10 * part


def _binds(read: Operand, t: int, exists: Callable[[int, int], bool]) -> bool:
    """Whether what is read is there to be read at another step, too."""
    return read.strand is not None and exists(read.strand, t + read.later)
