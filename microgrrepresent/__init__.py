"""A tiny reverse-mode autograd engine on NumPy whose product is the computation graph itself."""

# ruff: noqa: F405 (the operations come by the list in microgrrepresent.ops)

from importlib import import_module
from typing import TYPE_CHECKING, Any

from microgrrepresent.adjoints import Adjoints, backward
from microgrrepresent.errors import (
    CheckError,
    DescriptionError,
    DrawingError,
    DTypeError,
    FileError,
    GradientError,
    GraphError,
    GraphvizMissing,
    ImmutableError,
    ShapeError,
    StaleGraphError,
)
from microgrrepresent.gradients import grad, jacobian
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node
from microgrrepresent.ops import *  # noqa: F403
from microgrrepresent.place import no_grad, scope, step, steps
from microgrrepresent.primitive import Primitive, each, primitive
from microgrrepresent.tensor import Tensor

if TYPE_CHECKING:
    from microgrrepresent.check import gradcheck, gradgradcheck
    from microgrrepresent.description_check import check_primitive
    from microgrrepresent.drawing import draw, save, stepper
    from microgrrepresent.equations import explain
    from microgrrepresent.recurrence import Delay, Folded, fold, isomorphic, unfold

# The readers of a graph are loaded when they are first asked for: to record and to differentiate,
# nobody waits for them.
_LATER = {
    "Delay": "recurrence",
    "Folded": "recurrence",
    "check_primitive": "description_check",
    "draw": "drawing",
    "explain": "equations",
    "fold": "recurrence",
    "gradcheck": "check",
    "gradgradcheck": "check",
    "isomorphic": "recurrence",
    "save": "drawing",
    "stepper": "drawing",
    "unfold": "recurrence",
}

__all__ = [
    "Adjoints",
    "CheckError",
    "DTypeError",
    "Delay",
    "DescriptionError",
    "DrawingError",
    "FileError",
    "Folded",
    "GradientError",
    "Graph",
    "GraphError",
    "GraphvizMissing",
    "ImmutableError",
    "Node",
    "Primitive",
    "ShapeError",
    "StaleGraphError",
    "Tensor",
    "abs",
    "add",
    "backward",
    "binary_cross_entropy",
    "bitwise_and",
    "bitwise_or",
    "broadcast_to",
    "cast",
    "check_primitive",
    "clip",
    "concatenate",
    "cos",
    "cross_entropy",
    "div",
    "dot",
    "draw",
    "each",
    "equal",
    "exp",
    "expand_dims",
    "explain",
    "flip",
    "fold",
    "getitem",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "greater",
    "greater_equal",
    "invert",
    "isomorphic",
    "jacobian",
    "less",
    "less_equal",
    "linear",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mul",
    "neg",
    "no_grad",
    "norm",
    "not_equal",
    "one_hot",
    "pow",
    "primitive",
    "relu",
    "reshape",
    "save",
    "scope",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "squeeze",
    "stack",
    "step",
    "stepper",
    "steps",
    "stop_gradient",
    "sub",
    "sum",
    "swapaxes",
    "take",
    "tanh",
    "transpose",
    "unbroadcast",
    "unfold",
    "where",
]


def _shown(of: Any, include: Any = None, exclude: Any = None) -> dict[str, str]:
    """What a notebook shows of a Tensor or a Graph."""
    from microgrrepresent.drawing.output.notebook import shown

    return shown(of)


Tensor._repr_mimebundle_ = Graph._repr_mimebundle_ = _shown  # type: ignore[attr-defined]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_LATER]
