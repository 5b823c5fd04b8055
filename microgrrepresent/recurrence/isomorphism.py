"""Whether two graphs are the same graph, whatever the order in which their nodes were made."""

from __future__ import annotations

from microgrrepresent.errors import shortened
from microgrrepresent.graph import Graph
from microgrrepresent.listing import equation, labels
from microgrrepresent.node import Node
from microgrrepresent.recurrence.signature import exact


def isomorphic(a: Graph, b: Graph) -> bool:
    """Whether there is a one-to-one map between the nodes that keeps all but the values.

    Kept are operations, static arguments, parents and their order, shapes, data types, names,
    scopes, steps, which leaves require a gradient, which nodes a backward pass belongs to, and the
    order of the outputs. The cost is linear.

    Examples
    --------
    >>> from microgrrepresent import Graph, Tensor, isomorphic
    >>> a, b = Tensor(1.0, name="a"), Tensor(2.0, name="b")
    >>> isomorphic(Graph(a * b), Graph(a * b)), isomorphic(Graph(a * b), Graph(b * a))
    (True, False)
    """
    for given in (a, b):
        if not isinstance(given, Graph):
            raise TypeError(
                f"isomorphic: graphs are compared, got {shortened(given)}; Graph(y) is that of a "
                "Tensor"
            )
    return difference(a, b) is None


def difference(a: Graph, b: Graph) -> str | None:
    """Say where two graphs differ, or None if they are isomorphic.

    Outputs correspond, so their parents do, and so on to the leaves: as parents are ordered, there
    is only one map to try.
    """
    if len(a.outputs) != len(b.outputs):
        return f"{len(a.outputs)} outputs and {len(b.outputs)}"
    names_a, names_b = labels(tuple(a)), labels(tuple(b))
    there: dict[Node, Node] = {}
    taken: set[Node] = set()  # the nodes of b that are one of a's
    todo = list(zip(a.outputs, b.outputs, strict=True))
    while todo:
        m, n = todo.pop()
        if m in there or n in taken:
            if there.get(m) is not n:
                return f"{_told(m, names_a)} and {_told(n, names_b)} are not used alike"
            continue
        there[m] = n
        taken.add(n)
        if exact(m) != exact(n):
            return f"{_told(m, names_a)} and {_told(n, names_b)} differ"
        todo += zip(m.parents, n.parents, strict=True)
        if m.derivative_of is not None and n.derivative_of is not None:
            todo.append((m.derivative_of, n.derivative_of))
    return None


def _told(node: Node, names: dict[Node, str]) -> str:
    known = names | {p: p.name or "..." for p in (node, *node.parents) if p not in names}
    place = "".join(
        [f" in {node.scope}" * bool(node.scope), f" at t={node.step}" * (node.step is not None)]
    )
    return equation(node, known) + place
