"""Drawings on a page with others, as pixels, and by graphviz's own methods."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from microgrrepresent import DrawingError, Graph, Tensor, draw, save
from microgrrepresent.drawing.marks.labels import plain
from microgrrepresent.drawing.output import digraph, rendering
from rnn.command_line.illustration import illustration


def test_no_two_drawings_in_a_notebook_share_an_id():
    graphs = [Graph(illustration(name, 2)[0]) for name in ("rnn", "gru")]
    shown = [graph._repr_mimebundle_()["image/svg+xml"] for graph in graphs]
    shown.append(draw(graphs[0], "cells")._repr_mimebundle_()["image/svg+xml"])
    ids = [re.findall(r' id="([^"]+)"', svg) for svg in shown]
    assert all(len(found) > 20 for found in ids)
    together = [one for found in ids for one in found if not one.startswith(("title", "desc"))]
    assert len(together) == len(set(together))


def test_pipe_and_render_describe_the_picture(tmp_path):
    drawing = draw(illustration("rnn", 2)[0])
    assert drawing.pipe().decode() == drawing.svg() == drawing.pipe("svg", encoding="utf-8")
    if rendering.route() != "dot":
        pytest.skip("dot is not on PATH")
    path = drawing.render("a", directory=tmp_path)
    root = ElementTree.parse(path).getroot()
    assert root.get("role") == "img" and "unrolled over 2 steps" in root[1].text
    assert drawing.pipe("png").startswith(b"\x89PNG")


def test_a_png_is_refused_when_its_margins_would_make_it_too_wide(tmp_path, monkeypatch):
    monkeypatch.setattr(digraph, "WIDEST_PNG", 2000)
    drawing = draw(illustration("rnn", 2)[0])
    left, _, right, _ = drawing.picture.bounds()
    too_fine = 72 * 2000 / (right - left) - 0.1  # without margins it would fit
    with pytest.raises(DrawingError, match=r"2,\d\d\d pixels wide.*take dpi=(\d+)") as caught:
        save(drawing, tmp_path / "a.png", dpi=too_fine)
    if rendering.route() is None:
        pytest.skip("there is no Graphviz")
    dpi = int(re.search(r"take dpi=(\d+)", str(caught.value))[1])
    written = save(drawing, tmp_path / "a.png", dpi=dpi).read_bytes()
    assert 1700 < int.from_bytes(written[16:20], "big") <= 2000


def test_shapes_do_not_look_like_values():
    x, w = Tensor([0.5] * 16, name="x"), Tensor(16.0, name="w")
    labels = {plain(box.label) for box in draw((x * w).named("y"), values=True).picture.boxes}
    assert "w, 16" in labels and not any(label == "x, 16" for label in labels)
    assert any(label.startswith("x, ") and "(16" in label for label in labels)
