"""A tiny reverse-mode autograd engine on NumPy whose product is the computation graph itself."""

# ruff: noqa: F405 (the operations come by the list in microgrrepresent.ops)

from typing import TYPE_CHECKING, Any

from microgrrepresent.adjoints import Adjoints, backward
from microgrrepresent.check import gradcheck, gradgradcheck
from microgrrepresent.errors import (
    CheckError,
    DrawingError,
    DTypeError,
    GradientError,
    GraphError,
    GraphvizMissing,
    ImmutableError,
    ShapeError,
    StaleGraphError,
)
from microgrrepresent.folding import Delay, Folded, fold, isomorphic, unfold
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node, no_grad, scope, step, steps
from microgrrepresent.ops import *  # noqa: F403
from microgrrepresent.primitive import Primitive, each, primitive
from microgrrepresent.sweep import grad, jacobian
from microgrrepresent.tensor import Tensor

if TYPE_CHECKING:
    from microgrrepresent.drawing import draw, save

__all__ = [
    "Adjoints",
    "CheckError",
    "DTypeError",
    "DrawingError",
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
    "broadcast_to",
    "cast",
    "clip",
    "concatenate",
    "cos",
    "cross_entropy",
    "div",
    "draw",
    "each",
    "equal",
    "exp",
    "expand_dims",
    "flip",
    "getitem",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "greater",
    "greater_equal",
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
    "steps",
    "stop_gradient",
    "sub",
    "sum",
    "swapaxes",
    "take",
    "tanh",
    "transpose",
    "unbroadcast",
    "where",
]


def __getattr__(name: str) -> Any:
    """Load the drawings, and with them the graphviz package, when they are first asked for."""
    if name in ("draw", "save"):
        from microgrrepresent import drawing

        return getattr(drawing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
