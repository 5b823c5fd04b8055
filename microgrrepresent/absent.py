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
    """What only others have: to ask for it is an AttributeError that says what to write here."""

    __slots__ = ()

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if hasattr(type(self), name)]


class Hint:
    """An attribute that raises, and says what there is instead."""

    def __init__(self, owner: str, name: str, hint: str) -> None:
        self._message = f"{owner} has no {name!r}; {hint}"

    def __get__(self, instance: Any, kind: type[Any]) -> NoReturn:
        raise AttributeError(self._message)


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

_ASSIGN = "a value that is recorded stays: give a leaf a whole new one with t.assign(array)"
_CAST = "convert it with t.astype('float32'), or another data type"

_OF_TORCH = {
    "unsqueeze": "it is a function: microgrrepresent.expand_dims(t, axis)",
    "permute": "the axes change places by t.transpose(1, 0, 2)",
    "view": "give it another shape by t.reshape(2, 3)",
    "view_as": "give it another shape by t.reshape(other.shape)",
    "expand": "it is a function: microgrrepresent.broadcast_to(t, shape)",
    "t": "it is t.T",
    "mm": "the matrix product is a @ b",
    "bmm": "the matrix product is a @ b",
    "dim": "it is t.ndim",
    "numel": "it is t.size",
    "clone": "it is t.copy()",
    "contiguous": "leave it out: every operation takes every array",
    "cpu": "leave it out: it is in the memory of the CPU",
    "cuda": "arrays are NumPy's, on the CPU",
    "to": _CAST,
    "type": _CAST,
    "float": _CAST,
    "double": _CAST,
    "half": _CAST,
    "long": _CAST,
    "int": _CAST,
    "bool": _CAST,
    "requires_grad_": "write t.requires_grad = True, at a leaf",
    "detach_": "t.detach() gives a leaf with this value",
    "retain_grad": "grad(loss, t) gives the gradient of any node, backward(loss)[t] too",
    "register_hook": "backward(loss) has the adjoint of every node, and every contribution to it",
    "grad_fn": "the operation that made it is t.op, from t.parents",
    "masked_fill": "it is where(mask, value, t)",
    "gather": "select by t[rows, indices]",
    "copy_": _ASSIGN,
    "fill_": _ASSIGN,
    "zero_": _ASSIGN,
    "add_": _ASSIGN,
    "sub_": _ASSIGN,
    "mul_": _ASSIGN,
    "div_": _ASSIGN,
}
"""What PyTorch's tensors have, and how it is written here."""

for _name in dir(np.ndarray):
    if not _name.startswith("_"):
        _hint = f"its array has, without derivative: t.numpy().{_name}"
        setattr(Absent, _name, Hint("a Tensor", _name, _hint))
for _name, _hint in _OF_TORCH.items():
    setattr(Absent, _name, Hint("a Tensor", _name, _hint))
for _name in ops.__all__:
    _hint = f"it is a function: microgrrepresent.{_name}(t)"
    setattr(Absent, _name, Hint("a Tensor", _name, _hint))
