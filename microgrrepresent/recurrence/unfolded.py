"""Unfolding: one cell with delays becomes a chain of T steps again.

Each strand gets a node at each of the new steps, and reads what its reads say. For the number of
steps that was folded this gives back the graph itself, node by node. For another number, what was
recorded at both ends of time (initial values, the first and the last terms of a gradient) stays
at the ends, and steps are put in or left out in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from microgrrepresent.errors import GraphError
from microgrrepresent.graph import Graph
from microgrrepresent.listing import equation, labels
from microgrrepresent.node import Node, make
from microgrrepresent.place import Place, at
from microgrrepresent.recurrence.folded import Folded
from microgrrepresent.recurrence.folded_listing import period
from microgrrepresent.recurrence.signature import with_index_numbers
from microgrrepresent.recurrence.strands import Read, Strand
from microgrrepresent.recurrence.time_index import numbers_at, resized_inputs
from microgrrepresent.tensor import Tensor

Key = tuple[int, int]  # a strand and a step; or OUTSIDE and a position in the folded nodes
OUTSIDE = -1


def unfold(folded: Folded, T: int) -> Graph:
    """Unfold a cell over T steps.

    Values are computed anew. With the number of steps that was folded, the result is isomorphic to
    the graph that was folded: operations, arguments, wiring, names, scopes, steps and values. With
    another number, every loop over time is made longer or shorter by the same number of steps.
    Inputs that are missing begin again with the first one: x_1, x_2, x_3, x_1, ... A stack or
    concatenation over all steps goes over all new steps; numbers in the code stay as they are, a
    division by the old number of steps among them.

    Parameters
    ----------
    folded : Folded
    T : int
        How many steps, at least 1.

    Returns
    -------
    Graph

    Raises
    ------
    GraphError
        If the recorded steps do not tell how it would go on: something outside of them reads
        a step in their midst, or they are too few, or a shape depends on their number.

    Examples
    --------
    >>> from microgrrepresent import Graph, Tensor, fold, isomorphic, steps, tanh, unfold
    >>> W, h = Tensor(0.5, requires_grad=True, name="W"), Tensor(0.0, name="h_0")
    >>> for t, x in steps(Tensor([1.0, 2.0, 3.0], name="X")):
    ...     h = tanh(h * W + x.named("x")).named("h")
    >>> graph = Graph(h)
    >>> isomorphic(unfold(fold(graph), 3), graph)
    True
    >>> unfold(fold(graph), 100).depth()
    300
    """
    if not isinstance(folded, Folded):
        raise GraphError(
            "unfold: it takes what fold gives, as in unfold(fold(graph), T), "
            f"got {type(folded).__name__}"
        )
    if not isinstance(T, (int, np.integer)) or T < 1:
        raise GraphError(f"unfold: T is a number of steps, at least 1, got {T!r}")
    return _Unfolding(folded, int(T)).graph()


class _Unfolding:
    """The work of one call of `unfold`."""

    def __init__(self, folded: Folded, T: int) -> None:
        self.folded = folded
        found = folded.recurrence
        self.nodes, self.strands, self.places = found.nodes, found.strands, found.places
        self.clock = found.clock
        self.first, self.last = found.steps[0], found.steps[-1]
        self.recorded = self.last - self.first + 1
        self.T, self.more = T, T - self.recorded
        self.middle = self.first + self.recorded // 2
        self.index = {node: i for i, node in enumerate(self.nodes)}
        self.names = labels(self.nodes)
        self.made: dict[Key, Node] = {}
        self.outputs = set(folded.graph.outputs)
        self.usual_names = [self._usual_name(strand) for strand in self.strands]
        self.read_outside = self._read_outside()
        if self.more:
            self._check_enough()
        self.ranges = [self._range(strand) for strand in self.strands]
        self.steps = [
            self._cut_steps(k) if self.strands[k].cuts else range(first, last + 1)
            for k, (first, last) in enumerate(self.ranges)
        ]
        self.resized = resized_inputs(self.strands, self.ranges, self.nodes, self.more)

    def graph(self) -> Graph:
        """Make all nodes, parents first, in an order like the recorded one."""
        outputs = self._several(self.folded.graph.outputs, "the list of outputs")
        for key in self._order():
            todo, begun = [key], set[Key]()
            while todo:
                if todo[-1] in self.made:
                    todo.pop()
                    continue
                begun.add(todo[-1])
                parents = self._parents(todo[-1])
                forward = self._forward(todo[-1])
                needs = parents if forward is None else [*parents, forward]
                missing = [need for need in needs if need not in self.made]
                if not begun.isdisjoint(missing):
                    raise self._refusal("what was recorded does not tell what comes first then")
                if missing:
                    todo += reversed(missing)
                else:
                    self._make(todo.pop(), parents, forward)
        return Graph([self.made[key] for key in outputs])

    # --- which nodes -----------------------------------------------------------------------------

    def _range(self, strand: Strand) -> tuple[int, int]:
        """First and last step of a strand; each stays at the end of time that it is nearer to."""
        first, last = strand.first, strand.last
        at_start = first - self.first <= self.last - first
        at_end = self.last - last <= last - self.first
        return first + self.more * (not at_start), last + self.more * at_end

    def _cut_steps(self, k: int) -> list[int]:
        """The steps of cuts: every so many from where the recurrence begins."""
        found = list(self.strands[k].nodes)
        if not self.more:
            return found
        i, read = next(
            (i, read)
            for i, strand in enumerate(self.strands)
            for read in strand.reads
            if read.cut is not None and read.cut[0] == k
        )
        assert read.cut is not None
        reader, (first, last), later = self.strands[i], self.ranges[i], read.cut[1]
        begin, start, end = (
            (reader.first, first, last) if read.lag > 0 else (reader.last, last, first)
        )
        sign = 1 if read.lag > 0 else -1
        reads = [begin, *sorted((t + later for t in found), key=lambda t: t * sign)]
        every = period(reads)
        if every is None:
            times = ", ".join(map(str, reads[1:]))
            raise self._refusal(f"cuts at t = {times} do not tell where the next ones would be")
        return sorted(t - later for t in range(start + every, end + sign, every))

    def _check_enough(self) -> None:
        """Refuse what is too short to tell its ends from its middle.

        A strand that is not of every step begins late or ends early. By how many steps, is limited
        by the lags that a sweep meets; twice that many steps, one end and the other, and two in the
        middle, leave no doubt which end it is.
        """
        lags = [
            abs(read.lag)
            for strand in self.strands
            for read in strand.reads
            if read.source is not None and len(strand.nodes) > 1
        ]
        deep: dict[Node, int] = {}
        for node in self.nodes:
            deep[node] = 0 if node.forward is None else deep[node.forward] + 1
        enough = 2 + 2 * max(1, *deep.values()) * max(1, *lags, 1)
        steps, once = set(self.folded.steps), (n for n in self.nodes if n not in self.places)
        needed = [(n, 3) for n in once if n.op is not None and n.step in steps]
        for strand in self.strands:
            if strand.cuts:
                continue
            whole = (strand.first, strand.last) == (self.first, self.last)
            needed.append((strand.nodes[strand.first], 2 if whole else enough))
        for node, least in needed:
            if self.recorded < least:
                raise self._refusal(
                    f"they do not tell whether {equation(node, self.names)} is of every step; "
                    f"fold a graph of at least {least} steps"
                )

    def _usual_name(self, strand: Strand) -> str | None:
        names = [node.name for node in strand.nodes.values() if node not in self.outputs]
        return names[0] if names else strand.nodes[strand.first].name

    def _read_outside(self) -> dict[int, set[int]]:
        """For each strand that is read outside of the strands, at which steps."""
        found: dict[int, set[int]] = {}
        outside = [node for node in self.nodes if node not in self.places]
        for nodes in (self.folded.graph.outputs, *(node.parents for node in outside)):
            for k, t in (self.places[node] for node in nodes if node in self.places):
                found.setdefault(k, set()).add(t)
        return found

    def _origin(self, t: int) -> int:
        """The recorded step that a new step is like: ends are like ends, others like the middle."""
        if self.more >= 0:
            return t if t <= self.middle else max(self.middle, t - self.more)
        kept = (self.recorded + self.more + 1) // 2
        return t if t < self.first + kept else t - self.more

    def _like(self, strand: Strand, t: int) -> int:
        if strand.cuts:
            return min(strand.nodes, key=lambda s: abs(s - self._origin(t)))
        return min(max(self._origin(t), strand.first), strand.last)

    def _order(self) -> list[Key]:
        """All nodes, in the recorded order, new steps beside the step that they are like."""
        stretch: list[int] = []  # for each node, where the nodes of its step begin
        now: int | None = None
        for i, node in enumerate(self.nodes):
            t = self.places[node][1] if node in self.places else None
            stretch.append(stretch[-1] if i and t == now else i)
            now = t
        ranked = [
            ((stretch[i], 0, i), (OUTSIDE, i))
            for node, i in self.index.items()
            if node not in self.places
        ]
        for k, strand in enumerate(self.strands):
            i, j = (self.index[strand.nodes[t]] for t in (strand.first, strand.last))
            onwards = 1 if i <= j else -1
            for t in self.steps[k]:
                i = self.index[strand.nodes[self._like(strand, t)]]
                inserted = t - self.middle if self.middle < t <= self.middle + self.more else 0
                ranked.append(((stretch[i], onwards * inserted, i), (k, t)))
        return [key for _, key in sorted(ranked)]

    # --- what a node is made from ----------------------------------------------------------------

    def _parents(self, key: Key) -> list[Key]:
        k, t = key
        if k == OUTSIDE:
            node = self.nodes[t]
            return self._several(node.parents, self.names[node])
        strand, (first, last) = self.strands[k], self.ranges[k]
        at_start, at_end = t - (first - strand.first), t - (last - strand.last)
        return [self._read(read, t, at_start, at_end) for read in strand.reads]

    def _read(self, read: Read, t: int, at_start: int, at_end: int) -> Key:
        """What is read at a step, which is another recorded one seen from either end."""
        if read.source is None:
            assert read.shared is not None
            return self._several([read.shared], "every step")[0]
        if at_start in read.boundary and at_start < read.regular[0]:
            return self._moved(read.boundary[at_start])
        if at_end in read.boundary and at_end > read.regular[1]:
            return self._moved(read.boundary[at_end])
        if read.cut is not None and t - read.cut[1] in self.steps[read.cut[0]]:
            return read.cut[0], t - read.cut[1]
        first, last = self.ranges[read.source]
        if not first <= t - read.lag <= last:
            raise self._refusal(f"it is not known what is read in place of a step {t - read.lag}")
        return read.source, t - read.lag

    def _moved(self, node: Node, by: int | None = None) -> Key:
        """A recorded node; of a strand, the one so many steps later, or at the same end of time."""
        if node not in self.places:
            return OUTSIDE, self.index[node]
        k, t = self.places[node]
        if by is None:
            by = self.more if self.last - t < t - self.first else 0
        first, last = self.ranges[k]
        if not first <= t + by <= last:
            raise self._refusal(f"{self.names[node]} has no place among so few steps")
        return k, t + by

    def _several(self, nodes: Sequence[Node], reader: str) -> list[Key]:
        """What a reader outside of the steps reads: ends of strands, or strands as a whole."""
        keys: list[Key] = []
        i = 0
        while i < len(nodes):
            node = nodes[i]
            if node not in self.places or not self.more:
                keys.append(self._moved(node, 0))
                i += 1
                continue
            k, t = self.places[node]
            strand, (first, last) = self.strands[k], self.ranges[k]
            whole, new = list(strand.nodes.values()), list(range(first, last + 1))
            if t == strand.last:
                whole, new = whole[::-1], new[::-1]
            same = [a is b for a, b in zip(nodes[i : i + len(whole)], whole, strict=False)]
            if len(whole) > 1 and len(same) == len(whole) and all(same):
                keys += [(k, s) for s in new]
                i += len(whole)
                continue
            ends = (strand.first, strand.last)
            if t not in ends or self.read_outside.get(k) == set(strand.nodes) != {t}:
                raise self._refusal(
                    f"{reader} reads {self.names[node]}, which does not tell what would be read "
                    "then; only the first step, the last step, and a stack of all steps do"
                )
            keys.append(self._moved(node, (first if t == strand.first else last) - t))
            i += 1
        return keys

    def _forward(self, key: Key) -> Key | None:
        """The node whose derivative this one computes."""
        k, t = key
        by: int | None = None
        if k == OUTSIDE:
            forward = self.nodes[t].forward
        else:
            like = self._like(self.strands[k], t)
            forward, by = self.strands[k].nodes[like].forward, t - like
        return None if forward is None else self._moved(forward, by)

    # --- making nodes ----------------------------------------------------------------------------

    def _make(self, key: Key, parents: Sequence[Key], forward: Key | None) -> None:
        k, t = key
        if k == OUTSIDE:
            node = self.nodes[t]
            stamp, name, params = self._stamp(node.step), node.name, node.params
        else:
            strand = self.strands[k]
            like = self._like(strand, t)
            if strand.nodes[like].is_leaf and not strand.cuts:  # inputs begin again with the first
                like = strand.first + (t - self.ranges[k][0]) % len(strand.nodes)
            node = strand.nodes[like]
            stamp = None if node.step is None else self._later(node.step, t - like)
            name = self._name(k, node, t)
            params = with_index_numbers(node, numbers_at(strand, t, self.more))
        derived = None if forward is None else self.made[forward]
        with at(Place(node.scope, stamp, derived)):  # and recorded, also under no_grad
            new = self._applied(node, tuple(self.made[parent] for parent in parents), params)
        new.name = name
        self.made[key] = new
        if derived is not None and self.more:
            self._check_shapes(node, derived)

    def _applied(self, node: Node, parents: tuple[Node, ...], params: dict[str, Any]) -> Node:
        if node.op is None or not parents:
            value = parents[0].value if parents else self.resized.get(node, node.value)  # detached
            return make(Tensor, node.op, (), params, value, node.requires_grad)
        try:
            made: Node = node.op(*parents, **params)
        except (ValueError, IndexError, TypeError) as error:
            raise self._refusal(f"{self.names[node]} cannot be computed: {error}") from error
        return made

    def _stamp(self, step: int | None) -> int | None:
        """The step of a node outside of the strands, which stays at its end of time."""
        if step is None or not self.more:
            return step
        t = self.clock.count(step)
        return self._later(step, self.more * (self.last - t < t - self.first))

    def _later(self, step: int, by: int) -> int:
        """The number of the step that is later by so many."""
        try:
            return self.clock.stamp(self.clock.count(step) + by) if by else step
        except GraphError as error:
            raise self._refusal(str(error)) from error

    def _name(self, k: int, node: Node, t: int) -> str | None:
        """The node's name; an output may have its own, and x1, x2, ... go on from the last."""
        if not self.more:
            return node.name
        strand, (first, last) = self.strands[k], self.ranges[k]
        for end, at_end in ((last, strand.last), (first, strand.first)):
            if t == end and strand.nodes[at_end] in self.outputs:
                return strand.nodes[at_end].name
        if not node.is_leaf:
            return self.usual_names[k]
        final = strand.nodes[strand.last].name
        if t <= strand.last or final is None or final == strand.nodes[strand.first].name:
            return node.name
        return re.sub(r"\d+$", lambda found: str(int(found[0]) + t - strand.last), final)

    # --- refusals --------------------------------------------------------------------------------

    def _check_shapes(self, node: Node, forward: Node) -> None:
        """A derivative's rule takes shapes from its operation as static arguments."""
        recorded = node.forward
        if recorded is not None and [p.shape for p in (*forward.parents, forward)] != [
            p.shape for p in (*recorded.parents, recorded)
        ]:
            raise self._refusal(
                f"{self.names[node]} is of the derivative of {equation(recorded, self.names)}, "
                "which has another shape then, and was recorded for this one"
            )

    def _refusal(self, why: str) -> GraphError:
        return GraphError(f"unfold: {self.recorded} recorded steps cannot be made {self.T}: {why}")
