"""The benchmarks run, compare what is the same, and can say no. No times are asserted."""

import subprocess
import sys

import numpy as np
import pytest

from tests.benchmarks import chain, contest, freed, lstm_layer


@pytest.mark.parametrize("race", [chain, lstm_layer], ids=["chain", "lstm_layer"])
def test_a_contest_is_between_equals(race, monkeypatch):
    monkeypatch.setattr(race, "ROUNDS", 2)
    monkeypatch.setattr(race, "pytorch", race.ours)  # in the place of one that may be missing
    table = race.table()
    assert "microgrrepresent" in table and "at least" in table
    wrong = [np.zeros(3)] * len(race.ours()())
    monkeypatch.setattr(race, "pytorch", lambda: lambda: wrong)
    with pytest.raises(AssertionError, match="PyTorch"):
        race.table()


@pytest.mark.parity
@pytest.mark.parametrize("race", [chain, lstm_layer], ids=["chain", "lstm_layer"])
def test_the_peers_compute_the_same(race, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("autograd")
    monkeypatch.setattr(race, "ROUNDS", 2)
    table = race.table()  # which compares every result with ours
    assert "not installed" not in table and table.count("at least") == 2


def test_a_peer_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(chain, "ROUNDS", 2)
    for peer in ("autograd", "torch"):
        monkeypatch.setitem(sys.modules, peer, None)  # makes the import fail
    lines = chain.table().splitlines()
    assert [line.split("  ")[0] for line in lines if "not installed" in line] == [
        "HIPS autograd",
        "PyTorch",
    ]


def test_the_count_of_living_tensors_can_be_above_zero(monkeypatch):
    monkeypatch.setattr(freed, "GRAPHS", 3)
    assert "NOT REACHED" not in freed.table()
    kept = []
    monkeypatch.setattr(freed, "tanh", lambda h: kept.append(h) or h)
    assert "NOT REACHED" in freed.table()


def test_ratios_are_taken_round_by_round():
    ratio = contest.Ratio([2.0, 4.0, 9.0], [1.0, 1.0, 3.0])
    assert (ratio.median, ratio.low, ratio.high) == (3.0, 2.0, 4.0)
    turns = []
    runs = {name: lambda name=name: turns.append(name) for name in "AB"}
    times = contest.take_turns(runs, rounds=2)
    assert turns == list("ABABAB") and [len(times[name]) for name in "AB"] == [2, 2]


def test_the_command_names_what_there_is():
    command = [sys.executable, "-m", "tests.benchmarks", "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "no benchmark nonsense" in done.stderr
