"""fit: what it reaches, and what it says on the way."""

import csv

import numpy as np
import pytest

from microgrrepresent import exp, log
from rnn import (
    SGD,
    Adam,
    Linear,
    NonFiniteError,
    ReduceLROnPlateau,
    Validation,
    clip_grad_value,
    fit,
    load_checkpoint,
    mse_loss,
    perplexity,
)
from tests.rnn.training.trainings import Setup, line, linear_fit


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
