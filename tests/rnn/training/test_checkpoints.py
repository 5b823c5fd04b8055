"""A checkpoint keeps all that a training needs to go on to the last bit."""

import csv
import pickle
import signal

import numpy as np
import pytest

from microgrrepresent import GradientError, Tensor
from rnn import (
    SGD,
    Adam,
    Checkpoint,
    CheckpointError,
    ExponentialLR,
    Linear,
    ReduceLROnPlateau,
    StepLR,
    fit,
    language_model_batches,
    load_checkpoint,
    mse_loss,
    save_checkpoint,
)
from tests.rnn.training.trainings import TEXT, Setup, linear_fit


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
        lambda state: state.update(validations=None),
        lambda state: state.update(validations={"a": 1.0}),
        lambda state: state.update(validations={1: "a"}),
        lambda state: state.update(best=3),
        lambda state: state.update(best={"head.bias": np.ones(1)}),
        lambda state: state.update(position=(0, "1", None)),
        lambda state: state.update(position=(0, -1, None)),
        lambda state: state["history"].update(norms=np.ones(3)),
        lambda state: state["history"].update(losses=np.ones((8, 1))),
        lambda state: state["history"].update(epochs=["a"] * 8),
        lambda state: state["optimizer"].update(lr=None),
        lambda state: state["optimizer"].update({"0.m": None}),
        lambda state: state["schedule"].update(count=None),
        lambda state: state.pop("state"),
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


def nested(depth):
    data = {}
    for _ in range(depth):
        data = {"x": data}
    return data


def round_and_round():
    data = {"a": []}
    data["a"].append(data)
    return data


UNFIT = {
    "words in an array": (
        {"words": np.array(["a", "b"])},
        r"^checkpoint\['words'\] is an array of",
    ),
    "times": ({"t": np.array(["2026-01-01"], "datetime64[D]")}, r"an array of datetime64\[D\]"),
    "a time": ({"t": np.datetime64("2026-01-01")}, r"an array of datetime64\[D\]"),
    "records": ({"r": np.zeros(2, [("a", int)])}, r"an array of \[\('a', '<i8'\)\]"),
    "objects": ({"o": np.array([None])}, "an array of object"),
    "a key of NumPy": ({"d": {np.int64(3): 1}}, r"the key of .* is a int64; give int\(key\)"),
    "a key": ({frozenset(): 1}, "is a frozenset, which a checkpoint cannot hold"),
    "itself": (round_and_round(), "nested more than 100 deep, or holds itself"),
    "deep": (nested(900), "nested more than 100 deep"),
    "a long integer": ({"n": 10**5000}, "an integer of 16,610 bits"),
}


@pytest.mark.parametrize(("data", "said"), UNFIT.values(), ids=UNFIT)
def test_what_could_not_be_read_again_is_not_written(tmp_path, data, said):
    path = tmp_path / "x.npz"
    save_checkpoint(path, {"good": 1})
    with pytest.raises(CheckpointError, match=said):
        save_checkpoint(path, data)
    assert load_checkpoint(path) == {"good": 1}
    with pytest.raises(CheckpointError, match=said.replace("checkpoint\\[", "extra\\[")):
        Checkpoint(path, resume=True, extra=data)  # and not after a training


def test_what_is_nested_as_deep_as_may_be_comes_back(tmp_path):
    for data in (nested(99), {"x": {(1, ("a", 2.5)): {None: np.float32(2)}}, "n": 2**4095}):
        save_checkpoint(tmp_path / "x.npz", data)
        assert load_checkpoint(tmp_path / "x.npz") == data


def test_tensors_are_kept_as_pickle_keeps_them(tmp_path):
    w = Tensor([1.0, 2.0], requires_grad=True, name="w", dtype="float32")
    data = {"w": w, "x": Tensor([1, 2]), "y": w.detach() * 2}
    save_checkpoint(tmp_path / "x.npz", data)
    for name, loaded in load_checkpoint(tmp_path / "x.npz").items():
        again = pickle.loads(pickle.dumps(data[name]))
        for of in ("requires_grad", "name", "dtype", "is_leaf"):
            assert getattr(loaded, of) == getattr(again, of), (name, of)
        assert np.array_equal(loaded.numpy(), data[name].numpy())
    for lose in (pickle.dumps, lambda y: save_checkpoint(tmp_path / "x.npz", {"y": y})):
        with pytest.raises(GradientError, match=r"requires a gradient, which would be lost"):
            lose(w * 2)


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
