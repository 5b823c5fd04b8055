"""What leaves the loops over the steps before they are compiled: products of matrices.

A product with what is known ahead is one product of all steps, and so is a sum of products over
the steps. All else stays, for a compiled loop over elements costs nothing to enter.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import (
    Expr,
    at,
    at_step,
    binary,
    call,
    key,
    name,
    plus,
    replaced,
    text,
    time_shift,
)
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of
from microgrrepresent.programs.native.elements import Shape, difference
from microgrrepresent.programs.passes import sum_of
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.sizes import length
from microgrrepresent.programs.storage import ascending

ShapeOf = Callable[[Expr], Shape | None]


def products_left(
    items: Sequence[Item],
    timed: set[str],
    shapes: dict[str, Shape],
    shape_of: ShapeOf,
    fresh: Callable[[str], str],
) -> list[Item]:
    """Items whose loops have only the products that need what the loop computes.

    Parameters
    ----------
    items : sequence of Line or Loop
    timed : set of str
        The variables that have a value at every step; the new ones are added.
    shapes : dict from str to tuple
        The shapes of variables, at a step; those of the new ones are added.
    shape_of : callable
        The shape of an expression; None if it is not known.
    fresh : callable
        A name that no variable has, from a stem.
    """
    found: list[Item] = []
    for item in items:
        if not isinstance(item, Loop):
            found.append(item)
            continue
        before, lines, after = _left(item, timed, shapes, shape_of, fresh)
        found += before
        if lines:
            found.append(Loop(item.first, item.last, item.down, lines))
        found += [_set_at_once(line, found, items) for line in after]
    return found


def _left(
    loop: Loop,
    timed: set[str],
    shapes: dict[str, Shape],
    shape_of: ShapeOf,
    fresh: Callable[[str], str],
) -> tuple[list[Line], list[Line], list[Line]]:
    first, last = ascending(loop)
    computed = {line_owner(line) for line in loop.lines}
    before: list[Line] = []
    after: list[Line] = []
    inside: list[Line] = []
    made: dict[str, str] = {}

    def ahead(node: Expr) -> Expr | None:
        """A product with what is known before the loop, at all of its steps."""
        match node:
            case ast.BinOp(ast.Subscript(ast.Name(n), index) as left, ast.MatMult(), right):
                needs_t = any(isinstance(x, ast.Name) and x.id == "t" for x in ast.walk(right))
                shape = shape_of(node)
                if n in computed or needs_t or time_shift(index) is None or shape is None:
                    return None
                if any(m in computed for m, _ in reads(right, timed)):
                    return None
                if key(node) not in made:
                    made[key(node)] = new = fresh("k")
                    timed.add(new)
                    shapes[new] = shape
                    rows = _over(left, first, last)
                    target = _over(at(new, name("t")), first, last)
                    before.append(Line(target, ast.BinOp(rows, ast.MatMult(), right)))
                return at(made[key(node)], name("t"))
        return None

    for line in loop.lines:
        alone = line.only is None and line.statement is None
        total = sum_of(line, timed) if line.add and line.only is None else None
        if total is not None and isinstance(line.target, ast.Name):
            added = _added(total, first, last, shape_of)
            if added is not None:
                after.append(Line(line.target, added, add=True))
                continue
        if alone:
            line = Line(line.target, replaced(line.value, ahead), line.add)
        inside.append(line)
    return before, inside, after


def _over(read: Expr, first: Expr, last: Expr) -> Expr:
    """A variable at all steps of a loop: ``h[0:T]`` for ``h[t - 1]``."""
    assert isinstance(read, ast.Subscript)
    start, end = at_step(read.slice, first), at_step(read.slice, last)
    return ast.Subscript(read.value, ast.Slice(start, plus(end, 1)), ast.Load())


def _added(
    total: tuple[str, Expr, Expr], first: Expr, last: Expr, shape_of: ShapeOf
) -> Expr | None:
    """A sum over the steps, of all steps at once."""
    kind, a, b = total
    shape, other = shape_of(a), shape_of(b)
    if shape is None or other is None or len(shape) != 2 or len(other) != 2:
        return None
    x, y = _over(a, first, last), _over(b, first, last)
    if kind == "rows":
        return ast.Call(
            ast.Attribute(x, "sum", ast.Load()),
            [],
            [ast.keyword("axis", ast.Tuple([ast.Constant(0), ast.Constant(1)], ast.Load()))],
        )
    steps = length(difference(plus(last, 1), first))
    rows = binary(steps, ast.Mult(), length(shape[0]))
    left = call(f"{text(x)}.reshape", rows, length(shape[1]))
    right = call(f"{text(y)}.reshape", rows, length(other[1]))
    return binary(ast.Attribute(left, "T", ast.Load()), ast.MatMult(), right)


def _set_at_once(line: Line, before: list[Item], everything: Sequence[Item]) -> Line:
    """A sum that nothing else adds to is set, and need not be 0 before."""
    owner = line_owner(line)
    zeros = [
        k
        for k, item in enumerate(before)
        if isinstance(item, Line)
        and key(item.target) == key(line.target)
        and text(item.value).startswith("np.zeros_like(")
    ]
    if len(zeros) != 1 or sum(line_owner(x) == owner for x in lines_of(list(everything))) != 2:
        return line
    del before[zeros[0]]
    return Line(line.target, line.value)
