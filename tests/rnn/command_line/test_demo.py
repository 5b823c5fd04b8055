"""The demo, run as a user runs it: what it prints and writes, with and without Graphviz."""

import csv
import math
import os
import re
import signal
import subprocess
import sys
import time
from xml.etree import ElementTree

import numpy as np
import pytest

from rnn import LanguageModel, Vocabulary, bundled_text
from rnn.command_line import commands
from rnn.sequences.decoding import categorical

WITHOUT_PYGRAPHVIZ = (
    "import sys; sys.modules['pygraphviz'] = None; "
    "from rnn.command_line.commands import main; sys.exit(main(sys.argv[1:]))"
)


def demo(folder, *arguments, graphviz=True, timeout=110):
    """Run the command in a folder of its own; without Graphviz: no dot on PATH, no pygraphviz."""
    command = ["-m", "rnn"] if graphviz else ["-c", WITHOUT_PYGRAPHVIZ]
    path = os.environ["PATH"] if graphviz else str(folder / "nothing")
    return subprocess.run(
        [sys.executable, *command, "demo", *arguments],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    folder = tmp_path_factory.mktemp("short")
    return folder / "demo", demo(folder, "--steps", "4")


def test_it_trains_samples_draws_and_leaves_with_0(short):
    folder, done = short
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("    We hold ") == 2  # a sample before, and one after
    assert "9,330 characters, 63 different" in done.stdout
    assert "After 4 steps" in done.stdout
    assert sorted(p.name for p in folder.iterdir()) == ["loss.csv", "unrolled.svg"]


def test_progress_says_loss_and_perplexity(short):
    last = short[1].stderr.splitlines()[-1]
    assert re.fullmatch(r"4/4 steps, 00:00 left, loss 3.\d+, perplexity \d\d.\d+", last)


def test_the_log_starts_at_knowing_nothing(short):
    rows = list(csv.DictReader((short[0] / "loss.csv").open()))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    assert float(rows[0]["loss"]) == pytest.approx(math.log(63), abs=0.1)
    assert float(rows[0]["perplexity"]) == pytest.approx(63, rel=0.1)


def test_the_picture_is_the_unrolled_graph_with_its_gradients(short):
    picture = ElementTree.parse(short[0] / "unrolled.svg").getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    words = " ".join(picture.itertext())
    assert "unrolled over 4 steps" in words
    dashed = [node for node in picture.iter() if node.get("stroke-dasharray")]
    assert len(dashed) > 20  # what flows back


def test_the_learning_rate_falls_in_the_second_half(short):
    rows = list(csv.DictReader((short[0] / "loss.csv").open()))
    assert [float(row["lr"]) for row in rows] == [5e-3, 5e-3, 5e-3, 2.5e-3]


def test_it_goes_on_from_the_opening_words(tmp_path, monkeypatch, capsys):
    vocabulary = Vocabulary.of(bundled_text("declaration"), special=())
    tokens, drawn = [*vocabulary.encode("We hold ")], np.random.default_rng(0)

    def untrained(*sizes, **settings):
        model, state = LanguageModel(*sizes, **settings), None
        for parameter in model.parameters():
            parameter.assign(3 * parameter.numpy())  # so that every letter counts
        for token in tokens[:-1]:
            _, state = model.step(np.array([token]), state)
        for _ in range(300):
            logits, state = model.step(np.array(tokens[-1:]), state)
            tokens.extend(categorical(logits, drawn, temperature=0.5))
        return model

    monkeypatch.setattr("rnn.command_line.demo.LanguageModel", untrained)
    commands.main(["demo", "--steps", "1", "--quiet", "--out", str(tmp_path)])
    before = capsys.readouterr().out.partition("it writes:\n")[2].partition("After 1 steps")[0]
    assert "".join(before.split()) == "".join(vocabulary.decode(tokens).split())


def test_the_same_seed_gives_the_same_numbers_and_bytes(short, tmp_path):
    again = demo(tmp_path, "--steps", "4", "--quiet", "--out", "elsewhere")
    other = demo(tmp_path, "--steps", "4", "--quiet", "--seed", "1", "--out", "other")
    samples = [run.stdout.rpartition("\nWritten")[0] for run in (short[1], again, other)]
    assert samples[0] == samples[1] != samples[2]
    for name in ("loss.csv", "unrolled.svg"):
        one, two, three = (
            (folder / name).read_bytes()
            for folder in (short[0], tmp_path / "elsewhere", tmp_path / "other")
        )
        assert one == two != three


def test_without_graphviz_it_draws_the_same_picture(short, tmp_path):
    done = demo(tmp_path, "--steps", "4", "--quiet", graphviz=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (tmp_path / "demo" / "unrolled.svg").read_bytes() == (
        short[0] / "unrolled.svg"
    ).read_bytes()


def test_ctrl_c_leaves_cleanly(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "rnn", "demo", "--steps", "100000", "--quiet"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    log, deadline = tmp_path / "demo" / "loss.csv", time.monotonic() + 60
    while not (log.exists() and log.stat().st_size > 300) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == ""
    steps = int(re.search(r"After (\d+) steps \(interrupted\)", out)[1])
    assert len(log.read_text().splitlines()) == steps + 1
    assert (tmp_path / "demo" / "unrolled.svg").exists()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    done = demo(tmp_path, "--out", "file/demo")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("python -m rnn demo: cannot write file/demo/")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_whole_demo_is_done_in_two_minutes_and_writes_english(tmp_path):
    done = demo(tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    before, after = re.findall(r"    We hold (.*?)\n\n(?:After|Written)", done.stdout, re.DOTALL)
    known = set(re.findall(r"[a-z]+", bundled_text().lower()))

    def share_of_words(sample):
        words = re.findall(r"[a-z]+", sample.lower())
        return sum(len(word) for word in words if word in known) / sum(map(len, words))

    assert share_of_words(after) > 0.6 > 0.3 > share_of_words(before)
    rows = list(csv.DictReader((tmp_path / "demo" / "loss.csv").open()))
    assert float(rows[-1]["perplexity"]) < 3 < 50 < float(rows[0]["perplexity"])
