"""From a graph to boxes and arrows, whatever the view.

A view says which nodes share a box, and what the box says (`Glyph`). Everything else is the same
for all views and is done here: a variable that passes from step to step stands between the columns,
a parameter stands once for itself and as a chip at each of its uses, and every edge of the graph
becomes part of exactly one arrow, or lies inside of one box.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property

from microgrrepresent.drawing.marks.labels import Label, Run, math, printable, text
from microgrrepresent.drawing.marks.naming import is_start_value, name, symbol, value, variable_kind
from microgrrepresent.drawing.marks.picture import SCISSORS, Arrow, Box, Flow, Kind, Picture
from microgrrepresent.drawing.marks.sizes import fit
from microgrrepresent.drawing.time.contexts import Contexts
from microgrrepresent.drawing.time.storeys import storey_at
from microgrrepresent.drawing.time.timeline import Slot, Timeline, is_cut
from microgrrepresent.node import Node


@dataclass(frozen=True)
class Glyph:
    """The nodes of one box, and how it looks.

    Attributes
    ----------
    key : hashable
        Equal for the nodes of one box; within a column, for those only. Where one of the nodes
        stands for all, the key is that node.
    kind : str
        See `picture.Kind`.
    label : Label
        What the box says.
    is_variable : bool
        Whether the box is the variable itself, not the operation that makes it.
    value : Label
        What stands on the first arrow that carries the value on: the letter of a gate.
    """

    key: Hashable
    kind: Kind
    label: Label
    is_variable: bool = False
    value: Label = ()


LOOK_GAP = 14.0
"""Between arrows that lead from several states to one context."""
THINNEST_LOOK, WIDEST_LOOK = 0.8, 6.0
"""Of such an arrow, if the weight is 0, and if it is 1."""

Glyphs = Callable[[Node], Glyph]
View = Callable[[Timeline], Glyphs]
"""A view says for the nodes of a timeline which box each belongs to, and what the box says."""


@dataclass(frozen=True)
class Details:
    """What is shown besides boxes and arrows.

    Attributes
    ----------
    edge_labels : bool
        Operations, or the names of intermediate values, on the arrows.
    rails : bool
        Parameters once, with lines to all uses, in place of chips.
    values : bool
        Shapes, and small arrays in full.
    """

    edge_labels: bool = False
    rails: bool = False
    values: bool = False


def build(time: Timeline, glyphs: Glyphs, details: Details) -> Picture:
    """Make the boxes and arrows of a graph."""
    builder = _Builder(time, details, {node: glyphs(node) for node in time.nodes})
    builder.stand()
    builder.connect()
    return builder.picture


@dataclass
class _Builder:
    time: Timeline
    details: Details
    glyph: dict[Node, Glyph]
    picture: Picture = field(default_factory=Picture)
    box: dict[Node, Box] = field(default_factory=dict)
    """In which a node's value is made."""
    face: dict[Node, Box] = field(default_factory=dict)
    """From which it is read."""
    boxes: dict[Hashable, Box] = field(default_factory=dict)
    members: dict[Box, dict[Node, None]] = field(default_factory=lambda: defaultdict(dict))
    arrows: dict[Hashable, Arrow] = field(default_factory=dict)
    chips: dict[Hashable, Arrow] = field(default_factory=dict)
    edges: dict[Arrow, list[tuple[Node, int]]] = field(default_factory=lambda: defaultdict(list))
    delays: dict[Hashable, Box] = field(default_factory=dict)
    colors: dict[Node, int] = field(default_factory=dict)
    repeats: dict[Node, Box] = field(default_factory=dict)
    """What a later loop takes over, where it stands once more."""
    led: set[tuple[Node, Arrow]] = field(default_factory=set)
    """The memories whose edges an arrow to a context stands for already."""
    told: set[Box] = field(default_factory=set)
    """Whose value has its letter on an arrow."""
    keys: Counter[str] = field(default_factory=Counter)

    def stand(self) -> None:
        """Give every node its box."""
        for node in self.time.nodes:
            self._stand(node)
        for box, nodes in self.members.items():
            box.nodes = tuple(nodes)

    def connect(self) -> None:
        """Draw every edge."""
        time = self.time
        for node in time.nodes:
            for i, parent in enumerate(node.parents):
                shown = (node, i) in time.delayed or time.stands_for.get(parent, parent) in self.box
                if node in time.cuts or node in self.looks.memories or not shown:
                    continue
                if self._is_looked_at(node, i):
                    self._look(parent, node, i)
                else:
                    self._connect(parent, node, i)
        for arrow, edges in self.edges.items():
            arrow.edges = tuple(edges)
            if arrow.tail.kind == "chip":
                arrow.tail.nodes = tuple(self.members[arrow.tail])
        for arrow in reversed(
            self.picture.arrows
        ):  # what comes before the steps goes with its uses
            if arrow.tail.column == 0 and not arrow.tail.between:
                arrow.tail.storey = arrow.head.storey
        for cut, whole in time.cuts.items():
            for box in dict.fromkeys((self.box[whole], self.face[whole])):
                box.nodes += (cut,)
        for memory, states in self.looks.memories.items():
            for box in dict.fromkeys(self.face[state] for state in states):
                box.nodes += (memory,)

    # --- what needs the whole graph --------------------------------------------------------------

    @cached_property
    def looks(self) -> Contexts:
        """The contexts that have boxes of their own in this view."""
        found = self.time.contexts
        if all(self.glyph[node].key is own.node for node, own in found.of.items()):
            return found
        return Contexts()

    @cached_property
    def tinted(self) -> set[Node]:
        """The shared parameters, what is made of them, and what they are parts of."""
        found = {n for n in self.time.shared if n.requires_grad}
        for node in list(found):
            while len(node.parents) == 1 and not self.time.column[node]:
                node = node.parents[0]
                found.add(node)
        return found

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

    @cached_property
    def state(self) -> dict[Slot, Node]:
        """The first state of each slot that passes from step to step."""
        time = self.time
        return {
            time.slot[node]: node
            for node in reversed(time.nodes)
            if time.slot[node] in time.passes and time.is_step(node)
        }

    # --- boxes -----------------------------------------------------------------------------------

    def _stand(self, node: Node) -> None:
        """Give a node its box, and its face where the value is a variable in its own right."""
        time, glyph = self.time, self.glyph[node]
        if node in self.looks.memories:
            first = self.looks.memories[node][0]
            self.box[node] = self.face[node] = self.face[first]
            return
        if node in time.cuts:
            whole = time.cuts[node]
            self.box[node], self.face[node] = self.box[whole], self.face[whole]
            return
        column, slot = time.column[node], time.slot[node]
        whole = self._whole(node, glyph)
        passes = time.slot[whole] in time.passes or whole in time.starts
        box = self.boxes.get((glyph.key, column))
        if box is None:
            box = self._make_box(node, glyph, passes)
            self.boxes[glyph.key, column] = box
        self.members[box][node] = None
        if box.color is None:
            box.color = self._color(node)
        box.backward = node.derivative_of is not None
        self.box[node] = self.face[node] = box
        if glyph.is_variable or not node.parents:
            return
        kind = self._face_kind(node, glyph, passes)
        if kind is not None:
            label = self._label(node, (name(node, time),))
            face = self._box(node, kind, label, column, (*slot, "variable"))
            if kind == "state":
                self._put_between(face, node)
            face.color = self._color(node)
            face.backward = box.backward
            if time.column[node]:
                box.color = None  # of a memory, it is the variable that has the color
            self.face[node] = face
            self.picture.arrows.append(Arrow(box, face, "state" if kind == "state" else "value"))

    @staticmethod
    def _whole(node: Node, glyph: Glyph) -> Node:
        """The variable whose box a node is drawn in, or the node itself."""
        return glyph.key if glyph.is_variable and isinstance(glyph.key, Node) else node

    def _make_box(self, node: Node, glyph: Glyph, passes: bool) -> Box:
        time = self.time
        head = glyph.key if isinstance(glyph.key, Node) else node
        node = self._whole(node, glyph)
        variable = glyph.is_variable or not head.parents
        kind, label, slot = glyph.kind, glyph.label, time.slot[head]
        if variable and self._is_end(head):
            kind = "loss"
        elif variable and node in self.time.starts and is_start_value(node):
            kind = "constant"
        elif variable and passes and kind not in ("constant", "parameter"):
            kind = "state"
        if glyph.key is head and (variable or self._face_kind(head, glyph, passes) is None):
            label = self._label(head, label)
        where: Hashable = (*slot, "variable") if glyph.is_variable and head.parents else slot
        if not isinstance(glyph.key, Node):
            where = glyph.key
        box = self._box(head, kind, label, time.column[node], where)
        if variable and (
            node in self.time.starts or (node in time.read_later and not self._reads_delayed(node))
        ):
            self._put_between(box, node)
        return box

    def _reads_delayed(self, node: Node) -> bool:
        """Whether a node is made from a delayed state: then the loop has to lead into its box."""
        return any((node, i) in self.time.delayed for i, _ in enumerate(node.parents))

    def _face_kind(self, node: Node, glyph: Glyph, passes: bool) -> Kind | None:
        if glyph.kind == "elision":
            return "state" if passes and self._is_read_outside(node) else None
        kind = variable_kind(node, self.time)
        if passes and (node.name or node in self.time.read_later) and not self._is_end(node):
            return "state"
        if kind != "variable":
            return kind
        if node in self.time.shared and glyph.kind == "op":
            return "parameter" if node.requires_grad else "input"
        return "variable" if node.name and glyph.kind == "op" else None

    def _is_end(self, node: Node) -> bool:
        """Whether a node is the last of the running totals: the loss."""
        time = self.time
        is_last = node in time.totals and node in time.outputs
        return is_last and variable_kind(node, time) == "loss"

    def _is_read_outside(self, node: Node) -> bool:
        """Whether a step beside the hidden ones uses a node of theirs."""
        column = self.time.column[node]
        users = self.time.users(node)
        return bool(node.name) and any(abs(self.time.column[u] - column) == 1 for u in users)

    def _put_between(self, box: Box, node: Node) -> None:
        """Move a state's box to the gap beside its column."""
        box.between = True
        if node in self.time.starts:
            start = self.time.starts[node]
            state = self.state[start.state]
            named = (state.name or self.glyph[state].is_variable) and state.parents
            box.column = self.time.column[start.reader] - (start.lag > 0)
            box.storey = self.time.storey(node)
            box.slot = (*start.state, "variable") if named else start.state
        elif self.time.passes[self.time.slot[node]] < 0:
            box.column -= 1

    def _label(self, node: Node, label: Label) -> Label:
        return label + value(node) if self.details.values and not node.is_number else label

    def _box(self, node: Node, kind: Kind, label: Label, column: int, slot: Hashable) -> Box:
        box = Box(self._unique(self._key(node)), kind, label, (node,), column, slot)
        box.storey = storey_at(self.time.storeys, column)
        box.detached = node.op is None and "detached" in node.params
        if box.detached:
            box.label = ((*label[0], Run(f"\u2009{SCISSORS}", size=0.8)), *label[1:])
        fit(box)
        self.picture.boxes.append(box)
        return box

    def _unique(self, key: str) -> str:
        self.keys[key] += 1
        return key + "'" * (self.keys[key] - 1)

    def _key(self, node: Node) -> str:
        """A box's name in the DOT text: made of scope, step and order."""
        scope, op, letter, n = self.time.slot[node]
        t = f"t{self.time.column[node]}" if self.time.is_step(node) else ""
        words = [scope, t, letter or op or "leaf"]
        if node.derivative_of in self.time.slot:  # ∂h: an operation of the derivative behind h
            _, op, letter, number = self.time.slot[node.derivative_of]
            words.append(f"∂{letter or op}" + (f"#{number}" if number > 1 else ""))
        key = printable("/".join(filter(None, words))).replace("\\", "∖")  # DOT cannot end in one
        return key + (f"#{n}" if n > 1 else "")

    def _color(self, node: Node) -> int | None:
        """The color of a shared node; parts of a parameter have that parameter's."""
        if node not in self.tinted:
            return None
        while len(node.parents) == 1 and not self.time.column[node]:
            node = node.parents[0]
        return self.colors.setdefault(node, len(self.colors))

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
            if self.details.rails:
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
        many = drawn is not parent or bool(time.stands_for and there > time.T)  # of every step
        self._arrow(tail, child, i, "state" if passes else "value", source, many)

    def _is_looked_at(self, child: Node, i: int) -> bool:
        """Whether a context is made of what its loop finds in the one below."""
        time, parent = self.time, child.parents[i]
        if child not in self.looks.of or parent not in self.looks.ways:
            return False
        return time.storey(parent) < time.storey(child) and not time.is_state_before(child, i)

    def _look(self, memory: Node, child: Node, i: int) -> None:
        """Lead an arrow from each state in a memory to the context that is made of them."""
        context = self.looks.of[child]
        head = self.box[child]
        head.width = max(head.width, LOOK_GAP * len(context.sources))
        for state, way in self.looks.ways[memory]:
            arrow = self.arrows.get((state, head))
            if arrow is None:
                arrow = Arrow(self.face[state], head, "weight")
                if context.shares:
                    share = context.shares[state]
                    arrow.width = THINNEST_LOOK + (WIDEST_LOOK - THINNEST_LOOK) * share
                    arrow.strength = share / max(context.shares.values())
                self.arrows[state, head] = arrow
                self.picture.arrows.append(arrow)
            arrow.ways = (*arrow.ways, (*way, (child, i)))
            if memory in self.looks.memories and (memory, arrow) not in self.led:
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
            arrow.label = self._edge_label(tail, source, child)
            if flow == "parameter":
                arrow.color = tail.color
            if source in self.time.handed and not tail.between:
                arrow.enters_as = (*self.time.handed[source].state, "variable")
            self.arrows[ends] = arrow
            self.picture.arrows.append(arrow)
        self.edges[arrow].append((child, i))

    def _edge_label(self, tail: Box, source: Node, child: Node) -> Label:
        plain = self.face[source] is self.box[source] is tail  # else the variable has a box
        own = self.glyph[source].value if plain else ()
        if own and tail not in self.told:
            self.told.add(tail)
            return own
        if own or not self.details.edge_labels:
            return ()
        glyph = self.glyph[child]
        if glyph.is_variable and child.op is not None:
            return (symbol(child, self.time),) if glyph.key is child else ()
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
            key = self._unique(f"{head.name}<{i}")
            box = Box(key, "chip", label, (source,), head.column, slot)
            box.color, box.storey = self.face[source].color, head.storey
            fit(box)
            self.picture.boxes.append(box)
            flow: Flow = "cut" if child.parents[i] in self.time.cuts else "parameter"
            arrow = Arrow(box, head, flow, color=box.color)
            self.chips[identity] = arrow
            self.picture.arrows.append(arrow)
        self.members[arrow.tail][source] = None
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
        box = replace(face, name=self._unique(f"{face.name}/again"), column=column, slot=slot)
        box.between = box.pending = True
        box.storey = storey
        self.repeats[source] = box
        self.picture.boxes.append(box)
        self.picture.arrows.append(Arrow(face, box, "state" if face.kind == "state" else "value"))
        return box

    def _delay(self, source: Node, lag: int, child: Node, i: int) -> None:
        """Lead a state of a folded graph back to the cell, through a black square."""
        face = self.face[source]
        square, cut = self.delays.get((source, lag)), self.time.marks.get(source)
        if square is None:
            label: Label = (text(str(abs(lag))),) if abs(lag) > 1 else ()
            key = self._unique(f"{face.name}/delay")
            beside = face.column + (-1 if lag > 0 else 1)
            square = Box(key, "delay", label, (), beside, face.slot, True)
            square.width = square.height = 10.0 if abs(lag) == 1 else 14.0
            if cut is not None:
                square.label = (text(cut),)
                square.width, square.height = 30.0, 14.0
            self.delays[source, lag] = square
            self.picture.boxes.append(square)
            self.picture.arrows.append(Arrow(face, square, "delay"))
        self._arrow(square, child, i, "delay" if cut is None else "cut", source)
