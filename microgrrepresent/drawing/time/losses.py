"""Which results are losses, and which is the loss of a step: told by the graph, not by a name.

What is differentiated is a number. So a loss is an output that is a number and requires a gradient;
an operation of a backward pass is none, and no graph of numbers only has one, unless it has steps:
``z = x * y`` is a product. The loss of a step is what the losses are sums or means of.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from microgrrepresent.node import Node

if TYPE_CHECKING:
    from microgrrepresent.drawing.time.timeline import Timeline

LOSSES = frozenset({"L", "loss", "J", "cost", "ℓ"})
"""Names that say that a variable is a loss, wherever it is."""
OUTPUTS = frozenset({"y", "ŷ", "yhat", "y_hat", "logits"})
"""Names that say that a variable is an output, even if it is a number."""


def losses(time: Timeline) -> frozenset[Node]:
    """The outputs that are losses."""
    if not (time.T or any(node.size > 1 for node in time.nodes)):
        return frozenset(node for node in time.outputs if node.name in LOSSES)
    return frozenset(
        node
        for node in time.outputs
        if node.name in LOSSES
        or (
            node.parents
            and not node.shape
            and node.requires_grad
            and node.derivative_of is None
            and node.name not in OUTPUTS
        )
    )


def losses_of_steps(time: Timeline) -> frozenset[Node]:
    """The numbers without a name that the losses are made of, where a step has one of them."""
    found: dict[Node, None] = {}
    todo = list(time.losses)
    seen = set(todo)
    for node in todo:
        for parent in node.parents:
            drawn = time.stands_for.get(parent, parent)
            inner = drawn.shape or drawn.is_leaf or drawn.name is not None
            if inner or drawn in seen or not drawn.requires_grad:
                continue
            seen.add(drawn)
            if time.column.get(drawn, 0) > time.T or drawn in time.totals:
                todo.append(drawn)
            elif drawn in time.column and time.is_step(drawn):
                found[drawn] = None
    each = Counter(time.column[node] for node in found)
    return frozenset(node for node in found if each[time.column[node]] == 1)
