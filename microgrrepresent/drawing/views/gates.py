"""The view of a cell's named gates and states: what a textbook draws.

Affine maps (products with matrices, sums, slices) disappear into the gate whose argument they are;
what several gates share, as the fused product of an LSTM, is one box with its formula. Products
and sums of gates and states stay, and so does everything that has a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

from microgrrepresent.drawing.marks.labels import Label, text
from microgrrepresent.drawing.marks.naming import (
    is_input_of_step,
    is_part,
    leaf_kind,
    name,
    symbol,
    variable_kind,
)
from microgrrepresent.drawing.time.timeline import Slot, Timeline
from microgrrepresent.drawing.views.formulas import Formulas
from microgrrepresent.drawing.views.glyphs import Glyph, Glyphs
from microgrrepresent.node import Node


def gates(time: Timeline) -> Glyphs:
    """Boxes are gates, states, and the operations that join them."""
    affine = _affine(time)
    apart = _apart(time, affine)
    formulas = Formulas(time, affine, apart)
    return _Gates(time, formulas, _alone(time, affine)).sorted().__getitem__


def _affine(time: Timeline) -> set[Node]:
    """The products with matrices, and what is made of them by sums and slices, unless named."""
    found: set[Node] = set()
    for node in time.nodes:
        if _kind(node) in ("product", "linear", "moves") and _is_inner(node, time):
            inside = any(p in found and _together(p, node, time) for p in node.parents)
            if inside or _kind(node) == "product":
                found.add(node)
    return found


def _apart(time: Timeline, affine: set[Node]) -> set[Node]:
    """The products with what an operation has joined and nobody named: U (r ∘ h) is a box."""
    return {
        node
        for node in affine
        if _kind(node) == "product"
        and any(p.name is None and time.column.get(p) and _joins(p) for p in node.parents)
    }


def _alone(time: Timeline, affine: set[Node]) -> set[Slot]:
    """The only function of its cell that is applied to an affine map which nothing else reads."""
    slots = {
        time.slot[node]
        for node in time.nodes
        if _is_activation(node)
        and time.is_step(node)
        and node.parents[0] in affine
        and len(time.users(node.parents[0])) == 1
        and not is_part(node.parents[0])
    }
    in_scope = Counter(slot.scope for slot in slots)
    return {slot for slot in slots if in_scope[slot.scope] == 1}


def _is_inner(node: Node, time: Timeline) -> bool:
    """Whether a node is no variable of its own: pre-activations are inner, states are not."""
    if node in time.outputs or time.slot[node] in time.passes:
        return False
    users = time.users(node)
    return node.name is None or (len(users) == 1 and _is_activation(users[0]))


def _together(a: Node, b: Node, time: Timeline) -> bool:
    return time.column[a] == time.column[b]


@dataclass
class _Gates:
    time: Timeline
    formulas: Formulas
    alone: set[Slot]
    """Functions that say what they are applied to."""
    glyph: dict[Node, Glyph] = field(default_factory=dict)

    def sorted(self) -> dict[Node, Glyph]:
        """The glyph of each node; users come first, since what disappears goes into theirs."""
        for node in reversed(self.time.nodes):
            self.glyph[node] = self._joined(node) or self._own(node)
        return self.glyph

    def _joined(self, node: Node) -> Glyph | None:
        """The glyph of the only box that uses a node, if the node disappears into that box."""
        time = self.time
        if node in self.time.outputs:
            return None
        users = self.time.users(node)
        glyphs = {self.glyph[user].key: self.glyph[user] for user in users}
        if len(glyphs) != 1 or not all(_together(node, user, time) for user in users):
            return None
        (glyph,) = glyphs.values()
        if time.T and time.column[node] == 0:  # b = b_ih + b_hh
            return glyph if node not in time.shared and not self._enters(node) else None
        if node.is_number:
            return glyph
        if node.op is None or (node.name is not None and node not in self.formulas.affine):
            return None
        if glyph.kind == "loss":  # takes the means and sums before it, but no part of the model
            return glyph if node not in self.formulas.affine and not _is_activation(node) else None
        if node in self.formulas.affine and glyph.kind != "op":
            return glyph if node not in self.formulas.apart else None
        if _is_copy(node) and glyph.is_variable and _is_copy(glyph.key):
            return glyph
        return None

    def _enters(self, node: Node) -> bool:
        return any(self.time.is_step(user) for user in self.time.users(node))

    def _own(self, node: Node) -> Glyph:
        words = name(node, self.time)
        if node.op is None or node.is_number:
            return Glyph(node, leaf_kind(node), (words,))
        if self.time.column[node] == 0 and node in self.time.shared:
            root = node
            while len(root.parents) == 1:  # a block of a larger parameter
                root = root.parents[0]
            return Glyph(root, "parameter", (name(root, self.time),), True)
        kind = variable_kind(node, self.time)
        if kind == "loss" and node.name and node not in self.time.totals:
            return Glyph(node, "loss", (words,), True)
        if is_input_of_step(node, self.time):
            return Glyph(node, "input", (words,), True)
        if (
            node in self.formulas.affine
            and is_part(node)
            and node.parents[0] in self.formulas.affine
        ):
            whole = node.parents[0]  # a block of what several gates share is not another box
            return Glyph(whole, "function", self.formulas.of(whole))
        if node in self.formulas.affine:
            return Glyph(node, "function", self.formulas.of(node))
        if node.name and (_is_copy(node) or _is_row(node)):
            return Glyph(node, kind, (words,), True)
        is_state = self.time.slot[node] in self.time.passes
        if node.name and not is_state and kind == "output":
            return Glyph(node, "output", (words,), True)
        return self._operation(node)

    def _operation(self, node: Node) -> Glyph:
        assert node.op is not None
        sign = node.op.symbol
        first = node.parents[0] if node.parents else None
        if first is not None and first.is_number and node.op.is_difference(node):
            sign = f"{first.params['value']:g} −"
        elif len(sign) <= 2 and not sign.isalpha():
            return Glyph(node, "op", (symbol(node, self.time),))
        value = (name(node, self.time),) if node.name else ()
        return Glyph(node, "function", self._applied(node, sign), value=value)

    def _applied(self, node: Node, sign: str) -> Label:
        """The sign of a function; the only one of its cell with what it is applied to."""
        if self.time.slot[node] not in self.alone:
            return (text(sign),)
        return self.formulas.of(node.parents[0], sign)


def _kind(node: Node) -> str:
    return node.op.kind if node.op is not None else ""


def _joins(node: Node) -> bool:
    """Whether a node is made of several others, element by element."""
    return node.op is not None and _kind(node) == "" and len(node.parents) > 1


def _is_copy(node: Hashable) -> bool:
    """Whether a node is all numbers of its only parent: C = h_T, of a stack of one state."""
    if not isinstance(node, Node) or _kind(node) != "moves" or len(node.parents) != 1:
        return False
    return node.size == node.parents[0].size and not node.parents[0].is_leaf


def _is_row(node: Node) -> bool:
    """Whether a node is chosen from a parameter: the vector of a word."""
    whole = node.parents[0]
    return node.op is not None and node.op.is_selection and whole.is_leaf and whole.requires_grad


def _is_activation(node: Node) -> bool:
    """Whether a node is a nonlinear function of each unit, or of the units, of a layer."""
    return _kind(node) in ("activation", "score") and node.shape == node.parents[0].shape
