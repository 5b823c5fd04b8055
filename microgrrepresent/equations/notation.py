"""Notations: how a course writes what a program computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Notation:
    r"""Letters and habits of one course.

    Attributes
    ----------
    name : str
        What to call it.
    columns : bool
        Whether a state is a column, as in W h, instead of a row, as in h Wᵀ. Programs compute with
        rows, one for each sequence of a batch; on paper most write columns.
    letters : dict from str to str
        Another letter for a variable's name; both as in ``W_hh``. One of several layers has its
        number behind it, as in ``U^2``.
    time : {"subscript", "angle"}
        h_t, or h with ⟨t⟩ above it.
    adjoint : {"bar", "partial", "d"}
        A bar over the letter, ∂L/∂ before it, or a d before it, as in programs.
    deltas : frozenset of str
        Variables whose adjoint is called δ.
    loss : str
        The letter of the loss.
    """

    name: str = "rows"
    columns: bool = False
    letters: Mapping[str, str] = field(default_factory=dict)
    time: Literal["subscript", "angle"] = "subscript"
    adjoint: Literal["bar", "partial", "d"] = "bar"
    deltas: frozenset[str] = frozenset()
    loss: str = "L"
