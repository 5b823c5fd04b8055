"""A time series of one's own: which files are read, which refused, and what is learned."""

import numpy as np
import pytest

from rnn import DataError
from rnn.command_line.commands import main
from rnn.command_line.task import Settings
from rnn.command_line.tasks import TASKS
from rnn.sequences.datasets import read_column

QUICK = ["--quiet", "--hidden", "8", "--batch", "4", "--length", "8"]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("1\n2.5\n-3e2\n", None),
        ("x\n1\n2.5\n-3e2", None),
        ("date,price\nmon,1\ntue,2.5\nwed,-3e2\n", None),
        ("a;b\r\n9;1\r\n9;2.5\r\n\r\n9; -3e2\r\n", "b"),
        ("9\t1\n9\t2.5\n9\t-3e2\n", "2"),
        ('\ufeff"a, b",温度\n0,1\n0,2.5\n0,-3e2\n', "温度"),
    ],
)
def test_a_column_is_read(tmp_path, text, column):
    (tmp_path / "a.csv").write_text(text, "utf-8", newline="")
    assert read_column("a.csv", column).tolist() == [1, 2.5, -300]


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", None, "a.csv is empty"),
        ("x\n", None, "a row of names, and no numbers below"),
        ("a,b\n1,2\n", None, "several columns of numbers; name one of its columns: a, b"),
        ("a,b\nx,y\n", None, "no column of numbers; name one of its columns: a, b"),
        ("a,b\n1,2\n", "c", "no column 'c'; its columns are a, b"),
        ("a,b\n1,2\n", "3", "no column '3'"),
        ("a\n1\nn/a\n", None, "a.csv, line 3: column 'a' must hold a finite number at every time"),
        ("a\n1\n\nnan\n", None, "line 4: column 'a' must hold a finite number"),
        (
            "a,b\n1,2\n3\n",
            "b",
            "line 3: column 'b' must hold a finite number at every time, got ''",
        ),
    ],
)
def test_a_bad_file_gets_a_sentence(tmp_path, text, column, said):
    (tmp_path / "a.csv").write_text(text, "utf-8")
    with pytest.raises(DataError) as error:
        read_column("a.csv", column)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["series"], "give it with --csv FILE"),
        (["series", "--csv", "none.csv"], "cannot read none.csv: no such file"),
        (["series", "--csv", "short.csv"], "short.csv has 5 values, too few to hold out a tenth"),
        (["series", "--csv", "flat.csv"], "values that are trained on are all 3"),
        (["series", "--csv", "flat.csv", "--text", "x"], "series reads no --text"),
        (["adding", "--csv", "x"], "adding reads no --csv; --csv is for the task series"),
    ],
)
def test_what_cannot_be_learned_from(capsys, tmp_path, arguments, said):
    (tmp_path / "short.csv").write_text("1\n2\n3\n4\n5\n")
    (tmp_path / "flat.csv").write_text("3\n" * 200)
    assert main(["train", *arguments, *QUICK]) == 2
    assert said in capsys.readouterr().err


def test_a_sine_is_learned_better_than_the_last_value(capsys, tmp_path):
    wave = 20 + 5 * np.sin(0.6 * np.arange(300))
    (tmp_path / "wave.csv").write_text("\n".join(map(str, wave)))
    train = ["train", "series", "--csv", "wave.csv", *QUICK, "--cell", "gru"]
    assert main([*train, "--steps", "300", "--lr", "0.02"]) == 0
    verdict = capsys.readouterr().out.splitlines()[0]
    error, again = float(verdict.split(" off by ")[1].split()[0]), float(verdict.split()[-1])
    late = wave[269:]
    assert again == pytest.approx(np.sqrt((np.diff(late) ** 2).mean()), rel=1e-3)
    assert error < again / 3
    assert "on the last 30 values" in verdict
    (tmp_path / "wave.csv").write_text("\n".join(map(str, wave + wave**2)))
    assert main([*train, "--steps", "400", "--lr", "0.02", "--resume"]) == 2
    assert "the file it learns from was another" in capsys.readouterr().err


def test_what_is_held_out_is_never_trained_on(tmp_path):
    (tmp_path / "a.csv").write_text("\n".join(str(n) for n in [*range(90), *[1e6] * 10]))
    task = TASKS["series"](Settings(hidden=2, length=5, csv="a.csv"), np.random.default_rng(0))
    known = np.arange(90)
    assert (task.mean, task.std) == pytest.approx((known.mean(), known.std()))
    read = np.concatenate([b.ravel() for b in task.batches(np.random.default_rng(1))])
    np.testing.assert_allclose(
        np.unique(read.round(5)), ((known - known.mean()) / known.std()).round(5), atol=1e-4
    )
