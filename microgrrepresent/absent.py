"""What a Tensor does not have, and where to find it: of ``t.sort`` it says ``t.numpy().sort``.

A ``__getattr__`` could say so of any name. But Python looks up *every* attribute of an instance the
long way if its class has one, fields as well, and the whole engine takes a tenth longer. So these
names are there, in a base class that is asked last, and raise the error of a name that is not.

Operators without a derivative here, such as ``t % 2`` and ``round(t)``, are NumPy's: of what
requires no gradient they give an array, of what does they raise an error, as ``np.round(t)`` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from microgrrepresent import ops


class Absent:
    """What only functions, or only arrays, have: to ask for it is an AttributeError with a hint."""

    __slots__ = ()

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if hasattr(type(self), name)]


class _Hint:
    """An attribute of that name that raises."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, tensor: Any, kind: type[Any]) -> NoReturn:
        hint = f"its array has, without derivative: t.numpy().{self._name}"
        if self._name in ops.__all__:
            hint = f"it is a function: microgrrepresent.{self._name}(t)"
        raise AttributeError(f"a Tensor has no {self._name!r}; {hint}")


def _of_numpy(function: Callable[..., Any], turned: bool = False) -> Callable[..., Any]:
    def called(tensor: Any, *others: Any) -> Any:
        return function(*others, tensor) if turned else function(tensor, *others)

    return called


Absent.__round__ = _of_numpy(np.round)  # type: ignore[attr-defined]
for _name, _function in {
    "mod": np.remainder,
    "floordiv": np.floor_divide,
    "divmod": np.divmod,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
}.items():
    setattr(Absent, f"__{_name}__", _of_numpy(_function))
    setattr(Absent, f"__r{_name}__", _of_numpy(_function, turned=True))

for _name in (*ops.__all__, *dir(np.ndarray)):
    if not _name.startswith("_"):
        setattr(Absent, _name, _Hint(_name))
