"""The ranks of a block: how high each of its outlines and ports stands.

Inside of a block values flow upwards. States come in at the left and leave at the right, each at
one height, so that blocks side by side join up; where a state's way through the block is short
(the cell state of an LSTM: times f, plus i g), its boxes stand in a row at that height, a *lane*.
In a block that runs backwards in time, left and right change places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from microgrrepresent.drawing.layout.outlines import Edge, End, Outline, Port, Side

LONGEST_LANE = 5

Lane = tuple[int, list[int]]  # the number of a state, and the outlines on its way


def ports_of(edges: Sequence[Edge]) -> tuple[Port, ...]:
    """The ports, in the order in which edges use them."""
    ends = (end for edge in edges for end in edge[:2] if isinstance(end, Port))
    return tuple(dict.fromkeys(ends))


def ranked(outlines: Sequence[Outline], edges: Sequence[Edge]) -> tuple[dict[End, int], list[Lane]]:
    """The height of every outline and port, counted from the bottom, and the lanes of states."""
    lanes = _lanes(outlines, edges)
    rank = _rank_outlines(outlines, edges, lanes)
    while rank is None:  # the lanes make a circle of what should go up
        if not lanes:  # groups of nodes that need each other
            rank = _rank_in_order(outlines, edges)
            break
        lanes.pop()
        rank = _rank_outlines(outlines, edges, lanes)
    rank = _lanes_alone(rank, lanes)
    _rank_sides(outlines, edges, lanes, rank)
    lowest = min(rank.values(), default=0)
    return {end: r - lowest for end, r in rank.items()}, lanes


def _rank_outlines(
    outlines: Sequence[Outline], edges: Sequence[Edge], lanes: Sequence[Lane]
) -> dict[End, int] | None:
    """Give every outline its rank, one above its inputs; None if the lanes forbid it."""
    row = list(range(len(outlines)))  # those of one lane have one rank
    for _, way in lanes:
        for i in way:
            row[i] = way[0]
    above: dict[int, list[int]] = {i: [] for i in row}
    waiting = dict.fromkeys(above, 0)
    low = dict.fromkeys(above, 0)
    sources = set(above)
    for tail, head, *_ in edges:
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
    for tail, head, *_ in edges:
        if isinstance(tail, Port) and isinstance(head, int):
            loose[row[head]] = False
    for item in ready:
        if not loose[item] or len(set(above[item])) > 1:
            loose.update(dict.fromkeys(above[item], False))
    for item in reversed(ready):  # it stands right below its first use
        if loose[item] and above[item]:
            low[item] = min(low[user] for user in above[item]) - 1
    for item in _upper_terms(outlines, sources, above):
        low[item] = max(low[user] for user in above[item]) + 1
    base = min(low.values(), default=0)
    base -= any(p.side == "below" for p in ports_of(edges)) and base >= 1
    top = max(low.values(), default=0) + 1 - base
    rank: dict[End, int] = {i: low[row[i]] - base for i in range(len(row))}
    for port in ports_of(edges):
        if port.side in ("below", "above"):
            rank[port] = 0 if port.side == "below" else top
    return rank


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


def _rank_in_order(outlines: Sequence[Outline], edges: Sequence[Edge]) -> dict[End, int]:
    """Ranks where edges go round in a circle: those from a later to an earlier box do not count."""
    onward = [e for e in edges if not isinstance(e.tail, int) or not isinstance(e.head, int)
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
    edges: Sequence[Edge],
    lanes: Sequence[Lane],
    rank: dict[End, int],
) -> None:
    """Give the ports at the sides their ranks: a state enters and leaves at one height."""
    in_lane = {number: rank[way[0]] for number, way in lanes}
    sources = {rank[i] for i in set(range(len(outlines))) - {e.head for e in edges}}
    wanted: dict[int, int] = {}
    sideways = [port for port in ports_of(edges) if port.side in ("left", "right")]
    for port in sorted(sideways, key=lambda p: not p.enters):
        if port.number not in wanted:
            ends = [
                rank[end]
                for tail, head, *_ in edges
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


# --- lanes ---------------------------------------------------------------------------------------


def _lanes(outlines: Sequence[Outline], edges: Sequence[Edge]) -> list[Lane]:
    """Short ways of states through the block, shortest first, without common boxes."""
    users: dict[End, list[End]] = {}
    for tail, head, *_ in edges:
        users.setdefault(tail, []).append(head)
    found: list[Lane] = []
    for port in ports_of(edges):
        if port.enters and port.side in ("left", "right"):
            goal = Port("right" if port.side == "left" else "left", False, port.number)
            way = _shortest(users, port, goal)
            alone = len(set(users[port])) == 1
            highway = all(outlines[i].is_sign for i in way)
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
