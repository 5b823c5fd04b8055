"""A block as the layout sees it: outlines, edges, and where edges cross the border.

A sketch has no names and no contents, so that the blocks of all steps have equal sketches, and one
layout serves them all. This module also settles the *ranks* of a sketch, the heights of its boxes.

Inside of a block values flow upwards. States come in at the left and leave at the right, each at
one height, so that blocks side by side join up; where a state's way through the block is short
(the cell state of an LSTM: times f, plus i g), its boxes stand in a row at that height, a *lane*.
In a block that runs backwards in time, left and right change places.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from microgrrepresent.drawing.layout.blocks import Block
from microgrrepresent.drawing.marks.labels import Label, height, width
from microgrrepresent.drawing.marks.picture import Arrow, Box

Side = Literal["left", "right", "below", "above"]

LONGEST_LANE = 5
LABEL_SIZE = 11.0
CHIP_GAP = 3.0


class Crossing(NamedTuple):
    """Where an arrow crosses the border of a block, told by the slot of the value it carries."""

    side: Side
    enters: bool
    slot: Hashable


class Port(NamedTuple):
    """A crossing in a sketch, where slots are numbers."""

    side: Side
    enters: bool
    number: int


class Outline(NamedTuple):
    """The size of a box, or of a row of chips."""

    width: float
    height: float
    is_round: bool
    is_sign: bool
    """Whether it is an operation of one sign; states pass through those in a lane."""
    stretches: bool = False
    """Whether it may be made larger: a cell."""
    is_parameter: bool = False
    """Whether it is a parameter, or made of parameters only: it stands in the legend."""


End = int | Port


class Edge(NamedTuple):
    """An edge between two outlines or ports, and the room that its label takes."""

    tail: End
    head: End
    room: tuple[float, float] | None = None
    lines: int = 1
    """How many arrows it stands for: one for each chip of a row."""


@dataclass(frozen=True)
class Sketch:
    """Outlines, by number, and edges between them."""

    outlines: tuple[Outline, ...]
    edges: tuple[Edge, ...]
    hints: tuple[tuple[int, float], ...] = ()
    """Where outlines would like to be: for a backward node, the x of its forward node."""
    mates: tuple[tuple[int, int], ...] = ()
    """Outlines that would like to stand one above the other: backward nodes, and forward ones."""

    @cached_property
    def ports(self) -> tuple[Port, ...]:
        """The ports, in the order in which edges use them."""
        ends = (end for edge in self.edges for end in edge[:2] if isinstance(end, Port))
        return tuple(dict.fromkeys(ends))

    @property
    def is_backward(self) -> bool:
        """Whether its states come from the right: it runs backwards in time."""
        through = {port.number for port in self.ports if not port.enters}
        sides = [port.side for port in self.ports if port.enters and port.number in through]
        return sides.count("right") > sides.count("left")

    @cached_property
    def rank(self) -> dict[End, int]:
        """The height of every outline and port, counted from the bottom."""
        return self._ranked[0]

    @property
    def lanes(self) -> list[Lane]:
        """The ways of states that run straight through the block."""
        return self._ranked[1]

    @cached_property
    def _ranked(self) -> tuple[dict[End, int], list[Lane]]:
        return _ranks(self)


@dataclass(frozen=True)
class Traced:
    """A block's sketch, and what in it stands for what.

    Attributes
    ----------
    sketch : Sketch
        Equal for blocks that look alike.
    outline : list of (int, float)
        For each box of the block, its outline, and how far right of its middle the box stands.
    edge : list of (int or None)
        For each arrow of the block, its edge; None for that of a chip in a row of chips.
    port : dict
        The port of each crossing.
    """

    sketch: Sketch
    outline: list[tuple[int, float]]
    edge: list[int | None]
    port: dict[Crossing, Port]


def trace(
    block: Block,
    crossing: Callable[[Block, Arrow, bool], Crossing],
    passing: Mapping[Hashable, Side],
) -> Traced:
    """Sketch a block.

    Parameters
    ----------
    block : Block
        What to sketch.
    crossing : callable
        ``crossing(block, arrow, enters)``: where an arrow crosses the border of the block.
    passing : mapping
        The slots whose values pass on to the next column, with the side on which they leave. The
        last column has ports for them too, so that it is laid out as the others are.
    """
    rows = _chip_rows(block)
    outlines: list[Outline] = []
    number: dict[Box, int] = {}
    outline: list[tuple[int, float]] = []
    offsets: dict[Box, float] = {}
    for box in block.boxes:
        if box not in number:
            row = rows.get(box, [box])
            if len(row) == 1:
                is_round = box.is_round
                large = box.kind in ("cell", "elision")
                is_sign, is_parameter = box.kind == "op", box.kind == "parameter"
                size = (box.width, box.height)
                outlines.append(Outline(*size, is_round, is_sign, large, is_parameter))
            else:
                offsets.update(_spread(row))
                full = sum(b.width for b in row) + CHIP_GAP * (len(row) - 1)
                outlines.append(Outline(full, max(b.height for b in row), False, False))
            number.update(dict.fromkeys(row, len(outlines) - 1))
        outline.append((number[box], offsets.get(box, 0.0)))
    slots: dict[Hashable, int] = {}
    port: dict[Crossing, Port] = {}

    def end(box: Box, arrow: Arrow, enters: bool) -> End:
        if box in number:
            return number[box]
        place = crossing(block, arrow, enters)
        if place not in port:
            n = slots.setdefault(place.slot, len(slots))
            port[place] = Port(place.side, place.enters, n)
        return port[place]

    first: dict[Edge, tuple[int, Box]] = {}
    edges: list[Edge] = []
    edge: dict[Arrow, int | None] = {}
    onward: dict[Box, list[Arrow]] = {box: [] for box in block.boxes}  # what leaves at a side
    for arrow in block.arrows:
        if arrow.head not in number and crossing(block, arrow, False).side in ("left", "right"):
            onward[arrow.tail].append(arrow)

    def add(arrow: Arrow) -> None:
        chips = len(rows.get(arrow.tail, ()))
        ends = end(arrow.tail, arrow, True), end(arrow.head, arrow, False)
        here = arrow.head in number or arrow.head.between  # else the next block has the label
        made = Edge(*ends, _room(arrow.label) if here else None, max(chips, 1))
        edge[arrow] = None if chips > 1 else len(edges)
        if made in first:
            i, tail = first[made]
            merges = isinstance(made.tail, Port) and arrow.tail is not tail
            if chips > 1 or merges or isinstance(made.head, Port):
                edge[arrow] = None if chips > 1 else i  # what crosses at one port shares a way
                return
        first.setdefault(made, (len(edges), arrow.tail))
        edges.append(made)

    for arrow in block.arrows:
        if arrow not in onward.get(arrow.tail, ()):
            add(arrow)
    for box, arrows in onward.items():
        for arrow in arrows:
            add(arrow)
        if not arrows and box.slot in passing:
            place = Crossing(passing[box.slot], False, box.slot)
            port[place] = Port(place.side, False, slots.setdefault(box.slot, len(slots)))
            edges.append(Edge(number[box], port[place]))
    own = {node: i for box, i in number.items() if box.kind != "chip" for node in box.nodes}
    mates = [
        (own[forward], number[box])
        for box in block.boxes
        if box.backward and (forward := box.nodes[0].forward) in own
    ]
    sketch = Sketch(tuple(outlines), tuple(edges), mates=tuple(mates))
    return Traced(sketch, outline, [edge[arrow] for arrow in block.arrows], port)


def _chip_rows(block: Block) -> dict[Box, list[Box]]:
    """For each chip, the chips of the same box: they stand side by side."""
    of_head: dict[Box, list[Box]] = {}
    for arrow in block.arrows:
        if arrow.tail.kind == "chip":
            of_head.setdefault(arrow.head, []).append(arrow.tail)
    return {chip: row for row in of_head.values() for chip in row}


def _spread(row: Sequence[Box]) -> dict[Box, float]:
    """How far each chip of a row is from the middle of the row."""
    x = -(sum(box.width for box in row) + CHIP_GAP * (len(row) - 1)) / 2
    found = {}
    for box in row:
        found[box] = x + box.width / 2
        x += box.width + CHIP_GAP
    return found


def _room(label: Label) -> tuple[float, float] | None:
    if not label:
        return None
    return (round(width(label, LABEL_SIZE) + 4), round(height(label, LABEL_SIZE) + 2))


# --- lanes ---------------------------------------------------------------------------------------

Lane = tuple[int, list[int]]  # the number of a state, and the outlines on its way


def _lanes(sketch: Sketch) -> list[Lane]:
    """Short ways of states through the block, shortest first, without common boxes."""
    users: dict[End, list[End]] = {}
    for tail, head, *_ in sketch.edges:
        users.setdefault(tail, []).append(head)
    found: list[Lane] = []
    for port in sketch.ports:
        if port.enters and port.side in ("left", "right"):
            goal = Port("right" if port.side == "left" else "left", False, port.number)
            way = _shortest(users, port, goal)
            alone = len(set(users[port])) == 1
            highway = all(sketch.outlines[i].is_sign for i in way)
            if way and len(way) <= LONGEST_LANE and (alone or highway):
                found.append((port.number, way))
    found.sort(key=lambda lane: len(lane[1]))
    taken: set[int] = set()
    lanes = []
    for number, way in found:
        if taken.isdisjoint(way):
            taken.update(way)
            lanes.append((number, way))
    return lanes


def _shortest(users: Mapping[End, Iterable[End]], start: Port, goal: Port) -> list[int]:
    """The outlines on a shortest way from one port to another; empty if there is none."""
    before: dict[End, End] = {start: start}
    queue: list[End] = [start]
    for end in queue:
        for user in users.get(end, ()):
            if user not in before:
                before[user] = end
                queue.append(user)
    way: list[int] = []
    at: End = goal
    while at in before and at != start:
        at = before[at]
        if isinstance(at, int):
            way.append(at)
    return way[::-1]


# --- ranks ---------------------------------------------------------------------------------------


def _ranks(sketch: Sketch) -> tuple[dict[End, int], list[Lane]]:
    lanes = _lanes(sketch)
    rank = _rank_outlines(sketch, lanes)
    while rank is None:  # the lanes make a circle of what should go up
        if not lanes:  # groups of nodes that need each other
            rank = _rank_in_order(sketch)
            break
        lanes.pop()
        rank = _rank_outlines(sketch, lanes)
    rank = _lanes_alone(rank, lanes)
    _rank_sides(sketch, lanes, rank)
    lowest = min(rank.values(), default=0)
    return {end: r - lowest for end, r in rank.items()}, lanes


def _rank_outlines(sketch: Sketch, lanes: Sequence[Lane]) -> dict[End, int] | None:
    """Give every outline its rank, one above its inputs; None if the lanes forbid it."""
    row = list(range(len(sketch.outlines)))  # those of one lane have one rank
    for _, way in lanes:
        for i in way:
            row[i] = way[0]
    above: dict[int, list[int]] = {i: [] for i in row}
    waiting = dict.fromkeys(above, 0)
    low = dict.fromkeys(above, 0)
    sources = set(above)
    for tail, head, *_ in sketch.edges:
        if isinstance(head, Port):
            continue
        if isinstance(tail, Port):
            sources.discard(row[head])
            if tail.side == "below":
                low[row[head]] = max(low[row[head]], 1)
        elif row[tail] != row[head]:
            above[row[tail]].append(row[head])
            waiting[row[head]] += 1
            sources.discard(row[head])
    ready = [item for item, n in waiting.items() if n == 0]
    for item in ready:
        for user in above[item]:
            low[user] = max(low[user], low[item] + 1)
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    if len(ready) < len(above):
        return None
    loose = dict.fromkeys(above, True)  # what has no inputs, or only such as nothing else uses
    for tail, head, *_ in sketch.edges:
        if isinstance(tail, Port) and isinstance(head, int):
            loose[row[head]] = False
    for item in ready:
        if not loose[item] or len(set(above[item])) > 1:
            loose.update(dict.fromkeys(above[item], False))
    for item in reversed(ready):  # it stands right below its first use
        if loose[item] and above[item]:
            low[item] = min(low[user] for user in above[item]) - 1
    for item in _upper_terms(sketch, sources, above):
        low[item] = max(low[user] for user in above[item]) + 1
    base = min(low.values(), default=0)
    base -= any(p.side == "below" for p in sketch.ports) and base >= 1
    top = max(low.values(), default=0) + 1 - base
    rank: dict[End, int] = {i: low[row[i]] - base for i in range(len(row))}
    for port in sketch.ports:
        if port.side in ("below", "above"):
            rank[port] = 0 if port.side == "below" else top
    return rank


def _upper_terms(
    sketch: Sketch, sources: set[int], above: Mapping[int, Sequence[int]]
) -> Iterator[int]:
    """The second terms of sums of parameters: above the sums, whose arrows then do not cross."""
    below: set[frozenset[int]] = set()
    for item in sorted(sources):
        sums = frozenset(above[item])
        if len(sums) > 1 and all(sketch.outlines[i].is_parameter for i in (item, *sums)):
            if sums in below:
                yield item
            below.add(sums)


def _rank_in_order(sketch: Sketch) -> dict[End, int]:
    """Ranks where edges go round in a circle: those from a later to an earlier box do not count."""
    onward = [e for e in sketch.edges if not isinstance(e.tail, int) or not isinstance(e.head, int)
              or e.tail < e.head]  # fmt: skip
    rank = _rank_outlines(Sketch(sketch.outlines, tuple(onward)), [])
    assert rank is not None
    return rank


def _lanes_alone(rank: dict[End, int], lanes: Sequence[Lane]) -> dict[End, int]:
    """Give every lane a rank of its own, so that nothing stands in the way of its state."""
    for _, way in lanes:
        r = rank[way[0]]
        if any(n == r for end, n in rank.items() if end not in way):
            rank = {end: n + (n > r or end in way) for end, n in rank.items()}
    return rank


def _rank_sides(sketch: Sketch, lanes: Sequence[Lane], rank: dict[End, int]) -> None:
    """Give the ports at the sides their ranks: a state enters and leaves at one height."""
    in_lane = {number: rank[way[0]] for number, way in lanes}
    sources = {rank[i] for i in set(range(len(sketch.outlines))) - {e.head for e in sketch.edges}}
    wanted: dict[int, int] = {}
    sideways = [port for port in sketch.ports if port.side in ("left", "right")]
    for port in sorted(sideways, key=lambda p: not p.enters):
        if port.number not in wanted:
            ends = [
                rank[end]
                for tail, head, *_ in sketch.edges
                for end in (tail, head)
                if port in (tail, head) and isinstance(end, int)
            ]
            lowest = min(ends, default=0)
            if port.enters and ends.count(lowest) > 1:  # it fans out from below, and below chips
                lowest -= 2 if lowest - 1 in sources else 1
            wanted[port.number] = in_lane.get(port.number, lowest)
    taken: set[tuple[Side, int]] = set()
    ranks = range(min(wanted.values(), default=0), max(rank.values(), default=0) + len(wanted) + 1)
    for number in sorted(wanted, key=lambda n: n not in in_lane):
        mine = [port for port in sideways if port.number == number]
        free = [r for r in ranks if all((port.side, r) not in taken for port in mine)]
        best = min(free, key=lambda r: abs(r - wanted[number]))
        for port in mine:
            rank[port] = best
            taken.add((port.side, best))
