"""A tiny reverse-mode autograd engine on NumPy whose product is the computation graph itself."""

from microgrrepresent.errors import (
    DTypeError,
    GradientError,
    GraphError,
    ImmutableError,
    ShapeError,
    StaleGraphError,
)
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node, no_grad, scope, step, steps
from microgrrepresent.ops import *  # noqa: F403 (the list is ops.__all__)
from microgrrepresent.ops import __all__ as _operations
from microgrrepresent.primitive import Primitive, each, primitive
from microgrrepresent.sweep import Adjoints, backward, grad, jacobian
from microgrrepresent.tensor import Tensor
