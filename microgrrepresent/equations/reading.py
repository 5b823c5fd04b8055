"""Questions about terms: what shape they have, whether they are rows, what they select."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from microgrrepresent.description import names_in, number_in
from microgrrepresent.equations.terms import (
    Adjoint,
    Apply,
    Chain,
    Formula,
    Negative,
    Number,
    Sum,
    SumOver,
    SumOverSteps,
    Term,
    Value,
)


def shape_of(term: Term) -> tuple[int, ...]:
    """The shape of what a term evaluates to, at one step."""
    match term:
        case Value(variable) | Adjoint(variable):
            return variable.shape
        case Number():
            return ()
        case Apply() | Chain() | SumOver() | Formula():
            return term.shape
        case Negative(inner) | SumOverSteps(inner):
            return shape_of(inner)
        case Sum(terms):
            return shape_of(terms[0]) if terms else ()
    raise TypeError(f"not a term: {term!r}")


def is_row(term: Term) -> bool:
    """Whether a term has a row for each sequence, or is one row."""
    match term:
        case Value(variable) | Adjoint(variable):
            return bool(variable.shape) and not variable.parameter
        case Chain():
            return is_row(term.g) and term.meets != "outer"
    return bool(shape_of(term))


def number_text(value: Any) -> str:
    """A number of the code, as short as it is exact enough."""
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def size_of(shape: tuple[int, ...]) -> int:
    """Number of elements."""
    n = 1
    for length in shape:
        n *= length
    return n


def summed_axes(shape: tuple[int, ...], left: tuple[int, ...]) -> str:
    """What a sum goes over that leaves an array of the second shape; nothing for everything."""
    lead = len(shape) - len(left)
    axes = [i for i, n in enumerate(shape) if i < lead or n != left[i - lead]]
    if len(axes) == len(shape):
        return ""
    if axes == [0]:
        return "batch"
    return f"{'axis' if len(axes) == 1 else 'axes'} {', '.join(map(str, axes))}"


def scalar_behind(g: Term) -> Term | None:
    """The number that g repeats everywhere, if it does."""
    if shape_of(g) == ():
        return g
    if isinstance(g, Negative):
        behind = scalar_behind(g.term)
        return None if behind is None or behind is g.term else Negative(behind)
    if isinstance(g, Chain) and g.meets == "spread" and shape_of(g.g) == ():
        if number_in(g.derivative) == 1:
            return g.g
        return g if names_in(g.derivative) == {"n"} else None
    return None


def successive_steps(terms: Sequence[Term]) -> list[int]:
    """The steps, if the terms are one variable's values at successive ones."""
    values = [term for term in terms if isinstance(term, Value) and isinstance(term.when, int)]
    if len(values) < len(terms) or len({value.variable for value in values}) != 1:
        return []
    steps = [value.when for value in values]
    return steps if steps == list(range(steps[0], steps[0] + len(steps))) else []  # type: ignore
