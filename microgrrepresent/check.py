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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.exceptions import ComplexWarning

from microgrrepresent.arguments import function
from microgrrepresent.errors import CheckError, GradientError
from microgrrepresent.gradients import grad
from microgrrepresent.graph import Graph
from microgrrepresent.node import Array, Node
from microgrrepresent.tensor import Tensor

Method = Literal["complex step", "central differences"]
Function = Callable[..., Node | Sequence[Node]]
Point = dict[Tensor, Array]

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
        A function of Tensors that returns a Tensor, or several, and gives the same for the same
        inputs: give random numbers inside it a seed.
    inputs : sequence of array_like or Tensor
        Where to check. f is called with Tensors that require a gradient, so that no derivative is
        lost without a word. A leaf is handed on itself, and has other values during the check, so
        that a model can be checked over its own parameters, best in float64:
        ``gradcheck(lambda *_: loss(model(x)), model.parameters())``. Of all else, a new leaf is
        made. Integers and booleans are handed on and not checked.
    tolerance : float, optional
        Largest allowed ``|a - b| / max(1, |b|)``; 1e-10 for complex steps, 1e-6 for differences.
        It is absolute below 1, so that rounding is no error: where all derivatives are smaller than
        this, any rule passes. Check a multiple of such a function, ``lambda x: 1e9 * f(x)``.
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
    GradientError
        If f depends on none of the inputs, or gives something else when it is called again, or all
        inputs or outputs are of size 0.
    TypeError
        If f returns something else than Tensors, or nothing.

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
    xs = _leaves(inputs, "gradgradcheck")
    with _moved(xs, _doubles(xs)):
        outputs = _outputs(f, xs, "gradgradcheck")
        _see_that_it_depends(outputs, xs, "gradgradcheck")
        _see_that_there_are_elements(outputs, xs, "gradgradcheck")
    random = np.random.default_rng(0)
    seeds = [
        Tensor(random.uniform(0.5, 1.5, y.shape), name=f"seed {k}") for k, y in enumerate(outputs)
    ]
    many = len(xs)

    def derivative(*both: Tensor) -> list[Tensor]:
        xs, given = both[:many], both[many:]
        floats = [x for x in xs if x.dtype.kind in "fc"]
        ys = _outputs(f, xs, "gradgradcheck")
        return grad(ys, floats, given, create_graph=True, unconnected="zeros")

    return _check("gradgradcheck", derivative, [*xs, *seeds], "derivative {}", tolerance, method)


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
            f"{asker}: method must be {' or '.join(map(repr, _TOLERANCE))}, got {method!r}"
        )
    if tolerance is not None and not (isinstance(tolerance, Real) and 0 <= tolerance < np.inf):
        raise ValueError(
            f"{asker}: tolerance must be a finite number, 0 or more, got {tolerance!r}"
        )
    xs = _leaves(inputs, asker)
    at = _doubles(xs)
    with _moved(xs, at):
        ys = _outputs(f, xs, asker)
        _see_that_it_depends(ys, xs, asker)
        _see_that_there_are_elements(ys, xs, asker)
        _see_that_it_repeats(ys, _outputs(f, xs, asker), asker)
        says = [_by_sweep(y, list(at)) for y in ys]
        method = method or _best_method(f, xs, ys)
        allowed = _TOLERANCE[method] if tolerance is None else tolerance
        worst, complaint = 0.0, ""
        for j, x in enumerate(at):
            for k, does in enumerate(_by_nudging(f, xs, x, at, method)):
                said = says[k][j]
                error = np.abs(said - does) / np.maximum(1, np.abs(does))
                error = np.where(np.isnan(error), np.inf, error)
                if error.size and error.max() > worst:
                    worst = float(error.max())
                    where = np.unravel_index(int(error.argmax()), error.shape)
                    dy = _element(role.format(k), where[: ys[k].ndim])
                    place = next(i for i, leaf in enumerate(xs) if leaf is x)
                    dx = _element(x.name or f"input {place}", where[ys[k].ndim :])
                    complaint = (
                        f"d {dy} / d {dx} is {said[where]:.12g} by the reverse sweep, "
                        f"{does[where]:.12g} by {method}"
                    )
    if worst > allowed:
        raise CheckError(
            f"{asker}: {complaint}; the error, relative to max(1, |number|), is {worst:.3g}, "
            f"and the tolerance {allowed:g}"
        )
    return Check(worst, method)


# --- the inputs ----------------------------------------------------------------------------------


def _leaves(inputs: Sequence[Any], asker: str) -> list[Tensor]:
    """The leaves that f is called with: those given, else new ones."""
    if not isinstance(inputs, Sequence):
        raise TypeError(
            f"{asker}: the inputs are a sequence, one for each argument of f, such as [x], "
            f"got {type(inputs).__name__}"
        )
    xs = []
    for x in inputs:
        if isinstance(x, Tensor) and x.is_leaf:
            xs.append(x)
        else:
            xs.append(Tensor(x.value, name=x.name) if isinstance(x, Node) else Tensor(x))
    if not any(x.dtype.kind == "f" for x in xs):
        raise GradientError(f"{asker}: none of the {len(xs)} inputs is of floating-point numbers")
    return xs


def _doubles(xs: Sequence[Tensor]) -> Point:
    """Where to check: the values of floating-point inputs, in double precision."""
    return {x: x.value.astype(np.float64) for x in xs if x.dtype.kind == "f"}


@contextmanager
def _moved(xs: Sequence[Tensor], to: Point) -> Iterator[None]:
    """Let leaves have other values for a while, and require a gradient.

    They keep their ids: what was recorded from them before is right again afterward.
    """
    before = [(x, x.value, x._requires_grad) for x in to]
    try:
        for x, value in to.items():
            value.setflags(write=False)
            x.value, x._requires_grad = value, True
        yield
    finally:
        for x, value, wanted in before:
            x.value, x._requires_grad = value, wanted


# --- what the engine says, and what f does -------------------------------------------------------


def _by_sweep(y: Node, xs: Sequence[Node]) -> list[Array]:
    """The Jacobians of y with respect to each x, row by row: what the engine says."""
    rows = [
        grad(y, xs, unit.reshape(y.shape), unconnected="zeros")
        for unit in np.eye(y.size, dtype=y.dtype)
    ]
    return [np.reshape([row[j] for row in rows], y.shape + x.shape) for j, x in enumerate(xs)]


def _by_nudging(
    f: Function, xs: Sequence[Tensor], x: Tensor, at: Point, method: Method
) -> list[Array]:
    """The Jacobians of each y with respect to one x, column by column: what f does."""
    columns = []
    for element in np.ndindex(x.shape):
        if method == "complex step":
            steps = [_nudged(f, xs, x, element, at, 1j * _STEP)]
            columns.append([value.imag / _STEP for value in steps[0]])
        else:
            h = _ROOT * max(1.0, abs(float(at[x][element])))
            above, below = (_nudged(f, xs, x, element, at, nudge) for nudge in (h, -h))
            columns.append([(a - b) / (2 * h) for a, b in zip(above, below, strict=True)])
    return [
        np.stack(of_one_output, -1).reshape(of_one_output[0].shape + x.shape)
        for of_one_output in zip(*columns, strict=True)
    ]


def _nudged(
    f: Function,
    xs: Sequence[Tensor],
    x: Tensor,
    element: tuple[int, ...],
    at: Point,
    nudge: complex,
) -> list[Array]:
    """The outputs of f with one element of one input moved; all inputs are complex if it is."""
    to = {leaf: value.astype(np.result_type(type(nudge))) for leaf, value in at.items()}
    to[x][element] += nudge
    with _moved(xs, to):  # recorded, although nobody asks for a gradient here: f may call grad
        return [y.value for y in _outputs(f, xs, "f")]


def _best_method(f: Function, xs: Sequence[Tensor], ys: Sequence[Node]) -> Method:
    """Complex steps if f can take them: by what it recorded, and by trying."""
    if not _is_analytic(ys, xs):
        return "central differences"
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", ComplexWarning)
            with _moved(xs, {x: x.value + _STEP * 1j for x in _doubles(xs)}):
                tried = _outputs(f, xs, "f")
                if not _is_analytic(tried, xs):
                    return "central differences"
    except (TypeError, GradientError, ComplexWarning):  # such as float(x) of a complex number
        return "central differences"
    # exp(1000) is inf, and 1 / inf is 0, where complex numbers give NaN; log(-1) is NaN, where they
    # give a number
    lost = any(
        not np.array_equal(np.isnan(z.value), np.isnan(y.value))
        for y, z in zip(ys, tried, strict=True)
    )
    return "central differences" if lost else "complex step"


def _is_analytic(ys: Sequence[Node], xs: Sequence[Tensor]) -> bool:
    """Whether all operations that depend on the inputs are right for complex numbers too."""
    depends: set[Node] = set(xs)
    for node in Graph(ys):
        if any(parent in depends for parent in node.parents):
            depends.add(node)
            if node.op and not node.op.analytic:
                return False
    return True


# --- what cannot be checked ----------------------------------------------------------------------


def _outputs(f: Function, xs: Sequence[Node], asker: str) -> list[Node]:
    given: Any = function(f, asker)(*xs)
    ys: list[Any] = list(given) if isinstance(given, (list, tuple)) else [given]
    for y in ys:
        if not isinstance(y, Node):
            raise TypeError(
                f"{asker}: f must return a Tensor or several, got {type(y).__name__}, which has no "
                "derivative; float(t), t.item() and t.numpy() leave the graph"
            )
    if not ys:
        raise TypeError(f"{asker}: f must return a Tensor or several, got none")
    return ys


def _see_that_it_depends(ys: Sequence[Node], xs: Sequence[Tensor], asker: str) -> None:
    graph = Graph(ys)
    if not any(x in graph for x in xs if x.dtype.kind == "f"):
        raise GradientError(
            f"{asker}: f does not depend on its inputs, so there is nothing to check; compute with "
            "the Tensors that f is called with, or give the leaves themselves, such as "
            "model.parameters()"
        )


def _see_that_there_are_elements(ys: Sequence[Node], xs: Sequence[Tensor], asker: str) -> None:
    floats = [x for x in xs if x.dtype.kind == "f"]
    for what, nodes in (("inputs", floats), ("outputs of f", ys)):
        if not any(node.size for node in nodes):
            shapes = ", ".join(str(node.shape) for node in nodes)
            raise GradientError(
                f"{asker}: the {what} have no elements, so there is nothing to check, got {shapes}"
            )


def _see_that_it_repeats(ys: Sequence[Node], again: Sequence[Node], asker: str) -> None:
    for k, (y, z) in enumerate(zip(ys, again, strict=False)):
        if len(ys) != len(again) or not np.array_equal(y.value, z.value, equal_nan=True):
            raise GradientError(
                f"{asker}: f gives something else when it is called again with the same inputs "
                f"(output {k}), so nudging them says nothing; give its random numbers a seed "
                "inside of f, and let it keep no state"
            )


def _element(name: str, at: Sequence[Any]) -> str:
    return f"{name}[{', '.join(map(str, at))}]" if len(at) else name
