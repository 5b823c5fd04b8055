"""A tiny reverse-mode autograd engine on NumPy whose product is the computation graph itself."""

import builtins
from importlib import import_module
from typing import TYPE_CHECKING, Any

from microgrrepresent import ops
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
from microgrrepresent.ops import *  # noqa: F403 (listed there)
from microgrrepresent.primitive import Primitive, primitive
from microgrrepresent.scopes import no_grad, scope, source_lines, step, steps
from microgrrepresent.tensor import Tensor
from microgrrepresent.transforms import value_and_grad, vjp

if TYPE_CHECKING:
    from microgrrepresent.check import gradcheck, gradgradcheck
    from microgrrepresent.drawing import draw, frames, save, stepper
    from microgrrepresent.equations import explain
    from microgrrepresent.programs import Program, check_primitive, compiled, mark, program
    from microgrrepresent.recurrence import Delay, Folded, fold, isomorphic, unfold

__version__ = "0.1.0"

# The readers of a graph are loaded when they are first asked for: to record and to differentiate,
# nobody waits for them.
_LATER = {
    "Delay": "recurrence",
    "Folded": "recurrence",
    "Program": "programs",
    "check_primitive": "programs",
    "compiled": "programs",
    "draw": "drawing",
    "explain": "equations",
    "frames": "drawing",
    "fold": "recurrence",
    "gradcheck": "check",
    "gradgradcheck": "check",
    "isomorphic": "recurrence",
    "mark": "programs",
    "program": "programs",
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
    "Program",
    "ShapeError",
    "StaleGraphError",
    "Tensor",
    "backward",
    "check_primitive",
    "compiled",
    "draw",
    "explain",
    "fold",
    "frames",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "isomorphic",
    "jacobian",
    "mark",
    "no_grad",
    "primitive",
    "program",
    "save",
    "scope",
    "source_lines",
    "step",
    "stepper",
    "steps",
    "unfold",
    "value_and_grad",
    "vjp",
]
# `from microgrrepresent import *` leaves Python's own sum, max, min, abs and pow as they are; ours
# are imported by name, or used as microgrrepresent.sum.
__all__ += [name for name in ops.__all__ if not hasattr(builtins, name)]


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
