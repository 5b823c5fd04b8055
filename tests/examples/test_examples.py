"""Every example runs with its small settings, reaches its bars, and leaves its pictures."""

import math
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import all as everything
import pytest
import result
from result import Result

ROOT = Path(__file__).parents[2]
FAST = {
    "graphs",
    "one_hot",
    "homophones",
    "automaton",
    "ctrnn",
    "hopfield",
    "word_model",
    "vanishing",
    "exploding",
    "marker",
}


def parameters():
    for name in everything.EXAMPLES:
        yield pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow])


@pytest.mark.parametrize("name", list(parameters()))
def test_example_reaches_its_bars(name, tmp_path):
    if name in ("sequential_digits", "caption"):
        pytest.importorskip("sklearn", reason="scikit-learn has the images")
    results = import_module(name).main(True, 0, tmp_path)
    assert results and all(r.passed for r in results), "\n".join(
        " ".join(r.cells()) for r in results
    )
    pictures = {r.picture for r in results if r.picture is not None}
    assert pictures, "an example ends in a picture"
    for picture in pictures:
        assert picture.parent == tmp_path and picture.stat().st_size > 1000
        start = picture.read_bytes()[:300]
        assert start.startswith(b"\x89PNG") or (picture.suffix == ".svg" and b"<svg" in start)
    assert len({(r.system, r.metric) for r in results}) == len(results)


def test_every_file_is_an_example_or_helps_one():
    files = {path.stem for path in (ROOT / "examples").glob("*.py")}
    helpers = {"all", "result", "figure", "descent", "accuracy"}
    data = {name for name in files if name.startswith("data_")}
    assert files - helpers - data == set(everything.EXAMPLES)


def rows_of_the_full_run():
    """The lines of RESULTS.md: example, system, metric, value, bar, passed, seconds."""
    text = (ROOT / "examples" / "RESULTS.md").read_text(encoding="utf-8")
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return lines[1:]


@pytest.mark.parametrize("name", everything.EXAMPLES)
def test_docstring_tells_the_command_and_the_outcome(name):
    text = import_module(name).__doc__
    assert f"    python examples/{name}.py" in text
    assert len(text.splitlines()) >= 8
    block = text.partition("\nMeasured, seed 0:\n\n")[2].partition("\n\n")[0]
    told = [re.split(r"\s{2,}", line.strip()) for line in block.splitlines()]
    assert told == [row[1:4] for row in rows_of_the_full_run() if row[0] == name]


def test_docstring_names_the_bars_that_were_missed():
    for name, *_, passed, _ in rows_of_the_full_run():
        if passed != "yes":
            assert "misses its bar" in import_module(name).__doc__


def test_table_of_the_full_run_is_consistent():
    rows = rows_of_the_full_run()
    assert [row[0] for row in rows] == sorted(
        (row[0] for row in rows), key=everything.EXAMPLES.index
    )
    assert {row[0] for row in rows} == set(everything.EXAMPLES)
    for row in rows:
        _, system, metric, value, bar, passed, seconds = row
        comparison, threshold = bar.split()
        again = Result(system, metric, float(value), comparison, float(threshold))
        assert again.passed == (passed == "yes"), row
        assert int(seconds) >= 0


def test_gallery_shows_every_picture_of_the_full_run():
    readme = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\]\((pictures/[\w.]+)\)", readme))
    made = {f"pictures/{p.name}" for p in (ROOT / "examples" / "pictures").glob("*.[ps][nv]g")}
    front = (ROOT / "README.md").read_text(encoding="utf-8")
    assert shown <= made
    assert all(path in front for path in made - shown)
    for name in everything.EXAMPLES:
        assert f"python examples/{name}.py" in readme


@pytest.mark.parametrize(
    ("value", "comparison", "threshold", "passed"),
    [
        (1, "<", 2, True),
        (2, "<", 2, False),
        (2, "<=", 2, True),
        (3, ">", 2, True),
        (2, ">", 2, False),
        (2, ">=", 2, True),
        (2, "=", 2, True),
        (1, "=", 2, False),
        (math.nan, "<", 2, False),
        (math.nan, ">", 2, False),
    ],
)
def test_a_result_passes_by_its_numbers(value, comparison, threshold, passed):
    assert Result("s", "m", value, comparison, threshold).passed is passed


def test_options_are_read_and_wrong_ones_refused(tmp_path, capsys):
    out = tmp_path / "a"
    assert result.options(["--seed", "3", "--out", str(out)]) == (False, 3, out, [])
    assert out.is_dir()
    blocked = tmp_path / "file"
    blocked.touch()
    for wrong, told in (
        (["--fast"], "--fast"),
        (["--seed", "x"], "argument --seed: expected a whole number from 0 on, got 'x'"),
        (["--seed", "-1"], "argument --seed: expected"),
        (["--seed"], "--seed"),
        (["--out"], "--out"),
        (["--out", str(blocked / "deeper")], "argument --out: cannot make the folder"),
        (["adding"], "adding"),
    ):
        with pytest.raises(SystemExit) as stopped:
            result.options(wrong)
        assert stopped.value.code == 2 and told in capsys.readouterr().err


def test_examples_are_chosen_by_name_in_their_order(tmp_path, capsys):
    place = ["--out", str(tmp_path)]
    named = result.options(["reber", "adding", *place], None, everything.EXAMPLES)[-1]
    assert named == ["adding", "reber"]
    with pytest.raises(SystemExit) as stopped:
        result.options(["addng"], None, everything.EXAMPLES)
    told = capsys.readouterr().err
    assert (
        stopped.value.code == 2 and "no example 'addng'; choose graphs, one_hot, automaton" in told
    )


def test_help_says_what_the_example_is(capsys):
    with pytest.raises(SystemExit) as stopped:
        result.run(import_module("automaton").main, ["--help"])
    told = capsys.readouterr().out
    assert stopped.value.code == 0 and "A finite-state automaton" in told and "--quick" in told


def test_table_keeps_the_lines_of_examples_that_were_not_run(tmp_path):
    table = tmp_path / "RESULTS.md"
    first, second = everything.EXAMPLES[0], everything.EXAMPLES[5]
    everything.record(table, second, [Result("b", "m", 2, "<", 1)], 7.4)
    everything.record(table, first, [Result("a", "m", 0, "<", 1)], 1)
    everything.record(table, second, [Result("b", "m", 0.5, "<", 1)], 8)
    lines = table.read_text(encoding="utf-8").splitlines()
    assert lines[-2:] == [f"| {first} | a | m | 0 | < 1 | yes | 1 |",
                          f"| {second} | b | m | 0.5 | < 1 | yes | 8 |"]  # fmt: skip


def test_an_example_without_scikit_learn_is_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    names = ["sequential_digits", "automaton"]
    assert everything.main(names, True, 0, tmp_path, tmp_path / "RESULTS.md")
    told = capsys.readouterr().out
    assert "sequential_digits is left out: it needs sklearn" in told
    assert "1 of 2 examples ran, 1 left out; 1 of 1 bars reached" in told
    assert "| automaton |" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("missing", ["matplotlib", "rnn.celsl"])
def test_any_other_missing_module_is_a_failure(missing, tmp_path, monkeypatch, capsys):
    def main(quick, seed, out):
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(import_module("graphs"), "main", main)
    assert not everything.main(["graphs", "automaton"], True, 0, tmp_path, None)
    told = capsys.readouterr().out
    assert f"graphs FAILED: it needs {missing}" in told
    assert "1 of 2 examples ran, 0 left out" in told


def test_only_the_run_into_the_gallery_writes_its_table(tmp_path):
    before = everything.RESULTS.read_bytes()
    command = [sys.executable, str(ROOT / "examples" / "all.py"), "automaton", "--out"]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert everything.RESULTS.read_bytes() == before


def test_an_example_is_a_command(tmp_path):
    command = [sys.executable, str(ROOT / "examples" / "automaton.py"), "--quick"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "right states  1  = 1  yes" in done.stdout and "automaton.png" in done.stdout


def test_a_missed_bar_is_an_exit_status(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        result.run(lambda quick, seed, out: [Result("s", "m", 2, "<", 1)], ["--out", str(tmp_path)])
    assert stopped.value.code == 1 and "NO" in capsys.readouterr().out
