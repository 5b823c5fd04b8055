"""The coarse views: a box for each cell at each step, for each layer, for each scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from microgrrepresent.drawing.marks.labels import Label, Line, math, raised, text
from microgrrepresent.drawing.time.levels import slot_levels
from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.drawing.views.gates import gates
from microgrrepresent.drawing.views.glyphs import Glyph, Glyphs
from microgrrepresent.node import Node


def cells(time: Timeline) -> Glyphs:
    """Each cell is one box at each step; its parameters are one variable, θ.

    In a graph without steps, such as a tree, it is one box at each place where it is applied.
    """
    return (_of_cells(time) if time.T else _applications(time)).__getitem__


def _applications(time: Timeline) -> dict[Node, Glyph]:
    """Boxes of one scope and result each: what is inside has no name that the box has already."""
    fine = gates(time)
    short = _short((node.scope for node in time.nodes), time)
    found: dict[Node, Glyph] = {}
    names: dict[Node, set[str | None]] = {}
    for node in reversed(time.nodes):
        if not node.scope or node.op is None:
            own = fine(node)
            found[node] = found.get(own.key, own) if isinstance(own.key, Node) else own
            continue
        heads = {found[user].key for user in time.users(node)}
        (head,) = heads if len(heads) == 1 and node not in time.outputs else (node,)
        if (
            not isinstance(head, Node)
            or head.scope != node.scope
            or node.name in names.get(head, ())
        ):
            head = node
        names.setdefault(head, set()).update({node.name} - {None})
        found[node] = Glyph(head, "cell", (_words(short[node.scope]),))
    return found


def _of_cells(time: Timeline) -> dict[Node, Glyph]:
    """Boxes of one cell and step each, and of the parameters of one cell."""
    cell, fine = recurrences(time), gates(time)
    found = _Cells(time, cell, _scopes(cell, time))
    for node in reversed(time.nodes):
        found.glyph[node] = found.coarse(node) or fine(node)
    return found.glyph


@dataclass
class _Cells:
    time: Timeline
    cell: dict[Node, int]
    scope: dict[int, str]
    glyph: dict[Node, Glyph] = field(default_factory=dict)

    def coarse(self, node: Node) -> Glyph | None:
        """The glyph of what is inside of a cell, and of a cell's parameters."""
        number = self.cell.get(node)
        if number is not None:
            label: Label = (_words(self.scope[number] or "cell"),)
            return Glyph(("cell", number), "cell", label)
        if self.time.column[node] or not self.time.T:
            return None
        users = self.time.users(node)
        numbers = {self._owner(user) for user in users}
        before = users and all(not self.time.column[user] for user in users)
        if not (node in self.time.shared or before) or len(numbers) != 1 or None in numbers:
            return None
        (number,) = numbers
        assert number is not None
        return Glyph(("θ", number), "parameter", (self._theta(number),), True)

    def _theta(self, number: int) -> Line:
        """θ, with the name of its cell where there are several, and the mark of its layer."""
        cell, _, mark = self.scope[number].partition("^")
        several = len({words.partition("^")[0] for words in self.scope.values()}) > 1
        return (*math(f"θ_{cell}" if several else "θ"), *raised(mark))

    def _owner(self, user: Node) -> int | None:
        """The cell that a parameter is for, told by one of its users."""
        if user in self.cell:
            return self.cell[user]
        key = self.glyph[user].key if not self.time.column[user] else None
        return key[1] if isinstance(key, tuple) and key[0] == "θ" else None


def layers(time: Timeline) -> tuple[Glyphs, Timeline]:
    """Each layer is one box for all of time, and so is every variable that has a step."""
    if not time.T:
        return collapsed(gates(time), time, (), 0), replace(time, shared=frozenset())
    cell = recurrences(time)
    scope = _scopes(cell, time)
    fine = gates(time)
    span: Line = text(f"↻ t = {time.titles[0]} … {time.titles[-1]}", size=0.8) if time.T else ()
    own = {
        number: Glyph(("layer", number), "cell", (_words(words or "layer"), span))
        for number, words in scope.items()
    }

    def glyph(node: Node) -> Glyph:
        if node in cell:
            return own[cell[node]]
        users = {cell.get(user) for user in time.users(node)}
        number = users.pop() if len(users) == 1 and not time.column[node] else None
        if number is not None and node not in time.shared:  # an initial state
            return own[number]
        found = fine(node)
        head = found.key if isinstance(found.key, Node) else node
        if not time.is_step(head):
            return found
        label = found.label
        if head.name and (found.is_variable or head.is_leaf):
            label = (math(head.name, f"{time.titles[0]}…{time.titles[-1]}"),)
        return Glyph(("all", time.slot[head]), found.kind, label, found.is_variable)

    flat = replace(
        time,
        titles=(),
        column=dict.fromkeys(time.nodes, 0),
        shared=frozenset(),
        passes={},
        starts={},
        storeys=(1,),
    )
    return glyph, flat


def collapsed(glyphs: Glyphs, time: Timeline, scopes: Collection[str], depth: int | None) -> Glyphs:
    """Draw some scopes as one box each, at every step.

    Parameters
    ----------
    glyphs : Glyphs
        For everything outside of these scopes.
    time : Timeline
        The columns.
    scopes : collection of str
        Paths of scopes.
    depth : int or None
        Scopes that are nested more deeply than this are boxes too; 0: every scope is a box.
    """

    def glyph(node: Node) -> Glyph:
        path = _collapse(node.scope, scopes, depth)
        before = time.T > 0 and not time.column[node]
        if path is None or before or (node.is_leaf and not node.is_number):
            return glyphs(node)
        return Glyph(("scope", path), "cell", (text(path.rpartition("/")[2]),))

    return glyph


def _collapse(scope: str, scopes: Collection[str], depth: int | None) -> str | None:
    """The outermost scope around a node that is drawn as a box."""
    parts = scope.split("/") if scope else []
    for n in range(1, len(parts) + 1):
        path = "/".join(parts[:n])
        if path in scopes or (depth is not None and n > depth):
            return path
    return None


def recurrences(time: Timeline) -> dict[Node, int]:
    """The nodes that are inside of cells, with the number of their cell, lower ones first."""
    level = slot_levels(time)
    found = {
        node: level.get(time.slot[node], 0)
        for node in time.nodes
        if time.is_step(node) and not (node.is_leaf and not node.is_number)
    }
    size = Counter(n for node, n in found.items() if node.parents)
    return {node: n for node, n in found.items() if n % 2 and size[n] > time.T}


def _scopes(cell: dict[Node, int], time: Timeline) -> dict[int, str]:
    """The name of each cell, after its outermost scope."""
    found: dict[int, str] = {}
    for node, number in cell.items():
        if not found.get(number) or (node.scope and len(node.scope) < len(found[number])):
            found[number] = node.scope
    names = _short(found.values(), time)
    return {number: names[scope] for number, scope in found.items()}


def _short(scopes: Iterable[str], time: Timeline) -> dict[str, str]:
    """The last part of each scope; where others have that part too, the first one, or all of it.

    A layer is called what its network is, with its mark: ``rnn^2→``, not ``l1``.
    """
    network = {scope: time.layers.network(scope) for scope in scopes}
    known = dict.fromkeys(network.values())
    last = {name: name.rpartition("/")[2] for name in known}
    alike = Counter(last.values())
    first = {name: name.partition("/")[0] for name in known if alike[last[name]] > 1}
    if len(known) > 1 and not all("/" in name for name in known):  # decoder, encoder/lstm
        roots = {name: name.partition("/")[0] for name in known}
        first = roots if len({*roots.values()}) == len(known) else first
    names = last | first
    once = Counter(names.values())
    return {
        scope: (names[name] if once[names[name]] == 1 else name) + time.layers.mark(scope)
        for scope, name in network.items()
    }


def _words(name: str) -> Line:
    """What stands in a box: the name of a cell, and the mark of its layer."""
    cell, _, mark = name.partition("^")
    return (*text(cell), *raised(mark))
