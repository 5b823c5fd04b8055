"""A recorded loss as a function that records it again, from its leaves as they are then.

What a loop was given step by step, a leaf for each step, is stacked to one leaf of which each step
reads its row: so the program has one argument for all of them, however many steps there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from microgrrepresent.errors import GraphError, located, operand
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.recurrence import recurrence
from microgrrepresent.scopes import at
from microgrrepresent.tensor import Tensor


def recorded(loss: Node, wrt: Sequence[Node]) -> Callable[[], Node]:
    """A function that applies the operations of a graph again, each at its place.

    Raises
    ------
    GraphError
        If the steps of the graph differ, or if what to differentiate with respect to is no leaf,
        or one of the leaves that are stacked. The message names the node.
    """
    graph = Graph(loss)
    rows = dict(_rows(graph))
    for node in wrt:
        if node.op is not None and node.parents:
            place = located(node.op.name, node.scope, node.step)
            raise GraphError(
                f"program: {operand(node.name, node)} is the result of {place}; a program gives "
                "the gradients of leaves, such as parameters, and grad(...) those of any node"
            )
    for leaf in rows:
        if leaf.requires_grad or leaf in set(wrt):
            raise GraphError(
                f"program: {operand(leaf.name, leaf)} is another leaf at each step, and no loop "
                "gives a gradient to each; let the steps read the rows of one Tensor, as "
                "steps(X) does"
            )

    def again() -> Node:
        made: dict[Node, Node] = {}
        for node in graph:
            if node in rows:
                stack, i = rows[node]
                with at(node.place):
                    found: Node = stack[i]
            elif node.op is None or not node.parents:
                made[node] = node
                continue
            else:
                with at(node.place):
                    found = node.op(*[made[p] for p in node.parents], **node.params)
            if node.name is not None:
                found.name = node.name
            made[node] = found
        return made[loss]

    return again


def _rows(graph: Graph) -> Iterator[tuple[Node, tuple[Tensor, int]]]:
    """The leaves that are one variable at several steps, each with the row that has its value."""
    found = recurrence(graph)
    found.refuse_breaks()
    for strand in found.strands:
        leaves = list(strand.nodes.values())
        if len(leaves) == 1 or any(leaf.parents or leaf.op is not None for leaf in leaves):
            continue
        if leaves[0].name is None and leaves[0].shape == ():  # a number, such as the 1 of 1 - z
            continue
        letter = leaves[0].name
        stack = Tensor(
            np.stack([leaf.value for leaf in leaves]),
            name=letter.upper() if letter and len(letter) == 1 else letter,
        )
        yield from ((leaf, (stack, i)) for i, leaf in enumerate(leaves))
