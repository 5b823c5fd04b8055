"""What is wrong with a declaration, told where it is made: its fields, their number, the rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from microgrrepresent.errors import DescriptionError


def refuse_unknown_fields(name: str, said: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse a field that no description has.

    Raises
    ------
    DescriptionError
        It names the nearest field.
    """
    for field in said.keys() - set(known):
        near = get_close_matches(field, known, 1, 0)
        raise DescriptionError(
            f"primitive {name!r}: a description has no field {field!r}; is {near[0]!r} meant? "
            f"Its fields are {', '.join(known)}"
        )


def refuse_unknown_kind(name: str, kind: str, known: Collection[str]) -> None:
    """Refuse a kind that no reader knows.

    Raises
    ------
    DescriptionError
    """
    if kind not in known:
        near = get_close_matches(str(kind), known, 1, 0)
        raise DescriptionError(
            f"primitive {name!r}: kind must be one of {', '.join(map(repr, known))}, got {kind!r}; "
            f"is {near[0]!r} meant?"
        )


def refuse_number(name: str, said: Mapping[str, Any], fields: Collection[str], many: int) -> None:
    """Refuse as many texts as there are no inputs.

    Raises
    ------
    DescriptionError
    """
    for field in fields:
        texts = said.get(field)
        if isinstance(texts, tuple) and len(texts) != many:
            raise DescriptionError(
                f"primitive {name!r}: {field!r} has one text for each input, and {name} has "
                f"{many} of them, a rule for each; got {len(texts)} texts: {texts!r}"
            )


def refuse_rules(name: str, forward: Callable[..., Any], vjp: Any) -> None:
    """Refuse rules that could not be called as ``rule(g, y, *inputs, **params)``.

    Raises
    ------
    DescriptionError
        If there are more or fewer rules than inputs, as far as that can be seen.
    """
    if not isinstance(vjp, Sequence):
        return
    many = len(vjp)
    expected = forward.nin if isinstance(forward, np.ufunc) else None
    takes = _arguments(forward)
    if takes is not None and many and not takes.any_number and len(takes.positional) < many:
        expected = len(takes.positional)
    if expected is not None and expected != many:
        raise DescriptionError(
            f"primitive {name!r}: vjp has one rule for each input, or None where no derivative "
            f"passes; forward has {expected} inputs, got {many} rules"
        )
    if takes is None or takes.any_number:
        return
    static = takes.required(many)
    for i, rule in enumerate(vjp):
        rule_takes = _arguments(rule)
        if rule_takes is None or rule_takes.any_number:
            continue
        has = len(rule_takes.positional)
        missing = [] if rule_takes.any_name else [n for n in static if n not in rule_takes.names]
        if has >= 2 + many and not missing:
            continue
        called = ", ".join(["g", "y", *takes.positional[:many], *static])
        told = f"{missing[0]!r} is missing; " if missing else ""
        raise DescriptionError(
            f"primitive {name!r}: the rule of input {i} is called with ({called}), and takes "
            f"({', '.join(rule_takes.names)}); {told}vjp has one rule for each of forward's "
            "inputs, or None, and static arguments are given by their names"
        )


def statement(frame: FrameType) -> tuple[str, int] | None:
    """By which statement something is declared: its file and line, or ``("", 0)`` if it is typed.

    A notebook names no file, and a cell has another name once it is edited: of what is typed, any
    statement may be a former one again. None inside of a function, which may declare another
    operation at each call.
    """
    if frame.f_locals is not frame.f_globals:
        return None
    is_typed = "__file__" not in frame.f_globals
    return ("", 0) if is_typed else (frame.f_code.co_filename, frame.f_lineno)


def defaults(forward: Callable[..., Any], vjp: Any) -> dict[str, Any]:
    """The static arguments that `forward` has a value for, and all rules take, too."""
    takes = _arguments(forward)
    if takes is None:
        return {}
    is_sequence = isinstance(vjp, Sequence)
    inputs = takes.positional[: len(vjp)] if is_sequence else ()
    rules = [_arguments(rule) for rule in vjp if rule] if is_sequence else [_arguments(vjp.rules)]
    return {
        name: value
        for name, value in takes.defaults.items()
        if name not in inputs
        and all(one is None or one.any_name or name in one.names for one in rules)
    }


class _Arguments(NamedTuple):
    """What a function takes: its positional arguments, all by name, and the values of some."""

    positional: tuple[str, ...]
    names: tuple[str, ...]
    defaults: dict[str, Any]
    any_number: bool
    any_name: bool

    def required(self, skipped: int) -> list[str]:
        """The arguments that have to be given, behind the first ones."""
        return [name for name in self.names[skipped:] if name not in self.defaults]


def _arguments(function: Any) -> _Arguments | None:
    """What a function of Python takes; None of any other."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    first, end = hasattr(function, "__self__"), code.co_argcount  # a method is not given its self
    names = code.co_varnames[first : end + code.co_kwonlyargcount]
    positional, given = code.co_varnames[first:end], function.__defaults__ or ()
    values = dict(zip(positional[len(positional) - len(given) :], given, strict=True))
    values |= function.__kwdefaults__ or {}
    has_any = bool(code.co_flags & CO_VARARGS), bool(code.co_flags & CO_VARKEYWORDS)
    return _Arguments(positional, names, values, *has_any)
