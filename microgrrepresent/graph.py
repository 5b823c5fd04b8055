"""A graph: the nodes behind some outputs, in an order in which they can be computed.

Nodes know their parents only. A `Graph` walks from the outputs to everything behind them, sorts
what it found by id, which is a topological order, and answers the questions that need the whole:
who consumes a node, how long the longest path is, what to call a node that has no name. It adds
nothing to the nodes and is never pointed to by them, so it can be thrown away.

Printed, a graph is a listing, one line for each variable; `to_json` writes it down without loss;
`replay` computes it again for other inputs, without the Python code that recorded it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from microgrrepresent.arrays import new_array
from microgrrepresent.errors import (
    DTypeError,
    GraphError,
    ShapeError,
    located,
    operand,
    shortened,
    stale,
)
from microgrrepresent.graph_json import read_json, write_json
from microgrrepresent.listing import labels, listing
from microgrrepresent.node import Array, Node
from microgrrepresent.primitive import registry


class Graph:
    """The nodes behind one or several outputs, in topological order.

    Iteration gives the nodes, parents before children; ``len`` counts them; ``node in graph`` tells
    whether a node is one of them; ``print(graph)`` lists them.

    Parameters
    ----------
    outputs : Node or sequence of Node
        Where the walk toward the leaves starts.

    Attributes
    ----------
    outputs : tuple of Node
        As given.

    Raises
    ------
    GraphError
        If there is no output, or one that is not a node.
    StaleGraphError
        If a leaf was assigned to after the graph was recorded.

    Examples
    --------
    >>> from microgrrepresent import Graph, Tensor, sigmoid
    >>> x = Tensor([1.0, 2.0], name="x")
    >>> w = Tensor([0.5, 0.25], requires_grad=True, name="w")
    >>> y = sigmoid(x @ w + 1).named("ŷ")
    >>> graph = Graph(y)
    >>> print(graph)
    x: f64[2]                # input
    w: f64[2]                # parameter
    u(1): f64[] = matmul x w
    u(2): f64[] = add u(1) 1
    ŷ: f64[] = sigmoid u(2)  # output
    >>> len(graph), graph.depth(), [graph.label(node) for node in graph.consumers(w)]
    (6, 3, ['u(1)'])
    """

    def __init__(self, outputs: Node | Sequence[Node]) -> None:
        if not isinstance(outputs, (Node, Iterable)):
            raise GraphError(
                f"a Graph is made from Tensors, its outputs, got {type(outputs).__name__}"
            )
        self.outputs: tuple[Node, ...] = (outputs,) if isinstance(outputs, Node) else tuple(outputs)
        if not self.outputs:
            raise GraphError("a Graph needs at least one output to start from, got none")
        for output in self.outputs:
            if not isinstance(output, Node):
                raise GraphError(
                    f"a Graph is made from Tensors, its outputs, got {type(output).__name__}"
                )
        self._nodes: tuple[Node, ...] = _behind(self.outputs)
        self._index: dict[Node, int] = {node: i for i, node in enumerate(self._nodes)}

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, node: object) -> bool:
        return node in self._index

    def __repr__(self) -> str:
        return f"<Graph of {len(self)} nodes: {', '.join(map(self.label, self.outputs))}>"

    def __str__(self) -> str:
        return listing(self._nodes, self.outputs, self._labels)

    # --- the leaves and the steps ----------------------------------------------------------------

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The leaves that do not require a gradient. Numbers in the code are not among them."""
        return tuple(n for n in self._nodes if n.op is None and not n.requires_grad)

    @property
    def parameters(self) -> tuple[Node, ...]:
        """The leaves that require a gradient."""
        return tuple(n for n in self._nodes if n.op is None and n.requires_grad)

    @property
    def steps(self) -> tuple[int, ...]:
        """The time steps at which something was computed, in order; those of first states are not.

        As many as there are, ``unfold(fold(graph), len(graph.steps))`` is the graph again.
        """
        made = {node.step for node in self._nodes if node.step is not None and node.parents}
        return tuple(sorted(made))

    # --- questions -------------------------------------------------------------------------------

    def index(self, node: Node) -> int:
        """Position of a node in the graph's order, counted from 0.

        Raises
        ------
        GraphError
            If the node is not in the graph.
        """
        if node not in self._index:
            raise self._stranger(node)
        return self._index[node]

    def consumers(self, node: Node) -> tuple[Node, ...]:
        """The nodes that were made from this one, one entry for each edge.

        Examples
        --------
        >>> from microgrrepresent import Graph, Tensor
        >>> x = Tensor(3.0)
        >>> y = x * x
        >>> len(Graph(y).consumers(x))
        2
        """
        self.index(node)
        return self._consumers.get(node, ())

    def find(
        self,
        name: str | None = None,
        op: Callable[..., Any] | str | None = None,
        scope: str | None = None,
        step: int | None = None,
    ) -> list[Node]:
        """The nodes that answer to every given description, in the graph's order.

        Parameters
        ----------
        name : str, optional
            The node's name, without its step.
        op : callable or str, optional
            The operation that made it, such as ``tanh``, or that operation's name.
        scope : str, optional
            A path; nodes of the scopes inside it count too.
        step : int, optional
            The time step at which it was made.

        Examples
        --------
        >>> from microgrrepresent import Graph, Tensor, steps
        >>> s = Tensor(1.0)
        >>> for t, x in steps([Tensor(2.0), Tensor(3.0)]):
        ...     s = (s * x).named("s")
        >>> [float(node) for node in Graph(s).find(name="s")]
        [2.0, 6.0]
        >>> [float(node) for node in Graph(s).find(op="mul", step=2)]
        [6.0]
        """
        wanted = getattr(op, "name", getattr(op, "__name__", op))
        if wanted is not None and wanted not in registry:
            raise GraphError(
                f"find: no operation is recorded as {wanted!r}; give a name that the listing of "
                "the graph shows, such as 'matmul'"
            )
        return [
            node
            for node in self._nodes
            if (name is None or node.name == name)
            and (wanted is None or (node.op is not None and node.op.name == wanted))
            and (scope is None or f"{node.scope}/".startswith(f"{scope}/"))
            and (step is None or node.step == step)
        ]

    def depth(self) -> int:
        """Number of edges on the longest path through the graph."""
        deep: dict[Node, int] = {}
        for node in self._nodes:
            deep[node] = max((deep[parent] + 1 for parent in node.parents), default=0)
        return max(deep.values())

    def label(self, node: Node) -> str:
        """What to call a node, in the order of what is known about it.

        A named node is its name and step, ``h_3``, with its scope in front where two nodes would
        be called the same, ``layer2/h_3``; a number in the code is that number; a result without a
        name is ``u(1)``, ``u(2)``, ...; a leaf without a name is ``input(1)`` or ``parameter(1)``.
        Labels are unique, except that equal numbers look equal. They are settled when the first
        one is asked for.
        """
        self.index(node)
        return self._labels[node]

    # --- the whole graph -------------------------------------------------------------------------

    def to_json(self, indent: int | None = None) -> str:
        """Write the graph down as JSON: all that the nodes hold, values included.

        Raises
        ------
        StaleGraphError
            If a leaf was assigned to after the graph was recorded.

        See Also
        --------
        from_json
        """
        self._check_fresh()
        return write_json(self._nodes, self.outputs, self._index, indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Graph:
        """Read a graph that `to_json` wrote, as new nodes.

        Raises
        ------
        GraphError
            If the text is not such a graph, was changed since, has an operation that this program
            does not know, or values that its operations do not give.

        Examples
        --------
        >>> from microgrrepresent import Graph, Tensor, tanh
        >>> graph = Graph(tanh(Tensor([0.0, 1.0], name="x")).named("h"))
        >>> str(Graph.from_json(graph.to_json())) == str(graph)
        True
        """
        return cls(read_json(text))

    def replay(self, values: Mapping[Node, Any]) -> dict[Node, Array]:
        """Compute every node again, for other values of some leaves.

        No Python code of the forward pass runs, so what depended on values there (an ``if``, a
        loop's length) stays as it was recorded.

        Parameters
        ----------
        values : mapping from leaf to array_like
            New values, of the leaves' shapes. They are cast to the leaves' data types, except that
            complex numbers stay complex. Other leaves keep their values.

        Returns
        -------
        dict from Node to ndarray
            The value of each node of the graph; the nodes themselves do not change.

        Raises
        ------
        GraphError
            If a key is not a leaf of this graph.
        ShapeError, DTypeError
            If a value does not fit its leaf.
        StaleGraphError
            If a leaf was assigned to after the graph was recorded.

        Examples
        --------
        >>> from microgrrepresent import Graph, Tensor
        >>> x = Tensor(3.0, name="x")
        >>> y = x * x + 1
        >>> float(Graph(y).replay({x: 10.0})[y])
        101.0
        """
        if not isinstance(values, Mapping):
            raise TypeError(
                f"replay: values must be a dict {{leaf: array}}, got {shortened(values)}"
            )
        given = {leaf: self._fitted(leaf, value) for leaf, value in values.items()}
        self._check_fresh()
        results: dict[Node, Array] = {}
        for node in self._nodes:
            if node.op is None or not node.parents:
                results[node] = given.get(node, node.value)
                continue
            try:
                value = node.op.forward(*[results[p] for p in node.parents], **node.params)
            except (ValueError, IndexError, TypeError) as error:
                place = located(node.op.name, node.scope, node.step)
                message = f"replay: {place}, which makes {self.label(node)}: {error}"
                raise type(error)(message) from error
            results[node] = np.asarray(value)
        return results

    def _fitted(self, leaf: Node, value: Any) -> Array:
        """Check and copy a new value for a leaf."""
        if not isinstance(leaf, Node):
            raise GraphError(
                "replay: the keys are leaves of the graph, the Tensors themselves, "
                f"got {type(leaf).__name__} {leaf!r}"
            )
        if leaf not in self._index:
            raise self._stranger(leaf, "replay: ")
        label = self._labels[leaf]
        if leaf.op is not None:
            raise GraphError(
                f"replay: {label} is the result of {located(leaf.op.name, leaf.scope, leaf.step)}, "
                "so its value follows from its parents; give values for leaves only"
            )
        array = new_array(value.value if isinstance(value, Node) else value)
        if array.shape != leaf.shape:
            raise ShapeError(f"replay: {label} has shape {leaf.shape}, got {array.shape}")
        if np.can_cast(array.dtype, leaf.dtype, "same_kind"):
            return array.astype(leaf.dtype)
        if array.dtype.kind == "c" and leaf.dtype.kind == "f":
            return array.astype(np.result_type(leaf.dtype, np.complex64))
        raise DTypeError(f"replay: {label} holds {leaf.dtype}, got {array.dtype}")

    def _check_fresh(self) -> None:
        for node in self._nodes:
            for parent in node.parents:
                if parent.id > node.id:
                    raise stale(parent, node)

    def _stranger(self, node: Node, asker: str = "") -> GraphError:
        if not isinstance(node, Node):
            return GraphError(f"{asker}{node!r} is not a node, and a Graph is asked about nodes")
        outputs = ", ".join(map(self.label, self.outputs))
        return GraphError(
            f"{asker}{operand(node.name or 'a node', node)} is not in the graph of {outputs}: "
            "no path leads from it to an output"
        )

    @cached_property
    def _consumers(self) -> dict[Node, tuple[Node, ...]]:
        found: dict[Node, list[Node]] = {}
        for node in self._nodes:
            for parent in node.parents:
                found.setdefault(parent, []).append(node)
        return {parent: tuple(children) for parent, children in found.items()}

    @cached_property
    def _labels(self) -> dict[Node, str]:
        return labels(self._nodes)


def _behind(outputs: Sequence[Node]) -> tuple[Node, ...]:
    """The outputs and everything that they were made from, oldest first."""
    found = {node.id: node for node in outputs}
    todo = list(found.values())
    while todo:
        node = todo.pop()
        for parent in node.parents:
            if parent.id > node.id:
                raise stale(parent, node)
            if parent.id not in found:
                found[parent.id] = parent
                todo.append(parent)
    return tuple(found[key] for key in sorted(found))
