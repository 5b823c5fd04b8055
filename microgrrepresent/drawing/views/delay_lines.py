"""Tapped delay lines: a value that several later steps read is handed on from step to step.

Where x_t is read at t, t+1 and t+2, the gap behind step t holds x_t and x_{t-1}, each in a circle
of its own, and so does every other gap: all steps look alike, as in a time-delay network.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from microgrrepresent.drawing.marks.picture import Arrow, Box, Picture
from microgrrepresent.drawing.marks.sizes import fit
from microgrrepresent.drawing.time.timeline import Slot, Timeline
from microgrrepresent.node import Node


def tap(picture: Picture, time: Timeline) -> None:
    """Hand on what a delay line holds, in place: taps stand for the chips of earlier values."""
    if not time.delay_lines or time.stands_for or None in time.titles:
        return
    lines = _Lines(picture, time)
    lines.find()
    lines.hand_on()
    lines.read()


@dataclass
class _Lines:
    picture: Picture
    time: Timeline
    since: dict[Node, int] = field(default_factory=dict)
    """The step of each value that a line hands on; 0 and less before the first."""
    line: dict[Node, Slot] = field(default_factory=dict)
    home: dict[Node, Box] = field(default_factory=dict)
    taps: dict[tuple[Node, int], Box] = field(default_factory=dict)

    def find(self) -> None:
        """Find the values that lines hand on, and where they stand."""
        time = self.time
        for node in time.nodes:
            start = time.starts.get(node) or time.earlier.get(node)
            slot = start.state if start else time.slot[node]
            if slot in time.delay_lines and (start or time.is_step(node)):
                column = time.column[start.reader] - start.lag if start else time.column[node]
                self.since[node], self.line[node] = column, slot
        for box in self.picture.boxes:
            for node in box.nodes:
                if (
                    node in self.since
                    and box.kind != "chip"
                    and (box.between or box.nodes[1:] == ())
                ):
                    self.home[node] = box
        tapped = {slot for node, slot in self.line.items() if self._is_in_step(node)}
        for node, box in self.home.items():
            if node in time.earlier:
                box.kind, box.between, box.column = "state", True, 0
                box.slot = self._slot(node, 0)
            elif node in time.starts and self.line[node] in tapped:
                box.slot = self._slot(node, 0)
            elif self._is_in_step(node) and node.op is None:
                box.kind = "input"
            fit(box)

    def _is_in_step(self, node: Node) -> bool:
        """Whether a value stands inside of its step, as an input, and not behind it."""
        before = self.time.starts.keys() | self.time.earlier.keys()
        return node in self.home and node not in before and not self.home[node].between

    def _slot(self, node: Node, gap: int) -> Hashable:
        return ("tap", self.line[node], gap - self.since[node])

    def hand_on(self) -> None:
        """Put a tap into each gap that a value passes, and lead it there."""
        for node, column in self.since.items():
            if node in self.home:
                last = column + self.time.delay_lines[self.line[node]] - 1
                for gap in range(max(column, 0), min(last, self.time.T) + 1):
                    self._put(node, gap)

    def _put(self, node: Node, gap: int) -> None:
        home = self.home[node]
        if home.between and home.column == gap:
            self.taps[node, gap] = home
            return
        made = Box(f"{home.name}@{gap}", "state", home.label, (), gap, self._slot(node, gap), True)
        made.storey = home.storey
        fit(made)
        self.picture.boxes.append(made)
        before = self.taps.get((node, gap - 1), home)
        self.picture.arrows.append(Arrow(before, made, "state"))
        self.taps[node, gap] = made

    def read(self) -> None:
        """Let later steps read from the taps before them."""
        gone: set[Box] = set()
        for arrow in self.picture.arrows:
            if not arrow.edges:
                continue
            child, i = arrow.edges[0]
            tapped = self.taps.get((child.parents[i], self.time.column[child] - 1))
            if tapped is None or not self.time.is_step(child):
                continue
            if arrow.tail.kind == "chip":
                gone.add(arrow.tail)
            arrow.tail, arrow.flow, arrow.color = tapped, "state", None
        self.picture.boxes = [box for box in self.picture.boxes if box not in gone]
