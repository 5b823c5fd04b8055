"""What a drawing refuses, and in which words: one sentence that says the choices."""

from __future__ import annotations

import numpy as np
import pytest

from microgrrepresent import DrawingError, Tensor, backward, draw, save

FORMS = r"one of operations, variables, gates, cells, layers"
WINDOW = r"window is two numbers of steps.*\(3, 2\), got "


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"view": "gate"}, FORMS + ", got 'gate'"),
        ({"view": ["gates"]}, FORMS),
        ({"time": "fold"}, "time is one of unrolled, folded, both, got 'fold'"),
        ({"theme": "sepia"}, "theme is one of light, dark, print, got 'sepia'"),
        ({"gradients": 3}, r"gradients is the result of backward\(loss\), or None, got 3"),
        ({"window": 3}, WINDOW + "3"),
        ({"window": (1,)}, WINDOW),
        ({"window": (-1, 2)}, WINDOW),
        ({"window": (0, 0)}, WINDOW),
        ({"window": (1.5, 2)}, WINDOW),
        ({"window": "ab"}, WINDOW),
        ({"window": (3, 2), "time": "folded"}, "one step for all.*time 'both'"),
        ({"view": "layers", "time": "both"}, "all of time in one box"),
        ({"view": "layers", "window": (3, 2)}, "all of time in one box"),
        ({"depth": -1}, "depth is a number of scopes, 0 or more, or None, got -1"),
        ({"depth": "a"}, "depth is a number"),
        ({"collapse": "lstm"}, r"collapse is a set of scopes: \{'encoder'\}, got 'lstm'"),
        ({"collapse": {"encoder"}}, "no scope 'encoder' in this graph.*its scopes are.* lstm"),
        ({"rails": 3}, "rails is True or False, got 3"),
        ({"values": "all"}, "values is True or False, got 'all'"),
    ],
)
def test_options_that_are_refused(options, words, make):
    with pytest.raises(DrawingError, match=words) as caught:
        draw(make["loss"](), **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("out", [3, None, "x", [], [3], {}, np.ones(3), np.ones((9, 9))])
def test_what_cannot_be_drawn(out):
    with pytest.raises(
        DrawingError, match="out is a Tensor, a list of Tensors, or a Graph"
    ) as caught:
        draw(out)
    assert "\n" not in str(caught.value)


def test_gradients_belong_to_the_graph_and_to_steps(make):
    out = make["loss"]()
    with pytest.raises(DrawingError, match="gradients are of another graph"):
        draw(out, gradients=backward(Tensor(1.0, requires_grad=True) * 2))
    with pytest.raises(DrawingError, match=r"no gradients of its own.*time 'both'"):
        draw(out, gradients=backward(out), time="folded")


def test_what_is_near_is_taken(make):
    out = make["loss"](8)
    draw([out], collapse=["lstm"], window=[np.int64(2), 0], depth=np.int64(1))


def test_a_folder_that_is_missing_is_made(make, tmp_path):
    assert save(make["logistic"](), tmp_path / "new" / "folder" / "a.svg").is_file()


def test_files_that_cannot_be_written(make, tmp_path):
    out = make["logistic"]()
    with pytest.raises(DrawingError, match=r"\.svg .*got .*\.gif"):
        save(out, tmp_path / "a.gif")
    with pytest.raises(DrawingError, match="dpi is a number of dots per inch above 0, got 0"):
        save(out, tmp_path / "a.png", dpi=0)
    with pytest.raises(DrawingError, match="view= came too late"):
        save(draw(out), tmp_path / "a.svg", view="gates")
    with pytest.raises(DrawingError, match=r"pixels wide.*window=\(3, 2\)"):
        save(make["loss"](120), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
