"""Which column of a picture each node belongs to: time runs from left to right, a column a step.

Column 0 holds what was made once before the loop, columns 1 to T the steps, column T+1 what came
after the loop. All this is known from the graph's `Recurrence`, and read from it here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from microgrrepresent.drawing.time.contexts import Contexts, contexts
from microgrrepresent.drawing.time.layers import Layers, layers_in
from microgrrepresent.drawing.time.losses import losses, losses_of_steps
from microgrrepresent.drawing.time.storeys import storey_at, storeys
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence import Recurrence, recurrence


class Slot(NamedTuple):
    """What corresponding nodes of all steps have in common: equal slots are drawn equally."""

    scope: str
    op: str
    """The operation's name, with a prime in a backward pass; empty for a leaf."""
    name: str
    number: int


class Start(NamedTuple):
    """What an initial value stands in for."""

    state: Slot
    lag: int
    reader: Node


LONGEST_LINE = 4
"""What is read over more steps than this is not handed on from step to step."""
Delays = dict[tuple[Node, int], tuple[Node, int]]
"""The edges (child, position) that read at another step, each with the state and its lag."""


@dataclass(frozen=True)
class Timeline:
    """Columns, and which nodes correspond to each other in different columns.

    Attributes
    ----------
    graph : Graph
        What is drawn.
    titles : tuple of int, str or None
        The time index of each column 1 to T: a number, the t of a folded graph, or None for a
        column of hidden steps.
    column : dict
        The column of each node, from 0 to T+1.
    slot : dict
        Equal for corresponding nodes.
    shared : set
        Nodes of column 0 that several steps use, or that are made of parameters only; and results
        of a loop that several steps of a later one use, as a decoder does its encoder's outputs.
    passes : dict
        The slots of states: 1 where the next step uses their values, -1 where the step before does.
    starts : dict
        Initial values of states.
    totals : set
        Running totals over the steps that have no names of their own. The last one may have a name.
    nodes : tuple of Node
        What is drawn, in topological order.
    stands_for : dict
        In a folded graph: the node that is drawn in place of one of another step.
    """

    graph: Graph
    titles: tuple[int | str | None, ...]
    column: dict[Node, int]
    slot: dict[Node, Slot]
    shared: frozenset[Node]
    passes: dict[Slot, int]
    starts: dict[Node, Start]
    totals: frozenset[Node]
    nodes: tuple[Node, ...]
    storeys: tuple[int, ...] = (1,)
    """The columns at which loops begin that stand one above the other: encoder and decoder."""
    handed: dict[Node, Start] = field(default_factory=dict)
    """Results of a loop that a later one reads as the state before its first step."""
    stands_for: dict[Node, Node] = field(default_factory=dict)
    earlier: dict[Node, Start] = field(default_factory=dict)
    """What stands in for the values of a state more than one step before the first."""
    delayed: Delays = field(default_factory=dict)
    """In a folded graph: the edges that read a state at another step."""
    letters: Mapping[str, str] = field(default_factory=dict)
    """Other letters for the names of variables."""
    marks: dict[Node, str] = field(default_factory=dict)
    """In a folded graph: the mark of a state whose gradient is cut every so many steps."""

    @property
    def T(self) -> int:
        """Number of steps."""
        return len(self.titles)

    @cached_property
    def outputs(self) -> frozenset[Node]:
        """The graph's outputs."""
        return frozenset(self.graph.outputs)

    @cached_property
    def losses(self) -> frozenset[Node]:
        """The outputs that are losses."""
        return losses(self)

    @cached_property
    def losses_of_steps(self) -> frozenset[Node]:
        """The results without a name that are the losses of single steps."""
        return losses_of_steps(self)

    @cached_property
    def choices(self) -> frozenset[Slot]:
        """Where no derivative goes on: what is chosen, such as the likeliest token."""
        return frozenset(
            self.slot[node]
            for node in self.nodes
            if not node.requires_grad and any(parent.requires_grad for parent in node.parents)
        )

    def is_chosen(self, node: Node) -> bool:
        """Whether a node is one of the choices, or stands in for one before the first step."""
        start = self.starts.get(node)
        return (self.slot[node] if start is None else start.state) in self.choices

    @cached_property
    def cuts(self) -> dict[Node, Node]:
        """Where no gradient passes: each cut, with the node that it is a copy of.

        A cut has no box. It is drawn on the arrows that lead away from that node, so that a step
        whose state was cut looks like every other step. One with a name is a variable by itself.
        """
        found: dict[Node, Node] = {}
        for node in self.nodes:
            if is_cut(node) and node.name is None and node not in self.outputs:
                whole = self.stands_for.get(node.parents[0], node.parents[0])
                if whole in self.column:
                    found[node] = found.get(whole, whole)
        return found

    def users(self, node: Node) -> list[Node]:
        """The nodes of the drawing that are made from a node, one entry for each edge."""
        return [user for user in self.graph.consumers(node) if user in self.column]

    @cached_property
    def read_later(self) -> frozenset[Node]:
        """The nodes that are read at another step than their own; none unless it is folded."""
        return frozenset(state for state, _ in self.delayed.values())

    @cached_property
    def nameless(self) -> dict[Node, str]:
        """In a folded graph, what the cell's results without a name are called, at every step."""
        found = [n for n in self.nodes if n.parents and n.name is None and self.is_step(n)]
        return {node: f"u({i})" for i, node in enumerate(found, 1)} if self.stands_for else {}

    def subscript(self, node: Node) -> int | str | None:
        """What a drawing writes below a node's name: its time index; none if it is a total."""
        if node in self.starts and self.starts_as(node):
            return self._before(self.starts[node])
        if node in self.earlier:
            return self._before(self.earlier[node])
        if node in self.totals and not self.stands_for:
            return None
        several = node.step is None and self._peers[self.slot[node], node.name] > 1
        if self.is_step(node) and (self.stands_for or several):
            return self.titles[self.column[node] - 1]
        return node.step

    def starts_as(self, node: Node) -> str | None:
        """The name of the state that an initial value is read as, if it has no other one."""
        name = self.starts[node].state.name if node in self.starts else ""
        own = node.step is None and (node.name == name or (node.name is None and node.is_leaf))
        return name if name and own else None

    def _before(self, start: Start) -> int | None:
        """The time index of an initial value: 0 for what step 1 reads of the step before."""
        title = self.titles[self.column[start.reader] - 1]
        return title - start.lag if isinstance(title, int) else None

    @cached_property
    def _peers(self) -> Counter[tuple[Slot, str | None]]:
        """How many steps have a node of a kind and name: the only one needs no time index."""
        return Counter((self.slot[node], node.name) for node in self.nodes if self.is_step(node))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that nodes have."""
        return frozenset(node.name for node in self.nodes if node.name is not None)

    def letter(self, name: str, node: Node | None = None) -> str:
        """What a drawing calls a name: itself, or what was given for it; ``h^1→`` in a stack.

        Parameters
        ----------
        name : str
            The name of a variable.
        node : Node, optional
            The variable, if it may be one of several layers that have the name.
        """
        letter = self.letters.get(name)
        if letter is None:
            letter = self.layers.written(name)
        return letter if node is None or "^" in letter else letter + self._mark(node)

    def _mark(self, node: Node) -> str:
        """The mark of the layer of a variable, or of that whose directions it joins: ``y^2``."""
        slot = self.slot.get(node)
        if slot is None or node.scope not in self.layers.stacks:
            return self.layers.mark(node.scope)
        return f"^{slot.number}" if self._namesakes[slot[:3]] > 1 else ""

    @cached_property
    def _namesakes(self) -> Counter[tuple[str, str, str]]:
        """How many slots have a scope, an operation and a name."""
        return Counter(slot[:3] for slot in dict.fromkeys(self.slot.values()))

    @cached_property
    def layers(self) -> Layers:
        """The layers whose variables have equal names."""
        return layers_in(self.nodes)

    @cached_property
    def delay_lines(self) -> dict[Slot, int]:
        """States that all later steps read, one step later, two, ...; and over how many steps."""
        readers: dict[Slot, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for node in self.nodes:
            for parent in node.parents if self.is_step(node) else ():
                if self.column.get(parent, 0) and self.is_step(parent):
                    lag = self.column[node] - self.column[parent]
                    readers[self.slot[parent]][lag].add(self.column[node])
        found: dict[Slot, int] = {}
        for slot, lags in readers.items():
            longest = max(lags)
            if self.passes.get(slot) == 1 and 1 < longest <= min(LONGEST_LINE, self.T - 1):
                wanted = {lag: set(range(lag + 1, self.T + 1)) for lag in range(1, longest + 1)}
                if all(lags[lag] >= columns for lag, columns in wanted.items()):
                    found[slot] = longest
        return found

    def storey(self, node: Node) -> int:
        """Which of the loops one above the other a node is for, counted from 0."""
        of = self.starts[node].reader if node in self.starts else node
        return storey_at(self.storeys, self.column[of])

    @cached_property
    def contexts(self) -> Contexts:
        """What steps of a later loop make of the states of an earlier one."""
        return contexts(self)

    def is_state_before(self, child: Node, i: int) -> bool:
        """Whether a node reads its i-th parent as the state before the first step of its loop."""
        start = self.handed.get(child.parents[i])
        if start is None:
            return False
        later = self._at.get((self.slot[child], self.column[child] + 1))
        if later is None or len(later.parents) <= i:
            return False
        state = self.cuts.get(later.parents[i], later.parents[i])
        return self.slot.get(state) == start.state

    @cached_property
    def _at(self) -> dict[tuple[Slot, int], Node]:
        """The nodes of the steps, by slot and column."""
        return {(self.slot[node], self.column[node]): node for node in self.nodes}

    def is_step(self, node: Node) -> bool:
        """Whether the node belongs to a step."""
        return 0 < self.column[node] <= self.T


def is_cut(node: Node) -> bool:
    """Whether a node is a copy of its parent that passes no gradient on."""
    return node.op is not None and node.op.kind == "cut"


def timeline(graph: Graph) -> Timeline:
    """Sort the nodes of a graph into columns."""
    found = recurrence(graph)
    column, steps = dict(found.moments.of), found.moments.steps
    shared = found.shared if steps else _shared_by_places(graph)
    slot, by_strand = _slots(found)
    read = {slot[node] for node in shared}  # a memory is read, it does not pass
    passes = {
        by_strand[k]: lag
        for k, lag in found.states.items()
        if abs(lag) == 1 and k in by_strand and by_strand[k] not in read
    }
    starts: dict[Node, Start] = {}
    handed: dict[Node, Start] = {}
    for node, (k, lag, reader) in found.initial.items():
        state, made = by_strand.get(k), column.get(node, len(steps))
        if state is None or slot[node] == state or passes.get(state) != lag:
            continue
        if node in shared and not made:
            continue
        strand = found.strands[k]
        if node.is_leaf and not made and node.shape != strand.nodes[strand.first].shape:
            column[node] = column[reader]  # an input where later steps read a state: one to many
            continue
        if made < column.get(reader, 0):
            inside = made and (node.step is not None or lag < 0 or node in shared)
            (handed if inside else starts)[node] = Start(state, lag, reader)
    before = before_the_steps(graph, column, slot, len(steps))
    shared = shared - before.keys()
    for node, start in before.items():
        if start.lag == 1 == passes.get(start.state):
            starts[node] = start
    return Timeline(
        graph,
        steps,
        column,
        slot,
        shared,
        passes,
        starts,
        found.totals,
        tuple(graph),
        storeys(len(steps), column, slot, shared, passes),
        handed,
        earlier={node: start for node, start in before.items() if node not in starts},
    )


def before_the_steps(
    graph: Graph, column: Mapping[Node, int], slot: Mapping[Node, Slot], T: int
) -> dict[Node, Start]:
    """Values from before the steps that first steps read where later ones read a state.

    With what stands in a delay line at first, each state that is read over several steps has its
    values x_0, x_{-1}, ...: what is read at the same place of the same operation, so many steps
    back, is that state.
    """
    reads: dict[tuple[Slot, int], tuple[Slot, int]] = {}
    first: dict[Node, list[tuple[Node, int]]] = defaultdict(list)
    longest: dict[Slot, int] = defaultdict(int)
    for node in graph:
        if not 0 < column.get(node, 0) <= T:
            continue
        for i, parent in enumerate(node.parents):
            lag = column[node] - column.get(parent, 0)
            if column.get(parent, 0) == 0:
                first[parent].append((node, i))
            elif lag > 0:
                reads[slot[node], i] = (slot[parent], lag)
                longest[slot[parent]] = max(longest[slot[parent]], lag)
    found: dict[Node, Start] = {}
    for node, uses in first.items():
        meant = [(reads.get((slot[user], i)), user) for user, i in uses]
        places = {(read[0], column[user] - read[1]) for read, user in meant if read}
        if len(places) == 1 and all(read for read, _ in meant):
            (read, reader) = min(meant, key=lambda use: column[use[1]])
            if read is not None and longest[read[0]] > 1 and column[reader] - read[1] <= 0:
                found[node] = Start(*read, reader)
    return found


def _slots(found: Recurrence) -> tuple[dict[Node, Slot], dict[int, Slot]]:
    """The slot of each node, and of each strand; nodes that do not repeat have their own."""
    moment, after = found.moments.of, found.moments.after
    by_strand: dict[int, Slot] = {}
    slots: dict[Node, Slot] = {}
    counts: Counter[tuple[int, str, str, str]] = Counter()
    for node in found.graph:
        k = found.places[node][0] if node in found.places else None
        if k not in by_strand:
            what = (node.op.name if node.op else "") + (
                "'" if node.derivative_of is not None else ""
            )
            key = (node.scope, what, "" if node in found.totals else node.name or "")
            is_once = moment[node] in (0, after) and node.derivative_of is None
            when = moment[node] if is_once else 1
            counts[when, *key] += 1
            slots[node] = Slot(*key, counts[when, *key])
            if k is not None:
                by_strand[k] = slots[node]
        else:
            slots[node] = by_strand[k]
    return slots, by_strand


def _shared_by_places(graph: Graph) -> frozenset[Node]:
    """Without steps: all parameters, where a cell uses one of them in several places.

    Two uses in no scope are two arrows, which is what a graph without cells is there to show.
    """
    for parameter in graph.parameters:
        users = graph.consumers(parameter)
        if len(users) > 2 or (len(users) == 2 and all(user.scope for user in users)):
            return frozenset(graph.parameters)
    return frozenset()
