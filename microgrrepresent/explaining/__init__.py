"""Explaining a gradient: the chain rule of one graph, as equations to read or to evaluate."""

from microgrrepresent.explaining.derivation import Derivation, derive
from microgrrepresent.explaining.document import Explanation
from microgrrepresent.explaining.notation import Notation
from microgrrepresent.explaining.scripts import Html, LaTeX, Plain
from microgrrepresent.explaining.writing import Writer

__all__ = ["Derivation", "Explanation", "Html", "LaTeX", "Notation", "Plain", "Writer", "derive"]
