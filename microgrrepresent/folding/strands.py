"""Strands: each variable of a cell, followed through the steps.

    h_1, h_2, h_3, ..., h_T        is one strand,
    the products h_{t-1} @ W       are another one.

A cell makes the same variables in the same order at every step, so the steps are laid side by side
like lines of a table, and every column is a strand. Two nodes can stand in one column if they agree
in all that a step may not change: operation, static arguments, shape, data type, name and scope.

Lines may differ at the ends of time. A loss on the last output leaves the other outputs out of the
graph; a reverse sweep has nothing to add to the first gradient that it meets, and does not go on
past the first step. So a column may be empty in the first or last lines, but must have no holes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from microgrrepresent.folding.alignment import Names, columns
from microgrrepresent.node import Node
from microgrrepresent.primitive import constant

Place = tuple[int, int]  # a strand's index and a step


@dataclass(slots=True, eq=False)
class Slot:
    """Where the strand's nodes read one of their parents.

    Attributes
    ----------
    source : int or None
        Index of the strand that is read; None if every step reads the same node.
    lag : int
        Step t reads the source at step t - lag: 0 within a step, 1 from the step before, -1 from
        the step after.
    shared : Node or None
        The node that every step reads, where there is no source.
    boundary : dict from int to Node
        What is read at the steps at which the source is not there yet: initial values.
    """

    source: int | None = None
    lag: int = 0
    shared: Node | None = None
    boundary: dict[int, Node] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Strand:
    """One variable of the cell: its node at each step, and where these read their parents.

    Attributes
    ----------
    nodes : dict from int to Node
        By step, in order, without gaps.
    backward : bool
        Whether the nodes belong to a symbolic backward pass.
    slots : list of Slot
        One for each parent.
    slopes : list of int
        By how much each number in a `getitem`'s index grows from step to step.
    """

    nodes: dict[int, Node]
    backward: bool
    slots: list[Slot] = field(default_factory=list)
    slopes: list[int] = field(default_factory=list)

    @property
    def first(self) -> int:
        """The first step that has a node."""
        return next(iter(self.nodes))

    @property
    def last(self) -> int:
        """The last step that has a node."""
        return next(reversed(self.nodes))


def signature(node: Node, step_in_name: bool = False) -> tuple[Any, ...]:
    """All that two nodes of one strand have in common; see also `index_numbers`."""
    name = node.name
    if name and step_in_name:
        name = name.rstrip("0123456789").rstrip("_")
    params: Hashable = ()
    if node.params:
        is_selection = "index" in node.params
        params = tuple((k, _form(v, is_selection)) for k, v in node.params.items())
    op = node.op.name if node.op else ""
    return op, node.shape, node.dtype.str, name, node.scope, len(node.parents), params


def exact(node: Node) -> tuple[Any, ...]:
    """All that two nodes of isomorphic graphs have in common, parents aside."""
    form = tuple((k, _form(v, False)) for k, v in node.params.items())
    wanted = node.is_leaf and node.requires_grad
    return *signature(node)[:-1], form, node.step, wanted, node.forward is None


def index_numbers(node: Node) -> list[int]:
    """The integers in a selection's index, which may grow with the step: ``X[t]``, ``X[:, t]``."""
    return integers(node.params["index"]) if "index" in node.params else []


def integers(index: Any) -> list[int]:
    """The integers in an index, in order."""
    if type(index) is int:
        return [index]
    if isinstance(index, slice):
        index = (index.start, index.stop, index.step)
    return [n for part in index for n in integers(part)] if isinstance(index, tuple) else []


def with_index_numbers(node: Node, numbers: Iterable[int]) -> dict[str, Any]:
    """The node's static arguments with other integers in the index."""
    if "index" not in node.params:
        return node.params
    new = iter(numbers)
    return {**node.params, "index": _visit_numbers(node.params["index"], lambda _: next(new))}


def _visit_numbers(index: Any, visit: Callable[[int], int]) -> Any:
    if type(index) is int:
        return visit(index)
    if isinstance(index, tuple):
        return tuple(_visit_numbers(part, visit) for part in index)
    if isinstance(index, slice):
        return slice(*(_visit_numbers(end, visit) for end in (index.start, index.stop, index.step)))
    return index


def _form(value: Any, free_numbers: bool) -> Hashable:
    """A static argument in a form that can be compared; without its integers, if they are free."""
    if type(value) is int and free_numbers:
        return "integer"
    if isinstance(value, (tuple, list)):
        return type(value).__name__, tuple(_form(part, free_numbers) for part in value)
    if isinstance(value, slice):
        ends = value.start, value.stop, value.step
        return "slice", tuple(_form(end, free_numbers) for end in ends)
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    return type(value).__name__, repr(value)


# --- finding strands ------------------------------------------------------------------------------


def find_strands(nodes: Sequence[Node], names: Names) -> tuple[list[Strand], dict[Node, Place]]:
    """Find the strands of results; leaves and numbers join when wiring finds out who reads them.

    Parameters
    ----------
    nodes
        In topological order; every node's `forward` is among them.
    names
        What to call each node in an error's sentence.

    Returns
    -------
    strands : list of Strand
    places : dict from Node to (int, int)
        The strand and the step of every node that is in one.

    Raises
    ------
    GraphError
        If a node breaks the pattern.
    """
    strands: list[Strand] = []
    places: dict[Node, Place] = {}
    orders: dict[Node, int] = {}
    by_order: list[list[Node]] = []
    for node in nodes:
        order = 0 if node.forward is None else orders[node.forward] + 1
        orders[node] = order
        if node.step is not None and node.op is not None and node.op is not constant:
            while len(by_order) <= order:
                by_order.append([])
            by_order[order].append(node)

    for order, found in enumerate(by_order):
        # nodes of the forward pass are grouped by scope, those of a backward pass by the strand
        # whose derivative they compute: groups are then short, and steps can differ in places
        groups: dict[Hashable, dict[int, list[Node]]] = {}
        for node in found:
            group: Hashable = node.scope
            if node.forward is not None:
                if node.forward not in places:
                    continue
                group = places[node.forward][0]
            assert node.step is not None
            groups.setdefault(group, {}).setdefault(node.step, []).append(node)
        for lines in groups.values():
            for column in _aligned(dict(sorted(lines.items())), order > 0, strands, places, names):
                places |= {node: (len(strands), t) for t, node in column.items()}
                strands.append(Strand(column, order > 0))
    return _without_heads(nodes, strands, places)


def _aligned(
    lines: dict[int, list[Node]],
    backward: bool,
    strands: Sequence[Strand],
    places: dict[Node, Place],
    names: Names,
) -> list[dict[int, Node]]:
    if not backward:
        return columns(lines, signature, names)
    return columns(
        lines,
        signature,
        names,
        lambda node, t: tuple(_relative(places.get(parent), t) for parent in node.parents),
        lambda strand, t: t in strands[strand].nodes,
    )


def _without_heads(
    nodes: Sequence[Node], strands: list[Strand], places: dict[Node, Place]
) -> tuple[list[Strand], dict[Node, Place]]:
    """Take out what was made once: what no strand reads, and what strands read at several steps.

    The first is an output's head, such as the loss of the last step; the second was worked out at
    one step to be used at all of them.
    """
    if len({t for strand in strands for t in strand.nodes}) < 2:
        return strands, places
    single = {strand.nodes[strand.first] for strand in strands if len(strand.nodes) == 1}
    readers: dict[Node, list[Node]] = {node: [] for node in single}
    for node in nodes:
        for parent in node.parents:
            if parent in readers:
                readers[parent].append(node)
    for node in reversed(nodes):
        if node in single and len({places[r][1] for r in readers[node] if r in places}) != 1:
            del places[node]
    kept = [strand for strand in strands if strand.nodes[strand.first] in places]
    return kept, {n: (i, t) for i, strand in enumerate(kept) for t, n in strand.nodes.items()}


def _relative(place: Place | None, t: int) -> Place | None:
    return None if place is None else (place[0], place[1] - t)


def common(votes: Counter[Any]) -> Any:
    """What most voted for; the first of several."""
    return votes.most_common(1)[0][0]
