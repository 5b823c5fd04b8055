"""Equations in an order in which they can be computed: lines, and loops over the steps.

Equations that hold at the same steps share a loop, where none of them reads what another one will
give at a later turn. A sum over steps is added up in the loop that makes its terms. What an adjoint
gets from the step after it is handed on in a variable of its own,

    dh = dY[t] @ V + dh_next        and at the end of the turn        dh_next = da @ U

so that no step is different: the first turn begins with 0, or with what came from after the loop.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from microgrrepresent.equations.terms import (
    Equation,
)
from microgrrepresent.programs.definitions import Definition, Steps, piece_at, reads, reads_of
from microgrrepresent.programs.expressions import (
    Expr,
    at,
    call,
    is_zero,
    key,
    name,
    text,
    total,
)
from microgrrepresent.programs.lines import Item, Line, Loop, lines_of
from microgrrepresent.programs.operations import INTO, Piece

Pair = tuple[Equation, Equation]


@dataclass
class _Open:
    """A loop that is being filled, with what stands before and after it."""

    steps: Steps
    before: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    hand_on: list[Line] = field(default_factory=list)
    after: list[Line] = field(default_factory=list)
    defined: set[str] = field(default_factory=set)
    given_after: set[str] = field(default_factory=set)

    @property
    def busy(self) -> set[str]:
        """What is set here."""
        lines = (*self.before, *self.hand_on, *self.after)
        return self.defined | self.given_after | {line_owner(line) for line in lines}

    def items(self) -> list[Item]:
        """The loop, between its lines before and after."""
        loop = Loop(self.steps.first, self.steps.last, self.steps.down)
        loop.lines = [*self.lines, *self.hand_on]
        return [*self.before, loop, *self.after]


class Schedule:
    """Definitions in lines and loops. `add` all, then take `items`."""

    def __init__(self, timed: set[str]) -> None:
        self.timed = timed
        self._done: list[Item | _Open] = []
        self._home: dict[str, _Open] = {}
        self._once: set[str] = set()

    def items(self) -> list[Item]:
        """Lines and loops in order."""
        found: list[Item] = []
        for item in self._done:
            found += item.items() if isinstance(item, _Open) else [item]
        return found

    def add(self, made: Definition) -> None:
        """Place a definition after all that it reads."""
        if made.steps is None:
            self._add_once(made)
        elif made.steps.single:
            target = at(made.target, made.steps.first)
            pieces = [*made.terms, *made.handed_on]
            pieces = [piece_at(p, made.steps.first) for p in pieces]
            self._lines(target, [p.expression for p in pieces], pieces)
        else:
            self._add_timed(made, made.steps)

    def _add_once(self, made: Definition) -> None:
        target = name(made.target)
        loops = [self._loop(piece, steps) for piece, steps in made.sums]
        late = False
        if made.terms and loops:  # what is added to in a loop begins before it
            late = not self._put_before(loops, target, made.terms)
        elif made.terms:
            self._lines(target, [p.expression for p in made.terms], made.terms)
        if loops and (late or not made.terms):
            zero: Expr = ast.Constant(0.0)
            if made.target.startswith("d"):
                zero = call("np.zeros_like", name(made.target[1:]))
            self._first(loops).before.append(Line(target, zero))
        for (piece, steps), loop in zip(made.sums, loops, strict=True):
            only = _inside(steps, loop.steps)
            if not is_zero(piece.expression):
                loop.lines.append(Line(target, piece.expression, add=True, only=only))
            loop.lines += _additions(piece, target)
            loop.given_after.add(made.target)
            self._home[made.target] = loop
        if late:
            values = [p.expression for p in made.terms if not is_zero(p.expression)]
            if values:
                self._done.append(Line(target, total(values), add=True))
            self._done += [line for p in made.terms for line in _additions(p, target)]

    def _first(self, loops: Sequence[_Open]) -> _Open:
        """The first of some loops, in the order in which they stand."""
        return next(o for o in self._done if isinstance(o, _Open) and any(o is x for x in loops))

    def _put_before(self, loops: Sequence[_Open], target: Expr, terms: Sequence[Piece]) -> bool:
        """Set a sum to its terms before the loops that add to it, if they are known there."""
        first = self._first(loops)
        i = next(i for i, item in enumerate(self._done) if item is first)
        busy: set[str] = set()
        for item in self._done[i:]:
            busy |= item.busy if isinstance(item, _Open) else set(map(line_owner, lines_of([item])))
        lines = _sum_lines(target, terms, name(text(target)[1:]))
        read = {n for line in lines for e in line.expressions() for n, _ in reads(e, self.timed)}
        if read & busy:
            return False
        self._done[i:i] = lines
        return True

    def _add_timed(self, made: Definition, steps: Steps) -> None:
        loop = self._loop_for(made, steps)
        target = at(made.target, name("t"))
        for owner, when, zero in made.beyond:
            if all(key(line.target) != key(at(owner, when)) for line in loop.before):
                loop.before.append(Line(at(owner, when), zero))
        values = [p.expression for p in made.terms if not is_zero(p.expression)]
        if made.handed_on or made.start:
            passed = name(f"{made.target}_next")
            values.append(passed)
            loop.before += _sum_lines(
                passed, made.start, at(made.target[1:], made.exists or steps.first)
            )
            by = -1 if steps.down else 1
            step: Expr = name("t")
            handed = [piece_at(p, step, by) for p in made.handed_on]
            loop.hand_on += _sum_lines(passed, handed, at(made.target[1:], step))
            if made.end is not None:
                loop.after.append(Line(at(made.target, made.end), passed))
        if not values:
            values = [call("np.zeros_like", at(made.target[1:], name("t")))]
        additions = [line for p in made.terms for line in _additions(p, target)]
        loop.lines.append(Line(target, _own(values) if additions else total(values)))
        loop.lines += additions
        loop.defined.add(made.target)
        self._home[made.target] = loop

    def _loop_for(self, made: Definition, steps: Steps) -> _Open:
        """The last loop, if the definition can stand in it; else a new one."""
        last = self._done[-1] if self._done else None
        if isinstance(last, _Open) and last.steps.key == steps.key:
            read = [r for p in made.terms for r in reads_of(p, self.timed)]
            if all(self._ready(n, k, last) for n, k in read):
                return last
        loop = _Open(steps)
        self._done.append(loop)
        return loop

    def _ready(self, variable: str, shift: int | None, loop: _Open) -> bool:
        """Whether a variable can be read in a loop."""
        if variable in loop.given_after:
            return False
        if variable not in loop.defined:
            return True
        return shift is not None and (shift >= 0 if loop.steps.down else shift <= 0)

    def _loop(self, piece: Piece, steps: Steps) -> _Open:
        """The loop in which a term of a sum over steps is made."""
        homes = [
            self._home[n]
            for n, k in reads_of(piece, self.timed)
            if n in self._home and k is not None
        ]
        for loop in reversed(self._done):
            if isinstance(loop, _Open):
                at_home = any(loop is home for home in homes)
                if at_home or (not homes and _inside(steps, loop.steps) is None):
                    return loop
        made = _Open(steps)
        self._done.append(made)
        return made

    def _lines(self, target: Expr, values: list[Expr], pieces: Sequence[Piece]) -> None:
        """A line outside of loops; before the last loop, if it reads nothing of it."""
        values = [v for v in values if not is_zero(v)]
        owner = target.value if isinstance(target, ast.Subscript) else target
        assert isinstance(owner, ast.Name)
        if not values:
            value: Expr = name(owner.id[1:])
            if isinstance(target, ast.Subscript):
                value = at(owner.id[1:], target.slice)
            values = [call("np.zeros_like", value)]
        additions = [line for piece in pieces for line in _additions(piece, target)]
        lines = [Line(target, _own(values) if additions else total(values)), *additions]
        last = self._done[-1] if self._done else None
        read = {n for line in lines for e in line.expressions() for n, _ in reads(e, self.timed)}
        if isinstance(last, _Open):
            if not read & last.busy:
                self._done[-1:-1] = lines
                return
            last.given_after.add(owner.id)
            self._home.setdefault(owner.id, last)
        self._done += lines


def _sum_lines(target: Expr, pieces: Sequence[Piece], like: Expr) -> list[Line]:
    """Lines that make a target the sum of pieces, of what is added to parts of it too."""
    values = [p.expression for p in pieces if not is_zero(p.expression)]
    values = values or [call("np.zeros_like", like)]
    additions = [line for p in pieces for line in _additions(p, target)]
    return [Line(target, _own(values) if additions else total(values)), *additions]


def _own(values: list[Expr]) -> Expr:
    """A sum in an array of its own, which can be added to."""
    match values:
        case [ast.Name() | ast.Subscript() | ast.Attribute() as view]:
            return ast.Call(ast.Attribute(view, "copy", ast.Load()), [], [])
    return total(values)


def _additions(piece: Piece, target: Expr) -> list[Line]:
    return [Line(target, target, statement=_into(s, target)) for s in piece.additions]


def line_owner(line: Line) -> str:
    """The variable that a line sets."""
    owner = line.target
    while isinstance(owner, ast.Subscript):  # h[t], or a part of it
        owner = owner.value
    assert isinstance(owner, ast.Name)
    return owner.id


def _into(statement: ast.stmt, target: Expr) -> ast.stmt:
    """A statement that adds to a target."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return target if node.id == INTO else node

    copy = ast.parse(ast.unparse(ast.fix_missing_locations(statement)))
    Fill().visit(copy)
    return copy.body[0]


def _inside(steps: Steps, loop: Steps) -> Expr | None:
    """The condition that t is one of the steps; None if all steps of the loop are."""
    first, last = (steps.last, steps.first) if steps.down else (steps.first, steps.last)
    lower, upper = (loop.last, loop.first) if loop.down else (loop.first, loop.last)
    parts: list[Expr] = []
    if key(first) != key(lower):
        parts.append(ast.Compare(name("t"), [ast.GtE()], [first]))
    if key(last) != key(upper):
        parts.append(ast.Compare(name("t"), [ast.LtE()], [last]))
    if len(parts) == 2:
        return ast.BoolOp(ast.And(), parts)
    return parts[0] if parts else None
