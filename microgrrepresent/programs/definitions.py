"""What is computed: each variable with its terms, at which steps, and what it gets to begin with.

The first step of a backward pass has nothing that comes from a later one, and the last nothing that
goes to an earlier one, so their equations differ from those of the other steps. Here they become
cases of one: a term that is made of an adjoint that is not there is 0.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    at,
    at_step,
    call,
    is_zero,
    key,
    name,
    plus,
    text,
    time_shift,
    total,
)
from microgrrepresent.programs.lowering import Lowering
from microgrrepresent.programs.operations import Piece
from microgrrepresent.programs.shapes import equal
from microgrrepresent.programs.sizes import length, same, shape_expression

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
    start : list of Piece
        What stands in the place of these at the first turn; 0 if there is nothing.
    end : ast.expr or None
        The step after the last, at which there are no terms but those handed on.
    sums : list of (Piece, Steps)
        Terms that are summed over steps.
    exists : ast.expr or None
        A step at which the variable itself has a value, for its shape; the first if None.
    beyond : list of (str, ast.expr, ast.expr)
        What terms read that would be computed before the first of the steps: which adjoint, at
        which step, and the zeros that it is.
    """

    target: str
    steps: Steps | None = None
    terms: list[Piece] = field(default_factory=list)
    handed_on: list[Piece] = field(default_factory=list)
    start: list[Piece] = field(default_factory=list)
    end: Expr | None = None
    sums: list[tuple[Piece, Steps]] = field(default_factory=list)
    exists: Expr | None = None
    beyond: list[tuple[str, Expr, Expr]] = field(default_factory=list)


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
        adjoints = [d for d in timed if d.target in self._known]
        _begin_together(adjoints)
        self._as_long_as_read(adjoints, first=True)
        self._as_long_as_read(adjoints)
        self._as_long_as_read([d for d in timed if d.target not in self._known])
        for one in adjoints:
            one.beyond = list(self._beyond(one, adjoints))
        return made

    def _beyond(
        self, made: Definition, adjoints: Sequence[Definition]
    ) -> Iterator[tuple[str, Expr, Expr]]:
        """What a loop's first turns read of adjoints that no turn before them has computed."""
        far = dict.fromkeys(r for p in made.terms for r in reads_of(p, self.lowering.timed))
        for one in adjoints:
            lag = max((abs(k) for n, k in far if n == one.target and k is not None), default=0)
            if made.steps is None or one.steps is None or lag < 2:
                continue
            by = -1 if made.steps.down else 1
            first = self._number(one.steps.first)
            for k in range(1, lag + 1):
                step = plus(made.steps.first, -k * by)
                if (self._number(step) - first) * by < 0:
                    like, at_step = one, one.exists or one.steps.first
                    if self._alike(made, one):  # mostly a state, which is kept for each step
                        like, at_step = made, made.exists or made.steps.first
                    yield one.target, step, call("np.zeros_like", at(like.target[1:], at_step))

    def _alike(self, a: Definition, b: Definition) -> bool:
        shapes = self.lowering.shapes
        return equal(shapes.get(a.target), shapes.get(b.target))

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
                    made.terms.append(piece_at(piece, steps.first))
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
        usual = max(  # of equal ones the last, which reads what those before it have made
            reversed(group), key=lambda pair: (len(pair[0].steps), len(_terms(pair[0].right)))
        )
        self.lowering.timed.add(target)
        steps = self._steps(usual[0].steps, usual[1].steps, target)
        made = Definition(target, steps)
        for piece in self._pieces(usual):
            back = {abs(k) for k in lags(piece, self.lowering.timed)} - {0}
            (made.handed_on if back == {1} else made.terms).append(piece)
        if not made.handed_on and len(group) == 1:
            made.terms = concatenated(made.terms)
        covered = usual[0].steps
        order = [t for pair in group for t in pair[0].steps]
        by = order[1] - order[0] if len(order) > 1 else 1
        near = sorted(group, key=lambda pair: abs(pair[0].steps[-1] - covered[0]))
        for pair in near:
            if pair is not usual:
                covered = self._at_an_end(made, pair, covered, by)
        if made.terms and not made.handed_on and not made.start:
            made.terms = self._of_whole_shape(made.terms, target)
        return made

    def _of_whole_shape(self, terms: list[Piece], target: str) -> list[Piece]:
        """Terms of which one has the whole shape, since parts are taken of an adjoint."""
        whole = self.lowering.shapes[target]
        values = [p for p in terms if not is_zero(p.expression)]
        if not values or any(
            len(p.shape) == len(whole) and all(map(same, p.shape, whole)) for p in values
        ):
            return terms
        if any(p.additions for p in terms):
            zeros = call("np.zeros_like", at(target[1:], name("t")))
            return [Piece(zeros, whole), *terms]
        spread = call(
            "np.broadcast_to", total(p.expression for p in values), shape_expression(whole)
        )
        return [Piece(spread, whole)]

    def _at_an_end(
        self, made: Definition, pair: Pair, covered: tuple[int, ...], by: int
    ) -> tuple[int, ...]:
        """An equation of the first steps, or the last, as a case of the usual one.

        It gives the steps, in the first recording, of which the definition is now.
        """
        assert made.steps is not None
        steps, when = self._steps(pair[0].steps, pair[1].steps, made.target), pair[0].steps
        pieces = self._pieces(pair)
        others = _without(pieces, [*made.terms, *made.handed_on])
        missing = _without([*made.terms, *made.handed_on], pieces)
        first = when[-1] == covered[0] - by and not made.start and (steps.single or not others)
        last = steps.single and when[0] == covered[-1] + by
        if first and all(self._is_nothing(p, t) for p in missing for t in when):
            made.start += [piece_at(p, steps.first) for p in others]
            made.steps = Steps(steps.first, made.steps.last, by < 0)
            return (*when, *covered)
        if last and not _without(pieces, made.handed_on) and len(pieces) == len(made.handed_on):
            made.end = steps.first
            return covered
        raise _uneven(made.target, when[0])

    def _refuse_ends_in_a_loop(self, timed: list[Definition]) -> None:
        """What is added up after its loop must not be read at that step by the loop itself."""
        last = {d.target: key(d.steps.last) for d in timed if d.steps is not None}
        for made in timed:
            if made.end is not None:
                read = {n for p in made.handed_on for n, _ in reads_of(p, self.lowering.timed)}
                if any(last.get(n) == key(made.end) for n in read - {made.target}):
                    raise _uneven(made.target, text(made.end))

    def _as_long_as_read(self, made: Sequence[Definition], first: bool = False) -> None:
        """Let what nobody asks for at the last turn of a loop, or the first, be computed there too.

        It reads what that turn computes; without it the loop would be two, of which the one reads
        the other's adjoints of the turn before:  ``dh_next = du[t] @ U``  with  ``du = da @ V.T``.
        """
        ends = {d.target: d.steps for d in made if d.steps is not None}
        for one in made:
            steps = one.steps
            if steps is None or one.end is not None or (first and one.start):
                continue
            by = -1 if steps.down else 1
            if first:
                turn = plus(steps.first, -by)
                longer = Steps(turn, steps.last, steps.down)
            else:
                turn = plus(steps.last, by)
                longer = Steps(steps.first, turn, steps.down)
            read = [r for p in one.terms for r in reads_of(p, self.lowering.timed)]
            beside = [ends[n] for n, k in read if k == 0 and n in ends and n != one.target]
            alike = [key(s.first if first else s.last) == key(turn) for s in beside]
            if beside and all(alike) and self._can_read(read, turn, ends):
                one.exists = one.exists or steps.first
                one.steps = ends[one.target] = longer
                self.lowering.there.setdefault(one.target, set()).add(self._number(turn))

    def _can_read(
        self, read: Sequence[tuple[str, int | None]], turn: Expr, loops: Mapping[str, Steps]
    ) -> bool:
        """Whether all values that are read at a turn of a loop have one there."""
        step = self._number(turn)
        there = {**self.lowering.there, **self._known}
        return all(k is None or n in loops or step + k in there.get(n, ()) for n, k in read)

    def _number(self, step: Expr) -> int:
        """A step of the first recording."""
        sizes = {size.name: size.first for size in self.lowering.sizes.sizes}
        return int(eval(text(step), sizes))

    def _is_nothing(self, piece: Piece, step: int) -> bool:
        """Whether a term is 0 at a step, because it is made of an adjoint that is not there."""
        return any(
            n in self._known and k is not None and step + k not in self._known[n]
            for n, k in reads_of(piece, self.lowering.timed)
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
    left = set(map(_key, others))
    return [p for p in pieces if _key(p) not in left]


def _key(piece: Piece) -> tuple[str, ...]:
    """Equal for contributions that are written alike."""
    return (key(piece.expression), *map(ast.dump, piece.additions))


def piece_at(piece: Piece, step: Expr, by: int = 0) -> Piece:
    """A contribution at another step."""
    additions = tuple(at_step(s, step, by) for s in piece.additions)
    return Piece(at_step(piece.expression, step, by), piece.shape, additions)


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
    return [k for n, k in reads_of(piece, timed) if k is not None and n.startswith("d")]


def reads_of(piece: Piece, timed: set[str]) -> Iterator[tuple[str, int | None]]:
    """What a contribution reads, what is added to parts of the adjoint too."""
    for part in (piece.expression, *piece.additions):
        yield from reads(part, timed)


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
