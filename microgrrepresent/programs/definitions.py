"""What is computed: each variable with its terms, at which steps, and what it gets to begin with.

The first step of a backward pass has nothing that comes from a later one, and the last nothing that
goes to an earlier one, so their equations differ from those of the other steps. Here they become
cases of one: a term that is made of an adjoint that is not there is 0.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from microgrrepresent.equations.terms import (
    Adjoint,
    Equation,
    Sum,
    SumOverSteps,
    Term,
    Variable,
)
from microgrrepresent.errors import GraphError
from microgrrepresent.programs.concatenated import concatenated
from microgrrepresent.programs.expressions import (
    Expr,
    at_step,
    key,
    plus,
    text,
    time_shift,
)
from microgrrepresent.programs.lowering import Lowering
from microgrrepresent.programs.operations import Piece
from microgrrepresent.programs.sizes import length

Pair = tuple[Equation, Equation]


@dataclass(frozen=True)
class Steps:
    """The steps at which something is computed, in the order of computation."""

    first: Expr
    last: Expr
    down: bool

    @property
    def single(self) -> bool:
        """Whether it is one step only."""
        return key(self.first) == key(self.last)

    @property
    def key(self) -> tuple[str, str, bool]:
        """Equal for equal steps."""
        return key(self.first), key(self.last), self.down


@dataclass
class Definition:
    """A variable, and what it is the sum of.

    Attributes
    ----------
    target : str
    steps : Steps or None
        When it is computed, if at every step.
    terms : list of Piece
        What it is the sum of, at each of these steps, or once.
    handed_on : list of Piece
        Terms that are made of what the turn of the loop before has computed.
    start : list of ast.expr
        What stands in the place of these at the first turn; 0 if there is nothing.
    end : ast.expr or None
        The step after the last, at which there are no terms but those handed on.
    sums : list of (Piece, Steps)
        Terms that are summed over steps.
    exists : ast.expr or None
        A step at which the variable itself has a value, for its shape; the first if None.
    """

    target: str
    steps: Steps | None = None
    terms: list[Piece] = field(default_factory=list)
    handed_on: list[Piece] = field(default_factory=list)
    start: list[Expr] = field(default_factory=list)
    end: Expr | None = None
    sums: list[tuple[Piece, Steps]] = field(default_factory=list)
    exists: Expr | None = None


class Definitions:
    """Definitions from the equations of two recordings."""

    def __init__(self, lowering: Lowering, names: Callable[[Variable], str]) -> None:
        self.lowering = lowering
        self.names = names
        self._known: dict[str, set[int]] = {}
        """The steps, in the first recording, at which each adjoint has an equation."""

    def of(self, pairs: Sequence[Pair]) -> list[Definition]:
        """One for each variable, in the order of computation."""
        self._known = {}
        for pair in pairs:
            if isinstance(pair[0].left, Adjoint):
                target = f"d{self.names(pair[0].left.variable)}"
                self._known.setdefault(target, set()).update(pair[0].steps)
        made = list(self._each(pairs))
        timed = [d for d in made if d.steps is not None]
        self._refuse_ends_in_a_loop(timed)
        _begin_together([d for d in timed if d.target in self._known])
        self._end_together([d for d in timed if d.target not in self._known])
        return made

    def _each(self, pairs: Sequence[Pair]) -> Iterator[Definition]:
        groups: list[list[Pair]] = []
        for pair in pairs:
            if groups and groups[-1][0][0].left == pair[0].left:
                groups[-1].append(pair)
            else:
                groups.append([pair])
        for group in groups:
            left = group[0][0].left
            target = self.names(left.variable)
            target = f"d{target}" if isinstance(left, Adjoint) else target
            other = group[0][1].left.variable
            self.lowering.shapes[target] = self.lowering.shape(
                left.variable.shape, other.shape, target
            )
            if not group[0][0].steps:
                found = [self._once(target, *group[0])]
            elif isinstance(left, Adjoint):
                found = [self._adjoint(target, group)]
            else:
                found = [self._values(target, pair) for pair in group]
            for total_name, piece, steps in self.lowering.take_totals():
                yield Definition(total_name, sums=[(piece, self._steps(*steps, total_name))])
            yield from found

    def _once(self, target: str, a: Equation, b: Equation) -> Definition:
        made = Definition(target)
        for x, y in zip(_terms(a.right), _terms(b.right), strict=True):
            if isinstance(x, SumOverSteps) and isinstance(y, SumOverSteps):
                steps = self._steps(x.steps, y.steps, target)
                piece = self.lowering.full(x.term, y.term)
                if steps.single:
                    fixed = at_step(piece.expression, steps.first)
                    additions = tuple(at_step(s, steps.first) for s in piece.additions)
                    made.terms.append(Piece(fixed, piece.shape, additions))
                else:
                    made.sums.append((piece, steps))
            else:
                made.terms.append(self.lowering.full(x, y))
        return made

    def _values(self, target: str, pair: Pair) -> Definition:
        """A value at some steps; at others, such as the first, it may be made in another way."""
        self.lowering.timed.add(target)
        steps = self._steps(pair[0].steps, pair[1].steps, target)
        return Definition(target, steps, self._pieces(pair))

    def _adjoint(self, target: str, group: list[Pair]) -> Definition:
        usual = max(group, key=lambda pair: len(pair[0].steps))
        self.lowering.timed.add(target)
        steps = self._steps(usual[0].steps, usual[1].steps, target)
        made = Definition(target, steps)
        for piece in self._pieces(usual):
            earlier = any(lags(piece, self.lowering.timed))
            (made.handed_on if earlier else made.terms).append(piece)
        if not made.handed_on and len(group) == 1:
            made.terms = concatenated(made.terms)
        for pair in group:
            if pair is not usual:
                self._at_an_end(made, pair, usual[0].steps)
        return made

    def _at_an_end(self, made: Definition, pair: Pair, usual: Sequence[int]) -> None:
        """An equation of the first or last step, as a case of the usual one."""
        assert made.steps is not None
        steps = self._steps(pair[0].steps, pair[1].steps, made.target)
        pieces = self._pieces(pair)
        others = _without(pieces, [*made.terms, *made.handed_on])
        missing = _without([*made.terms, *made.handed_on], pieces)
        by = usual[1] - usual[0] if len(usual) > 1 else 1
        first = steps.single and pair[0].steps[0] == usual[0] - by
        last = steps.single and pair[0].steps[0] == usual[-1] + by
        if first and all(self._is_nothing(p, pair[0].steps[0]) for p in missing):
            made.start += [at_step(p.expression, steps.first) for p in others]
            made.steps = Steps(steps.first, made.steps.last, made.steps.down)
            return
        if last and not _without(pieces, made.handed_on) and len(pieces) == len(made.handed_on):
            made.end = steps.first
            return
        raise _uneven(made.target, pair[0].steps[0])

    def _refuse_ends_in_a_loop(self, timed: list[Definition]) -> None:
        """What is added up after its loop must not be read at that step by the loop itself."""
        last = {d.target: key(d.steps.last) for d in timed if d.steps is not None}
        for made in timed:
            if made.end is not None:
                read = {
                    n for p in made.handed_on for n, _ in reads(p.expression, self.lowering.timed)
                }
                if any(last.get(n) == key(made.end) for n in read - {made.target}):
                    raise _uneven(made.target, text(made.end))

    def _end_together(self, values: list[Definition]) -> None:
        """Let a value that nobody asks for at the last turn of its loop be computed there, too."""
        ends = {d.target: d.steps for d in values}
        for made in values:
            assert made.steps is not None
            by = -1 if made.steps.down else 1
            longer = Steps(made.steps.first, plus(made.steps.last, by), made.steps.down)
            read = [r for p in made.terms for r in reads(p.expression, self.lowering.timed)]
            there = [n for n, k in read if k == 0 and n in ends and n != made.target]
            if there and all(key(ends[n].last) == key(longer.last) for n in there):  # type: ignore[union-attr]
                made.steps = longer

    def _is_nothing(self, piece: Piece, step: int) -> bool:
        """Whether a term is 0 at a step, because it is made of an adjoint that is not there."""
        return any(
            n in self._known and k is not None and step + k not in self._known[n]
            for n, k in reads(piece.expression, self.lowering.timed)
        )

    def _pieces(self, pair: Pair) -> list[Piece]:
        a, b = _terms(pair[0].right), _terms(pair[1].right)
        if len(a) != len(b):
            raise GraphError("program: a sum has more terms in one recording than in the other")
        return [self.lowering.term(x, y) for x, y in zip(a, b, strict=True)]

    def _steps(self, a: Sequence[int], b: Sequence[int], target: str) -> Steps:
        what = f"a step of {target}"
        first = length(self.lowering.size(a[0], b[0], what))
        last = length(self.lowering.size(a[-1], b[-1], what))
        by = a[1] - a[0] if len(a) > 1 else 1
        if any(y - x != by for run in (a, b) for x, y in pairwise(run)):
            raise GraphError(
                f"program: {target} is made in one way at the steps {list(a)}, and in another at "
                "those between, as where a gradient is cut every few steps; no loop can do that"
            )
        return Steps(first, last, by < 0)


def _uneven(target: str, step: object) -> GraphError:
    return GraphError(
        f"program: {target} at step {step} is made in another way than at the steps beside it, as "
        "where a loss leaves out the first steps, and no loop can do that; make the steps alike, "
        "with weights as an input, of shape (T, B, 1), that are 0 where a step does not count"
    )


def _terms(right: Term) -> tuple[Term, ...]:
    """The terms of a sum, of sums in it, too."""
    if not isinstance(right, Sum):
        return (right,)
    return tuple(term for inner in right.terms for term in _terms(inner))


def _without(pieces: Iterable[Piece], others: Iterable[Piece]) -> list[Piece]:
    left = {key(p.expression) for p in others}
    return [p for p in pieces if key(p.expression) not in left]


def _begin_together(adjoints: list[Definition]) -> None:
    """Let adjoints that are 0 at the first turn of their loop be computed there, too."""
    for made in adjoints:
        assert made.steps is not None
        if made.terms or made.start:
            continue
        for other in adjoints:
            assert other.steps is not None
            same_end = (key(other.steps.last), other.steps.down) == (
                key(made.steps.last),
                made.steps.down,
            )
            by = 1 if made.steps.down else -1
            if same_end and key(other.steps.first) == key(plus(made.steps.first, by)):
                made.exists = made.exists or made.steps.first
                made.steps = other.steps
                break


def lags(piece: Piece, timed: set[str]) -> list[int]:
    """The shifts at which adjoints are read."""
    return [k for n, k in reads(piece.expression, timed) if k is not None and n.startswith("d")]


def reads(expression: ast.AST, timed: set[str]) -> Iterator[tuple[str, int | None]]:
    """Variables with the shift at which they are read; None for a fixed step, or if once."""
    inside: set[int] = set()
    for node in ast.walk(expression):
        match node:
            case ast.Subscript(ast.Name(variable), index) if variable in timed:
                inside.add(id(node.value))
                yield variable, time_shift(index)
    for node in ast.walk(expression):
        if isinstance(node, ast.Name) and id(node) not in inside:
            yield node.id, None
