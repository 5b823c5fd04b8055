"""On which side of a box each wire leaves or enters.

A box that `widens` has a place for every wire on its lower and upper side. A circle has one place
on each of its four sides: one wire enters from below; the others go up beside it and turn. What
goes down leaves and enters at a side.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from microgrrepresent.drawing.layout.ordering import Bend, Item, Ordered, Piece
from microgrrepresent.drawing.layout.outlines import Port
from microgrrepresent.drawing.layout.sketch import Sketch


def give_sides(sketch: Sketch, found: Ordered) -> None:
    """Let wires turn beside the boxes that they leave or enter at a side, in place."""
    place = {item: i for row in found.rows for i, item in enumerate(row)}
    left: dict[int, list[Item]] = defaultdict(list)
    right: dict[int, list[Item]] = defaultdict(list)
    taken = _taken(sketch, found)
    turned: dict[int, list[Item]] = {}
    for i, way in enumerate(found.ways):
        tail, head = way[0], way[-1]
        if found.rank[head] >= found.rank[tail]:
            continue
        new = list(way)
        if isinstance(tail, int):
            to_left = isinstance(head, Port) and head.side == "left"
            turn = Bend(i, found.rank[tail])
            new.insert(1, turn)
            (left if to_left else right)[tail].append(turn)
            taken[tail].add("left" if to_left else "right")
        if isinstance(head, int):
            from_right = isinstance(tail, int) or (isinstance(tail, Port) and tail.side == "right")
            trunk = _trunk(found, place, i)
            turn = trunk or Bend(i, found.rank[head])
            new.insert(-1, turn)
            if trunk is None:
                (right if from_right else left)[head].insert(0, turn)
            taken[head].add("right" if from_right else "left")
        turned[i] = new
    for head, wires in _from_below(sketch, found).items():
        wires.sort(key=lambda i: place[found.ways[i][-2]])
        for i, side in _entries(found, wires, taken[head]).items():
            turn = Bend(i, found.rank[head])
            turned[i] = [*found.ways[i][:-1], turn, head]
            (left if side == "left" else right)[head].append(turn)
    for i, way in turned.items():
        found.ways[i] = way
        found.rank.update((item, item.rank) for item in way if isinstance(item, Bend))
    _rewire(found, turned)
    for r, row in enumerate(found.rows):
        found.rows[r] = [
            item
            for one in row
            for item in (
                [*left.get(one, ()), one, *right.get(one, ())] if isinstance(one, int) else [one]
            )
        ]


def _trunk(found: Ordered, place: dict[Item, int], i: int) -> Bend | None:
    """Where a line from which a wire can turn to its head passes by, with no box between."""
    tail, head = found.ways[i][0], found.ways[i][-1]
    rank = found.rank[head]
    for way in found.ways:
        if way[0] != tail:
            continue
        for item in way[1:-1]:
            if isinstance(item, Bend) and item.rank == rank:
                first, last = sorted((place[item], place[head]))
                between = found.rows[rank][first + 1 : last]
                if not any(isinstance(other, int) for other in between):
                    return item
    return None


def _rewire(found: Ordered, turned: dict[int, list[Item]]) -> None:
    """Exchange the pieces of ways that have turned; those that others share stay."""
    if not turned:
        return
    kept = [piece for piece in found.pieces if piece.wire not in turned]
    known = {piece[:2] for piece in kept}
    for i, way in enumerate(found.ways):
        for pair in pairwise(way):
            direct = isinstance(pair[0], int) and isinstance(pair[1], int)
            if pair not in known or (i in turned and direct):  # two may join two boxes
                kept.append(Piece(*pair, i))
                known.add(pair)
    found.pieces = kept


def _taken(sketch: Sketch, found: Ordered) -> dict[Item, set[str]]:
    """The sides of each box that something level touches already."""
    taken: dict[Item, set[str]] = defaultdict(set)
    ahead, behind = ("left", "right") if sketch.is_backward else ("right", "left")
    for i, outline in enumerate(sketch.outlines):
        taken[i] |= {"left"} if outline.before else set()
        taken[i] |= {"right"} if outline.after else set()
    for tail, head, *_ in sketch.wires:
        if found.rank[tail] == found.rank[head]:
            taken[tail].add(head.side if isinstance(head, Port) else ahead)
            taken[head].add(tail.side if isinstance(tail, Port) else behind)
    return taken


def _from_below(sketch: Sketch, found: Ordered) -> dict[int, list[int]]:
    """For each circle or narrow box, the wires that come up to it, of shared ones the first."""
    wires: dict[int, dict[Item, int]] = defaultdict(dict)
    for i, way in enumerate(found.ways):
        head, last = way[-1], way[-2]
        if not isinstance(head, int) or sketch.outlines[head].widens:
            continue
        if found.rank[way[0]] < found.rank[head]:
            wires[head].setdefault(last, i)
    return {head: list(one.values()) for head, one in wires.items()}


def _entries(found: Ordered, wires: list[int], taken: set[str]) -> dict[int, str]:
    """Which of the wires from below enter at a side, and at which; the longest one does not."""
    free = [side for side in ("left", "right") if side not in taken]
    if len(wires) < 2 or not free:
        return {}
    middle = range(len(wires)) if len(wires) == 2 else range(1, len(wires) - 1)
    if len(free) == 1:
        middle = range(len(wires) - 1, 0, -1) if free[0] == "left" else range(len(wires) - 1)
    straight = max(middle, key=lambda n: len(found.ways[wires[n]]))
    entries = {}
    if straight > 0 and "left" in free:
        entries[wires[straight - 1]] = "left"
    if straight + 1 < len(wires) and "right" in free:
        entries[wires[straight + 1]] = "right"
    return entries
