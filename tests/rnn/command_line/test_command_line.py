"""The command line: what each command prints and writes, and how it refuses: one line, status 2."""

import csv
import io
import re
import runpy
import signal
import subprocess
import sys
import time
import tomllib
import types
import warnings
from pathlib import Path

import numpy as np
import pytest

import microgrrepresent
from microgrrepresent.drawing.views.choices import view_names
from rnn import load_checkpoint, save_checkpoint
from rnn.command_line import commands
from rnn.command_line.illustration import ILLUSTRATED
from rnn.command_line.models import MODELS
from rnn.command_line.task import Settings
from rnn.command_line.tasks import TASKS, load_task
from tests.rnn.command_line.typed import refused, run

QUICK = ["--quiet", "--hidden", "8", "--batch", "4", "--every", "5"]


# --- help and bad arguments ----------------------------------------------------------------------


COMMANDS = [
    *("demo", "train", "sample", "draw", "bptt", "flow", "equations", "explain"),
    *("connectivity", "code", "exercise", "mark", "systems"),
]


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help(capsys, command):
    status, out, _ = run(capsys, *command, "--help")
    assert status == 0
    assert "usage: python -m rnn" in out
    assert all(len(line) <= 100 for line in out.splitlines())


def test_without_a_command_the_commands_are_shown(capsys):
    status, out, err = run(capsys)
    assert (status, err) == (0, "")
    assert out == run(capsys, "--help")[1]
    assert all(re.search(rf"^ +{name} +\w|^ +{name}$", out, re.MULTILINE) for name in COMMANDS)


def test_the_version(capsys):
    assert run(capsys, "--version") == (0, f"microgrrepresent {microgrrepresent.__version__}\n", "")


def test_the_console_script_is_the_command_line():
    project = Path(__file__).parents[3] / "pyproject.toml"
    scripts = tomllib.loads(project.read_text("utf-8"))["project"]["scripts"]
    module, _, name = scripts["microgrrepresent"].partition(":")
    script = f"import sys; from {module} import {name}; sys.exit({name}())"  # as pip writes it
    for arguments, status, said in ((["--version"], 0, "microgrrepresent "), (["fly"], 2, "'fly'")):
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True)
        assert (done.returncode, said in (done.stdout + done.stderr).decode()) == (status, True)


def test_help_names_every_command_and_task(capsys):
    _, out, _ = run(capsys, "--help")
    assert all(name in out for name in ("demo", "train", "sample", "draw", "bptt", "flow"))
    _, out, _ = run(capsys, "train", "--help")
    assert all(f"  {name} " in out for name in TASKS)
    _, out, _ = run(capsys, "draw", "--help")
    assert all(f"\n  {name}  " in out for name in [*ILLUSTRATED, *MODELS, *view_names()])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["train"], "the following arguments are required: TASK"),
        (["train", "chess"], "argument TASK: invalid choice: 'chess' (choose from"),
        (["train", "adding", "--steps", "0"], "--steps: must be an integer >= 1, got"),
        (["train", "adding", "--steps", "1.5"], "must be an integer >= 1, got '1.5'"),
        (["train", "adding", "--lr", "nan"], "--lr: must be a number > 0, got 'nan'"),
        (["train", "adding", "--lr", "0"], "--lr: must be a number > 0, got '0'"),
        (["train", "adding", "--cell", "cnn"], "--cell: invalid choice: 'cnn'"),
        (["train", "adding", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["sample"], "the following arguments are required: CHECKPOINT"),
        (["sample", "x", "--temperature", "-1"], "must be a number >= 0, got '-1'"),
        (["flow", "--cells", "rnn,foo"], "--cells: unknown cell 'foo'; there are rnn, gru, lstm"),
        (["flow", "--cells", "rnn,gru,rnn"], "--cells: rnn is there twice"),
        (["bptt", "--steps", "500"], "at most 100 steps, got '500'"),
        (["bptt", "--steps", "500"], "reach: python -m rnn flow --length 500; see"),
        (["bptt", "--steps", "0"], "--steps: must be an integer >= 1, got '0'"),
        (["flow", "-o", "x.xyz"], "'x.xyz' must end in one of .svg, .png, .pdf"),
    ],
)
def test_bad_arguments(capsys, arguments, said):
    line = refused(capsys, *arguments)
    assert said in line
    assert "--help" in line


# --- train and sample ----------------------------------------------------------------------------


@pytest.mark.parametrize("task", [name for name in TASKS if name != "series"])  # test_series.py
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_every_task_trains_with_every_cell(capsys, task, cell):
    status, out, _ = run(capsys, "train", task, "--cell", cell, "--steps", "6", *QUICK)
    assert status == 0
    assert f"{task}, 6 steps: " in out
    assert "Saved: model.npz" in out
    assert load_task("model.npz").name == task


def test_the_log(capsys):
    status, _, _ = run(capsys, "train", "characters", "--steps", "7", "--log", "logs/a.csv", *QUICK)
    assert status == 0
    rows = list(csv.DictReader(open("logs/a.csv")))  # noqa: SIM115, PTH123
    assert len(rows) == 7
    np.testing.assert_allclose(
        [float(row["perplexity"]) for row in rows], np.exp([float(row["loss"]) for row in rows])
    )
    assert rows[4]["validation"]


def test_training_learns(capsys):
    run(
        capsys, "train", "digit-sum", "--length", "3", "--steps", "400", "--hidden", "32", "--quiet"
    )
    task = load_task("model.npz")
    share = float(task.verdict().split("%")[0])
    assert share > 60  # chance is 10


def test_resuming_gives_the_same_numbers(capsys):
    train = ["train", "characters", *QUICK]
    run(capsys, *train, "--steps", "12", "--out", "whole.npz")
    run(capsys, *train, "--steps", "7", "--out", "parts.npz")
    status, out, _ = run(capsys, *train, "--steps", "12", "--out", "parts.npz", "--resume")
    assert status == 0
    assert "12 steps" in out
    losses = [load_checkpoint(f)["history"]["losses"].tolist() for f in ("whole.npz", "parts.npz")]
    assert losses[0] == losses[1]


def test_a_model_writes_text(capsys):
    run(capsys, "train", "characters", "--steps", "6", *QUICK)
    status, out, _ = run(capsys, "sample", "model.npz", "--prompt", "We ", "--length", "50")
    assert status == 0
    assert out.startswith("We ")
    again = run(capsys, "sample", "model.npz", "--prompt", "We ", "--length", "50")[1]
    other = run(capsys, "sample", "model.npz", "--prompt", "We ", "--length", "50", "--seed", "1")[
        1
    ]
    assert again == out != other


def test_what_is_written_goes_on_from_the_whole_prompt(capsys):
    run(capsys, "train", "characters", "--steps", "2", *QUICK)
    data = load_checkpoint("model.npz")
    state = data["result"] or data["best"] or data["model"]
    wild = {name: 3 * array for name, array in state.items()}  # every letter counts
    save_checkpoint("model.npz", data | {"model": wild, "best": wild, "result": wild})
    task = load_task("model.npz")
    read = [*task.vocabulary.encode("We hold ")]
    for _ in range(40):
        logits, _ = task.model(np.array(read)[:, None])
        scores = logits.numpy()[-1, 0].copy()
        scores[task.vocabulary.unk] = -np.inf
        read.append(scores.argmax())
    greedy = ("--length", "40", "--temperature", "0")
    _, out, _ = run(capsys, "sample", "model.npz", "--prompt", "We hold ", *greedy)
    assert out == task.vocabulary.decode(read) + "\n"


def test_what_is_loaded_is_the_best_and_not_the_last(capsys):
    run(capsys, "train", "characters", "--steps", "2", *QUICK)
    data = load_checkpoint("model.npz")
    data["best"] = {name: array + 1 for name, array in data["model"].items()}
    data["result"] = {name: array + 2 for name, array in data["model"].items()}
    for key in ("result", "best", "model"):
        save_checkpoint("model.npz", data)
        loaded = load_task("model.npz").model.state_dict()
        assert all(np.array_equal(loaded[name], array) for name, array in data[key].items())
        data[key] = None


def test_words_and_chinese(capsys, tmp_path):
    (tmp_path / "text.txt").write_text("南开 大学 很 好 。 " * 40, encoding="utf-8")
    status, _, _ = run(
        capsys, "train", "words", "--text", "text.txt", "--steps", "150", "--quiet", "--batch", "2"
    )
    assert status == 0
    _, out, _ = run(
        capsys, "sample", "model.npz", "--prompt", "南开", "--length", "4", "--temperature", "0"
    )
    assert out == "南开 大学 很 好。\n"


def test_what_is_not_known_is_read_but_never_written(capsys, tmp_path):
    (tmp_path / "text.txt").write_text("to be or not to be " * 20 + " ".join(map(str, range(400))))
    run(capsys, "train", "words", "--text", "text.txt", "--steps", "20", *QUICK)
    _, out, _ = run(capsys, "sample", "model.npz", "--prompt", "To", "--temperature", "2")
    words = out.split()
    assert words[0] == "To"
    assert len(words) == 301
    assert set(words[1:]) == {"to", "be", "or", "not"}
    _, out, err = run(capsys, "sample", "model.npz", "--prompt", "to sleep, or die")
    assert out.startswith("to sleep, or die ")
    assert err.endswith("sample: unknown to this model, read as <unk>: 'sleep', ',', 'die'\n")


@pytest.mark.parametrize(("text", "first"), [("。南开大学很好" * 40, "南"), ("hTe no" * 40, "The")])
def test_a_text_begins_with_what_the_model_knows(capsys, tmp_path, text, first):
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    run(capsys, "train", "characters", "--text", "text.txt", "--steps", "1", *QUICK)
    status, out, err = run(capsys, "sample", "model.npz", "--length", "5")
    assert (status, err) == (0, "")
    assert out.startswith(first)
    assert set(out.strip()) <= set(text)


def test_a_terminal_without_chinese(capsys, tmp_path, monkeypatch):
    (tmp_path / "text.txt").write_text("南开大学很好。" * 40, encoding="utf-8")
    run(capsys, "train", "characters", "--text", "text.txt", "--steps", "1", *QUICK)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    status, _, err = run(capsys, "sample", "model.npz", "--prompt", "南开")
    assert status == 2
    assert "cannot show '南'; set PYTHONIOENCODING=utf-8" in err


# --- what cannot be done -------------------------------------------------------------------------


def test_texts_that_cannot_be_read(capsys, tmp_path):
    def train(name):
        return refused(capsys, "train", "characters", "--text", name, *QUICK)

    assert "cannot read none.txt: no such file" in train("none.txt")
    (tmp_path / "empty.txt").write_text("")
    assert "empty.txt is empty" in train("empty.txt")
    (tmp_path / "latin.txt").write_bytes("naïveté".encode("latin-1"))
    assert "latin.txt is not UTF-8: byte 0xef at position 2" in train("latin.txt")
    (tmp_path / "short.txt").write_text("too short")
    assert "the text has 9 characters, too few" in train("short.txt")
    assert "is a directory" in train(str(tmp_path))


def test_a_refusal_is_one_line_whatever_was_given(capsys):
    assert "cannot read a b.npz" in refused(capsys, "sample", "a\nb.npz")
    assert "unrecognized arguments: c d" in refused(capsys, "draw", "c\nd")


def test_checkpoints_of_another_kind(capsys, tmp_path):
    assert "cannot read none.npz: no such file" in refused(capsys, "sample", "none.npz")
    (tmp_path / "text.npz").write_text("text")
    assert "text.npz is damaged, or not an .npz file" in refused(capsys, "sample", "text.npz")
    np.savez(tmp_path / "arrays.npz", a=np.zeros(3))
    assert "arrays.npz is damaged, or no checkpoint" in refused(capsys, "sample", "arrays.npz")
    run(capsys, "train", "adding", "--steps", "2", *QUICK)
    assert "a model of the task 'adding', which writes no text" in refused(
        capsys, "sample", "model.npz"
    )
    assert "prompt needs at least one" in refused_after_training(capsys)


def refused_after_training(capsys):
    run(capsys, "train", "characters", "--steps", "2", *QUICK, "--out", "c.npz")
    return refused(capsys, "sample", "c.npz", "--prompt", "")


def test_resuming_another_training(capsys):
    run(capsys, "train", "adding", "--steps", "2", *QUICK)
    again = ["--steps", "4", "--resume", *QUICK]
    assert "(task adding, not characters)" in refused(capsys, "train", "characters", *again)
    assert "(cell lstm, not gru)" in refused(capsys, "train", "adding", *again, "--cell", "gru")
    assert "no such file" in refused(capsys, "train", "adding", *again, "--out", "none.npz")


def test_resuming_with_another_rate_is_refused_and_not_ignored(capsys):
    run(capsys, "train", "adding", "--steps", "2", *QUICK)
    again = refused(capsys, "train", "adding", "--steps", "4", "--resume", "--lr", "0.1", *QUICK)
    assert "(lr 0.005, not 0.1)" in again


def test_another_training_is_not_lost(capsys, tmp_path):
    run(capsys, "train", "adding", "--steps", "2", *QUICK)
    before = (tmp_path / "model.npz").read_bytes()
    other = refused(capsys, "train", "characters", "--steps", "2", *QUICK)
    assert "another training (task adding, not characters)" in other
    assert (tmp_path / "model.npz").read_bytes() == before
    (tmp_path / "notes.txt").write_text("mine")
    taken = refused(capsys, "train", "adding", "--steps", "2", "--out", "notes.txt", *QUICK)
    assert "notes.txt is damaged, or not an .npz file" in taken


def test_a_longer_training_is_never_replaced_without_a_word(capsys, tmp_path):
    train = ["train", "adding", *QUICK]
    run(capsys, *train, "--steps", "5")
    before = (tmp_path / "model.npz").read_bytes()
    for steps in ("2", "9"):
        said = refused(capsys, *train, "--steps", steps)
        assert "model.npz keeps this training after 5 steps; give --resume" in said
        assert "--overwrite" in said
    assert (tmp_path / "model.npz").read_bytes() == before
    assert "not allowed with" in refused(capsys, *train, "--resume", "--overwrite")
    status, out, _ = run(capsys, *train, "--steps", "6", "--resume")
    assert (status, "6 steps" in out) == (0, True)
    status, out, _ = run(capsys, "train", "digit-sum", *QUICK, "--steps", "2", "--overwrite")
    assert (status, "2 steps" in out) == (0, True)
    assert len(load_checkpoint("model.npz")["history"]["losses"]) == 2


def test_a_text_for_a_task_that_reads_none(capsys):
    assert "--text is for language models" in refused(capsys, "train", "adding", "--text", "x")


def test_more_memory_than_there_is(capsys):
    line = refused(capsys, "train", "adding", "--hidden", "10000000", "--quiet")
    assert "this takes more memory than there is: Unable to allocate" in line


def test_resuming_on_another_text(capsys, tmp_path):
    (tmp_path / "text.txt").write_text("abc " * 100)
    train = ["train", "characters", "--text", "text.txt", *QUICK]
    run(capsys, *train, "--steps", "2")
    (tmp_path / "text.txt").write_text("cab " * 100)
    assert "the file it learns from was another" in refused(
        capsys, *train, "--steps", "4", "--resume"
    )


def test_a_checkpoint_that_train_did_not_write(capsys):
    from rnn import Adam, Checkpoint, Linear, fit, mse_loss

    rng = np.random.default_rng(0)
    model = Linear(1, 1, rng=rng)
    fit(
        model,
        [np.ones((1, 1))],
        lambda x: mse_loss(model(x), x),
        Adam(model.parameters()),
        rng,
        steps=1,
        report=None,
        checkpoint=Checkpoint("own.npz"),
    )
    said = refused(capsys, "sample", "own.npz")
    assert "not one that `python -m rnn train` wrote: it holds no 'task'" in said


def test_a_place_that_cannot_be_written(capsys):
    train = ["train", "adding", "--steps", "1", *QUICK]
    for path in ("/dev/null/x.html", "."):
        assert f"cannot write {path}: " in refused(capsys, *train, "--log", path)
        assert f"{path}: " in refused(capsys, *train, "--out", path)
    assert "cannot write /dev/null/x.html: " in refused(
        capsys, "bptt", "--steps", "1", "-o", "/dev/null/x.html"
    )


def test_a_training_that_breaks_down_says_where_and_leaves_with_1(capsys):
    status, _, err = run(
        capsys, "train", "adding", "--lr", "1e30", "--steps", "50", "--length", "4", *QUICK
    )
    assert status == 1
    assert err.count("\n") == 1
    assert "the loss of step 2 is inf: the value of" in err


def test_a_warning_is_a_line_and_one_for_programmers_is_none(capsys, monkeypatch):
    def warns(options):
        warnings.warn("the library's old name", DeprecationWarning, stacklevel=2)
        warnings.warn("too small", UserWarning, stacklevel=2)
        return 0

    monkeypatch.setitem(commands.COMMANDS, "systems", warns)
    assert run(capsys, "systems") == (0, "", "python -m rnn systems: too small\n")


# --- as a process --------------------------------------------------------------------------------


def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    command = [sys.executable, "-m", "rnn", "train", "adding", "--steps", "1000000"]
    process = subprocess.Popen(
        [*command, "--every", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "model.npz").exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in out
    assert "--resume" in out
    assert "Traceback" not in err
    assert load_checkpoint("model.npz")["extra"]["task"] == "adding"


def test_ctrl_c_before_the_training(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(TASKS, "adding", interrupted)
    status, _, err = run(capsys, "train", "adding")
    assert (status, err) == (130, "python -m rnn train: interrupted\n")


def test_ctrl_c_while_the_commands_are_imported(capsys, monkeypatch):
    class Interrupted(types.ModuleType):
        def __getattr__(self, name):
            raise KeyboardInterrupt

    monkeypatch.setitem(
        sys.modules, "rnn.command_line.commands", Interrupted("rnn.command_line.commands")
    )
    with pytest.raises(SystemExit) as left:
        runpy.run_module("rnn", run_name="__main__")
    assert left.value.code == 130
    assert capsys.readouterr().err == "python -m rnn: interrupted\n"


# --- the tasks' data -----------------------------------------------------------------------------


def test_adding_marks_two_numbers_and_answers_with_their_sum():
    rng = np.random.default_rng(0)
    task = TASKS["adding"](Settings(length=7, hidden=3), rng)
    x, y = task.draw(200, rng)
    assert x.shape == (7, 200, 2)
    assert (x[..., 1].sum(0) == 2).all()
    np.testing.assert_allclose((x[..., 0] * x[..., 1]).sum(0), y[:, 0], rtol=1e-6)
    assert y.var() == pytest.approx(1 / 6, abs=0.03)  # of two numbers from U[0, 1]


def test_digit_sum_adds_the_first_two():
    rng = np.random.default_rng(0)
    task = TASKS["digit-sum"](Settings(length=9, hidden=3), rng)
    x, y = task.draw(3000, rng)
    assert np.array_equal(x[0] + x[1], y)
    assert ((x[2:] != 0).sum(0) <= 1).all()
    assert set(y.tolist()) == set(range(19))


def test_a_tenth_of_the_text_is_held_out():
    task = TASKS["characters"](Settings(hidden=3), np.random.default_rng(0))
    assert len(task.held_out) == 933
    assert len(task.indices) + len(task.held_out) == 9330
    read = np.concatenate([x for x, _ in task.batches(np.random.default_rng(1))])
    assert read.size >= len(task.indices) - 16 - 32 - 1
