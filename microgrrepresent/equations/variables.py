"""The variables of some equations: which nodes have one, and what it is called.

Not every node is a variable. A node that nobody has named, that is used once, and whose adjoint
would not have to be written down twice, is part of its consumer's equation:

    h_t = o_t ⊙ tanh(c_t)       and not       u_t = tanh(c_t),  h_t = o_t ⊙ u_t
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from microgrrepresent.description import number_in
from microgrrepresent.equations.naming import activates, names, selects
from microgrrepresent.equations.series import Series, Step, find_series
from microgrrepresent.equations.terms import Variable
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence.signature import index_of

DEEPEST = 8
"""So many operations, one inside of the other, are written as one formula."""


@dataclass(eq=False)
class Variables:
    """The variables of some equations; `find_variables` finds them.

    Attributes
    ----------
    graph : Graph
        What the equations are about.
    series, places
        The nodes that are spoken of as one; the series and the step of each node.
    edges : dict
        Who reads each node, and as which input.
    live : set of Node
        The nodes that have adjoints to be written down.
    inputs : set of Series
        The parts of the data that the steps read, in place of the whole: x_t, not X[t-1].
    named : dict from Series to Variable
        The series that have equations, in the order of computation.
    """

    graph: Graph
    series: list[Series]
    places: dict[Node, tuple[Series, Step]]
    edges: dict[Node, list[tuple[Node, int]]]
    live: set[Node]
    inputs: set[Series]
    named: dict[Series, Variable] = field(default_factory=dict)


def find_variables(
    graph: Graph,
    asked: Collection[Node],
    live: set[Node],
    together: bool,
    unwritten: Collection[str] | None = None,
    code: bool = False,
) -> Variables:
    """Choose the variables of a graph's equations, and name them.

    Parameters
    ----------
    graph : Graph
    asked : collection of Node
        Nodes that are variables in any case: losses, targets, outputs.
    live : set of Node
        The nodes that have adjoints to be written down.
    together : bool
        Whether to treat the steps of a graph that folds as one.
    unwritten : collection of str, optional
        If given, the graph is that of one step, without adjoints: then a node without a name, or
        of one of these names, is a part of what reads it wherever only one node does.
    code : bool
        Whether the equations become a program, which gets an array of all steps as it is.
    """
    inner = {*asked} - {*graph.outputs}
    found, places = find_series(graph, inner, together)
    edges: dict[Node, list[tuple[Node, int]]] = {node: [] for node in graph}
    for node in graph:
        for i, parent in enumerate(node.parents):
            edges[parent].append((node, i))
    inputs = set() if code else _inputs(found, live)
    variables = Variables(graph, found, places, edges, live, inputs)
    outputs = {places[node][0] for node in asked}
    choice = _Choice(variables, outputs, unwritten)
    order = choice.made()
    ends = {places[node][0]: "L" if unwritten is None else "y" for node in graph.outputs}
    of_parameters = _of_parameters(graph)
    letters = names(order, edges, places, ends, inputs)
    variables.named = {
        series: Variable(
            *letters[series],
            parameter=of_parameters.get(series.example) is True and series.example.ndim > 1,
            shape=series.example.shape,
            steps=series.steps,
            key=key,
        )
        for key, series in enumerate(order)
    }
    return variables


@dataclass
class _Choice:
    """Which series are variables."""

    variables: Variables
    asked: set[Series]
    unwritten: Collection[str] | None
    chosen: set[Series] = field(default_factory=set)
    depths: dict[Series, int] = field(default_factory=dict)

    def made(self) -> list[Series]:
        """The variables, in the order of computation."""
        for series in reversed(self.variables.series):
            if not series.is_number and not self._is_part(series) and not self._is_whole(series):
                self.chosen.add(series)
        return [series for series in self.variables.series if series in self.chosen]

    def _is_whole(self, series: Series) -> bool:
        """Whether it is an array of which the steps read their parts, and nobody anything else."""
        readers = [child for child, _ in self.variables.edges[series.example]]
        found = {self.variables.places[reader][0] for reader in readers}
        return bool(found) and found <= self.variables.inputs

    def _is_part(self, series: Series) -> bool:
        """Whether a series is written inside of its consumer's equation."""
        example = series.example
        if example.op is None or series in self.asked or series in self.variables.inputs:
            return False
        if example.name is not None and example.name not in (self.unwritten or ()):
            return False
        reader_and_position = self._only_reader(series)
        if reader_and_position is None:
            return False
        reader, i = reader_and_position
        depth = 1 if reader in self.chosen else self.depths.get(reader, 0) + 1
        if depth > DEEPEST or not self._may_stand_inside(example, reader, i):
            return False
        self.depths[series] = depth
        return True

    def _only_reader(self, series: Series) -> tuple[Series, int] | None:
        """The one series that reads it, at the same step and as the same input, if there is one."""
        readers = set()
        for t, node in series.nodes.items():
            edges = self.variables.edges.get(node, [])
            if len(edges) != 1:
                return None
            child, i = edges[0]
            reader, s = self.variables.places[child]
            once = self.unwritten is not None and t is None  # of one step only
            if s != t and not reader.running and not once:
                return None
            readers.add((reader, 0 if reader.running else i))
        return readers.pop() if len(readers) == 1 else None

    def _may_stand_inside(self, example: Node, reader: Series, i: int) -> bool:
        """Whether it needs no letter of its own, by what it is and what reads it."""
        consumer = reader.example
        assert example.op is not None
        if self.unwritten is not None:
            return True
        if example.op.many is not None:  # a variable of its own, unless it is summed at once
            return _sums(consumer)
        into_sum = example.op.kind in ("linear", "product") or selects(example)
        if into_sum and activates(consumer):
            return False
        live = self.variables.live
        if example not in live:
            return True
        if _reads_rows(consumer, i):
            return False  # its derivative is a matrix of each row, in the letter of the row
        if consumer.op is not None and consumer.op.scatter is not None:
            return False  # its adjoint is added up part by part
        sources = len({parent for parent in example.parents if parent in live})
        return sources < 2 or self._passes_unchanged(example, reader, i)

    def _passes_unchanged(self, node: Node, reader: Series, i: int) -> bool:
        """Whether the node's adjoint is that of a variable, so that writing it twice is no loss."""
        while True:
            consumer = reader.example
            if consumer.shape != node.shape or not _passes(consumer, i):
                return False
            if reader in self.chosen:
                return True
            node = consumer
            child, i = self.variables.edges[consumer][0]
            reader = self.variables.places[child][0]


def _inputs(found: Sequence[Series], live: set[Node]) -> set[Series]:
    """The parts of data that are read one at each step, the same number of steps from the start."""
    parts: dict[Node, dict[Series, set[int]]] = {}
    for series in found:
        for t, node in series.nodes.items():
            if t is None or not selects(node) or type(index_of(node)) is not int:
                continue
            (whole,) = node.parents
            if whole.op is None and not whole.requires_grad and node not in live:
                parts.setdefault(whole, {}).setdefault(series, set()).add(t - index_of(node))
    inputs: set[Series] = set()
    for of_one in parts.values():
        if len(set().union(*of_one.values())) == 1:  # not with lags, X[t-1] and X[t-2]
            inputs.update(of_one)
    return inputs


def _sums(node: Node) -> bool:
    """Whether it is a sum of elements."""
    return node.op is not None and node.op.is_sum_of_elements(node)


def _reads_rows(node: Node, position: int) -> bool:
    """Whether an operation reads the rows of an input, each as a whole."""
    shapes = [parent.shape for parent in node.parents]
    meets = node.op.text("meets", shapes, node.params, position) if node.op else None
    return meets == "rows"


def _passes(node: Node, position: int) -> bool:
    """Whether an operation passes its adjoint on to an input as it is, but for its sign."""
    assert node.op is not None
    shapes = [parent.shape for parent in node.parents]
    if node.op.text("meets", shapes, node.params, position) != "elementwise":
        return False
    return number_in(node.op.said("derivative", node, position, by="explain")) in (1, -1)


def _of_parameters(graph: Graph) -> dict[Node, bool | None]:
    """Whether each node is made of parameters and numbers only; None if of numbers alone."""
    found: dict[Node, bool | None] = {}
    for node in graph:
        if node.op is None:
            found[node] = node.requires_grad
        else:
            behind = {found[parent] for parent in node.parents}
            found[node] = False if False in behind else True if True in behind else None
    return found
