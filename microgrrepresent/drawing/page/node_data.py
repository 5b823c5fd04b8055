"""What a page says of a node: its name, and the equation that made it, in a course's letters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from microgrrepresent.equations import Html, Notation, Writer
from microgrrepresent.equations.reading import successive_steps
from microgrrepresent.equations.terms import (
    Adjoint,
    Apply,
    Number,
    Shift,
    Term,
    Value,
    Variable,
    When,
    params_of,
)
from microgrrepresent.errors import located
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

INSIDE = 4
"""Levels of nameless results that are written out beside a named one: c = f ⊙ c + i ⊙ g."""

Names = dict[Node, tuple[str, str]]
"""Letter and mark of every node."""


STEP = "\0"
"""What stands on both sides of a time in a text for any step: of 0 for t, of -1 for t - 1."""


class Ahead(Shift):
    """The time t + by of a text for any step; a Σ over steps has a t of its own."""


class AnyStep(Writer):
    """Writes what holds at every step, with times that a page puts in."""

    def time(self, when: When) -> str | None:
        """A time relative to t, between marks."""
        return f"{STEP}{when.by}{STEP}" if isinstance(when, Ahead) else super().time(when)


@dataclass(frozen=True)
class Wording:
    """Names and equations of the nodes of a graph, as HTML. Made by `wording`.

    Attributes
    ----------
    write : Writer
        In a course's letters. With `AnyStep` the texts of a variable are the same at all steps.
    names : Names
    terms : dict from Node to Term
        Every node as a term of equations.
    by : str
        Who asks, for messages.
    """

    write: Writer
    names: Names
    terms: dict[Node, Term]
    by: str
    _written: dict[tuple[Term, Term | None], str] = field(default_factory=dict)

    def name(self, node: Node) -> str:
        """``h<sub>3</sub>``."""
        return self._text(self._seen(node, self._now(node)))

    def plain(self, node: Node) -> str:
        """A node's name in words: ``h at t = 3``."""
        name, mark = self.names[node]
        mark = f"({mark})" if mark.isdigit() else mark and f" of {mark}"
        return f"{name}{mark}" + (f" at t = {self._step(node)}" if node.step is not None else "")

    def where(self, node: Node) -> str:
        """Where a node was made, and by which operation: ``tanh in lstm at t=3``."""
        place = located(node.op.name if node.op else kind(node), node.scope, None)
        return place + (f" at t={self._step(node)}" if node.step is not None else "")

    def gradient(self, node: Node) -> str:
        """``∂L/∂h<sub>3</sub>``, or what the course writes for it."""
        value = self._seen(node, self._now(node))
        assert isinstance(value, Value)
        return self._text(Adjoint(value.variable, value.when))

    def equation(self, node: Node) -> str:
        """The operation that made a result: ``h_3 = tanh(a_3)``."""
        return self._assigned(node, self._definition(node, self._now(node)))

    def whole(self, node: Node) -> str | None:
        """What follows if the nameless results in the equation of a named one are written out.

        None if there are none: ``= tanh(W x_3 + U h_2 + b)`` of an ``h_3 = tanh(u)``.
        """
        if node.name is None or not any(_written_out(parent, node) for parent in node.parents):
            return None
        whole = self._definition(node, self._now(node), within=INSIDE)
        return self._assigned(node, whole).removeprefix(self.name(node)).lstrip()

    def _text(self, term: Term) -> str:
        text = self._written.get((term, None))
        if text is None:
            text = self._written[term, None] = self.write.term(term)
        return text

    def _assigned(self, node: Node, right: Term) -> str:
        left = self._seen(node, self._now(node))
        assert isinstance(left, Value)
        text = self._written.get((left, right))
        if text is None:
            text = self._written[left, right] = self.write.assigned(left, right)
        return text

    def _definition(self, node: Node, now: int | None, within: int = 0) -> Term:
        """What makes a node, with so many levels of nameless results of its step written out."""
        assert node.op is not None
        if node.op.many and successive_steps([self.terms[parent] for parent in node.parents]):
            now = None  # h_1 to h_9, as they are read at every step
        inputs = tuple(
            self._definition(parent, now, within - 1)
            if within and _written_out(parent, node)
            else self._seen(parent, now)
            for parent in node.parents
        )
        formula = node.op.said("formula", node, by=self.by)
        return Apply(node.op, inputs, params_of(node.params), node.shape, formula)

    def _seen(self, node: Node, now: int | None) -> Term:
        """A node as a term, as it is seen from a step."""
        term = self.terms[node]
        if now is None or node.step is None or not isinstance(term, Value):
            return term
        return Value(term.variable, Ahead(node.step - now))

    def _now(self, node: Node) -> int | None:
        """The step from which times are told, if they are told from one."""
        return node.step if isinstance(self.write, AnyStep) else None

    def _step(self, node: Node) -> str | int | None:
        return node.step if self._now(node) is None else f"{STEP}0{STEP}"


def _written_out(parent: Node, node: Node) -> bool:
    """Whether a parent is a nameless result of the same step."""
    return parent.name is None and bool(parent.parents) and parent.step == node.step


def wording(graph: Graph, notation: Notation, by: str, any_step: bool = False) -> Wording:
    """Settle the names of a graph's nodes; with `any_step`, texts hold at every step."""
    names = _named(graph)
    terms = {node: _term(node, names, 0 if any_step else node.id) for node in graph}
    write = AnyStep if any_step else Writer
    return Wording(write(notation, Html()), names, terms, by)


def kind(node: Node) -> str:
    """Result, parameter or input."""
    if node.op is not None:
        return "result"
    return "parameter" if node.requires_grad else "input"


def is_plain_number(node: Node) -> bool:
    """Whether a node is a number in the code that nobody has named."""
    return node.is_number and node.name is None


def _term(node: Node, names: Names, key: int) -> Term:
    if is_plain_number(node):
        return Number(node.params["value"])
    name, mark = names[node]
    parameter = node.op is None and node.requires_grad and node.ndim > 1
    return Value(Variable(name, mark, parameter, node.shape, (), key), node.step)


def _named(graph: Graph) -> Names:
    """Letter and mark of every node; results without a name are counted anew at each step."""
    found: Names = {}
    counts: Counter[int | None] = Counter()
    for node in graph:
        label = graph.label(node)
        scope, _, label = label.rpartition("/")
        if node.name is not None:
            found[node] = (node.name, scope.rpartition("/")[2])
        elif node.op is not None:
            counts[node.step] += 1
            found[node] = ("u", str(counts[node.step]))
        else:
            letter, _, number = label.partition("(")
            found[node] = (letter, number.rstrip(")"))
    return found
