"""Functions made of functions, as autograd and JAX have them: `value_and_grad` and `vjp`.

Everything else here asks for the gradients of a graph that is already there. These call a function,
and so record the graph that they differentiate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from microgrrepresent.arguments import function
from microgrrepresent.gradients import grad
from microgrrepresent.node import Array, Node
from microgrrepresent.tensor import Tensor


def value_and_grad(
    f: Callable[..., Tensor], argnums: int | Sequence[int] = 0
) -> Callable[..., Any]:
    """Make of f a function that gives its value and its gradient.

    Parameters
    ----------
    f : callable
        A function that returns a Tensor of one element.
    argnums : int or sequence of int
        Which of its arguments to differentiate by: arrays, numbers or Tensors of floating-point
        numbers, or a list, tuple or dict of Tensors, such as the parameters of a model.

    Returns
    -------
    callable
        ``(*args, **kwargs) -> (value, gradient)``. The value is the Tensor that f returns, with the
        graph behind it. The gradient is an array, or has the form of the argument; a tuple of them
        for several `argnums`.

    Raises
    ------
    GradientError
        By that function, if the value has several elements, or does not depend on an argument.

    Examples
    --------
    >>> from microgrrepresent import value_and_grad
    >>> loss, slope = value_and_grad(lambda x: (x * x).sum())([1.0, 3.0])
    >>> float(loss), slope.tolist()
    (10.0, [2.0, 6.0])
    """
    function(f, "value_and_grad")
    places = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def both(*args: Any, **kwargs: Any) -> tuple[Tensor, Any]:
        given = list(args)
        for i in places:
            given[i] = _tensors(given[i])
        y = f(*given, **kwargs)
        gradients = tuple(_gradients(y, given[i], None) for i in places)
        return y, gradients[0] if isinstance(argnums, int) else gradients

    return both


def vjp(f: Callable[..., Tensor], *inputs: Any) -> tuple[Tensor, Callable[..., tuple[Array, ...]]]:
    """Call f, and give what it returned with a function that pulls an adjoint back to its inputs.

    Parameters
    ----------
    f : callable
        A function that returns a Tensor.
    *inputs : array_like or Tensor, or a list, tuple or dict of Tensors
        What it is called with: floating-point numbers.

    Returns
    -------
    y : Tensor
        ``f(*inputs)``.
    pull : callable
        ``pull(g) -> (gradient, ...)``: for each input, the vector-Jacobian product g · dy/dx, where
        g has the shape of y. For a y of one element, g may be left out: it is 1. Inputs that y does
        not depend on get zeros, unless ``pull(g, unconnected="raise")``.

    Examples
    --------
    >>> from microgrrepresent import vjp
    >>> y, pull = vjp(lambda x, w: w * x * x, [1.0, 3.0], 2.0)
    >>> [g.tolist() for g in pull([1.0, 0.5])]
    [[4.0, 6.0], 5.5]
    """
    xs = [_tensors(x) for x in inputs]
    y = function(f, "vjp")(*xs)

    def pull(g: Any = None, unconnected: Literal["raise", "zeros"] = "zeros") -> tuple[Any, ...]:
        return tuple(_gradients(y, x, g, unconnected) for x in xs)

    return y, pull


def _tensors(given: Any) -> Any:
    """An argument as a Tensor that requires a gradient; Tensors as they are, also in a list."""
    if isinstance(given, dict) or _holds_tensors(given):
        return given
    return given if isinstance(given, Node) else Tensor(given, requires_grad=True)


def _holds_tensors(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and any(isinstance(x, Node) for x in given)


def _gradients(y: Tensor, of: Any, g: Any, unconnected: Literal["raise", "zeros"] = "raise") -> Any:
    """The gradient by one argument, in its form."""
    if isinstance(of, Node):
        return grad(y, of, g, unconnected=unconnected)
    if isinstance(of, dict):
        found = grad(y, list(of.values()), g, unconnected=unconnected)
        return dict(zip(of, found, strict=True))
    return type(of)(grad(y, list(of), g, unconnected=unconnected))
