"""Reads: what each strand is made from, told relative to the step.

A parent that is in a strand itself is read at the same step, at the step before (a *delay*), or at
the step after; one that is the same node at every step is shared, as a parameter is; and one that
is another node at every step, though always of one kind, such as an input x_t, a number, or a
look-up made before the loop, is a strand that had not been found yet. At the ends of time a delay
has nothing to read, and an initial value stands in its place. A cut counts as what it cuts.
Anything else breaks the pattern.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from microgrrepresent.node import Node
from microgrrepresent.recurrence.breaks import Breaks
from microgrrepresent.recurrence.signature import index_numbers, selects, signature
from microgrrepresent.recurrence.strands import Position, Read, Strand, Strands, behind, common

Origin = tuple[int, int]  # a source's index and a lag; for a node in no strand, OUTSIDE and its id
OUTSIDE = -1


def find_reads(known: Strands, done: int = 0) -> None:
    """Fill in the reads and slopes of all strands, and append the strands of per-step inputs.

    Parameters
    ----------
    known
        The strands.
    done : int
        So many of them have their reads already.
    """
    strands, places = known.strands, known.places
    waiting: list[tuple[Strand, int]] = []
    while done < len(strands) or waiting:
        for strand in strands[done:]:
            if strand.cuts:
                continue
            strand.slopes = _slopes(strand, known.breaks)
            strand.reads = [Read() for _ in strand.nodes[strand.first].parents]
            waiting += [(strand, i) for i in range(len(strand.reads))]
        done = len(strands)
        before, postponed = len(waiting), []
        for strand, i in waiting:
            read = _read(strand, i, known)
            if read is None:
                postponed.append((strand, i))
            else:
                strand.reads[i] = read
        waiting = postponed
        if waiting and len(waiting) == before and done == len(strands):
            strand, i = waiting.pop(0)
            strand.reads[i] = _of_the_usual_kind(strand, i, known)
    for strand in strands:  # what was read once may have turned out to be in a strand later on
        for i, read in enumerate(strand.reads):
            if read.shared in places and len(strand.nodes) == 1:
                source, t = places[read.shared]
                strand.reads[i] = Read(source, strand.first - t, regular=(strand.first,) * 2)


def _read(strand: Strand, i: int, known: Strands) -> Read | None:
    """Tell one read; None if that has to wait, because its nodes may turn out to be in a strand."""
    strands, places = known.strands, known.places
    read = {t: node.parents[i] for t, node in strand.nodes.items()}
    parents = {t: behind(parent, strands, places) for t, parent in read.items()}
    keys = {t: _key(parent, t, places) for t, parent in parents.items()}
    cuts = {_key(read[t], t, places) for t in read if read[t] is not parents[t]}
    if len(cuts) > 1:
        _misread(strand, i, max(read), "the other steps read another cut", known.breaks)
    if len({parent.id for parent in parents.values()}) == 1 and (
        len(parents) > 1 or keys[strand.first][0] == OUTSIDE
    ):
        return Read(shared=parents[strand.first])
    votes = Counter(keys.values())
    inside = {key: n for key, n in votes.items() if key[0] != OUTSIDE}
    cut = cuts.pop() if cuts else None
    for key, n in inside.items():
        if n == max(inside.values()) and not any(_offenders(key, keys, strand, strands)):
            return _by_key(key, keys, parents, cut)
    if len(votes) < len(keys) or inside:
        _rewired(strand, i, keys, votes, strands, known.breaks)
        return _by_key(common(votes), keys, parents, cut)
    if len({_form(parent) for parent in parents.values()}) > 1:
        return None
    return _added(parents, strand, known)


def _by_key(
    key: Origin, keys: dict[int, Origin], parents: dict[int, Node], cut: Origin | None = None
) -> Read:
    """What is read under one key, and what the other steps read instead."""
    source, lag = key
    regular = [t for t in keys if keys[t] == key]
    boundary = {t: parents[t] for t in keys if keys[t] != key}
    ends = regular[0], regular[-1]
    if source == OUTSIDE:
        return Read(shared=parents[regular[0]], boundary=boundary, regular=ends)
    return Read(source, lag, boundary=boundary, regular=ends, cut=cut)


def _added(parents: dict[int, Node], strand: Strand, known: Strands) -> Read:
    """Make a strand of what the steps read in one place, by their own steps if these are known."""
    shifts = {
        None if node.step is None else known.clock.count(node.step) - t
        for t, node in parents.items()
    }
    shift = (shifts.pop() if len(shifts) == 1 else None) or 0
    known.add(Strand({t + shift: node for t, node in parents.items()}, strand.backward))
    return Read(len(known.strands) - 1, -shift, regular=(min(parents), max(parents)))


def _of_the_usual_kind(strand: Strand, i: int, known: Strands) -> Read:
    """Where steps read things of several kinds, the most common one is the pattern."""
    breaks = known.breaks
    parents = {t: node.parents[i] for t, node in strand.nodes.items()}
    forms = {t: _form(parent) for t, parent in parents.items()}
    usual = common(Counter(forms.values()))
    example = next(t for t in forms if forms[t] == usual)
    name = breaks.names[parents[example]]
    t = next(t for t in forms if forms[t] != usual)
    stamp = breaks.clock.stamp(example)
    _misread(strand, i, t, f"step {stamp} reads {name}, which is not of its kind", breaks)
    regular = {t: parent for t, parent in parents.items() if forms[t] == usual}
    read = _added(regular, strand, known)
    read.boundary = {t: parent for t, parent in parents.items() if t not in regular}
    return read


def _key(parent: Node, t: int, places: dict[Node, Position]) -> Origin:
    place = places.get(parent)
    return (OUTSIDE, parent.id) if place is None else (place[0], t - place[1])


def _offenders(
    key: Origin, keys: dict[int, Origin], strand: Strand, strands: list[Strand]
) -> Iterator[int]:
    """The steps that should read by this key, and do not.

    Only at the ends of time may something else be read, and only where the source has no node;
    then it may be anything but another node of the source. In a backward pass the ends are free,
    also within a step: there the sweep leaves out what adds nothing, and adds what comes from
    outside of the steps.
    """
    source, lag = key
    regular = [t for t, read in keys.items() if read == key]
    for t, read in keys.items():
        if read != key:
            in_the_midst = regular[0] < t < regular[-1]
            beyond = t - lag not in strands[source].nodes and read[0] != source
            if in_the_midst or not (strand.backward or beyond):
                yield t


def _form(node: Node) -> tuple[Any, ...]:
    """What the different nodes that the steps read in one place have in common."""
    return signature(node), _without_number(node), node.is_leaf and node.requires_grad


def _without_number(node: Node) -> str | None:
    """A node's name; inputs made before the loop may have their step in it: x1, x_2."""
    if node.name is None or not node.is_leaf:
        return node.name
    return re.sub(r"_?-?\d+$", "", node.name)


def _slopes(strand: Strand, breaks: Breaks) -> list[int]:
    """By how much the numbers in an index grow from step to step."""
    if not selects(next(iter(strand.nodes.values()))):
        return []
    numbers = {t: index_numbers(node) for t, node in strand.nodes.items()}
    slopes = []
    for i in range(len(numbers[strand.first])):
        at = {t: row[i] for t, row in numbers.items()}
        rises = Counter(at[t + 1] - at[t] for t in at if t + 1 in at)
        slope = common(rises) if rises else 0
        start = common(Counter(n - slope * t for t, n in at.items()))
        for t, n in at.items():
            if n != start + slope * t:
                node = strand.nodes[t]
                breaks.add(
                    node,
                    t,
                    f"{breaks.equation(node)} has the index {n} where {start + slope * t} would "
                    "follow from the other steps",
                )
        slopes.append(slope)
    return slopes


# --- breaks ---------------------------------------------------------------------------------------


def _rewired(
    strand: Strand,
    i: int,
    keys: dict[int, Origin],
    votes: Counter[Origin],
    strands: list[Strand],
    breaks: Breaks,
) -> None:
    """Name the first step that does not read what most steps read."""
    usual = common(votes)
    source, lag = usual
    example = next(t for t in keys if keys[t] == usual)
    known = breaks.names[strand.nodes[example].parents[i]]
    expected = f"step {breaks.clock.stamp(example)} reads {known}"
    if source == OUTSIDE:
        t = next(t for t in keys if keys[t] != usual)
    else:
        t = next(_offenders(usual, keys, strand, strands))
        if t - lag in strands[source].nodes:
            there = breaks.names[strands[source].nodes[t - lag]]
            expected = f"{there} would follow from the other steps"
    _misread(strand, i, t, expected, breaks)


def _misread(strand: Strand, i: int, t: int, expected: str, breaks: Breaks) -> None:
    node = strand.nodes[t]
    told, known = breaks.equation(node), breaks.names[node.parents[i]]
    breaks.add(node, t, f"operand {i + 1} of {told} is {known}, where {expected}")
