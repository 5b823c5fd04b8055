"""Slides: reopened, shapes where the picture has its boxes; and as another program shows them."""

import io
import shutil
import subprocess

import numpy as np
import pytest

from microgrrepresent import backward, draw, save
from microgrrepresent.drawing.marks.colors import box_paint
from microgrrepresent.drawing.marks.curves import along, corners_of, straight, swung
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


def test_connectors_are_glued_to_what_they_join(slide, drawing):
    ends = list(glued(slide, drawing))
    on_rectangles = [
        box
        for arrow in drawing.picture.arrows
        if len(corners_of(arrow.path) or ()) in (2, 3, 4) and not arrow.gaps
        for box in (arrow.tail, arrow.head)
        if not box.is_round
    ]
    assert sum(not box.is_round for box, *_ in ends) == len(on_rectangles) > 50
    assert sum(box.is_round for box, *_ in ends) > 20


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
    assert {str(s.line.dash_style) for s in found} == {"DASH (4)"}
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
