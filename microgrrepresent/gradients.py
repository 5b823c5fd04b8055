"""Gradients of some nodes with respect to others: what the reverse sweep is asked for.

`grad` returns the gradients of any nodes; ``loss.backward()`` leaves them at the leaves; `jacobian`
sweeps once for each element of an output. `microgrrepresent.backward` keeps the whole sweep.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from microgrrepresent.arguments import each_node, one_node
from microgrrepresent.arrays import new_array
from microgrrepresent.errors import DTypeError, GradientError, ShapeError, located, operand
from microgrrepresent.node import Array, Node, leaf
from microgrrepresent.place import here
from microgrrepresent.pullbacks import numbers, recorded
from microgrrepresent.scopes import at
from microgrrepresent.sweep import sweep

if TYPE_CHECKING:
    from microgrrepresent.tensor import Tensor


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
        With respect to what: leaves or results, whether or not they require a gradient. Only of
        those that do is it promised that no part of the gradient is lost: what requires none may
        become an array on its way to the outputs. Complex ones are for complex steps: of an
        analytic function f, the gradient is f'(z).
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
    ys = each_node(outputs, "grad", "an output")
    xs = each_node(inputs, "grad", "an input")
    one = isinstance(outputs, Node) or seed is None
    given = [seed] * len(ys) if one else list(seed)
    for x in xs:
        if x.dtype.kind not in "fc":
            raise DTypeError(
                f"grad: {operand(x.name or 'an input', x)} is of {x.dtype}; a derivative needs "
                "numbers that can change a little"
            )
    if len(given) != len(ys):
        raise ShapeError(f"grad: {len(ys)} outputs need {len(ys)} seeds, got {len(given)}")
    seeds = [seeded(y, s, "grad", create_graph) for y, s in zip(ys, given, strict=True)]
    wanted, found = {x.id for x in xs}, {}
    with at(here.get()):  # which a sweep that is recorded moves along with it
        swept = sweep(ys, seeds, xs, recorded if create_graph else numbers)
        if any(x.dtype.kind == "c" for x in xs):
            swept = _analytic(swept)
        for node, g in swept:
            if node.id in wanted:
                found[node.id] = g
    results: list[Any] = []
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
        if not create_graph:
            results.append(np.array(g))
        else:
            results.append(g if isinstance(g, Node) else leaf(x.result_class, np.array(g)))
    return results[0] if isinstance(inputs, Node) else results


def _analytic(swept: Iterator[tuple[Node, Any]]) -> Iterator[tuple[Node, Any]]:
    """The same, of analytic functions of complex numbers only: no other has one derivative."""
    for node, g in swept:
        if node.op is not None and not node.op.analytic and any(node.op.vjp):
            for x in node.parents:
                if x.dtype.kind == "c":
                    raise DTypeError(
                        f"grad: {located(node.op.name, node.scope, node.step)} of "
                        f"{operand(x.name, x)} of {x.dtype} is not analytic, so its derivative by "
                        "a complex number is a matter of convention; keep the real and the "
                        "imaginary part in two Tensors of floats"
                    )
        yield node, g


def leaf_gradients(output: Node, seed: ArrayLike | None) -> list[tuple[Any, Array]]:
    """The leaves behind the output that require a gradient, each with its own."""
    require_gradient(output)
    swept = sweep([output], [seeded(output, seed, "backward", False)])
    return [(node, g) for node, g in swept if node.op is None]


def jacobian(y: Node, x: Node) -> Array:
    """All derivatives dy_i/dx_j, one reverse sweep for each element of y.

    As with `grad`, x may require no gradient, but only if it does is it promised that none is lost.

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
    one_node(y, "jacobian", "y")
    one_node(x, "jacobian", "x")
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
        array = seed.value if isinstance(seed, Node) else new_array(seed)
        if not np.can_cast(array.dtype, output.dtype, "same_kind"):
            raise DTypeError(
                f"{asker}: the seed is the adjoint of {output.name or 'the output'} and needs its "
                f"{output.dtype}, got {array.dtype}"
            )
        array = array.astype(output.dtype, copy=False)
    if array.shape != output.shape:
        raise ShapeError(
            f"{asker}: the seed is the adjoint of {output.name or 'the output'} and needs its "
            f"shape {output.shape}, got {array.shape}"
        )
    return (
        leaf(output.result_class, array, "1" if array.size == 1 else None)
        if symbolic and not isinstance(array, Node)
        else array
    )


def require_gradient(output: Node) -> None:
    """See that something behind the output wants a gradient."""
    one_node(output, "backward", "the output")
    if not output.requires_grad:
        raise GradientError(
            f"backward: {output.name or 'the output'} {output.shape} does not depend on any leaf "
            "that requires a gradient; make the leaf with Tensor(data, requires_grad=True), and "
            "check that nothing between was detached or computed under no_grad"
        )
