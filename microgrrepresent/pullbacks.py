"""What a node hands its adjoint back with: the rules for its parents, and their arguments.

The sweep calls ``rule(*args)`` for each parent, with ``rules, args`` from one of these functions.
So one loop gives numbers, keeps what flows along each edge, or records the derivative as a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from microgrrepresent.node import Node
from microgrrepresent.parts import Selected
from microgrrepresent.place import here
from microgrrepresent.primitive import Primitive, Rule
from microgrrepresent.sums import fitted

Edge = tuple[int, int]  # the child's id, and the position of the parent among its parents
Pullback = Callable[[Node, Any], tuple[Sequence[Rule | None], Sequence[Any]]]


def numbers(node: Node, g: Any) -> tuple[Sequence[Rule | None], Sequence[Any]]:
    """Arrays in, arrays out, as fast as it goes."""
    op, parents = node.op, node.parents
    if op is None:
        return (), ()
    args: Sequence[Any]
    if len(parents) == 2:  # most nodes have two or one; a loop would take twice as long
        a, b = parents
        args = g, node.value, a.value, b.value
    elif len(parents) == 1:
        args = g, node.value, parents[0].value
    else:
        args = _values(node, g)
    if op.many is not None:
        return _bound(op, args, node.params)
    if op.scatter is not None:
        part: Any = Selected((op.scatter, g, args[2:], node.params))
        if len(parents) == 1:
            return (part,), ()
        return (part, *_with(op.vjp[1:], node.params)), args  # the other inputs keep their rules
    if node.params:
        return _with(op.of_arrays, node.params), args
    return op.of_arrays, args


def kept_in(contributions: dict[Edge, Any]) -> Pullback:
    """Arrays in, arrays out; what flows along each edge is kept, in its parent's shape."""

    def pull(node: Node, g: Any) -> tuple[Sequence[Rule | None], Sequence[Any]]:
        if node.op is None:
            return (), ()

        def keeping(rule: Rule, i: int) -> Rule:
            def kept(*args: Any) -> Any:
                part = fitted(rule(*args), node.parents[i].value)
                contributions[node.id, i] = part
                return part

            return kept

        rules, args = _bound(node.op, _values(node, g), node.params)
        return [rule and keeping(rule, i) for i, rule in enumerate(rules)], args

    return pull


def recorded(node: Node, g: Any) -> tuple[Sequence[Rule | None], Sequence[Any]]:
    """Nodes in, nodes out, made at the place of the node whose derivative they compute."""
    if node.op is None:
        return (), ()
    here.set(here.get()._replace(scope=node.scope, step=node.step, derivative_of=node))

    def fitting(rule: Rule, i: int) -> Rule:
        return lambda *args: fitted(rule(*args), node.parents[i].value)

    rules, args = _bound(node.op, (g, node, *node.parents), node.params)
    return [rule and fitting(rule, i) for i, rule in enumerate(rules)], args


def _values(node: Node, g: Any) -> tuple[Any, ...]:
    return g, node.value, *[parent.value for parent in node.parents]


def _bound(
    op: Primitive, args: tuple[Any, ...], params: dict[str, Any]
) -> tuple[Sequence[Rule | None], Sequence[Any]]:
    """The rules with the static arguments that they are to be called with, too."""
    if op.many is not None:  # rules for thousands of inputs are told them once instead of each
        return op.many.bound(args[2:], params), args[:2]
    return _with(op.vjp, params), args


def _with(rules: Sequence[Rule | None], params: dict[str, Any]) -> Sequence[Rule | None]:
    return [rule and partial(rule, **params) for rule in rules]
