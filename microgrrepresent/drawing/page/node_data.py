"""What a page says of a node: its name, and the equation that made it, in a course's letters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from microgrrepresent.equations import Html, Notation, Writer
from microgrrepresent.equations.terms import (
    Adjoint,
    Apply,
    Number,
    Term,
    Value,
    Variable,
    params_of,
)
from microgrrepresent.errors import located
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node

INSIDE = 4
"""Levels of nameless results that are written out beside a named one: c = f ⊙ c + i ⊙ g."""

Names = dict[Node, tuple[str, str]]
"""Letter and mark of every node."""


@dataclass(frozen=True)
class Wording:
    """Names and equations of the nodes of a graph, as HTML. Made by `wording`.

    Attributes
    ----------
    write : Writer
        In a course's letters.
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

    def name(self, node: Node) -> str:
        """``h<sub>3</sub>``."""
        return self.write.term(self.terms[node])

    def plain(self, node: Node) -> str:
        """A node's name in words: ``h at t = 3``."""
        name, mark = self.names[node]
        mark = f"({mark})" if mark.isdigit() else mark and f" of {mark}"
        return f"{name}{mark}" + (f" at t = {node.step}" if node.step is not None else "")

    def gradient(self, node: Node) -> str:
        """``∂L/∂h<sub>3</sub>``, or what the course writes for it."""
        value = self.terms[node]
        assert isinstance(value, Value)
        return self.write.term(Adjoint(value.variable, value.when))

    def equation(self, node: Node) -> str:
        """The operation that made a result: ``h_3 = tanh(a_3)``."""
        return self._assigned(node, self._definition(node))

    def whole(self, node: Node) -> str | None:
        """What follows if the nameless results in the equation of a named one are written out.

        None if there are none: ``= tanh(W x_3 + U h_2 + b)`` of an ``h_3 = tanh(u)``.
        """
        whole = self._definition(node, within=INSIDE)
        if node.name is None or whole == self._definition(node):
            return None
        return self._assigned(node, whole).removeprefix(self.name(node)).lstrip()

    def _assigned(self, node: Node, right: Term) -> str:
        left = self.terms[node]
        assert isinstance(left, Value)
        return self.write.assigned(left, right)

    def _definition(self, node: Node, within: int = 0) -> Term:
        """What makes a node, with so many levels of nameless results of its step written out."""
        assert node.op is not None
        inputs = tuple(
            self._definition(parent, within - 1)
            if within and parent.name is None and parent.parents and parent.step == node.step
            else self.terms[parent]
            for parent in node.parents
        )
        formula = node.op.said("formula", node, by=self.by)
        return Apply(node.op, inputs, params_of(node.params), node.shape, formula)


def wording(graph: Graph, notation: Notation, by: str) -> Wording:
    """Settle the names of a graph's nodes."""
    names = _named(graph)
    terms = {node: _term(node, names) for node in graph}
    return Wording(Writer(notation, Html()), names, terms, by)


def where(node: Node) -> str:
    """Where a node was made, and by which operation: ``tanh in lstm at t=3``."""
    return located(node.op.name if node.op else kind(node), node.scope, node.step)


def kind(node: Node) -> str:
    """Result, parameter or input."""
    if node.op is not None:
        return "result"
    return "parameter" if node.requires_grad else "input"


def is_plain_number(node: Node) -> bool:
    """Whether a node is a number in the code that nobody has named."""
    return node.is_number and node.name is None


def _term(node: Node, names: Names) -> Term:
    if is_plain_number(node):
        return Number(node.params["value"])
    name, mark = names[node]
    parameter = node.op is None and node.requires_grad and node.ndim > 1
    return Value(Variable(name, mark, parameter, node.shape, (), node.id), node.step)


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
