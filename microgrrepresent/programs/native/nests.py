"""Loops over elements: those that run over the same elements become one.

    h[t] = o[t] * tanh(c[t])      for i in range(B):
                                      h_row, o_row, c_row = h[t, i], o[t, i], c[t, i]
                                      for j in range(16):
                                          h_row[j] = o_row[j] * tanh(c_row[j])

A nest of loops may join another one if each element that one of them writes and the other reads or
writes is met at the same turn. What is read at the turn that computes it only is no array at all
then, but a number.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from microgrrepresent.programs.expressions import Expr, name, replaced, text
from microgrrepresent.programs.native.elements import Shape
from microgrrepresent.programs.sizes import Dimension, same


@dataclass
class Assign:
    """One element: ``target = value``, or ``target += value``.

    Attributes
    ----------
    target : ast.expr
    value : ast.expr
    add : bool
    partial : bool
        Whether the element is met at several turns, each of which does a part of it.
    """

    target: Expr
    value: Expr
    add: bool = False
    partial: bool = False


@dataclass
class Nest:
    """Loops over the elements of an array, the last axis innermost."""

    shape: Shape
    lines: list[Assign]


@dataclass
class Total:
    """For each element of an outer nest, what an inner nest comes to."""

    shape: Shape
    inner: Shape
    start: Expr
    update: Callable[[Expr], Expr]
    """The total with one more element, from the total so far."""
    target: Expr
    end: Callable[[Expr], Expr]


@dataclass
class Call:
    """A line that works on whole arrays."""

    line: str
    reads: frozenset[str]
    writes: frozenset[str]


@dataclass
class Turns:
    """Statements that are run at each step, or under a condition."""

    header: str
    body: list[Statement] = field(default_factory=list)
    otherwise: list[Statement] = field(default_factory=list)


Statement = Nest | Total | Call | Turns


# --- what is read and written ---------------------------------------------------------------------


def access(expression: Expr) -> tuple[str, tuple[Expr, ...]] | None:
    """The array and the index of an element; None for what is no element of an array."""
    match expression:
        case ast.Subscript(ast.Name(array), ast.Tuple(parts)):
            return array, tuple(parts)
        case ast.Subscript(ast.Name(array), index):
            return array, (index,)
        case ast.Name(scalar):
            return scalar, ()
    return None


def accesses(expression: Expr) -> Iterator[tuple[str, tuple[Expr, ...]]]:
    """All elements that an expression reads, those that are read for an index, too."""
    inside: set[int] = set()
    for node in ast.walk(expression):
        if id(node) in inside:
            continue
        found = access(node) if isinstance(node, (ast.Subscript, ast.Name)) else None
        if found is not None:
            yield found
            if isinstance(node, ast.Subscript):
                inside.add(id(node.value))


def touched(statement: Statement) -> tuple[set[str], set[str]]:
    """The arrays and numbers that a statement reads, and those that it writes."""
    match statement:
        case Nest(lines=lines):
            reads = {n for line in lines for n, _ in accesses(line.value)}
            reads |= {n for line in lines for n, _ in _index_reads(line.target)}
            reads |= {_owner(line.target) for line in lines if line.add or line.partial}
            return reads, {_owner(line.target) for line in lines}
        case Total():
            read = [statement.update(name("_")), statement.start, statement.end(name("_"))]
            reads = {n for e in read for n, _ in accesses(e)}
            reads |= {n for n, _ in _index_reads(statement.target)}
            return reads, {_owner(statement.target)}
        case Call():
            return set(statement.reads), set(statement.writes)
        case Turns():
            reads, writes = set(), set()
            for inner in (*statement.body, *statement.otherwise):
                r, w = touched(inner)
                reads |= r
                writes |= w
            header = ast.parse(f"{statement.header}\n    pass")
            reads |= {node.id for node in ast.walk(header) if isinstance(node, ast.Name)}
            return reads, writes


def _owner(target: Expr) -> str:
    found = access(target)
    assert found is not None
    return found[0]


def _index_reads(target: Expr) -> Iterator[tuple[str, tuple[Expr, ...]]]:
    found = access(target)
    assert found is not None
    for part in found[1]:
        yield from accesses(part)


# --- joining --------------------------------------------------------------------------------------


def joined(statements: Sequence[Statement], axes: Sequence[str]) -> list[Statement]:
    """Statements in which nests have joined earlier ones, wherever that changes nothing."""
    found: list[Statement] = []
    for statement in statements:
        if isinstance(statement, Turns):
            body, otherwise = joined(statement.body, axes), joined(statement.otherwise, axes)
            found.append(Turns(statement.header, body, otherwise))
            continue
        home = _home(statement, found, axes) if isinstance(statement, Nest) else None
        if home is not None and isinstance(statement, Nest):
            home.lines += statement.lines
        elif isinstance(statement, Nest):
            found.append(Nest(statement.shape, list(statement.lines)))
        else:
            found.append(statement)
    return found


def _home(nest: Nest, before: Sequence[Statement], axes: Sequence[str]) -> Nest | None:
    """The last nest that another one can join; it moves ahead of what stands in between."""
    reads, writes = touched(nest)
    if not nest.shape:
        return None
    for other in reversed(before):
        if isinstance(other, Nest) and _can_join(other, nest, axes):
            return other
        r, w = touched(other)
        if w & (reads | writes) or r & writes:
            return None
    return None


def _can_join(first: Nest, second: Nest, axes: Sequence[str]) -> bool:
    if len(first.shape) != len(second.shape) or not all(map(same, first.shape, second.shape)):
        return False
    own = axes[: len(first.shape)]
    for one, other in ((first, second), (second, first)):
        written = [(line, access(line.target)) for line in one.lines]
        met = [(a, line.partial) for line in other.lines for a in _all_accesses(line)]
        for line, target in written:
            assert target is not None
            for (array, index), partial in met:
                if array != target[0]:
                    continue
                if line.partial or partial:
                    return False
                if not _at_the_same_turn(target[1], index, own, first.shape[-1]):
                    return False
    return True


def _all_accesses(line: Assign) -> Iterator[tuple[str, tuple[Expr, ...]]]:
    found = access(line.target)
    assert found is not None
    yield found
    yield from accesses(line.value)


def _at_the_same_turn(
    a: Sequence[Expr], b: Sequence[Expr], axes: Sequence[str], width: Dimension
) -> bool:
    """Whether two indices mean the same element at each turn, or never the same one."""
    if [text(i) for i in a] == [text(i) for i in b]:
        return set(axes) <= {n.id for i in a for n in ast.walk(i) if isinstance(n, ast.Name)}
    if len(a) != len(b):
        return False
    for i, j in zip(a[:-1], b[:-1], strict=True):
        if _apart(i, j) not in (None, 0):
            return True
    by = _apart(a[-1], b[-1])
    return by is not None and isinstance(width, int) and abs(by) >= width


def _apart(a: Expr, b: Expr) -> int | None:
    """By how much two indices differ, if that is known."""
    (base, m), (other, n) = _base(a), _base(b)
    return n - m if base == other else None


def _base(index: Expr) -> tuple[str, int]:
    match index:
        case ast.Constant(int(k)):
            return "", k
        case ast.BinOp(ast.Constant(int(k)), ast.Add(), other):
            base, by = _base(other)
            return base, by + k
        case ast.BinOp(other, ast.Add(), ast.Constant(int(k))):
            base, by = _base(other)
            return base, by + k
        case ast.BinOp(other, ast.Sub(), ast.Constant(int(k))):
            base, by = _base(other)
            return base, by - k
    return text(index), 0


# --- numbers in the place of arrays ---------------------------------------------------------------


def with_numbers(
    statements: Sequence[Statement], kept: set[str], fresh: Callable[[str], str]
) -> tuple[list[Statement], set[str]]:
    """Name each element that is computed, and forget arrays that nothing else reads.

    Parameters
    ----------
    statements : sequence
    kept : set of str
        The arrays that are asked for.
    fresh : callable
        A name that nothing has, from a stem.

    Returns
    -------
    list, set of str
        The statements, and the arrays that there need not be.
    """
    nests: dict[str, int] = {}
    elsewhere: set[str] = set(kept)
    for number, statement in enumerate(_flat(statements)):
        reads, writes = touched(statement)
        for n in reads | writes:
            if not isinstance(statement, Nest) or nests.setdefault(n, number) != number:
                elsewhere.add(n)
    gone: set[str] = set()

    def changed(statement: Statement) -> Statement:
        if isinstance(statement, Turns):
            body = [changed(s) for s in statement.body]
            return Turns(statement.header, body, [changed(s) for s in statement.otherwise])
        return (
            _numbered(statement, elsewhere, gone, fresh)
            if isinstance(statement, Nest)
            else statement
        )

    return [changed(s) for s in statements], gone


def _flat(statements: Sequence[Statement]) -> Iterator[Statement]:
    for statement in statements:
        if isinstance(statement, Turns):
            yield Call(f"{statement.header}", frozenset(), frozenset())
            yield from _flat(statement.body)
            yield from _flat(statement.otherwise)
        else:
            yield statement


def _numbered(nest: Nest, elsewhere: set[str], gone: set[str], fresh: Callable[[str], str]) -> Nest:
    indices: dict[str, list[str]] = {}
    for line in nest.lines:
        found = access(line.target)
        assert found is not None
        order = [*accesses(line.value), *([found] if line.add else []), found]
        for k, (array, index) in enumerate(order):
            last = k == len(order) - 1 and not line.add
            form = "" if last else "read before "
            seen = indices.setdefault(array, [])
            here = ", ".join(map(text, index))
            if here not in seen:
                seen.append(here if last else f"{form}{here}")
    numbers: dict[tuple[str, str], Expr] = {}
    lines: list[Assign] = []

    def known(node: Expr) -> Expr | None:
        found = access(node) if isinstance(node, ast.Subscript) else None
        if found is None:
            return None
        return numbers.get((found[0], ", ".join(map(text, found[1]))))

    for line in nest.lines:
        value = replaced(line.value, known)
        found = access(line.target)
        assert found is not None
        array, index = found
        alone = array not in elsewhere and not any(
            i.startswith("read before ") for i in indices[array]
        )
        if line.partial or line.add or not index:
            numbers.pop((array, ", ".join(map(text, index))), None)
            lines.append(Assign(line.target, value, line.add, line.partial))
            continue
        number = name(fresh(array))
        lines.append(Assign(number, value))
        numbers[array, ", ".join(map(text, index))] = number
        if alone:
            gone.add(array)
        else:
            lines.append(Assign(line.target, number))
    return Nest(nest.shape, lines)
