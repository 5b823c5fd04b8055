r"""The reverse sweep: the chain rule over a recorded graph, from the outputs back to the inputs.

    adjoint[output] = 1
    for each node, youngest first:
        for each of its parents:
            adjoint[parent] += vjp(adjoint[node])

Ids are a topological order, so when a node's turn comes all its children have had theirs, and its
adjoint is complete. The adjoints live in a dict and leave it as they are used. There is no
recursion, so a chain of any length works.

Run on arrays, the rules give numbers. Run on nodes (``create_graph=True``), the same rules record
the derivative as a graph of its own, which can be drawn and differentiated again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from microgrrepresent.errors import GradientError, located, operand, stale
from microgrrepresent.node import Array, Node
from microgrrepresent.ops import cast, unbroadcast
from microgrrepresent.place import here
from microgrrepresent.tensor import Tensor

_BROKEN = (AttributeError, IndexError, TypeError, ValueError)  # how a wrong rule shows

Edge = tuple[int, int]  # the child's id, and the position of the parent among its parents


def sweep(
    outputs: Sequence[Node],
    seeds: Sequence[Any],
    sources: Sequence[Node] | None = None,
    *,
    symbolic: bool = False,
    contributions: dict[Edge, Any] | None = None,
) -> Iterator[tuple[Node, Any]]:
    """Yield every node between the sources and the outputs with its adjoint, youngest first.

    Parameters
    ----------
    outputs, seeds
        Where the sweep starts, and with which adjoints.
    sources
        The nodes whose adjoints are wanted: only paths to them are walked. By default, the leaves
        that require a gradient.
    symbolic
        Apply the rules to nodes instead of to their arrays, so that they record a graph.
    contributions
        Filled, if given, with what flows along each edge.
    """
    between = _between(outputs, sources)
    adjoints = _Sums()
    for output, seed in zip(outputs, seeds, strict=True):
        adjoints.add(output, seed)

    every_edge = symbolic or contributions is not None  # what flows along each will be looked at
    outside = here.get()
    try:
        for key in sorted(between, reverse=True):
            node = between[key]
            g = adjoints.take(node)
            if g is None:
                continue  # it has a path to an output, but none along which a derivative passes
            yield node, g
            op, parents, params = node.op, node.parents, node.params
            if op is None:
                continue
            if symbolic:
                here.set(outside._replace(scope=node.scope, step=node.step, forward=node))
                args = [g, node, *parents]
            else:
                args = [g, node.value]
                for parent in parents:  # a comprehension would be a call for every node
                    args.append(parent.value)
            rules = op.vjp
            if op.many is not None:  # thousands of inputs are handed over once
                rules, params = op.many.bound(args[2:], params), {}
                args = args[:2]
            for i, parent in enumerate(parents):
                if parent.id not in between:
                    continue
                rule = rules[i]
                if rule is None:
                    continue
                if op.scatter and not every_edge:
                    op.scatter(adjoints.own(parent), g, *args[2:], **params)
                    continue
                part = rule(*args, **params) if params else rule(*args)
                if every_edge:
                    part = fitted(part, parent.value)
                adjoints.add(parent, part)
                if contributions is not None:
                    contributions[node.id, i] = part
    except _BROKEN as error:
        raise _broken(between, symbolic, error) from error
    finally:
        here.set(outside)


class _Sums:
    """The adjoints that are being added up.

    Parts are added up as the rules gave them, and the sum is fitted to its node when it is
    complete: so the adjoint of a bias is summed over the steps first, and over the batch once.

    What arrives first may be an array that others hold too, such as g itself on its way through an
    addition. A sum that was made here belongs to nobody else, and is added to in place.
    """

    def __init__(self) -> None:
        self._sums: dict[int, Any] = {}
        self._made_here: set[int] = set()

    def add(self, node: Node, part: Any) -> None:
        """Add a part to the adjoint of a node."""
        key = node.id
        if key not in self._sums:
            self._sums[key] = part
            return
        total = self._sums[key]
        if total.shape != part.shape or total.dtype is not part.dtype:
            total, part = fitted(total, node.value), fitted(part, node.value)
        if key in self._made_here:
            total += part
        else:
            total = total + part
            self._made_here.add(key)
        self._sums[key] = total

    def own(self, node: Node) -> Array:
        """The adjoint of a node, so far, as an array that may be added to in place."""
        key, value = node.id, node.value
        if key not in self._sums:
            self._sums[key] = np.zeros(value.shape, value.dtype)
        else:
            total = fitted(self._sums[key], value)
            if total is not self._sums[key] or key not in self._made_here or not total.ndim:
                self._sums[key] = np.array(total)  # also of a sum that is a scalar
        self._made_here.add(key)
        return self._sums[key]  # type: ignore[no-any-return]

    def take(self, node: Node) -> Any:
        """The adjoint of a node, complete, of its shape and dtype; None if nothing was added."""
        if node.id not in self._sums:
            return None
        g, value = self._sums.pop(node.id), node.value
        if g.shape != value.shape or g.dtype is not value.dtype:
            g = fitted(g, value)
        return g


def _between(outputs: Sequence[Node], sources: Sequence[Node] | None) -> dict[int, Node]:
    """The nodes behind the outputs that depend on a source, by id."""
    wanted = None if sources is None else {node.id for node in sources}
    # What is older than all sources cannot depend on them, so the walk need not go there; but a
    # leaf may have a younger id than what was made from it, if it was assigned to.
    made = sources is not None and all(node.op is not None for node in sources)
    oldest = min(wanted) if wanted and made else 0
    found = {node.id: node for node in outputs}
    aside: set[int] = set()  # walked over only to see that nothing in it is stale
    todo = list(outputs)
    for node in todo:  # the list grows meanwhile
        child = node.id
        for parent in node.parents:
            key = parent.id
            if key > child:
                raise stale(parent, node)
            if key in found:
                continue
            if parent.requires_grad if wanted is None else key >= oldest:
                found[key] = parent
                todo.append(parent)
            elif wanted is None and parent.parents and key not in aside:
                aside.add(key)
                todo.append(parent)
    if wanted is None:
        return found
    depends: dict[int, Node] = {}
    for key in sorted(found):
        node = found[key]
        if key in wanted or (
            node.value.dtype.kind in "fc" and any(parent.id in depends for parent in node.parents)
        ):
            depends[key] = node
    return depends


def fitted(contribution: Any, value: Array) -> Any:
    """Undo broadcasting and promotion, so that a contribution has its parent's shape and dtype."""
    if contribution.shape != value.shape:
        contribution = unbroadcast(contribution, value.shape)
    if contribution.dtype is not value.dtype:
        contribution = cast(contribution, dtype=value.dtype.name)
    return contribution


def _broken(between: dict[int, Node], symbolic: bool, error: Exception) -> GradientError:
    """Find the rule that is to blame, by asking all of them again, one by one."""
    for key in sorted(between, reverse=True):
        node = between[key]
        if node.op is None:
            continue
        g: Any = np.zeros_like(node.value)
        y: Any = node.value
        xs: Sequence[Any] = [x.value for x in node.parents]
        if symbolic:
            g, y, xs = Tensor(g), node, node.parents
        for i, x in enumerate(node.parents):
            try:
                rule = node.op.vjp[i]
                if rule is not None:
                    fitted(rule(g, y, *xs, **node.params), x.value)
            except _BROKEN as found:
                return GradientError(
                    f"{located(node.op.name, node.scope, node.step)}: the rule for input {i}, "
                    f"{operand(x.name, x)}, failed: {found}; it is called as "
                    "rule(g, y, *inputs, **params) and should return an array of the shape of the "
                    f"input {x.shape} or the output {node.shape}"
                )
    return GradientError(f"the reverse sweep failed: {error}")
