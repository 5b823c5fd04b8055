"""How an adjoint meets a local derivative: the product that each operation's chain rule takes.

Elementwise operations multiply element by element. The others are listed here, one word for each
input; the words are explained at `Chain`.
"""

from __future__ import annotations

from microgrrepresent.node import Node
from microgrrepresent.primitive import Primitive

PRODUCTS: dict[str, tuple[str, ...]] = {
    "linear": ("right", "outer"),
    "sum": ("spread",),
    "mean": ("spread",),
    "max": ("spread",),
    "min": ("spread",),
    "logsumexp": ("spread",),
    "cross_entropy": ("spread", ""),
    "softmax": ("rows",),
    "log_softmax": ("rows",),
}


def product(op: Primitive, position: int, node: Node) -> str:
    """The product for one input of the operation that made a node."""
    if op.name == "matmul":  # a vector on the left is a row, one on the right a column
        return "times" if node.ndim == 0 else ("right", "left")[position]
    if op.name in PRODUCTS:
        return PRODUCTS[op.name][position]
    return "times" if derivative(op, position) else "moved"


def derivative(op: Primitive, position: int) -> str:
    """The primitive's own text for the derivative by one of its inputs."""
    texts = op.derivative
    return texts[0] if len(texts) == 1 else texts[position]
