"""The right sides of the forward equations: a node, in terms of those that it is made from."""

from __future__ import annotations

from typing import Any

from microgrrepresent.equations.series import Series, Step
from microgrrepresent.equations.terms import (
    Apply,
    Growing,
    Number,
    Shift,
    Sum,
    SumOverSteps,
    Term,
    Value,
    When,
    params_of,
)
from microgrrepresent.equations.variables import Variables
from microgrrepresent.node import Node
from microgrrepresent.recurrence.signature import index_numbers, with_index_numbers


class Forward:
    """Makes terms of nodes, for equations in these variables."""

    def __init__(self, variables: Variables) -> None:
        self.variables = variables
        self.places, self.named = variables.places, variables.named
        self.once: dict[Node, Term] = {}

    def when(self, step: Step, now: Step) -> When:
        """A step as it is written in an equation for the step `now`."""
        return step if step is None or now is None else Shift(step - now)

    def value(self, node: Node, now: Step) -> Term:
        """A node as it stands in an equation for the step `now`."""
        series, step = self.places[node]
        if series in self.named:
            return Value(self.named[series], self.when(step, now))
        if series.is_number:
            return Number(node.params["value"])
        if step is not None:
            return self.definition(node, now)
        if node not in self.once:  # it reads the same in the equations of all steps
            self.once[node] = self.definition(node, None)
        return self.once[node]

    def definition(self, node: Node, now: Step) -> Term:
        """What makes a node."""
        series = self.places[node][0]
        if series.running:
            return self._total(series)
        assert node.op is not None
        return Apply(
            node.op,
            tuple(self.value(parent, now) for parent in node.parents),
            self.params(node, now),
            node.shape,
            node.op.said("formula", node, by="explain"),
        )

    def _total(self, series: Series) -> Term:
        """What a running sum has added up: one term for all steps."""
        parts: dict[Term, list[Step]] = {}
        for node in series.running:
            for parent in node.parents:
                source, t = self.places[parent]
                if source is not series:
                    parts.setdefault(self.value(parent, t), []).append(t)
        terms = [
            term if None in times else SumOverSteps(term, tuple(t for t in times if t is not None))
            for term, times in parts.items()
            if term != Number(0)
        ]
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def params(self, node: Node, now: Step) -> Any:
        """Static arguments, with the numbers in an index that grow with the step."""
        series, step = self.places[node]
        params = node.params
        if series.slopes and any(series.slopes) and now is not None and step is not None:
            written = [
                Growing(slope, n - slope * step + slope * (step - now)) if slope else n
                for n, slope in zip(index_numbers(node), series.slopes, strict=True)
            ]
            params = with_index_numbers(node, written)  # type: ignore[arg-type]
        return params_of(params)
