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
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.errors import (
    DTypeError,
    GradientError,
    ShapeError,
    StaleGraphError,
    located,
    operand,
)
from microgrrepresent.node import Array, Node, Place, here
from microgrrepresent.ops import cast, unbroadcast
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
            try:
                g = adjoints.take(node)
            except _BROKEN as error:
                raise _misfit(node, between, error) from error
            if g is None:
                continue  # it has a path to an output, but none along which a derivative passes
            yield node, g
            op, parents, params = node.op, node.parents, node.params
            if op is None:
                continue
            y: Any = node
            xs: Sequence[Any] = parents
            if symbolic:
                here.set(Place(node.scope, node.step, node))
            else:
                y, xs = node.value, []
                for parent in parents:  # a comprehension would be a call for every node
                    xs.append(parent.value)
            rules = op.vjp
            if op.many is not None:
                rules, xs = op.many.bound(xs), ()  # thousands of inputs are handed over once
            args = (g, y, *xs)
            for i, parent in enumerate(parents):
                if parent.id not in between:
                    continue
                try:
                    rule = rules[i]
                    if rule is None:
                        continue
                    if op.scatter and not every_edge:
                        op.scatter(adjoints.own(parent), g, *xs, **params)
                        continue
                    part = rule(*args, **params) if params else rule(*args)
                    if every_edge:
                        part = fitted(part, parent.value)
                except _BROKEN as error:
                    raise _broken_rule(node, i, error) from error
                try:
                    adjoints.add(parent, part)
                except _BROKEN as error:
                    raise _misfit(parent, between, error) from error
                if contributions is not None:
                    contributions[node.id, i] = part
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
                raise _stale(node, parent)
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


@overload
def grad(
    outputs: Node | Sequence[Node],
    inputs: Node,
    seed: Any = None,
    create_graph: Literal[False] = False,
    unconnected: Literal["raise", "zeros"] = "raise",
) -> Array: ...
@overload
def grad(
    outputs: Node | Sequence[Node],
    inputs: Sequence[Node],
    seed: Any = None,
    create_graph: Literal[False] = False,
    unconnected: Literal["raise", "zeros"] = "raise",
) -> list[Array]: ...
@overload
def grad(
    outputs: Node | Sequence[Node],
    inputs: Node,
    seed: Any = None,
    *,
    create_graph: Literal[True],
    unconnected: Literal["raise", "zeros"] = "raise",
) -> Tensor: ...
@overload
def grad(
    outputs: Node | Sequence[Node],
    inputs: Sequence[Node],
    seed: Any = None,
    *,
    create_graph: Literal[True],
    unconnected: Literal["raise", "zeros"] = "raise",
) -> list[Tensor]: ...
def grad(
    outputs: Node | Sequence[Node],
    inputs: Node | Sequence[Node],
    seed: Any = None,
    create_graph: bool = False,
    unconnected: Literal["raise", "zeros"] = "raise",
) -> Any:
    """Gradients of the outputs with respect to any nodes of their graph; no ``.grad`` is touched.

    Parameters
    ----------
    outputs : Tensor or sequence of Tensor
        What to differentiate. Several outputs count as their sum.
    inputs : Tensor or sequence of Tensor
        With respect to what: leaves or results, whether or not they require a gradient.
    seed : array_like or Tensor, or a sequence of them, optional
        The adjoint of each output, of its shape. Outputs of one element need none: it is 1.
    create_graph : bool
        Give Tensors, recorded from the inputs on, that can be drawn and differentiated again.
    unconnected : {"raise", "zeros"}
        What to do for an input that the outputs do not depend on.

    Returns
    -------
    ndarray or Tensor, or a list of them
        In the form of `inputs`; each of its input's shape and dtype.

    Raises
    ------
    GradientError
        If an output has several elements and no seed, or an input is unconnected.
    DTypeError
        If an output or an input is not of floating-point numbers.
    StaleGraphError
        If a leaf of the graph was assigned to after the graph was recorded.

    Examples
    --------
    >>> from microgrrepresent import Tensor, grad
    >>> x = Tensor(2.0, name="x")
    >>> dy = grad(x**3, x, create_graph=True)
    >>> float(dy), float(grad(dy, x))
    (12.0, 12.0)
    """
    ys = [outputs] if isinstance(outputs, Node) else list(outputs)
    xs = [inputs] if isinstance(inputs, Node) else list(inputs)
    one = isinstance(outputs, Node) or seed is None
    given = [seed] * len(ys) if one else list(seed)
    for x in xs:
        if x.dtype.kind not in "fc":
            raise DTypeError(
                f"grad: {operand(x.name or 'an input', x)} is of {x.dtype}; a derivative needs "
                "numbers that can change a little"
            )
    if len(given) != len(ys):
        raise ShapeError(f"grad: {len(ys)} outputs need {len(ys)} seeds; given {len(given)}")
    seeds = [seeded(y, s, "grad", create_graph) for y, s in zip(ys, given, strict=True)]
    found = {node.id: g for node, g in sweep(ys, seeds, xs, symbolic=create_graph)}
    results = []
    for x in xs:
        if x.id not in found:
            if unconnected == "raise":
                raise GradientError(
                    f"grad: the output does not depend on {x.name or 'an input'} {x.shape} through "
                    "any recorded operation that has a derivative (was it detached, or computed "
                    "under no_grad?); unconnected='zeros' gives 0 instead"
                )
            found[x.id] = np.zeros(x.shape, x.dtype)
        g = found[x.id]
        results.append((g if isinstance(g, Node) else Tensor(g)) if create_graph else np.array(g))
    return results[0] if isinstance(inputs, Node) else results


def accumulate(output: Node, seed: ArrayLike | None) -> None:
    """Add the gradients of the output to ``.grad`` of its leaves: the body of `Tensor.backward`."""
    if not output.requires_grad:
        raise no_gradient(output)
    for node, g in sweep([output], [seeded(output, seed, "backward", False)]):
        if node.op is None and isinstance(node, Tensor):
            node.grad = np.array(g) if node.grad is None else np.asarray(node.grad + g)


def jacobian(y: Node, x: Node) -> Array:
    """All derivatives dy_i/dx_j, one reverse sweep for each element of y.

    Returns
    -------
    ndarray, shape ``y.shape + x.shape``

    Examples
    --------
    >>> from microgrrepresent import Tensor, jacobian
    >>> x = Tensor([1.0, 2.0])
    >>> jacobian(x * x, x).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    rows = np.zeros((y.size, *x.shape), np.result_type(y.dtype, x.dtype))
    for i, unit in enumerate(np.eye(y.size, dtype=y.dtype)):
        rows[i] = grad(y, x, unit.reshape(y.shape))
    return rows.reshape(y.shape + x.shape)


def seeded(output: Node, seed: Any, asker: str, symbolic: bool) -> Any:
    """The adjoint to start from: 1 for a scalar, else what the caller gives."""
    if output.dtype.kind not in "fc":
        raise DTypeError(
            f"{asker}: {output.name or 'the output'} is of {output.dtype}; "
            "only floating-point numbers have gradients"
        )
    if seed is None:
        if output.size != 1:
            raise GradientError(
                f"{asker}: {output.name or 'the output'} has shape {output.shape}, so its "
                "derivative is a matrix; differentiate a scalar such as .sum() or .mean(), or give "
                f"seed=, the adjoint of the output, of shape {output.shape}"
            )
        seed = np.ones(output.shape, output.dtype)
    array: Any = seed
    if not (symbolic and isinstance(seed, Node)):
        array = np.array(seed.value if isinstance(seed, Node) else seed)
        if not np.can_cast(array.dtype, output.dtype, "same_kind"):
            raise DTypeError(
                f"{asker}: the seed is the adjoint of {output.name or 'the output'} and needs its "
                f"{output.dtype}; given {array.dtype}"
            )
        array = array.astype(output.dtype, copy=False)
    if array.shape != output.shape:
        raise ShapeError(
            f"{asker}: the seed is the adjoint of {output.name or 'the output'} and needs its "
            f"shape {output.shape}; given {array.shape}"
        )
    return (
        Tensor(array, name="1" if array.size == 1 else None)
        if symbolic and not isinstance(array, Node)
        else array
    )


def no_gradient(output: Node) -> GradientError:
    """Say that nothing behind the output wants a gradient."""
    return GradientError(
        f"backward: {output.name or 'the output'} {output.shape} does not depend on any leaf that "
        "requires a gradient; make the leaf with Tensor(data, requires_grad=True), and check that "
        "nothing between was detached or computed under no_grad"
    )


def _broken_rule(node: Node, i: int, error: Exception) -> GradientError:
    assert node.op is not None
    x = node.parents[i]
    return GradientError(
        f"{located(node.op.name, node.scope, node.step)}: the rule for input {i}, "
        f"{operand(x.name, x)}, failed: {error}; it is called as rule(g, y, *inputs, **params) "
        f"and should return an array of the shape of the input {x.shape} or the output {node.shape}"
    )


def _misfit(node: Node, between: dict[int, Node], error: Exception) -> GradientError:
    """Find the rule whose result does not fit the node, by asking all of them again."""
    for child in between.values():
        for i, parent in enumerate(child.parents):
            if parent is node and child.op is not None and (rule := child.op.vjp[i]) is not None:
                g, xs = np.zeros_like(child.value), [x.value for x in child.parents]
                try:
                    fitted(rule(g, child.value, *xs, **child.params), node.value)
                except _BROKEN:
                    return _broken_rule(child, i, error)
    return GradientError(f"{operand(node.name, node)}: its adjoint does not fit: {error}")


def _stale(node: Node, parent: Node) -> StaleGraphError:
    assert node.op is not None
    return StaleGraphError(
        f"{parent.name or 'a leaf'} {parent.shape} was given a new value by assign() after this "
        f"graph had used it ({located(node.op.name, node.scope, node.step)}), so the recorded "
        "values no longer belong together; run the forward pass again, then backward()"
    )
