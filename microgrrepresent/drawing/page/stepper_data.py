"""What the stepper page knows: every node and edge of a run with its numbers, as plain JSON data.

The page computes nothing that the engine has computed. It only adds up what has arrived so far of a
gradient that has several contributions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.description import number_in
from microgrrepresent.drawing.marks.picture import Picture
from microgrrepresent.drawing.page.array_data import Data, numbers
from microgrrepresent.drawing.page.node_data import Wording, is_plain_number, kind, wording
from microgrrepresent.drawing.time.timeline import is_cut
from microgrrepresent.equations import Notation
from microgrrepresent.equations.terms import Adjoint, Chain, Term, Value, params_of
from microgrrepresent.graph import Graph
from microgrrepresent.node import Node


def stepper_data(graph: Graph, adjoints: Adjoints, picture: Picture) -> Data:
    """Everything the page shows.

    Parameters
    ----------
    graph : Graph
        Of one scalar loss.
    adjoints : Adjoints
        Of that loss, with contributions.
    picture : Picture
        The graph's drawing, in the view of operations.

    Returns
    -------
    dict
        ``nodes``, in the order of the forward pass; ``stops``, one for each press of a key, as
        ``[phase, node]``; ``parameters``, with the terms of their gradients.
    """
    shown = [node for node in graph if not is_plain_number(node)]
    number = {node: i for i, node in enumerate(shown)}
    words = wording(graph, Notation(adjoint="partial"), by="stepper")
    stops = _stops(shown, adjoints)
    record = _Record(graph, adjoints, words, number, stops, _places(picture))
    return {
        "steps": list(graph.steps),
        "nodes": [record.node(node) for node in shown],
        "stops": [[phase, i] for phase, i in stops],
        "parameters": [record.parameter(node) for node in graph.parameters if node in adjoints],
    }


def _stops(shown: Sequence[Node], adjoints: Adjoints) -> list[tuple[str, int]]:
    """Leaves at once, every operation, the same backward, and the end."""
    number = {node: i for i, node in enumerate(shown)}
    made = [node for node in shown if node.parents]
    back = [node for node in reversed(made) if node in adjoints]
    return [
        ("given", -1),
        *(("forward", number[node]) for node in made),
        *(("backward", number[node]) for node in back),
        ("done", -1),
    ]


@dataclass(frozen=True)
class _Places:
    """The ids of what stands in the drawing for each node and each edge."""

    boxes: dict[Node, list[str]] = field(default_factory=dict)
    inner: dict[Node, list[str]] = field(default_factory=dict)
    arrows: dict[tuple[Node, int], list[str]] = field(default_factory=dict)
    chips: dict[tuple[Node, int], str] = field(default_factory=dict)


def _places(picture: Picture) -> _Places:
    found = _Places()
    ids = {box: f"b{i}" for i, box in enumerate(picture.boxes, 1)}
    for box, key in ids.items():
        for node in box.nodes:
            if box.kind != "chip" and not (is_cut(node) and len(box.nodes) > 1):
                found.boxes.setdefault(node, []).append(key)
    for i, arrow in enumerate(picture.arrows, 1):
        for edge in arrow.edges:
            found.arrows.setdefault(edge, []).append(f"e{i}")
            if arrow.tail.kind == "chip":
                found.chips[edge] = ids[arrow.tail]
        if not arrow.edges and arrow.head.nodes:  # from an operation to the variable it makes
            found.inner.setdefault(arrow.head.nodes[0], []).append(f"e{i}")
    return found


@dataclass(frozen=True)
class _Record:
    graph: Graph
    adjoints: Adjoints
    words: Wording
    number: dict[Node, int]
    stops: Sequence[tuple[str, int]]
    places: _Places

    def node(self, node: Node) -> Data:
        """A node's names, numbers, formulas, and its places in the drawing."""
        made: Data = {
            "name": self.words.name(node),
            "plain": self.words.plain(node),
            "step": node.step,
            "kind": kind(node),
            "where": self.words.where(node),
            "boxes": self.places.boxes.get(node, []),
            "inner": self.places.inner.get(node, []),
            "value": numbers(node.value),
            "adjoint": numbers(self.adjoints[node]) if node in self.adjoints else None,
            "edges": [],
        }
        if node.op is not None and node.parents:
            made["equation"], whole = self.words.equation(node), self.words.whole(node)
            if whole is not None:
                made["whole"] = whole
            made["edges"] = [self._edge(node, i) for i in range(len(node.parents))]
        return made

    def _edge(self, node: Node, i: int) -> Data:
        assert node.op is not None
        parent = node.parents[i]
        edge: Data = {
            "parent": self.number.get(parent, -1),
            "name": self.words.name(parent),
            "arrows": self.places.arrows.get((node, i), []),
            "chip": self.places.chips.get((node, i)),
            "part": None,
        }
        part = self.adjoints.along(node, i)
        if part is not None:
            edge["local"] = self._local(node, i)
            edge["chain"] = self.words.write.term(self._chain(node, i))
            edge["part"] = numbers(part)
        return edge

    # --- formulas --------------------------------------------------------------------------------

    def _chain(self, node: Node, i: int) -> Term:
        assert node.op is not None
        value = self.words.terms[node]
        assert isinstance(value, Value)
        g: Term = Adjoint(value.variable, value.when)
        op, parent = node.op, node.parents[i]
        meets = op.said("meets", node, i, by="stepper")
        rule = "vjp_formula" if meets == "moved" else "derivative"
        text = op.said(rule, node, i, by="stepper")
        if meets == "elementwise" and number_in(text) == 1:
            return g
        params = params_of(node.params)
        inputs = tuple(self.words.terms[parent] for parent in node.parents)
        lengths: tuple[int, ...] = ()
        if op.many is not None and parent.ndim == node.ndim:
            lengths = tuple(part.shape[node.params["axis"]] for part in node.parents)
        return Chain(g, op, i, text, meets, value, inputs, params, parent.shape, lengths)

    def _local(self, node: Node, i: int) -> str:
        """The derivative of the node by its i-th parent: a formula, or words."""
        assert node.op is not None
        y, x = self.words.name(node), self.words.name(node.parents[i])
        left = f"∂{y}/∂{x}"
        chain = self._chain(node, i)
        if isinstance(chain, Chain):
            if chain.meets == "moved":
                return node.op.said("vjp_words", node, i, by="stepper")
            return f"{left} = {self.words.write.local(chain)}"
        return f"{left} = 1"

    # --- parameters ------------------------------------------------------------------------------

    def parameter(self, node: Node) -> Data:
        """A parameter's terms, in the order in which the sweep finds them, and its running sum."""
        found = self._found_at(node)
        terms = self.adjoints.by_step(node)
        order = sorted(terms, key=lambda t: found.get(t, len(self.stops) - 1))
        total, parts = np.zeros(node.shape), []
        for t in order:
            total = total + terms[t]
            parts.append(
                {
                    "step": t,
                    "stop": found.get(t, len(self.stops) - 1),
                    "term": numbers(terms[t]),
                    "sum": numbers(total),
                }
            )
        return {"node": self.number[node], "parts": parts}

    def _found_at(self, node: Node) -> dict[int | None, int]:
        """At which stop the last contribution of each step has come."""
        stop_of = {i: k for k, (phase, i) in enumerate(self.stops) if phase == "backward"}
        users, todo = {node}, [node]
        found: dict[int | None, int] = {}
        while todo:
            user = todo.pop()
            for child in self.graph.consumers(user):
                stop = stop_of.get(self.number[child])
                if stop is None:
                    continue
                if child.step is not None:
                    found[child.step] = max(found.get(child.step, 0), stop)
                elif child not in users:
                    users.add(child)
                    todo.append(child)
        return found
