"""PNG, PDF and GIF: what Graphviz paints is what the SVG shows."""

import io
import shutil
import subprocess
from itertools import pairwise

import numpy as np
import pytest

from microgrrepresent import Tensor, backward, draw, save
from microgrrepresent.drawing.marks.curves import along, dashed, distance
from microgrrepresent.drawing.output.xdot import xdot
from rnn.command_line.illustration import illustration

Image = pytest.importorskip("PIL.Image")


@pytest.mark.skipif(not shutil.which("rsvg-convert"), reason="librsvg is not installed")
@pytest.mark.parametrize(
    ("options", "dpi"),
    [({"size": "slide"}, 96), ({"theme": "dark"}, 144), ({"size": (900, 1600)}, 96)],
)
def test_a_png_looks_as_the_svg_does(options, dpi):
    """Of all pixels 2 % may differ: letters stand a bit higher here than there. Heads were 4 %."""
    loss, _ = illustration("lstm", 3)
    drawing = draw(loss, "gates", gradients=backward(loss), **options)
    command = ["rsvg-convert", f"--dpi-x={dpi}", f"--dpi-y={dpi}"]
    svg = subprocess.run(command, input=drawing.svg().encode(), capture_output=True, check=True)
    seen = [
        np.asarray(Image.open(io.BytesIO(image)).convert("RGB"), int)
        for image in (svg.stdout, drawing.painted("png", dpi))
    ]
    height, width = (min(image.shape[side] for image in seen) for side in (0, 1))
    ours, theirs = (image[:height, :width] for image in seen)
    assert (np.abs(ours - theirs).max(axis=2) > 60).mean() < 0.02


def test_what_was_changed_is_painted_as_it_was_changed():
    loss, _ = illustration("rnn", 2)
    drawing = draw(loss, "gates")
    drawing.body.append('\textra [pos="0,0" style=filled fillcolor="#123456" label=""]\n')
    image = Image.open(io.BytesIO(drawing.painted("png", 72))).convert("RGB")
    assert (0x12, 0x34, 0x56) in {color for _, color in image.getcolors(1 << 24)}


def test_a_long_text_of_many_shapes_is_read(tmp_path):
    """Graphviz takes a string of more than 16,384 characters for one that does not end."""
    loss, _ = illustration("lstm", 6)
    drawing = draw(loss, "operations", gradients=backward(loss))
    lines = xdot(drawing.picture, drawing.theme, "10,10!").splitlines()
    background = [line for line in lines if "setlinewidth" in line]
    assert max(map(len, background)) < 16_384
    assert len(background) < sum(map(len, background)) / 8_000  # joining many takes seconds
    assert save(drawing, tmp_path / "a.pdf").stat().st_size > 10_000


def test_words_of_any_letters_are_painted(tmp_path):
    a, b = Tensor(1.0, name='<"&\\N>'), Tensor(2.0, name="隐藏")
    with Image.open(save((a * b).named("]"), tmp_path / "a.png", title="a <b> & 标题")) as image:
        assert image.size > (50, 50)


@pytest.mark.parametrize("path", [[(0, 0), (40, 0)], [(0, 0), (40, 0), (40, 30), (90, 30)]])
def test_dashes_have_their_length_and_follow_the_path(path):
    line = along(*((float(x), float(y)) for x, y in path))
    dashes = dashed(line, 5.0, 2.0)
    whole = sum(distance(a, b) for a, b in pairwise(path))
    assert len(dashes) == pytest.approx(whole / 7, abs=2)
    for dash in dashes:
        assert (len(dash) - 1) % 3 == 0 and distance(dash[0], dash[-1]) < 5.3
    for one, other in pairwise(dashes):
        assert 1.5 < distance(one[-1], other[0]) < 2.2
    assert dashes[0][0] == line[0]
