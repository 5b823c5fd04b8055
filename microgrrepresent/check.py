r"""Is a derivative right? Ask the function itself: nudge an input, and see how the outputs change.

The change, per size of the nudge, is a column of the Jacobian, found without any rule. There are
two ways to nudge by h:

- *complex step*, Im f(x + ih) / h. Nothing is subtracted, so h can be as small as 1e-20 and the
  column is right to the last digits. It takes operations that are right for complex numbers too
  (`Primitive.analytic`).
- *central differences*, (f(x + h) - f(x - h)) / 2h, for all others. They lose half of the digits
  or more, so they find wrong rules but not wrong digits.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.exceptions import ComplexWarning

from microgrrepresent.errors import CheckError, GradientError
from microgrrepresent.gradients import grad
from microgrrepresent.graph import Graph
from microgrrepresent.node import Array, Node
from microgrrepresent.tensor import Tensor

Method = Literal["complex step", "central differences"]
Function = Callable[..., Node | Sequence[Node]]

_TOLERANCE: dict[Method, float] = {"complex step": 1e-10, "central differences": 1e-6}
_STEP = 1e-20
_ROOT = float(np.cbrt(np.finfo(float).eps))  # where rounding and curvature do equal harm


class Check(NamedTuple):
    """What a passed check found: the largest error, and the method that it was found with."""

    error: float
    method: Method


def gradcheck(
    f: Function,
    inputs: Sequence[Any],
    *,
    tolerance: float | None = None,
    method: Method | None = None,
) -> Check:
    """Compare the derivatives of f with what f does when its inputs are nudged.

    Every output element is compared with respect to every element of every input of
    floating-point numbers, so keep the inputs small. The inputs are checked as float64.

    Parameters
    ----------
    f : callable
        A function of Tensors that returns a Tensor, or several.
    inputs : sequence of array_like or Tensor
        Where to check. f is called with fresh Tensors of these values and names. Integers and
        booleans are handed on and not checked.
    tolerance : float, optional
        Largest allowed ``|a - b| / max(1, |b|)``; 1e-10 for complex steps, 1e-6 for differences.
    method : {"complex step", "central differences"}, optional
        By default, complex steps where all operations that depend on the inputs are analytic.

    Returns
    -------
    Check
        ``error``, the largest one found, and ``method``.

    Raises
    ------
    CheckError
        If they differ; it names the elements with the largest error and gives both numbers.

    Examples
    --------
    >>> from microgrrepresent import gradcheck, tanh
    >>> check = gradcheck(lambda x, w: tanh(x @ w), [[1.0, 2.0], [[0.5], [-0.25]]])
    >>> check.method, check.error < 1e-14
    ('complex step', True)
    """
    return _check("gradcheck", f, inputs, "output {}", tolerance, method)


def gradgradcheck(
    f: Function,
    inputs: Sequence[Any],
    *,
    tolerance: float | None = None,
    method: Method | None = None,
) -> Check:
    """Check second derivatives: `gradcheck` of what ``grad(..., create_graph=True)`` gives.

    The derivatives of f, weighted by a seed for each of its outputs, are themselves a function of
    the inputs and the seeds; that function is checked. Parameters, result and errors are those of
    `gradcheck`.

    Examples
    --------
    >>> from microgrrepresent import gradgradcheck, relu
    >>> gradgradcheck(lambda x: relu(x) * x, [[-1.0, 2.0]]).method
    'central differences'
    """
    many = len(inputs)
    outputs = _outputs(f, [_leaf(x) for x in inputs])
    random = np.random.default_rng(0)
    seeds = [
        Tensor(random.uniform(0.5, 1.5, y.shape), name=f"seed {k}") for k, y in enumerate(outputs)
    ]

    def derivative(*both: Tensor) -> list[Tensor]:
        xs, given = both[:many], both[many:]
        floats = [x for x in xs if x.dtype.kind in "fc"]
        return grad(_outputs(f, xs), floats, given, create_graph=True, unconnected="zeros")

    both = [*inputs, *seeds]
    return _check("gradgradcheck", derivative, both, "derivative {}", tolerance, method)


def _check(
    asker: str,
    f: Function,
    inputs: Sequence[Any],
    role: str,
    tolerance: float | None,
    method: Method | None,
) -> Check:
    if method is not None and method not in _TOLERANCE:
        raise ValueError(
            f"{asker}: method must be {' or '.join(map(repr, _TOLERANCE))}; given {method!r}"
        )
    if tolerance is not None and not tolerance >= 0:
        raise ValueError(f"{asker}: tolerance must be 0 or more; given {tolerance!r}")
    if not isinstance(inputs, Sequence):
        raise TypeError(
            f"{asker}: the inputs are a sequence, one for each argument of f, such as [x]; "
            f"given {type(inputs).__name__}"
        )
    xs = [_leaf(x) for x in inputs]
    floats = [i for i, x in enumerate(xs) if x.dtype.kind == "f"]
    if not floats:
        raise GradientError(f"{asker}: none of the {len(xs)} inputs is of floating-point numbers")
    ys = _outputs(f, xs)
    method = method or _best_method(f, xs, ys)
    allowed = _TOLERANCE[method] if tolerance is None else tolerance
    worst, complaint = 0.0, ""
    says = [_by_sweep(y, [xs[i] for i in floats]) for y in ys]
    for j, i in enumerate(floats):
        for k, does in enumerate(_by_nudging(f, xs, i, method)):
            said = says[k][j]
            error = np.abs(said - does) / np.maximum(1, np.abs(does))
            error = np.where(np.isnan(error), np.inf, error)
            if error.size and error.max() > worst:
                worst = float(error.max())
                at = np.unravel_index(int(error.argmax()), error.shape)
                dy = _element(role.format(k), at[: ys[k].ndim])
                dx = _element(xs[i].name or f"input {i}", at[ys[k].ndim :])
                complaint = (
                    f"d {dy} / d {dx} is {said[at]:.12g} by the reverse sweep, "
                    f"{does[at]:.12g} by {method}"
                )
    if worst > allowed:
        raise CheckError(
            f"{asker}: {complaint}; the error, relative to max(1, |number|), is {worst:.3g}, "
            f"and the tolerance {allowed:g}"
        )
    return Check(worst, method)


def _by_sweep(y: Node, xs: Sequence[Node]) -> list[Array]:
    """The Jacobians of y with respect to each x, row by row: what the engine says."""
    rows = [
        grad(y, xs, unit.reshape(y.shape), unconnected="zeros")
        for unit in np.eye(y.size, dtype=y.dtype)
    ]
    return [np.reshape([row[j] for row in rows], y.shape + x.shape) for j, x in enumerate(xs)]


def _by_nudging(f: Function, xs: Sequence[Node], i: int, method: Method) -> list[Array]:
    """The Jacobians of each y with respect to one x, column by column: what f does."""
    columns = []
    for at in np.ndindex(xs[i].shape):
        if method == "complex step":
            columns.append([y.value.imag / _STEP for y in _nudged(f, xs, i, at, 1j * _STEP)])
        else:
            h = _ROOT * max(1.0, abs(float(xs[i].value[at])))
            above, below = _nudged(f, xs, i, at, h), _nudged(f, xs, i, at, -h)
            pairs = zip(above, below, strict=True)
            columns.append([(a.value - b.value) / (2 * h) for a, b in pairs])
    return [
        np.stack(of_one_output, -1).reshape(of_one_output[0].shape + xs[i].shape)
        for of_one_output in zip(*columns, strict=True)
    ]


def _nudged(
    f: Function, xs: Sequence[Node], i: int, at: tuple[int, ...], nudge: complex
) -> list[Node]:
    """The outputs of f with one element of one input moved; all inputs are complex if it is."""
    dtype = np.result_type(type(nudge))
    values = [x.value.astype(dtype) if x.dtype.kind == "f" else x.value for x in xs]
    values[i][at] += nudge
    # recorded, although nobody asks for a gradient here: f may itself call grad
    return _outputs(f, [Tensor(value, name=x.name) for value, x in zip(values, xs, strict=True)])


def _best_method(f: Function, xs: Sequence[Node], ys: Sequence[Node]) -> Method:
    """Complex steps if f can take them: by what it recorded, and by trying."""
    depends: set[Node] = set(xs)
    for node in Graph(ys):
        if any(parent in depends for parent in node.parents):
            depends.add(node)
            # a comparison looks at the real parts first, and so is not misled by a nudge
            if node.op and not node.op.analytic and node.dtype.kind != "b":
                return "central differences"
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", ComplexWarning)
            nudged = [Tensor(x.value + _STEP * 1j) if x.dtype.kind == "f" else x for x in xs]
            tried = _outputs(f, nudged)
    except (TypeError, ComplexWarning):  # such as float(x), which has no complex counterpart
        return "central differences"
    # exp(1000) is inf, and 1 / inf is 0; of complex numbers it is NaN
    lost = any(
        np.isnan(z.value).any() and not np.isnan(y.value).any()
        for y, z in zip(ys, tried, strict=True)
    )
    return "central differences" if lost else "complex step"


def _outputs(f: Function, xs: Sequence[Node]) -> list[Node]:
    given = f(*xs)
    ys = [given] if isinstance(given, Node) else list(given)
    for y in ys:
        if not isinstance(y, Node):
            raise TypeError(f"f should return a Tensor or several; given {type(y).__name__}")
    return ys


def _leaf(x: Any) -> Tensor:
    value = np.asarray(x.value if isinstance(x, Node) else x)
    name = x.name if isinstance(x, Node) else None
    return Tensor(value.astype(float) if value.dtype.kind == "f" else value, name=name)


def _element(name: str, at: Sequence[Any]) -> str:
    return f"{name}[{', '.join(map(str, at))}]" if len(at) else name
