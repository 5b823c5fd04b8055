"""What changes from one drawing to the next, and the part of the picture that has to be drawn anew.

Frames of one layout differ in a step or two. A program that draws a frame draws what lies where
something changed, and copies the rest from the frame before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar

import numpy as np

from microgrrepresent.drawing.marks.colors import (
    arrow_color,
    box_paint,
    dot_radius,
    head_length,
    label_color,
    opacity,
    panel_paint,
    pen,
)
from microgrrepresent.drawing.marks.labels import Label, height, width
from microgrrepresent.drawing.marks.picture import (
    SCISSORS_FONT,
    SMALL_FONT,
    Arrow,
    Box,
    Frame,
    Panel,
    Picture,
    Point,
)
from microgrrepresent.drawing.marks.themes import Theme
from microgrrepresent.node import Array

AROUND = 2.0
"""By how much more than its outline an element is taken to reach, in points."""

Element: TypeAlias = Box | Arrow | Panel
E = TypeVar("E", Box, Arrow, Panel)
Looks = dict[Hashable, tuple[Hashable, Element]]


def regions(before: Picture, after: Picture, theme: Theme) -> list[Frame]:
    """The frames around what looks different in two pictures."""
    old, new = _looks(before, theme), _looks(after, theme)
    found = []
    for key in dict.fromkeys((*old, *new)):
        looks = [side[key] for side in (old, new) if key in side]
        if len(looks) == 1 or looks[0][0] != looks[1][0]:
            found += [reach(element) for _, element in looks]
    return list(dict.fromkeys(found))


def within(picture: Picture, frames: Sequence[Frame]) -> Picture:
    """The elements of a picture that reach into some frames, and what its arrows join."""
    extent = picture.bounds()
    part = replace(picture, extent=extent)
    areas = np.array(frames)
    part.panels = _meeting(picture.panels, areas)
    part.arrows = _meeting(picture.arrows, areas)
    ends = {box for arrow in part.arrows for box in (arrow.tail, arrow.head)}
    ends.update(_meeting(picture.boxes, areas))
    part.boxes = [box for box in picture.boxes if box in ends]
    part.legend = []
    return part


def _meeting(elements: list[E], areas: Array) -> list[E]:
    if not elements or not len(areas):
        return []
    left, low, right, high = np.array([reach(element) for element in elements]).T[:, :, None]
    meets = (left < areas[:, 2]) & (areas[:, 0] < right)
    meets &= (low < areas[:, 3]) & (areas[:, 1] < high)
    return [element for element, hit in zip(elements, meets.any(axis=1), strict=True) if hit]


def reach(element: Element) -> Frame:
    """The frame around all of an element, its words and its head included."""
    if not isinstance(element, Arrow):
        frames = [(element.left, element.bottom, element.right, element.top)]
    else:
        more = head_length(element) / 2 + dot_radius(element)
        xs, ys = zip(*element.path, strict=True)
        frames = [(min(xs) - more, min(ys) - more, max(xs) + more, max(ys) + more)]
        if element.label and element.label_at:
            frames.append(_around(element.label_at, element.label, SMALL_FONT))
        if element.cut_at:
            x, y = element.cut_at
            frames.append(
                (x - SCISSORS_FONT, y - SCISSORS_FONT, x + SCISSORS_FONT, y + SCISSORS_FONT)
            )
    left, low, right, high = zip(*frames, strict=True)
    return (min(left) - AROUND, min(low) - AROUND, max(right) + AROUND, max(high) + AROUND)


def _around(at: Point, label: Label, size: float) -> Frame:
    wide, high = width(label, size) / 2, height(label, size) / 2
    return (at[0] - wide, at[1] - high, at[0] + wide, at[1] + high)


def _looks(picture: Picture, theme: Theme) -> Looks:
    """How each element looks, by a name that it has in all frames."""
    found: Looks = {}
    for panel in picture.panels:
        found["panel", panel.name] = panel_paint(panel, theme), panel
    for box in picture.boxes:
        frame = (box.x, box.y, box.width, box.height)
        found["box", box.name] = (box_paint(box, theme), box.label, frame), box
    count: Counter[Hashable] = Counter()
    for arrow in picture.arrows:
        key = ("arrow", arrow.tail.name, arrow.head.name, arrow.flow)
        count[key] += 1
        look = (arrow_color(arrow, theme), pen(arrow, theme), opacity(arrow), tuple(arrow.path))
        words = (arrow.label, arrow.label_at, label_color(arrow, theme), arrow.cut_at)
        found[*key, count[key]] = (look, words), arrow
    return found
