"""Slides: reopened, shapes where the picture has its boxes; and as another program shows them."""

import io
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from microgrrepresent import Tensor, backward, draw, frames, save
from microgrrepresent.drawing.marks.colors import box_paint
from microgrrepresent.drawing.marks.curves import along, corners_of, parted, straight, swung
from microgrrepresent.drawing.marks.labels import plain
from rnn.command_line.illustration import illustration

pptx = pytest.importorskip("pptx", reason="pip install '.[slides]'")


@pytest.fixture(scope="module")
def drawing():
    L, _ = illustration("lstm", 3)
    return draw(L, "gates", gradients=backward(L), size="slide")


@pytest.fixture(scope="module")
def path(drawing, tmp_path_factory):
    return save(drawing, tmp_path_factory.mktemp("slides") / "lstm.pptx")


@pytest.fixture(scope="module")
def slide(path):
    (slide,) = pptx.Presentation(str(path)).slides
    return slide


def shapes_of(slide, drawing):
    """The shapes of the boxes, in their order."""
    first = len(drawing.picture.panels)
    return list(slide.shapes)[first : first + len(drawing.picture.boxes)]


def text_of(shape):
    return ", ".join("".join(run.text for run in line.runs) for line in shape.text_frame.paragraphs)


def test_every_box_is_a_shape_at_its_place_with_its_words(slide, drawing):
    left, _, right, top = drawing.picture.frame()
    scale = 12192000 / (right - left)
    shapes = shapes_of(slide, drawing)
    assert len(shapes) == len(drawing.picture.boxes)
    for shape, box in zip(shapes, drawing.picture.boxes, strict=True):
        assert abs(shape.left - (box.left - left) * scale) < 12700 / 4
        assert abs(shape.top - (top - box.top) * scale) < 12700 / 4
        assert abs(shape.width - box.width * scale) < 12700 / 4
        assert text_of(shape) == plain(box.label).replace("_", "").replace("^", "")
        assert box.kind in shape._element._nvXxPr.cNvPr.get("descr")


def test_subscripts_are_subscripts(slide):
    (shape,) = [s for s in slide.shapes if s.has_text_frame and text_of(s) == "h3"]
    h, three = shape.text_frame.paragraphs[0].runs
    assert h.font.italic and h.font._element.get("baseline") is None
    assert three.font._element.get("baseline") == "-25000"


def glued(slide, drawing):
    """Every end of a connector that is glued: the box, its shape, the site and the end."""
    shapes = dict(zip(drawing.picture.boxes, shapes_of(slide, drawing), strict=True))
    numbers = {shape.shape_id: (box, shape) for box, shape in shapes.items()}
    for line in slide.shapes:
        if line.shape_type != pptx.enum.shapes.MSO_SHAPE_TYPE.LINE:
            continue
        arrow = next(a for a in drawing.picture.arrows if line.name == _name(a))
        for end, box, at in (
            ("stCxn", arrow.tail, arrow.path[0]),
            ("endCxn", arrow.head, arrow.path[-1]),
        ):
            for tie in line._element.iter(pptx.oxml.ns.qn(f"a:{end}")):
                found, shape = numbers[int(tie.get("id"))]
                assert found is box
                yield box, shape, int(tie.get("idx")), at


def _name(arrow):
    return f"{arrow.tail.name} -> {arrow.head.name}"


def straight_ones(drawing):
    return [a for a in drawing.picture.arrows if len(corners_of(a.path) or ()) == 2 and not a.gaps]


def test_connectors_are_glued_to_what_they_join(slide, drawing):
    ends = list(glued(slide, drawing))
    arrows = straight_ones(drawing)
    on_rectangles = [box for a in arrows for box in (a.tail, a.head) if not box.is_round]
    assert sum(not box.is_round for box, *_ in ends) == len(on_rectangles) > 50
    assert sum(box.is_round for box, *_ in ends) > 20


def test_a_line_with_bends_runs_as_in_the_picture(slide, drawing):
    """Point by point: another program would lay the bends of a connector elsewhere."""
    qn = pptx.oxml.ns.qn
    left, _, right, top = drawing.picture.frame()
    scale = 12192000 / (right - left)
    straight = straight_ones(drawing)
    bent = [arrow for arrow in drawing.picture.arrows if arrow not in straight]
    pieces = [piece for arrow in bent for piece in parted(arrow.path, arrow.gaps)]
    shapes = [
        shape
        for shape in slide.shapes
        if " -> " in shape.name and shape._element.spPr.find(qn("a:custGeom")) is not None
    ]
    assert len(bent) > 10
    for shape, piece in zip(shapes, pieces, strict=True):
        found = [
            (shape.left + int(point.get("x")), shape.top + int(point.get("y")))
            for point in shape._element.spPr.iter(qn("a:pt"))
        ]
        expected = [((x - left) * scale, (top - y) * scale) for x, y in piece]
        np.testing.assert_allclose(found, expected, atol=3)
    heads = [shape._element.spPr.find(f".//{qn('a:tailEnd')}") is not None for shape in shapes]
    assert sum(heads) == len(bent)


def test_every_shape_has_a_number_of_its_own(slide):
    numbers = [shape.shape_id for shape in slide.shapes]
    assert len(set(numbers)) == len(numbers) > 100


def test_the_colors_are_those_of_the_presentation(path, slide, drawing):
    qn = pptx.oxml.ns.qn
    (master,) = pptx.Presentation(str(path)).slide_masters
    theme = master.part.part_related_by(pptx.opc.constants.RELATIONSHIP_TYPE.THEME).blob.decode()
    flows = drawing.theme.flows
    for slot, value in {"accent1": flows["state"], "accent2": flows["gradient"]}.items():
        assert f'<a:{slot}><a:srgbClr val="{value[1:].upper()}"/></a:{slot}>' in theme
    for flow, slot in {"state": "accent1", "gradient": "accent2", "value": "tx1"}.items():
        lines = [s for s in slide.shapes if s._element._nvXxPr.cNvPr.get("descr") == flow]
        assert lines
        for line in lines:
            (own,) = line._element.spPr.iter(qn("a:schemeClr"))
            assert own.get("val") == slot


def test_what_stands_above_is_the_title_of_the_slide(drawing, tmp_path):
    L, _ = illustration("rnn", 2)
    made = frames(L)
    slides = pptx.Presentation(str(save(made, tmp_path / "bptt.pptx"))).slides
    assert [slide.shapes.title.text_frame.text for slide in slides] == [
        drawing.picture.title for drawing in made
    ]
    for slide in slides:
        assert len(list(slide.placeholders)) == 1


def test_words_keep_their_characters(tmp_path):
    product = Tensor(1.0, name="a<b") * Tensor(2.0, name='"&"')
    drawing = draw(product)
    (slide,) = pptx.Presentation(str(save(drawing, tmp_path / "a.pptx"))).slides
    words = [text_of(shape) for shape in shapes_of(slide, drawing)]
    assert words == [re.sub("[_^]", "", plain(box.label)) for box in drawing.picture.boxes]
    assert any("<" in word for word in words) and any("&" in word for word in words)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["pptx", "gif"])
def test_the_frames_of_ten_steps_take_seconds(tmp_path, ending):
    made = frames(illustration("lstm", 10)[0])
    before = os.times()
    save(made, tmp_path / f"a.{ending}")
    after = os.times()
    assert sum(after[:4]) - sum(before[:4]) < 10  # 2 and 6 s are usual


def test_a_connector_is_glued_where_it_ends(slide, drawing):
    qn = pptx.oxml.ns.qn
    own = 0
    for box, shape, number, (x, y) in glued(slide, drawing):
        geometry = shape._element.spPr.find(qn("a:custGeom"))
        if geometry is None:
            continue
        shares = {"l": 0.0, "t": 0.0, "hc": 0.5, "vc": 0.5, "r": 1.0, "b": 1.0}
        for guide in geometry.find(qn("a:gdLst")):
            operator, _, part, whole = guide.get("fmla").split()
            assert operator == "*/"
            shares[guide.get("name")] = int(part) / int(whole)
        site = geometry.find(qn("a:cxnLst"))[number].find(qn("a:pos"))
        there = box.left + shares[site.get("x")] * box.width
        assert abs(there - x) + abs(box.top - shares[site.get("y")] * box.height - y) < 2.5
        own += number > 3
        path = geometry.find(qn("a:pathLst")).find(qn("a:path"))
        assert (int(path.get("w")), int(path.get("h"))) == (shape.width, shape.height)
    assert own > 20


def test_gradients_are_dashed_and_have_their_widths(slide, drawing):
    lines = [s for s in slide.shapes if s.name.count(" -> ") == 1]
    found = [s for s in lines if s._element._nvXxPr.cNvPr.get("descr") == "gradient"]
    arrows = [a for a in drawing.picture.arrows if a.flow == "gradient"]
    assert len({s.name for s in found}) == len({(a.tail.name, a.head.name) for a in arrows})
    assert all(
        s._element.spPr.find(f".//{pptx.oxml.ns.qn('a:custDash')}") is not None for s in found
    )
    widths = sorted({round(a.width, 3) for a in arrows})
    assert len({s.line.width for s in found}) == pytest.approx(len(widths), abs=2)


@pytest.mark.parametrize("x", [1, -1])
@pytest.mark.parametrize("y", [1, -1])
@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("bends", [1, 2])
def test_corners_are_found_in_a_rounded_path(x, y, upright, bends):
    corners = [(0.0, 0.0), (60.0 * x, 0.0), (60.0 * x, 40.0 * y), (100.0 * x, 40.0 * y)]
    corners = corners[: 2 + bends]
    if upright:
        corners = [(b, a) for a, b in corners]
    np.testing.assert_allclose(corners_of(along(*corners)), corners, atol=1e-9)


def test_a_slope_has_no_corners():
    assert corners_of(straight((0.0, 0.0), (50.0, 30.0))) is None
    assert corners_of(swung((0.0, 0.0), (50.0, 30.0))) is None
    assert corners_of(straight((0.0, 0.0), (50.0, 0.0))) == [(0.0, 0.0), (50.0, 0.0)]


def test_without_python_pptx_one_sentence_says_how_to_get_it(drawing, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pptx", None)
    monkeypatch.delitem(sys.modules, "microgrrepresent.drawing.output.pptx", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'microgrrepresent\[slides\]'"):
        save(drawing, tmp_path / "lstm.pptx")


@pytest.mark.slow
@pytest.mark.parametrize("upright", [False, True])
def test_another_program_shows_the_same_colors_at_the_same_places(drawing, path, tmp_path, upright):
    Image = pytest.importorskip("PIL.Image")
    if upright:
        drawing = draw(illustration("gru", 3)[0], "gates", size="slide", direction="up")
        path = save(drawing, tmp_path / "up.pptx")
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"]
    assert shutil.which("soffice"), "LibreOffice is not installed"
    subprocess.run([*command, "--convert-to", "pdf", "--outdir", tmp_path, path], check=True)
    page = ["pdftoppm", "-r", "120", "-png", "-singlefile", tmp_path / f"{path.stem}.pdf"]
    image = np.asarray(Image.open(io.BytesIO(subprocess.check_output(page))).convert("RGB"), int)
    left, _, right, top = drawing.picture.frame()
    scale = image.shape[1] / (right - left)
    wrong = 0
    for box in drawing.picture.boxes:
        fill = box_paint(box, drawing.theme).fill
        if fill == "none":
            continue
        inside = box.left + 4 if not box.is_round else box.x - 0.4 * box.width
        x, y = (inside - left) * scale, (top - box.y) * scale
        color = [int(fill[i : i + 2], 16) for i in (1, 3, 5)]
        wrong += np.abs(image[round(y), round(x)] - color).max() > 12
    assert wrong <= len(drawing.picture.boxes) // 20  # where an arrow passes
