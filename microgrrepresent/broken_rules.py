"""Which rule is to blame when a reverse sweep fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from microgrrepresent.errors import GradientError, located, operand
from microgrrepresent.node import Node
from microgrrepresent.pullbacks import Pullback, recorded
from microgrrepresent.sums import fitted

_BROKEN = (AttributeError, IndexError, TypeError, ValueError)  # how a wrong rule shows


@contextmanager
def broken_rules_named(nodes: Mapping[int, Node], pull: Pullback) -> Iterator[None]:
    """Say of a sweep that fails which operation has a rule that does not work.

    Raises
    ------
    GradientError
        In place of what the rule raised, or what adding up its result did.
    """
    try:
        yield
    except _BROKEN as error:
        raise _found(nodes, pull, error) from error


def _found(nodes: Mapping[int, Node], pull: Pullback, error: Exception) -> GradientError:
    """Find the rule by asking all of them again, one by one."""
    for node in nodes.values():
        if node.op is None:
            continue
        g, y, xs = np.zeros_like(node.value), node, node.parents
        args = (g, y, *xs) if pull is recorded else (g, y.value, *[x.value for x in xs])
        if node.op.many is None and len(xs) != len(node.op.vjp):
            return GradientError(
                f"{located(node.op.name, node.scope, node.step)}: it was applied to {len(xs)} "
                f"inputs, and has {len(node.op.vjp)} rules, one for each input; declare a rule, or "
                "None, for each, and give static arguments by name"
            )
        for i, x in enumerate(xs):
            try:
                rule = node.op.vjp[i]
                if rule is not None:
                    fitted(rule(*args, **node.params), x.value)
            except _BROKEN as found:
                return GradientError(
                    f"{located(node.op.name, node.scope, node.step)}: the rule for input {i}, "
                    f"{operand(x.name, x)}, failed: {found}; it is called as "
                    "rule(g, y, *inputs, **params) and should return an array of the shape of the "
                    f"input {x.shape} or the output {node.shape}"
                )
    return GradientError(f"the reverse sweep failed: {error}")
