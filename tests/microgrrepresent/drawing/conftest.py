"""What the tests of drawings share: graphs to draw, and an independent reader of SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from microgrrepresent import Graph, Tensor, cross_entropy, draw, maximum, sigmoid, step
from microgrrepresent.drawing import Drawing
from rnn import (
    GRU,
    LSTM,
    RNN,
    CTRNNCell,
    GRUCell,
    Linear,
    LinearRecurrentCell,
    LSTMCell,
    ResidualRNNCell,
    RNNCell,
    unroll,
)

SVG = "{http://www.w3.org/2000/svg}"

CELLS = {
    "rnn": lambda: RNNCell(3, 4, rng=0),
    "gru": lambda: GRUCell(3, 4, rng=0),
    "gru per gate": lambda: GRUCell(3, 4, composition="per_gate", rng=0),
    "gru before": lambda: GRUCell(3, 4, reset_after=False, update_gate="write", rng=0),
    "lstm": lambda: LSTMCell(3, 4, rng=0),
    "lstm per gate": lambda: LSTMCell(3, 4, composition="per_gate", rng=0),
    "linear": lambda: LinearRecurrentCell(3, 4, rng=0),
    "residual": lambda: ResidualRNNCell(3, 4, rng=0),
    "ctrnn": lambda: CTRNNCell(3, 4, tau=2.0, dt=0.5, rng=0),
}


def outputs(cell, T):
    return unroll(cell, np.random.default_rng(0).standard_normal((T, 2, 3))).outputs


def truncated(cell, k):
    xs = np.random.default_rng(0).standard_normal((4, 2, 3))
    return unroll(cell, xs, truncate=k).outputs


def loss(T=3, composition="fused"):
    """An LSTM with a read-out and a cross-entropy at each step, and their mean."""
    cell = LSTMCell(3, 4, composition=composition, rng=0)
    read_out = Linear(4, 5, rng=1)
    total = Tensor(0.0)
    for t, h in enumerate(outputs(cell, T), 1):
        with step(t):
            y = read_out(h).named("y")
            L = cross_entropy(y, Tensor(np.arange(2) % 5, name="target")).named("L")
            total = total + L
    return total / T


def summed(cell, T):
    """A loss that is added up after the loop, where no node knows its step."""
    total = 0
    for y in outputs(cell, T):
        total = total + (y * y).sum()
    return total.named("L")


def layer(kind, **options):
    out, _ = kind(3, 4, rng=0, **options)(np.random.default_rng(0).standard_normal((3, 2, 3)))
    return (out * out).mean().named("L")


def product():
    x, y = (Tensor(v, requires_grad=True, name=n) for v, n in ((2.0, "x"), (3.0, "y")))
    return (x * y).named("z")


def logistic():
    x, w = Tensor([1.0, 2.0], name="x"), Tensor([0.5, 0.25], requires_grad=True, name="w")
    return sigmoid(x @ w + Tensor(1.0, requires_grad=True, name="b")).named("yhat")


def relu_layer():
    X, W = Tensor(np.ones((4, 3)), name="X"), Tensor(np.ones((3, 2)), True, "W")
    return maximum(0, X @ W + Tensor(np.ones(2), True, "b")).named("H")


def weight_decay():
    x, w = Tensor([1.0, 2.0], name="x"), Tensor([0.5, 0.25], requires_grad=True, name="w")
    return [(x @ w).named("yhat"), Tensor(0.1, name="lambda") * (w**2).sum()]


GALLERY = {
    "product": (product, {}),
    "logistic": (logistic, {}),
    "logistic variables": (logistic, {"view": "variables"}),
    "relu layer": (relu_layer, {}),
    "weight decay": (weight_decay, {"view": "variables"}),
    **{name: (lambda c=make: outputs(c(), 3), {}) for name, make in CELLS.items()},
    **{
        f"{name} {view}": (lambda c=make: outputs(c(), 3), {"view": view})
        for name, make in CELLS.items()
        for view in ("variables", "gates")
    },
    "loss": (loss, {}),
    "loss gates": (loss, {"view": "gates"}),
    "loss rails": (loss, {"view": "gates", "rails": True, "theme": "dark"}),
    "loss cells": (loss, {"view": "cells"}),
    "loss layers": (loss, {"view": "layers"}),
    "loss depth": (loss, {"depth": 0}),
    "loss window": (lambda: loss(12), {"view": "gates", "window": (2, 1)}),
    "loss values": (loss, {"values": True, "theme": "print"}),
    "stacked": (lambda: layer(LSTM, num_layers=2), {"view": "gates"}),
    "collapsed": (lambda: layer(LSTM, num_layers=2), {"collapse": {"lstm/l0"}}),
    "bidirectional": (lambda: layer(GRU, bidirectional=True), {"view": "gates"}),
    "truncated": (lambda: truncated(CELLS["lstm"](), 2), {"view": "gates"}),
    "truncated cells": (lambda: truncated(CELLS["lstm"](), 1), {"view": "cells"}),
    "truncated gru": (lambda: truncated(CELLS["gru"](), 3), {"rails": True}),
    "summed": (lambda: summed(CELLS["lstm"](), 3), {"view": "gates"}),
    "summed variables": (lambda: summed(CELLS["rnn"](), 3), {"view": "variables"}),
    "two by two": (lambda: layer(RNN, num_layers=2, bidirectional=True), {}),
    "two by two cells": (lambda: layer(RNN, num_layers=2, bidirectional=True), {"view": "cells"}),
}
"""Drawings by name: what makes the graph, and how it is drawn."""

FOLDED = {
    "rnn both": (lambda: outputs(CELLS["rnn"](), 3), {"view": "variables", "time": "both"}),
    "gru folded": (lambda: outputs(CELLS["gru"](), 3), {"view": "gates", "time": "folded"}),
    "loss both": (loss, {"view": "cells", "time": "both"}),
    "summed both": (lambda: summed(CELLS["linear"](), 4), {"view": "variables", "time": "both"}),
    "truncated folded": (lambda: truncated(CELLS["gru"](), 2), {"view": "gates", "time": "folded"}),
}


@dataclass
class Shape:
    """A node of an SVG: its frame, y downwards, and its pieces of text."""

    title: str
    kind: str
    left: float = np.inf
    top: float = np.inf
    right: float = -np.inf
    bottom: float = -np.inf
    texts: list = field(default_factory=list)  # (x, y, [(words, size)])


def read_svg(svg):
    """The nodes and edges of an SVG, ours or Graphviz's, by id, from its elements alone."""
    root = ElementTree.fromstring(svg)
    nodes, edges = {}, {}
    for group in root.iter(f"{SVG}g"):
        kinds = group.get("class", "").split()
        if "node" in kinds and not group.find(f"{SVG}title").text.startswith("panel "):
            assert group.get("id") not in nodes
            nodes[group.get("id")] = _shape(group, kinds)
        elif "edge" in kinds:
            assert group.get("id") not in edges
            edges[group.get("id")] = group.find(f"{SVG}title").text
    return nodes, edges


def _shape(group, kinds):
    shape = Shape(group.find(f"{SVG}title").text, kinds[-1])
    for item in group.iter():
        number = {key: float(item.get(key)) for key in NUMBERS if key in item.attrib}
        if item.tag in (f"{SVG}circle", f"{SVG}ellipse"):
            wide, high = (number.get(key, number.get("r")) for key in ("rx", "ry"))
            xs, ys = [[number[c] - r, number[c] + r] for c, r in (("cx", wide), ("cy", high))]
        elif item.tag == f"{SVG}rect":
            xs = [number["x"], number["x"] + number["width"]]
            ys = [number["y"], number["y"] + number["height"]]
        elif item.tag in (f"{SVG}polygon", f"{SVG}path"):
            numbers = re.findall(r"-?[\d.]+", item.get("points") or item.get("d"))
            xs, ys = [float(n) for n in numbers[::2]], [float(n) for n in numbers[1::2]]
        else:
            if item.tag == f"{SVG}text":
                shape.texts.append((number["x"], number["y"], _pieces(item)))
            continue
        shape.left, shape.right = min(shape.left, *xs), max(shape.right, *xs)
        shape.top, shape.bottom = min(shape.top, *ys), max(shape.bottom, *ys)
    return shape


NUMBERS = ("x", "y", "width", "height", "cx", "cy", "r", "rx", "ry")


def _pieces(item):
    """The parts of a line of text, each with its size."""
    size = float(item.get("font-size", 14))
    pieces = [(item.text or "", size)]
    for part in item:
        pieces += [(part.text or "", float(part.get("font-size", size))), (part.tail or "", size)]
    return pieces


@pytest.fixture(name="read_svg")
def read_svg_fixture():
    return read_svg


@pytest.fixture
def make():
    """Graphs to draw, by name."""
    return {
        "loss": loss,
        "layer": layer,
        "outputs": outputs,
        "truncated": truncated,
        "summed": summed,
        "logistic": logistic,
    }


@dataclass(frozen=True)
class Drawn:
    """A drawing of the gallery, and what its SVG says."""

    graph: Graph
    options: dict
    drawing: Drawing
    nodes: dict
    edges: dict


@cache
def drawn_once(name):
    make_graph, options = {**GALLERY, **FOLDED}[name]
    graph = Graph(make_graph())
    drawing = draw(graph, **options)
    return Drawn(graph, options, drawing, *read_svg(drawing.svg()))


def pytest_generate_tests(metafunc):
    for name, table in (("drawn", GALLERY), ("folded", FOLDED), ("cell", CELLS)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, table, indirect=True)


@pytest.fixture
def drawn(request):
    return drawn_once(request.param)


@pytest.fixture
def folded(request):
    return drawn_once(request.param)


@pytest.fixture
def cell(request):
    return CELLS[request.param]()


@pytest.fixture(name="drawn_once")
def drawn_once_fixture():
    return drawn_once
