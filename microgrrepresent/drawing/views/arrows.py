"""The arrows of a drawing, whatever the view: every edge of the graph is part of exactly one.

Or it lies inside of one box. What is read at many places, or from far away, stands there as a chip.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property

from microgrrepresent.drawing.marks.labels import Label, math, text
from microgrrepresent.drawing.marks.naming import name, symbol
from microgrrepresent.drawing.marks.picture import Arrow, Box, Flow
from microgrrepresent.drawing.marks.sizes import fit
from microgrrepresent.drawing.time.timeline import Slot, Timeline, is_cut
from microgrrepresent.drawing.views.boxes import Boxes
from microgrrepresent.drawing.views.contexts import share_of
from microgrrepresent.drawing.views.glyphs import Glyph
from microgrrepresent.node import Node

LOOK_GAP, LABELED_LOOK_GAP = 14.0, 52.0
"""Between arrows that lead from several states to one context, if their weights are told, too."""
THINNEST_LOOK, WIDEST_LOOK = 0.8, 6.0
"""Of such an arrow, if the weight is 0, and if it is 1."""


@dataclass
class Arrows:
    """The arrows in the making, between boxes that stand."""

    boxes: Boxes
    arrows: dict[Hashable, Arrow] = field(default_factory=dict)
    chips: dict[Hashable, Arrow] = field(default_factory=dict)
    edges: dict[Arrow, list[tuple[Node, int]]] = field(default_factory=lambda: defaultdict(list))
    delays: dict[Hashable, Box] = field(default_factory=dict)
    repeats: dict[Node, Box] = field(default_factory=dict)
    """What a later loop takes over, where it stands once more."""
    led: set[tuple[Node, Arrow]] = field(default_factory=set)
    """The memories whose edges an arrow to a context stands for already."""
    told: set[Box] = field(default_factory=set)
    """Whose value has its letter on an arrow."""

    @property
    def time(self) -> Timeline:
        """The graph in columns."""
        return self.boxes.time

    @property
    def glyph(self) -> dict[Node, Glyph]:
        """How each node is drawn."""
        return self.boxes.glyph

    @property
    def box(self) -> dict[Node, Box]:
        """In which a node's value is made."""
        return self.boxes.box

    @property
    def face(self) -> dict[Node, Box]:
        """From which it is read."""
        return self.boxes.face

    def connect(self) -> None:
        """Draw every edge."""
        time = self.time
        for node in time.nodes:
            for i, parent in enumerate(node.parents):
                shown = (node, i) in time.delayed or time.stands_for.get(parent, parent) in self.box
                if node in time.cuts or node in self.boxes.looks.memories or not shown:
                    continue
                if self._is_looked_at(node, i):
                    self._look(parent, node, i)
                else:
                    self._connect(parent, node, i)
        for arrow, edges in self.edges.items():
            arrow.edges = tuple(edges)
            if arrow.tail.kind == "chip":
                arrow.tail.nodes = tuple(self.boxes.members[arrow.tail])
        for arrow in reversed(
            self.boxes.picture.arrows
        ):  # what comes before the steps goes with its uses
            if arrow.tail.column == 0 and not arrow.tail.between:
                arrow.tail.storey = arrow.head.storey
        for cut, whole in time.cuts.items():
            for box in dict.fromkeys((self.box[whole], self.face[whole])):
                box.nodes += (cut,)
        for memory, states in self.boxes.looks.memories.items():
            for box in dict.fromkeys(self.face[state] for state in states):
                box.nodes += (memory,)

    @cached_property
    def gathered(self) -> set[Slot]:
        """The slots of what the end uses of several steps."""
        time = self.time
        return {
            time.slot[parent]
            for node in time.nodes
            if time.column[node] > time.T
            for parent in node.parents
            if 0 < time.column.get(parent, 0) < time.T
        }

    # --- arrows ----------------------------------------------------------------------------------

    def _connect(self, parent: Node, child: Node, i: int) -> None:
        time = self.time
        drawn = time.stands_for.get(parent, parent)
        source = time.cuts.get(drawn, drawn)
        head = self.box[child]
        if (child, i) in time.delayed:
            self._delay(*time.delayed[child, i], child, i)
            return
        here, there = time.column[source], time.column[child]
        if self.box[source] is head:
            return
        tail = self.face[source]
        if source in time.shared and (there or not time.T) and not time.is_state_before(child, i):
            if self.boxes.details.rails:
                self._arrow(tail, child, i, "parameter", source)
            else:
                self._chip(source, child, i)
            return
        if tail.storey < head.storey and not head.between:
            if there not in time.storeys:
                self._chip(source, child, i)
                return
            tail = self._again(source)
        elif tail.between and here == there and tail.storey == head.storey:
            tail = self.box[source]  # the step itself takes the value from the operation
        if there > time.T and time.is_step(source):
            if tail.between and (tail.column < time.T or time.slot[source] in self.gathered):
                tail = self.box[source]
        elif not tail.column - (not tail.between) <= there <= tail.column + 1:
            self._chip(source, child, i)
            return
        onward = here != there or tail.storey < head.storey
        passes = onward and (tail.between or time.slot[source] in time.passes)
        passes = passes and not time.is_chosen(source)
        many = drawn is not parent or bool(time.stands_for and there > time.T)  # of every step
        self._arrow(tail, child, i, "state" if passes else "value", source, many)

    def _is_looked_at(self, child: Node, i: int) -> bool:
        """Whether a context is made of what its loop finds in the one below."""
        time, parent = self.time, child.parents[i]
        if child not in self.boxes.looks.of or parent not in self.boxes.looks.ways:
            return False
        return time.storey(parent) < time.storey(child) and not time.is_state_before(child, i)

    def _look(self, memory: Node, child: Node, i: int) -> None:
        """Lead an arrow from each state in a memory to the context that is made of them."""
        context = self.boxes.looks.of[child]
        head = self.box[child]
        is_told = self.boxes.details.values and bool(context.shares)
        gap = LABELED_LOOK_GAP if is_told else LOOK_GAP
        head.width = max(head.width, gap * len(context.sources))
        for state, way in self.boxes.looks.ways[memory]:
            arrow = self.arrows.get((state, head))
            if arrow is None:
                arrow = Arrow(self.face[state], head, "weight")
                if context.shares:
                    share = context.shares[state]
                    arrow.width = THINNEST_LOOK + (WIDEST_LOOK - THINNEST_LOOK) * share
                    arrow.strength = share / max(context.shares.values())
                    if is_told:
                        arrow.label = share_of(context, state, self.time)
                self.arrows[state, head] = arrow
                self.boxes.picture.arrows.append(arrow)
            arrow.ways = (*arrow.ways, (*way, (child, i)))
            if memory in self.boxes.looks.memories and (memory, arrow) not in self.led:
                self.led.add((memory, arrow))
                self.edges[arrow] += way
            self.edges[arrow].append((child, i))

    def _arrow(
        self, tail: Box, child: Node, i: int, flow: Flow, source: Node, merge: bool = False
    ) -> None:
        """Draw an edge; edges between the same boxes share an arrow, if one is of many nodes."""
        head = self.box[child]
        merge = merge or len(tail.nodes) > 1 or len(head.nodes) > 1
        if child.parents[i] in self.time.cuts or is_cut(child):
            flow = "cut"
        elif child.derivative_of is not None and flow != "parameter":
            flow = "backward"
        ends = tail, head, flow == "cut"
        arrow = self.arrows.get(ends)
        if arrow is None or not merge:
            arrow = Arrow(tail, head, flow)
            if ends not in self.arrows:  # of x * x, one arrow says what both are for
                arrow.label = self._edge_label(tail, source, child)
            if flow == "parameter":
                arrow.color = tail.color
            if source in self.time.handed and not tail.between:
                arrow.enters_as = (*self.time.handed[source].state, "variable")
            self.arrows[ends] = arrow
            self.boxes.picture.arrows.append(arrow)
        self.edges[arrow].append((child, i))

    def _edge_label(self, tail: Box, source: Node, child: Node) -> Label:
        plain = self.face[source] is self.box[source] is tail  # else the variable has a box
        own = self.glyph[source].value if plain else ()
        if own and tail not in self.told:
            self.told.add(tail)
            return own
        if own or not self.boxes.details.edge_labels:
            return ()
        glyph = self.glyph[child]
        if glyph.is_variable and child.op is not None:
            return (symbol(child, self.time, whole=True),) if glyph.key is child else ()
        is_named = self.glyph[source].is_variable or self.face[source] is not self.box[source]
        if is_named or not source.parents:
            return ()
        if source.name or any(arrow.tail is self.box[source] for arrow in self.arrows.values()):
            return ()  # a value's name stands on its first arrow
        return (math(self.time.graph.label(source)),)

    def _chip(self, source: Node, child: Node, i: int) -> None:
        """Stand for a node beside a use of it; the nodes of one box share a chip."""
        head, glyph = self.box[child], self.glyph[source]
        single = len(head.nodes) == 1 or isinstance(glyph.key, Node)
        identity: Hashable = (source, child, i) if single else (glyph.key, head)
        if head.kind in ("elision", "cell"):
            single, identity = isinstance(glyph.key, Node), (glyph.key, head)
        arrow = self.chips.get(identity)
        if arrow is None:
            own = single or glyph.kind != "parameter"  # else it stands for the whole glyph
            label = (name(source, self.time),) if own else glyph.label
            slot = (head.slot, "chip", i, *self.time.slot[source])
            key = self.boxes.unique(f"{head.name}<{i}")
            box = Box(key, "chip", label, (source,), head.column, slot)
            box.color, box.storey = self.face[source].color, head.storey
            fit(box)
            self.boxes.picture.boxes.append(box)
            flow: Flow = "cut" if child.parents[i] in self.time.cuts else "parameter"
            arrow = Arrow(box, head, flow, color=box.color)
            self.chips[identity] = arrow
            self.boxes.picture.arrows.append(arrow)
        self.boxes.members[arrow.tail][source] = None
        self.edges[arrow].append((child, i))

    def _again(self, source: Node) -> Box:
        """What a loop takes over from an earlier one, once more before its first step, dashed."""
        known = self.repeats.get(source)
        if known is not None:
            return known
        face, time = self.face[source], self.time
        storey = face.storey + 1
        column, slot = time.storeys[storey] - 1, face.slot
        if source in time.handed:
            slot = (*time.handed[source].state, "variable")
        box = replace(face, name=self.boxes.unique(f"{face.name}/again"), column=column, slot=slot)
        box.between = box.pending = True
        box.storey = storey
        self.repeats[source] = box
        self.boxes.picture.boxes.append(box)
        self.boxes.picture.arrows.append(
            Arrow(face, box, "state" if face.kind == "state" else "value")
        )
        return box

    def _delay(self, source: Node, lag: int, child: Node, i: int) -> None:
        """Lead a state of a folded graph back to the cell, through black squares."""
        cut = self.time.marks.get(source)
        square = self._square(source, lag)
        self._arrow(square, child, i, "delay" if cut is None else "cut", source)

    def _square(self, source: Node, lag: int) -> Box:
        """The delay from which a state comes so late: behind shorter ones, as in a delay line."""
        if (source, lag) in self.delays:
            return self.delays[source, lag]
        face, cut = self.face[source], self.time.marks.get(source)
        others = {by for state, by in self.time.delayed.values() if state is source}
        shorter = [by for by in others if abs(by) < abs(lag) and (by > 0) == (lag > 0)]
        before = max(shorter, key=abs) if shorter and cut is None else 0
        steps = abs(lag - before)
        label: Label = (text(str(steps)),) if steps > 1 else ()
        beside = face.column + (-1 if lag > 0 else 1)
        key = self.boxes.unique(f"{face.name}/delay")
        square = Box(key, "delay", label, (), beside, face.slot, True)
        square.width = square.height = 10.0 if steps == 1 else 14.0
        if cut is not None:
            square.label = (text(cut),)
            square.width, square.height = 30.0, 14.0
        self.delays[source, lag] = square
        tail = self._square(source, before) if before else face
        self.boxes.picture.boxes.append(square)
        self.boxes.picture.arrows.append(Arrow(tail, square, "delay"))
        return square
