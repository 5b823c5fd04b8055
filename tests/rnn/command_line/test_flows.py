"""``python -m rnn flow`` and ``connectivity``: how far back gradients reach, and their figures."""

import sys

import numpy as np
import pytest

from rnn import GRU, RNN
from rnn.command_line.illustration import ILLUSTRATED
from rnn.diagnosis import gradient_flow
from tests.rnn.command_line.typed import refused, run

QUICK = ["--quiet", "--hidden", "8", "--batch", "4", "--every", "5"]


def test_flow_prints_a_table_and_draws_it(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    status, out, _ = run(
        capsys, "flow", "--cells", "rnn,gru", "--length", "12", "-o", "pictures/flow.svg"
    )
    assert status == 0
    assert "rnn" in out
    assert "gru" in out
    assert "lstm" not in out
    assert (tmp_path / "pictures" / "flow.svg").read_text().count("<svg") == 1


def test_connectivity_shows_what_a_model_listens_to(capsys, tmp_path):
    run(capsys, "train", "characters", "--steps", "2", *QUICK, "--out", "c.npz")
    status, out, err = run(capsys, "connectivity", "c.npz", "--text", "We hold§")
    assert status == 0 and "read as <unk>: '§'" in err
    assert "   7  '§'  x_" in out and "Written: connectivity.html" in out
    assert "<h1>Which input the loss at each step listens to" in (
        tmp_path / "connectivity.html"
    ).read_text("utf-8")
    assert "two characters or words: one to read" in refused(
        capsys, "connectivity", "c.npz", "--text", "W"
    )
    status, out, _ = run(capsys, "connectivity", "c.npz", "-o", "a.html")
    assert status == 0 and "  71  " in out
    run(capsys, "train", "adding", "--steps", "2", *QUICK, "--out", "a.npz")
    assert "which writes no text" in refused(capsys, "connectivity", "a.npz")


def test_a_page_that_is_drawn_has_lines_of_code(capsys, tmp_path):
    assert run(capsys, "draw", "--cell", "lstm", "--steps", "2", "-o", "a.html")[0] == 0
    assert "in LSTMCell.forward" in (tmp_path / "a.html").read_text("utf-8")


def test_flow_compares_forget_biases_and_beginnings(capsys):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    small = ["--length", "20", "--hidden", "8"]
    chosen = ["--cells", "lstm,rnn", "--forget-bias", "0,3", "--init", "orthogonal"]
    status, out, _ = run(capsys, "flow", *small, *chosen)
    assert status == 0
    head, *_, rates = out.split("\n\n")[1].splitlines()
    assert "lstm, forget bias 0 h" in head and "lstm, forget bias 3 c" in head and "  rnn" in head
    low, _, high, *_ = map(float, rates.split()[2:])
    assert low < high
    status, out, _ = run(capsys, "flow", *small, "--cells", "rnn", "--init", "identity")
    own = run(capsys, "flow", *small, "--cells", "rnn")[1]
    assert float(out.split("per step")[1].split()[0]) > float(own.split("per step")[1].split()[0])


def test_flow_of_two_directions_begins_at_both_ends(capsys, tmp_path):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    chosen = ["--cells", "gru", "--bidirectional", "--length", "6", "--hidden", "3"]
    status, out, _ = run(capsys, "flow", *chosen, "--units", "-o", "units.svg")
    assert status == 0 and "gru gru/l0_reverse/h" in out
    rows = out.split("\n\n")[1].splitlines()[1:-1]
    columns = {int(row.split()[0]): row.split()[1:] for row in rows}
    assert columns[6][0] == "1.000e+00" == columns[1][1]
    assert "Every unit at every step" in (tmp_path / "units.svg").read_text("utf-8")


def test_flow_of_all_cells(capsys):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    status, out, _ = run(capsys, "flow", "--cells", "all", "--length", "4", "--hidden", "3")
    assert status == 0 and all(name in out for name in ILLUSTRATED)


def test_what_flow_cannot_show(capsys):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    assert "--cells has neither of them" in refused(
        capsys, "flow", "--cells", "rnn,lstm-1997", "--forget-bias", "1"
    )
    assert "must be numbers such as 0,1,3, got '1,x'" in refused(
        capsys, "flow", "--forget-bias", "1,x"
    )
    assert "--units shows one network, and there are 3: lstm, gru, rnn" in refused(
        capsys, "flow", "--units"
    )


def test_flow_of_layers_is_that_of_the_layer(capsys):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    chosen = ["--cells", "gru", "--length", "6", "--hidden", "3"]
    assert run(capsys, "flow", *chosen, "--layers", "2")[0] == 0
    _, out, _ = run(capsys, "flow", *chosen, "--layers", "2")
    rng = np.random.default_rng(0)
    layer = GRU(4, 3, 2, rng=rng)
    assert str(gradient_flow({"gru": layer}, rng.standard_normal((6, 8, 4)))) in out
    assert run(capsys, "flow", *chosen)[1] != out


def test_flow_of_all_outputs_arrives_at_every_step(capsys):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    small = ("--cells", "rnn", "--length", "6", "--hidden", "3")
    last, every = (run(capsys, "flow", *small, "--output", o)[1] for o in ("last", "all"))
    assert "gradient of all outputs" in every and last != every
    rng = np.random.default_rng(0)
    layers, xs = {"rnn": RNN(4, 3, rng=rng)}, rng.standard_normal((6, 8, 4))
    assert str(gradient_flow(layers, xs, lambda y: y.sum() / np.sqrt(8 * 3))) in every


def test_flow_knows_every_cell_that_can_be_drawn(capsys):
    pytest.importorskip("matplotlib", reason="draws with matplotlib")
    status, out, err = run(
        capsys, "flow", "--cells", ",".join(ILLUSTRATED), "--length", "4", "--hidden", "3"
    )
    assert (status, err) == (0, "")
    assert all(name in out.split() for name in ILLUSTRATED)


def test_flow_without_matplotlib(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    status, out, err = run(capsys, "flow", "--cells", "rnn", "--length", "5")
    assert status == 2
    assert "per step" in out  # the table is there all the same
    assert "matplotlib" in err
