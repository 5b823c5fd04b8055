"""Passes: the same equations, in an order and a grouping that NumPy runs fast.

Each pass is a function from lines to lines. None changes what is computed, but for the order of
factors and terms.

    inlined      a value that is read once is written where it is read
    grouped      dc * g * i * (1 - i)  is  dc * (g * i * (1 - i)): what is known before the loop
                 stands together
    split        what no later turn of a loop needs leaves it: it stands ahead of the loop if it
                 does not depend on it, and behind it if nothing in it depends on that
    summed       a sum over steps of products is one product of all steps
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from microgrrepresent.programs.definitions import reads
from microgrrepresent.programs.expressions import (
    Expr,
    at,
    at_step,
    key,
    name,
    replaced,
    text,
    total,
)
from microgrrepresent.programs.factors import factors, product
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of
from microgrrepresent.programs.schedule import line_owner
from microgrrepresent.programs.shapes import UFUNCS


@dataclass
class Split:
    """A loop, and what has left it.

    Attributes
    ----------
    before : list of Line
        Computed for all steps at once, ahead of the loop.
    loop : Loop
    after : list of Line
        Computed for all steps at once, behind the loop; sums over steps among them.
    """

    before: list[Line]
    loop: Loop
    after: list[Line] = field(default_factory=list)

    @property
    def lines(self) -> list[Line]:
        """All lines, in the order in which they are run."""
        return [*self.before, *self.loop.lines, *self.after]


# --- a value that is read once --------------------------------------------------------------------


def inlined(items: Sequence[Item], timed: set[str], kept: Iterable[str]) -> list[Item]:
    """Write a value where it is read, if it is read once, at the turn that computes it."""
    uses: Counter[str] = Counter(kept)
    near: Counter[str] = Counter()
    for item in items:
        defined = {line_owner(line) for line in item.lines} if isinstance(item, Loop) else set()
        for line in lines_of([item]):
            for expression in line.expressions():
                for variable, shift in reads(expression, timed):
                    uses[variable] += 1
                    near[variable] += shift == 0 and variable in defined and not _keeps(line)
    found: list[Item] = []
    for item in items:
        if not isinstance(item, Loop):
            found.append(item)
            continue
        values: dict[str, Expr] = {}
        lines = []
        for line in item.lines:
            written = _written(line, values)
            owner = line_owner(line)
            alone = isinstance(line.target, ast.Subscript) and not line.add and line.only is None
            if alone and line.statement is None and uses[owner] == near[owner] == 1:
                values[owner] = written.value
            else:
                lines.append(written)
        found.append(Loop(item.first, item.last, item.down, lines))
    return found


def _keeps(line: Line) -> bool:
    """Whether what a line reads should have a name: what is summed over the steps."""
    return line.add or line.statement is not None


def _written(line: Line, values: dict[str, Expr]) -> Line:
    def replace(node: Expr) -> Expr | None:
        match node:
            case ast.Subscript(ast.Name(n), ast.Name("t")) if n in values:
                return values[n]
        return None

    statement = None if line.statement is None else replaced(line.statement, replace)
    return Line(line.target, replaced(line.value, replace), line.add, line.only, statement)


# --- what is known before the loop stands together ------------------------------------------------


def grouped(expression: Expr, is_known: Callable[[Expr], bool]) -> Expr:
    """Put factors, and terms, that are known next to each other, behind those that are not."""
    match expression:
        case _ if is_known(expression):
            return expression
        case ast.BinOp(_, ast.Mult(), _):
            parts = [grouped(f, is_known) for f in factors(expression)]
            known = [f for f in parts if is_known(f)]
            others = [f for f in parts if not is_known(f)]
            return product(others + ([product(known)] if known else []))
        case ast.BinOp(_, ast.Add() | ast.Sub(), _):
            terms = [(grouped(e, is_known), minus) for e, minus in _signed(expression)]
            known = [_negated(e, minus) for e, minus in terms if is_known(e)]
            others = [_negated(e, minus) for e, minus in terms if not is_known(e)]
            return total([*([total(known)] if known else []), *others])
        case ast.BinOp(left, sign, right):
            return ast.BinOp(grouped(left, is_known), sign, grouped(right, is_known))
        case ast.UnaryOp(sign, inner):
            return ast.UnaryOp(sign, grouped(inner, is_known))
        case ast.Call(function, arguments, keywords):
            return ast.Call(function, [grouped(a, is_known) for a in arguments], keywords)
        case ast.List(parts):
            return ast.List([grouped(p, is_known) for p in parts], ast.Load())
        case ast.Subscript(inner, index):
            return ast.Subscript(grouped(inner, is_known), index, ast.Load())
    return expression


def _signed(expression: Expr) -> list[tuple[Expr, bool]]:
    match expression:
        case ast.BinOp(left, ast.Add(), right):
            return [*_signed(left), *_signed(right)]
        case ast.BinOp(left, ast.Sub(), right):
            return [*_signed(left), *((e, not minus) for e, minus in _signed(right))]
    return [(expression, False)]


def _negated(expression: Expr, minus: bool) -> Expr:
    return ast.UnaryOp(ast.USub(), expression) if minus else expression


# --- what leaves the loop -------------------------------------------------------------------------


def split(loop: Loop, timed: set[str], fresh: Callable[[], str]) -> Split:
    """Take out of a loop what can be computed for all of its steps at once."""
    owners = [line_owner(line) for line in loop.lines]
    defined = set(owners)
    below, above = _dependent(loop, timed, defined)
    needed = above & below
    before: list[Line] = []
    inside: list[Line] = []
    after: list[Line] = []
    for line, owner in zip(loop.lines, owners, strict=True):
        whole = line.only is None and is_bulk(line.value, timed) and line.statement is None
        stays = {line_owner(x) for x in inside}  # and what reads it cannot go before it
        early = owner not in below and not any(n in stays for n, _ in reads(line.value, timed))
        if line.add:
            (after if line.only is None and sum_of(line, timed) is not None else inside).append(
                line
            )
        elif early and whole:
            before.append(line)
        elif owner not in needed and not owner.endswith("_next") and whole:
            after.append(line)
        else:
            inside.append(line)
    moved = {id(line) for line in before}
    while True:  # what a line that stays reads must stay, too
        inside = [line for line in loop.lines if id(line) not in moved | {id(x) for x in after}]
        left = [x for x in after if not _read_at_once(line_owner(x), inside, timed)]
        if len(left) == len(after):
            break
        after = left
    later = {line_owner(line) for line in (*inside, *after)}

    def is_known(expression: Expr) -> bool:
        return not any(n in later for n, _ in reads(expression, timed)) and is_bulk(
            expression, timed
        )

    names: dict[str, str] = {}

    def taken_out(expression: Expr) -> Expr:
        if is_known(expression):
            if _is_atom(expression) or not any(_is_of_t(n) for n in ast.walk(expression)):
                return expression
            k = key(expression)
            if k not in names:
                names[k] = fresh()
                timed.add(names[k])
                before.append(Line(at(names[k], name("t")), expression))
            return at(names[k], name("t"))
        return _over_parts(expression, taken_out)

    lines = []
    for line in inside:
        if line.statement is not None or line.only is not None:
            lines.append(line)
            continue
        value = taken_out(grouped(line.value, is_known))
        lines.append(Line(line.target, value, line.add))
    return Split(before, Loop(loop.first, loop.last, loop.down, lines), after)


def _over_parts(expression: Expr, f: Callable[[Expr], Expr]) -> Expr:
    match expression:
        case ast.BinOp(left, sign, right):
            return ast.BinOp(f(left), sign, f(right))
        case ast.UnaryOp(sign, inner):
            return ast.UnaryOp(sign, f(inner))
        case ast.Call(function, arguments, keywords):
            return ast.Call(function, [f(a) for a in arguments], keywords)
        case ast.List(parts):
            return ast.List([f(p) for p in parts], ast.Load())
        case ast.Subscript(inner, index) if not isinstance(inner, ast.Name):
            return ast.Subscript(f(inner), index, ast.Load())
        case ast.IfExp(test, body, other):
            return ast.IfExp(test, f(body), f(other))
    return expression


def _dependent(loop: Loop, timed: set[str], defined: set[str]) -> tuple[set[str], set[str]]:
    """What depends on an earlier turn of the loop, and what a later turn depends on."""
    readers: dict[str, set[str]] = {n: set() for n in defined}
    sources: dict[str, set[str]] = {n: set() for n in defined}
    earlier: set[str] = set()
    first: set[str] = set()
    for line in loop.lines:
        owner = line_owner(line)
        if line.add:
            continue
        for expression in line.expressions():
            for variable, shift in reads(expression, timed):
                if variable not in defined or (variable == owner and shift is None):
                    continue
                if variable.endswith("_next") or shift:
                    earlier.add(variable)
                    first.add(owner)
                else:
                    readers[variable].add(owner)
                    sources[owner].add(variable)
    return _closure(first, readers), _closure(earlier, sources)


def _closure(start: set[str], edges: dict[str, set[str]]) -> set[str]:
    found, todo = set(start), list(start)
    while todo:
        for n in edges.get(todo.pop(), ()):
            if n not in found:
                found.add(n)
                todo.append(n)
    return found


def _read_at_once(variable: str, lines: Sequence[Line], timed: set[str]) -> bool:
    return any(
        n == variable
        for line in lines
        for expression in line.expressions()
        for n, _ in reads(expression, timed)
    )


def is_bulk(expression: Expr, timed: set[str]) -> bool:
    """Whether an expression of one step reads the same for all steps at once.

    Elementwise operations, slices and products with one matrix for all steps do, with an axis of
    time in front.
    """
    match expression:
        case ast.Constant() | ast.Name():
            return not isinstance(expression, ast.Name) or expression.id != "t"
        case ast.Subscript(ast.Name(), index) if _is_of_t_alone(index):
            return True
        case ast.Subscript(ast.Name(n), ast.Subscript() as index) if n not in timed:
            return is_bulk(index, timed)  # rows of a table
        case ast.Subscript(inner, index):
            parts = index.elts if isinstance(index, ast.Tuple) else [index]
            plain = all(isinstance(p, ast.Slice) or _is_none(p) for p in parts)
            return plain and not isinstance(inner, ast.Name) and is_bulk(inner, timed)
        case ast.Attribute(ast.Name(n), "T"):
            return n not in timed
        case ast.BinOp(left, ast.MatMult(), right):
            once = not any(_is_of_t(node) for node in ast.walk(right))
            return once and is_bulk(left, timed) and is_bulk(right, timed)
        case ast.BinOp(left, _, right):
            return is_bulk(left, timed) and is_bulk(right, timed)
        case ast.UnaryOp(_, inner):
            return is_bulk(inner, timed)
        case ast.Compare(left, _, others):
            return all(is_bulk(e, timed) for e in (left, *others))
        case ast.Call(function, arguments, []) if text(function) in {*UFUNCS, "np.where"}:
            return all(is_bulk(a, timed) for a in arguments)
        case ast.Call(function, [ast.List(parts)], [ast.keyword("axis", axis)]):
            last = text(function) == "np.concatenate" and text(axis) == "-1"
            return last and all(is_bulk(p, timed) for p in parts)
    return False


def sum_of(line: Line, timed: set[str]) -> tuple[str, Expr, Expr] | None:
    """What a line adds up over the steps: a product ``a.T @ b``, a sum over rows, or a value."""
    match line.value:
        case ast.BinOp(ast.Attribute(a, "T"), ast.MatMult(), b) if _is_read(a) and _is_read(b):
            return "product", a, b
        case ast.Call(ast.Attribute(a, "sum"), [], [ast.keyword("axis", axis)]) if text(
            axis
        ) == "0" and _is_read(a):
            return "rows", a, a
    return None


def _is_read(expression: Expr) -> bool:
    match expression:
        case ast.Subscript(ast.Name(), index):
            return _is_of_t_alone(index)
    return False


def _is_atom(expression: Expr) -> bool:
    match expression:
        case ast.Subscript(inner, ast.Tuple(axes)) if all(isinstance(a, ast.Slice) for a in axes):
            return _is_read(inner)  # a part is a view
    return isinstance(expression, (ast.Constant, ast.Name)) or _is_read(expression)


def _is_of_t_alone(index: Expr) -> bool:
    match index:
        case ast.Name("t") | ast.BinOp(ast.Name("t"), ast.Add() | ast.Sub(), ast.Constant()):
            return True
    return False


def _is_of_t(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "t"


def _is_none(node: Expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def over_all_steps(
    expression: Expr,
    first: Expr,
    last: Expr,
    slices: Callable[..., Expr],
    whole: Callable[[str, Expr], Expr] = lambda variable, rows: rows,
) -> Expr:
    """An expression of one step for all steps at once, with an axis of time in front.

    Parameters
    ----------
    expression, first, last
    slices : callable
        A variable at all steps from one to another.
    whole : callable
        The same, with axes behind that of time to line up with others.
    """

    def replace(node: Expr) -> Expr | None:
        match node:
            case ast.Subscript(ast.Name(n), index) if _is_of_t_alone(index):
                return whole(n, slices(n, at_step(index, first), at_step(index, last)))
            case ast.Subscript(ast.Name() as table, ast.Subscript() as index):  # rows of a table
                rows = over_all_steps(index, first, last, slices)
                return ast.Subscript(table, rows, ast.Load())
            case ast.Subscript(inner, index) if not isinstance(index, ast.Subscript):
                parts = index.elts if isinstance(index, ast.Tuple) else [index]
                rows = over_all_steps(inner, first, last, slices)
                return ast.Subscript(rows, ast.Tuple([ast.Slice(), *parts], ast.Load()), ast.Load())
        return None

    return replaced(expression, replace)
