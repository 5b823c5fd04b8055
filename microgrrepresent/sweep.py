r"""The reverse sweep: the chain rule over a recorded graph, from the outputs back to the inputs.

    adjoint[output] = 1
    for each node, youngest first:
        for each of its parents:
            adjoint[parent] += vjp(adjoint[node])

Ids are a topological order, so when a node's turn comes all its children have had theirs, and its
adjoint is complete. The adjoints live in a dict and leave it as they are used. There is no
recursion, so a chain of any length works, and nothing is left behind for the next sweep.

Called with arrays, the rules give numbers. Called with nodes (``create_graph=True``), the same
rules record the derivative as a graph of its own, which can be drawn and differentiated again.

What is around the loop stands apart: which nodes there are to visit (`schedule`), what a node's
rules are called with (`pullbacks`), how parts are added up without copies (`sums`), and which rule
is to blame if one fails (`broken_rules`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from microgrrepresent.broken_rules import broken_rules_named
from microgrrepresent.node import Node
from microgrrepresent.pullbacks import Pullback, numbers
from microgrrepresent.schedule import schedule
from microgrrepresent.sums import Sums


def sweep(
    outputs: Sequence[Node],
    seeds: Sequence[Any],
    sources: Sequence[Node] | None = None,
    pull: Pullback = numbers,
) -> Iterator[tuple[Node, Any]]:
    """Yield every node between the sources and the outputs with its adjoint, youngest first.

    Parameters
    ----------
    outputs, seeds
        Where the sweep starts, and with which adjoints.
    sources
        The nodes whose adjoints are wanted: only paths to them are walked. By default, the leaves
        that require a gradient.
    pull
        What the rules of a node are, and what they are called with: arrays or nodes.
    """
    nodes = schedule(outputs, sources)
    adjoints = Sums()
    for output, seed in zip(outputs, seeds, strict=True):
        adjoints.add(output, seed)
    with broken_rules_named(nodes, pull):
        for node in nodes.values():
            g = adjoints.take(node)
            if g is None:
                continue  # it has a path to an output, but none along which a derivative passes
            yield node, g
            rules, args = pull(node, g)
            for i, parent in enumerate(node.parents):
                if parent.id in nodes and (rule := rules[i]) is not None:
                    adjoints.add(parent, rule(*args))
