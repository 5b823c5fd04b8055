"""Trees and other graphs without steps: parameters are chips at each use, cells a box at each."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from microgrrepresent import DrawingError, Graph, Tensor, backward, draw, scope, tanh
from microgrrepresent.drawing.marks.labels import plain
from rnn import Linear, LSTMCell, RecursiveCell


def tree(depth=2):
    cell = RecursiveCell(3, rng=0)
    layer = [np.eye(3)[i % 3] for i in range(2**depth)]
    while len(layer) > 1:
        layer = list(zip(layer[::2], layer[1::2], strict=True))
    return Linear(3, 1, rng=0)(cell(layer[0])).named("y").sum().named("L")


def covered(picture, graph):
    """Every node in one box, and every edge between boxes in one arrow."""
    faces = {arrow.head for arrow in picture.arrows if not arrow.edges}
    boxes = [box for box in picture.boxes if box.kind != "chip" and box not in faces]
    at = {node: box for box in boxes for node in box.nodes}
    assert len(at) == sum(len(box.nodes) for box in boxes) == len(graph)
    between = {(c, i) for c in graph for i, p in enumerate(c.parents) if at[c] is not at[p]}
    shown = [edge for arrow in picture.arrows for edge in arrow.edges]
    assert len(shown) == len(between) and set(shown) == between


@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells", "layers"])
def test_every_view_of_a_tree_shows_all_of_it(view):
    graph = Graph(tree())
    picture = draw(graph, view).picture
    covered(picture, graph)
    assert len(picture.boxes) >= 7
    for a, b in combinations(picture.boxes, 2):
        assert a.right <= b.left or b.right <= a.left or a.top <= b.bottom or b.top <= a.bottom, (
            a.name,
            b.name,
        )


@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_a_tree_has_chips_at_each_use_and_no_hub(view):
    picture = draw(tree(), view).picture
    assert not [arrow for arrow in picture.arrows if arrow.tail.kind == "parameter"]
    chips = [plain(box.label) for box in picture.boxes if box.kind == "chip"]
    assert sorted(chips) == sorted(["W^a", "b^a"] * 3 + ["W^b", "b^b"])
    assert {plain(box.label) for box in picture.legend} == {
        "W^a, recursive", "b^a, recursive", "W^b", "b^b"
    }  # fmt: skip
    rest = [box for box in picture.boxes if box not in picture.legend]
    for a in picture.legend:
        for b in rest:
            assert a.right < b.left or b.right < a.left or a.top < b.bottom or b.top < a.bottom


def test_a_cell_is_a_box_at_each_place_where_it_is_applied():
    picture = draw(tree(), "cells").picture
    cells = [box for box in picture.boxes if box.kind == "cell"]
    assert [plain(box.label) for box in cells] == ["recursive"] * 3
    inside = {node: box for box in cells for node in box.nodes}
    arrows = [a for a in picture.arrows if a.tail in cells and a.head in cells]
    assert len(arrows) == 2 and len({a.head for a in arrows}) == 1
    assert all(
        inside[child.parents[i]] is not inside[child] for a in arrows for child, i in a.edges
    )


def test_the_chips_of_a_tree_have_the_norms_of_their_terms():
    L = tree()
    adjoints = backward(L)
    picture = draw(L, "cells", gradients=adjoints).picture
    W = next(p for p in Graph(L).parameters if p.name == "W" and p.shape == (3, 6))
    box = next(b for b in picture.legend if b.nodes[0] is W)
    shown = float(plain(box.label).split(", ")[-1])
    assert shown == pytest.approx(np.linalg.norm(adjoints[W]), rel=0.06)


def test_two_uses_outside_of_a_cell_are_two_arrows():
    x = Tensor(2.0, requires_grad=True, name="x")
    picture = draw((x * 3 + x).named("y")).picture
    assert sum(arrow.tail.kind == "parameter" for arrow in picture.arrows) == 2


def test_two_uses_in_cells_are_two_chips():
    W = Tensor(2.0, requires_grad=True, name="W")
    with scope("cell"):
        y = W * (W * 3.0)
    picture = draw(y.named("y")).picture
    assert [plain(box.label) for box in picture.boxes if box.kind == "chip"] == ["W", "W"]
    assert not any(arrow.tail.kind == "parameter" for arrow in picture.arrows)


def test_a_tree_in_gates_reads_in_order():
    leaves = [Tensor(np.eye(4)[i], name=f"x_{i}") for i in range(4)]
    cell = RecursiveCell(4, rng=0)
    y = cell(((leaves[0], leaves[1]), (leaves[2], leaves[3])))
    at = {box.nodes[0].name: box.x for box in draw(y, "gates").picture.boxes}
    assert at["x_0"] < at["x_1"] < at["x_2"] < at["x_3"]


def test_what_would_take_too_long_names_the_view_to_choose():
    with scope("knot"):
        nodes = [Tensor(1.0, name="x")]
        for i in range(15_000):
            nodes.append(tanh(nodes[-1] * nodes[max(0, i - 7)]))
    with pytest.raises(DrawingError, match=r"view='cells'.*view='layers'") as caught:
        draw(nodes[-1])
    assert "\n" not in str(caught.value)
    assert len(draw(nodes[-1], "layers").picture.boxes) < 10


def test_one_use_of_a_cell_whose_result_is_the_output_is_one_box():
    cell = LSTMCell(2, 3, rng=0)
    state = cell(np.ones(2))
    for out in (state.h, [state.h, state.c]):
        graph = Graph(out)
        picture = draw(graph, "cells").picture
        covered(picture, graph)
        boxes = [plain(box.label) for box in picture.boxes if box.kind == "cell"]
        assert set(boxes) == {"lstm"}
