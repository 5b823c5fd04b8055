"""Loops one above the other: the encoder below, its decoder above, both in the middle.

What the upper loop takes over leaves the lower one at its right end, runs back between the two, and
enters at the left, where time begins again. Contexts, to which arrows lead from all states of the
lower loop, have these fan out between the two.
"""

from __future__ import annotations

from collections import defaultdict

from microgrrepresent.drawing.layout.grid import LANE_GAP
from microgrrepresent.drawing.marks.curves import along, straight
from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture
from microgrrepresent.drawing.time.storeys import storey_at

FAN = 130.0
"""Between two storeys, for arrows that lead to contexts."""
LAST = 30.0
"""So far each of them runs straight up in the end."""
BESIDE = 6.0
"""From such an arrow to what is written beside it."""
CHANNEL = 24.0
"""Between two storeys, besides the lines that run there."""


def set_aside(picture: Picture) -> list[Arrow]:
    """Take arrows that lead from storey to storey away from a picture, and queries of contexts."""
    contexts = {arrow.head for arrow in picture.arrows if arrow.flow == "weight"}
    between = [
        arrow
        for arrow in picture.arrows
        if arrow.tail.storey != arrow.head.storey or (arrow.head in contexts and arrow.tail.between)
    ]
    picture.arrows.sort(key=lambda arrow: arrow.tail not in contexts)  # leftmost, near the query
    picture.boxes.sort(key=lambda box: box not in contexts)
    gone = set(between)
    picture.arrows = [arrow for arrow in picture.arrows if arrow not in gone]
    return between


def put_up(picture: Picture, firsts: tuple[int, ...], between: list[Arrow]) -> None:
    """Put the storeys of a picture one above the other, and join them, in place.

    Parameters
    ----------
    picture : Picture
        With everything in its place, all storeys side by side.
    firsts : tuple of int
        The columns at which the storeys begin.
    between : list of Arrow
        Those that `set_aside` took away.
    """
    legend = set(picture.legend)
    parts: dict[int, Picture] = defaultdict(Picture)
    for box in picture.boxes:
        if box not in legend:
            parts[box.storey].boxes.append(box)
    for arrow in picture.arrows:
        if arrow.head not in legend and arrow.tail not in legend:
            parts[arrow.head.storey].arrows.append(arrow)
    for panel in picture.panels:
        parts[storey_at(firsts, panel.column)].panels.append(panel)
    into: dict[int, list[Arrow]] = defaultdict(list)
    for arrow in between:
        into[arrow.head.storey].append(arrow)
    widest = max(parts.values(), key=lambda part: part.bounds()[2] - part.bounds()[0])
    left, bottom, right, _ = widest.bounds()
    for number, part in sorted(parts.items()):
        west, south, east, _ = part.bounds()
        looks = [arrow for arrow in into[number] if arrow.flow == "weight"]
        handed = [arrow for arrow in into[number] if arrow.tail.storey < number > 0]
        handed = [arrow for arrow in handed if arrow.flow != "weight"]
        channel = CHANNEL + LANE_GAP * len(handed) if number else 0.0
        fan = (FAN + _words(looks)) * bool(looks)
        part.move((left + right - west - east) / 2, bottom + channel + fan - south)
        _hand_up(part, handed, bottom + channel)
        _look(looks, picture.boxes, bottom + channel - CHANNEL / 2)
        bottom = part.bounds()[3]
    for arrow in between:
        if arrow.tail.storey == arrow.head.storey:
            _ask(arrow, picture.boxes)
    picture.arrows[:0] = between


def _look(looks: list[Arrow], boxes: list[Box], roof: float) -> None:
    """Fan arrows out from states, above the roof of their storey, to the contexts on the next."""
    highest: dict[float, float] = defaultdict(float)  # of what stands above a state
    tails = {arrow.tail.x for arrow in looks}
    for box in boxes:
        if box.between and box.x in tails and box.top < roof:
            highest[box.x] = max(highest[box.x], box.y)
    into: dict[Box, list[Arrow]] = defaultdict(list)
    for arrow in looks:
        into[arrow.head].append(arrow)
    for head, arrows in into.items():
        arrows.sort(key=lambda arrow: arrow.tail.x)
        for i, arrow in enumerate(arrows):
            tail = arrow.tail
            goal = (head.left + head.width * (i + 0.5) / len(arrows), head.bottom)
            if highest[tail.x] <= tail.y:
                turn = (tail.x, roof)
                way = straight((tail.x, tail.top), turn)
            else:
                turn = (tail.right + LANE_GAP, roof)
                way = along((tail.right, tail.y), (turn[0], tail.y), turn)
            end = (goal[0], min(goal[1], roof + FAN + _words(looks)) - LAST - _words(looks))
            middle = (turn[1] + end[1]) / 2
            way += [(turn[0], middle), (end[0], middle), end]
            arrow.path = [*way, *straight(end, goal)[1:]]
            if arrow.room:
                wide, high = arrow.room
                arrow.label_at = (goal[0] + BESIDE + wide / 2, goal[1] - LAST / 2 - high / 2)


def _words(looks: list[Arrow]) -> float:
    """The height of what is written beside the last, upright part of the arrows to contexts."""
    return max((arrow.room[1] for arrow in looks if arrow.room), default=0.0)


def _ask(arrow: Arrow, boxes: list[Box]) -> None:
    """Lead a state down to the side of the context that it asks for, or to its top."""
    tail, head = arrow.tail, arrow.head
    down = (box for box in boxes if box.between and box.x == tail.x and box.y < tail.y)
    over = (box for box in boxes if tail.x < box.x < head.x and box.bottom < head.y < box.top)
    if not any(head.y < box.top for box in down) and not any(over):
        arrow.path = along((tail.x, tail.bottom), (tail.x, head.y), (head.left, head.y))
        return
    turn, goal = tail.right + LANE_GAP, head.left + head.width / 8
    low = head.top + LANE_GAP
    arrow.path = along(
        (tail.right, tail.y), (turn, tail.y), (turn, low), (goal, low), (goal, head.top)
    )


def _hand_up(part: Picture, arrows: list[Arrow], floor: float) -> None:
    """Lead arrows up to a storey, round each other: the lowest that leaves is the outermost."""
    west = part.bounds()[0]
    arrows = sorted(arrows, key=lambda arrow: arrow.tail.y)
    for i, arrow in enumerate(arrows):
        tail, head = arrow.tail, arrow.head
        right = tail.right + LANE_GAP * (len(arrows) - i)
        middle = floor - CHANNEL / 2 - LANE_GAP * i
        left = min(west, head.left) - LANE_GAP * (i + 1)
        arrow.path = along(
            (tail.right, tail.y),
            (right, tail.y),
            (right, middle),
            (left, middle),
            (left, head.y),
            (head.left, head.y),
        )
