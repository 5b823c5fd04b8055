"""Wiring: where each strand reads its parents, told relative to the step.

A parent that is in a strand itself is read at the same step, at the step before (a *delay*), or at
the step after; one that is the same node at every step is shared, as a parameter is; and one that
is another node at every step, though always of one kind, such as an input x_t, a number, or a
look-up made before the loop, is a strand that had not been found yet. At the ends of time a delay
has nothing to read, and an initial value stands in its place. Anything else breaks the pattern.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from microgrrepresent.errors import GraphError
from microgrrepresent.folding.alignment import Names
from microgrrepresent.folding.strands import (
    Place,
    Slot,
    Strand,
    common,
    index_numbers,
    signature,
)
from microgrrepresent.listing import equation
from microgrrepresent.node import Node

Key = tuple[int, int]  # a source's index and a lag; for a node in no strand, OUTSIDE and its id
OUTSIDE = -1


def wire(strands: list[Strand], places: dict[Node, Place], names: Names) -> None:
    """Fill in the slots and slopes of all strands, and append the strands of per-step inputs.

    Raises
    ------
    GraphError
        If a node reads something else than its counterparts in the other steps.
    """
    for strand in strands:  # grows while it is walked through
        strand.slopes = _slopes(strand, names)
        for i in range(len(next(iter(strand.nodes.values())).parents)):
            strand.slots.append(_slot(strand, i, strands, places, names))


def _slot(
    strand: Strand, i: int, strands: list[Strand], places: dict[Node, Place], names: Names
) -> Slot:
    parents = {t: node.parents[i] for t, node in strand.nodes.items()}
    keys = {t: _key(parent, t, places) for t, parent in parents.items()}
    votes = Counter(keys.values())
    for key, _ in votes.most_common():
        if key[0] != OUTSIDE and not any(_offenders(key, keys, strand, strands)):
            boundary = {t: parents[t] for t in keys if keys[t] != key}
            return Slot(source=key[0], lag=key[1], boundary=boundary)
    if len(votes) == 1:
        return Slot(shared=parents[strand.first])
    if len(votes) == len(keys) and all(source == OUTSIDE for source, _ in votes):
        added = _series(strand, i, parents, names)
        for t, node in added.nodes.items():
            places[node] = (len(strands), t)
        strands.append(added)
        at = places[parents[strand.first]][1]
        return Slot(source=len(strands) - 1, lag=strand.first - at)
    raise _rewired(strand, i, keys, votes, strands, names)


def _key(parent: Node, t: int, places: dict[Node, Place]) -> Key:
    place = places.get(parent)
    return (OUTSIDE, parent.id) if place is None else (place[0], t - place[1])


def _offenders(
    key: Key, keys: dict[int, Key], strand: Strand, strands: list[Strand]
) -> Iterator[int]:
    """The steps that do not read by this key although they could.

    Only where the source has no node, at the ends of time, may something else be read. Within a
    step that excuse holds for a backward pass only: the sweep leaves out what adds nothing.
    """
    source, lag = key
    for t, read in keys.items():
        excused = (strand.backward or lag) and t - lag not in strands[source].nodes
        if read != key and not excused:
            yield t


def _series(strand: Strand, i: int, parents: dict[int, Node], names: Names) -> Strand:
    """Make a strand of the different nodes that the steps read in one place."""
    forms = {
        t: (signature(p, step_in_name=p.is_leaf), p.is_leaf and p.requires_grad)
        for t, p in parents.items()
    }
    usual = common(Counter(forms.values()))
    for t in parents:
        if forms[t] != usual:
            example = next(parents[s] for s in parents if forms[s] == usual)
            raise _misread(
                strand, i, t, f"the other steps read the like of {names[example]}", names
            )
    stamps = [parent.step for parent in parents.values()]
    shifts = {t if stamp is None else stamp - t for t, stamp in zip(parents, stamps, strict=True)}
    if None in stamps or len(shifts) > 1:
        return Strand(parents, strand.backward)
    return Strand({t + min(shifts): parent for t, parent in parents.items()}, strand.backward)


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


def _misread(strand: Strand, i: int, t: int, expected: str, names: Names) -> GraphError:
    node = strand.nodes[t]
    return GraphError(
        f"fold: step {t} breaks the pattern: operand {i + 1} of {equation(node, names)} "
        f"is {names[node.parents[i]]}, where {expected}"
    )
