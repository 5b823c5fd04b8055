r"""The chain rule of one graph, written out: `explain`.

    explanation = explain(loss, cell.weight_hh, notation="nndl")
    print(explanation)          # plain text
    explanation                 # in Jupyter: formulas
    explanation.equations       # data: the terms, for anyone who wants to evaluate them

The equations are read off the graph that was recorded; a graph of T
equal steps is folded first, so that what is written is one recursion with t, not T copies of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass

from microgrrepresent.equations.derivation import Derivation, derive
from microgrrepresent.equations.document import MOST
from microgrrepresent.equations.document_lines import Markdown, Text
from microgrrepresent.equations.notations import Notation, NotationName, notation_named
from microgrrepresent.equations.scripts import LaTeX, Plain
from microgrrepresent.equations.terms import Equation
from microgrrepresent.errors import GradientError, operand
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

LARGE = 200_000
"""To explain a graph of more nodes takes so long that it is said before."""


@dataclass(frozen=True)
class Explanation:
    """How a gradient comes about: equations, and the numbers beside them. Made by `explain`.

    Attributes
    ----------
    derivation : Derivation
        The equations as data, and what the graph holds for each.
    notation : Notation
        In whose letters it is written.
    numbers : bool
        Whether arrays stand beside the equations.
    steps : tuple of int or None
        The steps whose numbers are shown; of a graph that does not fold, whose equations.
    """

    derivation: Derivation
    notation: Notation
    numbers: bool = False
    steps: tuple[int, ...] | None = None

    @property
    def equations(self) -> tuple[Equation, ...]:
        """All equations, in the order of computation: the forward pass, then the adjoints."""
        return self.derivation.equations

    def __str__(self) -> str:
        text = Text(self.derivation, self.notation, self.numbers, self.steps, Plain())
        return "\n".join(text.lines()).rstrip() + "\n"

    def __repr__(self) -> str:
        loss, target = self.derivation.loss.variable.name, self.derivation.target.variable.name
        return (
            f"<Explanation: the gradient of {loss} with respect to {target} in "
            f"{len(self.equations)} equations; print() shows them>"
        )

    def markdown(self) -> str:
        """Markdown with LaTeX."""
        text = Markdown(self.derivation, self.notation, self.numbers, self.steps, LaTeX())
        return "\n".join(text.lines()).rstrip() + "\n"

    def _repr_markdown_(self) -> str:
        return self.markdown().encode(errors="replace").decode()  # half characters


def explain(
    loss: Node,
    W: Node,
    notation: NotationName = "pytorch",
    numbers: bool = False,
    steps: Collection[int] | None = None,
) -> Explanation:
    """Write the chain rule of exactly this graph: how dL/dW comes about.

    Parameters
    ----------
    loss : Tensor
        A scalar.
    W : Tensor
        A parameter, or any other node that the loss depends on.
    notation : {"pytorch", "nndl", "ng", "nankai", "task05", "d2l"}
        Whose letters; see `microgrrepresent.equations.notations`. PyTorch computes with rows,
        x Wᵀ; most courses write columns, W x.
    numbers : bool
        Show the values and gradients, too.
    steps : collection of int, optional
        The steps whose numbers to show, at most 400; by default all of up to four, else the first,
        second and last. Of a graph whose steps differ, which does not fold: whose equations to
        show; by default all, or the first and the last if they are more than 400.

    Returns
    -------
    Explanation

    Raises
    ------
    GradientError
        If the loss is no scalar, or does not depend on W.
    TypeError
        If the loss or W is no tensor, or steps no collection.
    ValueError
        If there is no such notation, or no such step.

    Examples
    --------
    >>> from microgrrepresent import Tensor, explain, steps, tanh
    >>> w, h = Tensor(0.5, requires_grad=True, name="w"), Tensor(1.0, name="h")
    >>> for t, x in steps([Tensor(0.1, name="x"), Tensor(0.2, name="x"), Tensor(0.3, name="x")]):
    ...     h = tanh(w * h + x).named("h")
    >>> print(explain(h, w))
    The gradient of L = h_3 with respect to w
    In the letters of PyTorch: ⊙ multiplies element by element; states are rows, one for each
    sequence of a batch.
    <BLANKLINE>
    given: w (), x_t (), h_0 ()
    <BLANKLINE>
    Forward
      at each step t = 1..3:
        a_t = w h_{t-1} + x_t
        h_t = tanh(a_t)
    <BLANKLINE>
    Local derivatives
      y = tanh(x):  ∂y/∂x = 1 - y²
    <BLANKLINE>
    Backward
      at each step t = 3..1:
        ∂L/∂h_3 = 1    (t = 3)
        ∂L/∂h_t = ∂L/∂a_{t+1} w    (t = 2, 1)
        ∂L/∂a_t = ∂L/∂h_t (1 - h_t²)
    <BLANKLINE>
    The gradient
      ∂L/∂w = Σ(t=1..3) ∂L/∂a_t h_{t-1}
    <BLANKLINE>
    """
    for node, what in (
        (loss, "the loss is a Tensor, such as (h * h).sum()"),
        (W, "W is a Tensor that the loss depends on, such as cell.weight_hh"),
    ):
        if not isinstance(node, Node):
            raise TypeError(f"explain: {what}, got {type(node).__name__}")
    if loss.shape:
        raise GradientError(
            f"explain: the loss is one number, such as (h * h).sum(), got "
            f"{operand(loss.name or 'a tensor', loss)}"
        )
    course = notation_named(notation, "explain")
    if (size := len(Graph(loss))) > LARGE:
        warnings.warn(
            f"explain: a graph of {size:,} nodes takes minutes; a run of a few steps has the same "
            "equations",
            stacklevel=2,
        )
    derivation = derive(loss, W)
    chosen = None if steps is None else _chosen(steps, derivation)
    if numbers and chosen is not None and len(chosen) > MOST:
        raise ValueError(
            f"explain: numbers of at most {MOST} steps can be shown, got {len(chosen)}; choose "
            "some, such as steps=range(1, 1000, 10)"
        )
    fitted = course.fitted({variable.name for variable in derivation.variables})
    return Explanation(derivation, fitted, numbers, chosen)


def _chosen(steps: Collection[int], derivation: Derivation) -> tuple[int, ...]:
    """The steps that were asked for, if there are such."""
    known = sorted({t for equation in derivation.forward for t in equation.steps})
    among = f"among t = {known[0]}..{known[-1]}" if known else "none in this graph"
    if isinstance(steps, str) or not isinstance(steps, Collection):
        raise TypeError(f"explain: steps is a list of steps, {among}, got {steps!r}")
    if unknown := [t for t in steps if t not in known]:
        raise ValueError(f"explain: the steps are {among}, got {', '.join(map(repr, unknown))}")
    return tuple(sorted(steps))
