"""Folding the unrolled graph of a recurrence into one cell with delays, and unfolding it again."""

from microgrrepresent.folding.folded import Delay, Folded, fold
from microgrrepresent.folding.isomorphism import difference, isomorphic
from microgrrepresent.folding.unfolded import unfold

__all__ = ["Delay", "Folded", "difference", "fold", "isomorphic", "unfold"]
