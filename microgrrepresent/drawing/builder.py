"""From a graph to boxes and arrows, whatever the view.

A view says which nodes share a box (`Group`). Everything else is the same for all views and is
done here: a variable that passes from step to step stands between the columns, a parameter stands
once for itself and as a chip at each of its uses, and every edge of the graph becomes part of
exactly one arrow, or lies inside of one box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from microgrrepresent.drawing.labels import Label, Line, Run, height, math, text, width
from microgrrepresent.drawing.picture import Arrow, Box, Flow, Kind, Picture
from microgrrepresent.drawing.timeline import Slot, Timeline, position
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.primitive import constant

LOSSES = frozenset({"L", "loss", "J", "cost", "ℓ"})
OUTPUTS = frozenset({"y", "ŷ", "yhat", "y_hat", "logits"})


@dataclass(frozen=True)
class Group:
    """The nodes of one box, and how it looks.

    Attributes
    ----------
    key : hashable
        Equal for the nodes of one box; within a column, for those only.
    kind : str
        See `picture.Kind`.
    label : Label
        Without the step.
    is_variable : bool
        Whether the box is the variable itself, not the operation that makes it.
    """

    key: Hashable
    kind: Kind
    label: Label
    is_variable: bool = False


View = Callable[[Node], Group]


def build(graph: Graph, time: Timeline, view: View, edge_labels: bool = False) -> Picture:
    """Make the boxes and arrows of a graph."""
    return _Builder(graph, time, view, edge_labels).picture


class _Builder:
    def __init__(self, graph: Graph, time: Timeline, view: View, edge_labels: bool) -> None:
        self.graph, self.time, self.view, self.edge_labels = graph, time, view, edge_labels
        self.picture = Picture()
        self.tinted = self._tinted()
        self.colors: dict[Node, int] = {}
        self.boxes: dict[Hashable, Box] = {}
        self.outputs = set(graph.outputs)
        self.group: dict[Node, Group] = {node: view(node) for node in graph}
        self.box: dict[Node, Box] = {}  # that the node's value is made in
        self.face: dict[Node, Box] = {}  # that the node's value is read from
        self.arrows: dict[Hashable, Arrow] = {}
        self.keys: Counter[str] = Counter()
        self.passes = time.passes
        self.passing: dict[Slot, Node] = {}
        for node in graph:
            if time.slot[node] in self.passes and time.is_step(node):
                self.passing.setdefault(time.slot[node], node)
        self.enters = self._enters()
        self.gathered = {
            time.slot[p]
            for node in graph
            if time.column[node] > time.T
            for p in node.parents
            if 0 < time.column[p] < time.T
        }
        for node in graph:
            self._stand(node)
        for node in graph:
            for i, parent in enumerate(node.parents):
                self._connect(parent, node, i)

    def _tinted(self) -> set[Node]:
        """The shared nodes, and the parameters that they are parts of."""
        found = {n for n in self.time.shared if n.op is not constant}
        for node in self.time.shared:
            while len(node.parents) == 1:
                node = node.parents[0]
                found.add(node)
        return found

    # --- variables that pass from step to step ---------------------------------------------------

    def _enters(self) -> dict[Node, tuple[int, Slot]]:
        """First states: nodes made before the loop that its first step uses as it does a state.

        For each, the column on whose right it stands, and the slot of the states that follow it.
        """
        time = self.time
        found: dict[Node, tuple[int, Slot]] = {}
        peers = {(time.slot[node], time.column[node]): node for node in self.graph}
        for node in self.graph:
            if time.column[node] or node in time.shared:
                continue
            for user in self.graph.consumers(node):
                c = time.column[user]
                if not 0 < c <= time.T:
                    continue
                i = position(node, user)
                for d in (1, -1):
                    peer = peers.get((time.slot[user], c + d))
                    if peer is not None and i < len(peer.parents):
                        state = time.slot[peer.parents[i]]
                        if self.passes.get(state) == d:
                            found.setdefault(node, (c - 1 if d > 0 else c, state))
                if node not in found and time.T == 1:
                    for state, d in self.passes.items():
                        if self.passing[state].name == node.name:
                            found[node] = (c - 1 if d > 0 else c, state)
        return found

    def _state_slot(self, slot: Slot) -> Hashable:
        """The slot of the boxes that show the values of a slot of states."""
        node = self.passing[slot]
        return (*slot, "variable") if node.name or self.group[node].is_variable else slot

    # --- boxes -----------------------------------------------------------------------------------

    def _stand(self, node: Node) -> None:
        """Give a node its box, and its face where the value is a variable in its own right."""
        time, group = self.time, self.group[node]
        column, slot = time.column[node], time.slot[node]
        is_state = slot in self.passes or node in self.enters
        head = group.key if isinstance(group.key, Node) else node
        identity = (group.key, column)
        box = self.boxes.get(identity)
        if box is not None:
            box.nodes += (node,)
        else:
            variable = group.is_variable or not head.parents
            kind = "state" if variable and is_state and group.kind != "constant" else group.kind
            made = group.is_variable and bool(head.parents)
            where = (*time.slot[head], "variable") if made else time.slot[head]
            box = self._box(head, kind, group.label, column, where)
            box.nodes = (node,)
            self.boxes[identity] = box
            if node in self.enters and variable:
                self._put_between(box, node)
        if box.color is None:
            box.color = self._color(node)
        self.box[node] = self.face[node] = box
        if group.is_variable or not node.parents:
            return
        shown = self._face_kind(node, group, is_state)
        if shown is not None:
            label = (name(node, self.graph, self.time),)
            face = self._box(node, shown, label, column, (*slot, "variable"))
            if shown == "state":
                self._put_between(face, node)
            face.color = self._color(node)
            self.face[node] = face
            flow: Flow = "state" if shown == "state" else "value"
            self.picture.arrows.append(Arrow(box, face, flow))

    def _face_kind(self, node: Node, group: Group, is_state: bool) -> Kind | None:
        if is_state and node.name:
            return "state"
        if node.name in LOSSES or (node in self.outputs and node.size == 1 and self.time.T):
            return "loss"
        if node in self.outputs or node.name in OUTPUTS:
            return "output"
        if node in self.time.shared and group.kind == "op":
            return "parameter" if node.requires_grad else "input"
        return "variable" if node.name and group.kind == "op" else None

    def _color(self, node: Node) -> int | None:
        """The colour of a shared node; parts of a parameter have that parameter's."""
        if node not in self.tinted:
            return None
        while len(node.parents) == 1:
            node = node.parents[0]
        return self.colors.setdefault(node, len(self.colors))

    def _put_between(self, box: Box, node: Node) -> None:
        """Move a state's box to the gap beside its column."""
        box.between = True
        if node in self.enters:
            box.column, slot = self.enters[node]
            box.slot = self._state_slot(slot)
        elif self.passes[self.time.slot[node]] < 0:
            box.column -= 1

    def _box(self, node: Node, kind: Kind, label: Label, column: int, slot: Hashable) -> Box:
        box = Box(self._unique(self._key(node)), kind, label, (node,), column, slot)
        fit(box)
        self.picture.boxes.append(box)
        return box

    def _unique(self, key: str) -> str:
        self.keys[key] += 1
        return key + "'" * (self.keys[key] - 1)

    def _key(self, node: Node) -> str:
        scope, op, name, n = self.time.slot[node]
        t = self.time.column[node]
        words = [scope, f"t{t}" if self.time.is_step(node) else "", name or op or "leaf"]
        return "/".join(filter(None, words)) + (f"#{n}" if n > 1 else "")

    # --- arrows ----------------------------------------------------------------------------------

    def _connect(self, parent: Node, child: Node, i: int) -> None:
        tail, head = self.face[parent], self.box[child]
        time = self.time
        if self.box[parent] is head:
            return
        if parent in time.shared and time.column[child]:
            self._chip(parent, child, i, tail)
            return
        here, there = time.column[parent], time.column[child]
        if tail.between and here == there:
            tail = self.box[parent]  # the step itself takes the value from the operation
        if there > time.T and time.is_step(parent):
            if tail.between and not self._is_last_only(parent):
                tail = self.box[parent]
        elif tail.column not in (
            (there, there - 1) if tail.between else range(there - 1, there + 2)
        ):
            return self._chip(parent, child, i, tail)
        is_state = tail.between or time.slot[parent] in self.passes
        flow: Flow = "state" if is_state and here != there else "value"
        arrow = self.arrows.get((tail, head))
        if arrow is None or not self._merges(arrow):
            arrow = Arrow(tail, head, flow)
            if self.edge_labels:
                arrow.label = self._edge_label(parent, child, tail)
            self.arrows[tail, head] = arrow
            self.picture.arrows.append(arrow)
        arrow.edges += ((child, i),)

    def _is_last_only(self, node: Node) -> bool:
        """Whether the end uses a state of the last step only."""
        return self.face[node].column == self.time.T and self.time.slot[node] not in self.gathered

    def _merges(self, arrow: Arrow) -> bool:
        """Whether edges between the same boxes share an arrow: those of single nodes do not."""
        return len(arrow.tail.nodes) > 1 or len(arrow.head.nodes) > 1

    def _edge_label(self, parent: Node, child: Node, tail: Box) -> Label:
        group = self.group[child]
        if group.is_variable and child.op is not None:
            return (text(child.op.symbol),)
        if parent.op is None or parent.op is constant or self.face[parent] is not self.box[parent]:
            return ()
        return (math(self.graph.label(parent)),)

    def _chip(self, parent: Node, child: Node, i: int, source: Box) -> None:
        """Stand for the parent beside this use of it."""
        head = self.box[child]
        slot = (head.slot, "chip", i, *self.time.slot[parent])
        label = (name(parent, self.graph, self.time),)
        box = Box(f"{self._key(child)}<{i}", "chip", label, (parent,), head.column, slot)
        box.color = source.color
        fit(box)
        self.picture.boxes.append(box)
        arrow = Arrow(box, head, "parameter", (), ((child, i),), color=source.color)
        self.picture.arrows.append(arrow)


def fit(box: Box) -> None:
    """Size a box so that its label stays inside."""
    w, h = width(box.label, box.font), height(box.label, box.font)
    if box.kind in ("state", "loss", "variable", "op"):
        least = 24.0 if box.kind == "op" else 38.0
        if w <= 0.85 * least and h <= 0.8 * least:
            box.width = box.height = least
            return
    pad = 8.0 if box.kind in ("chip", "constant", "note") else 14.0
    floor = {"chip": 18.0, "constant": 18.0}.get(box.kind, 26.0)
    box.width = round(max(w + pad, floor), 1)
    box.height = round(max(h + 4, floor), 1)


def leaf_kind(node: Node) -> Kind:
    """The kind of a leaf: a number, a parameter, or an input."""
    if node.op is constant:
        return "constant"
    return "parameter" if node.requires_grad else "input"


def name(node: Node, graph: Graph, time: Timeline) -> Line:
    """What a drawing calls a variable: its letter, with the step as a subscript."""
    if node.op is constant and node.name is None:
        value = node.params["value"]
        return text(f"{value:.4g}" if isinstance(value, float) else str(value))
    if node.name is None:
        part = len(node.parents) == 1 and not time.column[node]
        if part and node.op is not None and node.parents[0].name and time.T:  # Wᵀ, W[·]
            return (*math(node.parents[0].name), Run(node.op.symbol))
        return math(graph.label(node))
    step = node.step
    if step is None and time.is_step(node):
        step = time.titles[time.column[node] - 1]
    return math(node.name, step)
