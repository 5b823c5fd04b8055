"""Local derivatives stand where the adjoints are to stand that they are a factor of.

    k[t] = 1 - h[t] ** 2                da[t] = 1 - h[t] ** 2        for all steps
    ...                          is     ...
    da[t] = dh[t] * k[t]                da[t] = dh[t] * da[t]        at each step

They are known ahead of the backward loop and read once in it, so that one array does for both.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable

from microgrrepresent.programs.activations import Part, place
from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import Expr, at, key, name
from microgrrepresent.programs.factors import factors
from microgrrepresent.programs.joined import joined
from microgrrepresent.programs.lines import Line, Loop
from microgrrepresent.programs.passes import Split
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.shapes import Shape, equal


def in_their_adjoints(
    split: Split, timed: set[str], shape: Callable[[Expr], Shape | None]
) -> Split:
    """A loop in which what was taken out of it as a factor stands in the place of the product.

    Parameters
    ----------
    split : Split
    timed : set of str
        The variables that have a value at every step.
    shape : callable
        The shape of an expression, if it is known.
    """
    read = Counter(
        n for line in split.lines for e in line.expressions() for n, _ in reads(e, timed)
    )
    made = Counter(map(line_owner, split.lines))
    early = {line_owner(line) for line in split.before if not line.add}
    places: dict[str, Expr] = {}
    for i, line in enumerate(split.loop.lines):
        adjoint = line_owner(line)
        ahead = [*split.before, *split.loop.lines[: i + 1]]
        free = adjoint not in early and adjoint in timed and made[adjoint] == 1
        if line.add or line.only or line.statement or not free or _is_read(adjoint, ahead, timed):
            continue
        for product, where in _products(line, shape):
            for factor in _two_names(product):
                match factor:
                    case ast.Subscript(ast.Name(n), ast.Name("t")) if (
                        n in early
                        and read[n] == made[n] == 1
                        and equal(shape(factor), shape(product))
                    ):
                        places.setdefault(n, where)
                        break

    def moved(node: Expr) -> Expr | None:
        match node:
            case ast.Subscript(ast.Name(n), ast.Name("t")):
                return places.get(n)
        return None

    before = [
        Line(
            places.get(line_owner(line), line.target),
            line.value,
            line.add,
            line.only,
            line.statement,
        )
        for line in split.before
    ]
    loop = split.loop
    lines = [line.rewritten(moved) for line in loop.lines]
    return Split(before, Loop(loop.first, loop.last, loop.down, lines), split.after)


def _products(line: Line, shape: Callable[[Expr], Shape | None]) -> list[tuple[Expr, Expr]]:
    """What a line computes, each with the place that it goes to: all of a variable, or a part."""
    if key(line.target) != key(at(line_owner(line), name("t"))):
        return []
    found: list[tuple[Expr, Expr]] = []
    start = 0
    for value in joined(line):
        width = shape(value)
        if not width or not isinstance(width[-1], int):
            return []
        part = Part("", line_owner(line), start, start := start + width[-1])
        found.append((value, place(part, name("t"))))
    return found or [(line.value, line.target)]


def _two_names(product: Expr) -> list[Expr]:
    """The factors of a product of two variables, which one call computes."""
    found = factors(product)
    plain = all(isinstance(x, (ast.Name, ast.Subscript)) for x in found)
    return found if plain and len(found) == 2 else []


def _is_read(variable: str, lines: list[Line], timed: set[str]) -> bool:
    return any(
        n == variable for line in lines for e in line.expressions() for n, _ in reads(e, timed)
    )
