r"""A primitive: one operation, declared once, with the rule of its derivative.

    tanh = primitive("tanh", np.tanh, (lambda g, y, x: g * (1 - y * y),), derivative="1 - y**2")

`forward` takes and gives arrays. `vjp` has one rule for each input: given the adjoint `g` of the
output (dL/dy), the output `y` and the inputs, it returns what the chain rule adds to that input's
adjoint, the vector-Jacobian product g · dy/dx. None stands for "no derivative passes here".

Rules are *polymorphic*: they use operators and this package's functions only, which take arrays
and Tensors alike. Called with arrays, a primitive is just its `forward`; called with a node among
its inputs, it also records a new node. So one rule gives numbers (arrays in) or another graph
(Tensors in), and that graph can be drawn and differentiated again.

A rule need not undo broadcasting or mind data types: the sweep does both, on the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, Unpack, overload

import numpy as np
from numpy import ndarray
from numpy.typing import DTypeLike

from microgrrepresent.description import Description, Said, completed
from microgrrepresent.errors import (
    DTypeError,
    ShapeError,
    operand,
)
from microgrrepresent.node import Array, Node, make
from microgrrepresent.place import here, running

N = TypeVar("N", bound=Node)
Rule = Callable[..., Any]

_NOTHING: dict[str, Any] = {}  # shared by all nodes without static arguments; never written to


class Primitive(Description):
    """One operation on arrays, with a rule for its derivative. Made by `primitive`.

    Attributes
    ----------
    name : str
        The operation's name; also the key under which a saved graph finds it again.
    forward : callable
        ``forward(*arrays, **params) -> array``.
    vjp : sequence of (callable or None)
        For each input: ``rule(g, y, *inputs, **params)`` -> contribution to its adjoint.
    analytic : bool
        Whether `forward` is also right for complex arrays, so that complex steps can check it.
    many : each or None
        `vjp`, where it is one rule for any number of inputs.
    scatter : callable or None
        For a selection ``y = x[...]``: ``scatter(adjoint, g, *inputs, **params)`` adds g in place
        to an adjoint of x, where the rule would make an array of zeros around it.

    What readers say of the operation is said at `Description`.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        vjp: Any,
        analytic: bool,
        scatter: Rule | None,
        doc: str,
        said: dict[str, Any],
    ) -> None:
        super().__init__(name=name, vjp=vjp, **said)
        self.forward = forward
        self.analytic = analytic
        self.scatter = scatter
        self.many = vjp if isinstance(vjp, each) else None
        self._passes = self.many is not None or any(vjp)
        self.__doc__ = doc

    @overload
    def __call__(self, x: N, /, *inputs: Any, **params: Any) -> N: ...
    @overload
    def __call__(self, /, *inputs: Any, **params: Any) -> Any: ...

    def __call__(self, /, *inputs: Any, **params: Any) -> Any:
        """Run `forward`; if one of the inputs is a node, record the result as a node too."""
        arrays = []
        requires_grad = False
        for x in inputs:
            if not isinstance(x, Node):
                if not any(isinstance(x, Node) for x in inputs):
                    return self.forward(*inputs, **params)
                return self(*self._lifted(inputs, params), **params)
            arrays.append(x.value)
            if x._requires_grad:
                requires_grad = True
        try:
            value = self.forward(*arrays, **params) if params else self.forward(*arrays)
        except (ValueError, IndexError, TypeError, OverflowError) as error:
            raise _misuse(self, inputs, params, error) from error
        if type(value) is not ndarray:
            value = np.asarray(value)  # NumPy turns results without axes into scalars
        kind = inputs[0].result_class
        if not here.get().recorded:
            return make(kind, None, (), _NOTHING, value, False)
        requires_grad = requires_grad and self._passes
        return make(kind, self, inputs, params or _NOTHING, value, requires_grad)

    def _lifted(self, inputs: tuple[Any, ...], params: dict[str, Any]) -> list[Node]:
        """Make nodes of all inputs.

        A number that is too large for the integers beside it is what NumPy takes it for: it can be
        compared with them or divide them, but not be added to them.
        """
        try:
            return [lift(x, inputs) for x in inputs]
        except OverflowError:
            try:
                self.forward(*[x.value if isinstance(x, Node) else x for x in inputs], **params)
            except OverflowError as error:
                raise _misuse(self, inputs, params, error) from None
            return [lift(x, inputs, widen=True) for x in inputs]

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _registered, (self.name,)  # one object per name, also after copy or pickle


class each:
    """The rules of an operation with any number of inputs, made for all of them at once.

    ``rules(xs, **params)`` is told the inputs in one sequence and returns ``rule(i, g, y)``, the
    rule for the i-th of them. So what all of them need, such as where each part of a concatenated
    array begins, is worked out once, and the work of a sweep stays linear in their number.
    ``each(rules)[i]`` is called like any other rule, as ``(g, y, *inputs, **params)``.
    """

    def __init__(self, rules: Callable[..., Rule]) -> None:
        self.rules = rules

    def __getitem__(self, i: int) -> Rule:
        return lambda g, y, *xs, **params: self.rules(xs, **params)(i, g, y)

    def bound(self, xs: Sequence[Any], params: dict[str, Any]) -> list[Rule]:
        """The rule for each of these inputs, to be called without them: ``(g, y)``."""
        rule = self.rules(xs, **params)
        return [partial(rule, i) for i in range(len(xs))]


registry: dict[str, Primitive] = {}


def primitive(
    name: str,
    forward: Callable[..., Any],
    vjp: Sequence[Rule | None] | each,
    *,
    analytic: bool = True,
    scatter: Rule | None = None,
    doc: str = "",
    **said: Unpack[Said],
) -> Primitive:
    r"""Declare an operation: what runs, and what is said of it.

    Parameters
    ----------
    name : str
        A name no other primitive has.
    forward, vjp, analytic, scatter
        What runs; see `Primitive`.
    doc : str
        One line for ``help()``; not needed where `forward` is a universal function of NumPy.
    symbol, kind, source, helpers, formula, derivative, meets, mismatch, steepest
        What is said of the operation; see `Description`.
    vjp_source, vjp_formula, vjp_words
        What is said of the contribution to an adjoint; see `Description`.

    Raises
    ------
    ValueError
        If the name is taken.

    Examples
    --------
    >>> import numpy as np
    >>> from microgrrepresent import Tensor, grad, primitive
    >>> cube = primitive("cube", lambda x: x**3, (lambda g, y, x: g * 3 * x * x,), symbol="x³")
    >>> x = Tensor(2.0, requires_grad=True)
    >>> float(grad(cube(x), x))
    12.0
    """
    if name in registry:
        raise ValueError(f"primitive {name!r} exists already; give the new one a name of its own")
    if isinstance(forward, np.ufunc) and not doc:
        doc = f"np.{forward.__name__}, elementwise, on arrays and recorded on Tensors."
    fields = completed(name, forward, vjp, said)
    made = registry[name] = Primitive(name, forward, vjp, analytic, scatter, doc, fields)
    return made


def _registered(name: str) -> Primitive:
    return registry[name]


constant = primitive(
    "constant",
    lambda value, dtype: np.array(value, dtype=dtype),
    (),
    source="value",
    doc="A number written in the code, such as the 2 of ``2 * x``.",
)


def arrayed(x: Any) -> Any:
    """An operand that has axes: a node or an array as it is, a list or a number as an array."""
    return x if isinstance(x, (Node, ndarray)) else numbers(x)


def numbers(data: Any, dtype: DTypeLike | None = None) -> Array:
    """A new array of data that has no history to lose.

    Raises
    ------
    TypeError
        If there are nodes in a list, or what is given is not made of numbers.
    """
    if _holds_nodes(data):
        raise TypeError(
            f"a {type(data).__name__} of Tensors is no operand, because their history would be "
            "lost; join them with stack or concatenate first"
        )
    if isinstance(data, np.ma.MaskedArray):
        raise DTypeError(
            "a masked array would lose its mask in a Tensor; give its data and, where a mask is "
            "taken, the mask beside it, or fill it first: array.filled(0)"
        )
    value = np.array(data, dtype=dtype)
    if value.dtype.kind not in "biufc":
        raise DTypeError(f"a Tensor holds numbers; given {type(data).__name__} of {value.dtype}")
    return value


def _holds_nodes(data: Any) -> bool:
    return isinstance(data, (list, tuple)) and any(
        isinstance(item, Node) or _holds_nodes(item) for item in data
    )


def lift(x: Any, others: Sequence[Any], widen: bool = False) -> Node:
    """Make a node of an operand that is none: of a number a `constant`, of an array a leaf.

    A number takes the data type of the operands beside it, as in NumPy: ``2.0 * x`` is float32
    where x is. To `widen` keeps a number that is too large for them whole.

    Raises
    ------
    OverflowError
        If a number is too large for the operands beside it.
    """
    if isinstance(x, Node):
        return x
    kind = next(o.result_class for o in others if isinstance(o, Node))
    if isinstance(x, (bool, int, float, complex)) and not isinstance(x, np.generic):
        dtype = np.result_type(x, *(o.dtype for o in others if hasattr(o, "dtype")))
        if widen:
            own = np.min_scalar_type(x)
            dtype = np.result_type(dtype, own if own.kind in "iu" else np.float64)
        params = {"value": x, "dtype": dtype.name}
        return make(kind, constant, (), params, np.array(x, dtype=dtype), False)
    return make(kind, None, (), _NOTHING, numbers(x), False)


def _misuse(
    op: Primitive, parents: tuple[Node, ...], params: dict[str, Any], error: Exception
) -> Exception:
    """Say what was applied to what, and where, when `forward` refused its operands."""
    if isinstance(error, OverflowError):
        given = ", ".join(operand(p.name, p) if isinstance(p, Node) else repr(p) for p in parents)
        return DTypeError(
            f"{running(op.name)}: {op.name}({given}): {error}; give the operands more room first, "
            "as in t.astype(int) or t.astype(float)"
        )
    shapes = [p.shape for p in parents]
    names = [operand(p.name, p) for p in parents]
    if op.many is None and len(parents) != len(op.vjp):
        return TypeError(
            f"{running(op.name)}: {op.name} has {len(op.vjp)} operand{'s' * (len(op.vjp) > 1)}; "
            f"given {len(parents)}: {', '.join(names)}"
        )
    infix = len(names) == 2 and len(op.symbol) == 1
    text = f" {op.symbol} ".join(names) if infix else f"{op.name}({', '.join(names)})"
    if params:
        text += " with " + ", ".join(f"{key}={value!r}" for key, value in params.items())
    broken = op.mismatch(shapes) if op.mismatch is not None else None
    message = f"{running(op.name)}: {text}: {broken or error}"
    if isinstance(error, ValueError):
        return ShapeError(message)
    return IndexError(message) if isinstance(error, IndexError) else TypeError(message)
