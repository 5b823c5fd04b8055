"""SVG: y runs down, words stand in the middle of their boxes, titles begin where panels do."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from microgrrepresent import draw
from microgrrepresent.drawing.marks.labels import formula, svg_lines
from microgrrepresent.drawing.output import rendering
from rnn.command_line.commands import main
from rnn.command_line.illustration import illustration

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawing():
    return draw(illustration("rnn", 3)[0], "gates")


@pytest.fixture(scope="module")
def root(drawing):
    return ElementTree.fromstring(drawing.svg())


def ends(d):
    """Where the pieces of a path end; the pieces are level, upright or curves."""
    points = []
    for command, numbers in re.findall("([MHVC])([^MHVC]*)", d):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", numbers)]
        assert len(numbers) == {"M": 2, "H": 1, "V": 1, "C": 6}[command]
        x, y = points[-1] if points else (0, 0)
        points.append({"H": (numbers[0], y), "V": (x, numbers[0])}.get(command, (*numbers[-2:],)))
    return points


def test_what_is_level_or_upright_is_drawn_as_one_line(root):
    pieces = [re.findall("[HVC]", line.get("d")) for line in root.iter(f"{SVG}path")]
    assert {"H", "V", "C"} == {piece for line in pieces for piece in line}
    assert not any(a == b != "C" for line in pieces for a, b in pairwise(line))


def test_the_path_of_an_arrow_is_that_of_the_picture_upside_down(drawing, root):
    lines = [
        root.find(f".//*[@id='e{i}']/{SVG}path") for i, _ in enumerate(drawing.picture.arrows, 1)
    ]
    for arrow, line in zip(drawing.picture.arrows, lines, strict=True):
        points = ends(line.get("d"))
        assert points[0] == pytest.approx((arrow.path[0][0], -arrow.path[0][1]), abs=0.01)
        for x, y in arrow.path[:-3:3]:
            assert any(
                min(a, c) - 0.01 <= x <= max(a, c) + 0.01
                and min(b, d) - 0.01 <= -y <= max(b, d) + 0.01
                for (a, b), (c, d) in pairwise(points)
            )
        low, high = sorted((-arrow.path[0][1], -arrow.path[-1][1]))
        assert low - 60 < points[-1][1] < high + 60


def test_words_are_centered_on_boxes_and_begin_with_panels(drawing, root):
    (graph,) = (g for g in root.iter(f"{SVG}g") if g.get("class") == "graph")
    assert graph.get("text-anchor") == "middle"
    for i, box in enumerate(drawing.picture.boxes, 1):
        group = graph.find(f"./*[@id='b{i}']")
        words = list(group.iter(f"{SVG}text"))
        assert all(float(text.get("x")) == pytest.approx(box.x, abs=0.01) for text in words)
        assert all(text.get("text-anchor") is None for text in [group, *words])
    titles = [g.find(f"{SVG}g") for g in graph if g.get("class") == "cluster"]
    assert titles and all(title.get("text-anchor") == "start" for title in titles)


def test_what_stands_behind_two_scripts_begins_after_the_wider_one():
    narrow, wide = (svg_lines((formula(f"x^({n})_t = h"),), 14.0)[0][1] for n in ("1", "1000"))
    moved = [float(re.findall(r'dx="([^"]*)"', words)[1]) for words in (narrow, wide)]
    assert 0 < moved[0] < moved[1]


def test_an_accent_stays_with_its_letter():
    letters = [run.text for run in formula("c\u0303_t = f")]
    assert letters[0] == "c\u0303" and formula("c\u0303_t = f")[0].italic


@pytest.mark.skipif(rendering.route() is None, reason="there is no Graphviz")
def test_equations_beside_attention_are_rendered(tmp_path):
    """A bracket alone in its style is one that Graphviz cannot read as it stands."""
    source = ["draw", "--model", "attention", "--words", "a b", "--to", "c d", "--equations"]
    assert main([*source, "-o", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
