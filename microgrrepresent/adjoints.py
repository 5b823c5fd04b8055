"""The adjoints of all nodes, kept, and taken apart: by edge, and by time step.

The sweep forgets an adjoint as soon as it has been used. Here everything is kept: dL/d(node) of
every node, and the part of it that came along every edge. For a parameter that an unrolled network
uses at each step, those parts are the terms of the sum that backpropagation through time takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.arguments import one_node
from microgrrepresent.errors import GradientError
from microgrrepresent.gradients import require_gradient, seeded
from microgrrepresent.node import Array, Node
from microgrrepresent.prompt import ByTime
from microgrrepresent.pullbacks import Edge, kept_in, numbers
from microgrrepresent.sums import fitted
from microgrrepresent.sweep import sweep


def backward(
    output: Node, seed: ArrayLike | None = None, keep: Literal["all", "nodes"] = "all"
) -> Adjoints:
    """Run the reverse sweep and keep the adjoint of every node, and what flowed along every edge.

    Parameters
    ----------
    output : Tensor
        What to differentiate.
    seed : array_like, optional
        Its adjoint, of its shape. An output of one element needs none: it is 1.
    keep : {"all", "nodes"}
        Whether to keep the contributions along the edges too.

    Returns
    -------
    Adjoints

    Raises
    ------
    GradientError
        If no leaf behind the output requires a gradient, or it needs a seed.
    StaleGraphError
        If a leaf of the graph was assigned to after the graph was recorded.

    Examples
    --------
    >>> from microgrrepresent import Tensor, backward, step
    >>> w, s = Tensor(2.0, requires_grad=True, name="w"), Tensor(1.0)
    >>> for t in (1, 2, 3):
    ...     with step(t):
    ...         s = w * s
    >>> adjoints = backward(s)
    >>> float(adjoints[w]), {t: float(g) for t, g in adjoints.by_step(w).items()}
    (12.0, {1: 4.0, 2: 4.0, 3: 4.0})
    """
    require_gradient(output)
    if keep not in ("all", "nodes"):
        raise ValueError(f"backward: keep must be 'all' or 'nodes', got {keep!r}")
    edges: dict[Edge, Array] | None = {} if keep == "all" else None
    pull = numbers if edges is None else kept_in(edges)
    first = seeded(output, seed, "backward", False)
    nodes = {node: _frozen(g) for node, g in sweep([output], [first], pull=pull)}
    return Adjoints(nodes, edges)


class Adjoints:
    """The result of a reverse sweep: dL/d(node) of every node on the way, and its parts.

    Made by `backward`. ``adjoints[node]`` is the adjoint of a node; ``node in adjoints`` tells
    whether it has one; iteration gives the nodes, youngest first. Arrays are read-only.
    """

    def __init__(self, nodes: dict[Node, Array], edges: dict[Edge, Array] | None) -> None:
        self._nodes = nodes
        self._edges = edges
        self._uses: dict[Node, list[tuple[Node, int]]] = {}
        for child in nodes:
            for i, parent in enumerate(child.parents):
                if edges is not None and (child.id, i) in edges:
                    self._uses.setdefault(parent, []).append((child, i))

    def __getitem__(self, node: Node) -> Array:
        one_node(node, "adjoints", "the node that is asked about")
        if node not in self._nodes:
            raise GradientError(
                f"{node.name or 'the node'} {node.shape} has no adjoint here: the output does not "
                "depend on it, or no leaf behind it requires a gradient"
            )
        return self._nodes[node]

    def __contains__(self, node: object) -> bool:
        return node in self._nodes

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __repr__(self) -> str:
        output = next(iter(self))
        return f"<Adjoints of {len(self)} nodes behind {output.name or 'the output'}>"

    def contribution(self, parent: Node, child: Node) -> Array:
        """The part of the parent's adjoint that came from this child, over all edges between them.

        Raises
        ------
        GradientError
            If nothing flowed from the child to the parent.
        """
        parts = [self._part(c, i) for c, i in self._consumers(parent) if c is child]
        if not parts:
            raise GradientError(
                f"nothing flowed to {parent.name or 'the parent'} {parent.shape} from "
                f"{child.name or 'the child'} {child.shape}: no edge with a derivative joins them"
            )
        return _frozen(sum(parts[1:], parts[0]))

    def along(self, child: Node, i: int) -> Array | None:
        """What flowed from a node to its i-th parent; None if nothing did, or it was not kept."""
        return (self._edges or {}).get((child.id, i))

    def by_step(self, node: Node) -> ByTime[int | None]:
        """The terms of the sum that backpropagation through time takes: {t: array}.

        A term is what came from the uses of the node at step t; together they make its adjoint.
        A use outside of any step, such as a transpose made once before the loop, is followed to
        the steps at which its result is used: rules are linear in g, so they take a sum term by
        term. What never meets a step stands under None.
        """
        return self.by_use(node, lambda user: user.step)

    def by_use(self, node: Node, when: Callable[[Node], int | None]) -> ByTime[int | None]:
        """The same terms, by another time than the step of the user: {time: array}.

        A network that goes through the steps more than once uses a parameter more than once at a
        step.

        Parameters
        ----------
        node : Tensor
            The parameter.
        when : function from Tensor to int or None
            The time of what uses it; None for what has no step.
        """
        one_node(node, "by_step", "the parameter")
        terms: dict[Node, dict[int | None, Array]] = {}
        for user in self._stepless_descendants(node):  # youngest first, so `node` comes last
            uses = self._consumers(user)
            mine: dict[int | None, Array] = {} if uses else {None: self[user]}  # the output: seed
            for child, i in uses:
                flowed = self._part(child, i)
                split: dict[int | None, Array]
                if child.step is not None:
                    split = {when(child): flowed}
                elif set(terms[child]) == {None}:
                    split = {None: flowed}
                else:
                    split = {t: _pulled_back(g, child, i) for t, g in terms[child].items()}
                for t, g in split.items():
                    mine[t] = mine[t] + g if t in mine else g
            terms[user] = mine
        ordered = sorted(terms[node].items(), key=lambda term: (term[0] is None, term[0] or 0))
        return ByTime({t: _frozen(g) for t, g in ordered})

    def _stepless_descendants(self, node: Node) -> list[Node]:
        found = {node}
        todo = [node]
        while todo:
            for child, _ in self._consumers(todo.pop()):
                if child.step is None and child not in found:
                    found.add(child)
                    todo.append(child)
        found.remove(node)  # it comes last, also where a leaf got a younger id by assign()
        return [*sorted(found, key=lambda n: -n.id), node]

    def _consumers(self, node: Node) -> list[tuple[Node, int]]:
        if self._edges is None:
            raise GradientError("the contributions were not kept; use backward(output, keep='all')")
        self[node]  # a node without an adjoint is told so
        return self._uses.get(node, [])

    def _part(self, child: Node, i: int) -> Array:
        assert self._edges is not None
        return self._edges[child.id, i]


def _pulled_back(g: Array, child: Node, i: int) -> Array:
    """What a part g of the child's adjoint contributes to its i-th parent."""
    rule = child.op.vjp[i] if child.op else None
    assert rule is not None
    part = rule(g, child.value, *[p.value for p in child.parents], **child.params)
    return np.asarray(fitted(part, child.parents[i].value))


def _frozen(g: Any) -> Array:
    view: Array = np.asarray(g).view()
    view.setflags(write=False)
    return view
