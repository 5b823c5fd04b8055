"""Where a computation stops being finite: the first node with a NaN or an inf, and why.

A loss of NaN says that something went wrong, not what. The graph has kept every value, so the
first one that is not finite can be looked up. If all values are finite, the reverse sweep is run
and asked the same: an adjoint may overflow, or meet an infinite derivative, on its own.

An inf that came in from outside, such as the -inf of a masked score, is no fault by itself. The
fault begins where finite operands give an inf, or where anything gives a NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from microgrrepresent import Graph, Node
from microgrrepresent.arguments import one_node
from microgrrepresent.errors import located
from microgrrepresent.node import Array
from microgrrepresent.pullbacks import Edge, kept_in
from microgrrepresent.sweep import sweep


@dataclass(frozen=True)
class Nonfinite:
    """The first node at which a value or a gradient stops being finite.

    Attributes
    ----------
    node : Node
        The node whose value or adjoint it is.
    kind : {"value", "gradient"}
        Which of the two.
    scope, step
        Where the operation at fault was applied.
    message : str
        One sentence with the operation, its place and its operands.
    """

    node: Node
    kind: Literal["value", "gradient"]
    scope: str
    step: int | None
    message: str

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"<Nonfinite: {self.message}>"


def find_nonfinite(loss: Node) -> Nonfinite | None:
    """Name the first node, its scope and step, at which a value or gradient stops being finite.

    Parameters
    ----------
    loss : Tensor
        The output to look behind. Its adjoint is taken to be 1 everywhere.

    Returns
    -------
    Nonfinite or None
        None if all values and gradients are finite.

    Examples
    --------
    >>> import numpy as np
    >>> from microgrrepresent import Tensor, exp, steps
    >>> from rnn.diagnosis import find_nonfinite
    >>> h = Tensor(1.0, requires_grad=True, name="h")
    >>> with np.errstate(over="ignore"):
    ...     for t, x in steps(Tensor([1.0, 2.0, 3.0, 4.0])):
    ...         h = exp(x * h).named("h")
    >>> print(find_nonfinite(h))
    the value of h_4 is inf: exp at t=4, applied to u(8), which is 6.47756e+299
    """
    graph = Graph(one_node(loss, "find_nonfinite", "the loss"))
    return _first_value(graph) or _first_gradient(graph, loss)


def _first_value(graph: Graph) -> Nonfinite | None:
    from_outside: Node | None = None
    for node in graph:
        if _finite(node.value):
            continue
        if node.op is None or not node.parents:
            if np.isnan(node.value).any():
                return _given(graph, node)
            from_outside = from_outside or node
        elif np.isnan(node.value).any() or all(_finite(p.value) for p in node.parents):
            operands = ", and ".join(
                f"{graph.label(p)}, which {_range(p.value)}" for p in dict.fromkeys(node.parents)
            )
            return Nonfinite(
                node,
                "value",
                node.scope,
                node.step,
                f"the value of {graph.label(node)} {_bad(node.value)}: "
                f"{located(node.op.name, node.scope, node.step)}, applied to {operands}",
            )
    if from_outside is not None and not all(_finite(out.value) for out in graph.outputs):
        return _given(graph, from_outside)
    return None


def _given(graph: Graph, leaf: Node) -> Nonfinite:
    return Nonfinite(
        leaf,
        "value",
        leaf.scope,
        leaf.step,
        f"the value of {graph.label(leaf)} {_bad(leaf.value)}: it was given so; "
        "no operation made it",
    )


def _first_gradient(graph: Graph, loss: Node) -> Nonfinite | None:
    if not loss.requires_grad:
        return None
    edges: dict[Edge, Array] = {}
    seen: dict[int, Node] = {}
    with np.errstate(all="ignore"):
        for node, adjoint in sweep([loss], [np.ones_like(loss.value)], pull=kept_in(edges)):
            seen[node.id] = node
            if _finite(np.asarray(adjoint)):
                continue
            arrived = {
                seen[k]: part for (k, i), part in edges.items() if seen[k].parents[i] is node
            }
            bad = [child for child, part in arrived.items() if not _finite(part)]
            through = (bad or list(arrived))[0]  # none is bad where only their sum overflows
            assert through.op is not None
            return Nonfinite(
                node,
                "gradient",
                through.scope,
                through.step,
                f"the gradient with respect to {graph.label(node)} "
                f"{_bad(np.asarray(adjoint))}: the derivative of "
                f"{located(through.op.name, through.scope, through.step)}, which makes "
                f"{graph.label(through)}, at {graph.label(node)}, which {_range(node.value)}",
            )
    return None


def _finite(value: Array) -> bool:
    return value.dtype.kind in "biu" or bool(np.isfinite(value).all())


def _bad(value: Array) -> str:
    """``is inf``, or ``has 3 of 8 elements that are NaN or inf``."""
    bad = value[~np.isfinite(value)]
    kinds = [name for name, test in (("NaN", np.isnan), ("inf", np.isinf)) if test(bad).any()]
    if value.size == 1:
        return f"is {kinds[0]}"
    return f"has {bad.size} of {value.size} elements that are {' or '.join(kinds)}"


def _range(value: Array) -> str:
    """``is 709.4``, or ``goes from -3 to 710.2``."""
    if value.size == 1:
        return f"is {value.item():.6g}"
    if not value.size:
        return "is empty"
    return f"goes from {value.min():.6g} to {value.max():.6g}"
