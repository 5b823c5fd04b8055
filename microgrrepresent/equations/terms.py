"""Equations as data: the small tree of terms that an explanation consists of.

    h_t = tanh(a_t)          Equation(Value(h, t), Apply(tanh, [Value(a, t)]))
    ā_t = h̄_t ⊙ (1 - h_t²)   Equation(Adjoint(a, t), Chain(Adjoint(h, t), tanh, ...))

A term can be written as LaTeX or as plain text, printed as a program, and evaluated by anyone who
can read a local derivative such as ``1 - y**2``. It holds the operation itself, whose declaration
says all about it. Nothing in it points to a graph, and it does not grow with the number of steps:
what all steps share is said once, with times relative to t.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from microgrrepresent.node import Array
from microgrrepresent.primitive import Primitive


class Shift(NamedTuple):
    """The time t + by, where t is the step that an equation is read for."""

    by: int


When = int | Shift | None
"""A fixed step, one relative to t, or none: the variable exists once."""


class Growing(NamedTuple):
    """A number that depends on the step: slope * t + start, as in ``X[t - 1]``."""

    slope: int
    start: int


@dataclass(frozen=True)
class Variable:
    """A variable that has an equation of its own, at every step or once.

    Attributes
    ----------
    name : str
        Its letter, as the program named it: ``h``, ``W_ih``.
    mark : str
        What tells it from others of that name, or ``""``: a layer's number, an arrow for its
        direction, primes: ``2←'``.
    parameter : bool
        Whether it is made of parameters only; what is not has one row for each sequence.
    shape : tuple of int
        Of its value at a step.
    steps : tuple of int
        The steps at which it exists; empty if it exists once.
    key : int
        Its place in the order of computation.
    """

    name: str
    mark: str
    parameter: bool
    shape: tuple[int, ...]
    steps: tuple[int, ...] = field(compare=False)  # T numbers, which no term should hash anew
    key: int


@dataclass(frozen=True)
class Value:
    """The value of a variable at a time."""

    variable: Variable
    when: When


@dataclass(frozen=True)
class Adjoint:
    """dL/d(variable) at a time."""

    variable: Variable
    when: When


@dataclass(frozen=True)
class Number:
    """A number in the code."""

    value: Any


@dataclass(frozen=True)
class Apply:
    """An operation applied to terms.

    Attributes
    ----------
    op : Primitive
    inputs : tuple of Term
    params : Params
        Its static arguments.
    shape : tuple of int
        Of its value.
    formula : str
        How its declaration writes it: ``x @ w.T``.
    """

    op: Primitive
    inputs: tuple[Term, ...]
    params: Params
    shape: tuple[int, ...]
    formula: str

    @cached_property
    def _hash(self) -> int:
        return hash((self.op, self.inputs, self.params, self.shape))

    def __hash__(self) -> int:
        return self._hash  # a stack over all steps is met in the equations of each


@dataclass(frozen=True)
class Chain:
    """One use of the chain rule: what an operation's adjoint sends to one of its inputs.

    Attributes
    ----------
    g : Term
        The adjoint of the operation's output y.
    op : Primitive
    position : int or Growing
        Which input it goes to.
    derivative : str
        What the declaration says of dy/d(input): ``1 - y**2``. Of what is moved there is none, and
        it is the contribution itself: ``g.T``.
    meets : str
        How g meets the derivative, in the words of `Description`: elementwise, right, ...
    y : Term
        The operation's output.
    inputs : tuple of Term
        Its inputs; of an operation that joins its inputs, none.
    params : Params
        Its static arguments.
    shape : tuple of int
        Of what is sent: that of the input that it goes to; elementwise, that of y.
    lengths : tuple of int
        Of inputs that were joined, the length of each.
    """

    g: Term
    op: Primitive
    position: int | Growing
    derivative: str
    meets: str
    y: Term
    inputs: tuple[Term, ...]
    params: Params
    shape: tuple[int, ...]
    lengths: tuple[int, ...] = ()


@dataclass(frozen=True)
class Negative:
    """Minus a term."""

    term: Term


@dataclass(frozen=True)
class SumOver:
    """A term, summed over the axes along which an array of this shape was broadcast to it."""

    term: Term
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Sum:
    """A sum of terms; 0 if there are none."""

    terms: tuple[Term, ...]


@dataclass(frozen=True)
class SumOverSteps:
    """The sum of a term over steps: its relative times are relative to each of them."""

    term: Term
    steps: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Formula:
    """What a declaration writes, or a part of it, or what a course makes of several.

    Attributes
    ----------
    tree : ast.expr
        The formula, an expression of Python.
    names : mapping
        What its names stand for: a term, a tuple of terms, a static argument, or text to be
        written as it is.
    shape : tuple of int
        Of its value.
    said_by : str
        The declaration that says it, for messages.
    """

    tree: ast.expr
    names: Mapping[str, Any]
    shape: tuple[int, ...]
    said_by: str = ""


Term = Value | Adjoint | Number | Apply | Chain | Negative | SumOver | Sum | SumOverSteps | Formula


@dataclass(frozen=True)
class Equation:
    """A value or an adjoint and what it is equal to, at the given steps.

    Attributes
    ----------
    left : Value or Adjoint
        Its time is `Shift` 0 where there are steps.
    right : Term
    steps : tuple of int
        The steps for which it holds, in the order of computation; empty where there is no step.
    """

    left: Value | Adjoint
    right: Term
    steps: tuple[int, ...]


# --- static arguments in a form that can be compared ----------------------------------------------

Params = tuple[tuple[str, Any], ...]


class Given(NamedTuple):
    """An array among the static arguments, such as the indices of a selection."""

    shape: tuple[int, ...]
    dtype: str
    data: bytes

    @property
    def array(self) -> Array:
        """The array itself."""
        return np.frombuffer(self.data, self.dtype).reshape(self.shape)


def params_of(params: dict[str, Any]) -> Params:
    """An operation's static arguments as a tuple of pairs, arrays as `Given`."""
    return tuple((name, _comparable(value)) for name, value in params.items())


def _comparable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return Given(value.shape, value.dtype.str, value.tobytes())
    if isinstance(value, list):
        return tuple(map(_comparable, value))
    if isinstance(value, tuple) and not isinstance(value, Growing):
        return tuple(map(_comparable, value))
    if isinstance(value, slice):
        return Slice(value.start, value.stop, value.step)
    return value


class Slice(NamedTuple):
    """A slice; Python's own cannot be hashed before 3.12."""

    start: Any
    stop: Any
    step: Any


def inside(term: Term) -> list[Term]:
    """A term and all terms that it consists of."""
    found, todo = [], [term]
    while todo:
        one = todo.pop()
        found.append(one)
        match one:
            case Apply(inputs=inputs):
                todo.extend(inputs)
            case Chain(g=g, y=y, inputs=inputs):
                todo.extend((g, y, *inputs))
            case Negative(term=inner) | SumOver(term=inner) | SumOverSteps(term=inner):
                todo.append(inner)
            case Sum(terms=terms):
                todo.extend(terms)
    return found
