"""Equations of a graph: the chain rule of one gradient, to read or to evaluate."""

from microgrrepresent.equations.derivation import Derivation, derive
from microgrrepresent.equations.explanation import Explanation, explain
from microgrrepresent.equations.notations import NOTATIONS, Notation
from microgrrepresent.equations.one_step import Equations, step_equations
from microgrrepresent.equations.scripts import Html, LaTeX, Plain
from microgrrepresent.equations.writing import Writer

__all__ = [
    "NOTATIONS",
    "Derivation",
    "Equations",
    "Explanation",
    "Html",
    "LaTeX",
    "Notation",
    "Plain",
    "Writer",
    "derive",
    "explain",
    "step_equations",
]
