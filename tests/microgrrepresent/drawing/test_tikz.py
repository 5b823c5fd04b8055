"""Drawings as TikZ: readable in every theme, and what LaTeX needs is loaded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from math import atan2, degrees, dist

import pytest

from microgrrepresent import Tensor, backward, draw, stop_gradient
from microgrrepresent.drawing.marks.colors import arrow_color, head_length, line_style
from microgrrepresent.drawing.marks.curves import arrow_head
from microgrrepresent.drawing.marks.labels import Run, math, text
from microgrrepresent.drawing.marks.picture import PAD, Panel
from microgrrepresent.drawing.marks.themes import DARK
from microgrrepresent.drawing.output.tex import tex
from microgrrepresent.drawing.output.tikz import tikz
from rnn.command_line.illustration import illustration

NAMES = [
    "</script>", '"quoted" & \'single\'', r"back\slash\N\\", "{a}%b#c$d~e^f`g", "line\nbreak",
    "emoji 😀", "状态", "שלום", "nul\0\x1b", "é ñ ø ß ł Я", "$(x)$ ${title}",
]  # fmt: skip


def drawn(view="gates", **options):
    L, _ = illustration("lstm", 2)
    return draw(L, view, gradients=backward(L), **options)


def lines_of(drawing):
    return tikz(drawing.picture, drawing.theme).split("\n")


NUMBER = r"-?\d+\.\d\d"
POINT = re.compile(rf"\(({NUMBER}),({NUMBER})\)")


def points(words):
    return [(float(x), float(y)) for x, y in POINT.findall(words)]


def test_the_background_is_behind_everything_and_wider():
    drawing = drawn(theme="dark")
    body = tikz(drawing.picture, drawing.theme).partition(r"\begin{tikzpicture}")[2]
    first = next(line for line in body.split("\n") if line.startswith("\\"))
    numbers = [float(n) for n in re.findall(r"[-\d.]+(?=[,)])", first)]
    left, bottom, right, top = drawing.picture.bounds()
    assert rf"\fill[c{DARK.background[1:]}]" in first
    assert numbers[0] < left and numbers[1] < bottom and numbers[2] > right and numbers[3] > top


def test_a_step_is_set_low_and_a_power_high():
    assert tex((math("h", 3),), 14) == r"\setsize{14}$h_{\mathrm{3}}$"
    assert (
        tex(((*text("x"), Run("2", level="sup")),), 14) == r"\setsize{14}$\mathrm{x}^{\mathrm{2}}$"
    )


def test_no_box_covers_an_arrow():
    lines = tikz(drawn().picture, DARK).split("\n")
    boxes = [i for i, line in enumerate(lines) if re.match(r"\\node\[(box|round)", line)]
    arrows = [i for i, line in enumerate(lines) if "controls" in line]
    assert boxes and arrows and max(boxes) < min(arrows)


def test_words_on_arrows_can_be_read_on_a_dark_page():
    x = Tensor(2.0, requires_grad=True, name="x")
    drawing = draw((x * stop_gradient(x * x)).named("y"), "variables", theme="dark")
    words = re.findall(r" \\node\[(.*?)\]", tikz(drawing.picture, DARK))
    free = [style for style in words if "minimum" not in style]
    assert len(free) == 2 and all("text=c" in style for style in free)


def test_chinese_on_an_arrow_or_in_a_title_only():
    picture = draw((Tensor(2.0, name="x") * 2).named("y")).picture
    assert "ctex" not in tikz(picture, DARK)
    picture.arrows[0].label, picture.arrows[0].label_at = (text("积"),), (0.0, 0.0)
    assert r"\usepackage{ctex}" in tikz(picture, DARK)
    picture.arrows[0].label = ()
    picture.panels.append(Panel("t1", (text("网络"),), 0.0, 0.0, 50.0, 50.0, 10.0))
    assert r"\usepackage{ctex}" in tikz(picture, DARK)


@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells"])
def test_heads_point_where_their_arrows_go(view):
    """Each arrow ends in a triangle: its tip at the end of the path, its foot where the line is."""
    drawing = drawn(view)
    arrows = [line for line in lines_of(drawing) if line.startswith(r"\draw[") and "cycle" in line]
    assert len(arrows) == len(drawing.picture.arrows) > 10
    for arrow, line in zip(drawing.picture.arrows, arrows, strict=True):
        curve, _, head = line.partition(r"\fill")
        left, tip, right = points(head.partition("cycle")[0])
        pieces = [points(piece) for piece in re.split(r"(?<=\)) (?=\()", curve)]
        path = pieces[-1]
        assert tip == pytest.approx(arrow.path[-1], abs=0.01)
        foot = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2)
        assert foot == pytest.approx(path[-1], abs=0.02)
        assert dist(tip, foot) == pytest.approx(head_length(arrow), rel=0.25)
        for piece in pieces:
            for n in range(0, len(piece) - 1, 3):
                assert dist(piece[n], piece[n + 3]) > 0.01, line  # no curve without a length
        before = arrow.path[-2] if dist(arrow.path[-2], tip) > 1 else arrow.path[-3]
        turn = degrees(atan2(tip[1] - before[1], tip[0] - before[0]))
        turn -= degrees(atan2(tip[1] - foot[1], tip[0] - foot[0]))
        assert abs((turn + 180) % 360 - 180) < 30, line


def test_widths_dashes_and_strength_are_those_of_the_svg():
    drawing = drawn(theme="print")
    arrows = [line for line in lines_of(drawing) if line.startswith(r"\draw[") and "cycle" in line]
    for arrow, line in zip(drawing.picture.arrows, arrows, strict=True):
        assert ("dash pattern" in line) == (
            line_style(arrow, drawing.theme)[:4] in ("dash", "dott")
        )
        assert ("opacity" in line) == (arrow.flow == "gradient" and arrow.strength < 1)


# --- what LaTeX makes of it ----------------------------------------------------------------------

# In CI all of these run; elsewhere those whose LaTeX is missing are left out.
needs_pdflatex = pytest.mark.skipif(
    not (shutil.which("pdflatex") or os.environ.get("CI")), reason="pdflatex is not installed"
)
needs_xelatex = pytest.mark.skipif(
    not (shutil.which("xelatex") or os.environ.get("CI")), reason="xelatex is not installed"
)


def compiled(words, folder, program="pdflatex"):
    (folder / "a.tex").write_text(words)
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    return folder / "a.pdf"


def words_of(pdf):
    """The words of a page, each with its left, top, right and bottom, y downwards."""
    command = ["pdftotext", "-bbox", pdf, "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    sides = r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>'
    return [(*map(float, found[:4]), found[4]) for found in re.findall(sides, text)]


@pytest.mark.slow
@needs_pdflatex
@pytest.mark.parametrize("view", ["operations", "variables", "gates", "cells", "layers"])
def test_every_view_compiles_and_no_text_leaves_its_box(tmp_path, view):
    drawing = drawn(view, values=view == "variables")
    found = words_of(compiled("\n".join(lines_of(drawing)), tmp_path))
    left, _, _, top = drawing.picture.bounds()
    boxes = drawing.picture.boxes
    within = 0
    for x0, y0, x1, y1, word in found:
        x, y = (x0 + x1) / 2 + left - PAD, top + PAD - (y0 + y1) / 2
        own = [b for b in boxes if b.left <= x <= b.right and b.bottom <= y <= b.top]
        within += len(own)
        for box in own:
            assert x0 + left - PAD > box.left - 0.5, (word, box.name)
            assert x1 + left - PAD < box.right + 0.5, (word, box.name)
            tall = y1 - y0
            assert tall < 2.2 * box.font, (word, box.name)
    assert within >= len([box for box in boxes if box.label])
    heights = [y1 - y0 for _, y0, _, y1, word in found if word.isalpha() and len(word) > 2]
    assert not heights or 10 < max(heights) < 22  # 14 points, not 10


@pytest.mark.slow
@needs_pdflatex
def test_heads_are_where_the_picture_says_in_pixels(tmp_path):
    matplotlib = pytest.importorskip("matplotlib.image")
    drawing = drawn("gates")
    pdf = compiled("\n".join(lines_of(drawing)), tmp_path)
    subprocess.run(["pdftoppm", "-png", "-r", "288", pdf, tmp_path / "a"], check=True)
    pixels = matplotlib.imread(next(tmp_path.glob("a*.png")))[..., :3]
    left, _, _, top = drawing.picture.bounds()
    colors = {}
    for arrow in drawing.picture.arrows:
        ink = arrow_color(arrow, drawing.theme)
        colors[arrow] = [int(ink[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    for arrow in drawing.picture.arrows:
        if arrow.flow == "gradient":
            continue
        _, head = arrow_head(arrow.path, head_length(arrow))
        x, y = (sum(corner[i] for corner in head) / 3 for i in (0, 1))
        seen = pixels[int(4 * (top + PAD - y)), int(4 * (x - left + PAD))]
        later = drawing.picture.arrows[drawing.picture.arrows.index(arrow) :]
        assert any(abs(seen - colors[other]).max() < 0.15 for other in later), arrow.head.name


@pytest.mark.slow
@needs_pdflatex
@pytest.mark.parametrize("theme", ["dark", "print"])
def test_every_theme_compiles(tmp_path, theme):
    compiled("\n".join(lines_of(drawn("operations", theme=theme))), tmp_path)


@pytest.mark.slow
@needs_pdflatex
def test_signs_of_operations_compile(tmp_path):
    x = Tensor(True, name="x")
    compiled("\n".join(lines_of(draw(((x & ~x) | x).named("a\nb")))), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [pytest.param("pdflatex", marks=needs_pdflatex), pytest.param("xelatex", marks=needs_xelatex)],
)
def test_names_of_any_characters_compile(tmp_path, program):
    total = 0
    for name in NAMES:
        total = total + Tensor(2.0, name=name) * 2
    pdf = compiled("\n".join(lines_of(draw(total, "variables"))), tmp_path, program)
    said = "".join(word for *_, word in words_of(pdf))
    for part in ("script", "quoted", "slash", "emoji", "c$d"):
        assert part in said
    if program == "xelatex":
        assert "状态" in said and "Я" in said and "😀" in said
