"""Folding the unrolled graph of a recurrence into one cell with delays, and unfolding it again."""

from microgrrepresent.recurrence.folded import Delay, Folded, fold
from microgrrepresent.recurrence.isomorphism import difference, isomorphic
from microgrrepresent.recurrence.unfolded import unfold

__all__ = ["Delay", "Folded", "difference", "fold", "isomorphic", "unfold"]
