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

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Unpack, overload

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

from microgrrepresent.arrays import new_array
from microgrrepresent.declaration import defaults, statement
from microgrrepresent.description import Description, Said, completed
from microgrrepresent.node import N, Node, leaf, make
from microgrrepresent.operands import as_nodes, misuse
from microgrrepresent.place import here

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
        to an adjoint of x, where the rule would make an array of zeros around it. It stands for
        the rule of the first input; the others keep theirs.
    outer : callable or None
        For a product: a rule of the last input that, given arrays, may give an `Outer` instead of
        taking the product, so that the products of all steps can be taken at once.

    What readers say of the operation is said at `Description`.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        vjp: Any,
        analytic: bool,
        scatter: Rule | None,
        outer: Rule | None,
        doc: str,
        said: dict[str, Any],
    ) -> None:
        super().__init__(name=name, vjp=vjp, **said)
        self.forward = forward
        self.analytic = analytic
        self.scatter, self.outer = scatter, outer
        self.many = vjp if isinstance(vjp, each) else None
        self._passes = self.many is not None or any(vjp)
        self.of_arrays = vjp if outer is None else (*vjp[:-1], outer)
        self.__doc__ = doc

    @overload
    def __call__(self, x: N, /, *inputs: Any, **params: Any) -> N: ...
    @overload
    def __call__(self, x: Any, y: N, /, *inputs: Any, **params: Any) -> N: ...
    @overload
    def __call__(self, x: Any, y: Any, z: N, /, *inputs: Any, **params: Any) -> N: ...
    @overload
    def __call__(self, /, *inputs: ArrayLike, **params: Any) -> Any: ...

    def __call__(self, /, *inputs: Any, **params: Any) -> Any:
        """Run `forward`; if one of the inputs is a node, record the result as a node too."""
        arrays = []
        requires_grad = False
        for x in inputs:
            if not isinstance(x, Node):
                nodes = as_nodes(self, inputs, params, constant)
                if nodes is not None:
                    return self(*nodes, **params)
                given = [new_array(x) if isinstance(x, (list, tuple)) else x for x in inputs]
                try:
                    return self.forward(*given, **params)
                except (ValueError, IndexError, TypeError, OverflowError) as error:
                    raise misuse(self, given, params, error) from error
            arrays.append(x.value)
            if x._requires_grad:
                requires_grad = True
        try:
            value = self.forward(*arrays, **params) if params else self.forward(*arrays)
        except (ValueError, IndexError, TypeError, OverflowError) as error:
            raise misuse(self, inputs, params, error) from error
        if type(value) is not ndarray:
            value = np.asarray(value)  # NumPy turns results without axes into scalars
        try:
            kind, place = inputs[0].result_class, here.get()
        except IndexError:  # without inputs there is no node, and the value is a constant
            return value
        if not place.recorded:
            return leaf(kind, value)
        requires_grad = requires_grad and self._passes
        return make(kind, self, inputs, params or _NOTHING, value, requires_grad, None, place)

    def each_with(self, x: N, name: str, values: Iterable[Any]) -> list[N]:
        """A result for each value of a static argument, of operands that are known to fit.

        It is what calls would give, one by one, in half the time.
        """
        kind: Any = x.result_class
        array, place = x.value, here.get()
        if not place.recorded:
            return [leaf(kind, self.forward(array, **{name: value})) for value in values]
        forward, parents, requires_grad = self.forward, (x,), x._requires_grad and self._passes
        nodes = []
        for value in values:
            params = {name: value}
            result = forward(array, **params)
            nodes.append(make(kind, self, parents, params, result, requires_grad, None, place))
        return nodes

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _registered, (self.name,)  # one object per name, also after copy or pickle


class _WithDefaults(Primitive):
    """A primitive some of whose static arguments have a value where they are not given."""

    defaults: dict[str, Any]

    def __call__(self, /, *inputs: Any, **params: Any) -> Any:
        """Run `forward` with all static arguments, so that a node knows them."""
        return super().__call__(*inputs, **{**self.defaults, **params})


class each:
    """The rules of an operation with any number of inputs, made for all of them at once.

    ``rules(xs, **params)`` is told the inputs in one sequence and returns ``rule(i, g, y)``, the
    rule for the i-th of them. So what all of them need, such as where each part of a concatenated
    array begins, is worked out once, and the work of a sweep stays linear in their number.
    ``each(rules)[i]`` is called like any other rule, as ``(g, y, *inputs, **params)``.

    Examples
    --------
    >>> from microgrrepresent import Tensor, grad, primitive
    >>> from microgrrepresent.primitive import each
    >>> total = primitive("total", lambda *xs: sum(xs), each(lambda xs: lambda i, g, y: g))
    >>> x = Tensor(2.0, requires_grad=True)
    >>> float(grad(total(x, x, x), x))
    3.0
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
_declared: dict[str, tuple[str, int] | None] = {}  # by which statement, for one that is run again


def primitive(
    name: str,
    forward: Callable[..., Any],
    vjp: Sequence[Rule | None] | each,
    *,
    analytic: bool = True,
    scatter: Rule | None = None,
    outer: Rule | None = None,
    doc: str = "",
    **said: Unpack[Said],
) -> Primitive:
    r"""Declare an operation: what runs, and what is said of it.

    Parameters
    ----------
    name : str
        A name no other primitive has. The same statement, run again, declares it anew, and so does
        any later cell of a notebook: graphs recorded before keep the former one.
    forward, vjp, analytic, scatter, outer
        What runs; see `Primitive`.
    doc : str
        One line for ``help()``; not needed where `forward` is a universal function of NumPy.
    symbol, kind, source, helpers, formula, derivative, meets, index, mismatch, steepest
        What is said of the operation; see `Description`.
    vjp_source, vjp_formula, vjp_words
        What is said of the contribution to an adjoint; see `Description`.

    Raises
    ------
    ValueError
        If the name is taken.
    DescriptionError
        If a field or a kind is not known, if there is not one rule for each input, or if the
        operation is described by texts, and one of its names means something else in them.

    Examples
    --------
    >>> import numpy as np
    >>> from microgrrepresent import Tensor, grad, primitive
    >>> cube = primitive("cube", lambda x: x**3, (lambda g, y, x: g * 3 * x * x,), symbol="x³")
    >>> x = Tensor(2.0, requires_grad=True)
    >>> float(grad(cube(x), x))
    12.0
    """
    where = statement(sys._getframe(1))
    if name in registry and (where is None or where != _declared[name]):
        raise ValueError(f"primitive {name!r} exists already; give the new one a name of its own")
    if isinstance(forward, np.ufunc) and not doc:
        doc = f"np.{forward.__name__}, elementwise, on arrays and recorded on Tensors."
    fields = completed(name, forward, vjp, said)
    given = defaults(forward, vjp)
    kind = _WithDefaults if given else Primitive
    made = kind(name, forward, vjp, analytic, scatter, outer, doc, fields)
    if isinstance(made, _WithDefaults):
        made.defaults = given
    registry[name], _declared[name] = made, where
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
