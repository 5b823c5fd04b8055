"""Alignment: the nodes of each step in a line, the lines side by side, in columns.

    t=1   x U   h W   +   tanh
    t=2   x U   h W   +   tanh
    t=3   x U   h W   +   tanh

Regular lines are all alike, and then this is a comparison. Where some differ, as the ends of a
backward pass do, each is laid against the table so that as many nodes as possible agree (the
longest common subsequence), and a node without a counterpart gets a column of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Sequence

from microgrrepresent.node import Node
from microgrrepresent.recurrence.breaks import Breaks
from microgrrepresent.recurrence.pairing import Column, Key, Operand, Pair, agreement, paired
from microgrrepresent.recurrence.signature import signature

Lines = dict[int, list[Node]]


def columns(
    lines: Lines,
    backward: bool,
    operands: Callable[[Node, int], tuple[Operand, ...]],
    exists: Callable[[int, int], bool],
    outputs: Container[Node],
    breaks: Breaks,
) -> list[dict[int, Node]]:
    """Lay lines side by side: for each column, its node at each step.

    Parameters
    ----------
    lines : dict from step to list of Node
        In order of steps; each line in topological order.
    backward
        Whether they are of a backward pass, whose lines may differ more.
    operands, exists
        What is known so far of a node's parents, and whether a strand has a node at a step.
    outputs
        Nodes that may have names of their own.
    breaks
        Takes down which line breaks the pattern.
    """
    numbers: dict[Hashable, int] = {}
    kinds: dict[tuple[Key, ...], list[int]] = {}
    for t, line in lines.items():
        kind = tuple(Key(signature(node), node.name, operands(node, t)) for node in line)
        if backward:
            kind = _parts(kind, line, numbers)
        kinds.setdefault(kind, []).append(t)
    middle = list(lines)[len(lines) // 2]
    usual = max(
        kinds,
        key=lambda kind: (
            len(kinds[kind]),
            backward and middle in kinds[kind],
            len(kind),
            middle in kinds[kind],
        ),
    )

    def fits(column: Column, key: Key, node: Node, t: int) -> int:
        if key.name != column.key.name and node not in outputs and column.example not in outputs:
            return 0
        return agreement(column, key, node, t, exists)

    table = [Column(key, kinds[usual][0], {}) for key in usual]
    for kind in sorted(kinds, key=lambda kind: kind is not usual):  # the usual one first
        t = kinds[kind][0]
        line = lines[t]
        pairs = paired(table, kind, line, t, fits)
        if not backward and kind is not usual:
            alike = [column is not None and i is not None for column, i in pairs]
            if not any(alike) and any(map(_reads_other_steps, line)):
                _substituted(line[0], table[0], t, breaks)
            is_step = t > 0 or 2 * sum(alike) > len(alike)  # else it makes an initial state
            if not (any(alike) and is_step):
                continue
            _check_gaps(pairs, line, t, breaks)
        table = [Column(kind[i or 0], t, {}) if column is None else column for column, i in pairs]
        for column, (_, i) in zip(table, pairs, strict=True):
            if i is not None:
                column.nodes |= {s: lines[s][i] for s in kinds[kind]}
    found = [dict(sorted(column.nodes.items())) for column in table]
    for nodes in found:
        _check_column(nodes, backward, lines, breaks)
    return found


def _parts(
    keys: Sequence[Key], line: Sequence[Node], numbers: dict[Hashable, int]
) -> tuple[Key, ...]:
    """Tell nodes with equal keys apart by what they are made from and what is made from them."""

    def number(what: Hashable) -> int:
        return numbers.setdefault(what, len(numbers) + 1)

    position = {node: i for i, node in enumerate(line)}
    behind: list[int] = []
    for key, node in zip(keys, line, strict=True):
        inside = tuple(behind[position[p]] if p in position else 0 for p in node.parents)
        behind.append(number((key, inside)))
    uses: list[list[tuple[int, int]]] = [[] for _ in line]
    ahead = [0] * len(line)
    for i in range(len(line) - 1, -1, -1):
        ahead[i] = number(("ahead", behind[i], tuple(sorted(uses[i]))))
        for place, parent in enumerate(line[i].parents):
            if parent in position:
                uses[position[parent]].append((ahead[i], place))
    return tuple(
        key._replace(behind=b, ahead=a) for key, b, a in zip(keys, behind, ahead, strict=True)
    )


def _check_gaps(pairs: Sequence[Pair], line: Sequence[Node], t: int, breaks: Breaks) -> None:
    """A line in which nodes stand where the table has other ones breaks the pattern."""
    missing: Column | None = None
    extra: Node | None = None
    for column, i in pairs:
        if column is not None and i is not None:
            missing = extra = None
        elif column is not None:
            missing = missing or column
        elif i is not None:
            extra = line[i] if extra is None else extra
        if missing is not None and extra is not None:
            _substituted(extra, missing, t, breaks)
            missing = extra = None


def _substituted(node: Node, column: Column, t: int, breaks: Breaks) -> None:
    near = min(column.nodes, key=lambda s: abs(s - t))
    other = column.nodes[near]
    advice = ""
    if (node.op, node.shape) == (other.op, other.shape) and node.name != other.name:
        advice = (
            f"; the names {node.name} and {other.name} differ: give a variable one name at all "
            "steps, the step itself is its index"
        )
    elif node.op == other.op and node.shape != other.shape:
        advice = (
            "; the shapes differ, as where an initial state has no row for each sequence: begin "
            "with one of the shape of the others, as broadcast_to makes it"
        )
    breaks.add(
        node,
        t,
        f"it has {breaks.equation(node)} where step {other.step} has {breaks.equation(other)}"
        f"{advice}",
    )


def _check_column(column: dict[int, Node], backward: bool, lines: Lines, breaks: Breaks) -> None:
    """A column with holes, or that begins and ends in the midst of time, breaks the pattern."""
    first, last = min(column), max(column)
    if len(column) <= last - first:
        t = next(t for t in column if t + 1 not in column)
        if 2 * len(column) > last - first + 1:
            _alone(column[t], t + 1, t + 1, breaks)
        else:
            _alone(column[first], first, first + 1, breaks)
    elif not backward and min(lines) < first and last < max(lines):
        _alone(column[first], first, first - 1, breaks)


def _alone(node: Node, t: int, lacks: int, breaks: Breaks) -> None:
    there, stamp = breaks.equation(node), breaks.clock.stamp(lacks)
    breaks.add(node, t, f"{there} of step {node.step} has no counterpart in step {stamp}")


def _reads_other_steps(node: Node) -> bool:
    return any(parent.step not in (None, node.step) and parent.parents for parent in node.parents)
