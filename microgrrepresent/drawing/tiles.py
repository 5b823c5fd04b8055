"""The layout of one block by dot: positions, the arrows' curves, and where they cross its border.

Inside of a block values flow upwards. States come in at the left and leave at the right, each at
one height, so that blocks side by side join up; where a state's way through the block is short
(the cell state of an LSTM: times f, plus i g), its boxes stand in a row at that height, a *lane*.
In a block that runs backwards in time, left and right change places.

All ranks (heights) are settled here and handed to dot, which orders the boxes within a rank, finds
their x and draws curves around them. Blocks with the same text share one layout; that is what
makes all steps of a picture equal and a long sequence as fast to lay out as a short one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from microgrrepresent.drawing.blocks import Block
from microgrrepresent.drawing.curves import Path, joined, straight
from microgrrepresent.drawing.labels import height, width
from microgrrepresent.drawing.picture import ROUND, Arrow, Box, Point

Side = Literal["left", "right", "below", "above"]

LONGEST_LANE = 4
NODESEP, RANKSEP = 0.2, 0.26  # inches, as dot wants them
LABEL_SIZE = 11.0


class Port(NamedTuple):
    """Where arrows cross the border of a block."""

    side: Side
    enters: bool
    slot: Hashable


@dataclass
class Tile:
    """A laid out block; its lower left corner is (0, 0). Keys count the block's boxes and arrows."""

    width: float
    height: float
    places: list[Point]
    paths: list[list[Point]]
    labels: list[Point | None]
    ports: dict[Port, Point]


End = int | Port


@dataclass(eq=False)
class Plan:
    """A block as dot gets it: boxes by number, ports, edges between them, and all ranks."""

    block: Block
    edges: list[tuple[End, End]]
    ports: list[Port]
    rank: dict[End, int] = field(default_factory=dict)
    first: list[int] = field(default_factory=list)
    """For each edge, the first of those that leave by the same port: they share a way."""

    @property
    def text(self) -> str:
        """The graph in the DOT language; the same for all blocks that look the same."""
        return _text(self)


def plan(
    block: Block, end: Callable[[Arrow, bool], Port], passing: Mapping[Hashable, Side]
) -> Plan:
    """Settle the ports and ranks of a block.

    Parameters
    ----------
    block : Block
        What to lay out.
    end : callable
        ``end(arrow, enters) -> Port``: where an arrow crosses the block's border.
    passing : mapping
        The slots whose values pass on to the next column, with the side on which they leave. The
        last column has ports for them too, so that it is laid out as the others are.
    """
    number = {box: i for i, box in enumerate(block.boxes)}
    edges: list[tuple[End, End]] = []
    ports: dict[Port, None] = {}
    for arrow in block.arrows:
        tail: End = number[arrow.tail] if arrow.tail in number else end(arrow, True)
        head: End = number[arrow.head] if arrow.head in number else end(arrow, False)
        for port in (tail, head):
            if isinstance(port, Port):
                ports.setdefault(port)
        edges.append((tail, head))
    for box, i in number.items():
        if box.slot in passing:
            port = Port(passing[box.slot], False, box.slot)
            if port not in ports:
                ports[port] = None
                edges.append((i, port))
    made = Plan(block, edges, list(ports))
    leaves: dict[tuple[End, End], int] = {}
    for i, (tail, head) in enumerate(edges):
        shares = isinstance(head, Port)
        made.first.append(leaves.setdefault((tail, head), i) if shares else i)
    lanes = _lanes(made)
    while not _ranked(made, lanes):
        lanes.pop()
    _rank_sides(made, lanes)
    return made


def read(plan: Plan, answer: dict[str, Any]) -> Tile:
    """Take positions and curves from what dot answered."""
    at: dict[str, Point] = {}
    for item in answer.get("objects", ()):
        if "pos" in item:
            x, y = item["pos"].split(",")
            at[item["name"]] = (float(x), float(y))
    paths: list[list[Point]] = [[] for _ in plan.edges]
    labels: list[Point | None] = [None] * len(plan.edges)
    for edge in answer.get("edges", ()):
        if "id" in edge:
            i = int(edge["id"][1:])
            points = [
                (float(x), float(y)) for x, y in (p.split(",") for p in edge["pos"].split(" "))
            ]
            paths[i] = points[::-1] if _turned(plan, i) else points
            if "lp" in edge:
                x, y = edge["lp"].split(",")
                labels[i] = (float(x), float(y))
    for i, first in enumerate(plan.first):
        if first != i:
            paths[i] = list(paths[first])
    boxes = plan.block.boxes
    places = [at[f"n{i}"] for i in range(len(boxes))]
    xs = [x for path in paths for x, _ in path]
    ys = [y for path in paths for _, y in path]
    for (x, y), box in zip(places, boxes, strict=True):
        xs += [x - box.width / 2, x + box.width / 2]
        ys += [y - box.height / 2, y + box.height / 2]
    left, right, bottom, top = min(xs), max(xs), min(ys), max(ys)
    ports: dict[Port, Point] = {}
    for i, port in enumerate(plan.ports):
        x, y = at[f"p{i}"]
        x = _upright(plan, port, x, places, paths)
        ports[port] = {
            "left": (left, y),
            "right": (right, y),
            "below": (x, bottom),
            "above": (x, top),
        }[port.side]
    for (tail, head), path in zip(plan.edges, paths, strict=True):
        if isinstance(tail, Port):
            path[:] = joined(straight(ports[tail], path[0]), path)
        if isinstance(head, Port):
            path[:] = joined(_towards(path, head), straight(path[-1], ports[head]))

    def moved(point: Point) -> Point:
        return (point[0] - left, point[1] - bottom)

    return Tile(
        right - left,
        top - bottom,
        [moved(p) for p in places],
        [[moved(p) for p in path] for path in paths],
        [moved(p) if p else None for p in labels],
        {port: moved(p) for port, p in ports.items()},
    )


def _towards(path: Path, port: Port) -> Path:
    """Let a path to a port at the side go no farther to that side than it has to, and not back."""
    outwards = {"right": 1, "left": -1}.get(port.side, 0)
    reach = [outwards * x for x, _ in path]
    far = max(range(len(path)), key=lambda i: reach[i])
    if not outwards or reach[far] <= reach[-1] + 2:
        return path
    start = path[: 3 * (far // 3) + 1]
    corner = (path[far][0], path[-1][1])
    path[-1] = corner
    bend = path[far]
    return [*start, (bend[0], start[-1][1]), (bend[0], bend[1]), corner]


def _upright(
    plan: Plan, port: Port, x: float, places: list[Point], paths: list[list[Point]]
) -> float:
    """Stand a port right above or below the one box it is for, if dot has it nearly there."""
    ends = [(t if h == port else h, i) for i, (t, h) in enumerate(plan.edges) if port in (t, h)]
    box = ends[0][0]
    if port.side in ("left", "right") or not isinstance(box, int):
        return x
    if any(end != box for end, _ in ends) or abs(places[box][0] - x) > 12:
        return x
    x = places[box][0]
    for _, i in ends:
        ys = [y for _, y in paths[i]]
        paths[i][:] = straight((x, ys[0]), (x, ys[-1]))
    return x


# --- lanes ---------------------------------------------------------------------------------------

Lane = tuple[Hashable, list[int]]


def _lanes(plan: Plan) -> list[Lane]:
    """Short ways of states through the block, shortest first, without common boxes."""
    users: dict[End, list[End]] = {}
    for tail, head in plan.edges:
        users.setdefault(tail, []).append(head)
    found: list[Lane] = []
    for port in plan.ports:
        if port.enters and port.side in ("left", "right"):
            way = _shortest(users, port, Port(_opposite(port.side), False, port.slot))
            alone = len({head for tail, head in plan.edges if tail == port}) == 1
            highway = all(plan.block.boxes[i].kind == "op" for i in way)
            if way and len(way) <= LONGEST_LANE and (alone or highway):
                found.append((port.slot, way))
    found.sort(key=lambda lane: len(lane[1]))
    taken: set[int] = set()
    lanes = []
    for slot, way in found:
        if taken.isdisjoint(way):
            taken.update(way)
            lanes.append((slot, way))
    return lanes


def _opposite(side: Side) -> Side:
    return "right" if side == "left" else "left"


def _shortest(users: dict[End, list[End]], start: Port, goal: Port) -> list[int]:
    """The boxes on a shortest way from one port to another; empty if there is none."""
    before: dict[End, End] = {start: start}
    queue: list[End] = [start]
    for item in queue:
        for user in users.get(item, ()):
            if user not in before:
                before[user] = item
                queue.append(user)
    way: list[int] = []
    item: End = goal
    while item in before and item != start:
        item = before[item]
        if isinstance(item, int):
            way.append(item)
    return way[::-1]


# --- ranks ---------------------------------------------------------------------------------------


def _ranked(plan: Plan, lanes: Sequence[Lane]) -> bool:
    """Give every box its rank, one above its inputs; False if the lanes make a circle of that."""
    lane_of = {box: i for i, (_, way) in enumerate(lanes) for box in way}
    count = len(plan.block.boxes)

    def row(end: End) -> Hashable:
        return ("lane", lane_of[end]) if end in lane_of else end  # type: ignore[index]

    above: dict[Hashable, list[Hashable]] = {row(i): [] for i in range(count)}
    waiting: dict[Hashable, int] = dict.fromkeys(above, 0)
    low: dict[Hashable, int] = dict.fromkeys(above, 0)
    sources = set(above)
    for tail, head in plan.edges:
        if isinstance(head, Port):
            continue
        if isinstance(tail, Port):
            sources.discard(row(head))
            if tail.side == "below":
                low[row(head)] = max(low[row(head)], 1)
        elif row(tail) != row(head):
            above[row(tail)].append(row(head))
            waiting[row(head)] += 1
            sources.discard(row(head))
    ready = [item for item, n in waiting.items() if n == 0]
    for item in ready:
        for user in above[item]:
            low[user] = max(low[user], low[item] + 1)
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    if len(ready) < len(above):
        return False
    for item in sources:  # what has no input stands right below its first use
        if above[item]:
            low[item] = min(low[user] for user in above[item]) - 1
    base = min(low.values(), default=0)
    base -= any(p.side == "below" for p in plan.ports) and base >= 1
    top = max(low.values(), default=0) + 1 - base
    plan.rank = {i: low[row(i)] - base for i in range(count)}
    for port in plan.ports:
        if port.side in ("below", "above"):
            plan.rank[port] = 0 if port.side == "below" else top
    return True


def _rank_sides(plan: Plan, lanes: Sequence[Lane]) -> None:
    """Give the ports at the sides their ranks: a state enters and leaves at one height."""
    wanted: dict[Hashable, int] = {}
    lane_rank = {slot: plan.rank[way[0]] for slot, way in lanes}
    for port in sorted(plan.ports, key=lambda p: not p.enters):
        if port.side in ("left", "right") and port.slot not in wanted:
            ends = [h if port.enters else t for t, h in plan.edges if port in (t, h)]
            ranks = [plan.rank[e] for e in ends if isinstance(e, int)]
            lowest = min(ranks, default=0)
            fans_out = port.enters and ranks.count(lowest) > 1 and lowest > 0
            wanted[port.slot] = lane_rank.get(port.slot, lowest - fans_out)
    taken: set[tuple[Side, int]] = set()
    top = max(plan.rank.values(), default=0)
    for slot in sorted(wanted, key=lambda s: s not in lane_rank):
        mine = [p for p in plan.ports if p.slot == slot and p.side in ("left", "right")]
        rank = min(
            (
                r
                for r in range(top + len(wanted) + 1)
                if all((port.side, r) not in taken for port in mine)
            ),
            key=lambda r: abs(r - wanted[slot]),
        )
        for port in mine:
            plan.rank[port] = rank
            taken.add((port.side, rank))


# --- the text for dot ----------------------------------------------------------------------------


def _turned(plan: Plan, i: int) -> bool:
    """Whether dot gets an edge the other way round, so that all of its edges go up or right."""
    tail, head = plan.edges[i]
    a, b = plan.rank[tail], plan.rank[head]
    if a != b:
        return a > b
    for end, is_tail in ((tail, True), (head, False)):
        if isinstance(end, Port):
            return (end.side == "right") if is_tail else (end.side == "left")
    return _backward(plan)


def _backward(plan: Plan) -> bool:
    """Whether the states of this block come from the right."""
    sides = [port.side for port in plan.ports if port.enters]
    return sides.count("right") > sides.count("left")


def _text(plan: Plan) -> str:
    lines = [
        f"digraph {{ rankdir=BT; nodesep={NODESEP}; ranksep={RANKSEP};",
        'node [fixedsize=true label=""]; edge [arrowhead=none];',
    ]
    names: dict[End, str] = {}
    for i, box in enumerate(plan.block.boxes):
        names[i] = f"n{i}"
        shape = "ellipse" if box.kind in ROUND and box.width == box.height else "box"
        lines.append(
            f"n{i} [shape={shape} width={box.width / 72:.4f} height={box.height / 72:.4f}]"
        )
    for i, port in enumerate(plan.ports):
        names[port] = f"p{i}"
        lines.append(f"p{i} [shape=box width=0.02 height=0.02]")
    rows: dict[int, list[End]] = {}
    for end, rank in plan.rank.items():
        rows.setdefault(rank, []).append(end)
    chain = []
    for rank in range(max(rows, default=-1) + 1):
        if rank in rows:
            chain.append(names[rows[rank][0]])
        else:  # an empty rank
            chain.append(f"k{rank}")
            lines.append(f"k{rank} [width=0.01 height=0.01 style=invis]")
    tied = {frozenset(edge) for edge in plan.edges}
    for rank in sorted(rows):
        members = " ".join(names[end] for end in rows[rank])
        lines.append(f"{{ rank=same; {members} }}")
        for port in rows[rank]:
            if isinstance(port, Port) and port.side in ("left", "right"):
                near = _neighbour(plan, port, rank)
                if near is not None:
                    others = [o for o in rows[rank] if isinstance(o, int) and o != near]
                    for other in others:
                        if frozenset((near, other)) not in tied:
                            a, b = names[near], names[other]
                            a, b = (a, b) if port.side == "left" else (b, a)
                            lines.append(f"{a} -> {b} [style=invis]")
                for other in rows[rank]:
                    if other == port or frozenset((port, other)) in tied:
                        continue
                    a, b = names[port], names[other]
                    if port.side == "right":
                        if isinstance(other, Port) and other.side == "left":
                            continue  # the other port says it
                        a, b = b, a
                    lines.append(f"{a} -> {b} [style=invis]")
    if chain:
        lines.append(" -> ".join(chain) + " [style=invis weight=0]")
    for i, (tail, head) in enumerate(plan.edges):
        if plan.first[i] != i:
            continue
        a, b = names[tail], names[head]
        if _turned(plan, i):
            a, b = b, a
        words = ""
        if isinstance(tail, int) and isinstance(head, int):
            words = _room(plan.block.arrows[i])
        upright = any(isinstance(e, Port) and e.side in ("below", "above") for e in (tail, head))
        sideways = any(isinstance(e, Port) for e in (tail, head))
        weight = 8 if upright else 4 if sideways else 1
        lines.append(f"{a} -> {b} [id=e{i} weight={weight}{words}]")
    return "\n".join([*lines, "}"])


def _neighbour(plan: Plan, port: Port, rank: int) -> int | None:
    """The one box of a rank that a port joins: it stands beside the port."""
    ends = {t if h == port else h for t, h in plan.edges if port in (t, h)}
    level = [end for end in ends if isinstance(end, int) and plan.rank[end] == rank]
    return level[0] if len(level) == 1 else None


def _room(arrow: Arrow) -> str:
    """A label of the right size, so that dot leaves room for the arrow's words."""
    if not arrow.label:
        return ""
    w, h = width(arrow.label, LABEL_SIZE) + 4, height(arrow.label, LABEL_SIZE) + 2
    return (
        f' label=<<TABLE BORDER="0" CELLPADDING="0" CELLSPACING="0" FIXEDSIZE="TRUE" '
        f'WIDTH="{w:.0f}" HEIGHT="{h:.0f}"><TR><TD></TD></TR></TABLE>>'
    )
