"""Why a gradient is wrong, found by trial: the mistake that gives these very numbers.

The right program is run with each mistake in it. What a student's gradients are equal to, gate by
gate, is what the student did, or something that comes to the same.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from microgrrepresent.node import Array
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.expressions import Expr, text
from microgrrepresent.programs.lines import Line, Loop, lines_of
from microgrrepresent.programs.mistakes import Mistake, mistakes, owner_of, parts, with_mistakes
from microgrrepresent.programs.printing import helper_source, written

PAIRS = 300
"""So many pairs of mistakes are tried, the likeliest first."""

Gradients = Sequence[Array | None]
"""In the order of the program; None for one that is not there."""


@dataclass(frozen=True)
class Piece:
    """A gradient, or the rows of a gradient that belong to a gate."""

    gradient: int
    gate: str
    rows: slice


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
    """

    ways: tuple[tuple[Mistake, ...], ...]
    everywhere: bool
    tried: int
    pairs: int


@dataclass(frozen=True)
class Trials:
    """The numbers of one program, right and with each mistake, for one set of arrays.

    Attributes
    ----------
    code : Code
        As it is printed.
    arrays : dict from str to array
        What it takes.
    """

    code: Code
    arrays: Mapping[str, Array]

    @cached_property
    def right(self) -> tuple[Any, tuple[Array, ...]]:
        """The loss and the gradients."""
        found: tuple[Any, tuple[Array, ...]] = self._run(self.code)
        return found

    @cached_property
    def wrong(self) -> list[tuple[Mistake, Gradients]]:
        """Each mistake that changes something, with the gradients that it gives."""
        found = []
        for mistake in mistakes(self.code):
            gradients = self._broken(mistake)
            if gradients is not None:
                found.append((mistake, gradients))
        return found

    @cached_property
    def pieces(self) -> list[Piece]:
        """The gradients, by gate where they have the rows of several gates."""
        found = []
        for i, gradient in enumerate(self.right[1]):
            gates = _gates(self.code, self.code.gradients[i])
            widths = [self._width(gate) for gate in gates]
            if len(gates) < 2 or None in widths or sum(w or 0 for w in widths) != len(gradient):
                found.append(Piece(i, "", slice(None)))
                continue
            ends = np.cumsum([0, *(w or 0 for w in widths)])
            for gate, start, stop in zip(gates, ends, ends[1:], strict=False):
                found.append(Piece(i, _letter(gate), slice(int(start), int(stop))))
        return found

    def _width(self, variable: str) -> int | None:
        shape = self.code.shapes.get(variable)
        return shape[-1] if shape and isinstance(shape[-1], int) else None

    def differing(self, a: Gradients, b: Gradients, tolerance: float) -> frozenset[int]:
        """The pieces, by number, in which gradients differ; not where one is not there."""
        found = set()
        for k, piece in enumerate(self.pieces):
            x, y = a[piece.gradient], b[piece.gradient]
            if x is None or y is None:
                continue
            norm = np.linalg.norm(self.right[1][piece.gradient])
            error = np.linalg.norm(x[piece.rows] - y[piece.rows])
            if not error <= tolerance * norm:
                found.add(k)
        return frozenset(found)

    def explained(self, student: Gradients, tolerance: float) -> Found:
        """Find the mistakes that give a student's numbers."""
        wrong = self.differing(student, self.right[1], tolerance)
        rest = [(m, g, self.differing(student, g, tolerance)) for m, g in self.wrong]
        tried = len(rest)
        alone = [(m,) for m, _, left in rest if not left]
        if alone:
            return Found(tuple(alone), True, tried, 0)
        partly = [(len(left), m) for m, _, left in rest if not left & wrong]
        if partly:
            least = min(n for n, _ in partly)
            return Found(tuple((m,) for n, m in partly if n == least), False, tried, 0)
        pairs = self._pairs(rest, wrong, tolerance)
        fits = []
        for one, other in pairs[:PAIRS]:
            gradients = self._broken(one, other)
            if gradients is not None:
                left = self.differing(student, gradients, tolerance)
                if not left & wrong:
                    fits.append((len(left), (one, other)))
        least = min((n for n, _ in fits), default=0)
        ways = tuple(way for n, way in fits if n == least)
        return Found(ways, not least, tried, len(pairs[:PAIRS]))

    def _pairs(
        self,
        rest: Sequence[tuple[Mistake, Gradients, frozenset[int]]],
        wrong: frozenset[int],
        tolerance: float,
    ) -> list[tuple[Mistake, Mistake]]:
        """Pairs of which one explains a part, and the other changes all that is left.

        The first comes before the second, so that what the second does not change is that of the
        first alone.
        """
        changes = [self.differing(g, self.right[1], tolerance) for _, g, _ in rest]
        found = []
        for one, _, left in rest:
            if not wrong - left:
                continue
            left &= wrong
            for (other, _, _), changed in zip(rest, changes, strict=True):
                if left <= changed and one.place != other.place:
                    found.append((len(left), len(changed), one, other))
        found.sort(key=lambda f: f[:2])
        return [(one, other) for *_, one, other in found]

    def _broken(self, *wrong: Mistake) -> Gradients | None:
        """What mistakes give; None if that is no number, or has another shape, or is right."""
        try:
            gradients = self._run(with_mistakes(self.code, *wrong))[1]
        except Exception:  # broken on purpose: it may raise whatever NumPy and Python do
            return None
        for x, y in zip(gradients, self.right[1], strict=True):
            if np.shape(x) != y.shape or not np.isfinite(x).all():
                return None
        if not self.differing(gradients, self.right[1], 1e-12):
            return None
        return gradients  # type: ignore[no-any-return]

    def _run(self, code: Code) -> Any:
        names = dict(self._helpers)
        exec(compile(written(replace(code, helpers=()), self._shown), "<program>", "exec"), names)
        copies = {key: np.array(value) for key, value in self.arrays.items()}
        with np.errstate(all="ignore"):
            return names[code.name](**copies)

    def _shown(self, line: Line) -> str:
        """The text of a line; that of a right one is made only once."""
        return self._texts.get(id(line)) or str(line)

    @cached_property
    def _texts(self) -> dict[int, str]:
        lines = lines_of([*self.code.forward, *self.code.backward])
        return {id(line): str(line) for line in lines}

    @cached_property
    def _helpers(self) -> dict[str, Any]:
        """The functions that the program calls."""
        names: dict[str, Any] = {"np": np}
        for helper in self.code.helpers:
            exec(compile(helper_source(helper), "<program>", "exec"), names)
        return names


def order_of(code: Code) -> list[int]:
    """For each gradient, where in the backward pass it is done."""
    lines = [owner_of(line.target) for line in lines_of(list(code.backward))]
    return [lines.index(n) if n in lines else -1 for n in (_root(code, g) for g in code.gradients)]


def _root(code: Code, gradient: Expr) -> str:
    """What a gradient is another name of: ``db_ih = db_1``."""
    found = text(gradient)
    for line in reversed(list(lines_of(list(code.backward)))):
        if text(line.target) == found and isinstance(line.value, ast.Name) and not line.add:
            found = line.value.id
    return found


def _gates(code: Code, gradient: Expr) -> list[str]:
    """The adjoints of the gates whose rows a gradient has, in their order: da_i, da_f."""
    whole = parts(code)
    root = _root(code, gradient)
    for item in code.backward:
        for line in item.lines if isinstance(item, Loop) else [item]:
            if owner_of(line.target) == root and (line.add or isinstance(item, Line)):
                for node in ast.walk(line.value):
                    if isinstance(node, ast.Name) and node.id in whole:
                        return _first_names(whole[node.id])
    return []


def _first_names(concatenated: Expr) -> list[str]:
    assert isinstance(concatenated, ast.Call)
    (listed,) = concatenated.args
    assert isinstance(listed, ast.List)
    return [
        next(n.id for n in _in_order(part) if isinstance(n, ast.Name) and n.id != "np")
        for part in listed.elts
    ]


def _in_order(expression: ast.AST) -> list[ast.AST]:
    found = [expression]
    for child in ast.iter_child_nodes(expression):
        found += _in_order(child)
    return found


def _letter(adjoint: str) -> str:
    """The gate of an adjoint: i of da_i."""
    return adjoint.removeprefix("da_").removeprefix("d")
