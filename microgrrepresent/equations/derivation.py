"""The derivation of one gradient: forward equations, and the chain rule of exactly this graph.

Steps at which an equation reads the same belong together. So a recurrence is one equation, and its
last step, where nothing comes back from a later one, another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeGuard

from microgrrepresent.description import number_in
from microgrrepresent.equations.forward import Forward
from microgrrepresent.equations.series import Series, Step
from microgrrepresent.equations.terms import (
    Adjoint,
    Chain,
    Equation,
    Growing,
    Negative,
    Number,
    Shift,
    Sum,
    SumOver,
    SumOverSteps,
    Term,
    Value,
    Variable,
    params_of,
)
from microgrrepresent.equations.variables import Variables, find_variables
from microgrrepresent.errors import GradientError
from microgrrepresent.gradients import grad
from microgrrepresent.graph import Graph
from microgrrepresent.node import Array, Node


@dataclass(frozen=True)
class Derivation:
    """The gradient of a loss with respect to one node, as equations. Made by `derive`.

    Attributes
    ----------
    loss : Value
        What is differentiated.
    targets : tuple of Value
        With respect to what.
    forward : tuple of Equation
        The values, in the order of computation.
    backward : tuple of Equation
        The adjoints, from the loss's to those of the targets, in the order of computation.
    given : dict from Value to ndarray
        The values of leaves; times are steps.
    values : dict from Value or Adjoint to ndarray
        What the graph holds for the left side of every equation, at every step.
    cuts : dict from Value to tuple of int
        What some steps read through a cut, over which no gradient comes back, and which steps.
    nodes : dict from Value to Node
        The nodes that the variables stand for.
    """

    loss: Value
    targets: tuple[Value, ...]
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    given: dict[Value, Array]
    values: dict[Value | Adjoint, Array]
    cuts: dict[Value, tuple[int, ...]]
    nodes: dict[Value, Node]

    @property
    def equations(self) -> tuple[Equation, ...]:
        """All equations, in the order of computation: the forward pass, then the adjoints."""
        return self.forward + self.backward

    @property
    def target(self) -> Value:
        """The first target; mostly there is only one."""
        return self.targets[0]

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables, in the order of computation."""
        made = (equation.left.variable for equation in self.forward)
        return tuple(dict.fromkeys([*(value.variable for value in self.given), *made]))


def derive(
    loss: Node, targets: Node | Sequence[Node], together: bool = True, code: bool = False
) -> Derivation:
    """Write down how dL/d(target) comes about, of one target or of several at once.

    Parameters
    ----------
    loss : Node
        A scalar.
    targets : Node or sequence of Node
        Parameters, or any nodes between a parameter and the loss.
    together : bool
        Whether to treat the steps of a graph that folds as one.
    code : bool
        Whether an operation may say in NumPy alone what it sends back, as nobody reads formulas.

    Raises
    ------
    GradientError
        If the loss does not depend on the target.
    """
    several = [targets] if isinstance(targets, Node) else list(dict.fromkeys(targets))
    graph = Graph(loss)
    live = _between(graph, loss, several)
    for target in several:
        if target not in live:
            raise GradientError(
                f"the loss does not depend on {target.name or 'the node'} {target.shape}, so "
                "there is no gradient to explain"
            )
    variables = find_variables(graph, [loss, *several], live, together, code=code)
    return _Derivation(loss, several, variables, code).result()


def _between(graph: Graph, loss: Node, targets: Sequence[Node]) -> set[Node]:
    """The nodes through which a target acts on the loss."""
    after: set[Node] = set(targets)
    for node in graph:
        if any(p in after and rule is not None for p, rule in _rules(node)):
            after.add(node)
    before: set[Node] = {loss}
    for node in reversed(tuple(graph)):
        if node in before:
            before |= {p for p, rule in _rules(node) if rule is not None}
    return after & before


def _rules(node: Node) -> list[tuple[Node, Any]]:
    """Each parent with the rule that sends it something, or None."""
    op = node.op
    return [] if op is None else [(p, op.vjp[i]) for i, p in enumerate(node.parents)]


class _Derivation(Forward):
    """The work of `derive`: terms, and the equations that consist of them."""

    def __init__(
        self, loss: Node, targets: Sequence[Node], variables: Variables, code: bool
    ) -> None:
        super().__init__(variables)
        self.code = code
        self.loss, self.targets = loss, dict.fromkeys(targets)
        self.graph, self.edges, self.live = variables.graph, variables.edges, variables.live
        self.sent_once: dict[Node, Term] = {}
        self.lengths_of: dict[Node, tuple[int, ...]] = {}
        self.steps_joined: dict[Node, set[Series]] = {}

    # --- terms -----------------------------------------------------------------------------------

    def _adjoint(self, node: Node, now: Step) -> Term:
        series, step = self.places[node]
        if series.running:
            node, step = series.example, None
        if self._is_seed(node):
            return Number(1)
        if series in self.named:
            return Adjoint(self.named[series], self.when(step, now))
        child, i = self.edges[node][0]
        if step is not None:
            return self._sent(child, i, now)
        if node not in self.sent_once:
            self.sent_once[node] = self._sent(child, i, None)
        return self.sent_once[node]

    def _sent(self, child: Node, i: int, now: Step) -> Term:
        """What the child sends to its i-th parent."""
        assert child.op is not None
        g, parent = self._adjoint(child, now), child.parents[i]
        reading = now if self.places[child][1] is not None else None
        if self.code and self._in_code_alone(child, i):
            meets = text = ""
        else:
            meets = child.op.said("meets", child, i, by="explain")
            text = child.op.said(_RULE.get(meets, "derivative"), child, i, by="explain")
        joins = child.op.many is not None
        # an inner product is a number, and has spread nothing
        spread = meets == "elementwise" and child.ndim >= parent.ndim
        if joins and parent.ndim < child.ndim and _is_spread_sum(g):
            return self._part_of_sum(g, parent, now)
        if meets == "elementwise" and (factor := number_in(text)) in (1, -1):
            minus: Term = g.term if isinstance(g, Negative) else Negative(g)
            term = g if factor == 1 else minus
        else:
            position: int | Growing = i
            series, at = self.places[parent]
            if joins and at is not None and reading is None and self._joins_steps(child, series):
                position = Growing(1, i - at)
            term = Chain(
                g,
                child.op,
                position,
                text,
                meets,
                Number(0) if meets == "moved" else self.value(child, reading),
                () if joins else tuple(self.value(p, reading) for p in child.parents),
                self.params(child, reading),
                child.shape if spread else parent.shape,
                self._lengths(child) if joins and parent.ndim == child.ndim else (),
            )
        if spread and child.shape != parent.shape:
            term = SumOver(term, parent.shape)
        return term

    def _in_code_alone(self, child: Node, i: int) -> bool:
        """Whether an operation says in NumPy what it sends back, and not in formulas."""
        assert child.op is not None
        shapes = [p.shape for p in child.parents]
        meets, source = (
            child.op.text(field, shapes, child.params, i) for field in ("meets", "vjp_source")
        )
        return meets is None and source is not None

    def _joins_steps(self, joined: Node, series: Series) -> bool:
        """Whether several steps of a variable are joined, not the last one alone."""
        if joined not in self.steps_joined:  # T parts of one array, each of which asks
            count = Counter(self.places[part][0] for part in set(joined.parents))
            self.steps_joined[joined] = {one for one, n in count.items() if n > 1}
        return series in self.steps_joined[joined]

    def _lengths(self, joined: Node) -> tuple[int, ...]:
        """The length of each part of something that was joined along one of its axes."""
        if joined not in self.lengths_of:  # T parts of one array, each of which asks
            axis = joined.params["axis"]
            self.lengths_of[joined] = tuple(part.shape[axis] for part in joined.parents)
        return self.lengths_of[joined]

    def _part_of_sum(self, g: Chain, parent: Node, now: Step) -> Term:
        """What a sum over a stack sends to one part: the same as a sum over the part would."""
        if parent.shape == ():
            return g.g
        params = params_of({"axis": tuple(range(parent.ndim)), "keepdims": False})
        part = (self.value(parent, now),)
        return Chain(g.g, g.op, 0, "1", "spread", Number(0), part, params, parent.shape)

    # --- equations -------------------------------------------------------------------------------

    def result(self) -> Derivation:
        """All equations and what they evaluate to."""
        forward = [
            equation
            for series in self.named
            for equation in self._equations(series, Value, self._definition, lambda n: True)
        ]
        backward_: list[Equation] = []
        for series in reversed(self.named):
            backward_ += self._equations(
                series, Adjoint, self._adjoint_sum, self._is_explained, backwards=True
            )
        given: dict[Value, Array] = {}
        values: dict[Value | Adjoint, Array] = {}
        nodes: dict[Value, Node] = {}
        reached = [node for f in self.named for node in f.nodes.values() if node in self.live]
        adjoints = dict(zip(reached, grad(self.loss, reached), strict=True))
        for series, variable in self.named.items():
            for t, node in series.nodes.items():
                if node not in self.edges:
                    continue
                values[Value(variable, t)] = node.value
                nodes[Value(variable, t)] = node
                if node.op is None or series in self.variables.inputs:
                    given[Value(variable, t)] = node.value
                if node in adjoints and self._is_explained(node):
                    values[Adjoint(variable, t)] = adjoints[node]
        return Derivation(
            self._place(self.loss),
            tuple(map(self._place, self.targets)),
            tuple(forward),
            tuple(backward_),
            given,
            values,
            self._cuts(),
            nodes,
        )

    def _cuts(self) -> dict[Value, tuple[int, ...]]:
        """Where the path of the gradient is cut between two steps of a folded graph."""
        found: dict[Value, set[int]] = {}
        for node in self.graph:
            series, step = self.places[node]
            if not series.running and node is not series.nodes.get(step):  # in a state's place
                for child, _ in self.edges[node]:
                    now = self.places[child][1]
                    if now is not None and series in self.named:
                        value = Value(self.named[series], self.when(step, now))
                        found.setdefault(value, set()).add(now)
        return {value: tuple(sorted(times)) for value, times in found.items()}

    def _is_explained(self, node: Node) -> bool:
        """Whether its adjoint has an equation."""
        return node in self.live and not self._is_seed(node)

    def _is_seed(self, node: Node) -> bool:
        """Whether it is the loss, whose adjoint is 1, and no state of a recurrence besides."""
        alone = len(self.places[node][0].nodes) == 1
        return node is self.loss and node not in self.targets and alone

    def _place(self, node: Node) -> Value:
        series, step = self.places[node]
        return Value(self.named[series], step)

    def _equations(
        self,
        series: Series,
        side: type[Value] | type[Adjoint],
        right: Callable[[Node, Step], Term | None],
        wanted: Callable[[Node], bool],
        backwards: bool = False,
    ) -> Iterable[Equation]:
        """The equations of a series: one for all steps at which it reads the same."""
        variable = self.named[series]
        groups: dict[Term, list[int]] = {}
        for t, node in sorted(series.nodes.items(), key=lambda item: item[0] or 0):
            if node not in self.edges or not wanted(node):
                continue
            term = right(node, t)
            if term is None:
                continue
            if t is None:
                yield Equation(side(variable, None), term, ())
            else:
                groups.setdefault(term, []).append(t)
        down = backwards != (series.example.scope in self._reversed_scopes)
        found = [
            Equation(side(variable, Shift(0)), term, tuple(times[::-1] if down else times))
            for term, times in groups.items()
        ]
        yield from sorted(found, key=lambda e: -e.steps[0] if down else e.steps[0])

    @cached_property
    def _reversed_scopes(self) -> set[str]:
        """The scopes whose recurrence runs from the last step to the first."""
        return {
            node.scope
            for series in self.variables.series
            for t, node in series.nodes.items()
            for parent in node.parents
            if t is not None
            and (at := self.places[parent][1]) is not None
            and at > t
            and parent.scope == node.scope
        }

    def _definition(self, node: Node, now: Step) -> Term | None:
        is_given = node.op is None or self.places[node][0] in self.variables.inputs
        return None if is_given else self.definition(node, now)

    def _adjoint_sum(self, node: Node, now: Step) -> Term:
        """The node's adjoint: the sum of what its consumers send back."""
        if node is self.loss:
            return Number(1)
        terms: list[Term] = []
        over_steps: dict[Term, list[int]] = {}
        for child, i in sorted(self.edges[node], key=lambda edge: (edge[0].id, edge[1])):
            if child not in self.live or child.op is None or child.op.vjp[i] is None:
                continue
            at = self.places[child][1]
            if now is None and at is not None:
                over_steps.setdefault(self._sent(child, i, at), []).append(at)
            else:
                terms.append(self._sent(child, i, now))
        for term, times in over_steps.items():
            terms.append(SumOverSteps(term, tuple(times)))
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def _is_spread_sum(g: Term) -> TypeGuard[Chain]:
    """Whether g is one number, repeated over all that a sum went over."""
    if not isinstance(g, Chain) or g.meets != "spread" or number_in(g.derivative) != 1:
        return False
    return len(dict(g.params).get("axis", ())) == len(g.shape)


_RULE = {"moved": "vjp_formula"}
"""The field that says what is sent, where it is not the derivative."""
