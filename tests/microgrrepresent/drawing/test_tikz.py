"""Drawings as TikZ: readable in every theme, and what LaTeX needs is loaded."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from microgrrepresent import Tensor, backward, draw, stop_gradient
from microgrrepresent.drawing.marks.labels import text
from microgrrepresent.drawing.marks.picture import Panel
from microgrrepresent.drawing.marks.themes import DARK
from microgrrepresent.drawing.output.tikz import tikz
from rnn.command_line.illustration import illustration


def drawn(view="gates", **options):
    L, _ = illustration("lstm", 2)
    return draw(L, view, gradients=backward(L), **options)


def compiled(words, folder):
    (folder / "a.tex").write_text(words)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_background_is_behind_everything_and_wider():
    drawing = drawn(theme="dark")
    body = tikz(drawing.picture, drawing.theme).partition(r"\begin{tikzpicture}")[2]
    first = next(line for line in body.split("\n") if line.startswith("\\"))
    numbers = [float(n) for n in re.findall(r"[-\d.]+(?=[,)])", first)]
    left, bottom, right, top = drawing.picture.bounds()
    assert rf"\fill[c{DARK.background[1:]}]" in first
    assert numbers[0] < left and numbers[1] < bottom and numbers[2] > right and numbers[3] > top


def test_no_box_covers_an_arrow():
    lines = tikz(drawn().picture, DARK).split("\n")
    boxes = [i for i, line in enumerate(lines) if re.match(r"\\node\[(box|round)", line)]
    arrows = [i for i, line in enumerate(lines) if line.startswith(r"\draw[->")]
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


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
@pytest.mark.parametrize("view", ["operations", "variables", "cells", "layers"])
@pytest.mark.parametrize("theme", ["dark", "print"])
def test_every_view_compiles(tmp_path, view, theme):
    words = tikz((drawing := drawn(view, theme=theme)).picture, drawing.theme)
    paper = r"\\documentclass{article}\\usepackage{tikz}\\pdfpagewidth=3000bp "
    compiled(re.sub(r"\\documentclass\[[^]]*\]\{standalone\}", paper, words), tmp_path)


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_signs_of_operations_compile(tmp_path):
    x = Tensor(True, name="x")
    y = ((x & ~x) | x).named("a\nb")
    words = tikz((drawing := draw(y)).picture, drawing.theme)
    paper = r"\\documentclass{article}\\usepackage{tikz}"
    compiled(re.sub(r"\\documentclass\[[^]]*\]\{standalone\}", paper, words), tmp_path)
