"""A long sequence in several rows, as lines of text: the state is handed on from row to row.

The state at the end of a row stands once more, dashed, at the beginning of the next. A picture in
which anything but states joins the steps, such as a bus to a common loss, stays in one row.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from math import ceil

from microgrrepresent.drawing.marks.curves import along, straight
from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture, Point

CHANNEL = 30.0
"""Between two rows, for the line that hands the state on."""
FEWEST = 3
"""Steps in a row."""


def best_rows(picture: Picture, steps: int, page: Point) -> int:
    """In how many rows a picture is largest on a page; 1 if it cannot be cut."""
    if steps < 2 * FEWEST or not _can_be_cut(picture, steps):
        return 1
    rest, _ = picture.parted()
    left, bottom, right, top = rest.bounds()
    best, largest = 1, 0.0
    for rows in range(1, steps // FEWEST + 1):
        wide = (right - left) * ceil(steps / rows) / steps
        high = (top - bottom + CHANNEL) * rows
        scale = min(page[0] / wide, page[1] / high)
        if scale > largest:
            best, largest = rows, scale
    return best


def _can_be_cut(picture: Picture, steps: int) -> bool:
    """Whether steps are joined by states alone, one for each gap."""
    states: dict[int, int] = defaultdict(int)
    for box in picture.boxes:
        if box.between:
            states[box.column] += 1
    legend = set(picture.legend)
    for arrow in picture.arrows:
        tail, head = arrow.tail, arrow.head
        if tail in legend or head in legend:
            continue
        if not 0 < head.column <= steps or tail.column not in (head.column, head.column - 1):
            return False
        if tail.column != head.column and not tail.between:
            return False
    return all(states[column] == 1 for column in range(steps + 1))


def wrap(picture: Picture, steps: int, rows: int) -> None:
    """Put the steps of a picture into rows, in place."""
    if rows < 2:
        return
    per_row = ceil(steps / rows)
    state = {box.column: box for box in picture.boxes if box.between}
    rest, _ = picture.parted()
    _, bottom, _, top = rest.bounds()
    high = top - bottom + CHANNEL
    start = state[0].x
    shift = {
        row: (start - state[row * per_row].x, -row * high) for row in range(ceil(steps / per_row))
    }
    at = {column: (max(column, 1) - 1) // per_row for column in range(steps + 1)}
    legend = set(picture.legend)
    repeats: dict[int, Box] = {}
    for row in range(1, len(shift)):
        box = state[row * per_row]
        dx, dy = shift[row]
        repeats[row] = replace(box, name=f"{box.name} again", pending=True, label=box.label)
        repeats[row].x, repeats[row].y = box.x + dx, box.y + dy
    for arrow in picture.arrows:
        if arrow.tail in legend or arrow.head in legend:
            continue
        row = at[arrow.head.column]
        Picture([], [arrow], []).move(*shift[row])
        if at[arrow.tail.column] != row:
            arrow.tail = repeats[row]
    for box in picture.boxes:
        if box not in legend:
            dx, dy = shift[at[box.column]]
            box.x, box.y = box.x + dx, box.y + dy
    for panel in picture.panels:
        Picture([], [], [panel]).move(*shift[at[panel.column]])
    for row, repeat in repeats.items():
        box = state[row * per_row]
        middle = bottom - (row - 1) * high - CHANNEL / 2
        way = along(
            (box.x, box.bottom), (box.x, middle), (repeat.x, middle), (repeat.x, repeat.top)
        )
        if way[0] == way[-1]:
            way = straight((box.x, box.bottom), (repeat.x, repeat.top))
        picture.arrows.append(Arrow(box, repeat, "state", path=way))
        picture.boxes.append(repeat)
