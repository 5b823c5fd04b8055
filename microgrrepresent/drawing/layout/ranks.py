"""The ranks of a block: how high each of its outlines and ports stands.

Inside of a block values flow upwards. States come in at the left and leave at the right, each at
one height, so that blocks side by side join up; where a state's way through the block is short
(the cell state of an LSTM: times f, plus i g), its boxes stand in a row at that height, a *lane*.
In a block that runs backward in time, left and right change places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from microgrrepresent.drawing.layout.narrow import STOREY, chips_under, raised
from microgrrepresent.drawing.layout.outlines import End, Outline, Port, Side, Wire

LONGEST_LANE = 5
_SIDES = ("left", "right")

Lane = tuple[int, list[int]]  # the number of a state, and the outlines on its way


def ports_of(wires: Sequence[Wire]) -> tuple[Port, ...]:
    """The ports, in the order in which wires use them."""
    ends = (end for wire in wires for end in wire[:2] if isinstance(end, Port))
    return tuple(dict.fromkeys(ends))


def ranked(
    outlines: Sequence[Outline], wires: Sequence[Wire], is_narrow: bool = False
) -> tuple[dict[End, int], list[Lane]]:
    """The height of every outline and port, counted from the bottom, and the lanes of states."""
    lanes = _lanes(outlines, wires)
    rank = _rank_outlines(outlines, wires, lanes)
    while rank is None:  # the lanes make a circle of what should go up
        if not lanes:  # groups of nodes that need each other
            rank = _rank_in_order(outlines, wires)
            break
        lanes.pop()
        rank = _rank_outlines(outlines, wires, lanes)
    if is_narrow and (up := raised(outlines, wires, rank)):
        rank = _rank_outlines(outlines, wires, lanes, up) or rank
    rank = _lanes_alone(rank, lanes)
    _rank_sides(outlines, wires, lanes, rank)
    lowest = min(rank.values(), default=0)
    return {end: r - lowest for end, r in rank.items()}, lanes


def _rank_outlines(
    outlines: Sequence[Outline],
    wires: Sequence[Wire],
    lanes: Sequence[Lane],
    up: Collection[int] = (),
) -> dict[End, int] | None:
    """Give every outline its rank, one above its inputs; None if the lanes forbid it."""
    row = list(range(len(outlines)))  # those of one lane have one rank
    for _, way in lanes:
        for i in way:
            row[i] = way[0]
    above: dict[int, list[int]] = {i: [] for i in row}
    below: dict[int, list[int]] = {i: [] for i in row}
    waiting = dict.fromkeys(above, 0)
    floor = dict.fromkeys(above, 0)
    sources = set(above)
    for tail, head, *_ in wires:
        if isinstance(head, Port):
            continue
        if isinstance(tail, Port):
            sources.discard(row[head])
            if tail.side == "below":
                floor[row[head]] = 1
        elif row[tail] != row[head]:
            above[row[tail]].append(row[head])
            below[row[head]].append(row[tail])
            waiting[row[head]] += 1
            sources.discard(row[head])
    level = _may_be_level(outlines, wires, lanes)
    users = {item: list(found) for item, found in above.items()}
    for tap, others in _taps(wires, lanes).items():
        for other in others:
            if row[tap] != row[other]:
                above[row[other]].append(row[tap])
                below[row[tap]].append(row[other])
                waiting[row[tap]] += 1
    ready = [item for item, n in waiting.items() if n == 0]
    for item in ready:
        for user in above[item]:
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    if len(ready) < len(above):
        return None
    low: dict[int, int] = {}
    for _ in range(2 if up else 1):
        floor.update((row[i], low[row[i]] + STOREY) for i in up if low)
        for item in ready:
            low[item] = _height([low[i] for i in below[item]], floor[item], below[item], level)
    loose = dict.fromkeys(above, True)  # what has no inputs, or only such as nothing else uses
    for tail, head, *_ in wires:
        if isinstance(tail, Port) and isinstance(head, int):
            loose[row[head]] = False
    for item in ready:
        if not loose[item] or len(set(users[item])) > 1:
            loose.update(dict.fromkeys(users[item], False))
    for item in reversed(ready):  # it stands right below its first use
        if loose[item] and users[item]:
            low[item] = min(low[user] for user in users[item]) - 1
    for item in _upper_terms(outlines, sources, users):
        low[item] = max(low[user] for user in users[item]) + 1
    base = min(low.values(), default=0)
    base -= any(p.side == "below" for p in ports_of(wires)) and base >= 1
    top = max(low.values(), default=0) + 1 - base
    rank: dict[End, int] = {i: low[row[i]] - base for i in range(len(row))}
    for port in ports_of(wires):
        if port.side in ("below", "above"):
            rank[port] = 0 if port.side == "below" else top
    if any(_forks_above_chips(port, wires, rank) for port in ports_of(wires)):
        rank.update((end, r + 1) for end, r in rank.items() if not _is_below(end))
    return rank


def _is_below(end: End) -> bool:
    return isinstance(end, Port) and end.side == "below"


def _forks_above_chips(port: Port, wires: Sequence[Wire], rank: Mapping[End, int]) -> bool:
    """Whether what comes from below would have to fork between boxes and the chips below them."""
    chipped = chips_under(wires, rank)
    heads = [wire.head for wire in wires if wire.tail == port and wire.head in chipped]
    return _is_below(port) and len(heads) > 1 and rank[port] == min(rank[chipped[h]] for h in heads)


def _taps(wires: Sequence[Wire], lanes: Sequence[Lane]) -> dict[int, list[int]]:
    """What reads a state that runs above it, for one other box: what else that box reads.

    It stands higher than the rest of what is read there, as V ∘ c in a gate with a peephole, so
    that the line down to it crosses as little as possible.
    """
    high = {number for number, _ in lanes}
    in_lane = {i for _, way in lanes for i in way}
    inputs: dict[End, list[End]] = {}
    readers: dict[End, list[End]] = {}
    for tail, head, *_ in wires:
        inputs.setdefault(head, []).append(tail)
        readers.setdefault(tail, []).append(head)
    found: dict[int, list[int]] = {}
    for tap, read in inputs.items():
        states = [end for end in read if isinstance(end, Port) and end.side in _SIDES]
        (reader, *more) = readers.get(tap, [tap])
        if not isinstance(tap, int) or tap in in_lane or more or len(states) < len(read):
            continue
        if all(state.number in high for state in states):
            found[tap] = [end for end in inputs.get(reader, ()) if isinstance(end, int)]
    return {tap: [o for o in others if o not in found] for tap, others in found.items()}


def _height(ranks: list[int], floor: int, inputs: list[int], level: dict[int, bool]) -> int:
    """How high a box stands above its inputs: above all, or beside the highest and above the rest.

    A sign that is made of what stands at different heights, as o times tanh(c), takes the highest
    from its side, which leaves its lower side to the other one and saves a rank.
    """
    if not ranks:
        return floor
    *others, highest = sorted(ranks)
    if (others or floor) and level.get(inputs[ranks.index(highest)], False):
        rest = max([floor, *(r + 1 for r in others)])
        return max(rest, highest)
    return max(highest + 1, floor)


def _may_be_level(
    outlines: Sequence[Outline], wires: Sequence[Wire], lanes: Sequence[Lane]
) -> dict[int, bool]:
    """For each box with one user, a sign: whether it may stand on the height of that sign."""
    in_lane = {i for _, way in lanes for i in way}
    readers = Counter(wire.tail for wire in wires)
    aside = {head for tail, head, *_ in wires if isinstance(tail, Port) and tail.side in _SIDES}
    found = {}
    for tail, head, *_ in wires:
        if isinstance(tail, int) and isinstance(head, int) and readers[tail] == 1:
            sign = outlines[head]
            free = sign.is_sign and not (sign.widens or sign.before or head in aside)
            mine = outlines[tail]
            found[tail] = free and not ({tail, head} & in_lane or mine.widens or mine.after)
    return found


def _upper_terms(
    outlines: Sequence[Outline], sources: set[int], above: Mapping[int, Sequence[int]]
) -> Iterator[int]:
    """The second terms of sums of parameters: above the sums, whose arrows then do not cross."""
    below: set[frozenset[int]] = set()
    for item in sorted(sources):
        sums = frozenset(above[item])
        if len(sums) > 1 and all(outlines[i].is_parameter for i in (item, *sums)):
            if sums in below:
                yield item
            below.add(sums)


def _rank_in_order(outlines: Sequence[Outline], wires: Sequence[Wire]) -> dict[End, int]:
    """Ranks where wires go round in a circle: those from a later to an earlier box do not count."""
    onward = [e for e in wires if not isinstance(e.tail, int) or not isinstance(e.head, int)
              or e.tail < e.head]  # fmt: skip
    rank = _rank_outlines(outlines, onward, [])
    assert rank is not None
    return rank


def _lanes_alone(rank: dict[End, int], lanes: Sequence[Lane]) -> dict[End, int]:
    """Give every lane a rank of its own, so that nothing stands in the way of its state."""
    for _, way in lanes:
        r = rank[way[0]]
        if any(n == r for end, n in rank.items() if end not in way):
            rank = {end: n + (n > r or end in way) for end, n in rank.items()}
    return rank


def _rank_sides(
    outlines: Sequence[Outline],
    wires: Sequence[Wire],
    lanes: Sequence[Lane],
    rank: dict[End, int],
) -> None:
    """Give the ports at the sides their ranks: a state enters and leaves at one height."""
    in_lane = {number: rank[way[0]] for number, way in lanes}
    sources = {rank[i] for i in set(range(len(outlines))) - {e.head for e in wires}}
    ports = set(ports_of(wires))
    back = [p for p in ports_of(wires) if p.enters and p._replace(enters=False) in ports]
    rank.update({port: _reader_rank(port, wires, rank) for port in back if port.side in _SIDES})
    wanted: dict[int, int] = {}
    sideways = [p for p in ports_of(wires) if p.side in ("left", "right") and p not in back]
    for port in sorted(sideways, key=lambda p: not p.enters):
        if port.number not in wanted:
            ends = [
                rank[end]
                for tail, head, *_ in wires
                for end in (tail, head)
                if port in (tail, head) and isinstance(end, int)
            ]
            lowest = min(ends, default=0)
            if port.enters and ends.count(lowest) > 1:  # it fans out from below, and below chips
                lowest -= 2 if lowest - 1 in sources else 1
            wanted[port.number] = in_lane.get(port.number, lowest)
    taken: set[tuple[Side, int]] = {(port.side, rank[port]) for port in back}
    ranks = range(min(wanted.values(), default=0), max(rank.values(), default=0) + len(wanted) + 1)
    for number in sorted(wanted, key=lambda n: n not in in_lane):
        mine = [port for port in sideways if port.number == number]
        free = [r for r in ranks if all((port.side, r) not in taken for port in mine)]
        best = min(free, key=lambda r: abs(r - wanted[number]))
        for port in mine:
            rank[port] = best
            taken.add((port.side, best))


def _reader_rank(port: Port, wires: Sequence[Wire], rank: Mapping[End, int]) -> int:
    """The height of what reads a state that comes back in on the side on which it goes out."""
    return min(
        (rank[wire.head] for wire in wires if wire.tail == port and wire.head in rank), default=0
    )


# --- lanes ---------------------------------------------------------------------------------------


def _lanes(outlines: Sequence[Outline], wires: Sequence[Wire]) -> list[Lane]:
    """Short ways of states through the block, shortest first, without common boxes."""
    users: dict[End, list[End]] = {}
    for tail, head, *_ in wires:
        users.setdefault(tail, []).append(head)
    found: list[Lane] = []
    for port in ports_of(wires):
        if port.enters and port.side in ("left", "right"):
            goal = Port("right" if port.side == "left" else "left", False, port.number)
            way = _shortest(users, port, goal)
            alone = len(set(users[port])) == 1
            highway = all(outlines[i].is_sign for i in way)
            if any(outlines[i].before or outlines[i].after for i in way):
                continue  # what stands beside a box would stand on the line
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
