"""What else a drawing shows: gradients, windows, backward passes, any script, and words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from microgrrepresent import (
    DrawingError,
    Graph,
    GraphvizMissing,
    Tensor,
    backward,
    draw,
    grad,
    save,
    scope,
    stack,
    step,
    steps,
    stop_gradient,
    tanh,
)
from microgrrepresent.drawing.marks.colors import box_paint
from microgrrepresent.drawing.marks.labels import plain
from microgrrepresent.drawing.marks.themes import LIGHT
from microgrrepresent.drawing.output import rendering
from microgrrepresent.drawing.output.tikz import tikz
from rnn import RNNCell, unroll
from rnn.command_line.illustration import illustration

SVG = "http://www.w3.org/2000/svg"


def test_gradients_are_written_and_drawn(make):
    graph = Graph(make["loss"](3))
    adjoints = backward(graph.outputs[0])
    picture = draw(graph, gradients=adjoints).picture
    chips = [arrow for arrow in picture.arrows if arrow.tail.kind == "chip"]
    assert chips
    for arrow in chips:
        ((child, i),) = arrow.edges
        norm = np.linalg.norm(adjoints.along(child, i))
        assert float(plain(arrow.tail.label).split(", ")[1]) == pytest.approx(norm, rel=0.06)
    for node in graph.parameters:
        box = next(b for b in picture.boxes if b.kind == "parameter" and b.nodes[0] is node)
        norm = np.linalg.norm(adjoints[node])
        assert float(plain(box.label).split(", ")[1]) == pytest.approx(norm, rel=0.06)
    back = [arrow for arrow in picture.arrows if arrow.flow == "gradient"]
    there = {(arrow.tail, arrow.head) for arrow in picture.arrows if arrow.flow != "gradient"}
    assert back and all((arrow.head, arrow.tail) in there for arrow in back)
    flowed = [a for a in back if a.strength == 1.0]
    assert flowed and max(a.width for a in back) == flowed[0].width


@pytest.mark.parametrize("T", [1, 3])
@pytest.mark.parametrize("rails", [False, True])
def test_a_box_of_several_parameters_has_the_norm_of_all(T, rails):
    cell = RNNCell(3, 4, rng=0)
    h = unroll(cell, np.random.default_rng(0).standard_normal((T, 2, 3))).outputs
    L = (stack(h) ** 2).sum()
    adjoints = backward(L)
    boxes = draw(L, "cells", gradients=adjoints, rails=rails).picture.boxes
    shown = [float(plain(b.label).split(", ")[1]) for b in boxes if b.kind == "parameter"]
    uses = (cell.weight_ih, cell.weight_hh, cell.bias_ih)  # the steps use the sum of the biases
    norm = np.sqrt(sum(np.sum(adjoints[parameter] ** 2) for parameter in uses))
    assert shown == [pytest.approx(norm, rel=0.06)]


def test_what_was_not_computed_is_a_dash_and_not_zero():
    w, v = (Tensor([1.0, 2.0], requires_grad=True, name=n) for n in "wv")
    h, outputs = Tensor([0.0, 0.0]), []
    for t in (1, 2):
        with step(t):
            h = tanh(h * w + 1)
            outputs.append(h * v)
    picture = draw([h.sum(), *outputs], gradients=backward(h.sum())).picture
    labels = {plain(b.label) for b in picture.boxes if b.kind in ("chip", "parameter")}
    assert "v, —" in labels and not any(label.startswith("v, 0") for label in labels)
    assert all(b.pending == plain(b.label).endswith("—") for b in picture.boxes if b.kind == "chip")


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm-peephole"])
@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_hidden_steps_stand_clear_of_their_chips(name, view):
    boxes = draw(illustration(name, 5)[0], view, window=(1, 1)).picture.boxes
    hidden = [box for box in boxes if box.kind == "elision"]
    assert hidden
    for box in hidden:
        for other in boxes:
            beside = box.right <= other.left or other.right <= box.left
            assert other is box or beside or other.top <= box.bottom or box.top <= other.bottom


@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_a_sum_that_is_named_after_the_loop_is_of_no_step(view):
    h, L = Tensor(np.zeros(2), name="h_0"), Tensor(0.0)
    for t in (1, 2, 3):
        with step(t):
            h = tanh(h * Tensor(np.ones(2)) + Tensor(np.ones(2))).named("h")
            L = L + (h * h).sum()
    boxes = draw(L.named("L"), view).picture.boxes
    assert [plain(b.label) for b in boxes if b.kind == "loss"] == ["L"]
    assert [plain(b.label) for b in boxes if b.kind == "constant"] == ["0"]
    inputs = [plain(b.label) for b in boxes if b.kind == "input"]
    assert inputs == [f"{word}_{t}" for t in (1, 2, 3) for word in ("x", "x^(2)")]
    sums = [b for b in boxes if 0 < b.column < 4 and set(_chain(L)).intersection(b.nodes)]
    assert len({b.y for b in sums if b.kind != "loss" or view == "variables"}) == 1


def _chain(node):
    """A running sum at all steps, the last one first."""
    while node.parents:
        yield node
        node = node.parents[0]


def test_a_window_hides_steps_and_says_how_many(make):
    picture = draw(make["loss"](100), "cells", window=(3, 2)).picture
    labels = [plain(box.label) for box in picture.boxes if box.kind == "elision"]
    assert sum("95 steps" in label for label in labels) == 1
    assert "95 steps in the middle are one box" in picture.description
    shown = {plain(box.label) for box in picture.boxes if box.kind == "state"}
    assert {"h_3", "h_98", "h_100"} <= shown and "h_50" not in shown


def test_backward_nodes_stand_above_their_forward_nodes():
    cell = RNNCell(2, 3, rng=0)
    h = unroll(cell, np.zeros((4, 1, 2))).state
    picture = draw(grad((h * h).sum(), cell.weight_hh, create_graph=True)).picture
    at = {node: box for box in picture.boxes if box.kind != "chip" for node in box.nodes}
    pairs = [
        (box, at[node.derivative_of])
        for node, box in at.items()
        if node.derivative_of in at
        and not box.between
        and at[node.derivative_of].column == box.column
    ]
    assert len(pairs) > 10
    assert all(box.y > forward.y for box, forward in pairs)
    away = sorted(abs(box.x - forward.x) for box, forward in pairs if not forward.between)
    assert away[len(away) // 2] < 5


@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_a_truncated_step_looks_like_the_others(cell, make, view):
    whole = draw(make["outputs"](cell, 4), view).picture
    cut = draw(make["truncated"](cell, 2), view).picture
    assert [(b.name, b.x, b.y) for b in cut.boxes] == [(b.name, b.x, b.y) for b in whole.boxes]
    assert [a.path for a in cut.arrows] == [a.path for a in whole.arrows]
    cuts = [a for a in cut.arrows if a.flow == "cut"]
    assert cuts and {a.tail.column for a in cuts} == {2} and {a.head.column for a in cuts} == {3}
    states = {a for a in cut.arrows if a.tail.kind == "state" and a.tail.column == 2}
    passed = {a for a in states if a.head.column == 3}
    assert set(cuts) == passed
    assert not [a for a in whole.arrows if a.flow == "cut"]


def test_scissors_stand_beside_the_arrow_in_every_format(make):
    drawing = draw(make["truncated"](RNNCell(3, 4, rng=0), 2), "cells")
    (arrow,) = (a for a in drawing.picture.arrows if a.flow == "cut")
    x, y = arrow.cut_at
    assert arrow.path[0][0] < x < arrow.path[-1][0] and 4 < abs(y - arrow.path[0][1]) < 12
    root = ElementTree.fromstring(drawing.svg())
    group = next(g for g in root.iter(f"{{{SVG}}}g") if g.get("class") == "edge cut")
    assert "".join(group.find(f"{{{SVG}}}text").itertext()) == "✂"
    assert group.find(f"{{{SVG}}}path").get("stroke-dasharray")
    assert f'tail_lp="{x:.2f},{y:.2f}"' in drawing.source
    assert f"({x:.2f},{y:.2f})" in tikz(drawing.picture, drawing.theme)


def test_a_cut_without_steps_and_one_with_a_name():
    x = Tensor(2.0, requires_grad=True, name="x")
    picture = draw((x * stop_gradient(x)).named("y")).picture
    one, two = (a for a in picture.arrows if a.tail.kind == "parameter")
    assert (one.flow, two.flow) == ("value", "cut") and one.path != two.path
    picture = draw((x * stop_gradient(x).named("target")).named("y")).picture
    assert ["✂" in plain(a.head.label) for a in picture.arrows if a.flow == "cut"] == [True]
    picture = draw(stop_gradient(x)).picture
    assert {a.flow for a in picture.arrows} == {"cut", "value"}


def test_a_detached_state_is_drawn_as_cut_off():
    cell = RNNCell(2, 3, rng=0)
    state = unroll(cell, np.zeros((4, 1, 2))).state
    picture = draw(unroll(cell, np.zeros((2, 1, 2)), state.detach()).outputs, "cells").picture
    (box,) = (b for b in picture.boxes if b.detached)
    assert box.kind == "state" and "✂" in plain(box.label) and box.column == 0
    assert box_paint(box, LIGHT).dashes == "dashed"
    assert not [b for b in draw(state).picture.boxes if b.detached]


@pytest.mark.parametrize("ending", ["svg", "html", "dot", "tex", "png", "pdf"])
def test_chinese_and_greek_names_in_every_format(tmp_path, ending):
    x, w = Tensor(1.0, name="输入"), Tensor(2.0, requires_grad=True, name="theta")
    path = save((x * w).named("状态"), tmp_path / f"图.{ending}")
    written = path.read_bytes()
    assert len(written) > 500 and [p.name for p in tmp_path.iterdir()] == [path.name]
    if ending in ("svg", "html", "dot", "tex"):
        words = written.decode()
        assert "状" in words and "输" in words
        assert (r"\theta" if ending == "tex" else "θ") in words


@pytest.mark.parametrize("ending", ["svg", "tex", "png"])
@pytest.mark.parametrize("name", ["", " ", "\n", "a\nb", "\t", "\x00", '"<&>\\', "x" * 99])
def test_names_that_are_hard_to_write(tmp_path, name, ending):
    out = (Tensor(2.0, name="x") * 3).named(name)
    path = save(out, tmp_path / f"a.{ending}")
    assert path.stat().st_size > 500
    if ending == "svg":
        assert ElementTree.parse(path)


def test_a_loss_takes_in_no_part_of_the_model():
    w = Tensor([1.0, 2.0], requires_grad=True, name="w")
    L = (tanh(tanh(w * 2) @ w) ** 2).mean().named("L")
    shown = [plain(box.label) for box in draw(L, "gates").picture.boxes]
    assert shown.count("tanh") == 2 and "L" in shown and "mean" not in shown


def test_two_drawings_on_a_page_have_titles_of_their_own(make):
    ids = set()
    for out in (make["loss"](2), make["loss"](3)):
        labelled = ElementTree.fromstring(draw(out).svg()).get("aria-labelledby").split()
        assert ids.isdisjoint(labelled)
        ids.update(labelled)


def test_data_and_many_parameters_are_told_apart_by_colour():
    X = Tensor(np.ones((3, 2)), name="X")
    ws = [Tensor(np.ones(2), True, f"w_{i}") for i in range(9)]
    h = Tensor(np.zeros(2), name="h")
    for t in (1, 2, 3):
        with step(t):
            for w in ws:
                h = h * w + X[t - 1]
            h = tanh(h).named("h")
    boxes = draw(h).picture.boxes
    paints = [box_paint(b, LIGHT) for b in boxes if b.kind == "parameter"]
    assert len({(paint.fill, paint.line) for paint in paints}) == len(ws)
    assert {b.color for b in boxes if b.nodes and b.nodes[0] is X} == {None}


def test_an_encoder_is_over_before_its_decoder_reads_it():
    states = unroll(RNNCell(2, 3, rng=0), np.zeros((3, 1, 2))).outputs
    memory = stack(states).sum(axis=0).named("C")
    with scope("decoder"):
        outputs = unroll(RNNCell(3, 3, rng=1), [memory] * 3).outputs
    boxes = [box for box in draw(outputs, "cells").picture.boxes if box.kind != "chip"]
    at = {node: box for box in boxes for node in box.nodes}
    assert all(at[memory].top < at[y].bottom for y in outputs)


def test_svg_is_accessible(make):
    root = ElementTree.fromstring(draw(make["loss"]()).svg())
    space = f"{{{SVG}}}"
    assert root.get("role") == "img"
    ids = [item.get("id") for item in root[:2]]
    assert [item.tag for item in root[:2]] == [f"{space}title", f"{space}desc"]
    assert root.get("aria-labelledby").split() == ids
    assert "unrolled over 3 steps, t = 1 to 3" in root[1].text and root[1].text.endswith(".")


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_themes(make, theme):
    source = draw(make["loss"](), theme=theme).source
    colors = set(re.findall(r'color="(#\w{6})', source))
    if theme == "print":
        assert all(c[1:3] == c[3:5] == c[5:7] for c in colors)
        assert 'style="dashed"' in source


def test_tikz_has_every_box_and_arrow(make, tmp_path):
    drawing = draw(make["loss"](), "gates")
    path = save(drawing, tmp_path / "graph.tex")
    text = path.read_text()
    body = text[text.index(r"\begin{tikzpicture}") : text.index(r"\end{tikzpicture}")]
    picture = drawing.picture
    assert len(re.findall(r"\\node\[(?:box|round)", body)) == len(picture.boxes)
    assert body.count("-- cycle;") == len(picture.arrows)  # the triangles of their heads
    assert text.count("{") == text.count("}")
    for box in picture.boxes:
        assert f"at ({box.x:.2f},{box.y:.2f})" in body


# --- without Graphviz, and what cannot be drawn --------------------------------------------------


@pytest.fixture
def no_graphviz(monkeypatch):
    monkeypatch.setattr(rendering, "route", lambda: None)


@pytest.mark.usefixtures("no_graphviz")
def test_pictures_without_graphviz(make, tmp_path):
    out = make["loss"]()
    for ending in ("svg", "html", "dot", "tex"):
        assert save(out, tmp_path / f"a.{ending}").stat().st_size > 1000
    for shown in (draw(out), Graph(out), out):
        assert shown._repr_mimebundle_()["image/svg+xml"].startswith('<svg style="max-width: 100%')


@pytest.mark.usefixtures("no_graphviz")
@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_what_needs_graphviz_says_how_to_get_it_and_what_does_not(make, tmp_path, ending):
    with pytest.raises(GraphvizMissing, match=rf"as {ending} needs.*apt install.*\.svg") as caught:
        save(make["loss"](), tmp_path / f"a.{ending}")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_graphviz")
def test_no_layout_needs_graphviz():
    assert len(draw(_tangle(300)).picture.boxes) == 302


def test_a_changed_text_is_drawn_as_changed(make):
    drawing = draw(make["logistic"]())
    drawing.node("mine", label="my own words", pos="10,10")
    assert "my own words" in drawing.svg()
    assert "my own words" in drawing._repr_mimebundle_()["image/svg+xml"]


def test_notebooks_show_pictures(make):
    for shown in (make["loss"](), Graph(make["loss"](20)), draw(make["logistic"]())):
        bundle = shown._repr_mimebundle_()
        assert bundle["image/svg+xml"].startswith("<svg")
    assert set(Tensor(1.0)._repr_mimebundle_()) == {"text/plain"}


def test_a_notebook_does_not_draw_a_very_large_graph_by_itself():
    h = Tensor(0.5, requires_grad=True)
    for _ in range(10_000):
        h = h.tanh()
    for shown in (h, Graph(h)):
        bundle = shown._repr_mimebundle_()
        assert set(bundle) == {"text/plain"} and "has 10,001 nodes; draw(" in bundle["text/plain"]


def _tangle(n):
    rng, nodes = np.random.default_rng(0), [Tensor(1.0, name="x")]
    for i in range(n):
        nodes.append(
            nodes[-1] * nodes[0 if i % 3 == 0 else int(rng.integers(max(0, i - 9), i + 1))]
        )
    return nodes[-1]


def _long(T):
    out = Tensor(0.0, name="h")
    for _, x in steps(np.ones(T)):
        out = tanh(out + x)
    return out


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (
            lambda: _tangle(20_001),
            r"20,002 nodes and no steps.*can show 20,000 nodes; choose.*collapse=",
        ),
        (lambda: _long(5_001), r"5,001 steps.*can show 5,000 steps.*window=\(3, 2\)"),
    ],
)
def test_what_is_too_large_is_not_begun(out, words, monkeypatch):
    monkeypatch.setattr("microgrrepresent.drawing.output.scene.timeline", None)
    graph = Graph(out())
    with pytest.raises(DrawingError, match=words):
        draw(graph, "variables")
    shown = graph._repr_mimebundle_() if not graph.steps else {"text/plain": ""}
    assert set(shown) == {"text/plain"}


def test_a_long_sequence_is_drawn_through_a_window_folded_or_as_layers():
    graph = Graph(_long(5_001))
    assert len(draw(graph, window=(3, 2)).picture.boxes) < 40
    assert len(draw(graph, time="folded").picture.boxes) < 20
    assert len(draw(graph, "layers").picture.boxes) < 10


def test_a_block_that_is_too_tangled_says_what_to_do(monkeypatch):
    monkeypatch.setattr("microgrrepresent.drawing.layout.layout.TANGLED", 1000)
    with pytest.raises(DrawingError, match=r"pass one another [\d,]+ times.*view='layers'"):
        draw(_tangle(120))


@pytest.mark.skipif(os.name == "nt", reason="the program that hangs is a shell script")
def test_graphviz_that_takes_too_long_is_stopped(tmp_path, monkeypatch):
    (tmp_path / "dot").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(rendering, "route", lambda: "dot")
    with pytest.raises(DrawingError, match=r"did not finish within 0.1 s.*; write .svg"):
        rendering.run("digraph { a -> b }", "svg", "nop2", 0.1)


def test_importing_the_package_does_not_import_drawings():
    program = "import sys, microgrrepresent; print('graphviz' in sys.modules, "
    program += "'microgrrepresent.drawing' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def test_a_loss_and_its_seed_stand_after_the_steps_that_they_are_made_of():
    cell = RNNCell(2, 3, rng=0)
    h = unroll(cell, np.zeros((3, 1, 2))).state
    loss = (h * h).sum()
    boxes = draw(grad(loss, cell.weight_hh, create_graph=True)).picture.boxes
    columns = {
        b.column for b in boxes for n in b.nodes if n.step is None and n.derivative_of is not None
    }
    assert columns == {4}


def test_a_decoder_stands_above_its_encoder():
    with scope("encoder"):
        context = unroll(RNNCell(2, 3, rng=0), np.zeros((3, 1, 2))).state
    with scope("decoder"):
        outputs = unroll(RNNCell(3, 3, rng=1), [context] * 3, context).outputs
    boxes = draw(outputs, "cells").picture.boxes
    cells = [box for box in boxes if box.kind == "cell"]
    encoder = [box.top for box in cells if box.nodes[0].scope.startswith("encoder")]
    decoder = [box.bottom for box in cells if box.nodes[0].scope.startswith("decoder")]
    assert len(encoder) == len(decoder) == 3 and max(encoder) < min(decoder)
    far = {plain(b.label) for b in boxes if b.kind == "chip" and not b.nodes[0].requires_grad}
    far |= {plain(b.label) for b in boxes if b.kind == "chip" and b.nodes[0] is context}
    assert far == {"h_3"}  # the context, at the steps that are far from it
