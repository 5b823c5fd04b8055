"""A training that is killed or interrupted goes on as if nothing had happened."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from microgrrepresent import Tensor
from rnn import (
    SGD,
    Adam,
    Checkpoint,
    DataError,
    ExponentialLR,
    FileError,
    Linear,
    ReduceLROnPlateau,
    Validation,
    fit,
    load_checkpoint,
)
from rnn.training.interrupts import interrupts_noticed
from tests.rnn.training.trainings import Setup, linear_fit

CHILD = """
    import sys
    sys.path.insert(0, {folder!r})
    import test_training
    setup = test_training.Setup()
    history = setup.fit(steps={steps}, every=1, checkpoint={path!r}, resume=True)
    print(history.stopped, history.steps, len(history.losses))
"""


def child(path, steps):
    code = textwrap.dedent(CHILD).format(
        folder=str(Path(__file__).parent), path=str(path), steps=steps
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(path, process):
    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_kill_at_any_moment_leaves_a_file_that_resumes_to_the_last_bit(tmp_path):
    path, rng = tmp_path / "run.npz", np.random.default_rng()
    kills = 6
    for _ in range(kills):
        process = child(path, steps=10**6)
        wait_for(path, process)
        time.sleep(rng.uniform(0.0, 0.8))
        process.kill()
        process.communicate()
        reached = len(load_checkpoint(path)["history"]["losses"])  # loads, whatever was going on
    last = reached + 3
    resumed = Setup(seed=1).fit(steps=last, checkpoint=path, resume=True)
    assert resumed.losses == Setup().fit(steps=last).losses
    assert len(list(tmp_path.glob(".*.tmp"))) <= kills  # what each killed writer was writing


DISK_FULL = """
    import resource, sys
    sys.path.insert(0, {folder!r})
    import test_training
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    test_training.Setup(hidden=40).fit(steps=3, every=1, {what}={path!r}, {more})
"""


@pytest.mark.parametrize(("what", "limit"), [("checkpoint", 5000), ("log", 100)])
def test_a_full_disk_leaves_the_old_file(tmp_path, what, limit):
    path = tmp_path / "run"
    if what == "checkpoint":
        Setup(hidden=40).fit(steps=2, checkpoint=path)
    code = textwrap.dedent(DISK_FULL).format(
        folder=str(Path(__file__).parent),
        path=str(path),
        limit=limit,
        what=what,
        more="overwrite=True" if what == "checkpoint" else "",
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith(
        f"microgrrepresent.errors.FileError: cannot write {path}: "
    )
    if what == "checkpoint":
        assert len(load_checkpoint(path)["history"]["losses"]) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_known_before_the_first_step(tmp_path):
    (tmp_path / "file").touch()
    for setting in ({"checkpoint": tmp_path / "file" / "x"}, {"log": tmp_path}):
        with pytest.raises(FileError, match="cannot write"):
            linear_fit(loss=lambda x: pytest.fail("a step was taken"), **setting)


def test_ctrl_c_saves_and_leaves_cleanly(tmp_path):
    path = tmp_path / "run.npz"
    process = child(path, steps=10**6)
    wait_for(path, process)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err
    stopped, steps, _ = out.split()
    assert stopped == "interrupted"
    saved = load_checkpoint(path)["history"]["losses"]
    assert len(saved) == int(steps)
    assert Setup().fit(steps=int(steps) + 2).losses == (
        Setup().fit(steps=int(steps) + 2, checkpoint=path, resume=True).losses
    )


def test_an_interrupted_model_is_as_it_was_after_its_last_step(tmp_path):
    path, taken = tmp_path / "run.npz", []

    def loss(x):
        taken.append(None)
        if len(taken) == 3:
            signal.raise_signal(signal.SIGINT)
        return x.sum() * model.weight.sum()

    rng = np.random.default_rng(0)
    model = Linear(1, 1, bias=False, rng=rng)
    history = fit(
        model,
        [np.ones((1, 1))],
        loss,
        SGD(model.parameters(), 1.0),
        rng,
        steps=9,
        validation=Validation(iter([1.0, 2.0, 3.0]).__next__),
        checkpoint=Checkpoint(path),
        report=None,
    )
    assert (history.stopped, history.steps, history.best) == ("interrupted", 3, (1, 1.0))
    saved = load_checkpoint(path)
    assert np.array_equal(model.weight.numpy(), saved["model"]["weight"])
    np.testing.assert_allclose(model.weight.numpy(), saved["best"]["weight"] - 2, rtol=1e-12)


def test_a_second_ctrl_c_interrupts_at_once_and_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interrupts_noticed() as interrupted:
        assert not interrupted()
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_it_runs_in_another_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(linear_fit(3)[1].steps))
    thread.start()
    thread.join()
    assert found == [3]


def test_messages():
    rng, model = np.random.default_rng(0), Linear(1, 1)
    adam = Adam(model.parameters())
    with pytest.raises(DataError, match="give steps=, epochs= or both"):
        linear_fit(steps=None)
    with pytest.raises(ValueError, match="steps must be an integer >= 1"):
        linear_fit(steps=0)
    for part in ("validation", "checkpoint", "report"):
        with pytest.raises(DataError, match=rf"{part} must be a {part.title()}, got 'x'; write"):
            fit(model, [1], lambda x: x, adam, rng, steps=1, **{part: "x"})
    with pytest.raises(DataError, match="loss must be a function without arguments, got 1"):
        Validation(1.0)
    with pytest.raises(DataError, match="resume or overwrite, not both"):
        Checkpoint("run.npz", resume=True, overwrite=True)
    with pytest.raises(DataError, match="no batch number 1 in epoch 1"):
        linear_fit(batches=lambda rng: [])
    used_up = (np.ones((1, 1)) for _ in range(3))
    with pytest.raises(DataError, match="used up after one epoch"):
        linear_fit(batches=used_up, steps=4)
    with pytest.raises(DataError, match=r"loss\(batch\) must give L, .* got NoneType"):
        linear_fit(loss=lambda x: None)
    with pytest.raises(DataError, match=r"scalar Tensor, got \(3,\)"):
        linear_fit(loss=lambda x: Tensor(np.ones(3)))
    with pytest.raises(DataError, match=r"loss\(batch, state\) must give \(L, state\)"):
        linear_fit(loss=lambda x, state: Tensor(1.0), carry=True)
    with pytest.raises(ValueError, match="patience must be an integer >= 1"):
        linear_fit(patience=0, validate=lambda: 1.0)
    with pytest.raises(DataError, match="rng must be a Generator"):
        linear_fit(rng=0)
    with pytest.raises(ValueError, match=r"steps must be an integer >= 1, got 3.5"):
        linear_fit(steps=3.5)
    with pytest.raises(DataError, match=r"validate\(\) must give a number, got None"):
        linear_fit(validate=lambda: None)
    with pytest.raises(DataError, match=r"clip\(parameters\) must give a number, got None"):
        linear_fit(clip=lambda parameters: None)
    with pytest.raises(ValueError, match="max_norm must be a number > 0, got '5'"):
        linear_fit(clip="5")
    with pytest.raises(DataError, match=r"batches must be a list, or a function of .* got None"):
        linear_fit(batches=None)
    with pytest.raises(DataError, match="model must be a Module, got None"):
        fit(None, [1], lambda x: x, None, np.random.default_rng(0), steps=1)
    other = Adam(Linear(1, 1).parameters())
    with pytest.raises(DataError, match=r"moves W \(1, 1\), which is not one of the model's"):
        linear_fit(optimizer=lambda parameters, lr: other)
    for schedule in (ExponentialLR(other, 0.9), ExponentialLR):
        with pytest.raises(DataError, match="does not set the rate of this optimizer"):
            linear_fit(schedule=schedule)
    setup = Setup()
    setup.schedule = ReduceLROnPlateau(setup.optimizer)
    with pytest.raises(DataError, match="ReduceLROnPlateau needs validation="):
        setup.fit(steps=1)
