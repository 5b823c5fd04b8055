"""What a lecturer may ask of a drawing: its page, its words, what it points at or leaves out."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ElementTree

import pytest

from microgrrepresent import Graph, Tensor, backward, draw, steps, tanh
from microgrrepresent.drawing import path, save
from microgrrepresent.drawing.marks.colors import FAINT, box_paint, mixed, thickness
from microgrrepresent.drawing.marks.labels import plain
from microgrrepresent.drawing.marks.themes import LIGHT, Paint, Theme
from microgrrepresent.drawing.output.tikz import tikz
from microgrrepresent.errors import DrawingError
from rnn import LSTMCell, RNNCell
from rnn.command_line import main
from rnn.command_line.illustration import illustration
from tests.pictures.measures import flattened, measure


@pytest.fixture(scope="module")
def loss():
    return illustration("lstm", 3)[0]


def find(graph, name, step):
    return next(n for n in Graph(graph) if n.name == name and n.step == step)


PAGES = [("slide", 1200, 675), ("paper", 340, 255), ((900, 1600), 675, 1200)]


@pytest.mark.parametrize(("size", "width", "height"), PAGES)
def test_a_page_has_its_size_in_every_format(loss, size, width, height, tmp_path):
    """In points: 1600 x 900 pixels of 1/96 inch, 12 x 9 cm; and in pixels."""
    pypdf, Image = pytest.importorskip("pypdf"), pytest.importorskip("PIL.Image")
    drawing = draw(loss, "gates", gradients=backward(loss), size=size)
    (page,) = pypdf.PdfReader(save(drawing, tmp_path / "a.pdf")).pages
    assert (float(page.mediabox.width), float(page.mediabox.height)) == (width, height)
    with Image.open(save(drawing, tmp_path / "a.png", dpi=30)) as image:
        assert image.size == pytest.approx((width / 0.75, height / 0.75), abs=1)
    written = tikz(drawing.picture, drawing.theme)
    left, bottom, right, top = drawing.picture.frame()
    scale = float(re.search(r"\\scalebox{(.*?)}", written)[1])
    assert ((right - left) * scale, (top - bottom) * scale) == pytest.approx((width, height), abs=1)


def test_without_a_page_the_size_is_that_of_the_letters(loss, tmp_path):
    pypdf = pytest.importorskip("pypdf")
    for size, scale in ((14, 1.0), (28, 2.0)):
        drawing = draw(loss, "gates", font_size=size)
        left, bottom, right, top = drawing.picture.frame()
        (page,) = pypdf.PdfReader(save(drawing, tmp_path / "a.pdf")).pages
        assert float(page.mediabox.width) == pytest.approx((right - left) * scale, abs=1)
        assert float(page.mediabox.height) == pytest.approx((top - bottom) * scale, abs=1)
        assert ("scalebox" in tikz(drawing.picture, drawing.theme)) == (scale != 1)


def shown(drawing):
    return {plain(box.label) for box in drawing.picture.boxes}


@pytest.mark.parametrize(
    ("size", "width", "height"),
    [("slide", 1600, 900), ("paper", 453.5, 340.2), ((1280, 720), 1280, 720)],
)
def test_a_picture_fills_its_page(loss, size, width, height):
    root = ElementTree.fromstring(draw(loss, "gates", size=size).svg())
    assert (float(root.get("width")), float(root.get("height"))) == (width, height)
    left, top, wide, high = map(float, root.get("viewBox").split())
    assert wide / high == pytest.approx(width / height, rel=1e-3)
    assert left < 0 or top < 0


def test_letters_on_a_slide_can_be_read(loss):
    assert measure(draw(loss, "gates", size="slide")).text > 23.5
    assert measure(draw(loss, "gates", size="slide", gradients=backward(loss))).text > 18
    drawn = measure(draw(loss, "gates", size="slide"))
    assert 1.2 < drawn.aspect < 2.2
    assert (drawn.overlaps, drawn.outside, drawn.slanted) == (0, 0, 0)
    assert drawn.contrast >= 4.5


def test_letters_that_nobody_can_read_are_a_warning(tmp_path, capsys):
    many = illustration("lstm", 30)[0]
    with pytest.warns(UserWarning, match="letters are .* pixels high, .* window=") as caught:
        draw(many, "gates", size="slide")
    assert caught[0].filename == __file__
    command = ["draw", "--cell", "lstm", "--steps", "30", "--size", "slide", "-o"]
    assert main([*command, str(tmp_path / "a.svg")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("python -m rnn draw: draw: on this page the letters are")


def test_a_page_parts_columns_and_rows_but_no_step_from_another(loss):
    for size in ((1600, 900), (900, 1600), (3000, 900)):
        picture = draw(loss, "gates", size=size).picture
        panels = sorted(picture.panels, key=lambda p: p.left)
        pitches = [b.left - a.left for a, b in itertools.pairwise(panels)]
        assert max(pitches) - min(pitches) < 0.01


def test_a_long_sequence_is_wrapped_and_hands_its_state_on(make):
    out = make["outputs"](RNNCell(3, 4, rng=0), 24)
    drawing = draw(out, "cells", size="slide")
    picture = drawing.picture
    again = [box for box in picture.boxes if box.pending]
    assert len(again) == 2 and {plain(box.label) for box in again} == {"h_8", "h_16"}
    for box in again:
        (handed,) = (arrow for arrow in picture.arrows if arrow.head is box)
        assert handed.tail.nodes == box.nodes and handed.tail is not box
        assert handed.tail.x > box.x and handed.tail.y > box.y
        (read,) = (arrow for arrow in picture.arrows if arrow.tail is box)
        assert read.path[0][0] == pytest.approx(box.right)
    assert measure(drawing).overlaps == 0
    assert len({box.y for box in picture.boxes if box.kind == "cell"}) == 3
    assert all(not box.pending for box in draw(out, "cells").picture.boxes)


def test_time_may_run_upwards(loss):
    right = draw(loss, "gates", gradients=backward(loss)).picture
    up = draw(loss, "gates", direction="up", gradients=backward(loss)).picture
    assert len(up.boxes) == len(right.boxes) and len(up.arrows) == len(right.arrows)
    cs = {box.nodes[0].step: box for box in up.boxes if plain(box.label)[:2] == "c_"}
    assert cs[1].y < cs[2].y < cs[3].y and cs[1].x == cs[2].x == cs[3].x
    assert all(box.width >= box.height for box in up.boxes if box.kind == "output")


def test_letters_have_the_size_that_was_asked_for(loss):
    one, two = (ElementTree.fromstring(draw(loss, "gates", font_size=n).svg()) for n in (14, 28))
    widths = [float(root.get("width").removesuffix("pt")) for root in (one, two)]
    assert widths[1] == pytest.approx(2 * widths[0], abs=1)
    assert one.get("viewBox") == two.get("viewBox")


def test_words_and_letters_of_ones_own(loss):
    drawing = draw(loss, "gates", title="Ein LSTM", labels={"h": "Zustand", "target": "y"})
    assert {"Ein LSTM", "Zustand_1", "y_3"} <= shown(drawing)
    assert "<title" in drawing.svg() and "Ein LSTM" in drawing.svg()
    (box,) = (b for b in drawing.picture.boxes if plain(b.label) == "Ein LSTM")
    assert box.bottom > max(b.top for b in drawing.picture.boxes if b is not box)


def test_letters_of_a_course(loss):
    assert {"W", "U"} <= shown(draw(loss, "gates", labels="nndl"))
    assert "W x + U h + b" in shown(draw(loss, "gates", labels="nndl"))
    assert "U x + W h + b" in shown(draw(loss, "gates", labels="nankai"))


def test_what_is_left_out(loss):
    whole = draw(loss, "gates").picture
    assert not draw(loss, "gates", legend=False).picture.legend and whole.legend
    without = draw(loss, "gates", loss=False).picture
    assert {b.kind for b in whole.boxes} - {b.kind for b in without.boxes} == {"loss"}
    assert not [b for b in without.boxes if plain(b.label).startswith("target")]
    assert [b for b in without.boxes if b.kind == "output"]
    targets = draw(loss, "gates", targets=False).picture
    gone = {plain(b.label) for b in whole.boxes} - {plain(b.label) for b in targets.boxes}
    assert gone == {"target_1", "target_2", "target_3"}
    chips = [b for b in draw(loss, "operations", loss=False).picture.boxes if b.kind == "op"]
    assert chips and not [b for b in chips if plain(b.label) == "−"]


def test_a_path_is_what_stays_strong(loss):
    x, L = find(loss, "x", 1), loss
    nodes = path(x, L)
    assert nodes[0] is x and nodes[-1] is L
    assert all(not set(nodes).isdisjoint(n.parents) for n in nodes[1:])
    drawing = draw(loss, "gates", highlight=nodes)
    strong = {plain(b.label) for b in drawing.picture.boxes if not b.faint}
    assert {"x_1", "h_1", "c_3", "L"} <= strong
    assert strong.isdisjoint({"x_2", "x_3", "h_0", "target_1", "V"})
    faint = next(b for b in drawing.picture.boxes if b.faint)
    assert box_paint(faint, LIGHT).fill != box_paint(faint, LIGHT).text
    with pytest.raises(DrawingError, match="no way leads from L to x"):
        path(L, x)


def test_a_step_or_a_gate_is_pointed_at(loss):
    step = draw(loss, "gates", highlight=2).picture
    assert {b.nodes[0].step for b in step.boxes if not b.faint} == {2}
    assert [panel.faint for panel in step.panels] == [True, False, True]
    gate = draw(loss, "gates", highlight="f").picture
    assert len([b for b in gate.boxes if not b.faint]) == 3
    for wrong in ("q", 9, 2.5, [], True):
        with pytest.raises(DrawingError, match="highlight is a Tensor of this graph"):
            draw(loss, "gates", highlight=wrong)


def test_what_is_written_at_faint_arrows_and_on_faint_panels_is_faint(loss):
    """The names of the gates and the titles of the steps: f_1 and t = 1."""
    drawing = draw(loss, "gates", highlight=2)
    strong, faint = LIGHT.text, mixed(LIGHT.text, LIGHT.background, FAINT)
    svg = re.findall(r'fill="(#\w+)"><tspan font-style="italic">([ft])</tspan>', drawing.svg())
    dot = re.findall(r'COLOR="(#\w+)"><I>([ft])</I>', drawing.source)
    for found in (svg, dot):
        for letter in "ft":
            assert [color for color, own in found if own == letter] == [faint, strong, faint]
    assert tikz(drawing.picture, drawing.theme).count(f"text=c{faint[1:]}") == 10


def test_one_lag_is_emphasized():
    h = [Tensor([0.0], name="h"), Tensor([0.0], name="h")]
    for _, x in steps(Tensor([[1.0]] * 4, name="x")):
        h.append(tanh(x + h[-1] + 0.5 * h[-2]).named("h"))
    for lag in (1, 2):
        drawing = draw(h[-1], emphasis=lag)
        strong = [arrow for arrow in drawing.picture.arrows if arrow.strong]
        assert strong and all(
            child.step - child.parents[i].step == lag for a in strong for child, i in a.edges
        )
        assert min(map(thickness, strong)) > 3
    with pytest.raises(DrawingError, match="no arrow here reads 7 back"):
        draw(h[-1], emphasis=7)


def test_gates_have_colors(loss):
    drawing = draw(loss, "gates", gate_colors=True)
    tints = {}
    for box in drawing.picture.boxes:
        for node in box.nodes:
            if node.name in ("f", "i", "g", "o"):
                tints.setdefault(node.name, set()).add(box.tint)
    assert len(tints) == 4 and all(len(found) == 1 for found in tints.values())
    assert len(set.union(*tints.values())) == 4
    assert measure(drawing).contrast >= 4.5
    own = draw(loss, "gates", gate_colors={"f": "#123456"})
    assert own.svg().count("#123456") == 3
    for wrong, why in (({"q": "#123456"}, "no gate 'q'"), ({"f": "red"}, "written like")):
        with pytest.raises(DrawingError, match=why):
            draw(loss, "gates", gate_colors=wrong)


def test_equations_stand_beside_the_picture(loss):
    drawing = draw(loss, "gates", equations=True, size="slide")
    lines = {plain(b.label) for b in drawing.picture.boxes if b.kind == "note"}
    assert "h_t = o_t ⊙ tanh(c_t)" in lines
    assert "c_t = f_t ⊙ c_t−1 + i_t ⊙ c̃_t" in lines
    assert measure(drawing).overlaps == 0
    with pytest.raises(DrawingError, match="equations are those of a step"):
        draw(Tensor(2.0) * 3, equations=True)


def test_a_theme_of_ones_own(loss, tmp_path):
    sepia = Theme(
        "sepia",
        "#fbf3e4",
        "#3b2a1a",
        Paint("#f4e7cf", "#c8b28c", "#3b2a1a"),
        LIGHT.boxes | {"state": Paint("#e8d3ae", "#8a5a1f", "#3b2a1a", 1.6)},
        LIGHT.flows | {"state": "#8a5a1f"},
        LIGHT.palette,
    )
    svg = save(draw(loss, "gates", theme=sepia), tmp_path / "a.svg").read_text()
    assert "#fbf3e4" in svg and "#e8d3ae" in svg and "#0072b2" not in svg.split("<g id=")[1]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"size": "poster"}, "size is one of slide, paper"),
        ({"size": (0, 9)}, "above 0"),
        ({"direction": "left"}, "direction is one of right, up"),
        ({"font_size": 0}, "font_size is a number of points above 0"),
        ({"font_size": 12, "size": "slide"}, "leave out font_size, or size"),
        ({"title": 3}, "title is a text"),
        ({"labels": {"h": "s", "zzz": "q"}}, "letter for 'zzz', which is no name in this graph"),
        ({"labels": "no such course"}, "labels is a dict of letters"),
        ({"legend": 1}, "legend is True or False"),
        ({"gate_colors": "red"}, "gate_colors is True, or a dict"),
    ],
)
def test_what_cannot_be_is_refused(loss, options, why):
    with pytest.raises(DrawingError, match=why):
        draw(loss, "gates", **options)


def test_a_level_arrow_is_cut_where_another_crosses_it():
    from rnn import unroll

    run = unroll(LSTMCell(3, 4, rng=0), [[0.0] * 3] * 2)
    picture = draw(run.outputs, "gates").picture
    cut = [(arrow, gap) for arrow in picture.arrows for gap in arrow.gaps]
    assert cut
    for arrow, (x, y) in cut:
        assert any(a[1] == b[1] == y and a[0] <= x <= b[0] for a, b in flattened(arrow.path))
        others = (line for o in picture.arrows if o is not arrow for line in flattened(o.path))
        assert any(a[0] == b[0] == x and min(a[1], b[1]) < y < max(a[1], b[1]) for a, b in others)


def test_the_gaps_grow_with_the_steps_and_not_with_their_square():
    def gaps(T):
        out = illustration("lstm", T)[0]
        drawing = draw(out, "operations", gradients=backward(out))
        return sum(len(arrow.gaps) for arrow in drawing.picture.arrows)

    few, more, many = map(gaps, (30, 60, 90))
    assert many - more < 1.2 * (more - few)
