"""The symbolic backward pass stands above the forward pass, node above node, alike at all steps."""

from __future__ import annotations

import re
from collections import defaultdict
from statistics import median

import numpy as np
import pytest

from microgrrepresent import Tensor, draw, grad, linear, steps, tanh
from rnn import GRUCell, LSTMCell, RNNCell, unroll

T = 4
CELLS = {"rnn": RNNCell, "gru": GRUCell, "lstm": LSTMCell}


@pytest.fixture(params=[(kind, view) for kind in CELLS for view in ("operations", "gates")])
def drawing(request):
    kind, view = request.param
    cell = CELLS[kind](3, 4, rng=0)
    loss = 0
    for y in unroll(cell, np.ones((T, 2, 3))).outputs:
        loss = loss + (y * y).sum()
    return draw([loss, grad(loss, cell.weight_hh, create_graph=True)], view)


def test_the_backward_tile_is_the_same_at_every_step(drawing, read_svg):
    nodes, _ = read_svg(drawing.svg())
    at = {s.title: ((s.left + s.right) / 2, (s.top + s.bottom) / 2) for s in nodes.values()}
    keys = {(box.column, box.slot): box.name for box in drawing.picture.boxes if box.nodes}
    found = defaultdict(dict)  # the x and y of each kind of node at each step
    for (t, slot), key in keys.items():
        box = re.match(r"\w+/t\d+/\w+'/∂", key)
        if box and 0 < t <= T:
            found[slot][t] = at[key]
    home = min((by_step for by_step in found.values() if len(by_step) == T), key=str)
    several = [by_step for by_step in found.values() if len(by_step) > 1]
    assert len(several) > 5
    for by_step in several:
        for i in (0, 1):
            away = [place[i] - home[t][i] for t, place in by_step.items()]
            assert max(away) - min(away) < 0.1


def test_a_backward_node_stands_above_its_forward_node(drawing):
    at = {n: box for box in drawing.picture.boxes if box.kind != "chip" for n in box.nodes}
    pairs = [
        (box, at[node.derivative_of])
        for node, box in at.items()
        if node.scope and node.derivative_of in at and 0 < box.column <= T and not box.between
    ]
    pairs = [(b, f) for b, f in pairs if not f.between and f.column == b.column]
    assert len(pairs) > 15
    assert all(box.bottom > forward.top for box, forward in pairs)
    assert median(abs(box.x - forward.x) for box, forward in pairs) < 60


def test_arrows_of_the_backward_pass_look_like_it_and_rails_like_their_parameter():
    cell = RNNCell(3, 4, rng=0)
    loss = sum((y * y).sum() for y in unroll(cell, np.ones((T, 2, 3))).outputs)
    g = grad(loss, cell.weight_hh, create_graph=True)
    flows = defaultdict(set)
    for arrow in draw([loss, g], rails=True).picture.arrows:
        for child, i in arrow.edges:
            is_weight = child.parents[i] is cell.weight_hh
            flows[child.derivative_of is not None, is_weight].add(arrow.flow)
    assert flows[True, True] == flows[False, True] == {"parameter"}
    assert "backward" in flows[True, False] <= {"backward", "parameter"}
    assert "backward" not in flows[False, False]


def test_without_scopes_the_way_to_a_parameter_stays_in_its_panel():
    W = Tensor(np.eye(2), requires_grad=True, name="W")
    h = Tensor(np.zeros(2), name="h")
    for _, x in steps(np.ones((3, 2))):
        h = tanh(x + linear(h, W)).named("h")
    picture = draw(grad((h * h).sum(), W, create_graph=True)).picture
    panels = {
        p.name[:2]: p for p in picture.panels if any("backward" in r.text for r in p.title[0])
    }
    inside = [b for b in picture.boxes if b.backward and 0 < b.column <= 3 and b.kind != "output"]
    assert len(inside) > 20 and len(panels) == 3
    for box in inside:
        panel = panels[f"t{box.column}"]
        assert panel.bottom < box.y < panel.top
