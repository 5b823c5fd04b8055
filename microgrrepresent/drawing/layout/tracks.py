"""Where wires run level between two ranks: each on a track of its own height.

What begins or ends at one point is one *net*: a line that forks, or several that join. A net whose
ends are all one above the other is a straight line; any other takes a track, along which it reaches
from its leftmost to its rightmost end. Two nets share a track where they do not overlap; where one
has to go up at the place at which another comes from below, the first runs above the second.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from heapq import heappop, heappush

from microgrrepresent.drawing.layout.coordinates import Places, WireEnd
from microgrrepresent.drawing.layout.ordering import Item, Ordered

TANGLED = 200
"""Among more nets than this, what goes up is not kept off what comes from below."""
CLEAR = 7.0
"""Between nets on one track, and between upright lines of different nets."""


@dataclass(eq=False)
class Net:
    """A line between two ranks, with its lower and its upper ends."""

    low: set[float] = field(default_factory=set)
    high: set[float] = field(default_factory=set)
    track: int = -1
    wire: int = 0
    """One of its wires."""

    @property
    def left(self) -> float:
        """Where it begins."""
        return min(self.low | self.high)

    @property
    def right(self) -> float:
        """Where it ends."""
        return max(self.low | self.high)

    def forks(self) -> list[float]:
        """Where a line goes off another."""
        if self.track < 0:
            return []
        ends = self.low | self.high
        inner = {x for x in ends if self.left < x < self.right}
        return sorted(inner | ({self.left, self.right} & self.low & self.high))


def nets(found: Ordered, places: Places) -> dict[int, dict[tuple[Item, Item, int], Net]]:
    """The nets above each rank, by the pieces of wires that they are made of."""
    made: dict[int, dict[tuple[Item, Item, int], Net]] = defaultdict(dict)
    known: dict[tuple[int, object], Net] = {}
    for a, b, i in found.pieces:
        if found.rank[a] == found.rank[b]:
            continue
        (low, x), (high, u) = sorted(
            ((end, _x(found, places, end, i)) for end in (a, b)), key=lambda e: found.rank[e[0]]
        )
        rank = found.rank[low]
        keys = [(rank, _key(found, places, end, i, end is high)) for end in (low, high)]
        one, other = known.get(keys[0]), known.get(keys[1])
        net = one or other or Net(wire=i)
        if one and other and one is not other:
            net = _joined(one, other, made[rank], known)
        net.low.add(x)
        net.high.add(u)
        known.update(dict.fromkeys(keys, net))
        made[rank][a, b, i] = net
    for rank in made:
        _assign(list(dict.fromkeys(made[rank].values())))
    return made


def _joined(
    one: Net,
    other: Net,
    made: dict[tuple[Item, Item, int], Net],
    known: dict[tuple[int, object], Net],
) -> Net:
    one.low |= other.low
    one.high |= other.high
    for table in (made, known):
        for key, net in table.items():
            if net is other:
                table[key] = one  # type: ignore[index]
    return one


def _x(found: Ordered, places: Places, item: Item, wire: int) -> float:
    return places.end(item, wire, found.ways[wire][-1] == item)


def _key(found: Ordered, places: Places, item: Item, wire: int, upper: bool) -> object:
    end = WireEnd(wire, found.ways[wire][-1] == item)
    return end if isinstance(item, int) and end in places.x else (item, upper)


def _assign(found: list[Net]) -> None:
    """Give every net that is not straight its track, counted from below."""
    turning = [net for net in found if net.left < net.right]
    turning.sort(key=lambda net: (net.left, net.right))
    if len(turning) > TANGLED:
        _assign_quickly(turning)
        return
    above: dict[Net, list[Net]] = defaultdict(list)
    for one in turning:
        for other in turning:
            if one is not other and any(
                abs(x - u) < CLEAR for x in one.high for u in other.low if x not in one.low
            ):
                above[one].append(other)
    done: dict[Net, int] = {}
    waiting = list(turning)
    while waiting:
        ready = [net for net in waiting if all(other in done for other in above[net])]
        for net in ready or waiting[:1]:
            least = max((done[other] + 1 for other in above[net] if other in done), default=0)
            blocked = {
                done[other]
                for other in done
                if other.left < net.right + CLEAR and net.left < other.right + CLEAR
            }
            done[net] = next(t for t in range(least, len(turning) + least + 1) if t not in blocked)
            waiting.remove(net)
    for net, track in done.items():
        net.track = track


def _assign_quickly(turning: list[Net]) -> None:
    """Tracks of which each is used again as soon as it is free."""
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    for net in turning:
        while busy and busy[0][0] + CLEAR < net.left:
            heappush(free, heappop(busy)[1])
        net.track = heappop(free) if free else len(busy)
        heappush(busy, (net.right, net.track))
