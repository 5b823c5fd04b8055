"""``python -m rnn draw``, and the pages: what each option does to a picture."""

import numpy as np
import pytest

from microgrrepresent import Graph
from microgrrepresent.drawing.views.choices import view_names
from rnn.command_line.illustration import ILLUSTRATED, illustration
from tests.rnn.command_line.typed import refused, run


@pytest.mark.parametrize("cell", list(ILLUSTRATED))
def test_every_cell_is_drawn(capsys, tmp_path, cell):
    status, out, _ = run(capsys, "draw", "--cell", cell, "--steps", "3", "-o", "new/picture.svg")
    assert status == 0
    assert "Written: new/picture.svg" in out
    assert "unrolled over 3 steps" in (tmp_path / "new" / "picture.svg").read_text()


@pytest.mark.parametrize("view", view_names())
def test_every_view_is_drawn_with_gradients(capsys, tmp_path, view):
    status, _, _ = run(
        capsys,
        "draw",
        "--cell",
        "rnn",
        "--view",
        view,
        "--gradients",
        "--theme",
        "dark",
        "--values",
    )
    assert status == 0
    assert "stroke-dasharray" in (tmp_path / "unrolled.svg").read_text()


@pytest.mark.parametrize("time_shown", ["folded", "both"])
@pytest.mark.parametrize("view", [view for view in view_names() if view != "layers"])
def test_every_view_is_folded(capsys, tmp_path, view, time_shown):
    gradients = ["--gradients"] if time_shown == "both" else []
    status, _, _ = run(capsys, "draw", "--view", view, "--time", time_shown, *gradients)
    assert status == 0
    assert "</svg>" in (tmp_path / "unrolled.svg").read_text()


def test_a_window_leaves_out_the_middle(capsys, tmp_path):
    sizes = []
    for window in (["--window", "2,1"], []):
        status, _, _ = run(capsys, "draw", "--cell", "rnn", "--steps", "30", *window)
        assert status == 0
        sizes.append((tmp_path / "unrolled.svg").stat().st_size)
    assert sizes[0] < sizes[1] / 4


def test_the_loss_of_an_illustration_is_the_sum_of_all_squared_errors():
    graph = Graph(loss := illustration("rnn", 5)[0])
    said, targets = (np.array([node.value for node in graph.find(n)]) for n in ("ŷ", "target"))
    assert said.shape == targets.shape == (5, 2)
    assert float(loss) == pytest.approx(((said - targets) ** 2).sum(), rel=1e-12)


def test_pictures_that_cannot_be_drawn(capsys):
    layers = refused(capsys, "draw", "--view", "layers", "--time", "both")
    folded = refused(capsys, "draw", "--time", "folded", "--gradients")
    assert "all of time in one box" in layers and "one step for all" in folded
    assert "=" not in layers + folded  # which is how a program says it
    assert "time 'both'" in folded
    assert "--window: must be two integers" in refused(capsys, "draw", "--window", "3")
    assert "--cell: invalid choice: 'cnn'" in refused(capsys, "draw", "--cell", "cnn")
    assert "'x.bmp' must end in one of .svg" in refused(capsys, "draw", "-o", "x.bmp")
    assert "cannot write /dev/null/x.svg: " in refused(capsys, "draw", "-o", "/dev/null/x.svg")


def test_too_many_steps_are_refused_before_the_graph_is_built(capsys, monkeypatch):
    monkeypatch.setattr("rnn.command_line.commands.recorded", None)  # must not be called
    said = refused(capsys, "draw", "--cell", "lstm", "--steps", "100000")
    assert "a picture can show 5,000 steps, got --steps 100000" in said
    assert "--window 3,2" in said and "--time folded" in said and "=" not in said


def test_a_window_of_many_steps_is_drawn(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("rnn.command_line.commands.MOST_STEPS", 5)
    many = ["draw", "--cell", "rnn", "--steps", "9"]
    for shorter in (["--window", "3,2"], ["--time", "folded"], ["--view", "layers"]):
        assert run(capsys, *many, *shorter)[0] == 0
    assert "can show 5 steps" in refused(capsys, *many)


def test_a_page_to_step_through(capsys, tmp_path):
    status, out, _ = run(capsys, "bptt", "--cell", "rnn", "--steps", "3", "-o", "pages/bptt.html")
    assert status == 0
    assert "Written: pages/bptt.html" in out
    page = (tmp_path / "pages" / "bptt.html").read_text()
    assert "RNN: backpropagation through time" in page
    assert "unrolled over 3 steps" in page
    assert "'x.svg' must end in one of .html" in refused(capsys, "bptt", "-o", "x.svg")


def test_draw_frame_by_frame(capsys, tmp_path):
    status, _, err = run(
        capsys, "draw", "--cell", "rnn", "--steps", "2", "--frames", "--no-loss", "-o", "a.html"
    )
    assert (status, err) == (0, "")
    assert (tmp_path / "a.html").read_text().count("<figure hidden>") == 7
