"""Why a gradient is wrong, found by trial: the mistake that gives these very numbers.

The right program is run with each mistake in it. What a student's gradients are equal to, gate by
gate, is what the student did, or something that comes to the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from microgrrepresent.node import Array
from microgrrepresent.programs.by_step import GivenAdjoints, Trace, first_difference, traced
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.mistakes import Mistake, mistakes, with_mistakes
from microgrrepresent.programs.pieces import Gradients, Pieces
from microgrrepresent.programs.replay import CompiledLines, Replay

PAIRS = 500
"""So many pairs of mistakes are tried, the likeliest first."""

EQUAL = 1e-12
"""Two results of the program are the same if they differ by less, relative to their norm."""

Way = tuple[Mistake, ...]
"""One mistake, or two at once."""

Flags = NDArray[np.bool_]
"""For each piece, whether something holds."""


@dataclass(frozen=True)
class Found:
    """What explains some numbers.

    Attributes
    ----------
    ways : tuple of tuple of Mistake
        Each gives these numbers; one mistake, or two at once.
    everywhere : bool
        Whether the mistake was made wherever the line counts; else only in what is wrong, such as
        in the rows of one gate.
    tried : int
        How many mistakes were tried.
    pairs : int
        How many pairs were.
    seen : tuple of ((int, str) or None)
        For each way, the step and variable that it changes first; None if it changes gradients
        only.
    """

    ways: tuple[Way, ...]
    everywhere: bool
    tried: int
    pairs: int
    seen: tuple[tuple[int, str] | None, ...] = ()


@dataclass(frozen=True)
class Broken:
    """The mistakes that are looked for in a program, listed and compiled once for all numbers.

    Attributes
    ----------
    code : Code
        As it is printed.
    lines : CompiledLines
    """

    code: Code
    lines: CompiledLines = field(default_factory=CompiledLines)

    @cached_property
    def mistakes(self) -> list[Mistake]:
        """All of them, in the order of the backward pass."""
        return list(mistakes(self.code))


@dataclass(frozen=True)
class Trials:
    """The numbers of one program, right and with each mistake, for one set of arrays.

    Attributes
    ----------
    broken : Broken
        The program and its mistakes.
    arrays : dict from str to array
        What it takes.
    """

    broken: Broken
    arrays: Mapping[str, Array]

    @cached_property
    def replay(self) -> Replay:
        """The program on these arrays."""
        return Replay(self.broken.code, self.arrays, self.broken.lines)

    @cached_property
    def right(self) -> tuple[Array, ...]:
        """The right gradients."""
        return self.replay.gradients(self.broken.code.backward)

    @cached_property
    def pieces(self) -> Pieces:
        """The gradients, by gate where they have the rows of several gates."""
        return Pieces.of(self.broken.code, self.right)

    def differing(self, gradients: Gradients, tolerance: float) -> Flags:
        """In which pieces gradients are not right; not where one is not there."""
        return self._off(self.pieces.row(gradients), self._right_row, tolerance)

    @cached_property
    def trace(self) -> Trace:
        """The right value of each variable of the backward loops, at each step."""
        return traced(self.replay, self.broken.code.backward)

    def explained(
        self, student: Gradients, tolerance: float, adjoints: GivenAdjoints | None = None
    ) -> Found:
        """Find the mistakes that give a student's numbers.

        Parameters
        ----------
        student : sequence of (array or None)
        tolerance : float
            Of the norm of each right gradient.
        adjoints : GivenAdjoints, optional
            Of several ways that give the gradients, those that give these, too, are taken.
        """
        found = self._explained(student, tolerance)
        traces = [
            traced(self.replay, with_mistakes(self.broken.code, *way).backward)
            for way in found.ways
        ]
        fit = [adjoints is None or adjoints.fit(trace) for trace in traces]
        if not any(fit):
            fit = [True] * len(fit)
        kept = [k for k, fits in enumerate(fit) if fits]
        return replace(
            found,
            ways=tuple(found.ways[k] for k in kept),
            seen=tuple(first_difference(self.trace, traces[k], EQUAL) for k in kept),
        )

    def _explained(self, student: Gradients, tolerance: float) -> Found:
        row = self.pieces.row(student)
        wrong = self._off(row, self._right_row, tolerance)
        tried, numbers = self.tried
        left = self._off(numbers, row, tolerance)
        alone = self._best([(m,) for m in tried], left, wrong)
        if alone and alone[1]:
            return Found(*alone, len(tried), 0)
        pairs = self._pairs(left & wrong, wrong, tolerance)[:PAIRS]
        rows = [self._row(*pair) for pair in pairs]
        run = [(pair, found) for pair, found in zip(pairs, rows, strict=True) if found is not None]
        together = None
        if run:
            left = self._off(np.array([found for _, found in run]), row, tolerance)
            together = self._best([pair for pair, _ in run], left, wrong)
        if alone and not (together and together[1]):
            return Found(*alone, len(tried), 0)
        ways, everywhere = together or ((), True)
        return Found(ways, everywhere, len(tried), len(pairs))

    @staticmethod
    def _best(ways: list[Way], left: Flags, wrong: Flags) -> tuple[tuple[Way, ...], bool] | None:
        """Those that give all that is wrong, and as much as can be of what is right."""
        fits = [k for k in range(len(ways)) if not (left[k] & wrong).any()]
        if not fits:
            return None
        least = min(left[k].sum() for k in fits)
        best = [ways[k] for k in fits if left[k].sum() == least]
        alike = {tuple((m.right, m.wrong) for m in way): way for way in reversed(best)}
        return tuple(way for way in best if way in alike.values()), not least

    def _pairs(self, left: Flags, wrong: Flags, tolerance: float) -> list[tuple[Mistake, Mistake]]:
        """Pairs of which one explains a part, and the other changes all that is left.

        Those of which each explains a part for itself come first, such as mistakes in different
        gradients; then those that change little.
        """
        tried, numbers = self.tried
        changes = self._off(numbers, self._right_row, tolerance)
        extent = changes.sum(axis=1)
        found = []
        for one in np.flatnonzero((wrong & ~left).any(axis=1)):
            rest = left[one]
            for other in np.flatnonzero(~(rest & ~changes).any(axis=1)):
                if tried[one].place != tried[other].place:
                    apart = not (rest & left[other]).any()
                    found.append((not apart, extent[one] + extent[other], one, other))
        pairs = dict.fromkeys((min(f[2:]), max(f[2:])) for f in sorted(found))
        return [(tried[one], tried[other]) for one, other in pairs]

    @cached_property
    def tried(self) -> tuple[list[Mistake], NDArray[np.float64]]:
        """Each mistake that changes something, and a row of the numbers that it gives."""
        rows = [(mistake, self._row(mistake)) for mistake in self.broken.mistakes]
        kept = [(mistake, row) for mistake, row in rows if row is not None]
        width = len(self._right_row)
        return [m for m, _ in kept], np.array([r for _, r in kept]).reshape(-1, width)

    @cached_property
    def _right_row(self) -> NDArray[np.float64]:
        return self.pieces.row(self.right)

    def _off(self, a: NDArray[np.float64], b: NDArray[np.float64], tolerance: float) -> Flags:
        found: Flags = self.pieces.distances(a, b) > tolerance
        return found

    def _row(self, *wrong: Mistake) -> NDArray[np.float64] | None:
        """What mistakes give; None if that is no number, or has another shape, or is right."""
        try:
            gradients = self.replay.gradients(with_mistakes(self.broken.code, *wrong).backward)
        except Exception:  # broken on purpose: it may raise whatever NumPy and Python do
            return None
        if any(np.shape(x) != y.shape for x, y in zip(gradients, self.right, strict=True)):
            return None
        row = self.pieces.row(gradients)
        if not np.isfinite(row).all() or not self._off(row, self._right_row, EQUAL).any():
            return None
        return row
