"""What the texts of a description call the inputs of an operation: what its rules call them.

The adjoint ``g``, the output ``y`` and a few more have fixed names there, which no input may have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from microgrrepresent.errors import DescriptionError

_TAKEN = {
    "g": "the adjoint of the output",
    "y": "the output",
    "n": "the number of elements of an input that went into one of the output",
    "np": "NumPy",
}


def input_names(forward: Callable[..., Any], vjp: Any) -> tuple[str, ...]:
    """What the rules call the inputs; else what `forward` does; else x, or a and b."""
    if not isinstance(vjp, Sequence):
        return ("xs",)
    many = len(vjp)
    for function, skipped in (*((rule, 2) for rule in vjp), (forward, 0)):
        names, _ = _arguments(function)
        if len(names) >= skipped + many:
            return names[skipped : skipped + many]
    return ("x",) if many == 1 else tuple("abcdefgh"[:many])


def refuse_names_taken(
    name: str, inputs: tuple[str, ...], forward: Callable[..., Any], vjp: Any
) -> None:
    """In the texts, which are over the names of the rules, a name means one thing.

    Raises
    ------
    DescriptionError
        If a rule does not call the adjoint g and the output y, or something else is called so.
    """
    rules = vjp if isinstance(vjp, Sequence) else ()
    for rule in rules:
        for given, letter in zip(_arguments(rule)[0], "gy", strict=False):
            if given != letter and not given.startswith("_"):  # a text does not speak of _
                raise DescriptionError(
                    f"primitive {name!r}: a rule calls {_TAKEN[letter]} {given!r}, but its "
                    f"description calls it {letter}; its arguments are (g, y, *inputs, **params)"
                )
    positional, by_name = _arguments(forward)
    for given in (*inputs, *positional[len(rules) :], *by_name):
        if given in _TAKEN:
            raise DescriptionError(
                f"primitive {name!r}: an argument is called {given!r}, which in a description is "
                f"{_TAKEN[given]}; give it another name in `forward` and in the rules"
            )
    if rules and inputs == ("xs",):
        raise DescriptionError(
            f"primitive {name!r}: its only input is called 'xs', which in a description is any "
            "number of inputs; call it x, or give the rules of all inputs as "
            "microgrrepresent.primitive.each(...)"
        )


def _arguments(function: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a function calls its positional arguments, and those that are given by name only."""
    code = getattr(function, "__code__", None)
    if code is None:
        return (), ()
    first, end = hasattr(function, "__self__"), code.co_argcount  # a method is not given its self
    return code.co_varnames[first:end], code.co_varnames[end : end + code.co_kwonlyargcount]
