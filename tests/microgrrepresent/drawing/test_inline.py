"""Drawings on a page with others, and what comes out of graphviz's own methods."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from microgrrepresent import Graph, draw
from microgrrepresent.drawing import engine
from rnn.illustration import illustration


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
    if engine.route() != "dot":
        pytest.skip("dot is not on PATH")
    path = drawing.render("a", directory=tmp_path)
    root = ElementTree.parse(path).getroot()
    assert root.get("role") == "img" and "unrolled over 2 steps" in root[1].text
    assert drawing.pipe("png").startswith(b"\x89PNG")
