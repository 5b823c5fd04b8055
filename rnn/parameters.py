"""What an attribute of a module is set to, so that its parameters stay parameters.

``head.weight = array`` takes the values over, ``head.weight = embedding.weight`` ties the two, and
whatever is neither is refused; in lists and dicts it goes place by place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Set, ValuesView
from typing import Any

import numpy as np

from microgrrepresent import ShapeError, Tensor
from microgrrepresent.errors import DTypeError, shortened


def held(
    name: str, value: Any, kinds: type | tuple[type, ...] = Tensor
) -> Iterator[tuple[str, Any]]:
    """Leaves, or what else is of these kinds, in an attribute, in lists and in dicts, by name.

    Raises
    ------
    TypeError
        If a list or dict holds itself.
    """
    for path, part in _parts(name, value, kinds, ()):
        if isinstance(part, kinds) and (not isinstance(part, Tensor) or part.is_leaf):
            yield path, part


def _parts(
    name: str, value: Any, kinds: type | tuple[type, ...], around: tuple[Any, ...]
) -> Iterator[tuple[str, Any]]:
    """What is in an attribute, in lists and in dicts, by name."""
    if isinstance(value, kinds) or not isinstance(value, (list, tuple, dict)):
        yield name, value
    elif any(value is outer for outer in around):
        raise TypeError(f"{shortened(name)} is a {type(value).__name__} that holds itself")
    else:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _parts(f"{name}.{key}", item, kinds, (*around, value))


def check_held(what: str, value: Any) -> None:
    """See that what an attribute holds can be found there, and under a name of its own.

    Raises
    ------
    TypeError, ValueError
        If parameters, or modules that have some, are in a set, a deque or an array of objects,
        where they have no names; or if two are called the same.
    """
    seen: set[str] = set()
    for name, part in _parts(what, value, Tensor, ()):
        for one in _unnamed(part):
            if _is_module(one) or (isinstance(one, Tensor) and one.is_leaf and one.requires_grad):
                raise TypeError(
                    f"{name} is a {type(part).__name__} with parameters in it, which would not be "
                    "trained or saved, because they have no names there; give a list or a dict"
                )
        if isinstance(part, Tensor) or _is_module(part):
            if name in seen:
                raise two_of(name)
            seen.add(name)


def two_of(name: str) -> ValueError:
    """Say that two parameters would have one name, so that only one of them would be saved."""
    return ValueError(
        f"{name} would be the name of two parameters; give keys that differ as text, and have no "
        "dots"
    )


def _unnamed(value: Any) -> Iterable[Any]:
    """What is in a container whose members have no names that last."""
    if isinstance(value, (Set, ValuesView, deque)):
        return value
    return value.flat if isinstance(value, np.ndarray) and value.dtype == object else ()


def _is_module(x: Any) -> bool:
    """Whether this is a `Module`, whose file is made of this one."""
    return hasattr(x, "named_parameters")


def kept(own: Any, value: Any, what: str) -> Any:
    """What an attribute is set to, so that its parameters stay: alone, in lists or in dicts."""
    if isinstance(own, Tensor) and own.is_leaf:
        return replaced(own, value, what)
    if _is_module(own) and not (value is None or _is_module(value)) and own.parameters():
        raise TypeError(
            f"{what} is a {type(own).__name__} with parameters, got {type(value).__name__}; give "
            "another module, or None to be without it"
        )
    if not isinstance(own, (list, tuple, dict)):
        return value
    kind = dict if isinstance(own, dict) else (list, tuple)
    if not isinstance(value, kind):
        for path, tensor in held(what, own):
            if tensor.requires_grad:
                raise TypeError(
                    f"{path} is a parameter, got {type(value).__name__} for {what}; give a "
                    f"{type(own).__name__} with a value for each of its parameters"
                )
        return value
    given = _places(value)
    whole = dict(given)
    for key, member in _places(own).items():
        replacement = kept(member, given.get(key), f"{what}.{key}")
        if key in given:
            whole[key] = replacement
    if all(whole[key] is given[key] for key in given):
        return value
    if isinstance(value, dict):
        return whole
    return list(whole.values()) if isinstance(value, list) else tuple(whole.values())


def _places(container: Any) -> dict[Any, Any]:
    return dict(container.items() if isinstance(container, dict) else enumerate(container))


def replaced(own: Tensor, value: Any, what: str) -> Any:
    """The Tensor that takes a parameter's place: a given one that fits, or its own with new values.

    Raises
    ------
    TypeError, ShapeError, DTypeError
        If the value fits neither way: the parameter would be one no more, without a word.
    """
    if not own.requires_grad and (value is None or isinstance(value, Tensor)):
        return value  # it was no parameter
    if value is None:
        raise TypeError(f"{what} is a parameter, got None; make the module without it instead")
    if not isinstance(value, Tensor):
        own.assign(value.detach() if hasattr(value, "detach") else value)
        return own
    if (value.shape, value.dtype) != (own.shape, own.dtype):
        kind = ShapeError if value.shape != own.shape else DTypeError
        raise kind(
            f"{what} is a parameter {own.shape} of {own.dtype}, got a Tensor {value.shape} of "
            f"{value.dtype}"
        )
    if not (value.is_leaf and value.requires_grad):
        lacks = "requires no gradient" if value.is_leaf else "is a result, and no leaf"
        raise TypeError(
            f"{what} is a parameter, got a Tensor that {lacks}; give {what.split('.')[-1]} = "
            "tensor.numpy() for its values, or Tensor(..., requires_grad=True)"
        )
    return value if value.name or not own.name else value.named(own.name)
