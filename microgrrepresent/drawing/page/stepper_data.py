"""What the stepper page knows: every node and edge of a run with its numbers, as plain JSON data.

The page computes nothing that the engine has computed. It only adds up what has arrived so far of a
gradient that has several contributions.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from microgrrepresent.adjoints import Adjoints
from microgrrepresent.description import number_in
from microgrrepresent.drawing.marks.picture import Picture
from microgrrepresent.drawing.time.timeline import is_cut
from microgrrepresent.equations import Html, Notation, Writer
from microgrrepresent.equations.terms import (
    Adjoint,
    Apply,
    Chain,
    Number,
    Term,
    Value,
    Variable,
    params_of,
)
from microgrrepresent.errors import located
from microgrrepresent.graph import Graph
from microgrrepresent.node import Array, Node
from microgrrepresent.norms import euclidean_norm

FULL = 36
"""Arrays of up to so many elements are shown in full, larger ones as a heat map."""

CELLS = 24
"""A heat map has at most so many rows and columns; larger arrays are averaged over blocks."""

INSIDE = 4
"""Levels of nameless results that are written out beside a named one: c = f ⊙ c + i ⊙ g."""

Data = dict[str, Any]


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
    shown = [node for node in graph if not _is_number(node)]
    number = {node: i for i, node in enumerate(shown)}
    write, names = Writer(Notation(adjoint="partial"), Html()), _named(graph)
    terms = {node: _value(node, names) for node in graph}
    stops = _stops(shown, adjoints)
    record = _Record(graph, adjoints, write, names, terms, number, stops, _places(picture))
    return {
        "steps": list(graph.steps),
        "nodes": [record.node(node) for node in shown],
        "stops": [[phase, i] for phase, i in stops],
        "parameters": [record.parameter(node) for node in graph.parameters if node in adjoints],
    }


Names = dict[Node, tuple[str, str]]
"""Letter and mark of every node."""


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


def _value(node: Node, names: Names) -> Term:
    if _is_number(node):
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


@dataclass(frozen=True)
class _Record:
    graph: Graph
    adjoints: Adjoints
    write: Writer
    names: Names
    terms: dict[Node, Term]
    number: dict[Node, int]
    stops: Sequence[tuple[str, int]]
    places: _Places

    def node(self, node: Node) -> Data:
        """A node's names, numbers, formulas, and its places in the drawing."""
        made: Data = {
            "name": self.write.term(self.terms[node]),
            "plain": self._plain(node),
            "step": node.step,
            "kind": _kind(node),
            "where": located(node.op.name if node.op else _kind(node), node.scope, node.step),
            "boxes": self.places.boxes.get(node, []),
            "inner": self.places.inner.get(node, []),
            "value": numbers(node.value),
            "adjoint": numbers(self.adjoints[node]) if node in self.adjoints else None,
            "edges": [],
        }
        if node.op is not None and node.parents:
            made["equation"] = f"{made['name']} = {self.write.term(self._definition(node))}"
            whole = self._definition(node, within=INSIDE)
            if node.name is not None and whole != self._definition(node):
                made["whole"] = f"= {self.write.term(whole)}"
            made["edges"] = [self._edge(node, i) for i in range(len(node.parents))]
        return made

    def _edge(self, node: Node, i: int) -> Data:
        assert node.op is not None
        parent = node.parents[i]
        edge: Data = {
            "parent": self.number.get(parent, -1),
            "name": self.write.term(self.terms[parent]),
            "arrows": self.places.arrows.get((node, i), []),
            "chip": self.places.chips.get((node, i)),
            "part": None,
        }
        part = self.adjoints.along(node, i)
        if part is not None:
            edge["local"] = self._local(node, i)
            edge["chain"] = self.write.term(self._chain(node, i))
            edge["part"] = numbers(part)
        return edge

    # --- formulas --------------------------------------------------------------------------------

    def _plain(self, node: Node) -> str:
        """A node's name in words: ``h at t = 3``."""
        name, mark = self.names[node]
        mark = f"({mark})" if mark.isdigit() else mark and f" of {mark}"
        return f"{name}{mark}" + (f" at t = {node.step}" if node.step is not None else "")

    def _definition(self, node: Node, within: int = 0) -> Term:
        """What makes a node, with so many levels of nameless results of its step written out."""
        assert node.op is not None
        inputs = tuple(
            self._definition(parent, within - 1)
            if within and parent.name is None and parent.parents and parent.step == node.step
            else self.terms[parent]
            for parent in node.parents
        )
        formula = node.op.said("formula", node, by="stepper")
        return Apply(node.op, inputs, params_of(node.params), node.shape, formula)

    def _chain(self, node: Node, i: int) -> Term:
        assert node.op is not None
        value = self.terms[node]
        assert isinstance(value, Value)
        g: Term = Adjoint(value.variable, value.when)
        op, parent = node.op, node.parents[i]
        meets = op.said("meets", node, i, by="stepper")
        rule = "vjp_formula" if meets == "moved" else "derivative"
        text = op.said(rule, node, i, by="stepper")
        if meets == "elementwise" and number_in(text) == 1:
            return g
        params = params_of(node.params)
        inputs = tuple(self.terms[parent] for parent in node.parents)
        lengths: tuple[int, ...] = ()
        if op.many is not None and parent.ndim == node.ndim:
            lengths = tuple(part.shape[node.params["axis"]] for part in node.parents)
        return Chain(g, op, i, text, meets, value, inputs, params, parent.shape, lengths)

    def _local(self, node: Node, i: int) -> str:
        """The derivative of the node by its i-th parent: a formula, or words."""
        assert node.op is not None
        y, x = self.write.term(self.terms[node]), self.write.term(self.terms[node.parents[i]])
        left = f"∂{y}/∂{x}"
        chain = self._chain(node, i)
        if isinstance(chain, Chain):
            if chain.meets == "moved":
                return node.op.said("vjp_words", node, i, by="stepper")
            return f"{left} = {self.write.local(chain)}"
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


def each_array_once(data: Data) -> Data:
    """The data with all arrays in a list and their indices where they were.

    A sum passes its adjoint on as it is, so most arrays are there several times.
    """
    index: dict[str, int] = {}

    def put(value: Any) -> Any:
        if isinstance(value, dict) and "norm" in value:
            return index.setdefault(json.dumps(value, sort_keys=True), len(index))
        if isinstance(value, dict):
            return {key: put(part) for key, part in value.items()}
        return list(map(put, value)) if isinstance(value, list) else value

    told = put(data)
    return {**told, "arrays": [json.loads(array) for array in index]}


def numbers(array: Array) -> Data:
    """An array for the page: in full if it is small, else a heat map; its extremes and norm."""
    array = array.astype(np.float64)
    data: Data = {"shape": list(array.shape)}
    flat = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else np.atleast_2d(array)
    with np.errstate(all="ignore"):  # a mean of ∞ and -∞ is NaN, and shown as that
        data["norm"] = _short(euclidean_norm(array))
        if array.size <= FULL:
            data["full"] = [[_short(x) for x in row] for row in flat.tolist()]
        else:
            blocks = _averaged(flat)
            top = np.abs(blocks[np.isfinite(blocks)]).max(initial=0.0) or 1.0
            data |= {"map": _shades(blocks / top), "top": _short(top), "width": blocks.shape[1]}
            data |= {"min": _short(array.min()), "max": _short(array.max())}
            data["mean"] = _short(array.mean())
    return data


def _shades(levels: Array) -> str:
    """The colors of a heat map, row by row: a byte each, 127 for 1; -128 for what is no number."""
    shades = np.where(np.isnan(levels), -128, np.rint(np.clip(levels, -1, 1) * 127))
    return b64encode(shades.astype(np.int8).tobytes()).decode()


def _averaged(array: Array) -> Array:
    """Means over blocks, so that few enough rows and columns are left."""
    for axis in (0, 1):
        n = array.shape[axis]
        if n > CELLS:
            starts = np.arange(CELLS) * n // CELLS
            counts = np.diff([*starts, n])
            sums = np.add.reduceat(array, starts, axis=axis)
            array = sums / (counts[:, None] if axis == 0 else counts)
    return array


def _short(x: Any) -> float | str:
    """A number of few digits; JSON has none for NaN and infinity."""
    value = float(f"{x:.6g}")
    return value if np.isfinite(value) else str(value)


def _is_number(node: Node) -> bool:
    return node.is_number and node.name is None


def _kind(node: Node) -> str:
    if node.op is not None:
        return "result"
    return "parameter" if node.requires_grad else "input"
