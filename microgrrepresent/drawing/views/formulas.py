"""The formula in a box: W x + U h + b, in the letters of the graph, in lines of a bounded width.

What enters the box without a letter of its own is a dot, and what would make the formula too long
an ellipsis: ``W · + b``, ``U (…)``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from microgrrepresent.description import parsed
from microgrrepresent.drawing.marks.labels import Label, Line, Run, math, text, width
from microgrrepresent.drawing.marks.naming import is_part, letter_of, symbol
from microgrrepresent.drawing.marks.picture import FONT
from microgrrepresent.drawing.time.timeline import Timeline, is_cut
from microgrrepresent.node import Node

WIDEST = 165.0
"""A formula that is wider, in points, is written in several lines."""
MOST_LINES = 2
DEEPEST = 6
"""So many operations, one in the other, are written out."""
_PLUS, _MINUS, _OPEN, _CLOSE = Run(" + "), Run(" − "), Run("("), Run(")")
_ENTERS, _LEFT_OUT = (Run("·"),), (Run("…"),)
_SIGNS = {"", "·", "…", "+", "−", "(", ")", "[", "]", ",", "ᵀ"}


@dataclass(frozen=True)
class Formulas:
    """The formulas of a drawing.

    Attributes
    ----------
    time : Timeline
        The columns.
    affine : set of Node
        The nodes that are written out: products with matrices, sums, blocks.
    apart : set of Node
        Those of them that are boxes of their own.
    """

    time: Timeline
    affine: set[Node]
    apart: set[Node]

    def of(self, node: Node, function: str = "") -> Label:
        """What a node is made of, or a function of that, in a few lines.

        As much of it as fits is written out; where nothing of it has a letter, there is only the
        sign of the operation, or of the function.
        """
        for depth in range(DEEPEST, 0, -1):
            formula = self._term(node, depth)
            if not any(run.text.strip() not in _SIGNS for run in formula):
                break
            parts = [*_summands(formula)]
            if function:
                parts[0] = (Run(function), _OPEN, *parts[0])
                parts[-1] = (*parts[-1], _CLOSE)
            lines = in_lines(parts)
            if len(lines) <= MOST_LINES and width(lines, FONT) <= WIDEST:
                return lines
        return (text(function) if function else symbol(node, self.time),)

    def _term(self, node: Node, depth: int) -> Line:
        time = self.time
        while is_cut(node) and node.name is None:
            node = node.parents[0]
        if not time.column.get(node, 1):
            while node.name is None and is_part(node):  # a block of a matrix
                node = node.parents[0]
        if node.is_leaf or node not in self.affine:
            start = time.starts.get(node)  # h_0 is written h, as at all other steps
            name = time.letter(start.state.name, node) if start and start.state.name else None
            name = name or letter_of(node, time)
            return math(name) if name else _ENTERS
        assert node.op is not None
        if depth == 0:
            return _LEFT_OUT
        terms = [
            _ENTERS if parent in self.apart else self._term(parent, depth - 1)
            for parent in node.parents
        ]
        if not all(terms):
            return ()
        if node.op.many is not None:
            return (Run("["), *terms[0], *(r for t in terms[1:] for r in (Run(", "), *t)), Run("]"))
        formula = parsed(node.op.said("formula", node, by="draw"))
        return _written(formula, dict(zip(node.op.inputs, terms, strict=True)))


def in_lines(parts: Sequence[Line]) -> Label:
    """Put the parts of a formula into as few lines as their width allows, as even as possible."""
    few = _broken(parts, WIDEST)
    limits = {
        wide
        for i in range(len(parts))
        for wide in accumulate(width((part,), FONT) for part in parts[i:])
    }
    return next(
        (even for limit in sorted(limits) if len(even := _broken(parts, limit)) <= len(few)), few
    )


def _broken(parts: Sequence[Line], limit: float) -> Label:
    """Lines that are not wider than a limit, unless one part is."""
    lines: list[Line] = []
    for part in parts:
        if lines and width(((*lines[-1], *part),), FONT) <= limit:
            lines[-1] = (*lines[-1], *part)
        else:
            lines.append(part)
    return tuple(lines)


def _summands(formula: Line) -> Iterator[Line]:
    """The terms of a sum, each with the sign before it."""
    depth, term = 0, list[Run]()
    for run in formula:
        depth += (run in (_OPEN, Run("["))) - (run in (_CLOSE, Run("]")))
        if run in (_PLUS, _MINUS) and depth == 0 and term:
            yield tuple(term)
            term = []
        term.append(run)
    yield tuple(term)


def _written(formula: ast.expr, terms: dict[str, Line]) -> Line:
    """A sum or product of terms, as columns: ``W x`` for ``x @ w.T``; nothing for anything else."""
    match formula:
        case ast.Name(name) | ast.Subscript(ast.Name(name)):  # of what is selected, the whole
            return terms.get(name, ())
        case ast.UnaryOp(ast.USub(), inner):
            written = _factor(_written(inner, terms))
            return (Run("−"), *written) if written else ()
        case ast.Attribute(inner, "T" | "mT"):
            written = _written(inner, terms)
            whole = written if len(written) < 2 else (_OPEN, *written, _CLOSE)
            return (*whole, Run("ᵀ")) if written else ()
        case ast.BinOp(a, ast.Add(), b):
            parts = _written(a, terms), (_PLUS,), _written(b, terms)
        case ast.BinOp(a, ast.Sub(), b):
            parts = _written(a, terms), (_MINUS,), _factor(_written(b, terms))
        case ast.BinOp(x, ast.MatMult(), ast.Attribute(w, "T")):
            parts = _factor(_written(w, terms)), (Run(" "),), _factor(_written(x, terms))
        case ast.BinOp(a, ast.MatMult(), b):
            parts = _factor(_written(a, terms)), (Run(" "),), _factor(_written(b, terms))
        case _:
            return ()
    return sum(parts, ()) if all(parts) else ()


def _factor(written: Line) -> Line:
    """What a product is made of: a sum in parentheses."""
    is_sum = not {_PLUS, _MINUS, Run("−")}.isdisjoint(written)
    return (_OPEN, *written, _CLOSE) if is_sum else written
