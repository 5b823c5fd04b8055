"""The view of a cell's named gates and states: what a textbook draws.

Affine maps (products with matrices, sums, slices) disappear into the gate whose argument they are;
what several gates share, as the fused product of an LSTM, is one box with its formula. Products
and sums of gates and states stay, and so does everything that has a name.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable
from dataclasses import dataclass, field

from microgrrepresent.description import parsed
from microgrrepresent.drawing.marks.labels import Label, Line, Run, math, text, width
from microgrrepresent.drawing.marks.naming import (
    is_input_of_step,
    is_part,
    leaf_kind,
    name,
    symbol,
    variable_kind,
)
from microgrrepresent.drawing.time.timeline import Slot, Timeline, is_cut
from microgrrepresent.drawing.views.glyphs import Glyph, Glyphs
from microgrrepresent.node import Node

WIDEST_FORMULA = 165.0
_PLUS, _MINUS = Run(" + "), Run(" − ")


def gates(time: Timeline) -> Glyphs:
    """Boxes are gates, states, and the operations that join them."""
    affine = _affine(time)
    return _Gates(time, affine, _alone(time, affine)).sorted().__getitem__


def _affine(time: Timeline) -> set[Node]:
    """The products with matrices, and what is made of them by sums and slices, unless named."""
    found: set[Node] = set()
    for node in time.nodes:
        if _kind(node) in ("product", "linear", "moves") and _is_inner(node, time):
            inside = any(p in found and _together(p, node, time) for p in node.parents)
            if inside or _kind(node) == "product":
                found.add(node)
    return found


def _alone(time: Timeline, affine: set[Node]) -> frozenset[Slot]:
    """The slots of functions that are applied to an affine map which nothing else reads."""
    return frozenset(
        time.slot[node]
        for node in time.nodes
        if _is_activation(node)
        and time.is_step(node)
        and node.parents[0] in affine
        and len(time.users(node.parents[0])) == 1
        and not is_part(node.parents[0])
    )


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
    affine: set[Node]
    alone: frozenset[Slot]
    """Functions that are applied to an affine map of their own."""
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
        if node.op is None or (node.name is not None and node not in self.affine):
            return None
        if glyph.kind == "loss":  # takes the means and sums before it, but no part of the model
            return glyph if node not in self.affine and not _is_activation(node) else None
        if node in self.affine and glyph.kind != "op":
            return glyph
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
        if node in self.affine and is_part(node) and node.parents[0] in self.affine:
            whole = node.parents[0]  # a block of what several gates share is not another box
            return Glyph(whole, "function", (self._formula(whole),))
        if node in self.affine:
            return Glyph(node, "function", (self._formula(node),))
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
        return Glyph(node, "function", (self._applied(node, sign),), value=value)

    def _applied(self, node: Node, sign: str) -> Line:
        """The sign of a function; the only one of a step with what it is applied to."""
        inner = node.parents[0]
        if (
            len(self.alone) != 1
            or inner not in self.affine
            or self.time.slot[node] not in self.alone
        ):
            return text(sign)
        formula = self._formula(inner)
        if len(formula) < 2:
            return text(sign)
        return (Run(sign), Run("("), *formula, Run(")"))

    # --- formulas --------------------------------------------------------------------------------

    def _formula(self, node: Node) -> Line:
        """W x + U h + b, in the letters of this graph; "affine" where that would be too long."""
        formula = self._term(node, 6)
        label: Label = (formula,)
        return formula if formula and width(label, 14) <= WIDEST_FORMULA else text("affine")

    def _term(self, node: Node, depth: int) -> Line:
        while is_cut(node) and node.name is None:
            node = node.parents[0]
        if not self.time.column.get(node, 1):
            while node.name is None and is_part(node):  # a block of a matrix
                node = node.parents[0]
        if node.is_leaf or (node.name is not None and node not in self.affine):
            return math(self.time.letter(node.name, node)) if node.name else ()
        assert node.op is not None
        if node not in self.affine or depth == 0:
            return ()
        terms = [self._term(parent, depth - 1) for parent in node.parents]
        if not all(terms) or node.op.many is not None:
            return ()
        formula = parsed(node.op.said("formula", node, by="draw"))
        return _written(formula, dict(zip(node.op.inputs, terms, strict=True)))


def _kind(node: Node) -> str:
    return node.op.kind if node.op is not None else ""


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


def _written(formula: ast.expr, terms: dict[str, Line]) -> Line:
    """A sum or product of terms, as columns: ``W x`` for ``x @ w.T``; nothing for anything else."""
    match formula:
        case ast.Name(name) | ast.Subscript(ast.Name(name)):  # of what is selected, the whole
            return terms.get(name, ())
        case ast.UnaryOp(ast.USub(), inner):
            written = _factor(_written(inner, terms))
            return (Run("−"), *written) if written else ()
        case ast.Attribute(inner, "T" | "mT"):
            written = _written(inner, terms)
            whole = written if len(written) < 2 else (Run("("), *written, Run(")"))
            return (*whole, Run("ᵀ")) if written else ()
        case ast.BinOp(a, ast.Add(), b):
            parts = _written(a, terms), (_PLUS,), _written(b, terms)
        case ast.BinOp(a, ast.Sub(), b):
            parts = _written(a, terms), (_MINUS,), _factor(_written(b, terms))
        case ast.BinOp(x, ast.MatMult(), ast.Attribute(w, "T")):
            parts = _factor(_written(w, terms)), (Run(" "),), _factor(_written(x, terms))
        case ast.BinOp(a, ast.MatMult(), b):
            parts = _factor(_written(a, terms)), (Run(" "),), _factor(_written(b, terms))
        case _:
            return ()
    return sum(parts, ()) if all(parts) else ()


def _factor(written: Line) -> Line:
    """What a product is made of: a sum in parentheses."""
    is_sum = not {_PLUS, _MINUS, Run("−")}.isdisjoint(written)
    return (Run("("), *written, Run(")")) if is_sum else written
