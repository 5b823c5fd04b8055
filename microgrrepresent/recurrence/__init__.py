"""The recurrence in a graph: one variable at several steps; one cell with delays, and back."""

from microgrrepresent.recurrence.folded import Delay, Folded, fold
from microgrrepresent.recurrence.isomorphism import difference, isomorphic
from microgrrepresent.recurrence.recurrence import Recurrence, recurrence
from microgrrepresent.recurrence.strands import Read, Strand
from microgrrepresent.recurrence.unfolded import unfold

__all__ = [
    "Delay",
    "Folded",
    "Read",
    "Recurrence",
    "Strand",
    "difference",
    "fold",
    "isomorphic",
    "recurrence",
    "unfold",
]
