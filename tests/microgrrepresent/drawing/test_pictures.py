"""What every picture must be: complete, free of overlap, in order of time, reproducible."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path

import pytest

from microgrrepresent import Graph, backward, draw
from microgrrepresent.drawing.marks.colors import arrow_color, box_paint, line_style
from microgrrepresent.drawing.marks.labels import plain, width
from microgrrepresent.drawing.output import rendering
from microgrrepresent.drawing.time.timeline import timeline

SPACE = "{http://www.w3.org/2000/svg}"


def test_every_node_is_in_one_box_and_every_edge_in_one_arrow(drawn):
    boxes, arrows = drawn.drawing.picture.boxes, drawn.drawing.picture.arrows
    assert sorted(drawn.nodes) == sorted(f"b{i}" for i in range(1, len(boxes) + 1))
    assert sorted(drawn.edges) == sorted(f"e{i}" for i in range(1, len(arrows) + 1))
    assert [drawn.nodes[f"b{i}"].title for i, _ in enumerate(boxes, 1)] == [b.name for b in boxes]
    titles = [f"{arrow.tail.name}->{arrow.head.name}" for arrow in arrows]
    assert [drawn.edges[f"e{i}"] for i, _ in enumerate(arrows, 1)] == titles
    faces = {arrow.head for arrow in arrows if not arrow.edges}  # variables behind an operation
    own = [box for box in boxes if box.kind != "chip" and box not in faces]
    assert Counter(n for box in own for n in box.nodes) == Counter(dict.fromkeys(drawn.graph, 1))
    at = {node: box for box in own for node in box.nodes}
    between = {
        (child, i)
        for child in drawn.graph
        for i, parent in enumerate(child.parents)
        if at[child] is not at[parent]
    }
    shown = Counter((child, i) for arrow in arrows for child, i in arrow.edges)
    assert shown == Counter(dict.fromkeys(between, 1))


def point(words):
    return tuple(map(float, words.split(",")))


def test_the_svg_says_what_the_picture_says(drawn):
    """Words, styles, arrowheads and panels, one by one."""
    picture, theme = drawn.drawing.picture, drawn.drawing.theme
    root = ElementTree.fromstring(drawn.drawing.svg())
    group = {g.get("id"): g for g in root.iter(f"{SPACE}g") if g.get("id")}
    for i, box in enumerate(picture.boxes, 1):
        said = ["".join(line.itertext()) for line in group[f"b{i}"].iter(f"{SPACE}text")]
        assert said == ["".join(run.text for run in line) for line in box.label]
        shape = group[f"b{i}"].find(f"{SPACE}circle" if box.is_round else f"{SPACE}rect")
        paint = box_paint(box, theme)
        assert (shape.get("fill"), shape.get("stroke")) == (paint.fill, paint.line)
    for i, arrow in enumerate(picture.arrows, 1):
        line, head = group[f"e{i}"].find(f"{SPACE}path"), group[f"e{i}"].find(f"{SPACE}polygon")
        assert line.get("stroke") == head.get("fill") == arrow_color(arrow, theme)
        style = line_style(arrow, theme).partition(",")[0]
        assert bool(line.get("stroke-dasharray")) == (style in ("dashed", "dotted"))
        x, y = arrow.path[-1]
        assert point(head.get("points").split()[1]) == pytest.approx((x, -y), abs=0.01)
        x, y = arrow.path[0]
        begin = re.match("M([^HVC]*)[HVC]", line.get("d"))[1]
        assert point(begin) == pytest.approx((x, -y), abs=0.01)
    panels = [g for g in root.iter(f"{SPACE}g") if g.get("class") == "cluster"]
    titles = ["".join(g.find(f".//{SPACE}text").itertext()) for g in panels]
    assert titles == ["".join(run.text for run in panel.title[0]) for panel in picture.panels]


def test_arrows_join_the_boxes_of_their_edges(drawn):
    for arrow in drawn.drawing.picture.arrows:
        for child, i in arrow.edges:
            assert any(node is child for node in arrow.head.nodes)
            assert any(node is child.parents[i] for node in arrow.tail.nodes)
        for box, (x, y) in ((arrow.tail, arrow.path[0]), (arrow.head, arrow.path[-1])):
            assert box.left - 1 <= x <= box.right + 1 and box.bottom - 1 <= y <= box.top + 1


def test_no_two_boxes_overlap(drawn):
    for a, b in combinations(drawn.nodes.values(), 2):
        apart = a.right <= b.left or b.right <= a.left or a.bottom <= b.top or b.bottom <= a.top
        assert apart, f"{a.title} and {b.title}"


def test_no_label_leaves_its_box(drawn):
    """Measured in DejaVu Sans, which is wider than the usual sans serifs."""
    pytest.importorskip("matplotlib")
    from matplotlib.textpath import TextPath

    for shape in drawn.nodes.values():
        for x, y, pieces in shape.texts:
            wide = sum(
                TextPath((0, 0), words, size=size).get_extents().width
                for words, size in pieces
                if words.strip()
            )
            assert x - wide / 2 >= shape.left and x + wide / 2 <= shape.right, shape.title
            assert shape.top < y < shape.bottom, shape.title


def test_titles_of_panels_stay_inside_and_clear_of_arrows(drawn):
    """Arrows may run through a panel that is hardly wider than its title."""
    picture = drawn.drawing.picture
    for panel in picture.panels:
        left, right = panel.title_left, panel.title_left + width(panel.title, 14)
        assert panel.left < left and right < panel.right
        if panel.right - panel.left > 3 * (right - left):
            for arrow in picture.arrows:
                for x, y in arrow.path:
                    inside = left < x < right and panel.top - 20 < y < panel.top - 4
                    assert not inside, f"{plain(panel.title)}: {arrow.tail.name}->{arrow.head.name}"


def steps_are_alike(outputs, view, read_svg):
    """In the SVG: the states go on to the right, and all steps are the same but for a shift."""
    T = len(outputs)
    drawing = draw(outputs, view)
    nodes, _ = read_svg(drawing.svg())
    columns = {t: {} for t in range(1, T + 1)}
    for i, box in enumerate(drawing.picture.boxes, 1):
        assert box.column <= T
        if box.column > 0:
            shape = nodes[f"b{i}"]
            middle = (shape.left + shape.right) / 2, (shape.top + shape.bottom) / 2
            size = shape.right - shape.left, shape.bottom - shape.top
            columns[box.column][box.slot] = (*middle, *size)
    letter = outputs[0].name
    (state,) = (s for s in columns[1] if s[-1] == "variable" and s[2] == letter)
    for a, b in pairwise(range(1, T + 1)):
        assert columns[a][state][0] < columns[b][state][0]
        assert columns[a].keys() == columns[b].keys()
        shift = columns[b][state][0] - columns[a][state][0]
        for slot, (x, *rest) in columns[a].items():
            assert columns[b][slot] == pytest.approx((x + shift, *rest), abs=0.03)


@pytest.mark.parametrize("T", [2, 3, 12])
@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_time_runs_from_left_to_right_and_steps_are_alike(cell, T, view, make, read_svg):
    steps_are_alike(make["outputs"](cell, T), view, read_svg)


def test_steps_with_their_gradients_are_alike(make):
    """However many digits the norms have that stand on the chips."""
    out = make["loss"](4)
    boxes = draw(out, "gates", gradients=backward(out)).picture.boxes
    columns = {t: {b.slot: b for b in boxes if b.column == t} for t in range(1, 5)}
    assert len({plain(b.label) for b in boxes if b.kind == "chip"}) > 10
    for a, b in pairwise(columns.values()):
        assert a.keys() == b.keys()
        shifts = [b[slot].x - box.x for slot, box in a.items()]
        assert max(shifts) - min(shifts) < 0.2
        assert all(box.width == b[slot].width and box.y == b[slot].y for slot, box in a.items())


@pytest.mark.slow
def test_time_order_for_every_length(cell, make, read_svg):
    for T in range(2, 51):
        steps_are_alike(make["outputs"](cell, T), "operations", read_svg)


@pytest.mark.slow
@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_a_loss_that_is_summed_after_the_loop(cell, view, make):
    T = 11
    graph = Graph(make["summed"](cell, T))
    picture = draw(graph, view).picture
    (loss,) = (box for box in picture.boxes if box.kind == "loss")
    assert plain(loss.label) == "L"  # it is of no step
    columns = {t: {} for t in range(1, T + 1)}
    for box in picture.boxes:
        if 0 < box.column <= T and box.kind not in ("loss", "constant"):
            columns[box.column][box.slot] = box
    assert columns[1].keys() >= columns[2].keys() == columns[T - 1].keys()
    missing = columns[2].keys() - columns[T].keys()
    assert all(columns[2][slot].kind == "state" for slot in missing)  # in whose place L stands
    for a, b in pairwise(range(1, T + 1)):
        for slot in columns[a].keys() & columns[b].keys():
            one, two = columns[a][slot], columns[b][slot]
            assert (one.y, one.width, one.height) == (two.y, two.width, two.height)
        same = [
            slot for slot in columns[a].keys() & columns[b].keys() if not columns[a][slot].between
        ]
        shifts = [columns[b][slot].x - columns[a][slot].x for slot in same]
        assert max(shifts) - min(shifts) < 0.2
    totals = {box for box in picture.boxes if any(n in timeline(graph).totals for n in box.nodes)}
    for panel in picture.panels:
        assert not [b for b in totals if panel.bottom < b.y < panel.top]


@pytest.mark.parametrize("way", ["dot", "pygraphviz"])
def test_graphviz_draws_the_same_boxes(drawn, way, monkeypatch, read_svg):
    if way == "pygraphviz":
        pytest.importorskip("pygraphviz")
    elif rendering.route() != "dot":
        pytest.skip("dot is not on PATH")
    monkeypatch.setattr(rendering, "route", lambda: way)
    theirs, edges = read_svg(drawn.drawing.rendered("svg").decode())
    assert edges == drawn.edges
    corner = [min(getattr(s, side) for s in theirs.values()) for side in ("left", "top")]
    own = [min(getattr(s, side) for s in drawn.nodes.values()) for side in ("left", "top")]
    dx, dy = (a - b for a, b in zip(own, corner, strict=True))
    assert theirs.keys() == drawn.nodes.keys()
    for key, b in theirs.items():
        a = drawn.nodes[key]
        frame = (b.left + dx, b.top + dy, b.right + dx, b.bottom + dy)
        assert (a.left, a.top, a.right, a.bottom) == pytest.approx(frame, abs=1.0), a.title


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import conftest
from microgrrepresent import draw
for name, (graph, options) in {**conftest.GALLERY, **conftest.FOLDED}.items():
    print(name, draw(graph(), **options).source)
"""


def test_same_program_same_bytes():
    """In two processes, under two hash seeds, after other nodes were made."""
    here = str(Path(__file__).parent)
    written = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, here],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert written[0] and written[0] == written[1]


def long_drawing(make, T):
    from rnn import LSTMCell

    svg = draw(Graph(make["outputs"](LSTMCell(3, 4, rng=0), T))).svg()
    assert svg.count("tanh") >= 2 * T  # of the candidate, and of the memory


def test_two_hundred_steps_are_drawn(make):
    long_drawing(make, 200)


@pytest.mark.slow
def test_a_thousand_steps_are_drawn(make):
    long_drawing(make, 1000)
