"""Figures of matplotlib: what is in the file."""

import warnings

import pytest

pytest.importorskip("matplotlib", reason="draws with matplotlib")

from matplotlib.font_manager import get_font_names

from rnn.figures import FAMILIES, slide


@pytest.mark.skipif(not {*FAMILIES} & {*get_font_names()}, reason="no font has Chinese letters")
def test_chinese_is_written(tmp_path):
    figure = slide()
    figure.subplots().set_title("今天 h_t")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a letter that no font has is a warning, and a box
        figure.write(tmp_path / "a.png")
    figure.write(tmp_path / "a.svg")
    first = (tmp_path / "a.svg").read_bytes()
    figure.write(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_bytes() == first
