"""fit: what it reaches, what it keeps, and that a stopped run goes on to the last bit."""

import csv
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from microgrrepresent import Tensor, exp, log
from rnn import (
    SGD,
    Adam,
    Checkpoint,
    CheckpointError,
    DataError,
    Dropout,
    ExponentialLR,
    FileError,
    LanguageModel,
    Linear,
    NonFiniteError,
    ReduceLROnPlateau,
    Report,
    StepLR,
    Validation,
    clip_grad_value,
    fit,
    language_model_batches,
    load_checkpoint,
    mse_loss,
    perplexity,
    save_checkpoint,
)
from rnn.training.interrupts import interrupts_noticed

TEXT = np.random.default_rng(5).integers(0, 6, 120)


def grouped(**settings):
    """The settings of a training, those of its parts in their objects."""

    def taken(*names):
        return {name: settings.pop(name) for name in names if name in settings}

    settings.setdefault("report", Report(**taken("log", "show"), progress=False))
    if "validate" in settings:
        settings["validation"] = Validation(settings.pop("validate"), **taken("patience"))
    if "checkpoint" in settings:
        settings["checkpoint"] = Checkpoint(
            settings["checkpoint"], **taken("resume", "overwrite", "extra")
        )
    return settings


class Setup:
    """A small training with everything that has a memory: dropout, Adam, a schedule, a state."""

    def __init__(self, seed=0, hidden=5):
        self.rng = np.random.default_rng(seed)
        self.model = LanguageModel(6, hidden, rng=self.rng)
        self.model.dropout = Dropout(0.2, rng=self.rng)
        embedding = self.model.embedding
        self.model.embedding = lambda x: self.model.dropout(embedding(x))
        self.model.table = embedding
        self.optimizer = Adam(self.model.parameters(), 0.02)
        self.schedule = ExponentialLR(self.optimizer, 0.99)

    def fit(self, **settings):
        return fit(
            self.model,
            lambda rng: language_model_batches(TEXT, 3, 7, rng),
            lambda batch, state: self.model.loss(*batch, state),
            self.optimizer,
            self.rng,
            schedule=self.schedule,
            carry=True,
            clip=0.5,
            **grouped(**settings),
        )


def line(x, slope=3.0):
    return slope * x + 1


def linear_fit(steps=300, rng=None, **settings):
    rng = np.random.default_rng(0) if rng is None else rng
    model = Linear(1, 1, rng=np.random.default_rng(0))
    xs = np.linspace(-1, 1, 32)[:, None]
    optimizer = settings.pop("optimizer", Adam)(model.parameters(), settings.pop("lr", 0.05))
    history = fit(
        model,
        settings.pop("batches", [xs[:16], xs[16:]]),
        settings.pop("loss", lambda x: mse_loss(model(x), line(x))),
        optimizer,
        rng,
        steps=steps,
        **grouped(**settings),
    )
    return model, history


def test_it_finds_a_line():
    model, history = linear_fit()
    assert model.weight.numpy()[0, 0] == pytest.approx(3, abs=1e-3)
    assert model.bias.numpy()[0] == pytest.approx(1, abs=1e-3)
    assert history.steps == 300
    assert history.epochs[:5] == [1, 1, 2, 2, 3]
    assert history.stopped == "done"


def test_the_same_seed_gives_the_same_numbers_and_no_global_state_is_used():
    np.random.seed(1)  # noqa: NPY002
    one = Setup().fit(steps=20).losses
    np.random.seed(2)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert Setup().fit(steps=20).losses == one
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert Setup(seed=1).fit(steps=20).losses != one


def test_epochs_and_steps_both_stop():
    assert linear_fit(steps=None, epochs=3)[1].steps == 6
    assert linear_fit(steps=4, epochs=3)[1].steps == 4
    assert linear_fit(steps=9, epochs=3)[1].steps == 6


def test_endless_batches():
    def endless(rng):
        while True:
            yield rng.uniform(-1, 1, (8, 1))

    model, history = linear_fit(batches=endless)
    assert set(history.epochs) == {1}
    assert model.weight.numpy()[0, 0] == pytest.approx(3, abs=1e-2)


def test_an_epoch_that_never_ends_is_validated_and_saved(tmp_path):
    def endless(rng):
        while True:
            yield rng.uniform(-1, 1, (8, 1))

    saved = []

    def validate():
        saved.append(load_checkpoint(tmp_path / "run.npz")["history"]["losses"].size)
        return 1.0

    settings = {"batches": endless, "validate": validate, "checkpoint": tmp_path / "run.npz"}
    _, history = linear_fit(1000, patience=2, **settings)
    assert (history.stopped, history.steps) == ("early", 300)
    assert saved == [0, 100, 200]
    _, history = linear_fit(250, batches=[np.ones((1, 1))] * 150, validate=lambda: 1.0)
    assert list(history.validations) == [100, 150, 250]
    _, history = linear_fit(None, epochs=1, batches=[np.ones((1, 1))] * 150, validate=lambda: 1.0)
    assert list(history.validations) == [150]


def test_the_state_is_carried_and_cut():
    seen = []

    def loss(x, state):
        seen.append(state)
        L = mse_loss(model(x), line(x))
        return L, (L * 2, None)

    rng = np.random.default_rng(0)
    model = Linear(1, 1, rng=rng)
    xs = [np.ones((1, 1)) * k for k in range(3)]
    fit(model, xs, loss, Adam(model.parameters()), rng, epochs=2, carry=True, report=None)
    assert [state is None for state in seen] == [True, False, False] * 2
    assert seen[1][0].is_leaf
    assert seen[1][0].numpy() > 0


def test_clipping():
    _, free = linear_fit(20)
    _, by_norm = linear_fit(20, clip=0.01, optimizer=lambda p, lr: Adam(p, lr, eps=1.0))
    _, by_value = linear_fit(20, clip=lambda p: clip_grad_value(p, 0.01))
    assert free.norms[0] == by_norm.norms[0] == by_value.norms[0] > 0.1  # before clipping
    assert by_norm.losses[-1] > by_value.losses[-1]


# --- validation ----------------------------------------------------------------------------------


def test_early_stopping_ends_with_the_best_parameters():
    losses = iter([float("nan"), 5.0, 3.0, 4.0, 2.0, 6.0, 6.0, 6.0, 1.0])
    weights, trained = [], []

    def validate():
        assert not model.training
        weights.append(model.weight.numpy().copy())
        assert model(np.ones((1, 1))).is_leaf  # nothing is recorded
        return next(losses)

    def loss(x):
        trained.append(model.training)
        return mse_loss(model(x), line(x))

    rng = np.random.default_rng(0)
    model = Linear(1, 1, rng=rng)
    xs = [np.ones((1, 1))]
    optimizer = Adam(model.parameters(), 0.1)
    history = fit(
        model, xs, loss, optimizer, rng, epochs=9, validation=Validation(validate, 3), report=None
    )
    assert history.stopped == "early"
    assert history.steps == 8
    assert history.best == (5, 2.0)
    assert all(trained)
    assert np.array_equal(model.weight.numpy(), weights[4])
    assert not np.array_equal(weights[4], weights[7])


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    path, losses = tmp_path / "run.npz", iter([1.0, 2.0, 2.0])

    def stopped():
        return Setup().fit(
            epochs=9, validate=lambda: next(losses), patience=2, checkpoint=path, resume=True
        )

    first = stopped()
    assert first.stopped == "early"
    assert len(first.validations) == 3
    again = stopped()
    assert again.stopped == "early"
    assert again.losses == first.losses


def test_a_plateau_is_one_of_the_validation_loss():
    losses = [4.0, 3.0, 3.0, 3.0, 2.0, 2.0, 2.0, 1.0]
    rng, path = np.random.default_rng(0), iter(losses)
    model = Linear(1, 1, rng=rng)
    optimizer = Adam(model.parameters(), 0.1)
    history = fit(
        model,
        [np.ones((1, 1)), -np.ones((1, 1))],
        lambda x: mse_loss(model(x), line(x)),
        optimizer,
        rng,
        epochs=8,
        schedule=ReduceLROnPlateau(optimizer, 0.5, patience=1),
        validation=Validation(lambda: next(path)),
        report=None,
    )
    assert history.rates == [0.1] * 8 + [0.05] * 6 + [0.025] * 2


def test_validation_every_so_many_steps_and_at_the_end():
    _, history = linear_fit(10, every=4, validate=lambda: 1.0)
    assert list(history.validations) == [4, 8, 10]
    _, history = linear_fit(5, validate=lambda: 1.0)
    assert list(history.validations) == [2, 4, 5]


def test_a_validation_of_nan_is_never_the_best():
    _, history = linear_fit(3, every=1, validate=lambda: float("nan"))
    assert history.best is None
    _, history = linear_fit(9, every=1, validate=lambda: float("nan"), patience=2)
    assert (history.stopped, history.steps) == ("early", 2)


# --- the log -------------------------------------------------------------------------------------


def test_the_log(tmp_path):
    path = tmp_path / "logs" / "loss.csv"
    _, history = linear_fit(
        5, log=path, show={"perplexity": perplexity}, every=2, validate=lambda: 7.0
    )
    rows = list(csv.DictReader(path.open()))
    assert list(rows[0]) == [
        "step",
        "epoch",
        "loss",
        "perplexity",
        "gradient_norm",
        "lr",
        "validation",
    ]
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5]
    assert [float(row["loss"]) for row in rows] == history.losses
    assert [float(row["perplexity"]) for row in rows] == [perplexity(x) for x in history.losses]
    assert [float(row["gradient_norm"]) for row in rows] == history.norms
    assert [row["validation"] for row in rows] == ["", "7.0", "", "7.0", ""]


# --- numbers that are none -----------------------------------------------------------------------


def test_a_loss_of_nan_stops_with_its_cause():
    rng = np.random.default_rng(0)
    model = Linear(1, 1, rng=rng)
    seen = []

    def loss(x):
        seen.append(model.weight.numpy().copy())
        return log(model(x)).named("l").sum()

    batches = [np.ones((1, 1)), -np.ones((1, 1))]
    model.weight.assign([[1.0]])
    model.bias.assign([0.5])
    with pytest.raises(NonFiniteError, match=r"the loss of step 2 is nan: .*log, applied to") as e:
        fit(model, batches, loss, Adam(model.parameters()), rng, epochs=1, report=None)
    assert "lower learning rate" in str(e.value)
    assert np.array_equal(model.weight.numpy(), seen[1])
    assert np.isfinite(model.weight.numpy()).all()


def test_a_gradient_that_overflows_stops_with_its_cause():
    def loss(x):
        return exp(-exp(model(x))).sum()  # 0, but its derivative is 0 times infinity

    rng = np.random.default_rng(0)
    model = Linear(1, 1, rng=rng)
    model.weight.assign([[1000.0]])
    before = model.weight.numpy()
    with pytest.raises(NonFiniteError, match=r"the norm of the gradient of step 1 is nan: the"):
        fit(model, [np.ones((1, 1))], loss, Adam(model.parameters()), rng, steps=1, report=None)
    assert np.array_equal(model.weight.numpy(), before)


@pytest.mark.parametrize(
    ("optimizer", "scale"),
    [(lambda w, lr: SGD(w, 1e308), 10.0), (lambda w, lr: Adam(w, 0.1), 1e200)],
)
def test_a_step_that_overflows_is_taken_back(tmp_path, optimizer, scale):
    path = tmp_path / "run.npz"
    made = []

    def keep(w, lr):
        made.append(optimizer(w, lr))
        return made[0]

    with pytest.raises(NonFiniteError, match=r"step 1 of (SGD|Adam) overflows in W \(1, 1\)"):
        linear_fit(
            3, optimizer=keep, loss=lambda x: made[0].parameters[0].sum() * scale, checkpoint=path
        )
    assert all(np.isfinite(w.numpy()).all() for w in made[0].parameters)
    assert made[0].memories == [{}, {}]
    saved = load_checkpoint(path)
    for array, w in zip(saved["model"].values(), made[0].parameters, strict=True):
        assert np.array_equal(array, w.numpy())


def test_an_exploding_recurrence_is_explained_at_its_step():
    setup = Setup()
    setup.model.head.weight.assign(np.full((6, 5), 1e200))
    setup.model.cell.weight_ih.assign(np.full((20, 5), np.nan))
    with pytest.raises(NonFiniteError, match="W_ih"):
        setup.fit(steps=3)


# --- checkpoints ---------------------------------------------------------------------------------


@pytest.mark.parametrize("stop_at", [1, 5, 6, 11, 17])
def test_resuming_is_the_same_to_the_last_bit(tmp_path, stop_at):
    whole = Setup()
    straight = whole.fit(steps=20)
    path = tmp_path / "run.npz"
    Setup().fit(steps=stop_at, checkpoint=path)
    again = Setup(seed=99)  # nothing of this one's numbers may remain
    resumed = again.fit(steps=20, checkpoint=path, resume=True)
    assert resumed.losses == straight.losses
    assert resumed.norms == straight.norms
    assert resumed.rates == straight.rates
    assert resumed.epochs == straight.epochs
    for name, value in whole.model.state_dict().items():
        assert np.array_equal(value, again.model.state_dict()[name])


@pytest.mark.parametrize("stop_at", [1, 2, 7, 14])
def test_early_stopping_and_a_plateau_go_on_too(tmp_path, stop_at):
    def run(setup, stop_at=None, **settings):
        x, y = next(language_model_batches(TEXT[::-1], 3, 20))  # it will be worse and worse at this
        setup.schedule = ReduceLROnPlateau(setup.optimizer, 0.5, patience=1)
        whole = setup.model.loss

        def loss(*batch):
            if len(batch) == 3 and next(taken) == stop_at:
                signal.raise_signal(signal.SIGINT)
            return whole(*batch)

        taken = iter(range(1, 10**6))
        setup.model.loss = loss
        return setup.fit(
            steps=200, every=2, patience=4, validate=lambda: float(loss(x, y)[0]), **settings
        )

    whole, again, path = Setup(), Setup(seed=99), tmp_path / "run.npz"
    straight = run(whole)
    assert straight.stopped == "early"
    assert straight.rates[-1] < 0.02
    assert run(Setup(), stop_at, checkpoint=path).steps == stop_at < straight.steps
    assert run(again, checkpoint=path, resume=True) == straight
    for name, value in whole.model.state_dict().items():
        assert np.array_equal(value, again.model.state_dict()[name])


@pytest.mark.parametrize("stop_at", [3, 5, 10, 15])
def test_a_run_that_ends_between_two_validations_goes_on_as_if_it_had_not(tmp_path, stop_at):
    def run(steps, losses, **settings):
        setup = Setup()
        setup.schedule = ReduceLROnPlateau(setup.optimizer, 0.5, patience=0)
        history = setup.fit(
            steps=steps, every=4, patience=4, validate=lambda: next(losses), **settings
        )
        return history, setup.model.state_dict()

    losses = [5.0, 4.0, 4.0, 3.0, 6.0, 6.0, 6.0, 6.0]
    whole, best = run(40, iter(losses))
    assert (whole.stopped, whole.steps) == ("early", 32)
    assert whole.rates[-1] < 0.02
    path, before = tmp_path / "run.npz", losses[: stop_at // 4]
    run(stop_at, iter([*before, 0.0]), checkpoint=path)  # by far the best, and not to be kept
    again, kept = run(40, iter(losses[stop_at // 4 :]), checkpoint=path, resume=True)
    assert again == whole
    assert all(np.array_equal(best[name], w) for name, w in kept.items())


def test_a_checkpoint_tells_what_the_finished_run_gave_back(tmp_path):
    path = tmp_path / "run.npz"
    model, _ = linear_fit(5, every=2, validate=iter([3.0, 2.0, 1.0]).__next__, checkpoint=path)
    saved = load_checkpoint(path)
    assert all(np.array_equal(saved["result"][k], w) for k, w in model.state_dict().items())
    assert not np.array_equal(saved["result"]["weight"], saved["best"]["weight"])


def test_generators_in_lists_and_dicts_are_saved_too(tmp_path):
    def run(steps, path, resume=False):
        rng = np.random.default_rng(1)
        model = Linear(1, 1, rng=np.random.default_rng(0))
        model.noise = {"of": [np.random.default_rng(2)]}
        return fit(
            model,
            [np.ones((1, 1))],
            lambda x: mse_loss(model(x), x + model.noise["of"][0].normal()),
            Adam(model.parameters()),
            rng,
            steps=steps,
            checkpoint=Checkpoint(path, resume),
            report=None,
        ).losses

    run(4, tmp_path / "parts.npz")
    assert run(9, tmp_path / "parts.npz", True) == run(9, tmp_path / "whole.npz")


def test_a_finished_run_is_not_run_again(tmp_path):
    path = tmp_path / "run.npz"
    first = Setup().fit(steps=4, checkpoint=path)
    assert Setup().fit(steps=4, checkpoint=path, resume=True).losses == first.losses


def test_resume_without_a_file_starts(tmp_path):
    assert Setup().fit(steps=3, checkpoint=tmp_path / "none.npz", resume=True).steps == 3
    assert (tmp_path / "none.npz").exists()


def test_a_resumed_log_has_every_step_once(tmp_path):
    log_path, path = tmp_path / "loss.csv", tmp_path / "run.npz"
    Setup().fit(steps=8, every=5, checkpoint=path, log=log_path)
    log_path.write_text(log_path.read_text() + "9,1,half a ro")
    history = Setup().fit(steps=12, checkpoint=path, log=log_path, resume=True)
    rows = list(csv.DictReader(log_path.open()))
    assert [int(row["step"]) for row in rows] == list(range(1, 13))
    assert [float(row["loss"]) for row in rows] == history.losses


def test_the_best_parameters_survive_an_interruption(tmp_path):
    path = tmp_path / "run.npz"
    losses = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0])

    def run(epochs, resume=False):
        setup = Setup()
        history = setup.fit(
            epochs=epochs, validate=lambda: next(losses), checkpoint=path, resume=resume
        )
        return setup.model.state_dict(), history

    best, _ = run(2)
    after, history = run(4, resume=True)
    assert history.best[1] == 1.0
    assert all(np.array_equal(best[name], after[name]) for name in best)


def test_a_checkpoint_of_another_model(tmp_path):
    path = tmp_path / "run.npz"
    Setup().fit(steps=1, checkpoint=path)
    with pytest.raises(CheckpointError, match=r"not a checkpoint of this model.*expected \(6, 7\)"):
        Setup(hidden=7).fit(steps=2, checkpoint=path, resume=True)
    other = Setup()
    other.optimizer = SGD(other.model.parameters(), 0.1)
    other.schedule = ExponentialLR(other.optimizer, 0.99)
    with pytest.raises(CheckpointError, match=r"optimizer Adam, not SGD; lr 0.02, not 0.1; "):
        other.fit(steps=2, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda optimizer: None, "schedule ExponentialLR, not None; gamma 0.99, not None"),
        (lambda optimizer: ExponentialLR(optimizer, 0.5), "gamma 0.99, not 0.5;"),
        (lambda optimizer: StepLR(optimizer, 3), "schedule ExponentialLR, not StepLR"),
    ],
)
def test_resuming_with_another_schedule_is_refused_and_not_ignored(tmp_path, made, said):
    Setup().fit(steps=1, checkpoint=tmp_path / "run.npz")
    other = Setup()
    other.schedule = made(other.optimizer)
    before = other.model.state_dict()
    with pytest.raises(CheckpointError, match=said):
        other.fit(steps=2, checkpoint=tmp_path / "run.npz", resume=True)
    assert all(np.array_equal(before[name], w) for name, w in other.model.state_dict().items())


def test_the_same_objects_go_on_though_the_rate_has_fallen(tmp_path):
    straight = Setup().fit(steps=8)
    setup, path = Setup(), tmp_path / "run.npz"
    setup.fit(steps=4, checkpoint=path)
    assert setup.optimizer.lr < 0.02
    assert setup.fit(steps=8, checkpoint=path, resume=True) == straight


def test_resuming_with_another_rate_is_refused_with_and_without_a_schedule(tmp_path):
    def start(lr, scheduled, **settings):
        setup = Setup()
        setup.optimizer.lr = lr
        setup.schedule = ExponentialLR(setup.optimizer, 0.99) if scheduled else None
        return setup.fit(checkpoint=tmp_path / f"{scheduled}.npz", **settings)

    for scheduled in (True, False):
        start(0.02, scheduled, steps=2)
        assert start(0.02, scheduled, steps=3, resume=True).steps == 3
        with pytest.raises(CheckpointError, match=r"optimizer: lr 0.02, not 0.1; give the"):
            start(0.1, scheduled, steps=4, resume=True)


def everything(setup):
    """All that a training can change, as bytes."""
    return repr(
        (
            {name: w.tobytes() for name, w in setup.model.state_dict().items()},
            {k: np.asarray(v).tobytes() for k, v in setup.optimizer.state_dict().items()},
            setup.schedule.state_dict(),
            setup.rng.bit_generator.state,
        )
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: state["settings"].update(gamma=0.5),
        lambda state: state["model"].pop("head.bias"),
        lambda state: state["optimizer"].update(kind="SGD"),
        lambda state: state["schedule"].pop("count"),
        lambda state: state["generators"].append(state["generators"][0]),
        lambda state: state["generators"][0].update(bit_generator="MT19937"),
        lambda state: state.update(position=(0, 1)),
        lambda state: state["history"].update(losses=None),
        lambda state: state["history"].pop("norms"),
        lambda state: state.pop("validations"),
        lambda state: state.update(history=3),
        lambda state: state.update(settings=3),
    ],
)
def test_a_resume_that_is_refused_has_changed_nothing(tmp_path, damage):
    path, log_path = tmp_path / "run.npz", tmp_path / "loss.csv"
    Setup(seed=1).fit(steps=8, checkpoint=path)
    state = load_checkpoint(path)
    damage(state)
    save_checkpoint(path, state)
    saved = path.read_bytes()
    log_path.write_text("the log of before")
    other = Setup()
    other.fit(steps=3)
    before = everything(other)
    with pytest.raises(CheckpointError, match="is not a checkpoint of this model and optimizer: "):
        other.fit(steps=9, checkpoint=path, resume=True, log=log_path)
    assert everything(other) == before
    assert path.read_bytes() == saved and log_path.read_text() == "the log of before"


def test_a_training_is_never_replaced_without_resume_or_overwrite(tmp_path):
    path, log_path = tmp_path / "run.npz", tmp_path / "loss.csv"
    Setup().fit(steps=30, checkpoint=path)
    saved, other = path.read_bytes(), Setup(seed=1)
    log_path.write_text("the log of before")
    before = everything(other)
    with pytest.raises(CheckpointError, match=r"keeps a training of 30 steps.*overwrite=True"):
        other.fit(steps=2, checkpoint=path, log=log_path)
    assert everything(other) == before
    assert path.read_bytes() == saved and log_path.read_text() == "the log of before"
    other.fit(steps=2, checkpoint=path, overwrite=True)
    assert len(load_checkpoint(path)["history"]["losses"]) == 2
    save_checkpoint(path, {"weights": np.ones(3)})
    with pytest.raises(CheckpointError, match="a checkpoint, but not one of a training"):
        Setup().fit(steps=2, checkpoint=path)
    path.write_text("no checkpoint at all")
    with pytest.raises(CheckpointError, match="is damaged"):
        Setup().fit(steps=2, checkpoint=path)


def test_a_training_without_a_step_is_no_loss(tmp_path):
    path = tmp_path / "run.npz"
    with pytest.raises(ZeroDivisionError):
        linear_fit(3, loss=lambda x: 1 / 0, checkpoint=path)
    assert linear_fit(3, checkpoint=path)[1].steps == 3


def test_what_is_no_checkpoint(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.raises(CheckpointError, match="no such file"):
        load_checkpoint(path)
    for content in (b"", b"PK\x03\x04 not really", b"text"):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="is damaged"):
            load_checkpoint(path)
    np.savez(path, a=np.zeros(2))
    with pytest.raises(CheckpointError, match="no checkpoint"):
        load_checkpoint(path)
    np.savez(path, outline=np.array([object()]))
    with pytest.raises(CheckpointError, match="dtype object"):  # and nothing was unpickled
        load_checkpoint(path)


def test_a_damaged_checkpoint_is_refused_or_whole(tmp_path):
    path, rng = tmp_path / "x.npz", np.random.default_rng(0)
    save_checkpoint(path, {"a": np.arange(5.0), "b": {"x": (1, "ü")}})
    whole, refused = path.read_bytes(), 0
    for k in range(400):
        damaged = bytearray(whole[: rng.integers(len(whole))] if k % 3 == 0 else whole)
        for at in rng.integers(0, max(len(damaged), 1), 3 * bool(k % 3)):
            damaged[at] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            assert load_checkpoint(path)["b"] == {"x": (1, "ü")}
        except CheckpointError:
            refused += 1
    assert refused > 300


def test_checkpoints_give_back_what_they_were_given(tmp_path):
    data = {
        "numbers": [1, 2.5, True, None, "ü", float("inf"), 10**40],
        "nested": ({"a": np.arange(3)}, [np.float32(1.5)]),
        3: {"by": {2: 0.1}},
        "nan": float("nan"),
    }
    save_checkpoint(tmp_path / "c.npz", data)
    back = load_checkpoint(tmp_path / "c.npz")
    assert back["numbers"] == data["numbers"]
    assert back["nested"][0]["a"].tolist() == [0, 1, 2]
    assert isinstance(back["nested"], tuple)
    assert back["nested"][1][0].dtype == np.float32
    assert back[3] == {"by": {2: 0.1}}
    assert back["nan"] != back["nan"]
    with pytest.raises(CheckpointError, match=r"checkpoint\['x'\]\[1\] is a set"):
        save_checkpoint(tmp_path / "c.npz", {"x": [1, {2}]})
    assert load_checkpoint(tmp_path / "c.npz")["numbers"] == data["numbers"]  # the old one is there


# --- being killed, being interrupted -------------------------------------------------------------

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
