"""Explaining a gradient: the chain rule of one graph, as equations to read or to evaluate."""

from microgrrepresent.equations.derivation import Derivation, derive
from microgrrepresent.equations.document import Explanation
from microgrrepresent.equations.notation import Notation
from microgrrepresent.equations.scripts import Html, LaTeX, Plain
from microgrrepresent.equations.writing import Writer

__all__ = ["Derivation", "Explanation", "Html", "LaTeX", "Notation", "Plain", "Writer", "derive"]
