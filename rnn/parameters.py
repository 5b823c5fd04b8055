"""What an attribute of a module is set to, so that its parameters stay parameters.

``head.weight = array`` takes the values over, ``head.weight = embedding.weight`` ties the two, and
whatever is neither is refused; in lists and dicts it goes place by place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from microgrrepresent import ShapeError, Tensor
from microgrrepresent.errors import DTypeError


def held(
    name: str, value: Any, kinds: type | tuple[type, ...] = Tensor
) -> Iterator[tuple[str, Any]]:
    """Leaves, or what else is of these kinds, in an attribute, in lists and in dicts, by name."""
    if isinstance(value, kinds):
        if not isinstance(value, Tensor) or value.is_leaf:
            yield name, value
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from held(f"{name}.{i}", item, kinds)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from held(f"{name}.{key}", item, kinds)


def kept(own: Any, value: Any, what: str) -> Any:
    """What an attribute is set to, so that its parameters stay: alone, in lists or in dicts."""
    if isinstance(own, Tensor) and own.is_leaf:
        return replaced(own, value, what)
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
