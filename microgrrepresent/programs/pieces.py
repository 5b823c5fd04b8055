"""The numbers of all gradients in one row, compared piece by piece: a gradient, or a gate's rows.

    dW_hh (8, 2):   da_i: rows 0 to 2   da_f: rows 2 to 4   da_g ...   da_o ...
    dV (5, 2):      one piece

How far two sets of gradients are from each other is then one norm for each piece, as a share of
the norm of the right gradient, for hundreds of sets at once.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microgrrepresent.node import Array
from microgrrepresent.norms import euclidean_norm
from microgrrepresent.programs.code import Code
from microgrrepresent.programs.expressions import Expr, text
from microgrrepresent.programs.lines import Line, Loop, lines_of
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.ways import parts

Gradients = Sequence[Array | None]
"""In the order of the program; None for one that is not there."""


@dataclass(frozen=True)
class Piece:
    """A gradient, or the rows of a gradient that belong to a gate.

    Attributes
    ----------
    gradient : int
        Which one.
    gate : str
        Its letter, or nothing if this is a whole gradient.
    start : int
        Where it begins in the row of all numbers.
    """

    gradient: int
    gate: str
    start: int


@dataclass(frozen=True)
class Pieces:
    """How gradients are compared.

    Attributes
    ----------
    right : tuple of array
        The right gradients.
    all : tuple of Piece
        In the order of the gradients.
    """

    right: tuple[Array, ...]
    all: tuple[Piece, ...]

    @classmethod
    def of(cls, code: Code, right: Sequence[Array]) -> Pieces:
        """Those of a program."""
        found, start = [], 0
        for i, gradient in enumerate(right):
            gates = _gates(code, code.gradients[i])
            widths = [width for gate in gates if (width := _width(code, gate)) is not None]
            row = gradient.size // len(gradient) if gradient.ndim and len(gradient) else 0
            if len(gates) < 2 or len(widths) < len(gates) or sum(widths) * row != gradient.size:
                gates, widths, row = [""], [gradient.size], 1
            for gate, width in zip(gates, widths, strict=True):
                found.append(Piece(i, _letter(gate), start))
                start += width * row
        return cls(tuple(right), tuple(found))

    def row(self, gradients: Gradients) -> NDArray[np.float64]:
        """All numbers in a row, in units of the right gradients' norms; NaN where none are."""
        parts = []
        for gradient, right in zip(gradients, self.right, strict=True):
            norm = euclidean_norm(right) or 1.0
            if gradient is None:
                parts.append(np.full(right.size, np.nan))
            else:
                parts.append(np.ravel(gradient).astype(float) / norm)
        return np.concatenate(parts)

    def distances(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far two rows are from each other in each piece; NaN where one of them is not there.

        Either may be many rows.
        """
        with np.errstate(over="ignore"):
            squares = (a - b) ** 2
        starts = [piece.start for piece in self.all]
        found: NDArray[np.float64] = np.sqrt(np.add.reduceat(squares, starts, axis=-1))
        return found


def order_of(code: Code) -> list[int]:
    """For each gradient, where in the backward pass it is done."""
    lines = [line_owner(line) for line in lines_of(list(code.backward))]
    return [lines.index(n) if n in lines else -1 for n in (_root(code, g) for g in code.gradients)]


def _root(code: Code, gradient: Expr) -> str:
    """What a gradient is another name of: ``db_ih = db_1``."""
    found = text(gradient)
    for line in reversed(list(lines_of(list(code.backward)))):
        if text(line.target) == found and isinstance(line.value, ast.Name) and not line.add:
            found = line.value.id
    return found


def _width(code: Code, variable: str) -> int | None:
    shape = code.shapes.get(variable)
    return shape[-1] if shape and isinstance(shape[-1], int) else None


def _gates(code: Code, gradient: Expr) -> list[str]:
    """The adjoints of the gates whose rows a gradient has, in their order: da_i, da_f."""
    whole = parts(code)
    root = _root(code, gradient)
    for item in code.backward:
        for line in item.lines if isinstance(item, Loop) else [item]:
            if line_owner(line) == root and (line.add or isinstance(item, Line)):
                for node in ast.walk(line.value):
                    if isinstance(node, ast.Name) and node.id in whole:
                        return _first_names(whole[node.id])
    return []


def _first_names(concatenated: Any) -> list[str]:
    (listed,) = concatenated.args
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
