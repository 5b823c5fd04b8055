"""What a drawing calls a node, and what kind of box it is."""

from __future__ import annotations

import numpy as np

from microgrrepresent.drawing.marks.labels import Label, Line, Run, math, text
from microgrrepresent.drawing.marks.picture import Kind
from microgrrepresent.drawing.time.losses import LOSSES, OUTPUTS
from microgrrepresent.drawing.time.timeline import Timeline
from microgrrepresent.node import Node

SMALL_ARRAY = 6
"""Arrays of up to so many elements are shown in full."""


def name(node: Node, time: Timeline) -> Line:
    """What a drawing calls a variable: its letter, with the step as a subscript.

    A number is that number, a part of a parameter has the parameter's name, an input of a step has
    the step as a subscript. What the first step reads as the state before it is that state, h_0,
    and a loss without a name is L, that of a step L_t. A score such as a cross entropy is called by
    its operation, an output that joins all h_t is H. Any other result without a name is u(1), u(2),
    ... as in `Graph.label`; in a folded graph these count the results of the cell, at every step t.
    A name in quotation marks, ``"went"``, is a word of a text: it is written as it is.
    """
    if (word := word_of(node)) is not None:
        return text(word)
    if node.is_number and node.name is None:
        value = node.params["value"]
        return text(f"{value:.4g}" if isinstance(value, float) else str(value))
    if (found := letter_of(node, time)) is not None:
        if is_input_of_step(node, time):
            return math(found, time.titles[time.column[node] - 1])
        return math(found, time.subscript(node))
    is_made = len(node.parents) == 1 and time.T and not time.column[node]
    if is_made and node.op is not None and node.parents[0].name:  # Wᵀ, or a block of W
        whole = math(time.letter(node.parents[0].name))
        return whole if is_part(node) else (*whole, Run(node.op.symbol))
    if is_start_value(node):
        return text(f"{node.value.item():.4g}")
    if node in time.losses or node in time.losses_of_steps:
        return math(time.letter(_letter_of_loss(time)), time.subscript(node))
    if node.op is not None and node.op.kind == "score" and node.derivative_of is None:
        return math(node.op.symbol, time.subscript(node))
    if node in time.nameless:
        return math(time.nameless[node], time.subscript(node))
    if node in time.outputs and (letter := _letter_of_all(node)):
        return math(letter)
    return math(time.graph.label(node))


def letter_of(node: Node, time: Timeline) -> str | None:
    """The letter of a variable, without its step; None for a result that has no name."""
    if node in time.earlier and time.earlier[node].state.name:
        return time.letter(time.earlier[node].state.name)
    if node.name is not None:
        return time.letter(node.name, node)
    if is_input_of_step(node, time):
        return time.letter(node.parents[0].name or "x")
    if (start := time.starts_as(node)) is not None and not is_start_value(node):
        return time.letter(start, node)
    if node.op is None and not node.requires_grad and time.is_step(node) and not node.is_number:
        n, own = time.slot[node].number, "input" if "x" in time.names else "x"
        return time.letter(own) if n == 1 else f"{own}({n})"
    return None


def word_of(node: Node) -> str | None:
    """The word that a node stands for, if its name is one, in quotation marks."""
    name = node.name or ""
    is_quoted = len(name) > 2 and name[0] == name[-1] == '"'
    return name[1:-1] if is_quoted else None


def _letter_of_loss(time: Timeline) -> str:
    """What a loss without a name is called: as the loss that has one; else L, as in equations."""
    return next((n.name for n in time.graph.outputs if n in time.losses and n.name), "L")


def _letter_of_all(node: Node) -> str:
    """What an array of all h_t is called: H, as in equations."""
    names = {parent.name for parent in node.parents}
    (name,) = names if len(names) == 1 else ("",)
    is_many = node.op is not None and node.op.many is not None
    return name.upper() if name and len(name) == 1 and is_many else ""


def symbol(node: Node, time: Timeline, whole: bool = False) -> Line:
    """The sign of an operation; one that stands for a matrix has the letter of that matrix.

    Parameters
    ----------
    node : Node
        The result.
    time : Timeline
        The columns.
    whole : bool
        Write all of the matrix's name, ``W_ih·``, not only a single letter.
    """
    assert node.op is not None
    sign = node.op.symbol
    if sign[1:] == "·" and sign[0].lower() in node.op.inputs:
        matrix = node.parents[node.op.inputs.index(sign[0].lower())]
        while matrix.name is None and len(matrix.parents) == 1:
            matrix = matrix.parents[0]
        letters = math(time.letter(matrix.name)) if matrix.name else (Run(""),)
        if whole and matrix.name:
            return (*letters, Run("·"))
        if len(letters[0].text) == 1:
            return (letters[0], Run("·"))
    return text(sign)


def is_start_value(node: Node) -> bool:
    """Whether a node is a number that nobody has named, such as the 0 that a sum begins with."""
    return node.op is None and node.name is None and not (node.requires_grad or node.ndim)


def is_part(node: Node) -> bool:
    """Whether a node is some entries of its only parent."""
    return (
        node.op is not None
        and len(node.parents) == 1
        and node.op.kind == "moves"
        and node.size < node.parents[0].size
    )


def is_input_of_step(node: Node, time: Timeline) -> bool:
    """Whether a node is what a step takes of an input that has all steps: x_t of x."""
    if not (is_part(node) and time.is_step(node) and node.name is None):
        return False
    whole = node.parents[0]
    return whole.is_leaf and not whole.requires_grad and not time.column[whole]


def leaf_kind(node: Node) -> Kind:
    """The kind of a leaf: a number, a parameter, or an input."""
    if node.is_number:
        return "constant"
    return "parameter" if node.requires_grad else "input"


def variable_kind(node: Node, time: Timeline) -> Kind:
    """The kind of a result that is drawn as a variable."""
    if node.name in LOSSES or node in time.losses:
        return "loss"
    return "output" if node in time.outputs or node.name in OUTPUTS else "variable"


def value(node: Node) -> Label:
    """The value of a node: its numbers if they are few, else its shape."""
    if node.size > SMALL_ARRAY or node.dtype.kind not in "biuf":
        return (text(str(node.shape), size=0.75),)
    rows = node.value.reshape(-1, node.shape[-1]) if node.ndim > 1 else np.atleast_1d(node.value)
    rows = rows if rows.ndim == 2 else rows[None]
    return tuple(
        text("  ".join(f"{v:.3g}".replace("-", "−") for v in row), size=0.75) for row in rows
    )
