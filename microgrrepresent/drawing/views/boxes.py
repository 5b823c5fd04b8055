"""The boxes of a drawing, whatever the view: every node stands in one.

A variable that passes from step to step stands between the columns, and a parameter once for
itself. Where the view draws the operation and the value is a variable in its own right, that has a
box, too, from which it is read: its face.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property

from microgrrepresent.drawing.marks.labels import Label, Run, printable
from microgrrepresent.drawing.marks.naming import is_start_value, name, value, variable_kind
from microgrrepresent.drawing.marks.picture import SCISSORS, Arrow, Box, Kind, Picture
from microgrrepresent.drawing.marks.sizes import fit
from microgrrepresent.drawing.time.contexts import Contexts
from microgrrepresent.drawing.time.storeys import storey_at
from microgrrepresent.drawing.time.timeline import Slot, Timeline
from microgrrepresent.drawing.views.glyphs import Details, Glyph
from microgrrepresent.node import Node


@dataclass
class Boxes:
    """The boxes in the making."""

    time: Timeline
    details: Details
    glyph: dict[Node, Glyph]
    picture: Picture = field(default_factory=Picture)
    box: dict[Node, Box] = field(default_factory=dict)
    """In which a node's value is made."""
    face: dict[Node, Box] = field(default_factory=dict)
    """From which it is read."""
    members: dict[Box, dict[Node, None]] = field(default_factory=lambda: defaultdict(dict))
    """The nodes of each box, and those that a chip stands for."""
    _at: dict[Hashable, Box] = field(default_factory=dict)
    _colors: dict[Node, int] = field(default_factory=dict)
    _keys: Counter[str] = field(default_factory=Counter)

    def stand(self) -> None:
        """Give every node its box."""
        for node in self.time.nodes:
            self._stand(node)
        for box, nodes in self.members.items():
            box.nodes = tuple(nodes)

    def unique(self, key: str) -> str:
        """A name that no other box has."""
        self._keys[key] += 1
        return key + "'" * (self._keys[key] - 1)

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
        box = self._at.get((glyph.key, column))
        if box is None:
            box = self._make_box(node, glyph, passes)
            self._at[glyph.key, column] = box
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
            is_between = kind == "state"
            if is_between and time.is_chosen(node):
                kind = "output"
            face = self._box(node, kind, label, column, (*slot, "variable"))
            if is_between:
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
            kind = kind if time.is_chosen(node) else "state"
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
        box = Box(self.unique(self._key(node)), kind, label, (node,), column, slot)
        box.storey = storey_at(self.time.storeys, column)
        box.detached = node.op is None and "detached" in node.params
        if box.detached:
            box.label = ((*label[0], Run(f"\u2009{SCISSORS}", size=0.8)), *label[1:])
        fit(box)
        self.picture.boxes.append(box)
        return box

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
        return self._colors.setdefault(node, len(self._colors))
