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

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.errors import DTypeError, GradientError, ShapeError, StaleGraphError, located
from microgrrepresent.node import Array, Node, Place, here
from microgrrepresent.ops import cast, unbroadcast
from microgrrepresent.tensor import Tensor

Edge = tuple[int, int]  # the child's id, and the position of the parent among its parents


def sweep(
    outputs: Sequence[Node],
    seeds: Sequence[Any],
    sources: Iterable[Node] | None = None,
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
    adjoints: dict[int, Any] = {}
    for output, seed in zip(outputs, seeds, strict=True):
        key = output.id
        adjoints[key] = adjoints[key] + seed if key in adjoints else seed

    outside = here.get()
    try:
        for key in sorted(between, reverse=True):
            node, g = between[key], adjoints.pop(key, None)
            if g is None:
                continue  # it has a path to an output, but none along which a derivative passes
            yield node, g
            if node.op is None:
                continue
            rules, parents, params = node.op.vjp, node.parents, node.params
            if symbolic:
                here.set(Place(node.scope, node.step, node))
                y, xs = node, parents
            else:
                y, xs = node.value, [parent.value for parent in parents]
            for i, parent in enumerate(parents):
                key = parent.id
                if key not in between or (rule := rules[i]) is None:
                    continue
                part, value = rule(g, y, *xs, **params), parent.value
                if part.shape != value.shape or part.dtype is not value.dtype:
                    part = _fitted(part, value)
                adjoints[key] = adjoints[key] + part if key in adjoints else part
                if contributions is not None:
                    contributions[node.id, i] = part
    finally:
        here.set(outside)


def _between(outputs: Sequence[Node], sources: Iterable[Node] | None) -> dict[int, Node]:
    """The nodes behind the outputs that depend on a source, by id."""
    wanted = None if sources is None else {node.id for node in sources}
    oldest = min(wanted, default=0) if wanted else 0
    found = {node.id: node for node in outputs}
    todo = list(outputs)
    while todo:
        node = todo.pop()
        for parent in node.parents:
            key = parent.id
            if key > node.id:
                raise _stale(node, parent)
            if key not in found and (key >= oldest if wanted else parent.requires_grad):
                found[key] = parent
                todo.append(parent)
    if wanted is None:
        return found
    depends: dict[int, Node] = {}
    for key in sorted(found):
        node = found[key]
        if key in wanted or any(parent.id in depends for parent in node.parents):
            depends[key] = node
    return depends


def _fitted(contribution: Any, value: Array) -> Any:
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
    many_out = not isinstance(outputs, Node)
    ys = list(outputs) if many_out else [outputs]
    xs = [inputs] if isinstance(inputs, Node) else list(inputs)
    given = list(seed) if many_out and seed is not None else [seed] * len(ys)
    if len(given) != len(ys):
        raise ShapeError(f"grad: {len(ys)} outputs need {len(ys)} seeds; given {len(given)}")
    seeds = [_seed(y, s, "grad", create_graph) for y, s in zip(ys, given, strict=True)]
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
    if not output.requires_grad:
        raise _no_gradient(output)
    edges: dict[Edge, Array] | None = {} if keep == "all" else None
    first = _seed(output, seed, "backward", False)
    nodes = {node: _frozen(g) for node, g in sweep([output], [first], contributions=edges)}
    return Adjoints(nodes, edges)


def accumulate(output: Node, seed: ArrayLike | None) -> None:
    """Add the gradients of the output to ``.grad`` of its leaves: the body of `Tensor.backward`."""
    if not output.requires_grad:
        raise _no_gradient(output)
    for node, g in sweep([output], [_seed(output, seed, "backward", False)]):
        if node.op is None and isinstance(node, Tensor):
            node.grad = np.array(g) if node.grad is None else node.grad + g


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

    def by_step(self, node: Node) -> dict[int | None, Array]:
        """The terms of the sum that backpropagation through time takes: {t: array}.

        A term is what came from the uses of the node at step t; together they make its adjoint.
        A use outside of any step, such as a transpose made once before the loop, is followed to
        the steps at which its result is used: rules are linear in g, so they take a sum term by
        term. What never meets a step stands under None.
        """
        terms: dict[Node, dict[int | None, Array]] = {}
        for user in self._stepless_descendants(node):  # youngest first, so `node` comes last
            uses = self._consumers(user)
            mine: dict[int | None, Array] = {} if uses else {None: self[user]}  # the output: seed
            for child, i in uses:
                flowed = self._part(child, i)
                if child.step is not None:
                    split = {child.step: flowed}
                elif set(terms[child]) == {None}:
                    split = {None: flowed}
                else:
                    split = {t: _pulled_back(g, child, i) for t, g in terms[child].items()}
                for t, g in split.items():
                    mine[t] = mine[t] + g if t in mine else g
            terms[user] = mine
        ordered = sorted(terms[node].items(), key=lambda term: (term[0] is None, term[0] or 0))
        return {t: _frozen(g) for t, g in ordered}

    def _stepless_descendants(self, node: Node) -> list[Node]:
        found = {node}
        todo = [node]
        while todo:
            for child, _ in self._consumers(todo.pop()):
                if child.step is None and child not in found:
                    found.add(child)
                    todo.append(child)
        return sorted(found, key=lambda n: -n.id)

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
    return np.asarray(_fitted(part, child.parents[i].value))


def _frozen(g: Any) -> Array:
    view: Array = np.asarray(g).view()
    view.setflags(write=False)
    return view


def _seed(output: Node, seed: Any, asker: str, symbolic: bool) -> Any:
    """The adjoint to start from: 1 for a scalar, else what the caller gives."""
    if output.dtype.kind not in "fc":
        raise DTypeError(
            f"{asker}: the output is of {output.dtype}; only floating-point numbers have gradients"
        )
    if seed is None:
        if output.size != 1:
            raise GradientError(
                f"{asker}: {output.name or 'the output'} has shape {output.shape}, so its "
                "derivative is a matrix; differentiate a scalar such as .sum() or .mean(), or give "
                f"seed=, the adjoint of the output, of shape {output.shape}"
            )
        seed = np.ones(output.shape, output.dtype)
    if symbolic and isinstance(seed, Node):
        array: Any = seed
    else:
        array = np.array(seed.value if isinstance(seed, Node) else seed, dtype=output.dtype)
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


def _no_gradient(output: Node) -> GradientError:
    return GradientError(
        f"backward: {output.name or 'the output'} {output.shape} does not depend on any leaf that "
        "requires a gradient; make the leaf with Tensor(data, requires_grad=True), and check that "
        "nothing between was detached or computed under no_grad"
    )


def _stale(node: Node, parent: Node) -> StaleGraphError:
    return StaleGraphError(
        f"{parent.name or 'a leaf'} {parent.shape} was given a new value by assign() after this "
        f"graph had used it ({located(node.op.name, node.scope, node.step)}), so the recorded "
        "values no longer belong together; run the forward pass again, then backward()"
    )
