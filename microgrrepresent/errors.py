"""The errors. Each message teaches: what, where, what was expected and given, what to do.

Each type is also the built-in error that a NumPy user would catch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ShapeError(ValueError):
    """Operands whose shapes do not fit the operation."""


class DTypeError(TypeError):
    """A data type that the operation cannot take, such as a gradient of integers."""


class GradientError(RuntimeError):
    """A derivative that does not exist, such as that of a constant, or that would be lost."""


class DescriptionError(TypeError):
    """An operation whose declaration lacks, or confuses, what a reader has to know of it.

    See `Description`.
    """


class CheckError(AssertionError):
    """A derivative, or another claim, that is not what the function itself says."""


class StaleGraphError(RuntimeError):
    """A graph that was recorded before one of its leaves was given a new value."""


class GraphError(ValueError):
    """A graph, or a file that should hold one, that is not what the caller takes it for."""


class ExampleError(GraphError):
    """An example that does not tell what has to be known of a function; another one may."""


class FileError(OSError, ValueError):
    """A file that cannot be read or written, or that is not a whole file of its kind."""


class ImmutableError(TypeError):
    """An attempt to change a recorded value in place."""


class DrawingError(RuntimeError):
    """A picture that cannot be drawn as asked for: too large, too slow, or refused by Graphviz."""


class GraphvizMissing(DrawingError):
    """A picture that needs Graphviz, on a machine that does not have it."""


def located(op: str, scope: str, step: int | None) -> str:
    """Name an operation and its place: ``matmul in lstm at t=3``."""
    return op + (f" in {scope}" if scope else "") + (f" at t={step}" if step is not None else "")


def operand(name: str | None, value: Any) -> str:
    """Name an operand and its shape: ``h (2, 16)``; one without a name is shown as its shape."""
    shape = str(tuple(getattr(value, "shape", ())))
    return f"{name} {shape}" if name else shape


def shortened(given: Any) -> str:
    """What was given, in at most 80 characters of one line."""
    text = " ".join(repr(given).split())
    return text if len(text) <= 80 else text[:77] + "..."


def listed(names: Sequence[str]) -> str:
    """Names with commas between them; of more than four, the first three and the last."""
    if len(names) > 4:
        names = [*names[:3], f"... and {len(names) - 4:,} more", f"and {names[-1]}"]
    return ", ".join(names)


def no_gradient(name: str | None, dtype: Any) -> DTypeError:
    """Say why a leaf of such numbers cannot require a gradient."""
    leaf = name or "a Tensor"
    if dtype.kind == "c":
        return DTypeError(
            f"{leaf} of {dtype} cannot require a gradient: what the derivative by a complex number "
            "is depends on a convention; keep its real and imaginary part in two Tensors of floats "
            "(complex leaves are for complex steps, as gradcheck takes them)"
        )
    return DTypeError(
        f"{leaf} of {dtype} cannot require a gradient, because a derivative needs numbers that can "
        "change a little; give floats or dtype=float"
    )


def complex_on_the_way(contribution: Any, value: Any) -> GradientError:
    """Say that what depends on real numbers through complex ones has no derivative here."""
    return GradientError(
        f"an adjoint of {contribution.dtype} reached {operand(None, value)} of {value.dtype}: a "
        "result depends on it through complex numbers, of which no rule here knows the derivative; "
        "compute with the real and the imaginary part in two Tensors of floats"
    )


def gradient_lost(where: str, tensor: Any) -> GradientError:
    """Say that a Tensor would leave the graph, and how to stay in it or to leave on purpose."""
    t = tensor.name if tensor.name and tensor.name.isidentifier() else "t"
    return GradientError(
        f"{operand(tensor.name or 'a Tensor', tensor)} requires a gradient, which would be lost "
        f"{where}; {t}.numpy() is its value alone, {t}.detach() a leaf with this value; to "
        f"differentiate, use operations that are recorded: dot(x, {t}) or x @ {t} instead of "
        f"x.dot({t}), stack or concatenate instead of arrays made of Tensors or written row by row"
    )


def stale(leaf: Any, user: Any) -> StaleGraphError:
    """Say that a leaf was assigned to after a node, its user, was made from it."""
    return StaleGraphError(
        f"{operand(leaf.name or 'a leaf', leaf)} was given a new value by assign() after this "
        f"graph had used it ({located(user.op.name, user.scope, user.step)}), so the recorded "
        "values no longer belong together; run the forward pass again (a state that goes from "
        "batch to batch is cut in between: state = state.detach())"
    )


def broadcast_mismatch(shapes: Sequence[tuple[int, ...]]) -> str | None:
    """Say which axis keeps shapes from broadcasting: ``3 != 4 in axis -1``; None if they do."""
    for axis in range(1, max(map(len, shapes), default=0) + 1):
        sizes = [shape[-axis] for shape in shapes if len(shape) >= axis]
        odd = sorted({n for n in sizes if n != 1}, key=sizes.index)
        if len(odd) > 1:
            return (
                f"{odd[0]} != {odd[1]} in axis -{axis}; "
                "axes must be equal, or one of them 1, counted from the last"
            )
    return None
