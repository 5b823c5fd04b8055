"""Every system of the index runs, is drawn, and has its example and its test."""

import ast
import inspect
import re
from pathlib import Path

import graphviz
import pytest

from rnn.command_line.commands import main
from rnn.errors import DataError
from rnn.systems import find, preamble, systems

ROOT = Path(__file__).parents[2]
SYSTEMS = systems()


def by_name(system):
    return system.english[0]


def names_after(call):
    names = {}
    exec(compile(f"{preamble()}\n{call}", "systems.toml", "exec"), names)
    return names


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_its_call_runs_and_its_picture_is_there(system):
    names = names_after(system.call)
    drawn = names.get("picture")
    made = [value for name in names.values() for value in (name if type(name) is list else [name])]
    assert not any(map(inspect.ismethod, made)), "a method that was not called"
    if system.picture is None:
        assert isinstance(drawn, graphviz.Digraph) and drawn.body
    else:
        assert drawn is None, "two pictures, and only one is shown"
        assert (ROOT / system.picture).stat().st_size > 1000


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_its_call_fits_a_terminal(system):
    assert max(map(len, system.call.splitlines())) <= 100


def functions_in(path):
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_its_example_and_its_test_exist(system):
    assert (ROOT / system.example).is_file() and system.example.startswith("examples/")
    path, _, function = system.test.partition("::")
    assert function in functions_in(path)


def is_chinese(name):
    return re.search(r"[\u4e00-\u9fff]", name) is not None


@pytest.mark.parametrize("system", SYSTEMS, ids=by_name)
def test_it_is_found_by_each_of_its_names(system):
    assert system.formula and is_chinese("".join(system.chinese))
    assert not is_chinese("".join(system.english))
    for name in system.names:
        assert find(name) == [system]
        assert system in find(name.upper())


def test_a_part_of_a_name_finds_all_that_have_it():
    assert [system.english[0] for system in find("peephole")] == ["Peephole LSTM"]
    assert [system.english[0] for system in find("窥视孔")] == ["Peephole LSTM"]
    assert [system.english[0] for system in find(" gru")] == ["GRU"]  # exactly so called
    assert len(find("双向")) == 2 and len(find("clipping")) == 3


def test_what_there_is_not_is_said_with_what_is_near():
    with pytest.raises(DataError, match="'peepole'; near it: Peephole LSTM"):
        find("peepole")
    with pytest.raises(DataError, match="lists all"):
        find("qqqqqq")


def test_the_command_lists_all_shows_one_and_refuses_in_one_line(capsys):
    assert main(["systems"]) == 0
    listed = capsys.readouterr().out
    assert all(s.english[0] in listed and s.chinese[0] in listed for s in SYSTEMS)
    assert main(["systems", "窥视孔"]) == 0
    shown = capsys.readouterr().out
    assert 'LSTMCell(3, 4, peephole="diagonal")' in shown and "from rnn import *" in shown
    assert main(["systems", "循环"]) == 0
    assert "简单循环网络" in capsys.readouterr().out
    assert main(["systems", "qqqqqq"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_help_shows_the_way():
    import rnn

    assert "python -m rnn systems" in rnn.__doc__
