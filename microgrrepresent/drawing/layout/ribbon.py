"""A long sequence in several rows, as lines of text: the states are handed on from row to row.

The states at the end of a row stand once more, dashed, at the beginning of the next. What gathers
something of every step, as a common loss, stands in the upper right corner: a line above each row
leads to it. A picture in which anything else joins the steps stays in one row.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from math import ceil

from microgrrepresent.drawing.marks.curves import Path, along, corners_of
from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture, Point

CHANNEL = 30.0
"""Between two rows, for the line that hands a state on."""
LINE = 10.0
"""Between lines that run side by side."""
BUS = 20.0
"""Above a row, for the line to what gathers something of all steps."""
GUTTER = 26.0
"""From the end of the longest row to what gathers something of all steps."""
FEWEST = 3
"""Steps in a row."""


@dataclass(frozen=True)
class Strip:
    """A picture of one row that can be cut between any two steps.

    Attributes
    ----------
    states : dict
        What stands in the gap behind each column, from the lowest to the highest.
    gathering : list of Arrow
        The arrows from the steps to what gathers something of all of them.
    left, bottom, right, top : float
        The frame of the steps alone.
    """

    picture: Picture
    steps: int
    states: dict[int, list[Box]]
    gathering: list[Arrow]
    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        """From one row to the next."""
        channel = CHANNEL + LINE * (len(self.states[0]) - 1) + BUS * bool(self.gathering)
        return self.top - self.bottom + channel

    @property
    def end(self) -> float:
        """Room that what gathers takes on the right."""
        heads = {arrow.head for arrow in self.gathering}
        return GUTTER + max((box.width for box in heads), default=0.0) if heads else 0.0


def strip(picture: Picture, steps: int) -> Strip | None:
    """A picture as a strip; None if it cannot be cut."""
    states: dict[int, list[Box]] = {column: [] for column in range(steps + 1)}
    for box in picture.boxes:
        if box.between and box.column in states:
            states[box.column].append(box)
    legend = set(picture.legend)
    into_end = []
    for arrow in picture.arrows:
        tail, head = arrow.tail, arrow.head
        if tail in legend or head in legend:
            continue
        if head.column > steps:
            if tail.column <= steps:
                into_end.append(arrow)
            continue
        here, next_one = tail.column == head.column, tail.column == head.column - 1
        if not head.column > 0 or not (here or (next_one and tail.between)):
            return None
    gathering = into_end if any(arrow.tail.column < steps for arrow in into_end) else []
    slots = [{box.slot for box in boxes} for boxes in states.values()]
    if not slots[0] or any(slot != slots[0] for slot in slots):
        return None
    if len({arrow.head for arrow in gathering}) > 1:
        return None
    inside = [box for box in picture.boxes if box not in legend]
    if gathering:
        inside = [box for box in inside if box.column <= steps]
    rest = Picture(inside, [], picture.panels)
    for boxes in states.values():
        boxes.sort(key=lambda box: box.y)
    return Strip(picture, steps, states, gathering, *rest.bounds())


def best_rows(picture: Picture, steps: int, page: Point) -> int:
    """In how many rows a picture is largest on a page; 1 if it cannot be cut."""
    if steps < 2 * FEWEST or (whole := strip(picture, steps)) is None:
        return 1
    best, largest = 1, 0.0
    for rows in range(1, steps // FEWEST + 1):
        wide = (whole.right - whole.left) * ceil(steps / rows) / steps + whole.end
        scale = min(page[0] / wide, page[1] / (whole.height * rows))
        if scale > largest:
            best, largest = rows, scale
    return best


def wrap(picture: Picture, steps: int, rows: int) -> None:
    """Put the steps of a picture into rows, in place."""
    if rows < 2 or (whole := strip(picture, steps)) is None:
        return
    per_row = ceil(steps / rows)
    start, count = whole.states[0][0].x, ceil(steps / per_row)
    shift = [
        (start - whole.states[row * per_row][0].x, -row * whole.height) for row in range(count)
    ]
    at = {column: (max(column, 1) - 1) // per_row for column in range(steps + 1)}
    legend = set(picture.legend)
    repeats: dict[Box, Box] = {}
    for row in range(1, count):
        for box in whole.states[row * per_row]:
            again = replace(box, name=f"{box.name} again", pending=True)
            again.x, again.y = box.x + shift[row][0], box.y + shift[row][1]
            repeats[box] = again
    gathering, last = set(whole.gathering), count - 1
    for arrow in picture.arrows:
        if arrow.tail in legend or arrow.head in legend:
            continue
        row = at.get(arrow.tail.column if arrow in gathering else arrow.head.column, last)
        Picture([], [arrow], []).move(*shift[row])
        if arrow not in gathering and at.get(arrow.tail.column, last) != row:
            arrow.tail = repeats[arrow.tail]
    ends = [box for box in picture.boxes if box.column > steps and box not in legend]
    for box in picture.boxes:
        if box not in legend:
            dx, dy = shift[at.get(box.column, last)]
            box.x, box.y = box.x + dx, box.y + dy
    for panel in picture.panels:
        Picture([], [], [panel]).move(*shift[at[panel.column]])
    if gathering:
        _gather(whole, ends, at, per_row)
    for row in range(1, count):
        first = [box for box in picture.boxes if box.column == row * per_row + 1]
        boxes = [box for box in first if box not in legend and not box.between]
        _hand_on(whole, whole.states[row * per_row], repeats, boxes, (1 - row) * whole.height)
    picture.boxes += repeats.values()
    picture.rows = count


def _hand_on(
    whole: Strip, states: list[Box], repeats: dict[Box, Box], first: list[Box], floor: float
) -> None:
    """Lead the states at the end of a row to the beginning of the next, none across another.

    The uppermost comes from above, unless a box of the next row's first step stands above it.
    """
    last = len(states) - 1
    top = repeats[states[-1]]
    above = [box for box in first if box.left - LINE < top.right and box.y > top.y]
    edge = min([top.left, *(box.left for box in above)])
    for i, box in enumerate(states):
        again = repeats[box]
        y = whole.bottom + floor - CHANNEL / 2 - LINE * i
        out, back = box.right + LINE * i, edge - LINE * (last - i + bool(above))
        begin = [(box.x, box.bottom)] if i == 0 else [(box.right, box.y), (out, box.y)]
        end = [(back, again.y), (again.left, again.y)]
        if i == last and not above:
            end = [(again.x, again.top)]
        way = along(*begin, (begin[-1][0], y), (end[0][0], y), *end)
        whole.picture.arrows.append(Arrow(box, again, "state", path=way))


def _gather(whole: Strip, ends: list[Box], at: dict[int, int], per_row: int) -> None:
    """Put what gathers into the upper right corner, and lead a line above each row to it."""
    picture, goal = whole.picture, whole.gathering[0].head
    inside = set(ends)
    right = max(box.right for column in (per_row, whole.steps) for box in whole.states[column])
    height = whole.top + BUS
    corner = (right + GUTTER + goal.width / 2, height)
    if not goal.is_round:
        corner = (corner[0], height + BUS + goal.height / 2)
    moved = [arrow for arrow in picture.arrows if arrow.tail in inside and arrow.head in inside]
    Picture(ends, moved, []).move(corner[0] - goal.x, corner[1] - goal.y)
    rows: dict[int, list[Arrow]] = defaultdict(list)
    for arrow in whole.gathering:
        rows[at[arrow.tail.column]].append(arrow)
    for row, arrows in rows.items():
        bus = height - row * whole.height
        for arrow in arrows:
            up = _up_to(arrow.path, bus)
            if row == 0 and goal.is_round:
                arrow.path = along(*up, (up[-1][0], bus), (goal.left, bus))
            else:
                arrow.path = along(*up, (up[-1][0], bus), (goal.x, bus), (goal.x, goal.bottom))
            joins = [] if arrow is arrows[0] else [(up[-1][0], bus)]
            if (arrow is arrows[-1] and 0 < row < max(rows)) or (not goal.is_round and row == 0):
                joins.append((goal.x, bus))
            arrow.forks = joins


def _up_to(path: Path, height: float) -> list[Point]:
    """The corners of a path below a height."""
    corners = corners_of(path) or [path[0]]
    return [point for point in corners if point[1] < height - 1] or corners[:1]
