"""Wiring: where each strand reads its parents, told relative to the step.

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

from microgrrepresent.errors import GraphError
from microgrrepresent.listing import equation
from microgrrepresent.node import Node
from microgrrepresent.recurrence.alignment import Names
from microgrrepresent.recurrence.signature import index_numbers, signature
from microgrrepresent.recurrence.strands import (
    Place,
    Slot,
    Strand,
    behind,
    common,
)

Key = tuple[int, int]  # a source's index and a lag; for a node in no strand, OUTSIDE and its id
OUTSIDE = -1


def wire(strands: list[Strand], places: dict[Node, Place], names: Names, known: int = 0) -> None:
    """Fill in the slots and slopes of all strands, and append the strands of per-step inputs.

    Parameters
    ----------
    strands, places
        The strands, and where each node stands in them.
    names
        What to call each node in an error's sentence.
    known : int
        So many of the strands are wired already.

    Raises
    ------
    GraphError
        If a node reads something else than its counterparts in the other steps.
    """
    waiting: list[tuple[Strand, int]] = []
    while known < len(strands) or waiting:
        for strand in strands[known:]:
            if strand.cuts:
                continue
            strand.slopes = _slopes(strand, names)
            strand.slots = [Slot() for _ in strand.nodes[strand.first].parents]
            waiting += [(strand, i) for i in range(len(strand.slots))]
        known = len(strands)
        before, postponed = len(waiting), []
        for strand, i in waiting:
            slot = _slot(strand, i, strands, places, names)
            if slot is None:
                postponed.append((strand, i))
            else:
                strand.slots[i] = slot
        waiting = postponed
        if waiting and len(waiting) == before and known == len(strands):
            raise _unlike(*waiting[0], names)
    for strand in strands:  # what was read once may have turned out to be in a strand later on
        for i, slot in enumerate(strand.slots):
            if slot.shared in places and len(strand.nodes) == 1:
                source, t = places[slot.shared]
                strand.slots[i] = Slot(source, strand.first - t, regular=(strand.first,) * 2)


def _slot(
    strand: Strand, i: int, strands: list[Strand], places: dict[Node, Place], names: Names
) -> Slot | None:
    """Tell one slot; None if that has to wait, because its nodes may turn out to be in a strand."""
    read = {t: node.parents[i] for t, node in strand.nodes.items()}
    parents = {t: behind(parent, strands, places) for t, parent in read.items()}
    keys = {t: _key(parent, t, places) for t, parent in parents.items()}
    cuts = {_key(read[t], t, places) for t in read if read[t] is not parents[t]}
    if len(cuts) > 1:
        raise _misread(strand, i, max(read), "the other steps read another cut", names)
    if len({parent.id for parent in parents.values()}) == 1 and (
        len(parents) > 1 or keys[strand.first][0] == OUTSIDE
    ):
        return Slot(shared=parents[strand.first])
    votes = Counter(keys.values())
    inside = {key: n for key, n in votes.items() if key[0] != OUTSIDE}
    for key, n in inside.items():
        if n == max(inside.values()) and not any(_offenders(key, keys, strand, strands)):
            boundary = {t: parents[t] for t in keys if keys[t] != key}
            regular = [t for t in keys if keys[t] == key]
            cut = cuts.pop() if cuts else None
            return Slot(*key, boundary=boundary, regular=(regular[0], regular[-1]), cut=cut)
    if len(votes) < len(keys) or any(source != OUTSIDE for source, _ in votes):
        raise _rewired(strand, i, keys, votes, strands, names)
    if len({_form(parent) for parent in parents.values()}) > 1:
        return None
    added = _series(parents, strand.backward)
    places |= {node: (len(strands), t) for t, node in added.nodes.items()}
    strands.append(added)
    lag = strand.first - places[parents[strand.first]][1]
    return Slot(len(strands) - 1, lag, regular=(strand.first, strand.last))


def _key(parent: Node, t: int, places: dict[Node, Place]) -> Key:
    place = places.get(parent)
    return (OUTSIDE, parent.id) if place is None else (place[0], t - place[1])


def _offenders(
    key: Key, keys: dict[int, Key], strand: Strand, strands: list[Strand]
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
            beyond = lag and t - lag not in strands[source].nodes and read[0] != source
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


def _series(parents: dict[int, Node], backward: bool) -> Strand:
    """Make a strand of the nodes that the steps read in one place, by their own steps if known."""
    shifts = {None if node.step is None else node.step - t for t, node in parents.items()}
    shift = shifts.pop() if len(shifts) == 1 else None
    return Strand({t + (shift or 0): node for t, node in parents.items()}, backward)


def _slopes(strand: Strand, names: Names) -> list[int]:
    """By how much the numbers in an index grow from step to step.

    Raises
    ------
    GraphError
        If a number does not grow evenly.
    """
    if "index" not in next(iter(strand.nodes.values())).params:
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
                raise GraphError(
                    f"fold: step {t} breaks the pattern: {equation(strand.nodes[t], names)} "
                    f"has the index {n} where {start + slope * t} would follow from the other steps"
                )
        slopes.append(slope)
    return slopes


# --- breaks ---------------------------------------------------------------------------------------


def _rewired(
    strand: Strand,
    i: int,
    keys: dict[int, Key],
    votes: Counter[Key],
    strands: list[Strand],
    names: Names,
) -> GraphError:
    """Name the first step that does not read what most steps read."""
    usual = common(votes)
    source, lag = usual
    example = next(t for t in keys if keys[t] == usual)
    known = names[strand.nodes[example].parents[i]]
    if source == OUTSIDE:
        t = next(t for t in keys if keys[t] != usual)
        return _misread(strand, i, t, f"step {example} reads {known}", names)
    t = next(_offenders(usual, keys, strand, strands))
    expected = strands[source].nodes.get(t - lag)
    if expected is None:
        return _misread(strand, i, t, f"step {example} reads {known}", names)
    return _misread(strand, i, t, f"{names[expected]} would follow from the other steps", names)


def _unlike(strand: Strand, i: int, names: Names) -> GraphError:
    """Name the first step that reads something of another kind than most steps."""
    forms = {t: _form(node.parents[i]) for t, node in strand.nodes.items()}
    usual = common(Counter(forms.values()))
    example = next(t for t in forms if forms[t] == usual)
    known = names[strand.nodes[example].parents[i]]
    t = next(t for t in forms if forms[t] != usual)
    return _misread(strand, i, t, f"step {example} reads {known}, which is not of its kind", names)


def _misread(strand: Strand, i: int, t: int, expected: str, names: Names) -> GraphError:
    node = strand.nodes[t]
    return GraphError(
        f"fold: step {t} breaks the pattern: operand {i + 1} of {equation(node, names)} "
        f"is {names[node.parents[i]]}, where {expected}"
    )
