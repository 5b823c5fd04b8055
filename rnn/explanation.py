r"""The chain rule of one graph, written out: `explain`.

    explanation = explain(loss, cell.weight_hh, notation="nndl")
    print(explanation)          # plain text
    explanation                 # in Jupyter: formulas
    explanation.equations       # data: the terms, for anyone who wants to evaluate them

Nothing here knows a cell. The equations are read off the graph that was recorded; a graph of T
equal steps is folded first, so that what is written is one recursion with t, not T copies of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import get_args

from microgrrepresent import GradientError, Node
from microgrrepresent.equations import Derivation, Explanation, Notation, derive
from microgrrepresent.errors import operand
from rnn.notation import Notation as NotationName

_GATES = "ifogrzn"


def _by_gate(pattern: str, letters: dict[str, str], names: str = _GATES) -> dict[str, str]:
    """``W_f`` and its like in a course's letters: ``U_f``."""
    program, course = pattern.split(" ")
    return {
        program.replace("·", gate): course.replace("·", letters.get(gate, gate)) for gate in names
    }


_NNDL = {"g": "c", "n": "h"}
_NG = {"i": "u", "z": "u", "g": "c", "n": "c"}
_OF_A_LAYER = re.compile(r"(\w+?)_(l\d+(?:_reverse)?)")
_SUMS = frozenset({"a", *(f"a_{gate}" for gate in _GATES)})

NOTATIONS: dict[str, Notation] = {
    "pytorch": Notation("PyTorch", letters=_by_gate("W_· W_i·", {}) | _by_gate("U_· W_h·", {})),
    "nndl": Notation(
        "NNDL",
        columns=True,
        adjoint="partial",
        deltas=_SUMS,
        loss="ℒ",
        letters={"W_ih": "W", "W_hh": "U", "W": "V", "a": "z", "g": "tildec", "n": "tildeh"}
        | {"b_in": "b_h", "b_hn": "d_h"}
        | _by_gate("W_· W_·", _NNDL)
        | _by_gate("U_· U_·", _NNDL)
        | _by_gate("b_· b_·", _NNDL)
        | _by_gate("a_· z_·", _NNDL),
    ),
    "ng": Notation(
        "Ng",
        columns=True,
        time="angle",
        adjoint="d",
        letters={"W_ih": "W_ax", "W_hh": "W_aa", "W": "W_ya", "h": "a", "a": "z", "ŷ": "ŷ"}
        | {"i": "Γ_u", "f": "Γ_f", "o": "Γ_o", "r": "Γ_r", "z": "Γ_u"}
        | {"g": "tildec", "n": "tildec", "b_in": "b_c", "b_hn": "d_c"}
        | _by_gate("W_· W_·x", _NG)
        | _by_gate("U_· W_·a", _NG)
        | _by_gate("b_· b_·", _NG)
        | _by_gate("a_· z_·", _NG),
    ),
    "nankai": Notation(
        "Nankai",
        columns=True,
        adjoint="partial",
        letters={"W_ih": "U", "W_hh": "W", "W": "V", "g": "tildec", "n": "tildeh"}
        | {"b_in": "b_h", "b_hn": "d_h"}
        | _by_gate("W_· U_·", _NNDL)
        | _by_gate("U_· W_·", _NNDL)
        | _by_gate("b_· b_·", _NNDL)
        | _by_gate("a_· a_·", _NNDL),
    ),
}


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
    notation : {"pytorch", "nndl", "ng", "nankai"}
        Whose letters. PyTorch computes with rows, x Wᵀ; the courses write columns, W x.
    numbers : bool
        Show the values and gradients, too.
    steps : collection of int, optional
        The steps whose numbers to show; by default all of up to four, else the first, second
        and last. Of a graph whose steps differ, which does not fold: whose equations to show.

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
    >>> from microgrrepresent import Tensor, steps, tanh
    >>> from rnn import explain
    >>> w, h = Tensor(0.5, requires_grad=True, name="w"), Tensor(1.0, name="h")
    >>> for t, x in steps([Tensor(0.1, name="x"), Tensor(0.2, name="x"), Tensor(0.3, name="x")]):
    ...     h = tanh(w * h + x).named("h")
    >>> print(explain(h, w))
    The gradient of L = h[3] with respect to w
    In the letters of PyTorch: ⊙ multiplies element by element; states are rows, one for each
    sequence of a batch.
    <BLANKLINE>
    given: w (), x[t] (), h[0] ()
    <BLANKLINE>
    Forward
      at each step t = 1..3:
        a[t] = w h[t-1] + x[t]
        h[t] = tanh(a[t])
    <BLANKLINE>
    Local derivatives
      y = tanh(x):  ∂y/∂x = 1 - y²
    <BLANKLINE>
    Backward
      at each step t = 3..1:
        ∂L/∂h[3] = 1    (t = 3)
        ∂L/∂h[t] = ∂L/∂a[t+1] w    (t = 2, 1)
        ∂L/∂a[t] = ∂L/∂h[t] (1 - h[t]²)
    <BLANKLINE>
    The gradient
      ∂L/∂w = Σ(t=1..3) ∂L/∂a[t] h[t-1]
    <BLANKLINE>
    """
    for node, what in (
        (loss, "the loss is a Tensor, such as (h * h).sum()"),
        (W, "W is a Tensor that the loss depends on, such as cell.weight_hh"),
    ):
        if not isinstance(node, Node):
            raise TypeError(f"explain: {what}; given {type(node).__name__}")
    if loss.shape:
        raise GradientError(
            f"explain: the loss is one number, such as (h * h).sum(); given "
            f"{operand(loss.name or 'a tensor', loss)}"
        )
    if notation not in NOTATIONS:
        known = ", ".join(map(repr, get_args(NotationName)))
        raise ValueError(f"explain: notation is one of {known}; given {notation!r}")
    derivation = derive(loss, W)
    chosen = None if steps is None else _chosen(steps, derivation)
    return Explanation(derivation, _lettered(NOTATIONS[notation], derivation), numbers, chosen)


def _chosen(steps: Collection[int], derivation: Derivation) -> tuple[int, ...]:
    """The steps that were asked for, if there are such."""
    known = sorted({t for equation in derivation.forward for t in equation.steps})
    among = f"among t = {known[0]}..{known[-1]}" if known else "none in this graph"
    if isinstance(steps, str) or not isinstance(steps, Collection):
        raise TypeError(f"explain: steps is a list of steps, {among}; given {steps!r}")
    if unknown := [t for t in steps if t not in known]:
        raise ValueError(f"explain: the steps are {among}; given {', '.join(map(repr, unknown))}")
    return tuple(sorted(steps))


def _lettered(notation: Notation, derivation: Derivation) -> Notation:
    """The notation for the weights that there are.

    A course writes U for the ``W_hh_l1`` of a layer, too, with the number that the layer's states
    have. It gives W away to a cell only where there is one: else W stays W.
    """
    names = dict.fromkeys(value.variable.name for value in derivation.given)
    of_layers = {name: match for name in names if (match := _OF_A_LAYER.fullmatch(name))}
    letters = dict(notation.letters)
    if not names.keys() & {"W_ih", "W_hh"} and not of_layers:
        letters.pop("W", None)
    if notation.columns:  # PyTorch's letters are the program's own
        layers = list(dict.fromkeys(match[2] for match in of_layers.values()))
        for name, match in of_layers.items():
            number = f"^{layers.index(match[2]) + 1}" if len(layers) > 1 else ""
            letters[name] = letters.get(match[1], match[1]) + number
    return replace(notation, letters=letters)
